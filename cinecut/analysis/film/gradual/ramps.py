"""The edges of gradual cuts, and whether they are any.

Between the pictures P before and Q after it, a gradual cut goes from P to Q in even steps. So the share of the way that
each picture has covered is a ramp: 0 before, then rising evenly, then 1. Every two pictures are tried as P and Q; those
whose ramp errs least are the edges. What remains unexplained tells a blend, in which each point is mixed, from a wipe
and from movement.

Where shots move, points that also change before and after the gradual cut say little: a second look at its edges gives
each point a weight, one over the variance that it has there (weighted least squares).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gradual.outline import COLUMNS, LEAST, LEAST_NOVELTY, LIKE, NOISE, ROWS
from cinecut.analysis.film.gradual.unlike import Unlike

Pictures = NDArray[np.float32]  # [n x 576] luma: ROWS times COLUMNS
Floats = NDArray[np.float32]

REACH = 10  # pictures beyond a gradual cut that are looked at
FARTHEST = 60  # pictures on both sides that can matter
_SHORTEST = 3  # pictures inside
_LONGEST = 75  # ranks from P to Q
_SPANS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 24, 29, 35, 42, 50, 60, 72)  # pictures from P to Q that are tried
_BESIDE = 3  # least pictures on both sides, without which nothing shows where a ramp begins and ends
_NEAR = 2 * REACH  # ranks from a ramp within which a picture says something of it
_BLOCK = 192  # pictures P that are tried together
_FINE = 6  # ranks by which the second look moves either edge
_STEADY = 20, 64.0  # pictures on each side for its weights, and the least variance
_MIXED = 0.4  # greatest part of the way that a mix leaves unexplained, root mean square over the points
_COST = 0.5  # of what is left unexplained, relative to unevenness, where ramps compete
_UNEVEN = 0.06  # greatest root mean square distance of the shares from the ramp
_UNEVEN_FIRST = 0.12  # the same at the first look
_UNEVEN_GLANCE = 0.2  # and of a few of the shares, which saves the others' cost
_RESIDUE, _RESIDUE_ONCE = 0.25, 0.35  # greatest part of the difference that a blend leaves unexplained, mean and most
_PALER = 0.98  # greatest spread in the middle of a blend, relative to that of its ends
_SLID, _SLID_BETTER = 0.96, 0.05  # least correlation with a picture moved aside, and how much better than unmoved


@dataclass(frozen=True, slots=True)
class Ramp:
    """Ranks, half-open, of the pictures inside, and what is left unexplained.

    uneven : root mean square distance of the shares from the ramp
    residue, residue_once : of the distance from P to Q, what a mix of them leaves unexplained: mean, and most
    paler : spread in the middle, relative to that of the ends
    like : correlation of P and Q
    levels, novelty : distance from P to Q, and relative to their spread
    """

    start: int
    end: int
    uneven: float
    residue: float
    residue_once: float
    paler: float
    like: float
    levels: float
    novelty: float

    def is_blend(self, slack: float) -> bool:
        """`slack` is how many times too uneven and unexplained it may be, since pictures are missing."""
        even = self.uneven <= slack * _UNEVEN
        plain = self.residue <= slack * _RESIDUE and self.residue_once <= slack * _RESIDUE_ONCE
        return even and plain and self.paler <= _PALER and self._changes

    @property
    def _changes(self) -> bool:
        return self.levels >= LEAST and self.novelty >= LEAST_NOVELTY and self.like <= LIKE


def ramps(ranks: NDArray[np.int64], luma: Pictures, unlike: Unlike, slack: float = 1.0) -> list[Ramp]:
    """The blends among pictures without hard cuts, in order; none overlap.

    ranks [n], luma [n x 576], unlike : the pictures, and which of them can be of two shots
    slack : how many times stranger than one they may look, if pictures are missing
    """
    kept: list[Ramp] = []
    for pair in _apart(_tried(ranks, luma, unlike, slack)):
        ramp = _weighted(ranks, luma, pair)
        if ramp.is_blend(slack) and all(ramp.end <= other.start or ramp.start >= other.end for other in kept):
            kept.append(ramp)
    return sorted((ramp for ramp in kept if not _pans(ranks, luma, ramp)), key=lambda ramp: ramp.start)


# --- every two pictures ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, by their places, and how much the ramp between them errs: unevenness, and what is unexplained."""

    before: int
    after: int
    uneven: float
    residue: float

    @property
    def cost(self) -> float:
        return self.uneven + _COST * self.residue


def _apart(pairs: list[Pair]) -> list[Pair]:
    """Of the pairs that a mix explains, those that cost least of all that overlap."""
    kept: list[Pair] = []
    for pair in sorted((pair for pair in pairs if pair.residue <= _MIXED), key=lambda pair: pair.cost):
        if all(pair.after <= other.before or pair.before >= other.after for other in kept):
            kept.append(pair)
    return kept


def _tried(ranks: NDArray[np.int64], luma: Pictures, unlike: Unlike, slack: float) -> list[Pair]:
    """Pairs of unlike pictures between which the others go in about even steps."""
    pairs: list[Pair] = []
    beside = 0 if slack > 1 else _BESIDE  # where pictures are missing, a ramp may begin with the first that is known
    for start in range(beside, len(ranks) - beside, _BLOCK):
        low, high = max(0, start - REACH), min(len(ranks), start + _BLOCK + _SPANS[-1] + REACH)
        table = _Table(ranks[low:high], luma[low:high])
        first = np.arange(start, min(start + _BLOCK, len(ranks) - beside))
        for span in _SPANS:
            before = first[first + span < len(ranks) - beside]
            length = ranks[before + span] - ranks[before]
            before = before[(length > _SHORTEST) & (length <= _LONGEST) & unlike.pairs(before, before + span)] - low
            before = before[table.glance(before, before + span) <= slack * _UNEVEN_GLANCE]
            after = before + span
            uneven, residue = table.errors(before, after)
            for at in np.flatnonzero(uneven <= slack * _UNEVEN_FIRST).tolist():
                i, j = int(before[at]) + low, int(after[at]) + low
                pairs.append(Pair(i, j, float(uneven[at]), float(residue[at])))
    return pairs


class _Table:
    """The products of some pictures with each other, from which all that concerns pairs of them is reckoned."""

    def __init__(self, ranks: NDArray[np.int64], luma: Pictures) -> None:
        self.ranks, self._at = ranks, ranks.astype(np.float32)
        self._products = luma @ luma.T
        self._squares = np.diag(self._products)

    def errors(self, before: NDArray[np.int64], after: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """[n] root mean square distance of the shares from the ramp, and the mean part of the way that a mix leaves
        unexplained, of equally long pairs."""
        if not len(before):
            return np.zeros(0, np.float32), np.zeros(0, np.float32)
        places = before[:, None] + np.arange(-REACH, after[0] - before[0] + REACH + 1)
        share, ideal = self._shares(before, after, places)
        inside = slice(REACH + 1, -REACH - 1)
        places, first = places[:, inside], before[:, None]
        apart = self._squares[places] + self._squares[first] - 2 * self._products[places, first]
        residue = np.sqrt(np.maximum(0, apart / self._way(before, after)[:, None] - share[:, inside] ** 2))
        return _distance(share, ideal), residue.mean(1)

    def glance(self, before: NDArray[np.int64], after: NDArray[np.int64]) -> Floats:
        """[n] the distance of a few shares from the ramp, of equally long pairs."""
        if not len(before):
            return np.zeros(0, np.float32)
        span = int(after[0] - before[0])
        some = np.array([-REACH // 2, -2, span // 4, span // 2, span - span // 4, span + 2, span + REACH // 2])
        return _distance(*self._shares(before, after, before[:, None] + some))

    def _shares(
        self, before: NDArray[np.int64], after: NDArray[np.int64], places: NDArray[np.int64]
    ) -> tuple[Floats, Floats]:
        """[n x k] the share of the way that each picture has covered, and the ramp; NaN where there is no picture."""
        there = (places >= 0) & (places < len(self.ranks))
        places = np.clip(places, 0, len(self.ranks) - 1)
        first, last = before[:, None], after[:, None]
        at, begin, end = self._at[places], self._at[first], self._at[last]
        there &= (at >= begin - _NEAR) & (at <= end + _NEAR)
        along = self._products[places, last] - self._products[places, first]
        start = self._products[before, after] - self._squares[before]
        share = (along - start[:, None]) / self._way(before, after)[:, None]
        ideal = (at - begin) / (end - begin)
        return np.where(there, share, np.nan).astype(np.float32), np.clip(ideal, 0, 1)

    def _way(self, before: NDArray[np.int64], after: NDArray[np.int64]) -> Floats:
        """[n] the squared distance of two pictures."""
        way = self._squares[before] + self._squares[after] - 2 * self._products[before, after]
        return np.asarray(np.maximum(1.0, way), np.float32)


def _distance(share: Floats, ideal: Floats) -> Floats:
    """[n] the root mean square distance of shares from a ramp [n x k], without the pictures that there are not."""
    return np.asarray(np.sqrt(np.nanmean((share - ideal) ** 2, 1)), np.float32)


def _weighted(ranks: NDArray[np.int64], luma: Pictures, first: Pair) -> Ramp:
    """The ramp near a pair that errs least if each point has the weight that it deserves."""
    i, j = first.before, first.after
    count, least = _STEADY
    around = np.concatenate([luma[max(0, i - count) : i] - luma[i], luma[j + 1 : j + 1 + count] - luma[j]])
    weights = 1 / np.sqrt((around**2).mean(0) + least) if len(around) else np.ones(luma.shape[1], np.float32)
    fine = max(2, _FINE * (j - i) // int(ranks[j] - ranks[i]))
    low, high = max(0, i - fine - REACH), min(len(ranks), j + fine + REACH + 1)
    table = _Table(ranks[low:high], luma[low:high] * weights.astype(np.float32))
    best = Pair(i, j, float("inf"), first.residue)
    for span in range(max(2, j - i - 2 * fine), j - i + 2 * fine + 1):
        before = np.arange(max(_BESIDE, i - fine), min(i + fine, len(ranks) - _BESIDE - span - 1) + 1)
        before = before[np.abs(before + span - j) <= fine] - low
        before = before[table.ranks[before + span] - table.ranks[before] > _SHORTEST]
        uneven, residue = table.errors(before, before + span)
        for at, error, left in zip((before + low).tolist(), uneven.tolist(), residue.tolist(), strict=True):
            best = min(best, Pair(at, at + span, error, left), key=lambda pair: pair.cost)
    return _measured(ranks, luma, (int(ranks[best.before]) + 1, int(ranks[best.after])), best.uneven)


# --- what is left unexplained ---------------------------------------------------------------------------------------


def _pans(ranks: NDArray[np.int64], luma: Pictures, ramp: Ramp) -> bool:
    """Whether the first picture only slides into the middle one, and that into the last: over soft shapes a pan looks
    like a mix of its ends."""
    first, last = (int(place) for place in np.searchsorted(ranks, [ramp.start, ramp.end]))
    ends = luma[max(0, first - 1)], luma[(first + last) // 2], luma[min(last, len(luma) - 1)]
    return all(_slides(one, other) for one, other in pairwise(ends))


def _slides(one: Floats, other: Floats) -> bool:
    """Whether a picture is another one moved aside: up to half its width, and a sixth of its height."""
    a, b = one.reshape(ROWS, COLUMNS), other.reshape(ROWS, COLUMNS)
    far, high = COLUMNS // 2, ROWS // 6
    best = max(
        _correlation(_overlap(a, x, y), _overlap(b, -x, -y))
        for y in range(-high, high + 1)
        for x in range(-far, far + 1)
    )
    return best > _SLID and best > _correlation(a, b) + _SLID_BETTER


def _overlap(picture: Floats, x: int, y: int) -> Floats:
    """What remains of a picture in the frame when the frame moves by `x` and `y` points."""
    rows, columns = picture.shape
    return picture[max(0, y) : rows + min(0, y), max(0, x) : columns + min(0, x)]


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum()) / max(1.0, float(np.linalg.norm(a) * np.linalg.norm(b)))


def _measured(ranks: NDArray[np.int64], luma: Pictures, edges: tuple[int, int], uneven: float) -> Ramp:
    start, end = edges
    first, last = (int(place) for place in np.searchsorted(ranks, [start, end]))
    before, after = luma[max(0, first - 1)], luma[min(last, len(luma) - 1)]
    way = after - before
    levels = float(np.abs(way).mean())
    inside = luma[first:last] if last > first else luma[first : first + 1]
    mix = (inside - before) @ way / max(1.0, float(way @ way))
    residue = np.abs(inside - before - mix[:, None] * way).mean(1) / max(1.0, levels)
    ends = (_spread(before) + _spread(after)) / 2
    middle = np.flatnonzero(np.abs(mix - 0.5) <= max(0.2, float(np.abs(mix - 0.5).min())))
    usual = np.maximum(max(1.0, ends), _spread(before) + mix[middle] * (_spread(after) - _spread(before)))
    paler = float(np.mean([_spread(inside[at]) for at in middle] / usual))
    like, novelty = _correlation(before, after), levels / (ends + NOISE)
    return Ramp(start, end, uneven, float(residue.mean()), float(residue.max()), paler, like, levels, novelty)


def _spread(picture: Floats) -> float:
    return float(np.abs(picture - picture.mean()).mean())
