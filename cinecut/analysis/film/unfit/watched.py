"""Which pictures of a film are looked at for supers: one each half second of its opening and its ending.

There credits lie over moving pictures. Of a group in these parts every reference picture is decoded; most of them are
in any case, to find the cuts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from cinecut.analysis.film.unfit.supers import TALLEST, Sample, seen

_EVERY = Fraction(1, 2)  # seconds
_OPENING, _OPENING_LEAST, _OPENING_MOST = Fraction(1, 10), 60, 300  # of the film, and seconds
_LEAST = 32  # pixels of the lesser side
_ENDING, _ENDING_MOST = Fraction(1, 8), 900


@dataclass(frozen=True, slots=True)
class Parts:
    """The ranks at which a film's opening ends and its ending begins, and those between two samples."""

    opening: int
    ending: int
    every: int

    @classmethod
    def of(cls, pictures: int, rate: Fraction) -> Parts:
        opening = min(max(_OPENING * pictures, _OPENING_LEAST * rate), _OPENING_MOST * rate)
        ending = min(_ENDING * pictures, _ENDING_MOST * rate)
        return cls(int(opening), int(pictures - ending), max(1, round(_EVERY * rate)))

    def meet(self, start: int, end: int) -> bool:
        """Whether a stretch of ranks, half-open, reaches into one of them."""
        return start < self.opening or end > self.ending


@dataclass(slots=True)
class Samples:
    """The samples of some pictures that are decoded one after the other."""

    every: int
    taken: list[Sample] = field(default_factory=list)

    def see(self, rank: int, frame: VideoFrame) -> None:
        """Take a sample of a picture, if the last one is long enough ago. Where no type fits, there are none."""
        if min(frame.width, frame.height) < _LEAST:
            return
        if not self.taken or rank >= self.taken[-1].rank + self.every:
            self.taken.append(seen(rank, _luma(frame)))


def _luma(frame: VideoFrame) -> NDArray[np.uint8]:
    """The luma of a picture in eight bits, at most 720 rows of it unless it is stored so."""
    if frame.format.name in ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"):
        plane = frame.planes[0]
        stored = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return np.asarray(stored[: plane.height, : plane.width])
    height = min(frame.height, TALLEST)
    width = max(_LEAST, frame.width * height // frame.height // 2 * 2)
    small = frame.reformat(width=width, height=height, format="gray")
    return np.asarray(small.to_ndarray(), np.uint8)
