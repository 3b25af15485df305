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

from cinecut.analysis.film.gradual.mixes import PictureMix, mixes
from cinecut.analysis.film.gradual.outline import Outline, spreads
from cinecut.analysis.film.gradual.pushes import pushes
from cinecut.analysis.film.gradual.ramps import REACH, Ramp, ramps
from cinecut.analysis.film.gradual.unlike import Filled, Unlike
from cinecut.analysis.film.gradual.wipes import Wipe, wipes

PLAIN = 2.5  # levels of spread: a picture without content, whatever its brightness
_FADED = 0.4  # greatest share of the spread that is left after a fade
_FLAT = 0.3  # levels by which the spread of a plain picture may waver
_SHOWS = 1.2 * PLAIN  # least spread of a shot that fades
_LEAST = 8.0  # least levels between it and the plain picture, root mean square
_UNEVEN = 0.08  # greatest distance of a fade's shares from the ramp, root mean square
_UNSURE = 0.03  # the same that counts in addition where nothing is known of the shot beyond
_RESIDUE = 0.35  # greatest mean part of the way that a mix leaves unexplained
_SHORTEST = 4  # pictures: shorter blends are cuts
_LONGEST = 3  # seconds
_EVEN, _COSTS = (
    0.015,
    2.0,
)  # a ramp so even stands; of another, a mix errs less whose cost is below so many times its own
VALLEY = 0.25  # greatest spread in the middle of a dip, relative to that on both sides


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
        # pictures first..last-1 are plain; for a cut there are none
        out = _ramp(outline, spread, first - 1 if first == last else first, -1, cut_places, longest)
        into = _ramp(outline, spread, last if first == last else last - 1, 1, cut_places, longest)
        if first == last or spread[first] < 2 * PLAIN or (out and into):  # else it may only be bare for a moment
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
    """The fade that ends (step -1) or begins (step 1) at the nearly plain picture `low`.

    The distance from the plain picture grows in even steps, and then stays as it is until the next cut. Every picture
    is tried as that of the shot; the one whose ramp errs least is. A step between two pictures of little contrast can
    look like a cut, so `cuts` do not end a ramp that is even.
    """
    if not 0 <= low < len(spread):
        return None
    low = _plainest(spread, low, -step)
    places = _places(outline.ranks, low, step, longest)
    at = np.abs(outline.ranks[places] - outline.ranks[low]).astype(np.float64)
    shows = (spread[low] <= _FADED * spread[places]) & (spread[places] >= _SHOWS)
    shows &= (at >= _SHORTEST) & (at <= longest)
    ends = [end for end in np.flatnonzero(shows).tolist() if end >= 2]
    if not ends:
        return None
    apart = outline.luma[places].astype(np.float32) - outline.luma[low]
    products = apart @ apart.T
    squares = np.diag(products)
    borders = np.array([place in cuts for place in (places + (1 if step < 0 else 0)).tolist()])
    best, error = None, _UNEVEN
    for end in ends:
        way = float(squares[end])
        if way < _LEAST**2 * apart.shape[1]:
            continue
        known = at <= at[end] + REACH
        known[end + 1 :] &= ~np.logical_or.accumulate(borders[end + 1 :])
        strength = np.sqrt(squares[known] / way)  # not the share of the way: a shot may move
        uneven = float(np.sqrt(np.mean((strength - np.minimum(at[known] / at[end], 1)) ** 2)))
        uneven += _UNSURE * (known.sum() == end + 1)
        residue = np.sqrt(np.maximum(0, squares[:end] / way - (products[end, :end] / way) ** 2)).mean()
        if uneven < error and residue <= _RESIDUE:
            best, error = int(places[end]), uneven
    if best is None:
        return None
    edges = sorted((int(outline.ranks[low]), int(outline.ranks[best])))
    plain = spread[low] < PLAIN
    if step < 0:
        return Blend(edges[0] + 1, edges[1] + (0 if plain else 1), GradualCut.FADE)
    return Blend(edges[0] + (1 if plain else 0), edges[1], GradualCut.FADE)


def _plainest(spread: NDArray[np.float32], low: int, step: int) -> int:
    """The first of the plain pictures from `low` on that shows as little as any: where a shot of little contrast fades,
    half the ramp is nearly plain."""
    last = low
    while spread[low] < PLAIN and 0 <= last + step < len(spread) and spread[last + step] < PLAIN:
        last += step
    run = np.arange(low, last + step, step)
    return int(run[np.argmax(spread[run] <= spread[run].min() + _FLAT)])


def _places(ranks: NDArray[np.int64], low: int, step: int, longest: int) -> NDArray[np.int64]:
    """The indices from `low` on in a direction, as far as they can matter for a fade there."""
    farthest = int(np.searchsorted(ranks, ranks[low] + step * (longest + REACH), "left" if step < 0 else "right"))
    return np.arange(low, farthest - (step < 0), step)


# --- dissolves ------------------------------------------------------------------------------------------------------


def dissolves(outline: Outline, cuts: list[int], taken: list[Blend], slack: float = 1.0) -> list[Blend]:
    """The dissolves, wipes and pushes between hard cuts and outside the blends `taken`.

    slack : how many times stranger they may look, if the outline lacks pictures
    """
    blends: list[Blend] = []
    for first, last in _stretches(outline, cuts, taken):
        ranks, luma = outline.ranks[first:last], outline.luma[first:last]
        if len(ranks) < _SHORTEST:
            continue
        unlike = Unlike.of(ranks, luma)
        for part in unlike.parts():
            known, shown = ranks[part], luma[part]
            filled = Filled.of(known, shown, unlike.within(part))
            mixed = _surer(ramps(known, shown.astype(np.float32), filled.unlike, slack), mixes(filled, slack))
            wiped, pushed = wipes(filled, slack), [push.range for push in pushes(filled, slack)]
            ranges = _distinct(mixed, wiped) if slack <= 1 else mixed + [wipe.range for wipe in wiped]
            ranges = [each for each in ranges if not any(_meet(each, push) for push in pushed)] + pushed
            blends += [Blend(*edges, GradualCut.DISSOLVE) for edges in sorted(ranges)]
    return blends


def _surer(still: list[Ramp], moving: list[PictureMix]) -> list[tuple[int, int]]:
    """The ranges of the dissolves that were found as mixes of two pictures or by what movement leaves; where both are
    one, of that which errs less."""
    kept = [mix for mix in moving if all(_apart(mix, ramp) or _errs_less(mix, ramp) for ramp in still)]
    kept_ramps = [ramp for ramp in still if all(_apart(mix, ramp) for mix in kept)]
    return [(mix.start, mix.end) for mix in kept] + [(ramp.start, ramp.end) for ramp in kept_ramps]


def _apart(mix: PictureMix, ramp: Ramp) -> bool:
    return mix.end <= ramp.start or mix.start >= ramp.end


def _errs_less(mix: PictureMix, ramp: Ramp) -> bool:
    return ramp.uneven > _EVEN and mix.cost < _COSTS * ramp.uneven


def _distinct(mixed: list[tuple[int, int]], wiped: list[Wipe]) -> list[tuple[int, int]]:
    """The dissolves, and the wipes that meet none; of a dissolve and a clear wipe that meet, the wipe."""
    mixed = [mix for mix in mixed if not any(wipe.is_clear and _meet(mix, wipe.range) for wipe in wiped)]
    return mixed + [wipe.range for wipe in wiped if not any(_meet(mix, wipe.range) for mix in mixed)]


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and one[1] > other[0]


def _stretches(outline: Outline, cuts: list[int], taken: list[Blend]) -> Iterator[tuple[int, int]]:
    """Half-open indices of the pictures between hard cuts and blends."""
    borders = sorted({0, *cuts, *(b.start for b in taken), *(b.end for b in taken), 1 << 62})
    closed = {b.start for b in taken}
    for start, end in pairwise(borders):
        if start not in closed:
            first, last = np.searchsorted(outline.ranks, [start, end])
            yield int(first), int(last)
