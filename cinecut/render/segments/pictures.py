"""The pictures of a trailer in segments: each is a file of its own, made once and stored.

plan ─ segments_of ─► Segment, … ─ together ─ run_of ─► an FFmpeg run ─► their files in the working folder
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from cinecut.compiler.compile import compile_layout
from cinecut.compiler.picture.assembly import label_of
from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.ffmpeg.run import Finished, Progress, Workplace, run_graph
from cinecut.graph.nodes import Pad, pruned
from cinecut.graph.plan import Input, Run, Target

_SECONDS_OF_A_THREAD, _THREADS = 8, 8  # one thread encodes a segment of so many seconds; more at most so many


class HeadersDifferError(Exception):
    """Segments that cannot be joined into one stream, because their decoder headers differ."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The frames [start, end) of an output: their graph, the files of their texts, and their encoding."""

    output: str
    start: int
    end: int
    pad: Pad
    texts: dict[str, bytes]
    target: Target

    @property
    def frames(self) -> int:
        return self.end - self.start

    @property
    def file(self) -> str:
        """The segment's file in the working folder."""
        return f"{label_of('segment', self.output)}_{self.start}{self.target.suffix}"

    @property
    def place(self) -> tuple[str, int]:
        """Distinguishes it from the plan's other segments."""
        return self.output, self.start


def segments_of(plan: RenderPlan, whole: bool = False) -> list[Segment]:
    """The segments of every output, in order; one per output if they could not be joined, or with `whole`."""
    segments = []
    for target in plan.targets:
        if target.stem is not None:
            continue
        pictures, label = plan.pictures[target.name], label_of("picture", target.name)
        how = target.segment
        for start, end in pictures.segments() if how.joins and not whole else [(0, pictures.frames)]:
            pad, texts = pictures.part(start, end, label)
            threads = min(_THREADS, 1 + int((end - start) / plan.rate) // _SECONDS_OF_A_THREAD)
            encode = how.arguments + (("-threads:v", str(threads)) if how.threaded else ())
            segments.append(Segment(target.name, start, end, pad, texts, Target((label,), encode, target.suffix)))
    return segments


def run_of(segments: Sequence[Segment], items: Mapping[str, Input]) -> Run:
    """The run that makes one segment, or the same segment of several outputs, decoding shared inputs once."""
    labels = [segment.target.maps[0] for segment in segments]
    sinks = dict(zip(labels, pruned([segment.pad for segment in segments]), strict=True))
    return Run(f"{Path(segments[0].file).stem}.graph", sinks, tuple(segment.target for segment in segments), items)


def together(segments: Iterable[Segment]) -> list[list[Segment]]:
    """Segments grouped by run; the longest first, so that the last run is short."""
    ordered = sorted(segments, key=lambda each: (each.start - each.end, each.start))
    return [list(same) for _, same in itertools.groupby(ordered, key=lambda each: (each.start, each.end))]


@dataclass
class Shooting:
    """Makes the segments of a plan. `finished` is called with every complete segment without complaints from FFmpeg,
    which go into `warnings`. `progress` is called with a segment and the number of its frames that are done."""

    plan: RenderPlan
    place: Workplace
    finished: Callable[[Segment], None]
    progress: Callable[[Segment, int], None]
    warnings: list[Diagnostic] = field(default_factory=list)

    def make(self, segments: Sequence[Segment]) -> None:
        """Make a segment, or the same segment of several outputs. Raises Stop if FFmpeg loses frames."""
        frames = segments[0].frames
        done = self._run(segments)
        if done.warnings or done.frames != frames:
            # Pictures were lost that the film's packets promise: once more, holding the ones before them.
            done = self._run([self._holding[segment.place] for segment in segments])
        if done.frames != frames:
            message = f"FFmpeg wrote {done.frames} frames, not the {frames} of this trailer from {segments[0].start} on"
            raise Stop("ffmpeg", message, *done.errors)
        self.warnings += done.warnings
        if not done.warnings:
            for segment in segments:
                self.finished(segment)

    def _run(self, segments: Sequence[Segment]) -> Finished:
        def tell(done: Progress) -> None:
            self.progress(segments[0], min(done.frames, segments[0].frames))

        files = [segment.file for segment in segments]
        return run_graph(run_of(segments, self.plan.render.items), files, self.place, tell)

    @cached_property
    def _holding(self) -> dict[tuple[str, int], Segment]:
        """The segments for films with missing pictures."""
        trailer = self.plan.layout.trailer
        held = {n: replace(each, facts=replace(each.facts, gaps=True)) for n, each in trailer.footage.items()}
        layout = replace(self.plan.layout, trailer=replace(trailer, footage=held))
        return {segment.place: segment for segment in segments_of(compile_layout(layout))}
