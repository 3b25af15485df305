"""Each stretch of a trailer at its place in a film: candidates by their key pictures, then the exact frame by all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cinecut.proof.conform.film import FilmPictures
from cinecut.proof.conform.vectors import Vectors, mirrored, vectors_of

_CANDIDATES = 16  # groups of pictures that are decoded for one stretch at most
_SURE, _DOUBTFUL, _LIKELY = 0.985, 0.97, 0.85  # mean correlation: no better place is looked for; one is, everywhere;
# this may be it
_ODD = 0.015  # correlation by which what is unusual must be better
_NEAR = 0.75  # of one picture with another of its shot
_SAMPLES = 24  # frames of a stretch that are compared
_ALIKE = 0.004  # correlation by which places are as good as each other
_REACH = 40  # film frames around a rough place in which the exact one is
_BROKEN = 0.75  # share of its usual correlation below which a frame is of something else
_LEAST = 5  # frames of a stretch
_SAME = 0.01  # correlation by which going on is as good as another place
_COVERED = 0.5  # correlation of a picture with a title over it with the one without, at least
_TRIES = 4  # groups that are tried after a search of the whole film
_PART, _DEEP = 24, 6  # frames of its head that are placed alone; how often a stretch is parted
_RELATED = 0.5  # correlation with a key picture from which on its group is decoded
_SPEEDS = tuple(map(Fraction, ("0.5", "0.75", "0.8", "0.9", "1.1", "1.25", "1.5", "2")))
_BLACK, _FLAT = 26.0, 4.0  # levels


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames [start, end) of the trailer. `film` is the number of the film, None where it is in none (`black`: nothing
    is shown); `first` the place of its first frame, in film frames; `like` the mean correlation."""

    start: int
    end: int
    film: int | None = None
    first: Fraction = Fraction(0)
    speed: Fraction = Fraction(1)
    flipped: bool = False
    like: float = 0.0
    black: bool = False


@dataclass(frozen=True)
class Matcher:
    """A trailer's frames, small [n, HEIGHT, WIDTH] and as vectors, its rate, and the films."""

    luma: NDArray[np.uint8]
    vectors: Vectors
    rate: Fraction
    films: Sequence[FilmPictures]

    def pieces(self, start: int, end: int, depth: int = 0) -> Iterator[Piece]:
        """What a stretch without cuts is; where its end is something else after all, in several."""
        dark = (self.luma[start:end].mean((1, 2)) < _BLACK) & (self.luma[start:end].std((1, 2)) < _FLAT)
        if dark.mean() > 0.9:
            yield Piece(start, end, black=True)
            return
        lead = int(np.argmin(dark))
        if lead:
            yield Piece(start, start + lead, black=True)
            start += lead
        found = self._somewhere(start, end)
        if found is None:
            yield Piece(start, end)
            return
        if found.start > start:
            yield from self.pieces(start, found.start, depth + 1) if depth < _DEEP else [Piece(start, found.start)]
        yield found
        if found.end < end:
            yield from self.pieces(found.end, end, depth + 1) if depth < _DEEP else [Piece(found.end, end)]

    def _somewhere(self, start: int, end: int) -> Piece | None:
        """The place of a stretch, or of its head or its tail, as far as it is that place of the film."""
        if end - start < _LEAST:
            return None
        found = self._place(start, end)
        part = max(_LEAST, min((end - start) // 3, _PART))
        if found is None and end - start >= 2 * _LEAST:
            found = self._place(start, start + part) or self._place(end - part, end)
        if found is None or found.like < _DOUBTFUL:
            found = _better(found, self._searched(start, end))
        return None if found is None else self._stretched(found, start, end)

    def _stretched(self, piece: Piece, start: int, end: int) -> Piece:
        """A piece as far as it goes within [start, end)."""
        step = self._step(piece)
        whole = replace(piece, start=start, end=end, first=piece.first - (piece.start - start) * step)
        if whole.first < 0:
            lead = int(-whole.first // step) + 1
            whole = replace(whole, start=start + lead, first=whole.first + lead * step)
        likes = self._likes(whole)
        inside = likes[piece.start - whole.start : piece.end - whole.start]
        bad = _steady(likes < _BROKEN * float(np.median(inside)))
        first, last = piece.start - whole.start, piece.end - whole.start
        middle = (first + last) // 2
        before, after = np.flatnonzero(bad[:middle]), np.flatnonzero(bad[middle:])
        first = int(before[-1]) + 1 if len(before) else 0
        last = middle + int(after[0]) if len(after) else len(bad)
        return replace(whole, start=whole.start + first, end=whole.start + last, first=whole.first + first * step)

    def _step(self, piece: Piece) -> Fraction:
        """Film frames for each frame of the trailer."""
        assert piece.film is not None
        return piece.speed * self.films[piece.film].facts.rate / self.rate

    def _likes(self, piece: Piece) -> NDArray[np.float32]:
        """The correlation of each frame with the film's."""
        assert piece.film is not None
        film, count = self.films[piece.film], piece.end - piece.start
        ranks = _ranks(piece.first, self._step(piece), np.arange(count), film.count)
        low, vectors = film.between(int(ranks[0]), int(ranks[-1]) + 1)
        own = self.vectors[piece.start : piece.end]
        own = mirrored(own) if piece.flipped else own
        return np.asarray((own * vectors[ranks - low]).sum(1), np.float32)

    def _place(self, start: int, end: int) -> Piece | None:
        """The best place of a stretch, if there is any."""
        best: Piece | None = None
        for number, group, flipped in self._candidates(start, end):
            for found in self._in_group(start, end, number, group, flipped):
                best = _better(best, found)
            if best is not None and best.like > _SURE:
                break
        return best if best is not None and best.like > _LIKELY else None

    def _searched(self, start: int, end: int) -> Piece | None:
        """The place of a stretch's head, middle or tail where no key picture is like it: by outlines of all groups."""
        part = max(_LEAST, min((end - start) // 3, _PART))
        rows = np.unique([start + part // 2, (start + end) // 2, end - 1 - part // 2])
        places: list[tuple[float, int, int, int, bool]] = []
        for number, film in enumerate(self.films):
            film.sketch_all()
            for flipped in (False, True):
                own = mirrored(self.vectors[rows]) if flipped else self.vectors[rows]
                for group in range(len(film.starts)):
                    likes = (vectors_of(film.outline(group)) @ own.T).max(0, initial=0)
                    row = int(likes.argmax())
                    places.append((float(likes[row]) - 0.03 * flipped, int(rows[row]), number, group, flipped))
        best: Piece | None = None
        for like, row, number, group, flipped in sorted(places, reverse=True)[:_TRIES]:
            first = min(max(start, row - part // 2), end - part)
            for found in self._in_group(first, first + part, number, group, flipped) if like > _NEAR else ():
                best = _better(best, found)
        return best if best is not None and best.like > _LIKELY else None

    def _candidates(self, start: int, end: int) -> list[tuple[int, int, bool]]:
        """Films and groups of pictures, and whether mirrored, the most similar first."""
        samples = self.vectors[_spread(start, end, 5)]
        rows: list[tuple[float, int, int, bool]] = []
        for number, film in enumerate(self.films):
            for flipped in (False, True):
                likes = (film.keys @ (mirrored(samples) if flipped else samples).T).max(1)
                after = np.append(likes[1:], -1)  # a shot may end with the next group's first picture
                score = np.maximum(likes, after - 0.05) - 0.03 * flipped
                best = [int(at) for at in np.argsort(-score)[:_CANDIDATES] if score[at] > _RELATED]
                rows += [(float(score[at]), number, at, flipped) for at in best]
        rows.sort(reverse=True)
        return [(number, group, flipped) for _, number, group, flipped in rows[:_CANDIDATES]]

    def _in_group(self, start: int, end: int, number: int, group: int, flipped: bool) -> Iterator[Piece]:
        """Places of a stretch of which a frame is in a group."""
        film = self.films[number]
        begin = int(film.starts[group])
        _, vectors = film.between(begin, begin + len(film.block(group)))
        rows = _spread(start, end, 5)
        samples = self.vectors[rows]
        likes = (mirrored(samples) if flipped else samples) @ vectors.T
        row, column = np.unravel_index(int(likes.argmax()), likes.shape)
        if likes[row, column] < _NEAR:
            return
        anchor = (int(rows[row]), begin + int(column))
        found = self._aligned(start, end, number, anchor, Fraction(1), flipped)
        yield found
        if found.like < _SURE:
            for speed in _SPEEDS:
                yield self._aligned(start, end, number, anchor, speed, flipped)

    def _aligned(
        self, start: int, end: int, number: int, anchor: tuple[int, int], speed: Fraction, flipped: bool
    ) -> Piece:
        """The exact place around a rough one, at a speed: `anchor` is a frame of the trailer and the film's like it."""
        film = self.films[number]
        step = speed * film.facts.rate / self.rate
        rough = anchor[1] - (anchor[0] - start) * step
        rows = _spread(start, end, _SAMPLES)
        samples = mirrored(self.vectors[rows]) if flipped else self.vectors[rows]
        low, vectors = film.between(int(rough) - _REACH - 1, int(rough + (end - start) * step) + _REACH + 2)
        parts = 1 if step == 1 else 4  # of a frame: only at another rate does it show where within one a shot begins
        best = Piece(start, end, number, rough, speed, flipped, -1.0)
        if not len(vectors):
            return best
        table = samples @ vectors.T
        shifts = sorted(range(-_REACH * parts, _REACH * parts + 1), key=abs)
        firsts = [(round(rough * parts) + Fraction(shift)) / parts for shift in shifts]
        places = np.array([float(first) for first in firsts])[:, None] + ((rows - start) * float(step))[None] + 1e-6
        ranks = np.floor(places).astype(np.int64) - low
        inside = (ranks[:, 0] >= 0) & (ranks[:, -1] < len(vectors)) & (places[:, 0] >= 0)
        likes = table[np.arange(len(rows))[None], np.clip(ranks, 0, len(vectors) - 1)].mean(1)
        likes = np.where(inside, likes, -1)
        near = np.flatnonzero(likes > likes.max() - _ALIKE)
        if likes.max() < 0:
            return best
        frames = np.arange(start + 1, end - 1)
        own = mirrored(self.vectors[frames]) if flipped else self.vectors[frames]
        means = []
        for at in near:  # where pictures hardly differ, all of them are asked
            ranks = np.floor(places[at, 0] + (frames - rows[0]) * float(step)).astype(np.int64) - low
            means.append(float((own * vectors[np.clip(ranks, 0, len(vectors) - 1)]).sum(1).mean(dtype=np.float64)))
        chosen = int(near[int(np.argmax(means))])
        return replace(best, first=firsts[chosen], like=float(likes[chosen]))

    def adopted(self, pieces: Sequence[Piece]) -> list[Piece]:
        """Pieces that go on as the one before, or lead to the one after: without a place, since a title lies over them;
        or at another one, since the film shows the same there."""
        found = list(pieces)
        for number, piece in enumerate(found):
            if piece.black:
                continue
            before = self._extended(found[number - 1], piece) if number else None
            after = self._extended(found[number + 1], piece) if number + 1 < len(found) else None
            best = max((each for each in (before, after) if each is not None), key=lambda p: p.like, default=None)
            if best is not None and best.like > (_COVERED if piece.film is None else max(_LIKELY, piece.like - _SAME)):
                found[number] = best
        return found

    def _extended(self, neighbour: Piece, piece: Piece) -> Piece | None:
        """A piece as the continuation of its neighbour, and how like it is."""
        if neighbour.film is None:
            return None
        first = neighbour.first + (piece.start - neighbour.start) * self._step(neighbour)
        if first < 0 or first >= self.films[neighbour.film].count - 1:
            return None
        whole = replace(neighbour, start=piece.start, end=piece.end, first=first)
        return replace(whole, like=float(np.median(self._likes(whole))))


def _better(one: Piece | None, other: Piece | None) -> Piece | None:
    """The place that is more like it; another speed or a mirrored picture must be so by more."""
    if one is None or other is None:
        return one or other
    return max((one, other), key=lambda piece: piece.like - _ODD * ((piece.speed != 1) + piece.flipped))


def _steady(bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Only where several in a row, or those to the very end, are bad: one strange frame is no end of a shot."""
    found = np.zeros_like(bad)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]]).astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        found[start:end] = end - start >= _LEAST or start == 0 or end == len(bad)
    return found


def _ranks(first: Fraction, step: Fraction, frames: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The film frames on screen at some frames after a place."""
    ranks = np.floor(float(first) + frames * float(step) + 1e-6).astype(np.int64)
    return np.asarray(np.clip(ranks, 0, count - 1), np.int64)


def _spread(start: int, end: int, most: int) -> NDArray[np.int64]:
    """Frames spread over a stretch, its very ends left out."""
    edge = min(2, (end - start) // 4)
    return np.unique(np.linspace(start + edge, end - 1 - edge, min(most, end - start)).round().astype(np.int64))


def joined(pieces: Sequence[Piece], films: Sequence[FilmPictures], rate: Fraction) -> list[Piece]:
    """Pieces that go on where the one before ended are one."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if last is not None and _goes_on(last, piece, films, rate):
            found[-1] = replace(last, end=piece.end, like=max(last.like, piece.like))
        else:
            found.append(piece)
    return found


def _goes_on(last: Piece, piece: Piece, films: Sequence[FilmPictures], rate: Fraction) -> bool:
    if (last.film, last.black, last.flipped, last.speed) != (piece.film, piece.black, piece.flipped, piece.speed):
        return False
    if piece.film is None:
        return True
    step = piece.speed * films[piece.film].facts.rate / rate
    return abs(last.first + (last.end - last.start) * step - piece.first) <= 1
