"""What a file shall show and sound like: the spec's own pictures, small, and its stems.

Pictures that were rendered before are taken from the store and decoded; for the rest the spec's graph is run at a small
size. Sound is the mix before its master, a part for each stem.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.compiler.compile import compile_layout
from cinecut.compiler.picture.canvas import Canvas
from cinecut.compiler.picture.color import trailer_color
from cinecut.compiler.picture.plain import plain
from cinecut.compiler.plan import RenderPlan
from cinecut.ffmpeg.run import Workplace, run_graph
from cinecut.graph import filters
from cinecut.graph.nodes import Pad, pruned
from cinecut.graph.plan import Run, Target
from cinecut.proof.verify.strip import Strip, decoded_pictures, strip_of, thumb_of, thumb_size
from cinecut.proof.verify.texts import Cover
from cinecut.render.folder import Materials, write_texts
from cinecut.render.job import Job
from cinecut.render.segments.keys import Keys
from cinecut.render.segments.pictures import Segment, run_of, segments_of
from cinecut.render.segments.store import Store

_FINER = 2  # times a thumbnail's size at which graphs are run: what they round to whole pixels then matters less


@dataclass(frozen=True)
class Reference:
    """Makes what a job's first output shall be, in a workplace of its own."""

    job: Job
    place: Workplace
    materials: Materials
    store: Store

    @property
    def size(self) -> tuple[int, int]:
        """Of the thumbnails."""
        return thumb_size(next(iter(self.job.plan.layout.trailer.outputs.values())).size)

    def pictures(self) -> Strip:
        """A thumbnail of every frame of the trailer."""
        plan = self.job.plan
        segments = segments_of(plan)
        keys = Keys(self.materials.keys, self.place.ffmpeg)
        kept = {s.file: self.store.take(keys.segment(s), self.place.folder / s.file) for s in segments}
        small = {each.place: each for each in segments_of(self._small())} if not all(kept.values()) else {}
        made = [small[each.place] for each in segments if not kept[each.file]]
        self.materials.bring({name for each in made for name in run_of([each], plan.render.items).reads})

        def planes(segment: Segment) -> bytes:
            return self._decoded(segment) if kept[segment.file] else self._run(small[segment.place])

        with ThreadPoolExecutor(2) as pool:
            data = b"".join(pool.map(planes, segments))
        return strip_of(data, self.size, tuple(n / plan.rate for n in range(plan.frames)))

    def _decoded(self, segment: Segment) -> bytes:
        """A segment that was rendered before."""
        return b"".join(thumb_of(frame, self.size) for _, frame in decoded_pictures(self.place.folder / segment.file))

    def _small(self) -> RenderPlan:
        layout = self.job.plan.layout
        width, height = (_FINER * side for side in self.size)
        outputs = {name: replace(file, size=(width, height)) for name, file in layout.trailer.outputs.items()}
        return compile_layout(replace(layout, trailer=replace(layout.trailer, outputs=outputs)))

    def _run(self, segment: Segment) -> bytes:
        """A segment by its graph, at a small size."""
        raw = Target(segment.target.maps, ("-pix_fmt", "yuv420p", "-c:v", "rawvideo", "-f", "rawvideo"), ".yuv")
        segment = replace(segment, target=raw)
        write_texts(segment.texts, self.place.folder)
        run_graph(run_of([segment], self.job.plan.render.items), [segment.file], self.place)
        return _halved(np.fromfile(self.place.folder / segment.file, np.uint8), self.size)

    def covers(self) -> list[Cover]:
        """The texts of the trailer alone, over black and over white, wherever there are some."""
        small, name = self._small(), self.job.plan.targets[0].name
        pictures, trailer = small.pictures[name], small.layout.trailer
        width, height = trailer.outputs[name].size
        canvas = Canvas(width, height, small.rate, "yuv420p", trailer_color(trailer.film))
        sinks, parts = dict[str, Pad](), list[tuple[int, str]]()
        for start, end in pictures.segments():
            if any(start <= text.range.start.index < end for text in pictures.texts):
                for color in ("black", "white"):
                    label = f"{color}_{start}"
                    alone = replace(pictures, stretches={start: [plain(color, end - start, canvas, label)]})
                    sinks[label], texts = alone.part(start, end, label)
                    write_texts(texts, self.place.folder)
                parts.append((start, f"{start}"))
        if not parts:
            return []
        gray = ("-pix_fmt", "gray", "-c:v", "rawvideo", "-f", "rawvideo")
        pads = dict(zip(sinks, pruned([filters.scale(pad, width, height, "gray", name, in_range="tv", out_range="tv")
                                       for name, pad in sinks.items()]), strict=True))  # fmt: skip
        files = {label: f"cover_{label}.gray" for label in sinks}
        targets = tuple(Target((label,), gray, ".gray") for label in sinks)
        run_graph(Run("covers.graph", pads, targets, {}), list(files.values()), self.place)
        return [
            Cover(start, *(self._cover(files[f"{color}_{at}"]) for color in ("black", "white"))) for start, at in parts
        ]

    def _cover(self, file: str) -> NDArray[np.uint8]:
        width, height = self.size
        data = np.fromfile(self.place.folder / file, np.uint8).reshape(-1, _FINER * _FINER * width * height)
        return _mean(data, height, width).reshape(-1, height, width)

    def stems(self) -> dict[str, Path]:
        """The files of the stems, by their names."""
        plan = self.job.plan
        self.materials.bring(plan.stems.reads)
        files = [f"{name}.wav" for name in plan.stem_names]
        run_graph(plan.stems, files, self.place)
        return {name: self.place.folder / file for name, file in zip(plan.stem_names, files, strict=True)}


def _halved(data: NDArray[np.uint8], size: tuple[int, int]) -> bytes:
    """Pictures of `_FINER` times a size (yuv420p), brought to it by the mean of their pixels."""
    width, height = size
    planes = data.reshape(-1, _FINER * _FINER * width * height * 3 // 2)
    luma = _mean(planes[:, : _FINER * _FINER * width * height], height, width)
    chroma = _mean(planes[:, _FINER * _FINER * width * height :], height, width // 2)  # both planes, one over the other
    return np.concatenate([luma, chroma], 1).tobytes()


def _mean(planes: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    parts = planes.reshape(len(planes), height, _FINER, width, _FINER)
    return parts.mean((2, 4), dtype=np.float32).round().astype(np.uint8).reshape(len(planes), -1)
