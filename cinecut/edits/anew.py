"""Which segments must be rendered again after an edit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Report, Stop
from cinecut.render.check import plan_of
from cinecut.render.segments.keys import key_of_run
from cinecut.render.segments.pictures import Segment, run_of, segments_of


@dataclass(frozen=True, slots=True)
class NewSegments:
    """The segments that an edit changed, as frames [start, end) of an output, and the total number of segments."""

    segments: tuple[tuple[str, int, int], ...]
    whole: int

    def __str__(self) -> str:
        if not self.segments:
            return "no picture would be rendered again"
        places = ", ".join(f"{name + ' ' if name else ''}{start}–{end}" for name, start, end in self.segments[:8])
        more = f" and {len(self.segments) - 8} more" if len(self.segments) > 8 else ""
        return f"{len(self.segments)} of {self.whole} segments would be rendered again: frames {places}{more}"


def new_segments(before: Layout, after: Layout) -> NewSegments | None:
    """The segments of `after` that `before` lacks; None if this is unknown because media are not measured."""
    try:
        known, now = {key for _, key in _keyed(before)}, _keyed(after)
    except Stop:
        return None
    new = [segment for segment, key in now if key not in known]
    return NewSegments(tuple((each.output, each.start, each.end) for each in new), len(now))


def _keyed(layout: Layout) -> list[tuple[Segment, str]]:
    """Each segment with a key of everything it is made of, except the contents of the media."""
    plan = plan_of(layout, Report())
    media = defaultdict[str, str](str, {name: repr(item) for name, item in plan.render.items.items()})
    return [(segment, key_of_run(run_of([segment], {}), media)) for segment in segments_of(plan)]
