"""Dissolves between shots that move: by what movement leaves as it is.

A picture's mean, its variance and that of its details stay about the same while a camera or people move. In a dissolve,
with the share a of the second shot, the mean goes evenly from the one shot's to the other's, and a variance as that of
a mix of two pictures: (1 - a)² of the first, a² of the second, and 2 a (1 - a) of what they have in common, which is
about nothing for the details of two shots. (For film without movement, see Alattar, 1993.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gradual.outline import COLUMNS, ROWS, blocks
from cinecut.analysis.film.gradual.unlike import Filled

_LENGTHS = (6, 8, 10, 13, 16, 20, 25, 31, 39, 48, 60)  # pictures inside that are tried at first
_BESIDE, _BESIDE_LEAST = 16, 3  # pictures on both sides that are looked at, and how many there must be
_FLOOR = (2.0, 0.1, 0.1)  # changes that say little: of the mean, in levels; of the variances, as a part of them
_COST_FIRST, _COST_SUSPECT = 0.12, 0.1  # greatest part of the changes that a mix leaves unexplained: where one may be
_COST = 0.06  # and where one is
_SHORTEST = 6  # pictures inside
_KNOWN, _KNOWN_SURE = 3, 0.8  # least pictures known between its ends, and least share of them
_COMMON, _COMMON_DETAILS = 0.65, 0.35  # greatest correlation of the two shots, and of their details
_DIP = 0.8  # greatest detail in the middle, relative to the mean of both ends
_LONG = 24  # pictures: the first and the last of a longer one hardly differ from the shots, and are taken into it
_FINE = 3  # pictures by which the second look moves either edge

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PictureMix:
    """Places or ranks, half-open, of the pictures inside; the part of the changes that is unexplained."""

    start: int
    end: int
    cost: float


def mixes(pictures: Filled, slack: float = 1.0) -> list[PictureMix]:
    """What looks like a dissolve among pictures without hard cuts, in order.

    slack : above 1 if pictures are missing; then what may be one among these is returned too
    """
    curves = _curves(pictures)
    if curves[2].min() > _DIP * curves[2].max():  # nothing loses its details
        return []
    mixes: list[PictureMix] = []
    first = [mix for length in _LENGTHS for mix in _fitting(curves, length, _starts(pictures, length, slack))]
    for mix in sorted(first, key=lambda mix: mix.cost):
        if any(mix.end > other.start and mix.start < other.end for other in mixes):
            continue
        best = _refined(curves, mix)
        most = _COST if slack <= 1 or pictures.all_known(best.start, best.end) else _COST_SUSPECT
        if best.cost <= most and best.start in _starts(pictures, best.end - best.start, slack):
            mixes.append(best)
    return sorted((_ranked(mix, int(pictures.ranks[0])) for mix in mixes), key=lambda mix: mix.start)


def _starts(pictures: Filled, length: int, slack: float) -> Places:
    """Where a dissolve of a length can begin."""
    starts = np.arange(_BESIDE_LEAST, len(pictures.ranks) - length - _BESIDE_LEAST + 1)
    return starts[pictures.may_hold(starts, length, _KNOWN if slack > 1 else _KNOWN_SURE * length)]


def _ranked(mix: PictureMix, first: int) -> PictureMix:
    """A mix by ranks instead of places."""
    more = int(mix.end - mix.start >= _LONG)
    return PictureMix(first + mix.start - more, first + mix.end + more, mix.cost)


def _curves(pictures: Filled) -> Floats:
    """[3 x n] mean, variance, and variance of the details of pictures: the mean square of the steps between points. The
    missing ones are taken to lie evenly between their neighbours."""
    known = np.flatnonzero(np.diff(pictures.known))
    curves = np.empty((3, len(known)))
    for block in blocks(len(known)):
        points = pictures.luma[known[block]].reshape(-1, ROWS, COLUMNS).astype(np.float32)
        across, down = np.diff(points, axis=2), np.diff(points, axis=1)
        curves[0, block], curves[1, block] = points.mean((1, 2)), points.var((1, 2))
        curves[2, block] = (across**2).mean((1, 2)) + (down**2).mean((1, 2))
    return np.stack([np.interp(np.arange(len(pictures.ranks)), known, curve) for curve in curves])


@cache
def _courses(length: int) -> list[tuple[Floats, Floats]]:
    """What a mean and a variance are made of in a mix of a length, and beside it [2 or 3 x pictures], each with its
    pseudo-inverse."""
    share = np.clip((np.arange(-_BESIDE, length + _BESIDE) + 1) / (length + 1), 0, 1)
    courses = np.stack([1 - share, share]), np.stack([(1 - share) ** 2, share**2, 2 * share * (1 - share)])
    return [(course, np.asarray(np.linalg.pinv(course), np.float64)) for course in courses]


def _fitting(curves: Floats, length: int, starts: Places) -> list[PictureMix]:
    """The mixes of a length that explain the curves well."""
    starts = starts[(starts >= _BESIDE_LEAST) & (starts <= curves.shape[1] - length - _BESIDE_LEAST)]
    if not len(starts):
        return []
    around = starts[:, None] + np.arange(-_BESIDE, length + _BESIDE)
    windows = curves[:, np.clip(around, 0, curves.shape[1] - 1)]  # [3 x starts x pictures]
    cost = np.zeros(len(starts))
    common = []
    linear, square = _courses(length)
    for window, (shapes, inverse), floor in zip(windows, (linear, square, square), _FLOOR, strict=True):
        parts = window @ inverse
        left = ((window - parts @ shapes) ** 2).mean(1)
        scale = floor if len(shapes) == 2 else floor * window.mean(1) + 1
        cost += left / (window.var(1) + scale**2) / len(curves)
        if len(shapes) == 3:
            ends = np.sqrt(np.maximum(1e-6, parts[:, 0] * parts[:, 1]))
            common.append(parts[:, 2] / ends)
            middle = parts.sum(1) / 2 + parts[:, 2] / 2
            dip = middle / 2 / np.maximum(1e-6, (parts[:, 0] + parts[:, 1]) / 2)
    good = (cost <= _COST_FIRST) & (common[0] <= _COMMON) & (np.abs(common[1]) <= _COMMON_DETAILS) & (dip <= _DIP)
    return [
        PictureMix(start, start + length, left)
        for start, left in zip(starts[good].tolist(), cost[good].tolist(), strict=True)
    ]


def _refined(curves: Floats, first: PictureMix) -> PictureMix:
    """The mix near one of the first look that explains the curves best."""
    best = first
    reach = max(_FINE, (first.end - first.start) // 4)
    for length in range(max(_SHORTEST, first.end - first.start - reach), first.end - first.start + reach + 1):
        near = np.arange(first.start - reach, first.start + reach + 1)
        best = min([best, *_fitting(curves, length, near)], key=lambda mix: mix.cost)
    return best
