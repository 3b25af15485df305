"""Sound for comparison: stereo, at a rate that codecs preserve, from a file's first picture on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from cinecut.media.open import open_media, packets_of, sound_streams
from cinecut.media.sound.samples import decoded

RATE = 12_000  # samples a second: what lies above 6 kHz codecs make up
Floats = NDArray[np.float32]

_FULL = 0.985  # of full scale: only what was clipped stays there
_RUN = 3  # samples in a row that do


@dataclass(frozen=True, slots=True, eq=False)
class FileSound:
    """A file's sound [2, samples] at RATE, its codec and channels, how many seconds after the first picture it begins,
    and how many samples are clipped."""

    sound: Floats
    codec: str
    channels: int
    begins: float
    clipped: int


def listen(file: Path) -> FileSound | None:
    """The first sound of a file from its first picture on; None if it has none."""
    with open_media(file) as media:
        stream = next(iter(sound_streams(media)), None)
        if stream is None:
            return None
        start = max((Fraction(v.start_time or 0) * Fraction(v.time_base or 1) for v in media.streams.video), default=0)
        resampler = av.AudioResampler("fltp", "stereo", RATE)
        parts, clipped, place = list[Floats](), 0, None
        codec, channels = str(stream.codec_context.codec.canonical_name), int(stream.codec_context.channels)
        for frame in decoded(packets_of(media, stream), []):
            if place is None:
                stamp = Fraction(frame.pts or 0) * Fraction(frame.time_base or 1)
                place = stamp - start
            clipped += _clipped(frame)
            frame.pts = None
            parts += _floats(resampler.resample(frame))
        parts += _floats(resampler.resample(None)) if place is not None else []
    sound = np.concatenate(parts, 1) if parts else np.zeros((2, 0), np.float32)
    if channels == 1:  # one channel comes 3 dB softer out of both sides
        sound = sound * np.float32(2**0.5)
    shift = round((place or Fraction(0)) * RATE)
    sound = np.pad(sound, ((0, 0), (shift, 0))) if shift > 0 else sound[:, -shift:]
    return FileSound(np.ascontiguousarray(sound, np.float32), codec, channels, float(place or 0), clipped)


def _floats(frames: list[av.AudioFrame]) -> list[Floats]:
    return [np.asarray(frame.to_ndarray(), np.float32) for frame in frames]


def _clipped(frame: av.AudioFrame) -> int:
    """Samples of a frame at full scale, several in a row."""
    scale = {"s16": 32768, "s32": 2**31, "flt": 1, "dbl": 1}.get(frame.format.name.removesuffix("p"))
    if scale is None or (frame.format.is_planar and frame.layout.nb_channels > 8):
        return 0
    full = np.abs(frame.to_ndarray() / scale) >= _FULL
    if not full.any():
        return 0
    channels = full if frame.format.is_planar else full.reshape(-1, frame.layout.nb_channels).T
    rows = channels[:, _RUN - 1 :].copy()
    for step in range(1, _RUN):
        rows &= channels[:, _RUN - 1 - step : channels.shape[1] - step]
    return int(rows.sum())
