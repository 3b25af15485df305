"""A RenderPlan: everything needed to render a trailer, decided without looking at any media."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial

from cinecut.compiler.about import About
from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Timeline
from cinecut.compiler.segments import PictureTrack
from cinecut.compiler.sound.master import Master, hole_of, lower_master
from cinecut.diagnostics import Diagnostic, Span
from cinecut.grade import Grade
from cinecut.graph.plan import Input, Run, Target


@dataclass(frozen=True, slots=True)
class RenderPlan:
    """All runs of a trailer over one working folder. `render` writes the trailer; `mixes` the mix alone, before its
    master, for measuring, and `undipped` the one in which nothing goes down under anything, where stems are wanted of
    it, both by the number of their channels; `stems` what the first mix is made of, a file each, by their names in
    `stem_names`. `pictures` are those of each output that has any, for rendering them by segments, and `about` what its
    file says of itself.

    `files` are generated ones by their names in the working folder, `luts` those that are made of grades; `places`
    lead from a label to the spec; `diagnostics` are what there was to say of the spec.
    """

    layout: Layout = field(repr=False)
    inputs: tuple[Input, ...]
    render: Run
    pictures: Mapping[str, PictureTrack] = field(repr=False, compare=False)  # the same nodes are in `render`
    about: Mapping[str, About]
    mixes: Mapping[int, Run]
    undipped: Mapping[int, Run]
    stems: Run
    stem_names: tuple[str, ...]
    files: Mapping[str, bytes]
    luts: Mapping[str, Grade]
    frames: int
    samples: int
    places: Mapping[str, Span]
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def sound(self) -> Run:
        """The mix of the first file."""
        return next(iter(self.mixes.values()))

    @property
    def timeline(self) -> Timeline:
        return self.layout.timeline

    @property
    def rate(self) -> Fraction:
        return self.timeline.rate

    @property
    def opening(self) -> int:
        """Frames before the timeline's first."""
        return self.frames - self.timeline.frames

    @property
    def targets(self) -> tuple[Target, ...]:
        """The trailer's files."""
        return self.render.targets

    @property
    def suffix(self) -> str:
        """The suffix of the trailer's first file."""
        return self.targets[0].suffix

    def mastered(self, masters: Mapping[str, Master]) -> RenderPlan:
        """The plan with the masters of its outputs, by output name, filled into the holes of its graph."""
        fillings = {
            hole_of(name): partial(lower_master, master=master, samples=self.samples)
            for name, master in masters.items()
        }
        return replace(self, render=self.render.filled(fillings))
