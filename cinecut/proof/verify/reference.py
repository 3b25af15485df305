"""What a file should show and sound like: the spec's own pictures, small, and its stems.

Pictures that were rendered before are taken from the store and decoded; for the rest the spec's graph is run at a small
size. Sound is the mix before its master, a part for each stem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinecut.compiler.compile import compile_layout
from cinecut.compiler.deliveries import Delivery
from cinecut.compiler.picture.canvas import Canvas, plain
from cinecut.compiler.picture.color import trailer_color
from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Stop
from cinecut.ffmpeg.run import Workplace, run_graph
from cinecut.graph import filters
from cinecut.graph.nodes import Pad, pruned
from cinecut.graph.plan import Run, Target
from cinecut.media.open import open_media, packets_of, whole_packets
from cinecut.proof.verify.picture.strip import Thumbnails, decoded_pictures, strip_of, thumb_of, thumb_size
from cinecut.proof.verify.picture.texts import Cover
from cinecut.render.folder import Materials, write_texts
from cinecut.render.job import Job
from cinecut.render.master import make_sounds, sounds_of
from cinecut.render.segments.keys import Keys
from cinecut.render.segments.pictures import Segment, run_of, segments_of
from cinecut.render.store import Store, key_of

_SIDE = 360  # pixels of the shorter side with which graphs are run at least, where the output has as many
_RAW = ("-pix_fmt", "yuv420p", "-c:v", "rawvideo", "-f", "rawvideo")


@dataclass(frozen=True)
class Reference:
    """Makes the expected pictures and sounds of a job's first output, in a workplace of its own."""

    job: Job
    place: Workplace
    materials: Materials
    store: Store

    @property
    def output(self) -> Delivery:
        """What the file shall be."""
        return next(iter(self.job.plan.layout.trailer.outputs.values()))

    @property
    def size(self) -> tuple[int, int]:
        """Of the thumbnails."""
        return thumb_size(self.output.size)

    @property
    def matrix(self) -> str | None:
        """By which the trailer is coded, where it is tagged."""
        space = trailer_color(self.job.plan.layout.trailer.film).space
        return space if space != "unknown" else None

    @cached_property
    def _keys(self) -> Keys:
        return Keys(self.materials.keys, self.place.ffmpeg)

    def pictures(self, file: Path, shown: Callable[[], Thumbnails]) -> Thumbnails:
        """A thumbnail of every frame of the trailer. For packets that the file shares with the render, the file's own
        thumbnails are used, which `shown` gives."""
        plan = self.job.plan
        segments = segments_of(plan)
        kept = {s.file for s in segments if self.store.take(self._keys.segment(s), self.place.folder / s.file)}
        parts = [(self.place.folder / s.file, s.frames) for s in segments]
        same = {s.file for s, own in zip(segments, held(file, parts, "video"), strict=True) if own}
        small = {each.place: each for each in segments_of(self._small())} if len(kept) < len(segments) else {}
        made = [small[each.place] for each in segments if each.file not in kept]
        self.materials.bring({name for each in made for name in run_of([each], plan.render.items).reads})

        def planes(segment: Segment) -> bytes:
            if segment.file in same:
                return b""
            return self._decoded(segment) if segment.file in kept else self._run(small[segment.place])

        with ThreadPoolExecutor(2) as pool:
            data = list(pool.map(planes, segments))
        data = [
            shown().planes(s.start, s.end) if s.file in same else each for s, each in zip(segments, data, strict=True)
        ]
        return strip_of(b"".join(data), self.size, tuple(n / plan.rate for n in range(plan.frames)))

    @cached_property
    def kept_sound(self) -> Path | None:
        """The sound as it was rendered, where the store has it."""
        sound = sounds_of(self.job.plan)[0]
        kept = (self.place.folder / "kept").with_suffix(sound.target.suffix)
        return kept if self.store.take(self._keys.sound(sound), kept) else None

    def sound(self) -> Path:
        """The sound as it was rendered, or as it is rendered now, with its master and its encoder."""
        if self.kept_sound is not None:
            return self.kept_sound
        sound = sounds_of(self.job.plan)[0]
        self.materials.bring(sound.run.reads | sound.mix.reads)
        make_sounds(self.job.plan, [sound], self.place, lambda done: None)
        return self.place.folder / sound.file

    def sound_is_kept(self, file: Path) -> bool:
        """Whether a file holds the very sound that was rendered."""
        return self.kept_sound is not None and held(file, [(self.kept_sound, None)], "audio") == [True]

    def _decoded(self, segment: Segment) -> bytes:
        """A segment that was rendered before; its thumbnails are stored too."""
        key, file = key_of(self._keys.segment(segment), self.size), self.place.folder / f"{segment.file}.thumbs"
        if not self.store.take(key, file):
            pictures = decoded_pictures(self.place.folder / segment.file)
            file.write_bytes(b"".join(thumb_of(frame, self.size) for _, frame in pictures))
            self.store.keep(key, file)
        return file.read_bytes()

    def _small(self) -> RenderPlan:
        layout = self.job.plan.layout
        outputs = {name: replace(file, size=_smaller(file.size)) for name, file in layout.trailer.outputs.items()}
        return compile_layout(replace(layout, trailer=replace(layout.trailer, outputs=outputs)))

    def _run(self, segment: Segment) -> bytes:
        """Render a segment's graph at a small size."""
        small = filters.scale(segment.pad, *self.size, "yuv420p", "thumbnails")
        segment = replace(segment, pad=small, target=Target(segment.target.maps, _RAW, ".yuv"))
        write_texts(segment.texts, self.place.folder)
        run_graph(run_of([segment], self.job.plan.render.items), [segment.file], self.place)
        return (self.place.folder / segment.file).read_bytes()

    def covers(self) -> list[Cover]:
        """The trailer's texts alone, over black and over white, for frames that have some."""
        plan, name = self._small(), self.job.plan.targets[0].name
        pictures, trailer = plan.pictures[name], plan.layout.trailer
        width, height = trailer.outputs[name].size
        canvas = Canvas(width, height, plan.rate, "yuv420p", trailer_color(trailer.film))
        sinks, parts = dict[str, Pad](), list[int]()
        for start, end in pictures.segments():
            if any(start <= text.range.start.index < end for text in pictures.texts):
                for color in ("black", "white"):
                    label = f"{color}_{start}"
                    alone = replace(pictures, stretches={start: [plain(color, end - start, canvas, label)]})
                    sinks[label], texts = alone.part(start, end, label)
                    write_texts(texts, self.place.folder)
                parts.append(start)
        if not parts:
            return []
        small = [filters.scale(pad, *self.size, "yuv420p", label) for label, pad in sinks.items()]
        files = {label: f"cover_{label}.yuv" for label in sinks}
        targets = tuple(Target((label,), _RAW, ".yuv") for label in sinks)
        run_graph(
            Run("covers.graph", dict(zip(sinks, pruned(small), strict=True)), targets, {}),
            list(files.values()),
            self.place,
        )
        return [Cover(n, self._luma(files[f"black_{n}"]), self._luma(files[f"white_{n}"])) for n in parts]

    def _luma(self, file: str) -> NDArray[np.uint8]:
        return strip_of((self.place.folder / file).read_bytes(), self.size, ()).luma

    def stems(self) -> dict[str, Path]:
        """The files of the stems, by their names."""
        plan = self.job.plan
        self.materials.bring(plan.stems.reads)
        files = [f"{name}.wav" for name in plan.stem_names]
        run_graph(plan.stems, files, self.place)
        return {name: self.place.folder / file for name, file in zip(plan.stem_names, files, strict=True)}


def _smaller(size: tuple[int, int]) -> tuple[int, int]:
    """A size of the same shape at which graphs run faster; rounding to whole pixels still matters little there."""
    factor = max(1, min(size) // _SIDE)
    return max(2, round(size[0] / factor / 2) * 2), max(2, round(size[1] / factor / 2) * 2)


def held(file: Path, parts: Sequence[tuple[Path, int | None]], kind: str) -> list[bool]:
    """For each part of a stream (`video` or `audio`), a file and its packets, whether the tested file has it at its
    place; None: all packets to the end."""
    with ExitStack() as stack:
        header, packets = _stream(stack, file, kind)
        return [_same(header, packets, part, count, kind) for part, count in parts]


def _same(header: bytes | None, packets: Iterator[bytes], part: Path, count: int | None, kind: str) -> bool:
    with ExitStack() as stack:
        try:
            own, wanted = _stream(stack, part, kind)
        except Stop:
            return False
        known = list(wanted)
        return own == header and list(islice(packets, count)) == known


def _stream(stack: ExitStack, file: Path, kind: str) -> tuple[bytes | None, Iterator[bytes]]:
    """The header of a file's first stream of a kind, and its packets. Raises Stop."""
    media: Any = stack.enter_context(open_media(file))
    streams = getattr(media.streams, kind)
    if not streams:
        return None, iter(())
    packets = whole_packets(packets_of(media, streams[0]))
    return streams[0].codec_context.extradata, (bytes(packet) for packet in packets)
