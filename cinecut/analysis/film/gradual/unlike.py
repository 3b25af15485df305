"""Which pictures of an outline can be of two shots: between no others is there a gradual cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gradual.outline import LEAST, LEAST_NOVELTY, LIKE, NOISE

_FARTHEST = 80  # ranks between two pictures with a gradual cut between them
_BLOCK = 512  # pictures that are compared together, so that a long shot takes no more memory than a short one
_BESIDE = 24  # pictures on both sides of a gradual cut by which it is judged

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Unlike:
    """table [n x 80] : whether a picture and the one 1, 2, … places later can be of two shots."""

    table: NDArray[np.bool_]

    @classmethod
    def of(cls, ranks: NDArray[np.int64], luma: NDArray[np.uint8]) -> Unlike:
        """Compare pictures, ranks [n] strictly rising and luma [n x points], with the next ones."""
        table = np.zeros((len(ranks), _FARTHEST), np.bool_)
        for start in range(0, len(ranks), _BLOCK):
            near = slice(start, start + _BLOCK + _FARTHEST)
            before, after = _unlike(ranks[near], luma[near], _BLOCK)
            table[start + before, after - before - 1] = True
        return cls(table)

    def pairs(self, before: Places, after: Places) -> NDArray[np.bool_]:
        """[n] whether pictures, named by their places, can be of two shots."""
        later = after - before - 1
        there = (later >= 0) & (later < _FARTHEST)
        return np.asarray(there & self.table[before, np.clip(later, 0, _FARTHEST - 1)])

    def within(self, part: slice) -> Unlike:
        """The same of a part of the pictures."""
        return Unlike(self.table[part])

    def parts(self) -> list[slice]:
        """The places, in order, between and around which there can be a gradual cut."""
        first = np.flatnonzero(self.table.any(1))
        last = first + _FARTHEST - self.table[first, ::-1].argmax(1)
        parts: list[slice] = []
        for start, end in zip((first - _BESIDE).tolist(), (last + _BESIDE + 1).tolist(), strict=True):
            if parts and start <= parts[-1].stop:
                parts[-1] = slice(parts[-1].start, max(end, parts[-1].stop))
            else:
                parts.append(slice(max(0, start), end))
        return parts


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """Pictures without gaps: the missing ones are shown as their nearest neighbours.

    ranks [n], luma [n x 576]; nearest [n] : the place of each among those that are known
    known [n + 1] : how many pictures before each place are no such copies
    """

    ranks: NDArray[np.int64]
    luma: NDArray[np.uint8]
    nearest: NDArray[np.int64]
    known: NDArray[np.int64]
    unlike: Unlike

    @classmethod
    def of(cls, ranks: NDArray[np.int64], luma: NDArray[np.uint8], unlike: Unlike) -> Filled:
        every = np.arange(ranks[0], ranks[-1] + 1)
        nearest = np.searchsorted((ranks[1:] + ranks[:-1]) / 2, every)
        return cls(every, luma[nearest], nearest, np.append(0, np.cumsum(np.isin(every, ranks))), unlike)

    def all_known(self, start: int, end: int) -> bool:
        return int(self.known[end] - self.known[start]) == end - start

    def may_hold(self, starts: NDArray[np.int64], length: int, least: float) -> NDArray[np.bool_]:
        """[n] whether a gradual cut of `length` pictures can begin at each place: at least so many of them are known,
        and the pictures before and after are unlike."""
        enough = self.known[starts + length] - self.known[starts] >= least
        enough &= self.unlike.pairs(self.nearest[starts - 1], self.nearest[starts + length])
        return np.asarray(enough)


def _unlike(ranks: NDArray[np.int64], luma: NDArray[np.uint8], count: int) -> tuple[Places, Places]:
    """The pairs of pictures, by their places, that can be of two shots: the first is one of the first `count`."""
    centred = luma.astype(np.float32)
    means = centred.mean(1)
    centred -= means[:, None]
    spread, square = np.abs(centred).mean(1), (centred**2).sum(1)
    both = centred[:count] @ centred.T
    before, after = np.nonzero(both <= LIKE * np.sqrt(np.maximum(1, np.outer(square[:count], square))))
    near = (after > before) & (ranks[after] - ranks[before] <= _FARTHEST)
    before, after = before[near], after[near]
    least = np.maximum(LEAST, LEAST_NOVELTY * ((spread[before] + spread[after]) / 2 + NOISE))
    apart = (square[before] + square[after] - 2 * both[before, after]) / luma.shape[1] + (
        means[before] - means[after]
    ) ** 2
    far = apart >= least**2  # the mean difference is no greater than the root of the mean square
    before, after, least = before[far], after[far], least[far]
    levels = [
        _levels(luma, before[part], after[part])
        for part in np.array_split(np.arange(len(before)), 1 + len(before) // 4096)
    ]
    enough = np.concatenate(levels) >= least
    return before[enough], after[enough]


def _levels(luma: NDArray[np.uint8], before: Places, after: Places) -> NDArray[np.float32]:
    one, other = luma[before], luma[after]
    return np.asarray((np.maximum(one, other) - np.minimum(one, other)).mean(1, dtype=np.float32))
