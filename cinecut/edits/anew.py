"""Which segments a render would make anew after an edit: those that it had not before."""

from __future__ import annotations

from dataclasses import dataclass

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Report, Stop
from cinecut.graph.digest import digest
from cinecut.render.check import plan_of
from cinecut.render.segments.pictures import run_of, segments_of


@dataclass(frozen=True, slots=True)
class Anew:
    """The segments of a trailer, as frames [start, end) of an output, that are others than before; and of how many."""

    segments: tuple[tuple[str, int, int], ...]
    whole: int

    def __str__(self) -> str:
        if not self.segments:
            return "no picture would be rendered anew"
        places = ", ".join(f"{name + ' ' if name else ''}{start}–{end}" for name, start, end in self.segments[:8])
        more = f" and {len(self.segments) - 8} more" if len(self.segments) > 8 else ""
        return f"{len(self.segments)} of {self.whole} segments would be rendered anew: frames {places}{more}"


def rendered_anew(before: Layout, after: Layout) -> Anew | None:
    """What a render of `after` would make that one of `before` had not made; None where the media are not measured,
    so that nothing can be said."""
    try:
        known = {key for _, _, _, key in _keys(before)}
        new = _keys(after)
    except Stop:
        return None
    return Anew(tuple(each[:3] for each in new if each[3] not in known), len(new))


def _keys(layout: Layout) -> list[tuple[str, int, int, str]]:
    """Each segment with what it is made of: its graph, what that reads of the media, and how it is encoded."""
    plan = plan_of(layout, Report())
    found = []
    for segment in segments_of(plan):
        run = run_of([segment], plan.render.items)
        read = sorted((name, repr(plan.render.items[name])) for name in run.reads if name in plan.render.items)
        encode = [(target.encode, target.suffix) for target in run.targets]
        found.append(
            (segment.output, segment.start, segment.end, repr((digest(list(run.sinks.values())), read, encode)))
        )
    return found
