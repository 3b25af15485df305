"""Whether the two sides of a file's sound are those of the mix: as loud, apart, in their places, upright."""

from __future__ import annotations

import numpy as np

from cinecut.proof.verify.sound.listening import RATE, Floats
from cinecut.proof.verify.sound.signals import WINDOW, lag_between, rms

_REACH = 2 * RATE  # samples by which all of the sound may be late
_SURE = 0.5  # correlation of what is the same
_CROSSED = 0.02  # by which sides are more like each other's than like their own, to be exchanged
_ASIDE = 3.0  # dB between the sides, other than the spec's
_MONO, _WIDE = 0.15, 0.03  # of the mix's difference between the sides, and that difference where there is one

FOLDED = 3.01  # dB by which one channel that programs make of two in floats is louder than their mean


def exchanged(heard: Floats, mix: Floats) -> str:
    """In words, whether the sides [2, samples] are each other's, or one is turned over; empty: neither."""
    if rms(mix[0] - mix[1]) < _WIDE * rms(mix):
        return ""
    own = [_alike(heard[side], mix[side]) for side in (0, 1)]
    if min(own) > _SURE and max(_alike(heard[1 - side], mix[side]) for side in (0, 1)) < min(own) + _CROSSED:
        return ""
    (left, first), (right, second) = (_either_way(heard[side], mix[side]) for side in (0, 1))
    if min(abs(first), abs(second)) > _SURE and first * second < 0 and abs(left - right) < WINDOW:
        side = "left" if first < 0 else "right"
        return f"the {side} side is turned over (its polarity): what is in the middle goes out"
    (left, third), (right, fourth) = (_either_way(heard[1 - side], mix[side]) for side in (0, 1))
    if min(third, fourth) > max(_SURE, _CROSSED + max(first, second)) and abs(left - right) < WINDOW:
        return "left and right are exchanged"
    return ""


def uneven(mix: Floats, heard: Floats) -> str:
    """In words, whether one side is softer than the mix has it, or both are the same; empty: neither."""
    wanted, own = (np.sqrt(np.square(s, dtype=np.float64).mean(1)) + 1e-9 for s in (mix, heard))
    other = 20 * np.log10((own[0] / own[1]) / (wanted[0] / wanted[1]))
    if abs(other) > _ASIDE:
        return f"the {'right' if other > 0 else 'left'} side is {abs(other):.0f} dB too soft"
    widths = [float(rms(s[0] - s[1]) / (rms(s.mean(0)) + 1e-9)) for s in (mix, heard)]
    if widths[0] > _WIDE and widths[1] < _MONO * widths[0]:
        return "both sides are the same: this is mono, and the mix is not"
    return ""


def _either_way(sound: Floats, wanted: Floats) -> tuple[int, float]:
    """How late a sound is, upright or turned over, and their correlation: below 0 where it is turned over."""
    upright, turned = lag_between(sound, wanted, _REACH), lag_between(-sound, wanted, _REACH)
    return upright if upright[1] >= turned[1] else (turned[0], -turned[1])


def _alike(sound: Floats, wanted: Floats) -> float:
    """Correlation of two sounds as they lie."""
    return float(sound @ wanted / (np.linalg.norm(sound) * np.linalg.norm(wanted) + 1e-9))


def mixed_down(mix: Floats) -> tuple[float, float]:
    """LU by which a mix is louder (below 0: softer) as one channel: the mean of both sides, or `FOLDED` more."""
    sides = float(np.square(mix, dtype=np.float64).sum())
    lost = 10 * float(np.log10(max(1e-9, rms(mix.mean(0)) ** 2 * mix.shape[1]) / max(1e-9, sides)))
    return lost, lost + FOLDED
