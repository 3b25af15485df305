"""Hard cuts: a picture differs much from the one before, while the pictures around change less.

For two thumbnails, `change` is the mean difference of luma plus half those of chroma, in levels, and `novelty` is the
change divided by the pictures' own spread: about 0.05 inside a still shot, over 0.7 between shots, whatever their
contrast. At a cut the change is also larger than those around it (as in PySceneDetect's adaptive detector), unlike in
sudden movement. The product of the two decides.

Between two pieces of one set-up most of the picture stays. There, a tenth of its blocks that change at once, in calm
before and after, is a cut as well.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gops import Thumbs
from cinecut.analysis.film.strips import Strip

_NOISE = 4.0  # levels: a smaller spread is noise of a flat picture
_CALM = 0.5  # levels: a smaller change is coding noise
NOVEL = 0.4  # least novelty of a cut
SCORE = 4.5  # least product, of novelty and of change relative to the changes around, of a cut
_AROUND = 2  # pictures on each side
_FLASH = 3  # longest flash, in pictures
_MIN_CHANGE = 3.0  # levels
_AKIN = 0.75  # correlation
_BLOCK = 5  # rows and columns of a thumbnail in a block
SUDDEN = 0.1  # least share of blocks that change at once at a cut between look-alikes
_SUDDEN_RESET = 0.25  # the same at a key picture
_AT_ONCE, _AT_ONCE_LEAST = 2.5, 6.0  # such a block's change: times the largest around it, and levels more than that
STEADY = 4  # pictures on each side: a drawn figure that moves every third picture is not cut each time
_STIR = 2  # pixels of a thumbnail by which something moves rather than being cut
_WINDOW = (9, 9)  # pixels of a thumbnail in which details are compared
_DETAIL = 12.0  # least variance of details
_SAME_DETAIL = 0.6  # least correlation of what is the same in another light
_DETAILED, _NEW = 0.3, 0.08  # least share of a picture with details, and greatest part of it that is new
_ONE_WAY, _NEW_LIT = 0.75, 0.45  # least share of all change that is towards bright, or dark, where more may be new
_HECTIC = 10.0  # levels: a greater change around hides a cut between look-alikes

Cut: TypeAlias = tuple[int, float]


def spread(thumbs: Thumbs) -> NDArray[np.float32]:
    """[n] mean absolute deviation of the luma of thumbnails [n, 3, rows, columns], in levels."""
    luma = thumbs[:, :1]
    means = np.rint(luma.mean((1, 2, 3), keepdims=True)).astype(np.uint8)
    return np.asarray(_apart(luma, np.broadcast_to(means, luma.shape)).mean((1, 2, 3)), np.float32)


def change(before: Thumbs, after: Thumbs) -> NDArray[np.float32]:
    """[n] difference of thumbnails [n, 3, rows, columns], pair by pair, in levels."""
    return np.asarray(_apart(before, after).reshape(len(before), 3, -1).mean(2) @ np.array([1.0, 0.5, 0.5]), np.float32)


def _apart(before: Thumbs, after: Thumbs) -> Thumbs:
    """The absolute difference of thumbnails."""
    if not before.size:
        return np.zeros(before.shape, np.uint8)
    return np.asarray(cv2.absdiff(before.ravel(), after.ravel()), np.uint8).reshape(before.shape)


def _blocks(planes: Thumbs) -> NDArray[np.float32]:
    """[n, rows / 5, columns / 5] the mean of luma plus half those of chroma of each block of differences."""
    rows, columns = (length // _BLOCK for length in planes.shape[2:])
    across = np.kron(np.eye(columns, dtype=np.float32), np.full((_BLOCK, 1), 1 / _BLOCK, np.float32))
    luma, *chroma = planes[..., : rows * _BLOCK, : columns * _BLOCK].astype(np.float32).swapaxes(0, 1)
    parts = (luma + sum(chroma) / 2) @ across
    return np.asarray(parts.reshape(len(planes), rows, _BLOCK, columns).mean(2), np.float32)


def novelty(before: Thumbs, after: Thumbs) -> NDArray[np.float32]:
    """[n] change over spread, pair by pair."""
    return np.asarray(change(before, after) / ((spread(before) + spread(after)) / 2 + _NOISE), np.float32)


def is_similar(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether the middle of a picture [3, rows, columns] appears in the other, as after a pan."""
    rows, columns = one.shape[1:]
    middle = (slice(rows // 4, rows - rows // 4), slice(columns // 4, columns - columns // 4))
    match = cv2.matchTemplate(one[0], np.ascontiguousarray(other[0][middle]), cv2.TM_CCOEFF_NORMED)
    return float(match.max()) > _AKIN


@dataclass(frozen=True, slots=True)
class FoundCuts:
    """The cuts of a strip.

    cuts : rank of the first picture after each, and its score
    gaps : ranks of neighbouring decoded pictures with a cut somewhere between them
    flashes : half-open ranks from a flash's first picture up to and including the first that looks as before it
    """

    cuts: tuple[Cut, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    flashes: tuple[tuple[int, int], ...] = ()


def steps(strip: Strip) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """[n - 1] novelty, change and score of each picture of a strip, relative to the one before."""
    changes = change(strip.thumbs[:-1], strip.thumbs[1:])
    spreads = spread(strip.thumbs)
    novel = np.asarray(changes / ((spreads[:-1] + spreads[1:]) / 2 + _NOISE), np.float32)
    return novel, changes, _scores(strip, novel, changes)


def _scores(strip: Strip, novel: NDArray[np.float32], changes: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n - 1] the product of novelty and of change relative to the changes around."""
    return np.asarray(novel * changes / (_around(changes / np.diff(strip.ranks)) + _CALM), np.float32)


def sudden(strip: Strip) -> NDArray[np.float32]:
    """[n - 1] share of blocks that change at once, from each picture to the next; 0 in hectic stretches."""
    count, gap = len(strip.ranks) - 1, np.diff(strip.ranks)
    blocks = _blocks(_apart(strip.thumbs[:-1], strip.thumbs[1:]))
    most = np.zeros_like(blocks)
    for offset in (*range(-STEADY, 0), *range(1, STEADY + 1)):
        here = np.arange(max(0, -offset), min(count, count - offset))
        if len(here):
            longer = np.maximum(1, gap[here] / gap[here + offset])  # a longer gap holds more movement
            most[here] = np.maximum(most[here], blocks[here + offset] * longer[:, None, None])
    share = (blocks > _AT_ONCE * most + _AT_ONCE_LEAST).mean((1, 2))
    return np.where(most.mean((1, 2)) <= _HECTIC, share, 0).astype(np.float32)


def _stirs(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether most of the change between two lumas [rows, columns] is small movement."""
    rows, columns = (length // _BLOCK * _BLOCK for length in before.shape)
    wide = np.pad(before.astype(np.int16), _STIR, mode="edge")
    least = np.full((rows // _BLOCK, columns // _BLOCK), np.inf)
    for y in range(2 * _STIR + 1):
        for x in range(2 * _STIR + 1):
            moved = np.abs(wide[y : y + rows, x : x + columns] - after[:rows, :columns])
            least = np.minimum(least, moved.reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK).mean((1, 3)))
    return float((least > _AT_ONCE_LEAST).mean()) < SUDDEN / 2


def _is_relit(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether two lumas [rows, columns] show the same in another light: around nearly each point with details, one is
    the other, brighter or darker. A lamp at one side draws edges and drowns details, but no point goes the other way.
    """
    one, other = before.astype(np.float32), after.astype(np.float32)
    means = cv2.blur(one, _WINDOW), cv2.blur(other, _WINDOW)
    own = cv2.blur(one * one, _WINDOW) - means[0] ** 2
    others = cv2.blur(other * other, _WINDOW) - means[1] ** 2
    both = cv2.blur(one * other, _WINDOW) - means[0] * means[1]
    detailed = np.maximum(own, others) > _DETAIL
    new = detailed & (both < _SAME_DETAIL * np.sqrt(np.maximum(own * others, 1)))
    is_lit = abs(float((other - one).sum())) >= _ONE_WAY * float(np.abs(other - one).sum())
    most = (_NEW_LIT if is_lit else _NEW) * float(detailed.sum())
    return float(detailed.mean()) >= _DETAILED and float(new.sum()) <= most


def judge(strip: Strip, resets: Container[int] = ()) -> FoundCuts:
    """Find the cuts in a strip.

    resets : ranks of key pictures, where the errors that decoding has gathered disappear at once
    """
    if len(strip.ranks) < 2:
        return FoundCuts()
    novel, changes, score = steps(strip)
    bright: list[tuple[int, int]] = []
    for way in (1, -1):  # from both ends of a strobe
        if found := _flashes(strip.ranks[::way], strip.thumbs[::way], novel[::way], changes[::way]):
            bright += found
            strip = strip.without(found)
            novel, changes, score = steps(strip)
    alike = sudden(strip)
    alike[-1] = 0  # what comes after the last picture is not known
    alike[[int(rank) in resets for rank in strip.ranks[1:]]] *= SUDDEN / _SUDDEN_RESET
    strange = (novel >= NOVEL) & (changes >= _MIN_CHANGE)
    for i in np.flatnonzero((strange & (score >= SCORE)) | (alike >= SUDDEN)).tolist():
        if _is_relit(strip.thumbs[i][0], strip.thumbs[i + 1][0]):
            changes[i] = alike[i] = 0  # like a flash, it would hide a cut beside it
    score = np.maximum(_scores(strip, novel, changes), SCORE / SUDDEN * alike)
    cuts: list[Cut] = []
    gaps: list[tuple[int, int]] = []
    for i in np.flatnonzero((score >= SCORE) & (strange | (alike >= SUDDEN))).tolist():
        if not strange[i] and _stirs(strip.thumbs[i][0], strip.thumbs[i + 1][0]):
            continue
        before, after = int(strip.ranks[i]), int(strip.ranks[i + 1])
        if after - before == 1:
            cuts.append((after, float(score[i])))
        elif (before + 1, after) not in bright:
            gaps.append((before, after))
    return FoundCuts(tuple(cuts), tuple(gaps), tuple((start, back + 1) for start, back in bright))


def _flashes(
    ranks: NDArray[np.int64], thumbs: Thumbs, novel: NDArray[np.float32], changes: NDArray[np.float32]
) -> list[tuple[int, int]]:
    """The half-open ranks of the flashes, each between two pictures that look alike."""
    found: list[tuple[int, int]] = []
    last = -1
    for i in np.flatnonzero((novel >= NOVEL) & (changes >= _MIN_CHANGE)).tolist():
        back = _flash_end(thumbs, i, float(changes[i]), rests=i == last) if i >= last else None
        if back is not None and abs(int(ranks[back] - ranks[i])) <= _FLASH + 1:
            before, after = sorted((int(ranks[i]), int(ranks[back])))
            found.append((before + 1, after))
            last = back
    return found


def _around(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """[n] for each value, the mean of the two before and the two after it, or fewer at the ends."""
    padded = np.pad(values, _AROUND)
    there = np.pad(np.ones(len(values)), _AROUND)
    kernel = np.ones(2 * _AROUND + 1)
    kernel[_AROUND] = 0
    total = np.convolve(padded, kernel, "valid")
    return np.asarray(total / np.maximum(1, np.convolve(there, kernel, "valid")), np.float32)


def _flash_end(thumbs: Thumbs, i: int, step: float, rests: bool) -> int | None:
    """The index of the next picture that looks like the one before step i again; None if none soon does, or if more
    goes on than a flash: neither the picture before it nor the one after looks so, unless it is said that it `rests`.
    """
    first = max(0, i - 1)
    near = thumbs[first : i + 3 + _FLASH]
    before = np.repeat(thumbs[i : i + 1], len(near), 0)
    alike = change(before, near) < 0.3 * step
    back = next((at for at in range(i + 2, min(i + 2 + _FLASH, len(thumbs))) if alike[at - first]), None)
    if back is None:
        return None
    rests |= bool(first < i and alike[0]) or back + 1 == len(thumbs) or bool(alike[back + 1 - first])
    return back if rests else None


def flashes(verdicts: Iterable[FoundCuts]) -> list[tuple[int, int]]:
    """The half-open stretches of ranks that are flashes."""
    return [(start, end - 1) for verdict in verdicts for start, end in verdict.flashes]


def merge(verdicts: Iterable[FoundCuts], shortest: int = 3) -> list[int]:
    """The ranks of all cuts in order, without flashes; of cuts too close together, the one with the highest score."""
    verdicts = list(verdicts)
    bright = [flash for verdict in verdicts for flash in verdict.flashes]
    kept: list[Cut] = []
    for rank, score in sorted(cut for verdict in verdicts for cut in verdict.cuts):
        if any(start <= rank < end for start, end in bright):
            continue
        if kept and rank - kept[-1][0] < shortest:
            kept[-1] = max(kept[-1], (rank, score), key=lambda cut: cut[1])
        else:
            kept.append((rank, score))
    return [rank for rank, _ in kept]
