"""The outline of a film: every picture that was decoded to find its cuts, much reduced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gops import Thumbs

COLUMNS, ROWS = 32, 18
LEAST, LEAST_NOVELTY = 8.0, 0.5  # least levels between pictures of two shots, and relative to their spread
LIKE = 0.65  # greatest correlation of two such pictures
NOISE = 4.0  # levels of spread that say nothing


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

    def near(self, stretches: Sequence[tuple[int, int]]) -> list[Outline]:
        """The parts in disjoint half-open stretches of ranks."""
        parts = np.searchsorted(self.ranks, np.array(stretches, np.int64).reshape(-1, 2)).tolist()
        return [Outline(self.ranks[first:last], self.luma[first:last]) for first, last in parts]


def outline_of(thumbs: Thumbs, ranks: NDArray[np.int64]) -> Outline:
    """The outline of thumbnails [n, 3, rows, columns] and their ranks."""
    luma = np.empty((len(ranks), ROWS, COLUMNS), np.uint8)
    for thumb, target in zip(thumbs, luma, strict=True):
        cv2.resize(np.ascontiguousarray(thumb[0]), (COLUMNS, ROWS), dst=target, interpolation=cv2.INTER_AREA)
    return Outline(np.asarray(ranks, np.int64), luma.reshape(len(ranks), ROWS * COLUMNS))


def spreads(outline: Outline) -> NDArray[np.float32]:
    """[n] mean absolute deviation of each picture's luma, in levels."""
    means = outline.luma.mean(1, dtype=np.float32, keepdims=True)
    parts = [np.abs(outline.luma[block] - means[block]).mean(1) for block in blocks(len(outline.luma))]
    return np.concatenate(parts, dtype=np.float32)


def has_plain_ground(outline: Outline) -> NDArray[np.bool_]:
    """[n] whether half of each picture has about the same luma, as the background of a title mostly has."""
    plain = []
    for block in blocks(len(outline.luma)):
        luma = outline.luma[block].astype(np.int16)
        plain.append((np.abs(luma - np.median(luma, 1, keepdims=True)) <= 8).mean(1) > 0.5)
    return np.concatenate(plain)


def blocks(length: int) -> list[slice]:
    """Slices (at least one) of a number of pictures, so that a long film takes no more memory than a short one."""
    return [slice(start, start + 2048) for start in range(0, max(1, length), 2048)]
