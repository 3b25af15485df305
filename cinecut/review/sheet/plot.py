"""The drawing on a contact sheet: the film above, the trailer below, and a ribbon from each piece to its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from cinecut.compiler.resolve import Trailer
from cinecut.known.record import KnownShot
from cinecut.language.grid import Grid
from cinecut.language.spec import Spec
from cinecut.language.timebase import FilmRange
from cinecut.review.sheet.events import Event

# Where things stand in the drawing, in its own units; sheet.html.j2 draws at these heights.
WIDTH = 1200
_MARGIN = 24
_LABEL_ROWS = 4  # of event numbers above the strip
_LABEL_ROOM = 20  # what a number of two digits takes
_PACE_HEIGHT = 80
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds between two ticks
_TICKS = 14


@dataclass(frozen=True, slots=True)
class Scale:
    """Seconds of the film or of the trailer → across the drawing."""

    seconds: Fraction

    def __call__(self, at: Fraction) -> float:
        return round(_MARGIN + (WIDTH - 2 * _MARGIN) * float(at / self.seconds), 2)

    def wide(self, start: Fraction, end: Fraction, gap: float = 0.7) -> float:
        """The width of a block, with a gap to the next; never too narrow to be seen."""
        return round(max(self(end) - self(start) - gap, 0.8), 2)

    @property
    def ticks(self) -> list[Fraction]:
        step = next((step for step in _STEPS if self.seconds <= step * _TICKS), _STEPS[-1])
        return [Fraction(at) for at in range(0, int(self.seconds) + 1, step)]


@dataclass(frozen=True, slots=True)
class Label:
    """An event's number above the strip, in a separate row if it would touch its neighbour."""

    number: int
    x: float
    row: int


@dataclass(frozen=True, slots=True)
class PaceCurve:
    """The lengths of the shots as steps over the trailer; `longest`, in seconds, is the full height."""

    longest: Fraction
    outline: str  # SVG path data, 0 at the bottom
    height: int = _PACE_HEIGHT


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What the drawing needs besides the events: two scales, and the places of beats, bars and labels."""

    film: Scale
    starts: Mapping[str, Fraction]  # of the films, which stand one behind the other
    trailer: Scale
    zones: tuple[tuple[KnownShot, str], ...]
    labels: tuple[Label, ...]
    beats: tuple[float, ...]
    bars: tuple[float, ...]
    pace: PaceCurve

    def left(self, film: FilmRange) -> float:
        return self.film(self.starts[film.film] + film.start.seconds)

    def wide(self, film: FilmRange, gap: float = 0.7) -> float:
        start = self.starts[film.film]
        return self.film.wide(start + film.start.seconds, start + film.end.seconds, gap)


def plot(events: Sequence[Event], shots: Sequence[KnownShot], cut: Trailer, grid: Grid | None) -> Curve:
    starts, end = dict[str, Fraction](), Fraction(0)
    for name, each in cut.footage.items():
        starts[name] = end
        last = (shot.range.end.seconds for shot in shots if shot.range.film == name)
        end += max([each.facts.duration, *last])
    scale, trailer = Scale(end), Scale(events[-1].end)
    lines = list(grid.lines(events[-1].end)) if grid is not None else []
    return Curve(
        scale,
        starts,
        trailer,
        tuple((shot, _zone(shot.range, cut.spec)) for shot in shots),
        tuple(_labels(events, scale, starts)),
        tuple(trailer(at) for at, bar in lines if not bar),
        tuple(trailer(at) for at, bar in lines if bar),
        _pace(events, trailer),
    )


def _zone(shot: FilmRange, spec: Spec) -> str:
    """The zone of the film's story; its run-up belongs to the climax. With several films, that of the turning points'
    film."""
    anchors, at = spec.anchors, shot.start
    if anchors is None or anchors.escalation is None or anchors.climax is None or at < anchors.escalation.at:
        return "begin"
    if {spec.key_of(anchors.escalation.film), spec.key_of(anchors.climax.film)} != {shot.film}:
        return "begin"
    run_up = (anchors.climax.at - anchors.escalation.at) / 3
    return "escalation" if at < anchors.climax.at - run_up else "climax"


def _labels(events: Sequence[Event], scale: Scale, starts: Mapping[str, Fraction]) -> Iterator[Label]:
    """From left to right, each number in the first row with room for it, else in the emptiest."""
    middles = ((e.film, e.film.start.seconds + e.film.duration / 2, e.number) for e in events if e.film)
    places = sorted((scale(starts[film.film] + middle), number) for film, middle, number in middles)
    taken = [-float(WIDTH)] * _LABEL_ROWS
    for x, number in places:
        free = (row for row in range(_LABEL_ROWS) if x - taken[row] >= _LABEL_ROOM)
        row = next(free, taken.index(min(taken)))
        taken[row] = x
        yield Label(number, x, row)


def _pace(events: Sequence[Event], scale: Scale) -> PaceCurve:
    longest = max((event.seconds for event in events if event.film), default=Fraction(1))
    steps = []
    for shown, run in groupby(events, key=lambda event: event.film is not None):
        if shown:
            shots = list(run)
            tops = [(e, -round(_PACE_HEIGHT * float(e.seconds / longest), 1)) for e in shots]
            path = " ".join(f"V{top} H{scale(event.end)}" for event, top in tops)
            steps.append(f"M{scale(shots[0].start)} 0 {path} V0")
    return PaceCurve(longest, " ".join(steps))
