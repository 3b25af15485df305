"""A finding about a file: what differs from the spec, and its place in the trailer and in the spec."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.layout.timeline import Kind, Placed, Timeline
from cinecut.diagnostics import Diagnostic, Span
from cinecut.language.timebase import clock


@dataclass(frozen=True, slots=True)
class Finding:
    """`start` and `end`: frames of the trailer in the spec. `event`: the event's name, or empty. `frame`: the file's
    frame to look at, None if there is nothing to see."""

    code: str
    message: str
    start: int
    end: int
    event: str = ""
    span: Span | None = None
    hints: tuple[str, ...] = ()
    frame: int | None = None
    events: tuple[str, ...] = ()  # the names of all events that it is about

    def diagnostic(self, rate: Fraction) -> Diagnostic:
        where = f"{clock(self.start / rate, 3)}" + (f", {self.event}" if self.event else "")
        return Diagnostic(self.code, f"{where}: {self.message}", self.span, self.hints)

    def as_json(self, rate: Fraction) -> dict[str, object]:
        at = {"start": self.start, "end": self.end, "at": clock(self.start / rate, 3), "event": self.event or None}
        return {**self.diagnostic(rate).as_json(), "trailer": at}


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a trailer by frame, including a rating card before them."""

    timeline: Timeline
    opening: int

    def ranges(self) -> list[tuple[int, int, Placed]]:
        """Frames [start, end) of each event, and the event."""
        return [(e.range.start.index + self.opening, e.range.end.index + self.opening, e) for e in self.timeline.events]

    def joints(self) -> list[tuple[int, int, Placed, Kind]]:
        """Frames [start, end) of each transition, the event that it leads into or out of, and its kind."""
        joints = list[tuple[int, int, Placed, Kind]]()
        for start, end, placed in self.ranges():
            head, tail = placed.head, placed.tail
            if head.kind != "cut":
                joints.append((start - head.before, start + head.after, placed, head.kind))
            if tail.kind == "fade out":
                joints.append((end - tail.before, end + tail.after, placed, tail.kind))
        return joints

    def at(self, frame: int) -> Placed | None:
        """The event at a frame."""
        return next((placed for start, end, placed in self.ranges() if start <= frame < end), None)

    def finding(
        self, code: str, message: str, frames: tuple[int, int], *hints: str, frame: int | None = None
    ) -> Finding:
        """A finding at frames of the trailer, with the event there."""
        placed = self.at(frames[0])
        name, span = (placed.name, placed.event.place.span) if placed is not None else ("", None)
        about = tuple(event.name for start, end, event in self.ranges() if start < frames[1] and frames[0] < end)
        return Finding(code, message, *frames, name, span, hints, frame, about)


def frames_text(count: int) -> str:
    return "one frame" if abs(count) == 1 else f"{abs(count)} frames"
