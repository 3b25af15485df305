"""Merging a new analysis with the user's edits of a spec."""
