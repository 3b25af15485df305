"""Gradual transitions: fades to and from a plain picture, and dissolves from one shot to the next.

Both are blends: the pictures inside are, as vectors, on the straight line between two others, unlike in movement. They
are suspected in the outline that the search for cuts has decoded, and judged by all pictures around them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gradual.outline import Outline, spreads
from cinecut.analysis.film.gradual.ramps import ramps

PLAIN = 2.5  # levels of spread: a picture without content, whatever its brightness
_FADED = 0.4  # greatest share of the spread that is left after a fade
_SHORTEST = 4  # pictures: shorter blends are cuts
_LONGEST = 3  # seconds
VALLEY = 0.4  # greatest spread in the middle of a dip, relative to that on both sides


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

    @property
    def range(self) -> tuple[int, int]:
        return self.start, self.end


# --- fades ----------------------------------------------------------------------------------------------------------


def fades(outline: Outline, cuts: list[int], rate: Fraction, paler: float = VALLEY) -> list[Blend]:
    """Fades into and out of plain pictures, of cuts between nearly plain pictures, and of the middles of dips.

    paler : greatest spread in the middle of a dip, relative to that of the shots on both sides
    """
    if not len(outline.ranks):
        return []
    spread = spreads(outline)
    longest = int(_LONGEST * rate)
    cut_places = set(np.searchsorted(outline.ranks, cuts).tolist())
    blends = []
    for first, last in _anchors(outline.ranks, spread, cut_places, longest, paler):
        # pictures first..last-1 are plain; for a cut there are none; a fade's last step can look like a cut
        others = cut_places - {first, last}
        out = _ramp(outline, spread, first - 1 if first == last else first, -1, others, longest)
        into = _ramp(outline, spread, last if first == last else last - 1, 1, others, longest)
        blends += [blend for blend in (out, into) if blend]
    return blends


def _anchors(
    ranks: NDArray[np.int64], spread: NDArray[np.float32], cuts: set[int], longest: int, paler: float
) -> Iterator[tuple[int, int]]:
    """Runs of plain pictures and middles of dips as half-open indices, and the other cuts as empty runs."""
    plain = np.concatenate([[False], spread < PLAIN, [False]])
    edges = np.flatnonzero(plain[1:] != plain[:-1])
    touched: set[int] = set()
    for first, last in edges.reshape(-1, 2).tolist():
        touched.update(range(first, last + 1))
        yield first, last
    lowest = np.flatnonzero((spread[1:-1] <= spread[:-2]) & (spread[1:-1] < spread[2:])) + 1
    for low in lowest.tolist():
        first, last = np.searchsorted(ranks, [ranks[low] - longest // 2, ranks[low] + longest // 2])
        sides = spread[first:low].max(initial=0), spread[low + 1 : last].max(initial=0)
        if low not in touched and spread[low] <= paler * min(sides) and spread[low] <= spread[first:last].min():
            touched.add(low)
            yield low, low + 1
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
    top = _steep(ranks, spread, low, top, step)
    length = abs(int(ranks[top] - ranks[low]))
    if length < _SHORTEST or abs(top - low) < 2 or spread[low] > _FADED * spread[top] or spread[top] < 2 * PLAIN:
        return None
    middle = low + step * max(1, abs(top - low) // 2)
    if _likeness(outline.luma[middle], outline.luma[top]) < 0.7:
        return None  # the content changes, not its strength
    if step < 0:
        return Blend(int(ranks[top]) + 1, int(ranks[low]) + (0 if spread[low] < PLAIN else 1), GradualCut.FADE)
    return Blend(int(ranks[low]) + (1 if spread[low] < PLAIN else 0), int(ranks[top]), GradualCut.FADE)


def _steep(ranks: NDArray[np.int64], spread: NDArray[np.float32], low: int, top: int, step: int) -> int:
    """The end of a ramp from `low`, without the slow changes of the shot's own content up to `top`.

    The spread rises evenly up to that end, and evenly but less from there on, with the least squared error.
    """
    places = np.arange(low, top + step, step)
    rise, at = spread[places] - float(spread[low]), np.abs(ranks[places] - ranks[low]).astype(np.float64)
    ends: list[tuple[bool, float, int]] = []
    for end in range(2, len(places)):
        parts = np.stack([np.minimum(at, at[end]), np.maximum(at - at[end], 0)], 1)
        slopes, *_ = np.linalg.lstsq(parts, rise, rcond=None)
        if slopes[1] < 0.5 * slopes[0] and rise[end] >= 0.5 * rise[-1]:
            error = float(((rise - parts @ slopes) ** 2).sum())
            ends.append((bool(slopes[1] > 0.25 * slopes[0]), error, int(places[end])))
    return min(ends)[2] if ends else top


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


def dissolves(outline: Outline, cuts: list[int], taken: list[Blend], slack: float = 1.0) -> list[Blend]:
    """The dissolves and wipes between hard cuts and outside the blends `taken`.

    slack : how many times stranger they may look, if the outline lacks pictures
    """
    blends: list[Blend] = []
    for first, last in _stretches(outline, cuts, taken):
        for ramp in ramps(outline.ranks[first:last], outline.luma[first:last].astype(np.float32), slack):
            blends.append(Blend(ramp.start, ramp.end, GradualCut.DISSOLVE))
    return blends


def _stretches(outline: Outline, cuts: list[int], taken: list[Blend]) -> Iterator[tuple[int, int]]:
    """Half-open indices of the pictures between hard cuts and blends."""
    borders = sorted({0, *cuts, *(b.start for b in taken), *(b.end for b in taken), 1 << 62})
    closed = {b.start for b in taken}
    for start, end in pairwise(borders):
        if start not in closed:
            first, last = np.searchsorted(outline.ranks, [start, end])
            yield int(first), int(last)
