"""Hard cuts: where a picture has nothing to do with the one before, and its neighbours are calmer.

For two thumbnails, `change` is the mean difference of luma plus half those of chroma, in levels, and `novelty` is the
change over the pictures' own spread: about 0.05 inside a still shot, over 0.7 between shots, whatever their contrast.
At a cut the change also stands out from those around it (as in PySceneDetect's adaptive detector), which sudden
movement seldom does. The product of the two decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gops import Thumbs
from cinecut.analysis.film.strips import Strip

_NOISE = 4.0  # levels: a spread below this is noise of a flat picture
_CALM = 0.5  # levels: change below this is coding noise
NOVEL = 0.4  # novelty that a cut has at least
SCORE = 4.5  # novelty times contrast with the changes around, that a cut has at least
_AROUND = 2  # pictures on each side
_FLASH = 3  # pictures that a flash lasts at most
_MIN_CHANGE = 3.0  # levels
_AKIN = 0.75  # correlation

Cut: TypeAlias = tuple[int, float]


def spread(thumbs: Thumbs) -> NDArray[np.float32]:
    """[n] mean absolute deviation of the luma of thumbnails [n, 3, rows, columns], in levels."""
    luma = thumbs[:, 0].reshape(len(thumbs), -1).astype(np.float32)
    return np.asarray(np.abs(luma - luma.mean(1, keepdims=True)).mean(1), np.float32)


def change(before: Thumbs, after: Thumbs) -> NDArray[np.float32]:
    """[n] difference of thumbnails [n, 3, rows, columns], pair by pair, in levels."""
    planes = np.abs(before.astype(np.int16) - after).reshape(len(before), 3, -1).mean(2)
    return np.asarray(planes @ np.array([1.0, 0.5, 0.5]), np.float32)


def novelty(before: Thumbs, after: Thumbs) -> NDArray[np.float32]:
    """[n] change over spread, pair by pair."""
    return np.asarray(change(before, after) / ((spread(before) + spread(after)) / 2 + _NOISE), np.float32)


def akin(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether the middle of a picture [3, rows, columns] is found in the other, as after a pan."""
    rows, columns = one.shape[1:]
    middle = (slice(rows // 4, rows - rows // 4), slice(columns // 4, columns - columns // 4))
    match = cv2.matchTemplate(one[0], np.ascontiguousarray(other[0][middle]), cv2.TM_CCOEFF_NORMED)
    return float(match.max()) > _AKIN


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a strip shows.

    cuts : rank of the first new picture, and how clear the cut is
    gaps : ranks of neighbouring pictures of the outline between which a cut may hide
    flashes : half-open ranks from the first picture of a flash to the first after it that looks as before, included
    """

    cuts: tuple[Cut, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    flashes: tuple[tuple[int, int], ...] = ()


def steps(strip: Strip) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """[n - 1] novelty, change and score of each picture of a strip against the one before."""
    changes = change(strip.thumbs[:-1], strip.thumbs[1:])
    spreads = spread(strip.thumbs)
    novel = np.asarray(changes / ((spreads[:-1] + spreads[1:]) / 2 + _NOISE), np.float32)
    score = novel * changes / (_around(changes / np.diff(strip.ranks)) + _CALM)
    return novel, changes, np.asarray(score, np.float32)


def judge(strip: Strip) -> Verdict:
    """Find the cuts in a strip."""
    if len(strip.ranks) < 2:
        return Verdict()
    gap = np.diff(strip.ranks)
    novel, changes, score = steps(strip)
    cuts: list[Cut] = []
    gaps: list[tuple[int, int]] = []
    flashes: list[tuple[int, int]] = []
    for i in np.flatnonzero((score >= SCORE) & (novel >= NOVEL) & (changes >= _MIN_CHANGE)).tolist():
        before, after = int(strip.ranks[i]), int(strip.ranks[i + 1])
        if gap[i] > 1:
            gaps.append((before, after))
        elif (back := _flash_end(strip.thumbs, i, float(changes[i]))) is not None:
            flashes.append((after, int(strip.ranks[back]) + 1))
        else:
            cuts.append((after, float(score[i])))
    return Verdict(tuple(cuts), tuple(gaps), tuple(flashes))


def _around(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """[n] mean of the up to two values on each side of each."""
    padded = np.pad(values, _AROUND)
    there = np.pad(np.ones(len(values)), _AROUND)
    kernel = np.ones(2 * _AROUND + 1)
    kernel[_AROUND] = 0
    total = np.convolve(padded, kernel, "valid")
    return np.asarray(total / np.maximum(1, np.convolve(there, kernel, "valid")), np.float32)


def _flash_end(thumbs: Thumbs, i: int, step: float) -> int | None:
    """The place within the next few where the picture from before step i is back."""
    ahead = thumbs[i + 2 : i + 2 + _FLASH]
    if not len(ahead):
        return None
    alike = np.flatnonzero(change(np.repeat(thumbs[i : i + 1], len(ahead), 0), ahead) < 0.3 * step)
    return i + 2 + int(alike[0]) if len(alike) else None


def merge(verdicts: Iterable[Verdict], shortest: int = 3) -> list[int]:
    """The ranks of cuts in order, without the ends of flashes; of cuts too close to each other the clearest stays."""
    verdicts = list(verdicts)
    flashes = [flash for verdict in verdicts for flash in verdict.flashes]
    kept: list[Cut] = []
    for rank, score in sorted(cut for verdict in verdicts for cut in verdict.cuts):
        if any(start <= rank < end for start, end in flashes):
            continue
        if kept and rank - kept[-1][0] < shortest:
            kept[-1] = max(kept[-1], (rank, score), key=lambda cut: cut[1])
        else:
            kept.append((rank, score))
    return [rank for rank, _ in kept]
