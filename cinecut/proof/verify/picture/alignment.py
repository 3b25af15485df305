"""The reference frame that each frame of a file shows, whatever the file's rate, size and codec.

    file frame i, shown at t ─ clock ─► base(i), the reference frame of that moment ─ path ─► base(i) + offset(i)

The offset is found by dynamic programming over the whole file: it costs something to change it, so that still pictures
keep it and a shift shows as a stretch.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.proof.verify.picture.strip import Thumbnails

REACH = 4  # frames by which a shift is searched, to either side
_CAP = 20.0  # levels: a picture that differs more is another, however much
_CHANGE = 5.0  # levels that a change of the offset costs
_STILL = 0.02  # levels that a frame of offset costs: of equals the smaller
_PHASES = 8  # of a frame: how finely the clock of another rate is set
_BEHIND, _AHEAD = 1.1, 0.5  # pictures of a file by which a conversion of its rate lags at most, and runs ahead
_LIGHT = 0.02  # of a level of light between pictures that are equal otherwise, as those of a fade over black are
_OTHER_RATE = 0.0005  # 24 and 24000/1001 frames a second differ by twice as much
_ROUNDED = 0.0015  # seconds by which the times of two pictures are rounded together


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """For each frame of a file: `base`, the reference frame at its time; `offset`, by how many frames the shown one is
    later; `shown`, the most similar reference frame there; `distance` [n, 2 * REACH + 1], mean luma levels to the
    frames around `base`."""

    base: NDArray[np.int64]
    offset: NDArray[np.int64]
    shown: NDArray[np.int64]
    distance: NDArray[np.float32]
    same_rate: bool

    def at(self, offset: int) -> NDArray[np.float32]:
        """The distance of each frame at one offset."""
        return self.distance[:, REACH + offset]

    def rows(self, start: int, end: int) -> NDArray[np.int64]:
        """The file's frames that ought to show the reference's frames [start, end)."""
        return np.flatnonzero((self.base >= start) & (self.base < end))


def align(file: Thumbnails, reference: Thumbnails, rate: Fraction) -> Alignment:
    """`rate` is the reference's."""
    small, wanted = _coarse(file.luma), _coarse(reference.luma)
    clock = np.array([float(time * rate) for time in file.times])
    if _same_rate(clock, float(rate)):
        base = np.floor(clock + 0.5).astype(np.int64)
        distance = _distances(small, wanted, base)
        offset = _path(distance)
        return Alignment(base, offset, np.clip(base + offset, 0, len(wanted) - 1), distance, True)
    ratio = (file.frames - 1) and clock[-1] / (file.frames - 1)
    base, distance = _set_clock(small, wanted, clock, ratio)
    offset = _path(distance)
    beside = np.stack([base + offset + step for step in (0, -1, 1)], 1)
    own = _distances(small, wanted, base + offset)[:, [REACH, REACH - 1, REACH + 1]]
    light, lights = (strip.luma.mean((1, 2), np.float32) for strip in (file, reference))
    own += _LIGHT * np.abs(light[:, None] - lights[np.clip(beside, 0, len(wanted) - 1)])
    shown = beside[np.arange(len(base)), own.argmin(1)]
    return Alignment(base, offset, np.clip(shown, 0, len(wanted) - 1), distance, False)


def _same_rate(clock: NDArray[np.float64], rate: float) -> bool:
    """Whether pictures come at the reference's rate; `clock` is when, in its frames. The median over stretches of a
    quarter of the file, so that a lost frame does not count; containers round times to thousandths of a second."""
    step = len(clock) // 4
    if not step:
        return True
    pace = float(np.median(clock[step:] - clock[:-step])) / step
    return abs(pace - 1) <= max(_OTHER_RATE, _ROUNDED * rate / step)


def _coarse(luma: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Half the width and height, one row per picture, without overall light, so that another look does not count."""
    height, width = luma.shape[1] // 2 * 2, luma.shape[2] // 2 * 2
    parts = luma[:, :height, :width].astype(np.int16)
    rows = parts[:, ::2] + parts[:, 1::2]
    small = ((rows[:, :, ::2] + rows[:, :, 1::2] + 2) >> 2).reshape(len(luma), -1)
    return np.asarray(small - small.mean(1).round().astype(np.int16)[:, None], np.int16)


def _distances(small: NDArray[np.int16], wanted: NDArray[np.int16], base: NDArray[np.int64]) -> NDArray[np.float32]:
    """Mean levels between frames and the reference around their base; the cap beyond its ends."""
    distances = np.full((len(small), 2 * REACH + 1), _CAP * 2, np.float32)
    share = 1 / small.shape[1]
    for row, at in enumerate(base):
        for column in range(max(0, REACH - int(at)), min(2 * REACH + 1, len(wanted) + REACH - int(at))):
            distances[row, column] = share * cv2.norm(small[row], wanted[at + column - REACH], cv2.NORM_L1)
    return distances


def _set_clock(
    small: NDArray[np.int16], wanted: NDArray[np.int16], clock: NDArray[np.float64], ratio: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Of another rate: the phase with which its frames were chosen is the one that fits best. A neighbour is as right:
    how a program rounds the times of pictures is its own affair. `ratio`: reference frames for one of the file."""
    first, last = min(0.0, 0.5 - _BEHIND * ratio), max(1.0, 0.5 + _AHEAD * ratio)
    middle = round((first + last) / 2)  # a picture that stays for long may come long after its time
    first, last = max(first, middle + 1.0 - REACH), min(last, middle + REACH - 1.0)
    whole = np.floor(clock).astype(np.int64) + middle
    near = _distances(small, wanted, whole)
    phases = [step / _PHASES for step in range(round(first * _PHASES), round(last * _PHASES) + 1)]
    best: tuple[float, NDArray[np.int64]] | None = None
    for phase in sorted(phases, key=lambda each: abs(each - 0.5)):
        base = np.floor(clock + phase + 1e-6).astype(np.int64)
        cost = float(np.minimum(near[np.arange(len(near)), REACH + base - whole], _CAP).sum())
        if best is None or cost < best[0] - 1e-3:
            best = cost, base
    assert best is not None
    base = best[1]
    distance = _distances(small, wanted, base)
    padded = np.pad(distance, ((0, 0), (1, 1)), constant_values=2 * _CAP)
    return base, np.minimum(np.minimum(padded[:, :-2], padded[:, 2:]), distance)


def _path(distance: NDArray[np.float32]) -> NDArray[np.int64]:
    """The cheapest offsets, including the cost of changes."""
    offsets = np.arange(-REACH, REACH + 1)
    costs = np.minimum(distance, _CAP) + _STILL * np.abs(offsets)
    best, came = costs[0] + _CHANGE * (offsets != 0), np.zeros(distance.shape, np.int64)
    for row in range(1, len(costs)):
        cheapest = int(best.argmin())
        change = best[cheapest] + _CHANGE
        came[row] = np.where(best <= change, np.arange(len(offsets)), cheapest)
        best = np.minimum(best, change) + costs[row]
    at, path = int(best.argmin()), np.zeros(len(costs), np.int64)
    for row in range(len(costs) - 1, -1, -1):
        path[row] = offsets[at]
        at = int(came[row, at])
    return path
