"""What the entries of a timeline say: by that a timeline is recognised, however it is written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from cinecut.language.document.layout import print_flow
from cinecut.language.events import ActMarker, Cue, Entry, Shot
from cinecut.language.write import value_tree


def key_of(entry: Entry) -> str:
    """All that an entry says, as one text."""
    if isinstance(entry, Shot):
        entry = replace(entry, alternatives=())
    cue: Cue | None = getattr(entry, "cue", None)
    if cue is not None and not isinstance(entry, ActMarker):
        entry = replace(entry, cue=replace(cue, facts=None))
    return print_flow(value_tree(entry))


def timeline_digest(timeline: Sequence[Entry]) -> str:
    """Equal for timelines that say the same."""
    return hashlib.sha256("\n".join(map(key_of, timeline)).encode()).hexdigest()[:24]
