"""The pictures of an output, whole or in segments: each segment rendered alone shows the same frames as in the whole.

A seam is a cut that no crossfade and no text goes over. Which seams bound segments is decided by what lies near each of
them, so that an event that comes or goes changes the segments beside it and no other.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from cinecut.compiler.layout.timeline import PlacedText
from cinecut.compiler.names import digest
from cinecut.compiler.picture.assembly import Stretches
from cinecut.compiler.picture.texts import FONTS, Screen, lower_texts
from cinecut.graph import filters
from cinecut.graph.nodes import Pad
from cinecut.language.timebase import nearest

_LEAST = Fraction(1)  # second of a segment


@dataclass(frozen=True, slots=True)
class PictureTrack:
    """All pictures of an output of `frames` frames, by the frame at which each stretch starts, and the texts over them.
    `marks`: a label for each cut."""

    frames: int
    stretches: Stretches
    texts: Sequence[PlacedText]
    screen: Screen
    marks: Mapping[int, str]

    def part(self, start: int, end: int, label: str) -> tuple[Pad, dict[str, bytes]]:
        """The frames [start, end) between two seams, with time from 0, and the text files they need."""
        pads = [pad for at, stretch in self.stretches.items() if start <= at < end for pad in stretch]
        texts = [text for text in self.texts if start <= text.range.start.index < end]
        if not texts:
            return filters.run(pads, self.screen.rate, label), {}
        written = lower_texts([replace(text, range=text.range.later(-start)) for text in texts], self.screen)
        file = f"titles_{digest(written)}.ass"
        over = filters.run(pads, self.screen.rate, label, lambda pad: filters.subtitles(pad, file, FONTS, "titles"))
        return over, {file: written}

    def segments(self) -> list[tuple[int, int]]:
        """The bounds of segments of a second at least, each as short as its seams let it be. Of seams that are closer
        together the one is taken whose mark has the smallest hash, so that an edit moves only the bounds near it."""
        least = max(1, nearest(_LEAST * self.screen.rate))
        order = {frame: hashlib.sha256(self.marks[frame].encode()).digest() for frame in self._seams() if frame}
        bounds = [0, self.frames]
        for frame in sorted(order, key=order.__getitem__):
            after = bisect_left(bounds, frame)
            if bounds[after - 1] + least <= frame <= bounds[after] - least:
                insort(bounds, frame)
        return list(pairwise(bounds))

    def _seams(self) -> list[int]:
        ranges = [text.range for text in self.texts]
        crossed = {frame for each in ranges for frame in range(each.start.index + 1, each.end.index)}
        return [frame for frame in self.stretches if frame not in crossed]
