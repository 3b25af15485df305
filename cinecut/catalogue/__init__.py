"""Many films looked at once, and shots found in them by words and by look.

    folders ─ each film: look ─► one result, named by content ─ all of them: build ─► an index ─ find ─► hits

A catalogue is one folder. Results are msgpack, the index is SQLite and plain arrays: nothing in it is executable.
"""
