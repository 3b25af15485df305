"""The words for a change of a trailer: between two specs, by an edit, or in a timeline that is imported.

>>> second = FilmTime(Fraction(20)), FilmTime(Fraction(21)), 24, Fraction(1)
>>> later = FilmTime(Fraction(22)), FilmTime(Fraction(23)), 24, Fraction(1)
>>> [said.text for said in retimed(Times(*second), Times(*later))]
['slipped, in 0:20.000 → 0:22.000']
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cinecut.diagnostics import Span
from cinecut.language.timebase import FilmTime, clock

Kind = Literal[
    "trimmed", "lengthened", "slipped", "retimed", "moved", "removed", "added", "retitled", "changed", "noted"
]


@dataclass(frozen=True, slots=True)
class Said:
    """One change of an event or another part: its kind, its words without the part's name, the changed key's path, and
    its place in the newer spec (None: it is not there)."""

    kind: Kind
    text: str
    key: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """What a shot shows: its range in the film, its frames in the trailer, and its speed."""

    start: FilmTime
    end: FilmTime
    frames: int
    speed: Fraction


def retimed(was: Times, now: Times) -> list[Said]:
    """A shot with new times: trimmed, lengthened, slipped, or at another speed."""
    changes = []
    if was.speed != now.speed:
        changes.append(Said("retimed", f"speed {figure(was.speed)} → {figure(now.speed)}"))
    point = f"in {clock(was.start.seconds)} → {clock(now.start.seconds)}"
    if was.frames != now.frames:
        at_its_head = f"{point}, " if was.start != now.start else ""
        kind, verb = _longer(was.frames, now.frames)
        changes.append(Said(kind, f"{verb}, {at_its_head}{was.frames} → {now.frames} frames"))
    elif was.start != now.start:
        changes.append(Said("slipped", f"slipped, {point}"))
    return changes


def relengthened(was: int, now: int) -> Said:
    """An event without film whose length changed, in frames."""
    kind, verb = _longer(was, now)
    return Said(kind, f"{verb}, {was} → {now} frames")


def _longer(was: int, now: int) -> tuple[Kind, str]:
    return ("trimmed", "trimmed") if now < was else ("lengthened", "longer")


def joined(kind: str, was: int, now: int) -> Said:
    """A transition of the same kind with a new length in frames; 0 means none."""
    return Said("changed", f"{kind} of {was} → {now} frames")


def turned(what: str, was: str, now: str, unit: str = "") -> Said:
    """A changed value, before and after."""
    return Said("changed", f"{what} {was} → {now} {unit}".strip(), what)


def silenced(mute: bool) -> Said:
    return Said("changed", "muted" if mute else "with its sound", "mute")


def reworded(was: str, now: str) -> Said:
    """A title or a card with a new text."""
    return Said("retitled", f"{was!r} → {now!r}")


def title_gone(text: str) -> Said:
    return Said("retitled", f"the title {text!r} is gone")


def title_new(text: str) -> Said:
    return Said("retitled", f"the title {text!r} is new")


def title_moved(text: str, start: int, end: int) -> Said:
    """A title with new times, in frames from the start of its event."""
    return Said("retitled", f"the title {text!r} from frame {start} to {end}")


def gone(name: str) -> str:
    return f"{name} is gone"


def new(what: str) -> str:
    return f"{what} is new"


def of(name: str, said: list[Said]) -> str:
    """All changes of one event on one line."""
    return f"{name}: {', '.join(each.text for each in said)}"


def figure(number: Fraction) -> str:
    """A number as people read it, with at most six digits."""
    return f"{float(number):g}"
