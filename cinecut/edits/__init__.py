"""Edits of a spec, each leaving every other byte as it is."""
