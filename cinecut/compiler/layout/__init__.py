"""Trailer → Layout: where everything falls on the trailer's clock, in frames and in samples. No graph yet: this is as
far as checking and explaining go."""

from __future__ import annotations

from dataclasses import dataclass

from cinecut.compiler.layout.soundtrack import Soundtrack, place_sounds
from cinecut.compiler.layout.timeline import Timeline, build_timeline
from cinecut.compiler.resolve import Trailer
from cinecut.diagnostics import Report


@dataclass(frozen=True, slots=True)
class Layout:
    """A trailer with the places of its events and of its sounds."""

    trailer: Trailer
    timeline: Timeline
    track: Soundtrack


def lay_out(trailer: Trailer, report: Report) -> Layout:
    """Mistakes go into the report; a layout can only be compiled where there are none."""
    timeline = build_timeline(trailer, report)
    return Layout(trailer, timeline, place_sounds(trailer, timeline, report))
