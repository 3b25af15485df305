"""Measuring on the trailer's clock: lengths as exact seconds, positions as frames, each rounded by itself."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cinecut.diagnostics import Report, Span
from cinecut.language.grid import Grid, measure
from cinecut.language.timebase import Length, TrailerFrame, nearest

GRID_HINT = "add `music: {beats: {tempo: 120}}`"


@dataclass(frozen=True, slots=True)
class Clockwork:
    """What measuring needs: the trailer's rate and grid, the film's length, and where mistakes go."""

    rate: Fraction
    grid: Grid | None
    film_end: Fraction
    report: Report

    def frame(self, position: Fraction) -> TrailerFrame:
        return TrailerFrame(nearest(position * self.rate))

    def seconds(self, length: Length, at: Fraction, span: Span) -> Fraction:
        """Of a length from a position on. A missing grid is reported at `span`."""
        seconds = measure(length, at, self.rate, self.grid)
        if seconds is None:
            message = "a length in beats needs a beat grid"
            self.report.add("no-grid", message, span, GRID_HINT)
            return Fraction(2)
        return seconds

    def frames(self, length: Length, at: Fraction, span: Span) -> int:
        """The same in frames, at least one."""
        return max(1, nearest(self.seconds(length, at, span) * self.rate))
