"""The events of a trailer as its contact sheet shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.edits.verbs.entries import entries_of
from cinecut.known.record import KnownShot
from cinecut.language.document.layout import Remarks
from cinecut.language.events import Black, Card, Shot, Still, written_length
from cinecut.language.timebase import FilmRange, clock
from cinecut.language.write import length_text, transition_text

_COLORS = 8  # in the page's palette


@dataclass(frozen=True, slots=True, eq=False)
class OtherShot:
    """An alternative of a shot: its number, what it would show, and a still."""

    number: int
    film: FilmRange
    score: float | None
    why: str
    still: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One event. `start` and `end`: trailer seconds of whole frames. `why`: the spec's reason for its choice.
    `heard`: what its sound has of its own, each with the reason. `shot`: the number of the film shot that it shows,
    from 1."""

    placed: Placed
    start: Fraction
    end: Fraction
    why: str = ""
    heard: tuple[str, ...] = ()
    shot: int | None = None
    still: str | None = None
    others: tuple[OtherShot, ...] = ()

    @property
    def number(self) -> int:
        return self.placed.number

    @property
    def seconds(self) -> Fraction:
        return self.end - self.start

    @property
    def film(self) -> FilmRange | None:
        """The range of the film that it shows."""
        return self.placed.film if isinstance(self.placed, PlacedShot) else None

    @property
    def mirrored(self) -> bool:
        return isinstance(self.placed.event, Shot) and self.placed.event.mirror

    @property
    def hit(self) -> Fraction | None:
        """Trailer seconds of its moment of action."""
        event = self.placed.event
        if not isinstance(event, Shot) or event.sync is None or self.film is None:
            return None
        return self.start + (event.sync.at - self.film.start) / event.speed

    @property
    def title(self) -> str:
        """What it is, in two or three words."""
        match self.placed.event:
            case Black():
                return "black"
            case Card():
                return "title card"
            case Still():
                return "still picture"
            case Shot() as shot:
                return shot.beat_type or "shot"

    @property
    def words(self) -> list[str]:
        """The texts that it shows."""
        event = self.placed.event
        return [event.card] if isinstance(event, Card) else [title.text for title in event.titles]

    @property
    def length(self) -> str:
        """The length as written in the spec."""
        length = written_length(self.placed.event)
        return length_text(length) if length is not None else f"{float(self.seconds):.2f} s"

    @property
    def enters(self) -> str:
        return transition_text(self.placed.event.from_)


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


def events_of(layout: Layout, remarks: Remarks, shots: Sequence[KnownShot]) -> Iterator[Event]:
    """The events without their stills. `remarks`: the reasons that analyze wrote beside the values."""
    rate = layout.timeline.rate
    for placed, entry in zip(layout.timeline.events, entries_of(layout), strict=True):
        start, end = (frame.index / rate for frame in (placed.range.start, placed.range.end))
        beside = {path[2]: remark.beside for path, remark in remarks.items() if path[:2] == ("timeline", entry)
                  and len(path) == 3}  # fmt: skip
        why = placed.event.why or beside.get("shot", "").lstrip("# ")
        film, shot = (placed.film if isinstance(placed, PlacedShot) else None), placed.event
        middle = film.start + film.duration / 2 if film is not None else None
        number = next((n for n, each in enumerate(shots, 1)
                       if film is not None and middle is not None and each.range.film == film.film
                       and each.range.start <= middle < each.range.end), None)  # fmt: skip
        others = tuple(_others(shot, film, layout)) if isinstance(shot, Shot) and film is not None else ()
        heard = tuple(_heard(shot, beside)) if isinstance(shot, Shot) else ()
        yield Event(placed, start, end, why, heard, number, None, others)


def _heard(shot: Shot, beside: Mapping[str | int, str]) -> Iterator[str]:
    """How a shot is heard otherwise than with its own sound from its first to its last picture."""
    said = {
        "mute": "muted" if shot.mute else "",
        "sound_in": f"sound from {clock(shot.sound_in.seconds)}" if shot.sound_in is not None else "",
        "sound_lead": f"heard {length_text(shot.sound_lead)} before it is seen" if shot.sound_lead else "",
        "sound_trail": f"heard {length_text(shot.sound_trail)} longer than seen" if shot.sound_trail else "",
    }
    for key, words in said.items():
        if words:
            yield ", ".join(filter(None, (words, beside.get(key, "").lstrip("# "))))


def _others(shot: Shot, film: FilmRange, layout: Layout) -> Iterator[OtherShot]:
    for number, other in enumerate(shot.alternatives, 1):
        name = film.film if other.film is None else layout.trailer.spec.key_of(other.film)
        shown = FilmRange(other.in_, other.in_ + film.duration, name)
        yield OtherShot(number, shown, None if other.score is None else float(other.score), other.why or "")


def acts_of(events: Sequence[Event]) -> Iterator[Act]:
    colors: dict[str, int] = {}
    for name, run in groupby(events, key=lambda event: event.placed.act or "the trailer"):
        yield Act(name, colors.setdefault(name, len(colors)) % _COLORS, tuple(run))
