"""Trailer → Layout: the place of everything on the trailer's clock, in frames and samples. Checking and explaining need
no more; the graph comes later."""

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
    """Mistakes go into the report; only a layout without mistakes can be compiled."""
    timeline = build_timeline(trailer, report)
    return Layout(trailer, timeline, place_sounds(trailer, timeline, report))
