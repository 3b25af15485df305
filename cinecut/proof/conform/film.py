"""A film in which places are looked for: its key pictures at once, all others where they are asked for.

Both are kept by the film's content, so that a second trailer of it decodes what the first did not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gops import Survey, inside, survey
from cinecut.analysis.film.strips import GroupReader
from cinecut.files import cache_folder, write_beside
from cinecut.language.facts import FilmFacts
from cinecut.media.probe import film_facts
from cinecut.proof.conform.vectors import HEIGHT, WIDTH, Vectors, framed, vectors_of

_THREADS = 2
_FOLDER = "conform"
_EMPTY = np.empty((0, HEIGHT, WIDTH), np.uint8)


@dataclass
class FilmPictures:
    """A film's pictures by their ranks in showing order, small and without its bars."""

    path: Path
    facts: FilmFacts
    survey: Survey
    blocks: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    decoded: int = 0  # pictures

    @classmethod
    def open(cls, path: Path, progress: Callable[[float], None]) -> FilmPictures:
        """Raises Stop, and Unstamped where the film's packets do not say when they are shown."""
        facts = film_facts(path)
        return cls(path, facts, survey(path, facts, _THREADS, progress))

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The rank at which each group of pictures begins."""
        index = self.survey.index
        return np.asarray(index.rank[index.groups], np.int64)

    @cached_property
    def keys(self) -> Vectors:
        """Of the first picture of each group."""
        thumbs = [None if key is None else framed(key.thumb, self._inside) for key in self.survey.keys]
        return vectors_of(np.stack([np.zeros((HEIGHT, WIDTH), np.uint8) if t is None else t for t in thumbs]))

    @property
    def count(self) -> int:
        return len(self.survey.index.shown)

    def time(self, rank: int) -> Fraction:
        """When a picture is shown, in seconds of the film."""
        return self.survey.clock.time(int(self.survey.index.shown[min(max(rank, 0), self.count - 1)])).seconds

    def group_at(self, rank: int) -> int:
        return max(0, int(np.searchsorted(self.starts, rank, "right")) - 1)

    def block(self, group: int) -> NDArray[np.uint8]:
        """The pictures of a group [n, HEIGHT, WIDTH]; a damaged one is the one before it again."""
        if group not in self.blocks:
            self.blocks[group] = self._kept(group) if self._file(group).exists() else self._decode(group)
        return self.blocks[group]

    def between(self, first: int, last: int) -> tuple[int, Vectors]:
        """The vectors of the pictures [first, last), as far as there are such, and the first one's rank."""
        first, last = max(0, first), min(self.count, last)
        if last <= first:
            return first, vectors_of(_EMPTY)
        groups = range(self.group_at(first), self.group_at(last - 1) + 1)
        pictures = np.concatenate([self.block(group) for group in groups])
        begin = int(self.starts[groups[0]])
        return first, vectors_of(pictures[first - begin : last - begin])

    @cached_property
    def _inside(self) -> tuple[slice, slice]:
        return inside(self.survey.bars)

    def _file(self, group: int) -> Path:
        return cache_folder() / _FOLDER / f"{self.facts.fingerprint}-{self._shape}" / f"{group}.raw"

    @cached_property
    def _shape(self) -> str:
        """What of the frame is looked at."""
        rows, columns = self._inside
        return f"{rows.start}.{rows.stop}.{columns.start}.{columns.stop}"

    def _kept(self, group: int) -> NDArray[np.uint8]:
        return np.frombuffer(self._file(group).read_bytes(), np.uint8).reshape(-1, HEIGHT, WIDTH)

    def _decode(self, group: int) -> NDArray[np.uint8]:
        start = int(self.starts[group])
        end = int(self.starts[group + 1]) if group + 1 < len(self.starts) else self.count
        found = np.zeros((end - start, HEIGHT, WIDTH), np.uint8)
        whole, last = (slice(None), slice(None)), start - 1
        fine = np.zeros(self.count + 1, bool)
        fine[start:end] = True
        with GroupReader(self.path, self.survey.index, self._inside) as reader:
            for rank, thumb in reader.pictures(group, fine):
                if rank >= end:
                    break
                if rank >= start:
                    found[max(last + 1, start) - start : rank - start + 1] = framed(thumb, whole)
                    last = rank
                if rank == end - 1:
                    break
        self.decoded += end - start
        if 0 <= last - start < end - start - 1:
            found[last - start + 1 :] = found[last - start]
        self._file(group).parent.mkdir(parents=True, exist_ok=True)
        write_beside(self._file(group), found.tobytes())
        return found
