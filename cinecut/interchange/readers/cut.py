"""A cut as a file of an editing program holds it.

Positions are whole frames of the sequence, from 0; sources are seconds by the medium's own timecode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Piece:
    """A picture from one cut to the next, whatever transitions straddle them."""

    start: int
    end: int
    medium: str  # the file's name
    source: Fraction  # at `start`
    speed: Fraction = Fraction(1)
    joint: tuple[int, int] = (0, 0)  # frames of a cross-fade before its start and after it
    fades: tuple[int, int] = (0, 0)  # frames, from black and to it
    gain: float | None = None  # dB of its sound; None: it has none
    over: tuple[int, int] = (0, 0)  # frames by which that comes before it and stays after it

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound, which is in a medium from `source` on."""

    start: int
    end: int
    medium: str
    source: Fraction
    gain: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """A text on the screen."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Marked:
    frame: int
    text: str


@dataclass(slots=True)
class Cut:
    """What was read; `odd` says what could not be understood, and where."""

    rate: Fraction
    pieces: list[Piece] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    marks: list[Marked] = field(default_factory=list)
    sounds: list[Heard] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    unread: list[tuple[int, int]] = field(default_factory=list)  # from and to: pictures of which nothing is known

    def sorted(self) -> Cut:
        """The cut in the order of time, without pictures that lie over others; each of those is reported."""
        self.pieces.sort(key=lambda piece: (piece.start, -piece.end))
        kept: list[Piece] = []
        for piece in self.pieces:
            if kept and piece.start < kept[-1].end:
                self.odd.append(f"{piece.medium} at frame {piece.start} lies over {kept[-1].medium}")
            elif piece.length > 0:
                kept.append(piece)
        self.pieces = [self._with_sound(piece) for piece in kept]
        self.lines.sort(key=lambda line: (line.start, line.text))
        self.marks.sort(key=lambda mark: (mark.frame, mark.text))
        self.sounds.sort(key=lambda sound: (sound.start, sound.medium, sound.source))
        return self

    def _with_sound(self, piece: Piece) -> Piece:
        """With the sound that is heard with it: of the same medium, in the middle of the picture, in step."""
        middle = (piece.start + piece.end) // 2
        for sound in self.sounds:
            if sound.medium == piece.medium and sound.start <= middle < sound.end:
                there = piece.source + (middle - piece.start) * piece.speed / self.rate
                heard = sound.source + (middle - sound.start) * piece.speed / self.rate
                if abs(there - heard) * self.rate <= 2:
                    over = (piece.start - sound.start, sound.end - piece.end)
                    return replace(piece, gain=round(sound.gain, 2), over=over)
        return piece


def step_of(points: Iterable[tuple[Fraction, Fraction]]) -> Fraction | None:
    """The speed of a map from time to source, if it is constant; else None."""
    found = list(points)
    speeds = {(last - first) / (end - start) for (start, first), (end, last) in pairwise(found) if end > start}
    if not speeds:
        return None
    low, high = min(speeds), max(speeds)
    return None if high - low > Fraction(1, 1000) else max(speeds, key=lambda speed: -speed.denominator)
