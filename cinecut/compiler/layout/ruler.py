"""The trailer's sounds are placed on samples: stretches of samples, and lengths of the spec in them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.layout.clockwork import GRID_HINT
from cinecut.compiler.layout.timeline import Placed, Timeline
from cinecut.diagnostics import Report, Span
from cinecut.language.grid import measure
from cinecut.language.timebase import SAMPLE_RATE, Length, TrailerFrame, nearest


def sample_at(frame: TrailerFrame, rate: Fraction) -> int:
    """The first sample of a frame."""
    return nearest(frame.index * SAMPLE_RATE / rate)


@dataclass(frozen=True, slots=True)
class Sounding:
    """Samples [start, end) of the trailer."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Ruler:
    """Lengths of the spec in samples of the trailer."""

    timeline: Timeline
    samples: int
    report: Report

    def start(self, placed: Placed) -> int:
        return sample_at(placed.range.start, self.timeline.rate)

    def span(self, placed: Placed) -> Sounding:
        return Sounding(self.start(placed), sample_at(placed.range.end, self.timeline.rate))

    def count(self, length: Length, at: Fraction) -> int:
        """Samples of a length that starts at a position; 0 if a grid is missing, which `need_grid` reports."""
        sign = -1 if length.amount < 0 else 1
        size = Length(abs(length.amount), length.unit)
        seconds = measure(size, at, self.timeline.rate, self.timeline.grid)
        if seconds is None:
            return 0
        if sign < 0 and self.timeline.grid is not None and size.unit in ("beats", "bars"):
            beats = size.amount * (self.timeline.grid.metre if size.unit == "bars" else 1)
            seconds = at - self.timeline.grid.after(at, -beats)
        return sign * nearest(seconds * SAMPLE_RATE)

    def need_grid(self, length: Length | None, span: Span) -> None:
        if length is not None and length.unit in ("beats", "bars") and self.timeline.grid is None:
            self.report.add("no-grid", "a length in beats needs a beat grid", span, GRID_HINT)


def label_ending(name: str, index: int) -> str:
    """The ending of a sound's label after its event's: `index` counts the sounds of this name."""
    return f"_{name}" + (f"_{index}" if index > 1 else "")
