"""Sound whose rate changes midway, as a plain decode of it says: FFmpeg's resampler begins anew there, with blocks of
other lengths, so each part is taken by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import accumulate, groupby
from pathlib import Path
from statistics import mean, median_low
from typing import Any, NamedTuple

import av
import av.error
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]  # [shape=(samples, channels)]
_ROUNDED = Fraction(9, 16)  # ticks by which a rounded stamp is off
_FINE = Fraction(1, 8000)  # seconds: such ticks tell one sample from the next


class _Block(NamedTuple):
    rate: int
    samples: NDArray[Any]
    stamp: int | None  # that is stored: of those that share a packet with another one, libraries make them up


class Changing(NamedTuple):
    """Sound at one rate, the samples by which the places of its parts are not known, and its layout."""

    start: Fraction
    sound: Samples
    loose: Fraction
    layout: str


def changing_rate(film: Path, number: int, resampled: Callable[[Samples, int], Samples], rate: int) -> Changing | None:
    """Each part where its stamps say on average. None where no rate changes."""
    with av.open(str(film)) as media:
        stream = media.streams.audio[number]
        blocks, base, layout = list(_blocks(media, stream)), Fraction(stream.time_base or 0), stream.layout.name
    parts = [(own, list(group)) for own, group in groupby(blocks, lambda block: block.rate)]
    if len(parts) < 2:
        return None
    laid = [_laid(group, own, base, resampled, rate) for own, group in parts]
    begin, end = laid[0][0], max(at + len(part) for at, part in laid)
    whole = np.zeros((end - begin, laid[0][1].shape[1]))
    for at, part in reversed(laid):  # where two meet, the first one is heard to its end
        whole[at - begin : at - begin + len(part)] = part
    return Changing(Fraction(begin, rate), whole, _ROUNDED * base * rate if base > _FINE else Fraction(0), layout)


def _blocks(media: Any, stream: Any) -> Iterator[_Block]:
    with suppress(av.error.FFmpegError):  # the end of some
        for packet in media.demux(stream):
            for frame in packet.decode():
                sound = frame.to_ndarray()
                full = -float(np.iinfo(sound.dtype).min) if sound.dtype.kind == "i" else 1.0
                yield _Block(_rate(packet, frame), sound / full, None if packet.pos is None else frame.pts)


def _rate(packet: Any, frame: Any) -> int:
    """Decoders of MPEG audio give the first block of another rate the rate of the one before, but where it is the first
    that they see."""
    name = packet.stream.codec_context.name
    with suppress(av.error.FFmpegError):
        alone = av.CodecContext.create(name, "r").decode(packet) if name.startswith("mp") else []
        return int(next(iter(alone), frame).sample_rate)
    return int(frame.sample_rate)


def _laid(
    blocks: list[_Block], own: int, base: Fraction, resampled: Callable[[Samples, int], Samples], rate: int
) -> tuple[int, Samples]:
    counted = accumulate((block.samples.shape[-1] for block in blocks), initial=0)
    places = [b.stamp * base - Fraction(at, own) for at, b in zip(counted, blocks, strict=False) if b.stamp is not None]
    sound = np.concatenate([block.samples for block in blocks], 1).T.astype(np.float64)
    padded = np.pad(sound, ((0, own - len(sound) % own), (0, 0)))
    place = Fraction(mean(places)) if base > _FINE else median_low(places)
    return round(place * rate), resampled(padded, own)[: len(sound) * rate // own]
