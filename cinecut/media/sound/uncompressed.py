"""Songs stored without compression. What an encoder put before a song, Matroska says in a way that not every FFmpeg
understands: that of 2022 plays AAC, MP3, MP2 and AC-3 from there up to 30 ms late, and of FLAC with 32 bits nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import av

from cinecut.media.sound.samples import song_frames


def write_uncompressed(song: Path, target: Path) -> None:
    """Write a song's samples, as they are measured, as a WAV file. Raises Stop."""
    with av.open(f"file:{target.absolute()}", "w", format="wav", options={"rf64": "auto", "fflags": "bitexact"}) as out:
        stream: Any = None
        for part in _of_one_shape(song_frames(song, [])):  # its damage was said when it was measured
            if stream is None:
                stream = out.add_stream("pcm_f32le", rate=part.sample_rate)
                stream.layout = part.layout
            part.pts = None
            out.mux(stream.encode(part))


def _of_one_shape(frames: Iterable[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """The same sound in the rate and the layout of its beginning."""
    wanted: tuple[Any, Any] | None = None
    for shape, alike in groupby(frames, lambda each: (each.layout.name, each.sample_rate, each.format.name)):
        wanted = wanted or shape[:2]
        resampler = av.AudioResampler("flt", *wanted)
        for frame in chain(alike, [None]):
            if frame is not None:
                frame.pts = None
            yield from resampler.resample(frame)
