"""Sounds as arrays: moved, laid over each other, and how loud they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cinecut.proof.verify.sound.listening import RATE, Floats

WINDOW = RATE // 20  # samples in which levels are measured
_CLEARLY = 0.1  # by which a place is more like than another


def rms(sound: NDArray[np.floating]) -> float:
    rows = sound if sound.ndim > 1 else sound[None]
    return float(np.sqrt(sum(float(np.dot(row, row)) for row in rows) / sound.size)) if sound.size else 0.0


def moved(channel: Floats, samples: int) -> Floats:
    """A channel so many samples later, of the same length."""
    if not samples:
        return channel
    rest = np.zeros(min(abs(samples), len(channel)), np.float32)
    return np.concatenate([rest, channel[:-samples]] if samples > 0 else [channel[-samples:], rest])


def fitted(channel: Floats, length: int) -> Floats:
    return np.pad(channel, (0, length - len(channel))) if len(channel) < length else channel[:length]


def lag_between(sound: Floats, wanted: Floats, reach: int) -> tuple[int, float]:
    """Samples by which a sound comes after a wanted one of the same length, and how like they are then."""
    size = 1 << (len(sound) + reach).bit_length()
    product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(wanted, size)), size)
    near = np.concatenate([product[-reach:], product[: reach + 1]])
    norm = np.sqrt(np.square(sound, dtype=np.float64).sum() * np.square(wanted, dtype=np.float64).sum()) + 1e-9
    best = int(near.argmax())
    return best - reach, float(near[best] / norm)


def lag_within(sound: Floats, wanted: Floats, at: int) -> tuple[int, float]:
    """Where in a sound a shorter one is heard: samples after `at`, and their correlation there. A hum is like itself at
    many places: of those that are about as like, it is `at`."""
    size = 1 << (len(sound) + len(wanted)).bit_length()
    product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(wanted, size)), size)
    places = max(1, len(sound) - len(wanted) + 1)
    energy = np.concatenate([[0.0], np.cumsum(np.square(sound, dtype=np.float64))])
    power = energy[len(wanted) : len(wanted) + places] - energy[:places]
    norm = np.sqrt(np.maximum(power, 1e-9) * (np.square(wanted, dtype=np.float64).sum() + 1e-9))
    like = product[:places] / norm
    best = int(like.argmax())
    best = at if at < len(like) and like[at] > like[best] - _CLEARLY else best
    return best - at, float(like[best])


def levels(sound: Floats) -> NDArray[np.float64]:
    """Amplitude in windows of a twentieth of a second."""
    count = sound.shape[1] // WINDOW
    parts = sound[:, : count * WINDOW].reshape(2, count, WINDOW)
    return np.asarray(np.sqrt(np.square(parts, dtype=np.float64).mean((0, 2))))


def stretches(marked: NDArray[np.bool_]) -> Sequence[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
