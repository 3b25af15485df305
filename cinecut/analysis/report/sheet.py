"""The contact sheet: one HTML page that shows what `analyze` chose, from where in the film, and why.

    Analysis ─ events ─ stills ─► Event ─ plot ─► Plot ─ sheet.html.j2 ─► one file without anything beside it

The page needs no script and no network; titles, lines and names are escaped. Its plot draws the film above and the
trailer below, on two scales, and a ribbon from each piece of the film to its place in the trailer.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from math import ceil, floor
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np
from numpy.typing import NDArray

from cinecut import __version__
from cinecut.analysis import Analysis, film_title
from cinecut.analysis.cache import Cache
from cinecut.analysis.edit.arrange import Cut, Tempo
from cinecut.analysis.edit.blueprint import Want
from cinecut.analysis.film.screen import Bars
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.stage import Line, Stage
from cinecut.analysis.story.arc import Zone
from cinecut.analysis.story.scenes import upright
from cinecut.files import write_beside
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, clock
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import picture_stream

_SIDE = 320  # pixels of a still's longer side
_BYTES = 15_000  # of a still, so that sixty of them stay under 2 MB as text
_QUALITIES = (80, 65, 50, 35)  # of JPEG, the first that keeps to the bytes


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One event of the trailer as the sheet shows it.

    number : its place in the timeline, from 1
    start, end : trailer seconds, each the time of a whole frame
    still : a JPEG as a data URI; None for black and cards, and where the film could not be decoded
    """

    number: int
    cut: Cut
    start: Fraction
    end: Fraction
    still: str | None = None

    @property
    def seconds(self) -> Fraction:
        return self.end - self.start

    @property
    def film(self) -> FilmRange | None:
        """What it shows of the film."""
        return FilmRange(self.cut.in_, self.cut.in_ + self.seconds) if self.cut.take else None

    @property
    def hit(self) -> Fraction | None:
        """Trailer seconds at which its moment of action is seen."""
        return None if self.cut.sync is None else self.start + (self.cut.sync - self.cut.in_)

    @property
    def title(self) -> str:
        """What it is, in two or three words."""
        if self.cut.take:
            return str(self.cut.take.beat_type)
        return "black" if self.cut.slot.want is Want.BLACK else "title card"


@dataclass(frozen=True, slots=True, eq=False)
class Act:
    """A run of events of one act; `color` is its place in the page's palette."""

    name: str
    color: int
    events: tuple[Event, ...]

    @property
    def start(self) -> Fraction:
        return self.events[0].start

    @property
    def end(self) -> Fraction:
        return self.events[-1].end


def write_sheet(analysis: Analysis, film: Path, target: Path, progress: Callable[[float], None]) -> None:
    """Write the contact sheet of an analysis of `film` to `target`, whole or not at all.

    `progress` hears the share done, 0..1. Raises Stop: missing-file, unreadable, output, disk-full.
    """
    events, facts = _events(analysis.cuts, analysis.tempo), analysis.facts
    wanted = [event.film for event in events]
    line = Line(Cache(facts.fingerprint), lambda stage, done: progress(done))
    bars = analysis.bars.upright(facts.rotation, facts.mirrored)
    stills = line.run(Stage("stills", list[str | None], _stills), film, facts, bars, wanted)
    seen = [replace(event, still=still) for event, still in zip(events, stills, strict=True)]
    write_beside(target, _page(analysis, film, seen))
    progress(1.0)


def _events(cuts: Sequence[Cut], tempo: Tempo) -> list[Event]:
    """The cuts in trailer time: beats are counted from the start, and each boundary is rounded to its frame once."""
    events, beat = [], 0
    for number, cut in enumerate(cuts, 1):
        start, end = (tempo.frame(at) / tempo.rate for at in (beat, beat + cut.slot.beats))
        events.append(Event(number, cut, start, end))
        beat += cut.slot.beats
    return events


# --- stills ---------------------------------------------------------------------------------------------------------


def _stills(
    film: Path, facts: FilmFacts, bars: Bars, wanted: Sequence[FilmRange | None], progress: Callable[[float], None]
) -> list[str | None]:
    """A still from a third into each range, without the bars, as a data URI."""
    found: list[str | None] = []
    with open_film(film, facts) as media:
        reader = FrameReader(media, picture_stream(media, film), facts.start)
        for done, shown in enumerate(wanted):
            progress(done / len(wanted))
            frame = None if shown is None else reader.at(shown.start + shown.duration / 3, shown.end)
            found.append(None if frame is None else _data_uri(_without(bars, upright(frame, facts, _SIDE))))
    return found


def _without(bars: Bars, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What of an upright picture lies inside the bars."""
    height, width = picture.shape[:2]
    left, right = ceil(bars.left * width), floor((1 - bars.right) * width)
    top, bottom = ceil(bars.top * height), floor((1 - bars.bottom) * height)
    return picture[top:bottom, left:right]


def _data_uri(bgr: NDArray[np.uint8]) -> str:
    """A JPEG inside a page, at the best quality that keeps to the bytes."""
    jpeg = b""
    for quality in _QUALITIES:
        jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])[1].tobytes()
        if len(jpeg) <= _BYTES:
            break
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


# --- plot -----------------------------------------------------------------------------------------------------------

# Where things stand in the drawing, in its own units; sheet.html.j2 draws at these heights.
_WIDTH = 1200
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
        return round(_MARGIN + (_WIDTH - 2 * _MARGIN) * float(at / self.seconds), 2)

    def wide(self, start: Fraction, end: Fraction, gap: float = 0.7) -> float:
        """The width of a block, with a gap to the next; never too narrow to be seen."""
        return round(max(self(end) - self(start) - gap, 0.8), 2)

    @property
    def ticks(self) -> list[Fraction]:
        step = next((step for step in _STEPS if self.seconds <= step * _TICKS), _STEPS[-1])
        return [Fraction(at) for at in range(0, int(self.seconds) + 1, step)]


@dataclass(frozen=True, slots=True)
class Label:
    """An event's number above the strip: a row of its own where the neighbours would touch."""

    number: int
    x: float
    row: int


@dataclass(frozen=True, slots=True)
class Pace:
    """The lengths of the shots as steps over the trailer; `longest` in seconds is its full height."""

    longest: Fraction
    outline: str  # SVG path data, 0 at the bottom
    height: int = _PACE_HEIGHT


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What the drawing needs beyond the events: two scales, and where beats, bars and labels stand."""

    film: Scale
    trailer: Scale
    zones: tuple[tuple[FilmShot, Zone], ...]
    labels: tuple[Label, ...]
    beats: tuple[float, ...]
    bars: tuple[float, ...]
    pace: Pace


def _plot(analysis: Analysis, events: Sequence[Event]) -> Curve:
    end = analysis.shots[-1].range.end.seconds
    film, trailer = Scale(max(end, analysis.facts.duration)), Scale(events[-1].end)
    grid, beats = analysis.tempo.grid, sum(event.cut.slot.beats for event in events)
    lines = [grid.seconds_at(Fraction(beat)) for beat in range(beats + 1)]  # not rounded to frames
    return Curve(
        film,
        trailer,
        tuple((shot, analysis.story.zone(shot.range.start)) for shot in analysis.shots),
        tuple(_labels(events, film)),
        tuple(trailer(at) for beat, at in enumerate(lines) if beat % grid.metre),
        tuple(trailer(at) for at in lines[:: grid.metre]),
        _pace(events, trailer),
    )


def _labels(events: Sequence[Event], scale: Scale) -> Iterator[Label]:
    """From left to right, each number in the first row that has room for it, else in the emptiest."""
    places = sorted((scale(e.film.start.seconds + e.seconds / 2), e.number) for e in events if e.film)
    taken = [-float(_WIDTH)] * _LABEL_ROWS
    for x, number in places:
        free = (row for row in range(_LABEL_ROWS) if x - taken[row] >= _LABEL_ROOM)
        row = next(free, taken.index(min(taken)))
        taken[row] = x
        yield Label(number, x, row)


def _pace(events: Sequence[Event], scale: Scale) -> Pace:
    longest = max(event.seconds for event in events if event.film)
    steps = []
    for shown, run in groupby(events, key=lambda event: event.film is not None):
        if shown:
            shots = list(run)
            tops = [(e, -round(_PACE_HEIGHT * float(e.seconds / longest), 1)) for e in shots]
            path = " ".join(f"V{top} H{scale(event.end)}" for event, top in tops)
            steps.append(f"M{scale(shots[0].start)} 0 {path} V0")
    return Pace(longest, " ".join(steps))


# --- page -----------------------------------------------------------------------------------------------------------


_COLORS = 8  # in the page's palette


def _page(analysis: Analysis, film: Path, events: Sequence[Event]) -> str:
    shots = [event for event in events if event.film]
    acts = list(_acts(events))
    template = _environment(analysis.facts).get_template("sheet.html.j2")
    return template.render(
        analysis=analysis,
        film=film,
        title=film_title(film),
        acts=acts,
        colors={event.number: act.color for act in acts for event in act.events},
        shots=shots,
        length=events[-1].end,
        mean=sum((event.seconds for event in shots), Fraction(0)) / len(shots),
        tempo=_mean_tempo(analysis.tempo, sum(event.cut.slot.beats for event in events)),
        plot=_plot(analysis, events),
        width=_WIDTH,
        ratio=_shape(analysis),
        version=__version__,
    )


def _shape(analysis: Analysis) -> str:
    """Width / height of what is shown of the film, for the page."""
    (width, height), bars = (
        analysis.facts.display_size,
        analysis.bars.upright(analysis.facts.rotation, analysis.facts.mirrored),
    )
    shown = (width * (1 - bars.left - bars.right), height * (1 - bars.top - bars.bottom))
    return " / ".join(f"{float(side):g}" for side in shown)


def _acts(events: Sequence[Event]) -> Iterator[Act]:
    colors: dict[str, int] = {}
    for name, run in groupby(events, key=lambda event: event.cut.slot.act):
        yield Act(name, colors.setdefault(name, len(colors)) % _COLORS, tuple(run))


def _environment(facts: FilmFacts) -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_legible,
    )
    found.filters["clock"] = lambda seconds, digits=2: clock(seconds, digits)
    found.filters["seconds"] = lambda seconds, digits=2: f"{float(seconds):.{digits}f} s"
    found.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    found.filters["timecode"] = lambda time: "" if facts.variable else facts.timecodes.of(time.seconds)
    return found


def _legible(value: Any) -> Any:
    """Text without what UTF-8 or HTML cannot hold: lone surrogates of a file's name, control characters of a line."""
    if type(value) is not str:
        return value
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" else c for c in value)


def _mean_tempo(tempo: Tempo, beats: int) -> Fraction:
    """Beats a minute; of a changing tempo the mean over the trailer."""
    return 60 * beats / (tempo.grid.seconds_at(Fraction(beats)) - tempo.grid.seconds_at(Fraction(0)))
