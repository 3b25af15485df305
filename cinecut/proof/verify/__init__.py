"""Whether a file matches its spec, frame by frame and sound by sound. Contents are matched, not hashed, so re-encoded
files can be checked too.

    file ─ thumbnails, sound ─┐
    spec ─ reference ─────────┴─ align ─► pictures, texts, sound, flashes, figures ─► findings
"""
