"""Eight streams of a channel each that nobody labelled: four pairs, 5.1 and a pair, or 7.1, as they sound.

In 5.1 and 7.1 the fourth channel holds low effects alone, or nothing where the centre before it speaks; of a pair both
speak. What is a mix of the six before it is a pair beside them; surrounds at the back are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinecut.media.open import open_media, packets_of
from cinecut.media.sound.samples import channels_of, decoded

_PLACES, _SECONDS = 12, 2.0  # of a film that are listened to, and how long at each
_LOW = 200.0  # Hz, above which low effects have next to nothing
_LOW_SHARE = 0.9  # of the power of low effects that is below
_SILENT = 1e-7  # power, -70 dB
_MIXED = 0.5  # share of a channel's power that is a mix of others
_PAIRS, _SURROUND = [("stereo", 2)] * 4, [("5.1", 6), ("stereo", 2)]
_SEVEN = [("FL+FR+FC+LFE+SL+SR+BL+BR", 8)]  # broadcasters' order (SMPTE ST 2067-8); files' own has the back first


def layouts_heard(path: Path, indices: Sequence[int]) -> list[tuple[str, int]]:
    """The layouts of the sounds that eight streams make, and of how many; `indices`: theirs in the file."""
    blocks = [heard for place in range(1, _PLACES + 1) if (heard := _block(path, indices, place)) is not None]
    rate = blocks[0][0] if blocks else 1
    power = sum((np.mean(block**2, 1) for _, block in blocks), np.zeros(8)) / max(len(blocks), 1)
    centre, low = power[2], power[3]
    if centre < _SILENT or (low > _SILENT and _low_share(blocks, 3, rate) < _LOW_SHARE):
        return _PAIRS
    if low > _SILENT and _low_share(blocks, 2, rate) >= _LOW_SHARE:
        return _PAIRS  # so is everything
    if max(power[6:]) < _SILENT or min(_mixed(blocks, 6), _mixed(blocks, 7)) > _MIXED:
        return _SURROUND
    return _SEVEN


Block = tuple[float, NDArray[np.float64]]
"""The rate and the samples [channels, n] of a moment of a film."""


def _block(path: Path, indices: Sequence[int], place: int) -> Block | None:
    with open_media(path) as media:
        streams: list[Any] = [media.streams[index] for index in indices]
        length = max((stream.duration or 0) * float(stream.time_base) for stream in streams)
        begin = max(float((stream.start_time or 0) * stream.time_base) for stream in streams)
        media.seek(int((begin + length * (place - 0.5) / _PLACES) * 1_000_000))
        kept: dict[int, list[NDArray[Any]]] = {index: [] for index in indices}
        wanted = int(_SECONDS * streams[0].rate)
        for packet in packets_of(media, streams):
            for frame in decoded(islice([packet], 1), []):
                kept[packet.stream_index].append(channels_of(frame)[0] / _full_scale(frame.format.name))
            if min(sum(map(len, parts)) for parts in kept.values()) >= wanted:
                break
        size = min(sum(map(len, parts)) for parts in kept.values())
        if not size:
            return None
        return float(streams[0].rate), np.stack([np.concatenate(kept[index])[:size] for index in indices])


def _full_scale(format: str) -> float:
    return {"s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}.get(format.removesuffix("p"), 1.0)


def _low_share(blocks: Sequence[Block], channel: int, rate: float) -> float:
    low = whole = 0.0
    for _, block in blocks:
        spectrum = np.abs(np.fft.rfft(block[channel] * np.hanning(block.shape[1]))) ** 2
        low += float(spectrum[: int(_LOW * block.shape[1] / rate) + 1].sum())
        whole += float(spectrum.sum())
    return low / whole if whole else 0.0


def _mixed(blocks: Sequence[Block], channel: int) -> float:
    """The share of a channel's power that a mix of the first six explains."""
    six = np.concatenate([block[:6] for _, block in blocks], 1)
    own = np.concatenate([block[channel] for _, block in blocks])
    weights = np.linalg.lstsq(six @ six.T + np.eye(6) * 1e-9, six @ own, rcond=None)[0]
    return 1 - float(np.mean((own - weights @ six) ** 2)) / max(float(np.mean(own**2)), 1e-12)
