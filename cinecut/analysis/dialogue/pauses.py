"""Where in a film nobody speaks: the ends of phrases, and the room tone that stands in for a phrase."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from cinecut.analysis.film.loudness import STEP, LoudnessCurve
from cinecut.language.timebase import FilmRange, FilmTime

_NEAR = Fraction(20)  # seconds from a shot, within which the film sounds like it
_CLEAR = Fraction(1, 10)  # seconds that room tone keeps away from speech, at least
_SLACK = (Fraction(15, 100), Fraction(5, 100))  # seconds beside a phrase that is heard whole; less if there is no room
_FARTHER = 1.0  # dB by which a second nearer may be louder
_AUDIBLE = -62.0  # dB: less is silence


@dataclass(frozen=True, slots=True, eq=False)
class Pauses:
    """`speech` has the times with speech, in order, none overlapping another; `levels` are those of the films' sound,
    each of which has its range among `films`."""

    speech: tuple[FilmRange, ...]
    levels: LoudnessCurve
    films: tuple[FilmRange, ...]

    def around(self, time: FilmTime) -> FilmRange | None:
        """The speech at a time; None if nobody speaks then. At its very start and end nobody does yet, or any more."""
        last = bisect_left(self.speech, time, key=lambda stretch: stretch.start) - 1
        return self.speech[last] if last >= 0 and time < self.speech[last].end else None

    def whole(self, shown: FilmRange) -> FilmRange | None:
        """The range that is heard if a phrase in which it begins or ends is heard whole; None if it would reach out of
        its film, or into the next phrase."""
        film = next((each for each in self.films if each.shared(shown)), shown)
        first, last = self.around(shown.start), self.around(shown.end)
        starts = [shown.start] if first is None else [first.start - slack for slack in _SLACK]
        ends = [shown.end] if last is None else [last.end + slack for slack in _SLACK]
        start = next((each for each in starts if each >= film.start and self.around(each) is None), None)
        end = next((each for each in ends if each <= film.end and self.around(each) is None), None)
        return None if start is None or end is None else FilmRange(start, end)

    def tone(self, beside: FilmRange, length: Fraction) -> FilmTime | None:
        """The start of `length` seconds of the film's sound near a range: of those without speech and without silence
        the quietest, if it is not far away. None if there are none."""
        steps, levels = max(1, -int(-length // STEP)), self.levels.levels
        begins = list[int]()
        for pause in self._near(beside):
            first, last = -int(-(pause.start.seconds + _CLEAR) // STEP), int((pause.end.seconds - _CLEAR) // STEP)
            begins += range(max(0, first), min(last, len(levels)) - steps + 1)
        if not begins:
            return None
        windows = np.lib.stride_tricks.sliding_window_view(levels, steps)[begins]
        away = np.abs(np.array(begins) * float(STEP) - float(beside.start.seconds))
        costs = np.where(windows.min(axis=1) >= _AUDIBLE, windows.max(axis=1) + _FARTHER * away, np.inf)
        best = int(np.argmin(np.round(costs, 3)))
        return FilmTime(begins[best] * STEP) if np.isfinite(costs[best]) else None

    def _near(self, beside: FilmRange) -> Iterator[FilmRange]:
        """The pauses near a range, without what of them lies farther away."""
        film = next((each for each in self.films if each.shared(beside)), beside)
        first, last = max(film.start, beside.start - _NEAR), min(film.end, beside.end + _NEAR)
        number = bisect_left(self.speech, first, key=lambda stretch: stretch.end)
        start = first
        for stretch in self.speech[number:]:
            if stretch.start >= last:
                break
            if stretch.start > start:
                yield FilmRange(start, stretch.start)
            start = max(start, stretch.end)
        if last > start:
            yield FilmRange(start, last)


def stretches(spoken: Sequence[FilmRange]) -> list[FilmRange]:
    """The times with speech, in order; lines that overlap are one stretch."""
    merged: list[FilmRange] = []
    for line in sorted(spoken, key=lambda each: each.start):
        if merged and line.start < merged[-1].end:
            merged[-1] = FilmRange(merged[-1].start, max(merged[-1].end, line.end))
        else:
            merged.append(line)
    return merged
