"""Where gradual cuts may be: looked for while the rest of the film is still searched for hard ones.

Between two hard cuts nothing depends on what comes later. So each such stretch is looked at as soon as it is known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.blends import Blend, dissolves
from cinecut.analysis.film.cuts import FoundCuts, flashes, merge
from cinecut.analysis.film.gradual.outline import Outline
from cinecut.analysis.film.gradual.ramps import REACH

_SLACK = 1.2  # by which a dissolve may look stranger in an outline that lacks pictures
_SUSPECT = 5  # least pictures of it there: fewer are too little evidence
_BESIDE = REACH + 2  # pictures on both sides of it that are wanted
_GAP, _FURTHER = 16, 24  # pictures in a row that an outline may lack, and how many more are wanted where it does
_SURE = _BESIDE + 4  # pictures known beyond a cut, after which nothing changes it, and what is around it is known
_END = 1 << 62  # a rank after all pictures


class Suspects:
    """The dissolves, wipes and pushes that the outline of a film makes likely; its parts come in order."""

    def __init__(self) -> None:
        self.blends: list[Blend] = []
        self._verdicts: list[FoundCuts] = []
        self._outlines: list[Outline] = []
        self._begin = 0  # the first rank that has not been looked at

    def add(self, verdict: FoundCuts, outline: Outline) -> list[tuple[int, int]]:
        """Look at what is known with one more part; returns the stretches of ranks of which all pictures are wanted."""
        self._verdicts.append(verdict)
        self._outlines.append(outline)
        return self._looked(int(outline.ranks[-1]) - _SURE) if len(outline.ranks) else []

    def rest(self) -> list[tuple[int, int]]:
        """The same for what is left after the last part."""
        return self._looked(_END) if self._outlines else []

    def _looked(self, sure: int) -> list[tuple[int, int]]:
        """Look at the stretches that end with a cut up to rank `sure`, or at all."""
        cuts = [cut for cut in merge(self._verdicts) if self._begin < cut <= sure]
        if not cuts and sure < _END:
            return []
        end = sure if sure == _END else cuts[-1]
        outline = Outline.joined(self._outlines).without(flashes(self._verdicts))
        (part,) = outline.near([(self._begin, end)])
        blends = [blend for blend in dissolves(part, cuts, [], _SLACK) if blend.end - blend.start >= _SUSPECT]
        self.blends += blends
        self._begin = end
        self._forget(end - _SURE - _FURTHER)
        return [around(blend, outline.ranks) for blend in blends]

    def _forget(self, rank: int) -> None:
        """Keep no parts that lie before a rank."""
        while len(self._outlines) > 1 and self._outlines[0].ranks.max(initial=-1) < rank:
            del self._verdicts[0], self._outlines[0]


def around(blend: Blend, ranks: NDArray[np.int64]) -> tuple[int, int]:
    """The pictures to judge a suspected gradual cut by: more of them on a side where the outline lacks pictures, since
    it may begin or end among those."""
    start, end = blend.start - _BESIDE, blend.end + _BESIDE
    first, begins, ends, last = np.searchsorted(ranks, [start, blend.start, blend.end, end])
    before = np.diff(ranks[max(0, first - 1) : begins + 1]).max(initial=0) > _GAP
    after = np.diff(ranks[max(0, ends - 1) : last + 1]).max(initial=0) > _GAP
    return start - before * _FURTHER, end + after * _FURTHER
