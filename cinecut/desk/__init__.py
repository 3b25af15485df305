"""Edits of a spec's file: checked, written whole or not at all, kept in a journal, taken back."""
