"""A film in which places are looked for: its key pictures at once, all others where they are asked for.

Both are kept by the film's content, so that a second trailer of it decodes only what the first did not.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.cache import Cache, opened, sealed
from cinecut.analysis.film.gops import (
    THUMB_COLUMNS,
    THUMB_ROWS,
    Clock,
    Inside,
    PacketIndex,
    Unstamped,
    inside,
    survey,
)
from cinecut.analysis.film.screen import Bars
from cinecut.analysis.film.search import plan
from cinecut.analysis.film.strips import GroupReader
from cinecut.analysis.stage import Stage, StageRunner
from cinecut.diagnostics import Stop
from cinecut.files import beside, cache_folder, content_of, new_folder
from cinecut.language.facts import FilmFacts
from cinecut.media.probe import film_facts
from cinecut.proof.conform.places.vectors import TINTS, WHOLE, Vectors, View, colors_of, framed, tints_of, vectors_of

THREADS = 2
_AT_HAND = 64  # groups whose pictures and vectors are kept in memory
CLOSE_UP = (240, 135)  # columns and rows of a picture that is looked at closely
_CLOSE_AT_HAND = 6  # groups of which those are kept in memory
_TELLING, _LEADING = 12, 4  # packets by whose sizes a group is known; those of the next one that count too
_FOLDER = "conform"
_Level = TypeVar("_Level", np.uint8, np.float32)
_ALL: Inside = (slice(None), slice(None))
_SHAPE = (THUMB_ROWS, THUMB_COLUMNS)
_EMPTY = np.empty((0, *_SHAPE), np.uint8)
_LUMA, _ROW = THUMB_ROWS * THUMB_COLUMNS, THUMB_ROWS * THUMB_COLUMNS + TINTS  # bytes of a picture


@dataclass(frozen=True, slots=True, eq=False)
class KeyPictures:
    """What one pass over a film tells: its packets (as in PacketIndex), and the first picture of each group."""

    pts: NDArray[np.int64]  # [n] in units of `time_base`
    size: NDArray[np.int64]  # [n] bytes
    key: NDArray[np.bool_]  # [n]
    groups: NDArray[np.int64]  # [m]
    time_base: Fraction
    thumbs: NDArray[np.uint8]  # [m, 3, 45, 80]; black where one is damaged
    cut: NDArray[np.bool_]  # [m] whether a packet inside a group may begin another shot, which its first picture hides
    bars: Bars


def key_pictures(film: Path, facts: FilmFacts, progress: Callable[[float], None]) -> KeyPictures:
    """Raises Stop where the film cannot be read, or its packets do not say when they are shown."""
    try:
        surveyed = survey(film, facts, THREADS, progress)
    except Unstamped:
        hint = "write it again with time stamps: ffmpeg -i FILM -c copy film.mkv"
        raise Stop("unreadable", f"{film}: its packets do not say when they are shown", hint) from None
    black = np.zeros((3, THUMB_ROWS, THUMB_COLUMNS), np.uint8)
    thumbs = np.stack([black if key is None else key.thumb for key in surveyed.keys])
    index, groups = surveyed.index, plan(surveyed)
    cut = np.array([any(g.start < a and b < g.end for a, b in g.suspects) for g in groups], bool)
    return KeyPictures(
        index.pts, index.size, index.key, index.groups, surveyed.clock.time_base, thumbs, cut, surveyed.bars
    )


KEY_PICTURES = Stage("key_pictures", KeyPictures, key_pictures)


@dataclass
class FilmPictures:
    """A film's pictures by their ranks in showing order, small and without its bars. May be used by several threads.

    view : the part of its pictures that the trailer shows; all vectors are of that part
    asked : pictures that were asked for so far: what is found may depend on that, never on what is decoded already
    """

    path: Path
    facts: FilmFacts
    known: KeyPictures
    view: View = WHOLE
    asked: int = 0
    _asked: set[str] = field(default_factory=set)  # files of groups that were
    _keys: tuple[View, Vectors] | None = None
    _at_hand: dict[tuple[int, View], Vectors] = field(default_factory=dict)
    _locks: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _readers: SimpleQueue[GroupReader] = field(default_factory=SimpleQueue)
    _close_ups: dict[int, NDArray[np.uint8]] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(cls, path: Path, progress: Callable[[float], None]) -> Iterator[FilmPictures]:
        """Raises Stop."""
        facts = film_facts(path)
        line = StageRunner(Cache(facts.fingerprint), lambda stage, done: progress(done))
        film = cls(path, facts, line.run(KEY_PICTURES, path, facts))
        try:
            yield film
        finally:
            while not film._readers.empty():
                film._readers.get().__exit__()

    @cached_property
    def index(self) -> PacketIndex:
        known = self.known
        return PacketIndex.of(known.pts.tolist(), known.size.tolist(), known.key.tolist(), known.groups.tolist())

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The rank at which each group of pictures begins."""
        return np.asarray(self.index.rank[self.index.groups], np.int64)

    @cached_property
    def key_luma(self) -> NDArray[np.uint8]:
        """The first picture of each group [m, 45, 80]."""
        return np.stack([framed(thumb, self.inside) for thumb in self.known.thumbs])

    @property
    def keys(self) -> Vectors:
        """Of those."""
        if self._keys is None or self._keys[0] != self.view:
            self._keys = self.view, vectors_of(self.key_luma, self.view)
        return self._keys[1]

    @cached_property
    def colors(self) -> Vectors:
        """Of the first picture of each group."""
        return colors_of(self.known.thumbs, self.inside)

    @property
    def count(self) -> int:
        return len(self.index.shown)

    @cached_property
    def inside(self) -> Inside:
        return inside(self.known.bars)

    def time(self, rank: int) -> Fraction:
        """When a picture is shown, in seconds of the film."""
        clock = Clock.of(self.facts, self.known.time_base)
        return clock.time(int(self.index.shown[min(max(rank, 0), self.count - 1)])).seconds

    def group_at(self, rank: int) -> int:
        return max(0, int(np.searchsorted(self.starts, rank, "right")) - 1)

    def end(self, group: int) -> int:
        return int(self.starts[group + 1]) if group + 1 < len(self.starts) else self.count

    def block(self, group: int) -> NDArray[np.uint8]:
        """The pictures of a group [n, 45, 80]; a damaged one is the one before it again."""
        return self._pictures(group)[:, :_LUMA].reshape(-1, *_SHAPE)

    def tints(self, rank: int) -> NDArray[np.uint8]:
        """The tints of a picture."""
        group = self.group_at(rank)
        return np.asarray(self._pictures(group)[rank - int(self.starts[group]), _LUMA:], np.uint8)

    def _pictures(self, group: int) -> NDArray[np.uint8]:
        """The pictures of a group, luma and then tints [n, _ROW]."""
        with self._lock_of(group):
            rows = self._kept_or(self._file(group), lambda: self._decode(group))
        self._count(self._file(group), len(rows))
        return rows

    def was_asked(self, group: int) -> bool:
        """Whether all pictures of a group were asked for. While threads do so, the answer depends on which is first."""
        return self._file(group).name in self._asked

    def asked_around(self, rank: int, first: int, last: int) -> tuple[int, int]:
        """The pictures [low, high) around one, so far as all of their groups were asked for; they reach from `first` to
        `last` if they can."""
        low = high = self.group_at(rank)
        while low > 0 and self.was_asked(low - 1) and self.starts[low] > first:
            low -= 1
        while high + 1 < len(self.starts) and self.was_asked(high + 1) and self.end(high) < last:
            high += 1
        return int(self.starts[low]), self.end(high)

    def _count(self, file: Path, pictures: int) -> None:
        """Note that pictures were asked for."""
        with self._lock:
            if file.name not in self._asked:
                self._asked.add(file.name)
                self.asked += pictures

    def outline(self, group: int, whole: bool) -> Vectors:
        """Some pictures of a group, a few frames apart: of the `whole` one, or those that others refer to."""
        if whole:
            return self.vectors(group)[::2]
        with self._lock_of(group):
            rows = self._kept_or(self._file(group, "outline"), lambda: self._sketch(group))
        self._count(self._file(group, "outline"), len(rows))
        return vectors_of(rows[:, :_LUMA].reshape(-1, *_SHAPE), self.view)

    def vectors(self, group: int, view: View | None = None) -> Vectors:
        """Of the pictures of a group; those that were asked for last are at hand."""
        key = group, view or self.view
        with self._lock:
            vectors = self._at_hand.pop(key, None)
        if vectors is None:
            vectors = vectors_of(self.block(group), key[1])
        with self._lock:
            self._at_hand[key] = vectors
            while len(self._at_hand) > _AT_HAND:
                del self._at_hand[next(iter(self._at_hand))]
        return vectors

    def between(self, first: int, last: int, view: View | None = None) -> tuple[int, Vectors]:
        """The vectors of the pictures [first, last), as far as there are such, and the first one's rank."""
        first, last = max(0, first), min(self.count, last)
        if last <= first:
            return first, vectors_of(_EMPTY)
        return first, self._joined(first, last, lambda group: self.vectors(group, view))

    def luma_between(self, first: int, last: int) -> NDArray[np.uint8]:
        """The pictures [first, last), all of which there are."""
        return self._joined(first, last, self.block)

    def close_ups(self, first: int, last: int) -> NDArray[np.uint8]:
        """The luma of the pictures [first, last), all of which there are, with their bars [n, 135, 240]."""
        return self._joined(first, last, self._close_up)

    def _joined(self, first: int, last: int, of_group: Callable[[int], NDArray[_Level]]) -> NDArray[_Level]:
        """What is known of the pictures [first, last), from what is known of those of each group."""
        groups = range(self.group_at(first), self.group_at(last - 1) + 1)
        begin = int(self.starts[groups[0]])
        return np.concatenate([of_group(group) for group in groups])[first - begin : last - begin]

    def _close_up(self, group: int) -> NDArray[np.uint8]:
        with self._lock_of(group):
            thumbs = self._close_ups.get(group)
            if thumbs is None:
                with GroupReader(self.path, self.index, _ALL, filter_loop=True, size=CLOSE_UP) as reader:
                    thumbs = self._filled(reader, group, np.zeros((CLOSE_UP[1], CLOSE_UP[0]), np.uint8), lambda p: p[0])
        with self._lock:
            self._close_ups[group] = thumbs
            while len(self._close_ups) > _CLOSE_AT_HAND:
                del self._close_ups[next(iter(self._close_ups))]
        return thumbs

    def _lock_of(self, group: int) -> threading.Lock:
        with self._lock:
            return self._locks[self._names[group]]

    @contextmanager
    def _reader(self) -> Iterator[GroupReader]:
        """One of as many as there are threads: opening a long film takes a while."""
        with self._lock:
            reader = self._readers.get() if not self._readers.empty() else None
        reader = reader or GroupReader(self.path, self.index, self.inside)
        try:
            yield reader
        finally:
            self._readers.put(reader)

    def _decode(self, group: int) -> NDArray[np.uint8]:
        with self._reader() as reader:
            return self._filled(reader, group, np.zeros(_ROW, np.uint8), _row)

    def _filled(
        self,
        reader: GroupReader,
        group: int,
        empty: NDArray[np.uint8],
        kept: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    ) -> NDArray[np.uint8]:
        """What is `kept` of each picture of a group; of a damaged one that of the one before, or nothing (`empty`)."""
        start, end = int(self.starts[group]), self.end(group)
        filled = np.stack([empty] * (end - start))
        last = start - 1
        fine = np.zeros(self.count + 1, bool)
        fine[start:end] = True
        for rank, thumb in reader.pictures(group, fine):
            if start <= rank < end:
                filled[max(last + 1, start) - start : rank - start + 1] = kept(thumb)
                last = rank
            if rank >= end - 1:
                break
        if 0 <= last - start < end - start - 1:
            filled[last - start + 1 :] = filled[last - start]
        return filled

    def _sketch(self, group: int) -> NDArray[np.uint8]:
        end, rows = self.end(group), list[NDArray[np.uint8]]()
        with self._reader() as reader:
            for rank, thumb in reader.pictures(group, np.zeros(self.count + 1, bool)):
                if rank >= end:
                    break
                rows.append(_row(thumb))
        return np.stack(rows) if rows else np.empty((0, _ROW), np.uint8)

    def _file(self, group: int, kind: str = "frames") -> Path:
        return cache_folder() / _FOLDER / f"{self.facts.fingerprint}-{self._shape}" / f"{self._names[group]}.{kind}"

    @cached_property
    def distinct(self) -> list[int]:
        """The groups without those that are copies of earlier ones."""
        return sorted({name: group for group, name in reversed([*enumerate(self._names)])}.values())

    @cached_property
    def _names(self) -> list[str]:
        """A name for the pictures of each group. What stands twice in a film, packet for packet, has one name, so that
        it is decoded once: a title sequence, a recap, the parts of a reel."""
        index, names = self.index, list[str]()
        bounds = np.append(index.groups, len(index.pts))
        for group, (first, last) in enumerate(pairwise(bounds.tolist())):
            sizes = index.size[first : last + _LEADING]  # with those of the next group that may be shown in this one
            if last - first < _TELLING or len(np.unique(sizes)) < _TELLING // 2:
                names.append(str(group))
                continue
            order = index.rank[first:last] - self.starts[group]
            content = np.concatenate([sizes, order, [self.end(group) - self.starts[group]]])
            names.append(hashlib.blake2b(content.tobytes(), digest_size=12).hexdigest())
        return names

    @staticmethod
    def _kept_or(file: Path, make: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """What a file holds; where there is none, what is made, and kept in it as far as the disk allows."""
        with suppress(OSError, ValueError):
            return np.frombuffer(opened(content_of(file)), np.uint8).reshape(-1, _ROW)
        made = make()
        with suppress(OSError), new_folder(file.parent), beside(file) as part:
            part.write_bytes(sealed(made.tobytes()))
        return made

    @cached_property
    def _shape(self) -> str:
        """What of the frame is looked at, and how small."""
        rows, columns = self.inside
        return f"{rows.start}.{rows.stop}.{columns.start}.{columns.stop}-{_ROW}"


def _row(thumb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A thumbnail without bars as it is kept."""
    return np.concatenate([framed(thumb, _ALL).ravel(), tints_of(thumb, _ALL)])
