"""Whether a file is what its spec says, frame by frame and sound by sound: matched, not hashed, so that a file that was
encoded again is judged as well.

    file ─ thumbnails, sound ─┐
    spec ─ reference ─────────┴─ align ─► pictures, texts, sound, flashes, figures ─► findings
"""
