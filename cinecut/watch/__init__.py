"""Watching a spec: its draft plays on a page while it is edited.

    spec, media ─ changes ─► Session ─ compile ─► description ─┐
                                  └─ render ─► draft ──────────┴─► page ─ action ─ edits ─► spec

A file of the user's is only ever changed by an action of the page, as one edit of the spec.
"""
