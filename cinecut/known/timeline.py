"""Recognising a timeline by its content, whatever its spelling."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from cinecut.language.document.layout import print_flow
from cinecut.language.events import ActMarker, Cue, Entry, Shot
from cinecut.language.write import value_tree


def key_of(entry: Entry) -> str:
    """The whole content of an entry as one text, without alternatives and measured facts."""
    if isinstance(entry, Shot):
        entry = replace(entry, alternatives=())
    cue: Cue | None = getattr(entry, "cue", None)
    if cue is not None and not isinstance(entry, ActMarker):
        entry = replace(entry, cue=replace(cue, facts=None))
    entry = replace(entry, sound=tuple(replace(each, facts=None) for each in entry.sound))
    if not isinstance(entry, ActMarker):
        entry = replace(entry, voice=tuple(replace(each, facts=None) for each in entry.voice))
    return print_flow(value_tree(entry))


def timeline_digest(timeline: Sequence[Entry]) -> str:
    """A digest that is equal for timelines of the same content."""
    return hashlib.sha256("\n".join(map(key_of, timeline)).encode()).hexdigest()[:24]
