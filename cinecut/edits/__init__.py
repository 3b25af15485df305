"""Edits of a spec's file: checked, written completely or not at all, kept in a journal, and undone.

verbs/    what can be done to a spec, each as one edit of its text
changes/  what differs between two trailers, in words
recut/    what of a spec a new analysis leaves as a hand made it
"""
