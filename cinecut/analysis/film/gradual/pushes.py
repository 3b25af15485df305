"""Pushes: one shot slides out of the picture and the next one slides in behind it.

Each picture inside is a part of the one before and a part of the one after, side by side, and the seam between them
goes from one side to the other. So it does in a pan of just the picture's width; but there the two meet without a step,
and what is before and after mostly moves as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gradual.outline import COLUMNS, ROWS, blocks
from cinecut.analysis.film.gradual.unlike import Filled

_LENGTHS = (8, 12, 18, 27, 40, 58)  # pictures that are tried
_KNOWN, _KNOWN_SURE = 3, 0.8  # least pictures known inside, and least share of them
_FIRST = 0.45  # greatest error of the middle picture's profile, relative to that without a slide
_FIRST_LEAST = 4.0  # levels that the latter has at least
_ERROR = 0.3  # greatest mean difference from what the seam predicts, relative to that of the two shots
_BETTER = 0.5  # and relative to that without a slide
_LEAP = 2.0  # greatest step of the seam, times the usual one
_SEAM = 2.0  # least step at the seam, times that between the shots' own neighbouring lines
_NOISE = 2.0  # levels
_SHORTEST = 4  # pictures
_CALM = 3  # pictures before and after that do not slide
_TRIES = 4  # most of each length that are looked at again, also a third longer on both sides

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Push:
    """Ranks, half-open, of the pictures inside; and how far they are from what the seam predicts."""

    start: int
    end: int
    error: float

    @property
    def range(self) -> tuple[int, int]:
        return self.start, self.end


def pushes(pictures: Filled, slack: float = 1.0) -> list[Push]:
    """The pushes among pictures without hard cuts, in order.

    slack : above 1 if pictures are missing: by which a push may be less clear then
    """
    luma = pictures.luma.reshape(-1, ROWS, COLUMNS).astype(np.float32)
    pushes: list[Push] = []
    for way in (luma, luma[:, :, ::-1], luma.swapaxes(1, 2), luma[:, ::-1].swapaxes(1, 2)):  # to the left, right, up …
        for start, length in _first_look(way, pictures, slack):
            for more in (0, length // 3):
                push = _followed(way, start - more, length + 2 * more, slack)
                pushes += [push] if push else []
    kept: list[Push] = []
    for push in sorted(pushes, key=lambda push: push.error):
        if all(push.end <= other.start or push.start >= other.end for other in kept):
            kept.append(push)
    first = int(pictures.ranks[0])
    return sorted(
        (Push(first + push.start, first + push.end, push.error) for push in kept), key=lambda push: push.start
    )


def _first_look(way: Floats, pictures: Filled, slack: float) -> Iterator[tuple[int, int]]:
    """Start and length of what may be a push to the left, by the means of the columns."""
    profile = way.mean(1)
    for length in _LENGTHS:
        starts = np.arange(1, len(way) - length, max(1, length // 6))
        starts = starts[pictures.may_hold(starts, length, _KNOWN if slack > 1 else _KNOWN_SURE * length)]
        before, middle, after = (profile[starts + later] for later in (-1, length // 2, length))
        unmoved = np.minimum(np.abs(middle - before).mean(1), np.abs(middle - after).mean(1))
        moved = unmoved >= _FIRST_LEAST
        starts, error = starts[moved], _slid(before[moved], middle[moved], after[moved]) / unmoved[moved]
        for at in np.argsort(error)[:_TRIES].tolist():
            if error[at] <= _FIRST * slack:
                yield int(starts[at]), length


def _slid(before: Floats, middle: Floats, after: Floats) -> Floats:
    """[n] how far profiles [n x columns] are from two others side by side, at the best place of the seam."""
    width = middle.shape[1]
    both, least = np.concatenate([before, after], 1), np.empty(len(middle), np.float32)
    shown = np.arange(width // 6, width - width // 6 + 1)[:, None] + np.arange(width)  # [seams x columns]
    for block in blocks(len(middle)):
        least[block] = np.abs(both[block][:, shown] - middle[block, None]).mean(2).min(1)
    return least


def _followed(way: Floats, start: int, length: int, slack: float) -> Push | None:
    """The push to the left between two pictures, if the seam goes through all those in between."""
    if start < 1 or start + length >= len(way):
        return None
    before, after = way[start - 1], way[start + length]
    width = before.shape[1]
    both = np.concatenate([before, after], 1)
    shown = way[start - 1 : start + length + 1]
    errors = np.stack([_apart(shown, both[:, seam : seam + width]) for seam in range(width + 1)])
    seams = errors.argmin(0)
    inside = np.flatnonzero((seams > 0) & (seams < width))
    if len(inside) < _SHORTEST or not _goes_evenly(np.diff(seams), width / len(inside), slack):
        return None
    first, last = int(inside[0]), int(inside[-1]) + 1
    error = errors[seams[inside], inside].mean()
    unmoved = np.minimum(errors[0, inside], errors[-1, inside]).mean()
    unlike = float(np.abs(before - after).mean())
    if error > slack * _ERROR * unlike or error > slack * _BETTER * unmoved or len(np.unique(seams[inside])) < 3:
        return None
    if not _steps(before, after) or not _rests(way, start - 1 + first, start - 1 + last, float(error) + _NOISE):
        return None
    begin, end = _edges(way, start - 1 + first, start - 1 + last, before, after)
    return Push(begin, end, float(error / unlike))


def _goes_evenly(steps: NDArray[np.int64], usual: float, slack: float) -> bool:
    """Whether a seam goes to one side without leaps, larger ones where pictures are missing; it may begin slowly."""
    return bool((steps >= 0).all() and steps.max() <= (2 if slack > 1 else 1) * _LEAP * usual + 1)


def _edges(way: Floats, start: int, end: int, before: Floats, after: Floats) -> tuple[int, int]:
    """The push with the pictures on both sides of which it is seen only at the border."""
    most = (end - start) // 4
    begin, stop = start, end
    while begin > max(1, start - most) and _differs(way[begin - 1][:, -1], before[:, -1]):
        begin -= 1
    while stop < min(len(way) - 1, end + most) and _differs(way[stop][:, 0], after[:, 0]):
        stop += 1
    return begin, stop


def _differs(line: Floats, other: Floats) -> bool:
    return float(np.abs(line - other).mean()) > _NOISE


def _steps(before: Floats, after: Floats) -> bool:
    """Whether the shots do not go on from one to the other at the seam."""
    own = np.abs(np.diff(before, axis=1)).mean() + np.abs(np.diff(after, axis=1)).mean()
    return float(np.abs(before[:, -1] - after[:, 0]).mean()) >= _SEAM * (float(own) / 2 + _NOISE)


def _rests(way: Floats, start: int, end: int, most: float) -> bool:
    """Whether the pictures just before and after hardly change, unlike in a pan."""
    sides = way[max(0, start - 1 - _CALM) : start], way[end : end + 1 + _CALM]
    return all(len(side) > 1 and float(np.abs(side[0] - side[-1]).mean()) <= most for side in sides)


def _apart(some: Floats, others: Floats) -> Floats:
    """[n] the mean difference of pictures or profiles [n x …] from others, or from one."""
    apart = np.abs(some - others)
    return np.asarray(apart.reshape(len(apart), -1).mean(1), np.float32)
