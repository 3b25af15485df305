"""The store's keys: everything that each part of a trailer is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cinecut.ffmpeg.builds import FFmpeg
from cinecut.graph.nodes import digest
from cinecut.graph.plan import Run
from cinecut.render.master import PlanSound
from cinecut.render.segments.pictures import Segment, run_of
from cinecut.render.store import code, key_of


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a plan's parts; `materials`: the keys of the files that its runs read, by file name."""

    materials: Mapping[str, str]
    ffmpeg: FFmpeg

    def segment(self, segment: Segment) -> str:
        return self.run(run_of([segment], {}))

    def sound(self, sound: PlanSound, *part: str) -> str:
        whole = self.run(sound.mix) if sound.target.stem else ""  # a stem gets the gain of the whole mix
        return self.run(sound.run, sound.target.loudness, whole, *part)

    def run(self, run: Run, *more: object) -> str:
        """The key of a run's file: its content, the FFmpeg and the version of our code."""
        return key_of_run(run, self.materials, self.ffmpeg.identity, code(), *more)


def key_of_run(run: Run, materials: Mapping[str, str], *more: object) -> str:
    """The key of a run's content: its graph, its inputs and its encoding."""
    read = sorted((name, materials[name]) for name in run.reads)
    encode = [(target.encode, target.suffix) for target in run.targets]
    return key_of(digest(list(run.sinks.values())), read, encode, *more)
