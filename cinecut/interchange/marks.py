"""The markers of a sequence: its acts, and at each event what the spec says of it."""

from __future__ import annotations

from collections.abc import Iterator

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Placed
from cinecut.interchange.model import COLORS, Mark
from cinecut.language.events import Shot
from cinecut.language.timebase import clock
from cinecut.language.write import exact_text

TURNING_POINTS = ("begin", "escalation", "climax")


def marks_of(layout: Layout, later: int) -> Iterator[Mark]:
    """One marker per frame, in order; the names and notes of several at one frame are joined."""
    acts = list(dict.fromkeys(placed.act for placed in layout.timeline.events))
    before, turns = None, _turns(layout)
    for placed in layout.timeline.events:
        color = COLORS[acts.index(placed.act) % len(COLORS)]
        names = [placed.act] if placed.act is not None and placed.act != before else []
        names += [f"turning point: {name}" for name, at in turns.items() if at == placed.label]
        notes = [*_notes(placed)]
        event = placed.event
        own = event.beat_type or (type(event).__name__.lower() if notes else None)
        names += [own] if own else []
        before = placed.act
        if names or notes:
            yield Mark(placed.range.start.index + later, " · ".join(names) or placed.name, "; ".join(notes), color)


def lost_turns(layout: Layout) -> list[str]:
    """The turning points of the film that the trailer does not show."""
    anchors, shown = layout.trailer.spec.anchors, _turns(layout)
    return [name for name in TURNING_POINTS if getattr(anchors, name, None) is not None and name not in shown]


def _turns(layout: Layout) -> dict[str, str]:
    """The shots that show the film's turning points, by the points' names."""
    turns, anchors = dict[str, str](), layout.trailer.spec.anchors
    for name in TURNING_POINTS if anchors is not None else ():
        anchor = getattr(anchors, name)
        for placed in layout.timeline.shots:
            own = anchor is not None and layout.trailer.spec.key_of(anchor.film) == placed.film.film
            if own and name not in turns and placed.film.start <= anchor.at < placed.film.end:
                turns[name] = placed.label
    return turns


def _notes(placed: Placed) -> Iterator[str]:
    event = placed.event
    if event.zone:
        yield f"zone: {event.zone}"
    if event.score is not None:
        yield f"score: {exact_text(event.score)}"
    if event.why:
        yield f"why: {event.why}"
    if event.by:
        yield f"by: {event.by}"
    if event.line:
        yield f"line: {event.line}"
    if isinstance(event, Shot) and event.sync is not None:
        yield f"sync: {clock(event.sync.at.seconds)} on a {event.sync.to}"
