"""The entries of a spec's timeline, found by number, id, act or index.

An event's id is the one that it has (`id: bird`) or, while it has none, the one that follows from what it says
(`shot_0m16s_1f2a`, as `explain` shows it). An edit that would change such an id writes it down first, so that it stays.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from itertools import groupby

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Placed
from cinecut.diagnostics import Stop
from cinecut.language.document.edit import Edits
from cinecut.language.events import ActMarker, Entry
from cinecut.language.facts import FilmFacts
from cinecut.language.read import numbering_in
from cinecut.language.timebase import FilmRange
from cinecut.language.write import numbering_of


def entries_of(layout: Layout) -> list[int]:
    """The index of each event in the spec's timeline, which also holds act markers."""
    return [place for place, entry in enumerate(layout.trailer.spec.timeline) if not isinstance(entry, ActMarker)]


def id_of(placed: Placed) -> str:
    return placed.event.id or placed.label


_OF_ACT = re.compile(r"\s*(.+?)\s*/\s*(\d+)\s*")
_OF_KIND = re.compile(r"\s*(shot|black|card|still|event)\s+(\d+)\s*")


def find_event(layout: Layout, name: str | int) -> Placed:
    """The named event: `12`, `shot 12`, `act 2/3` (the third event of the act with that name, else of the second act),
    `revenge/1`, or an id. Raises Stop if there is none."""
    events = layout.timeline.events
    if isinstance(name, int) or name.strip().isdecimal():
        return _numbered(events, int(name))
    if match := _OF_KIND.fullmatch(name):
        placed = _numbered(events, int(match[2]))
        if match[1] not in ("event", placed.name.partition(" ")[0]):
            raise Stop("option", f"event {match[2]} is {placed.name}, and no {match[1]}")
        return placed
    for placed in events:
        if name == placed.event.id:
            return placed
    for placed in events:
        if name == placed.label:
            return placed
    if match := _OF_ACT.fullmatch(name):
        return _in_act(events, match[1], int(match[2]))
    close = get_close_matches(name, [id_of(placed) for placed in events], n=1)
    hint = f"did you mean {close[0]}?" if close else "cinecut explain SPEC --json lists the ids"
    raise Stop("option", f"there is no event {name!r}", hint, "an event is its number, its id, or act 2/3")


def _numbered(events: tuple[Placed, ...], number: int) -> Placed:
    if not 1 <= number <= len(events):
        raise Stop("option", f"there is no event {number}: they are 1 to {len(events)}")
    return events[number - 1]


def _in_act(events: tuple[Placed, ...], written: str, number: int) -> Placed:
    """`written` is an act's name, with or without `act` before it, or the act's number."""
    acts = [list(run) for name, run in groupby(events, lambda placed: placed.act) if name is not None]
    bare = re.sub(r"^act\s+", "", written)
    names = [str(run[0].act) for run in acts]
    meant = next((name for name in (written, f"act {bare}", bare) if name in names), None)
    if meant is None and bare.isdecimal() and 1 <= int(bare) <= len(acts):
        inside = acts[int(bare) - 1]
    else:
        inside = [placed for name, run in zip(names, acts, strict=True) if name == meant for placed in run]
    if not inside:
        raise Stop("option", f"there is no act {bare}", f"the acts are: {', '.join(dict.fromkeys(names)) or 'none'}")
    if not 1 <= number <= len(inside):
        named = meant or f"act {bare}, {inside[0].act!r},"
        have = f"{len(inside)} event{'s' * (len(inside) > 1)}"
        raise Stop("option", f"{named} has {have}; there is no event {number} in it")
    return inside[number - 1]


class Entries:
    """The timeline of a document being edited, its entries by their index."""

    def __init__(self, edits: Edits, layout: Layout) -> None:
        self.edits, self.layout = edits, layout
        self.spec, self.footage = layout.trailer.spec, layout.trailer.footage
        self.places = entries_of(layout)
        self.events = {self.places[placed.number - 1]: placed for placed in layout.timeline.events}
        self._shots = {self.places[placed.number - 1]: placed for placed in layout.timeline.shots}
        # A timecode can be read only where the file holds the film's facts.
        linked = numbering_in(edits.document.root) if edits.document.root is not None else {}
        self.numbering = {name: codes if linked.get(name) else None for name, codes in numbering_of(self.spec).items()}

    def entry(self, index: int) -> Entry:
        return self.spec.timeline[index]

    def index(self, name: str | int) -> int:
        """The index of a named event. Raises Stop."""
        return self.places[find_event(self.layout, name).number - 1]

    def film_range(self, index: int) -> FilmRange:
        """The range of the film that the shot at this index shows."""
        return self._shots[index].film

    def facts(self, film: str | None) -> FilmFacts:
        """The facts of a film, by its name in the spec."""
        return self.footage[self.spec.key_of(film)].facts
