"""The changes to make in a spec: new values of events, the new order, and what is left to do by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from cinecut.compiler.layout.timeline import Placed
from cinecut.edits.changes.words import Said
from cinecut.language.events import Clip, Title

Value = str | Fraction | bool | Clip | tuple[Title, ...] | None
"""What a key becomes; None: it is taken out."""


@dataclass(slots=True)
class Amended:
    """An event of the spec and the new values of its keys, by their paths below the entry."""

    placed: Placed
    values: dict[tuple[str | int, ...], Value] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)  # comments to be put above it
    said: list[Said] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class New:
    """An event that the file adds: a shot of a film, or black without a source. `film`: its name in the spec, if
    any."""

    frames: int
    source: Fraction | None = None  # seconds from the film's first picture
    film: str | None = None
    speed: Fraction = Fraction(1)


@dataclass(slots=True)
class Changes:
    """The new order of the timeline, what was changed in words, and what was not understood."""

    order: list[Amended | New] = field(default_factory=list)
    removed: list[Placed] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)

    @property
    def none(self) -> bool:
        events = [each for each in self.order if isinstance(each, Amended)]
        moved = [each.placed.number for each in events] != sorted(each.placed.number for each in events)
        return not (
            moved or self.removed or len(events) < len(self.order) or any(e.values or e.remarks for e in events)
        )
