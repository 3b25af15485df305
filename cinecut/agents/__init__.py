"""A Model Context Protocol server: programs that edit a spec with the same verbs as a person.

client ─ stdio ─ server ─ fence: which files ─ desk: edits, checked and kept ─► answer: words, findings, stills
                        └─ a draft, in a process of its own that can be ended
"""
