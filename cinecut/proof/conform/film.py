"""A film in which places are looked for: its key pictures at once, all others where they are asked for.

Both are kept by the film's content, so that a second trailer of it decodes what the first did not.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
_AT_HAND = 48  # groups whose vectors are kept in memory
_FOLDER = "conform"
_EVERY = 3  # frames between two of an outline
_WHOLE = (slice(None), slice(None))
_EMPTY = np.empty((0, HEIGHT, WIDTH), np.uint8)


@dataclass
class FilmPictures:
    """A film's pictures by their ranks in showing order, small and without its bars."""

    path: Path
    facts: FilmFacts
    survey: Survey
    blocks: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    outlines: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    at_hand: dict[int, Vectors] = field(default_factory=dict)
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
            self.blocks[group] = self._kept_or(self._file(group), lambda: self._decode(group))
        return self.blocks[group]

    def between(self, first: int, last: int) -> tuple[int, Vectors]:
        """The vectors of the pictures [first, last), as far as there are such, and the first one's rank."""
        first, last = max(0, first), min(self.count, last)
        if last <= first:
            return first, vectors_of(_EMPTY)
        groups = range(self.group_at(first), self.group_at(last - 1) + 1)
        vectors = np.concatenate([self._vectors(group) for group in groups])
        begin = int(self.starts[groups[0]])
        return first, vectors[first - begin : last - begin]

    def luma_between(self, first: int, last: int) -> NDArray[np.uint8]:
        """The pictures [first, last), all of which there are."""
        groups = range(self.group_at(first), self.group_at(last - 1) + 1)
        begin = int(self.starts[groups[0]])
        return np.concatenate([self.block(group) for group in groups])[first - begin : last - begin]

    def _vectors(self, group: int) -> Vectors:
        """Of the pictures of a group; those that were asked for last are at hand."""
        vectors = self.at_hand.pop(group, None)
        self.at_hand[group] = vectors if vectors is not None else vectors_of(self.block(group))
        while len(self.at_hand) > _AT_HAND:
            del self.at_hand[next(iter(self.at_hand))]
        return self.at_hand[group]

    @cached_property
    def _inside(self) -> tuple[slice, slice]:
        return inside(self.survey.bars)

    def outline(self, group: int) -> NDArray[np.uint8]:
        """Some pictures of a group [n, HEIGHT, WIDTH], a few frames apart: those that others refer to."""
        if group not in self.outlines:
            if group in self.blocks or self._file(group).exists():
                self.outlines[group] = self.block(group)[::_EVERY]
            else:
                self.outlines[group] = self._kept_or(self._file(group, "outline"), lambda: self._sketch(group))
        return self.outlines[group]

    def sketch_all(self) -> None:
        """The outlines of all groups, made side by side."""
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(self.outline, range(len(self.starts))))

    def _sketch(self, group: int) -> NDArray[np.uint8]:
        end, found = self._end(group), list[NDArray[np.uint8]]()
        with GroupReader(self.path, self.survey.index, self._inside) as reader:
            for rank, thumb in reader.pictures(group, np.zeros(self.count + 1, bool)):
                if rank >= end:
                    break
                found.append(framed(thumb, _WHOLE))
        return np.stack(found) if found else _EMPTY

    def _end(self, group: int) -> int:
        return int(self.starts[group + 1]) if group + 1 < len(self.starts) else self.count

    def _file(self, group: int, kind: str = "frames") -> Path:
        return cache_folder() / _FOLDER / f"{self.facts.fingerprint}-{self._shape}" / f"{group}.{kind}"

    @staticmethod
    def _kept_or(file: Path, make: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """What a file holds; where there is none, what is made and kept in it."""
        if file.exists() and file.stat().st_size % (HEIGHT * WIDTH) == 0:
            return np.frombuffer(file.read_bytes(), np.uint8).reshape(-1, HEIGHT, WIDTH)
        made = make()
        file.parent.mkdir(parents=True, exist_ok=True)
        write_beside(file, made.tobytes())
        return made

    @cached_property
    def _shape(self) -> str:
        """What of the frame is looked at."""
        rows, columns = self._inside
        return f"{rows.start}.{rows.stop}.{columns.start}.{columns.stop}"

    def _decode(self, group: int) -> NDArray[np.uint8]:
        start, end = int(self.starts[group]), self._end(group)
        found = np.zeros((end - start, HEIGHT, WIDTH), np.uint8)
        last = start - 1
        fine = np.zeros(self.count + 1, bool)
        fine[start:end] = True
        with GroupReader(self.path, self.survey.index, self._inside) as reader:
            for rank, thumb in reader.pictures(group, fine):
                if rank >= end:
                    break
                if rank >= start:
                    found[max(last + 1, start) - start : rank - start + 1] = framed(thumb, _WHOLE)
                    last = rank
                if rank == end - 1:
                    break
        self.decoded += end - start
        if 0 <= last - start < end - start - 1:
            found[last - start + 1 :] = found[last - start]
        return found
