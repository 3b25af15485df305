"""Wipes and irises: an edge crosses the picture, on one side of it is the shot before, on the other the one after.

Each point has a hard cut of its own. If every point is shown at the moment at which the edge reaches it, a little
before and a little after, two whole pictures appear that differ as those at a hard cut, however much both shots move:
the wipe has become one. So shapes, lengths and moments are tried, and the cut between those two pictures decides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gradual.outline import COLUMNS, NOISE, ROWS
from cinecut.analysis.film.gradual.unlike import Filled

_LENGTHS = (8, 12, 18, 27, 40)  # pictures inside that are tried at first
_LONGEST = 64
_COARSE = 2  # points of a side that are one at the first look
_KNOWN, _KNOWN_SURE = 3, 0.8  # least pictures known between its ends, and least share of them
_CALM = 1.0  # levels
_SCORE_FIRST = 1.5  # least score at the first look
_SCORE_SUSPECT = 2.5  # the same where pictures are missing
_SCORE_LIKELY = 2.9  # the same where none is
_SCORE = 2.0  # least score of a wipe, times the share of its points that are cut
_CUT, _CUT_LEAST = 1.5, 8.0  # such a point's change: times the largest before and after, and in levels
_CUT_SHARE = 0.45  # least share of such points: what only crosses the picture leaves the others as they are
_CLEAR_SHARE = 0.6  # the same that no dissolve has
_SHORTEST = 6  # pictures
_SOFT = 0.5  # of the greatest change: the edge is there
_CLEARLY = 0.25  # pictures by which an edge is softer than a sharp one
_SOFTEST = 0.2  # of the length: a softer edge is movement
_SLID = 0.9  # correlation
_SAME = 0.5  # greatest detail along a pan, relative to that of a picture
_TRIES = 16  # most of the first look that are looked at again
_MARGIN = 10  # part of the length by which a point is shown before and after the edge at the first look

Pictures = NDArray[np.uint8]  # [n x points] luma
Places = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Wipe:
    """Places or ranks, half-open, of the pictures inside; the shape's number; its score as a cut.

    share : of the points, those with a cut of their own; 0 until the second look
    """

    start: int
    length: int
    shape: int
    score: float
    share: float = 0.0

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def range(self) -> tuple[int, int]:
        return self.start, self.end

    @property
    def is_clear(self) -> bool:
        """Whether so many points are cut that it can be no dissolve."""
        return self.share >= _CLEAR_SHARE

    def is_near(self, other: Wipe) -> bool:
        """Whether a second look at either comes to the same."""
        apart = max(abs(self.start - other.start), abs(self.end - other.end))
        return self.shape == other.shape and apart <= other.length // 4

    def overlaps(self, other: Wipe) -> bool:
        return self.end > other.start and self.start < other.end


def _shapes(rows: int, columns: int) -> Floats:
    """[shapes x points] the share of the way at which the edge reaches each point: from all sides and corners, from the
    middle and to it (as a circle, a box, a diamond, two doors across and down), round like a clock's hand."""
    y, x = (side.ravel() for side in np.mgrid[:rows, :columns])
    x, y = (x + 0.5) / columns, (y + 0.5) / rows
    across, down = abs(2 * x - 1), abs(2 * y - 1)
    one_way = [x, y, (x + y) / 2, (x + 1 - y) / 2]
    one_way += [np.hypot(16 * across, 9 * down) / np.hypot(16, 9), np.maximum(across, down), (across + down) / 2]
    one_way += [across, down, np.arctan2(2 * x - 1, 1 - 2 * y) / (2 * np.pi) % 1]
    return np.array([*one_way, *(1 - shape for shape in one_way)], np.float32)


_FINE_SHAPES, _COARSE_SHAPES = _shapes(ROWS, COLUMNS), _shapes(ROWS // _COARSE, COLUMNS // _COARSE)


def wipes(pictures: Filled, slack: float = 1.0) -> list[Wipe]:
    """The wipes, by ranks, among pictures without hard cuts, in order.

    slack : above 1 if pictures are missing: by which a wipe may be less clear then
    """
    likely: list[Wipe] = []
    for wipe in sorted(_first_look(pictures, slack), key=lambda wipe: -wipe.score):
        if len(likely) == _TRIES or wipe.score < (_SCORE_SUSPECT if slack > 1 else _SCORE_LIKELY):
            break
        if not any(wipe.is_near(other) for other in likely) and not _pans(pictures.luma, wipe):
            likely.append(wipe)
    wipes: list[Wipe] = []
    for wipe in sorted((_refined(pictures.luma, wipe, slack) for wipe in likely), key=lambda wipe: -wipe.score):
        enough = wipe.score >= _SCORE / slack and wipe.length >= _SHORTEST
        if enough and not any(wipe.overlaps(other) for other in wipes):
            wipes.append(wipe)
    return [_ranked(wipe, pictures.ranks) for wipe in sorted(wipes, key=lambda wipe: wipe.start)]


def _ranked(wipe: Wipe, ranks: Places) -> Wipe:
    """A wipe by ranks instead of places."""
    start, end = max(0, wipe.start), min(wipe.end, len(ranks))
    return replace(wipe, start=int(ranks[0]) + start, length=end - start)


def _first_look(pictures: Filled, slack: float) -> Iterator[Wipe]:
    """The best shape for each length and start whose pictures before and after are of two shots."""
    luma = pictures.luma.reshape(-1, ROWS // _COARSE, _COARSE, COLUMNS // _COARSE, _COARSE)
    small = luma.mean((2, 4)).astype(np.uint8).reshape(len(luma), -1)
    for length in _LENGTHS:
        starts = np.arange(1, len(luma) - length, max(1, length // 8))
        starts = starts[pictures.may_hold(starts, length, _KNOWN if slack > 1 else _KNOWN_SURE * length)]
        if not len(starts):
            continue
        margin = max(1, length // _MARGIN)
        scores = _scores(small, _COARSE_SHAPES, starts, length, margin)
        for at in np.flatnonzero(scores.max(0) >= _SCORE_FIRST).tolist():
            shape = int(scores[:, at].argmax())
            yield Wipe(int(starts[at]), length, shape, float(scores[shape, at]))


def _scores(luma: Pictures, shapes: Floats, starts: Places, length: int, margin: int) -> Floats:
    """[shapes x starts] how clear the cut is if each point is shown when the edge reaches it: novelty times change
    across the edge, relative to the change in as much time before and after it."""
    far_before, before, after, far_after = _sides(luma, shapes[:, None], starts, length, margin)
    change = _mean(_apart(before, after))
    around = (_mean(_apart(far_before, before)) + _mean(_apart(after, far_after))) / 2
    spread = (_spread(before) + _spread(after)) / 2
    return np.asarray(change / (spread + NOISE) * change / (around + _CALM), np.float32)


def _cut_share(luma: Pictures, wipe: Wipe, margin: int) -> float:
    """The share of the points with a cut of their own."""
    sides = _sides(luma, _FINE_SHAPES[wipe.shape], np.array(wipe.start), wipe.length, margin)
    before, across, after = (_apart(one, other) for one, other in pairwise(sides))
    return float(((across > _CUT_LEAST) & (across > _CUT * np.maximum(before, after))).mean())


def _sides(luma: Pictures, shape: Floats, starts: Places, length: int, margin: int) -> list[Pictures]:
    """Four pictures [... x starts x points] in which each point is shown: long before the edge of a shape
    [... x points] reaches it, shortly before, shortly after and long after; in equal steps."""
    points, gap = luma.shape[1], 2 * margin + 1
    first, last = int(starts.min()) - 1 - margin - gap, int(starts.max()) + length + 1 + margin + gap
    near = luma[np.clip(np.arange(first, last + 1), 0, len(luma) - 1)].ravel()
    reached = starts[..., None] - 1 - margin - gap - first + np.floor(shape * (length + 1)).astype(np.int64)
    places = reached * points + np.arange(points)
    return [near[later * points :].take(places) for later in (0, gap, gap + 2 * margin + 1, 2 * gap + 2 * margin + 1)]


def _apart(one: Pictures, other: Pictures) -> Pictures:
    return np.asarray(np.maximum(one, other) - np.minimum(one, other))


def _mean(pictures: Pictures) -> Floats:
    """[...] of pictures [... x points]."""
    rows = pictures.reshape(-1, pictures.shape[-1])
    means = cv2.reduce(rows, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)
    return np.asarray(means, np.float32).reshape(pictures.shape[:-1])


def _spread(pictures: Pictures) -> Floats:
    means = np.rint(_mean(pictures)).astype(np.uint8)
    return _mean(_apart(pictures, means[..., None]))


def _refined(luma: Pictures, first: Wipe, slack: float) -> Wipe:
    """The wipe near one of the first look, to the picture. A soft edge takes several pictures to pass a point."""
    margin = max(1, first.length // _MARGIN)
    sharp = rough = _best_near(luma, first, max(2, first.length // 6), margin)
    beyond = _softness(luma, rough)
    for _ in range(2):  # the nearer the edge is, the less its softness is overrated
        sharp = _best_near(luma, sharp, max(3, beyond), beyond)
        beyond = _softness(luma, sharp)
    share = _cut_share(luma, rough, margin)
    is_wipe = share >= _CUT_SHARE / slack and beyond <= _SOFTEST * rough.length + 1
    score = rough.score * share if is_wipe else 0.0
    return Wipe(sharp.start - beyond, sharp.length + 2 * beyond, sharp.shape, score, share)


def _best_near(luma: Pictures, near: Wipe, reach: int, margin: int) -> Wipe:
    shape, best = _FINE_SHAPES[near.shape : near.shape + 1], replace(near, score=0.0)
    for length in range(max(4, near.length - 2 * reach), near.length + 2 * reach + 1):
        starts = np.arange(max(1, near.start - reach), near.start + reach + 1)
        starts = starts[np.abs(starts + length - near.end) <= reach]
        starts = starts[starts + length < len(luma)]
        if len(starts):
            scores = _scores(luma, shape, starts, length, margin)[0]
            at = int(scores.argmax())
            if scores[at] > best.score:
                best = Wipe(int(starts[at]), length, near.shape, float(scores[at]))
    return best


def _softness(luma: Pictures, wipe: Wipe) -> int:
    """Half the pictures for which the edge is at a point, beyond those that a sharp one needs to cross it: those in
    which it changes more than in the shot before or after."""
    reached = wipe.start - 1 + np.floor(_FINE_SHAPES[wipe.shape] * (wipe.length + 1)).astype(np.int64)
    reach = wipe.length // 3 + 2
    later = np.arange(-reach, reach + 2)
    places = np.clip(reached + later[:, None], 0, len(luma) - 1)
    shown = luma[places, np.arange(luma.shape[1])].astype(np.int16)
    change = np.abs(np.diff(shown, axis=0)).mean(1)
    edge = int(change.argmax())
    change -= np.where(np.arange(len(change)) <= edge, np.median(change[:3]), np.median(change[-3:]))
    strong = change > _SOFT * change.max()
    first, last = int(strong.argmax()), len(strong) - int(strong[::-1].argmax())
    beyond = (last - first - 1 - wipe.length / COLUMNS) / 2
    return math.ceil(beyond) if beyond > _CLEARLY else 0


def _pans(luma: Pictures, wipe: Wipe) -> bool:
    """Whether the camera pans: the middle of a picture is somewhere in the one a third of the wipe later, or what the
    edge meets on its way is the same everywhere, on both sides of it."""
    middle, part = wipe.start + wipe.length // 2, max(1, wipe.length // 6)
    one, other = (luma[place].reshape(ROWS, COLUMNS) for place in (middle - part, middle + part))
    inner = one[ROWS // 5 : -(ROWS // 5), COLUMNS // 4 : -(COLUMNS // 4)]
    if cv2.matchTemplate(other, np.ascontiguousarray(inner), cv2.TM_CCOEFF_NORMED).max() > _SLID:
        return True
    along = 1 - wipe.shape % (len(_FINE_SHAPES) // 2)
    if along < 0:  # neither across nor down
        return False
    margin = max(1, wipe.length // _MARGIN)
    _, before, after, _ = _sides(luma, _FINE_SHAPES[wipe.shape], np.array(wipe.start), wipe.length, margin)
    usual = luma[wipe.start - 1], luma[min(wipe.end, len(luma) - 1)]
    met = [_detail(side, along) / _detail(whole, along) for side, whole in zip((before, after), usual, strict=True)]
    return max(met) < _SAME


def _detail(picture: NDArray[np.integer], along: int) -> float:
    """How much a picture differs along its rows (1) or columns (0), in levels."""
    points = picture.reshape(ROWS, COLUMNS).astype(np.float32)
    return float(np.abs(points - points.mean(along, keepdims=True)).mean()) + 1
