"""The trailer's one beat grid: where its beats and bars fall, in exact seconds of the trailer.

Beats are counted from the exact position and rounded to a frame once, by whoever places something on them.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cinecut.spec import Music
from cinecut.timebase import Length, nearest

Line = Literal["beat", "bar"]


@dataclass(frozen=True, slots=True)
class Grid:
    """Beat 0 is a downbeat. Between listed beats, and before and after them, the tempo is that of the nearest two.

    >>> grid = Grid(metre=4, first=Fraction(1, 2), period=Fraction(1, 2))
    >>> grid.seconds_at(Fraction(4)), grid.beat_at(Fraction(2)), grid.nearest_line(Fraction(9, 5), "bar")
    (Fraction(5, 2), Fraction(3, 1), Fraction(5, 2))
    """

    metre: int
    first: Fraction = Fraction(0)  # trailer seconds of beat 0; may be negative where the song starts inside
    period: Fraction = Fraction(0)  # seconds of one beat; 0 where `times` hold
    times: tuple[Fraction, ...] = ()  # trailer seconds of every beat of a changing tempo

    def seconds_at(self, beat: Fraction) -> Fraction:
        """Trailer seconds of a beat; fractions of a beat are shares of its length."""
        if not self.times:
            return self.first + beat * self.period
        index = min(max(math.floor(beat), 0), len(self.times) - 2)
        left, right = self.times[index], self.times[index + 1]
        return left + (beat - index) * (right - left)

    def beat_at(self, seconds: Fraction) -> Fraction:
        """The beat, with its fraction, that runs at a trailer position."""
        if not self.times:
            return (seconds - self.first) / self.period
        index = min(max(bisect_right(self.times, seconds) - 1, 0), len(self.times) - 2)
        left, right = self.times[index], self.times[index + 1]
        return index + (seconds - left) / (right - left)

    def after(self, seconds: Fraction, beats: Fraction) -> Fraction:
        """The position so many beats after another."""
        return self.seconds_at(self.beat_at(seconds) + beats)

    def nearest_line(self, seconds: Fraction, line: Line) -> Fraction:
        """The beat or bar line nearest to a position."""
        step = self.metre if line == "bar" else 1
        return self.seconds_at(Fraction(nearest(self.beat_at(seconds) / step) * step))

    def next_line(self, seconds: Fraction, line: Line) -> Fraction:
        """The first beat or bar line after a position."""
        step = self.metre if line == "bar" else 1
        return self.seconds_at(Fraction((math.floor(self.beat_at(seconds) / step) + 1) * step))


def grid_of(music: Music | None) -> Grid | None:
    """The grid of a spec's music on the trailer's clock, or None where there are no beats."""
    beats = music.beats if music else None
    if music is None or beats is None:
        return None
    start = music.start.seconds
    if beats.times:
        return Grid(beats.metre, times=tuple(time - start for time in beats.times))
    if beats.tempo is None:
        return None
    return Grid(beats.metre, beats.first.seconds - start, Fraction(60) / beats.tempo)


def measure(length: Length, at: Fraction, rate: Fraction, grid: Grid | None) -> Fraction | None:
    """Exact seconds that a length takes from a trailer position on; None where it counts beats and there is no grid."""
    match length.unit:
        case "s":
            return length.amount
        case "f":
            return length.amount / rate
        case unit if grid is not None:
            beats = length.amount * (grid.metre if unit == "bars" else 1)
            return grid.after(at, beats) - at
        case _:
            return None
