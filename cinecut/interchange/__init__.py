"""What editing programs open. One model is built of a trailer's layout; each target is a writer from it.

A trailer's way out:

    spec ─► Layout ─ build ─► EditSequence ─ a target's writer ─► .fcpxml, .xml, .kdenlive, .otio, .edl
                                       ─ fidelity ─► what the target shows otherwise, by event
"""
