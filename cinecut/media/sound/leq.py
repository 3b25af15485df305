"""Leq(m), the measure by which cinemas limit the loudness of trailers: ISO 21727, with the weighting of ITU-R BS.468
less 5.6 dB.

The power of all channels is weighted in the spectrum and summed. In the room that the standard assumes, -20 dBFS
plays at 85 dB, so a sine of full scale would be at 105.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # [shape=(samples, channels)], full scale is 1

_LESS = 5.6  # dB between ITU-R BS.468, 0 at 1 kHz, and M, 0 at 2 kHz
_ROOM = 105.0 + 10 * math.log10(2)  # dB of a full-scale sine, from its mean square
_BLOCK = 1 << 15  # samples


def m_weight(frequencies: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The weighting at these frequencies in Hz, in dB."""
    f = np.maximum(frequencies, 1e-3)
    a = -4.737338981378384e-24 * f**6 + 2.043828333606125e-15 * f**4 - 1.363894795463638e-7 * f**2 + 1
    b = 1.306612257412824e-19 * f**5 - 2.118150887518656e-11 * f**3 + 5.559488023498642e-4 * f
    gain = 1.246332637532143e-4 * f / np.sqrt(a**2 + b**2)
    return np.asarray(20 * np.log10(gain) + 18.246265 - _LESS)


def leq_m(blocks: Iterable[Samples], rate: int) -> float | None:
    """Leq(m) of a sound in dB; None where it is silent.

    Windows of a sine's half overlap by half, so that their squares add up to one everywhere: no power is lost.
    """
    window = np.sin(np.pi * (np.arange(_BLOCK) + 0.5) / _BLOCK)[:, None]
    weight = 10 ** (m_weight(np.fft.rfftfreq(_BLOCK, 1 / rate)) / 10)
    weight[1:-1] *= 2  # the other half of the spectrum
    power, samples = 0.0, 0
    half = _BLOCK // 2
    rest: Samples | None = None
    for block in blocks:
        samples += len(block)
        rest = np.concatenate([np.zeros((half, block.shape[1]), np.float32) if rest is None else rest, block])
        while len(rest) >= _BLOCK:
            power += _power(rest[:_BLOCK] * window, weight)
            rest = rest[half:]
    if rest is None or not samples:
        return None
    rest = np.concatenate([rest, np.zeros((2 * _BLOCK, rest.shape[1]), np.float32)])
    while len(rest) >= _BLOCK + half:
        power += _power(rest[:_BLOCK] * window, weight)
        rest = rest[half:]
    return 10 * math.log10(power / samples) + _ROOM if power > 1e-20 else None


def _power(block: NDArray[np.floating[Any]], weight: NDArray[np.float64]) -> float:
    """The weighted sum of squares of a block's samples."""
    spectrum = np.abs(np.fft.rfft(block, axis=0)) ** 2
    return float((spectrum * weight[:, None]).sum() / _BLOCK)
