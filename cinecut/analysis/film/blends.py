"""Gradual transitions: fades to and from a plain picture, and dissolves from one shot to the next.

Both are blends: the pictures inside are, as vectors, on the straight line between two others, unlike in movement. Only
the outline that the search for cuts has decoded is used; it is dense enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gops import Thumbs

COLUMNS, ROWS = 32, 18

PLAIN = 2.5  # levels of spread: a picture without content, whatever its brightness
_LEAST_SPREAD = 5.0  # least levels of spread of the shots at both ends of a dissolve
_FADED = 0.4  # greatest share of the spread that is left after a fade
_SHORTEST = 4  # pictures: shorter blends are cuts
_LONGEST = 3  # seconds
_PALER = 0.95  # greatest spread in the middle of a dissolve, relative to that of its ends
_LEAST, _LEAST_NOVELTY = 8.0, 0.65  # least difference in levels, and least novelty, of the two shots of a dissolve
_RESIDUE = 0.2  # greatest part of the difference of two shots that a blend of them leaves unexplained


class GradualCut(StrEnum):
    """How a shot begins."""

    CUT = "cut"
    DISSOLVE = "dissolve"
    FADE = "fade"


@dataclass(frozen=True, order=True, slots=True)
class Blend:
    """A gradual transition over the pictures with ranks `start` to `end`, half-open, which belong to no shot."""

    start: int
    end: int
    kind: GradualCut


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """All decoded pictures: their ranks [n], strictly rising, and their luma, much reduced [uint8, n x 576]."""

    ranks: NDArray[np.int64]
    luma: NDArray[np.uint8]

    @classmethod
    def joined(cls, parts: Sequence[Outline]) -> Outline:
        """Parts in any order as one; of pictures with the same rank, the first is kept."""
        ranks, first = np.unique(np.concatenate([part.ranks for part in parts]), return_index=True)
        return cls(ranks, np.concatenate([part.luma for part in parts])[first])

    def without(self, stretches: Sequence[tuple[int, int]]) -> Outline:
        """The outline without the pictures in half-open stretches of ranks, such as flashes."""
        kept = np.ones(len(self.ranks), np.bool_)
        for start, end in stretches:
            kept &= (self.ranks < start) | (self.ranks >= end)
        return Outline(self.ranks[kept], self.luma[kept]) if kept.any() else self


def outline_of(thumbs: Thumbs, ranks: NDArray[np.int64]) -> Outline:
    """The outline of thumbnails [n, 3, rows, columns] and their ranks."""
    luma = np.empty((len(ranks), ROWS, COLUMNS), np.uint8)
    for thumb, target in zip(thumbs, luma, strict=True):
        cv2.resize(np.ascontiguousarray(thumb[0]), (COLUMNS, ROWS), dst=target, interpolation=cv2.INTER_AREA)
    return Outline(np.asarray(ranks, np.int64), luma.reshape(len(ranks), ROWS * COLUMNS))


def spreads(outline: Outline) -> NDArray[np.float32]:
    """[n] mean absolute deviation of each picture's luma, in levels."""
    means = outline.luma.mean(1, dtype=np.float32, keepdims=True)
    blocks = _blocks(len(outline.luma))
    return np.concatenate([np.abs(outline.luma[block] - means[block]).mean(1) for block in blocks], dtype=np.float32)


def has_plain_ground(outline: Outline) -> NDArray[np.bool_]:
    """[n] whether half of each picture has about the same luma, as the background of a title mostly has."""
    plain = []
    for block in _blocks(len(outline.luma)):
        luma = outline.luma[block].astype(np.int16)
        plain.append((np.abs(luma - np.median(luma, 1, keepdims=True)) <= 8).mean(1) > 0.5)
    return np.concatenate(plain)


def _blocks(length: int) -> list[slice]:
    """Slices (at least one) of a number of pictures, so that a long film takes no more memory than a short one."""
    return [slice(start, start + 2048) for start in range(0, max(1, length), 2048)]


# --- fades ----------------------------------------------------------------------------------------------------------


def fades(outline: Outline, cuts: list[int], rate: Fraction) -> list[Blend]:
    """Fades into and out of plain pictures, and into and out of cuts between nearly plain pictures."""
    if not len(outline.ranks):
        return []
    spread = spreads(outline)
    longest = int(_LONGEST * rate)
    cut_places = set(np.searchsorted(outline.ranks, cuts).tolist())
    blends = []
    for first, last in _anchors(spread, cut_places):
        # pictures first..last-1 are plain; for a cut there are none
        out = _ramp(outline, spread, first - 1 if first == last else first, -1, cut_places, longest)
        into = _ramp(outline, spread, last if first == last else last - 1, 1, cut_places, longest)
        blends += [blend for blend in (out, into) if blend]
    return blends


def _anchors(spread: NDArray[np.float32], cuts: set[int]) -> Iterator[tuple[int, int]]:
    """Runs of plain pictures as half-open indices, and the other cuts as empty runs."""
    plain = np.concatenate([[False], spread < PLAIN, [False]])
    edges = np.flatnonzero(plain[1:] != plain[:-1])
    touched: set[int] = set()
    for first, last in edges.reshape(-1, 2).tolist():
        touched.update(range(first, last + 1))
        yield first, last
    for cut in sorted(cuts - touched):
        if 0 < cut < len(spread):
            yield cut, cut


def _ramp(
    outline: Outline, spread: NDArray[np.float32], low: int, step: int, cuts: set[int], longest: int
) -> Blend | None:
    """The fade that ends (step -1) or begins (step 1) at the nearly plain picture `low`."""
    if not 0 <= low < len(spread):
        return None
    ranks = outline.ranks
    top = low
    while (following := _rising(spread, top, step, cuts)) is not None:
        if abs(int(ranks[following] - ranks[low])) > longest:
            break
        top = following
    top = _steep(spread, low, top, step)
    length = abs(int(ranks[top] - ranks[low]))
    if length < _SHORTEST or abs(top - low) < 2 or spread[low] > _FADED * spread[top] or spread[top] < 2 * PLAIN:
        return None
    middle = low + step * max(1, abs(top - low) // 2)
    if _likeness(outline.luma[middle], outline.luma[top]) < 0.7:
        return None  # the content changes, not its strength
    if step < 0:
        return Blend(int(ranks[top]) + 1, int(ranks[low]) + (0 if spread[low] < PLAIN else 1), GradualCut.FADE)
    return Blend(int(ranks[low]) + (1 if spread[low] < PLAIN else 0), int(ranks[top]), GradualCut.FADE)


def _steep(spread: NDArray[np.float32], low: int, top: int, step: int) -> int:
    """The end of a ramp, without the slow changes of the shot's own content beyond it."""
    while abs(top - low) > 3:
        mean = (spread[top] - spread[low]) / abs(top - low)
        if spread[top] - spread[top - 3 * step] > 0.5 * 3 * mean:
            break
        top -= step
    return top


def _rising(spread: NDArray[np.float32], top: int, step: int, cuts: set[int]) -> int | None:
    """The next index in direction `step` with a greater spread; a rise may pause for two pictures."""
    for place in range(top + step, top + 4 * step, step):
        if not 0 <= place < len(spread) or (place + 1 if step < 0 else place) in cuts:
            return None
        if spread[place] >= 1.01 * spread[top]:
            return place
    return None


def _likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Correlation of two pictures, -1..1."""
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 0 else 0.0


# --- dissolves ------------------------------------------------------------------------------------------------------


def dissolves(outline: Outline, cuts: list[int], taken: list[Blend], rate: Fraction) -> list[Blend]:
    """Blends of two different pictures, between hard cuts and outside the blends already `taken`."""
    borders = sorted({0, *cuts, *(b.start for b in taken), *(b.end for b in taken), 1 << 62})
    closed = {b.start for b in taken}
    blends: list[Blend] = []
    for start, end in pairwise(borders):
        if start not in closed:
            first, last = np.searchsorted(outline.ranks, [start, end])
            blends += _dissolves_between(Outline(outline.ranks[first:last], outline.luma[first:last]), rate)
    return blends


def _dissolves_between(outline: Outline, rate: Fraction) -> list[Blend]:
    """The dissolves of one shot. Long ones are searched first: a short window also fits inside a long dissolve."""
    ranks, luma, spread = outline.ranks, outline.luma.astype(np.float32), spreads(outline)
    blends: list[Blend] = []
    for seconds in (Fraction(5, 2), Fraction(5, 3), Fraction(1), Fraction(2, 3), Fraction(1, 3)):
        reach = int(seconds * rate)
        ends = np.searchsorted(ranks, ranks + reach)
        inner = np.flatnonzero(ends < len(ranks))
        ways = np.abs(luma[ends[inner]] - luma[inner]).mean(1)
        for i in inner[ways >= np.maximum(_LEAST, _LEAST_NOVELTY * (spread[ends[inner]] + spread[inner]) / 2)].tolist():
            j = int(ends[i])
            if (
                min(spread[i], spread[j]) < _LEAST_SPREAD
                or j - i < 4
                or int(np.diff(ranks[i : j + 1]).max()) > max(4, reach // 4)
            ):
                continue
            if any(ranks[j] > b.start and ranks[i] < b.end for b in blends):
                continue
            blend = _blend(ranks[i : j + 1], luma[i : j + 1])
            if blend:
                blends.append(blend)
    return blends


def _blend(ranks: NDArray[np.int64], luma: NDArray[np.float32]) -> Blend | None:
    """The dissolve from the first to the last of some pictures [n x 576]; None if they are anything else."""
    before, after = luma[0], luma[-1]
    way = after - before
    size = float(np.abs(way).mean())
    share = (luma - before) @ way / float(way @ way)
    if np.diff(share).min() < -0.05 or float(np.diff(share).max()) > 0.5:
        return None
    residue = np.abs(luma[1:-1] - before - share[1:-1, None] * way).mean(1) / size
    inside = (share > 0.04) & (share < 0.96)
    if inside.sum() < 3 or float(residue.max()) > _RESIDUE or _likeness(before, after) > 0.65:
        return None
    deviation = np.abs(luma - luma.mean(1, keepdims=True)).mean(1)
    middle = (share > 0.3) & (share < 0.7)
    if not middle.any() or deviation[middle].mean() > _PALER * (deviation[0] + deviation[-1]) / 2:
        return None  # a soft moving picture resembles a blend, but does not get paler
    start, end = int(ranks[inside][0]), int(ranks[inside][-1]) + 1
    return Blend(start, end, GradualCut.DISSOLVE) if end - start >= _SHORTEST else None
