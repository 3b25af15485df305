"""A trailer in pieces, each at its place in a film.

stretches without cuts ─ placed by key pictures ─► pieces ─ the rest sought in outlines ─► pieces ─► joined
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cinecut.proof.conform.places.film import THREADS
from cinecut.proof.conform.places.framing import framings, reframed
from cinecut.proof.conform.places.placing import LEAST, LIKELY, NEAR, SURE, Piece, Placer
from cinecut.proof.conform.places.seeking import sought

_BROKEN = 0.7  # share of its usual correlation below which a frame is of something else
_SAME, _SAME_SHOT = 0.02, 0.1  # correlation by which going on is as good as another place, or one of the same shot
_NEAR = 48  # film frames within which two places are most likely of one shot
_COVERED = 0.35  # correlation of a picture with a title over it with the one without, at least
_PART, _DEEP = 24, 5  # frames of its head that are placed alone; how often a stretch is parted
_ROUNDS = 3  # of the search for what is left over
_BLACK, _FLAT = 26.0, 4.0  # levels
_DARK = 0.9  # share of a stretch's frames that show nothing where it is black


@dataclass(frozen=True)
class Matcher:
    """Parts a trailer's stretches into pieces."""

    placer: Placer

    def matched(self, bounds: Sequence[tuple[int, int]], progress: Callable[[float], None]) -> list[Piece]:
        """What stretches without cuts are, in order; where the end of one is something else after all, in several."""
        pieces = list[Piece]()
        with ThreadPoolExecutor(THREADS) as pool:
            for done, some in enumerate(pool.map(lambda each: list(self._pieces(*each)), bounds), 1):
                pieces += some
                progress(0.8 * done / len(bounds))
        pieces = self._reframed(self._sought(pieces))
        progress(1.0)
        return joined(self._adopted(joined(pieces, self.placer)), self.placer)

    def _pieces(self, start: int, end: int, depth: int = 0, known: Piece | None = None) -> Iterator[Piece]:
        """What a stretch is; `known` is a place of a part of it."""
        dark = _dark(self.placer.luma[start:end])
        if dark.mean() > _DARK:
            yield Piece(start, end, black=True)
            return
        for first, last, is_dark in _runs(dark, start):
            if is_dark:
                yield Piece(first, last, black=True)
                continue
            piece = known if known is not None and first <= known.start < last else self._somewhere(first, last)
            if piece is None or depth > _DEEP:
                yield Piece(first, last)
                continue
            piece = self._stretched(piece, first, last)
            if piece.start > first:
                yield from self._pieces(first, piece.start, depth + 1)
            yield piece
            if piece.end < last:
                yield from self._pieces(piece.end, last, depth + 1)

    def _somewhere(self, start: int, end: int) -> Piece | None:
        """The place of a stretch, or of its head or its tail."""
        if end - start < LEAST:
            return None
        piece = self.placer.place(start, end)
        part = max(LEAST, min((end - start) // 3, _PART))
        if piece is None and end - start >= 3 * LEAST:
            piece = self.placer.place(start, start + part) or self.placer.place(end - part, end)
        return piece

    def _stretched(self, piece: Piece, start: int, end: int) -> Piece:
        """A piece as far as it goes within [start, end)."""
        step = self.placer.step(piece)
        whole = replace(piece, start=start, end=end, first=piece.first - (piece.start - start) * step)
        if whole.first < 0:
            lead = math.ceil(-whole.first / step)
            whole = replace(whole, start=start + lead, first=whole.first + lead * step)
        likes = self.placer.likes(whole)
        first, last = max(0, piece.start - whole.start), piece.end - whole.start
        bad = _steady(likes < _BROKEN * float(np.median(likes[first:last])))
        middle = (first + last) // 2
        before, after = np.flatnonzero(bad[:middle]), np.flatnonzero(bad[middle:])
        first = int(before[-1]) + 1 if len(before) else 0
        last = middle + int(after[0]) if len(after) else len(bad)
        return replace(whole, start=whole.start + first, end=whole.start + last, first=whole.first + first * step)

    # What has no place yet

    def _sought(self, pieces: list[Piece]) -> list[Piece]:
        """The pieces, those without a place looked for in outlines of the films; then what is left over of them."""
        asked = set[Piece]()
        for _ in range(_ROUNDS):
            lost = [p for p in pieces if self._is_worth_it(p) and p not in asked]
            if not lost:
                break
            asked.update(lost)
            places = sought(lost, self.placer)
            pieces = [new for piece in pieces for new in self._replaced(piece, places.get(piece))]
        return pieces

    def _is_worth_it(self, piece: Piece) -> bool:
        """Whether a piece without a place may be of a film: it is neither black nor a card that stands still."""
        if piece.film is not None or piece.black or piece.end - piece.start < LEAST:
            return False
        return not self.placer.is_plain(piece) or self.placer.moves(piece)

    def _replaced(self, piece: Piece, by: Piece | None) -> list[Piece]:
        return [piece] if by is None else list(self._pieces(piece.start, piece.end, 1, by))

    def _reframed(self, pieces: Sequence[Piece]) -> list[Piece]:
        """The pieces; those that show another part of the picture than the usual one with that."""
        asked = [frozenset(g for g in range(len(f.starts)) if f.was_asked(g)) for f in self.placer.films]
        with ThreadPoolExecutor(THREADS) as pool:
            parts = list(pool.map(lambda each: self._with_part(each, asked), pieces))
        return [each for part in parts for each in part]

    def _with_part(self, piece: Piece, asked: Sequence[frozenset[int]]) -> list[Piece]:
        if piece.film is not None:
            return [reframed(piece, self.placer)] if piece.like < SURE else [piece]
        if not self._is_worth_it(piece):
            return [piece]
        places = list[Piece]()
        for candidate in framings(piece, self.placer, asked):
            near = [reframed(each, self.placer) for each in self.placer.within_group(piece.start, piece.end, candidate)]
            places += [each for each in near if each.like > NEAR]
            if max((each.like for each in places), default=0.0) > SURE:
                break
        place = self.placer.chosen(places)
        return self._replaced(piece, place)

    # Neighbours

    def _adopted(self, pieces: Sequence[Piece]) -> list[Piece]:
        """Pieces that go on as the one before, or lead to the one after: without a place, since a title lies over them;
        or at another one, since the film shows the same there; or black, since the film is."""
        adopted = list(pieces)
        for number, piece in enumerate(adopted):
            before = self._extended(adopted[number - 1], piece) if number else None
            after = self._extended(adopted[number + 1], piece) if number + 1 < len(adopted) else None
            if piece.black:
                adopted[number] = next((p for p in (before, after) if p is not None and self._is_dark(p)), piece)
                continue
            best = max((each for each in (before, after) if each is not None), key=lambda p: p.like, default=None)
            if best is not None and best.like > self._least(piece, best):
                adopted[number] = best
        return adopted

    def _is_dark(self, piece: Piece) -> bool:
        """Whether the film is black where a piece is."""
        first, last = self.placer.ranks(piece, np.array([piece.start, piece.end - 1])).tolist()
        return bool(_dark(self.placer.film_of(piece).luma_between(first, last + 1)).mean() > _DARK)

    @staticmethod
    def _least(piece: Piece, adopted: Piece) -> float:
        """The correlation from which on a piece is the continuation of its neighbour."""
        if piece.film is None:
            return _COVERED
        near = piece.film == adopted.film and abs(piece.first - adopted.first) < _NEAR
        return max(LIKELY, piece.like - (_SAME_SHOT if near else _SAME))

    def _extended(self, neighbour: Piece, piece: Piece) -> Piece | None:
        """A piece as the continuation of its neighbour, and how like it is."""
        if neighbour.film is None:
            return None
        film = self.placer.films[neighbour.film]
        first = neighbour.first + (piece.start - neighbour.start) * self.placer.step(neighbour)
        if first < 0 or first >= film.count - 1:
            return None
        whole = replace(neighbour, start=piece.start, end=piece.end, first=first)
        return replace(whole, like=float(np.median(self.placer.likes(whole))))


def _dark(luma: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pictures [n, 45, 80] show nothing."""
    return np.asarray((luma.mean((1, 2)) < _BLACK) & (luma.std((1, 2)) < _FLAT), np.bool_)


def _runs(dark: NDArray[np.bool_], start: int) -> Iterator[tuple[int, int, bool]]:
    """Dark heads and tails of a stretch, and what is between."""
    lit = np.flatnonzero(~dark)
    first, last = int(lit[0]), int(lit[-1]) + 1
    if first:
        yield start, start + first, True
    yield start + first, start + last, False
    if last < len(dark):
        yield start + last, start + len(dark), True


def _steady(bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Only where several in a row, or those to the very end, are bad: one strange frame is no end of a shot."""
    steady = np.zeros_like(bad)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]]).astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        steady[start:end] = end - start >= LEAST or start == 0 or end == len(bad)
    return steady


def joined(pieces: Sequence[Piece], placer: Placer) -> list[Piece]:
    """Pieces that go on where the one before ended are one."""
    runs: list[Piece] = []
    for piece in pieces:
        last = runs[-1] if runs else None
        if last is not None and _goes_on(last, piece, placer):
            runs[-1] = replace(
                last, end=piece.end, like=max(last.like, piece.like), certain=last.certain or piece.certain
            )
        else:
            runs.append(piece)
    return runs


def _goes_on(last: Piece, piece: Piece, placer: Placer) -> bool:
    one, other = ((each.film, each.black, each.flipped, each.speed, each.view) for each in (last, piece))
    if one != other:
        return False
    if piece.film is None:  # a card is a piece of its own
        return piece.black or not (placer.is_plain(last) or placer.is_plain(piece))
    return abs(last.first + (last.end - last.start) * placer.step(piece) - piece.first) <= 1
