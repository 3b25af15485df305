"""The exact edges of gradual cuts, and whether they are any.

Between the pictures P before and Q after it, a gradual cut goes from P to Q in even steps. So the share of the way that
each picture has covered is a ramp: 0, then rising evenly, then 1. The ramp with the least squared error gives the
edges; P and Q are then taken next to these, and so on until the edges stay. What remains unexplained tells a blend, in
which each point is mixed, from a wipe, in which each point is of P or of Q, and from movement, which is neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gradual.outline import COLUMNS, ROWS

Pictures = NDArray[np.float32]  # [n x 576] luma: ROWS times COLUMNS
Floats = NDArray[np.float32]
Shares = Callable[[Pictures, Floats, Floats], Floats]

REACH = 10  # pictures beyond a suspected gradual cut that are looked at
_SHORTEST = 3  # pictures inside
_ROUNDS, _WIDENINGS = 4, 4
_UNEVEN = 0.04  # greatest mean distance of the shares from the ramp
_UNEVEN_WIPE = 0.045  # the same of a wipe
_RESIDUE, _RESIDUE_ONCE = 0.25, 0.35  # greatest part of the difference that a blend leaves unexplained, mean and most
_EITHER = 0.1  # greatest part of the difference by which points of a wipe are neither of P nor of Q
_PALER = 0.97  # greatest spread in the middle of a blend, relative to that of its ends
_LIKE = 0.65  # greatest correlation of P and Q
_LEAST = 8.0  # least levels between them
_LEAST_NOVELTY = 0.5  # the same, relative to their spread
_NOISE = 4.0  # levels
_SLID, _SLID_BETTER = 0.96, 0.05  # least correlation with a picture moved aside, and how much better than unmoved


@dataclass(frozen=True, slots=True)
class Ramp:
    """Ranks, half-open, of the pictures inside, and what is left unexplained.

    uneven : mean distance of the shares from the ramp
    residue, residue_once : of the distance from P to Q, what a mix of them leaves unexplained: mean, and most
    either : how far the points are from being of P or of Q, as a part of the same distance
    paler : spread in the middle, relative to that of the ends
    like : correlation of P and Q
    levels, novelty : distance from P to Q, and relative to their spread
    """

    start: int
    end: int
    uneven: float
    residue: float
    residue_once: float
    either: float
    paler: float
    like: float
    levels: float
    novelty: float

    def is_blend(self, slack: float) -> bool:
        """`slack` is how many times too uneven and unexplained it may be, since pictures are missing."""
        even = self.uneven <= slack * _UNEVEN
        plain = self.residue <= slack * _RESIDUE and self.residue_once <= slack * _RESIDUE_ONCE
        return even and plain and self.paler <= (_PALER if slack == 1 else 1) and self._changes(slack)

    def is_wipe(self, slack: float) -> bool:
        even = self.uneven <= slack * _UNEVEN_WIPE and self.either <= slack * _EITHER
        return even and self.residue > _RESIDUE / slack and self._changes(slack)

    def _changes(self, slack: float) -> bool:
        levels, novelty = self.levels >= _LEAST / slack, self.novelty >= _LEAST_NOVELTY / slack
        return levels and novelty and self.like <= min(1.2, slack) * _LIKE


def settled(ranks: NDArray[np.int64], luma: Pictures, start: int, end: int, slack: float = 1.0) -> Ramp | None:
    """The blend or wipe around the suspected one from rank `start` to `end`; None if there is none.

    slack : how many times stranger than one it may look, if pictures are missing
    ranks [n], luma [n x 576] : pictures of a stretch without hard cuts
    """
    blend = _widened(ranks, luma, (start, end), _mixed)
    if blend is None or not blend.is_blend(slack):
        blend = _widened(ranks, luma, (start, end), _wiped)
        if blend is None or not blend.is_wipe(slack):
            return None
    return None if _pans(ranks, luma, blend) else blend


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


def _widened(ranks: NDArray[np.int64], luma: Pictures, suspected: tuple[int, int], shares: Shares) -> Ramp | None:
    """The ramp among the pictures around the suspected one, and among more of them while it reaches their ends."""
    near, far = suspected[0] - REACH, suspected[1] + REACH
    ramp = None
    for _ in range(_WIDENINGS):
        first, last = np.searchsorted(ranks, [near, far])
        if last - first < _SHORTEST + 2:
            break
        ramp = _fit(ranks[first:last], luma[first:last], shares)
        if ramp is None:
            break
        wide = ramp.start <= ranks[first] + 2, ramp.end >= ranks[last - 1] - 1
        if not any(wide):
            break
        near, far = near - REACH * wide[0], far + REACH * wide[1]
    return ramp


def _fit(ranks: NDArray[np.int64], luma: Pictures, shares: Shares) -> Ramp | None:
    before, after = 0, len(ranks) - 1
    edges: set[tuple[int, int]] = set()
    ramp = None
    for _ in range(_ROUNDS):
        share = shares(luma, luma[before], luma[after])
        best = _best(ranks, share)
        if best is None:
            return None
        ramp = _measured(ranks, luma, best, share)
        if best in edges:
            break
        edges.add(best)
        before = max(0, int(np.searchsorted(ranks, best[0])) - 2)
        after = min(len(ranks) - 1, int(np.searchsorted(ranks, best[1])) + 1)
    return ramp


def _mixed(luma: Pictures, before: Floats, after: Floats) -> Floats:
    """[n] the share of the way from one picture to another that each has covered."""
    way = after - before
    return np.asarray((luma - before) @ way / max(1.0, float(way @ way)), np.float32)


def _wiped(luma: Pictures, before: Floats, after: Floats) -> Floats:
    """[n] the share of its points, of those that differ between two pictures, in which each is nearer to the second."""
    clear = np.abs(after - before) >= _LEAST
    if not clear.any():
        return _mixed(luma, before, after)
    nearer = np.abs(luma[:, clear] - after[clear]) < np.abs(luma[:, clear] - before[clear])
    return np.asarray(nearer.mean(1, dtype=np.float32))


def _best(ranks: NDArray[np.int64], share: Floats) -> tuple[int, int] | None:
    """The first rank, and the rank after the last, of the ramp with the least squared error."""
    places = np.arange(ranks[0] + 1, ranks[-1] + 1)
    start, end = (side.ravel() for side in np.meshgrid(places, places, indexing="ij"))
    long_enough = end - start >= _SHORTEST
    start, end = start[long_enough], end[long_enough]
    if not len(start):
        return None
    ramps = np.clip((ranks[None] - start[:, None] + 1) / (end - start + 1)[:, None], 0, 1)
    best = int(((share[None] - ramps) ** 2).sum(1).argmin())
    return int(start[best]), int(end[best])


def _measured(ranks: NDArray[np.int64], luma: Pictures, edges: tuple[int, int], share: Floats) -> Ramp:
    start, end = edges
    first, last = (int(place) for place in np.searchsorted(ranks, [start, end]))
    before, after = luma[max(0, first - 1)], luma[min(last, len(luma) - 1)]
    way = after - before
    levels = float(np.abs(way).mean())
    inside = luma[first:last] if last > first else luma[first : first + 1]
    mix = (inside - before) @ way / max(1.0, float(way @ way))
    residue = np.abs(inside - before - mix[:, None] * way).mean(1) / max(1.0, levels)
    either = np.minimum(np.abs(inside - before), np.abs(inside - after)).mean() / max(1.0, levels)
    ideal = np.clip((ranks[first:last] - start + 1) / (end - start + 1), 0, 1)
    uneven = float(np.abs(share[first:last] - ideal).mean()) if last > first else 0.0
    ends = (_spread(before) + _spread(after)) / 2
    middle = inside[np.abs(mix - 0.5) <= max(0.2, float(np.abs(mix - 0.5).min()))]
    paler = float(np.mean([_spread(picture) for picture in middle])) / max(1.0, ends)
    return Ramp(
        start, end, uneven, float(residue.mean()), float(residue.max()), float(either), paler,
        _correlation(before, after), levels, levels / (ends + _NOISE),
    )  # fmt: skip


def _spread(picture: Floats) -> float:
    return float(np.abs(picture - picture.mean()).mean())
