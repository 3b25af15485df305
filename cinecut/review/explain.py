"""Explaining a spec: who set every value, and the place of every event on both clocks."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.soundtrack import Soundtrack
from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.compiler.origins import origins
from cinecut.compiler.resolve import Trailer
from cinecut.edits.verbs.entries import id_of
from cinecut.language.grid import Grid
from cinecut.language.timebase import FilmTime, Timecodes, clock, nearest, timecode
from cinecut.language.write import value_text


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of the spec and its origin: user, vibe, film, schema (the language's default), or a configuration
    file."""

    path: str
    value: str
    by: str


def settings(trailer: Trailer) -> list[Setting]:
    """Every value in the order of the spec, and those that the vibe adds. Facts are left out, since they are
    measurements."""
    return [Setting(o.path, (_figure if o.by == "vibe" else value_text)(o.value), o.by) for o in origins(trailer)]


def _figure(value: Any) -> str:
    """A value of a look as a spec would write it."""
    if dataclasses.is_dataclass(value):
        inner = ", ".join(f"{i.name}: {_figure(getattr(value, i.name))}" for i in dataclasses.fields(value))
        return "{" + inner + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_figure(item) for item in value) + "]"
    return value_text(value)


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of the timeline, by its number without the markers, and its line in the spec, both from 1. Beats count
    from 1, as `bar:beat`; timecodes are those one would type."""

    number: int
    line: int
    kind: str
    event: str  # its label in the graph
    id: str  # by which edits name it
    act: str
    film: str  # the name of the one that it is of, where there are several
    film_in: str
    film_in_timecode: str
    film_out: str
    film_out_timecode: str
    trailer_in: str
    trailer_in_timecode: str
    trailer_out: str
    trailer_out_timecode: str
    frames: int
    beat: str
    offset_ms: float | None  # of the first frame from the nearest beat
    enters: str
    sounds: str  # effects and voices that hang on it, and a new song


def rows(layout: Layout) -> list[EventRow]:
    sounds = _sounds(layout.track)
    return [_row(placed, layout, sounds.get(placed.label, [])) for placed in layout.timeline.events]


def _sounds(track: Soundtrack) -> dict[str, list[str]]:
    """The names of the effects and voices that hang on each event, by its label."""
    names: dict[str, list[str]] = {}
    made = [*((e.owner, e.name) for e in track.effects), *((v.owner, "voice") for v in track.voices)]
    for owner, name in [*made, *((each.song.owner, each.name) for each in track.recordings)]:
        names.setdefault(owner, []).append(name)
    return names


def _row(placed: Placed, layout: Layout, sounds: list[str]) -> EventRow:
    timeline, trailer = layout.timeline, layout.trailer
    start, end = (Fraction(frame.index) / timeline.rate for frame in (placed.range.start, placed.range.end))
    film = placed.film if isinstance(placed, PlacedShot) else None
    numbered = trailer.footage[film.film if film is not None else ""].facts.timecodes
    beat, offset = _beat(start, timeline.grid)
    cue = placed.event.cue
    return EventRow(
        number=placed.number,
        line=placed.event.place.span.line + 1,
        kind=type(placed.event).__name__.lower(),
        event=placed.label,
        id=id_of(placed),
        act=placed.act or "",
        film=(trailer.spec.name_of(film.film) or "") if film else "",
        film_in=clock(film.start.seconds) if film else "",
        film_in_timecode=_timecode(film.start, numbered) if film else "",
        film_out=clock(film.end.seconds) if film else "",
        film_out_timecode=_timecode(film.end, numbered) if film else "",
        trailer_in=clock(start),
        trailer_in_timecode=timecode(start, timeline.rate),
        trailer_out=clock(end),
        trailer_out_timecode=timecode(end, timeline.rate),
        frames=placed.range.length,
        beat=beat,
        offset_ms=offset,
        enters=value_text(placed.event.from_) if placed.head.kind != "cut" else "cut",
        sounds=", ".join([*sounds, *([f"music: {cue.file}"] if cue is not None else [])]),
    )


def _timecode(time: FilmTime, numbered: Timecodes) -> str:
    """Of the nearest picture: a point that lies a little before it is meant as it."""
    return numbered.of(nearest(time.seconds * numbered.rate) / numbered.rate)


def _beat(seconds: Fraction, grid: Grid | None) -> tuple[str, float | None]:
    if grid is None:
        return "", None
    beat = grid.beat_at(seconds)
    near = grid.nearest_line(seconds, "beat")
    nearest_beat = math.floor(beat + Fraction(1, 2))
    bar, in_bar = divmod(nearest_beat, grid.metre)
    return f"{bar + 1}:{in_bar + 1}", round(float((seconds - near) * 1000), 3)
