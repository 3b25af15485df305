"""Measuring on the trailer's clock: lengths as exact seconds, positions as frames, each rounded from its exact
value."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.resolve import Trailer
from cinecut.diagnostics import Report, Span
from cinecut.language.grid import Grid, measure
from cinecut.language.timebase import FilmRange, Length, TrailerFrame, nearest

GRID_HINT = "add `music: {beats: {tempo: 120}}`"


@dataclass(frozen=True, slots=True)
class Clockwork:
    """What measuring needs: the trailer's rate and grid, the films' lengths, and the report for mistakes."""

    trailer: Trailer
    report: Report

    @property
    def rate(self) -> Fraction:
        return self.trailer.rate

    @property
    def grid(self) -> Grid | None:
        return self.trailer.grid

    def film_end(self, film: FilmRange) -> Fraction:
        """The length of the film that this range is from."""
        return self.trailer.footage[film.film].facts.duration

    def frame(self, position: Fraction) -> TrailerFrame:
        return TrailerFrame(nearest(position * self.rate))

    def seconds(self, length: Length, at: Fraction, span: Span) -> Fraction:
        """The seconds of a length that starts at a position. A missing grid is reported at `span`."""
        seconds = measure(length, at, self.rate, self.grid)
        if seconds is None:
            message = "a length in beats needs a beat grid"
            self.report.add("no-grid", message, span, GRID_HINT)
            return Fraction(2)
        return seconds

    def frames(self, length: Length, at: Fraction, span: Span) -> int:
        """The same in frames, at least one."""
        return max(1, nearest(self.seconds(length, at, span) * self.rate))
