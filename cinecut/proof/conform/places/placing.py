"""The place of a few frames in films: groups of pictures that may hold it, the most promising first, and then the exact
frame, by all pictures around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gops import Inside, Thumbs
from cinecut.language.facts import FilmFacts
from cinecut.proof.conform.places.film import FilmPictures
from cinecut.proof.conform.places.logo import logo_in, without
from cinecut.proof.conform.places.vectors import (
    Vectors,
    View,
    alike,
    colors_of,
    framed,
    mirrored,
    one_by_one,
    vectors_of,
)

LEAST = 4  # frames of a stretch
SURE = 0.97  # mean correlation from which on no better place is looked for
_CERTAIN, LIKELY = 0.9, 0.7  # this is the place; it is where all others are less like it by
_CLEAR = 0.1  # so much
_ELSEWHERE = Fraction(1)  # seconds between places that are different ones
NEAR = 0.6  # of one picture with another of its shot
_SAMPLES, _FEW = 24, 5  # frames of a stretch that are compared; that are looked for
_REACH, _AGAIN = 20, 5  # film frames around a rough place in which the exact one is looked for; how often, as it moves
_WIDE, _STILL = 60, 0.03  # the same where it is like that far away too: correlation that is less by no more
_ALIKE = 0.004  # correlation by which places are as good as each other
_MOVED = 0.7  # correlation of two frames of a piece in which something moves, at most
_EVEN, _PLAIN = 4, 0.75  # levels of one light; share of a card's picture that is of it
MOVING = 12  # frames by which a speed is told
_ODD, _GOOD = 1.4, 0.01  # times as unlike it may be as what is unusual; what is hardly unlike at all
_FLIPPED = 0.03  # by which a mirrored picture must promise more
_MOST = 16  # groups that are decoded for one stretch by what their key pictures promise
_PROMISE = 4  # of them, where nothing in them was near
_STANDS = 0.95  # correlation with a key picture from which on the group before it may show the same
_SET_UP, _OTHERS = 0.8, 3  # correlation with that of another group of the same set-up; so many of those are looked into
SPEEDS = tuple(map(Fraction, (
    "1/4", "1/3", "2/5", "1/2", "3/5", "2/3", "3/4", "4/5", "9/10", "24/25", "25/24", "11/10", "6/5", "5/4", "4/3",
    "3/2", "7/4", "2", "5/2", "3", "4",
)))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames [start, end) of the trailer. `film` is the number of the film, None where it is in none (`black`: nothing
    is shown); `first` the place of its first frame, in film frames; `like` the mean correlation; `view` the part of the
    picture that it shows, where that is another than the whole trailer's; `blend` the dissolve into it, in frames;
    `covered`: something lies over it, so that most of its parts are compared, not all. It is not `certain` where hardly
    anything moves: other frames of its shot, and other speeds, look the same."""

    start: int
    end: int
    film: int | None = None
    first: Fraction = Fraction(0)
    speed: Fraction = Fraction(1)
    flipped: bool = False
    like: float = 0.0
    black: bool = False
    view: View | None = None
    blend: int = 0
    covered: bool = False
    certain: bool = True


@dataclass(frozen=True, slots=True)
class PossiblePlace:
    """A group of pictures that may hold a stretch. `promise`: how like it is, by its key pictures (2: the same)."""

    promise: float
    film: int
    group: int
    flipped: bool
    view: View | None = None
    covered: bool = False


@dataclass(frozen=True)
class Placer:
    """A trailer, its frames, and the films.

    thumbs, within : its frames [n, 3, rows, columns], and what of them lies inside its bars
    """

    trailer: Path
    facts: FilmFacts
    thumbs: Thumbs
    within: Inside
    films: Sequence[FilmPictures]

    @property
    def rate(self) -> Fraction:
        return self.facts.rate

    @cached_property
    def luma(self) -> NDArray[np.uint8]:
        """The frames without a logo that lies over all of them [n, 45, 80]."""
        luma = np.stack([framed(thumb, self.within) for thumb in self.thumbs])
        return without(luma, logo_in(luma))

    @cached_property
    def vectors(self) -> Vectors:
        return vectors_of(self.luma)

    def own(self, rows: NDArray[np.int64], flipped: bool) -> Vectors:
        """The vectors of some frames."""
        return mirrored(self.vectors[rows]) if flipped else self.vectors[rows]

    def film_of(self, piece: Piece) -> FilmPictures:
        assert piece.film is not None
        return self.films[piece.film]

    def step(self, piece: Piece) -> Fraction:
        """Film frames for each frame of the trailer."""
        return piece.speed * self.film_of(piece).facts.rate / self.rate

    def ranks(self, piece: Piece, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The film frames on screen at some frames of the trailer, by the place of a piece."""
        first, step = np.array([float(piece.first)]), np.array([float(self.step(piece))])
        return ranks_at(first, step, rows - piece.start, self.film_of(piece).count).ravel()

    def looks(self, piece: Piece, most: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Some frames of a piece, the right way round, and the film's pictures there [n, 45, 80]."""
        film, rows = self.film_of(piece), spread(piece.start, piece.end, most)
        ours = self.luma[rows][:, :, ::-1] if piece.flipped else self.luma[rows]
        return ours, np.concatenate([film.luma_between(rank, rank + 1) for rank in self.ranks(piece, rows).tolist()])

    def is_plain(self, piece: Piece) -> bool:
        """Whether most of a piece's picture is of one light, as a card's is."""
        middle = self.luma[(piece.start + piece.end) // 2].astype(np.int16)
        return bool((np.abs(middle - int(np.median(middle))) <= _EVEN).mean() > _PLAIN)

    def moves(self, piece: Piece) -> bool:
        """Whether a piece shows something else late than early, as text that rolls does."""
        quarter = (piece.end - piece.start) // 4
        early, late = self.vectors[[piece.start + quarter, piece.end - 1 - quarter]]
        return float(early @ late) < _MOVED

    def likes(self, piece: Piece) -> NDArray[np.float32]:
        """The correlation of each frame with the film's."""
        rows = np.arange(piece.start, piece.end)
        ranks = self.ranks(piece, rows)
        low, vectors = self.film_of(piece).between(int(ranks[0]), int(ranks[-1]) + 1, piece.view)
        return one_by_one(self.own(rows, piece.flipped), vectors[ranks - low], piece.covered)

    # Rough places

    def candidates(self, start: int, end: int) -> list[PossiblePlace]:
        """All groups that are no copies of others, the most promising first."""
        rows = spread(start, end, _FEW)
        colors = colors_of(self.thumbs[rows], self.within)
        candidates = list[PossiblePlace]()
        for number, film in enumerate(self.films):
            for flipped in (False, True):
                details = alike(film.keys, self.own(rows, flipped)).max(1)
                rough = alike(film.colors, mirrored(colors) if flipped else colors).max(1)
                promise = details + rough
                after = np.append(promise[1:], -2)  # a shot may end with the next group's first picture
                score = np.maximum(promise, after - 0.05) - _FLIPPED * flipped
                candidates += [PossiblePlace(float(score[group]), number, group, flipped) for group in film.distinct]
        return sorted(candidates, key=lambda each: -each.promise)

    def place(self, start: int, end: int) -> Piece | None:
        """The place of a stretch, if it is certainly in one of the groups that promise most."""
        places, candidates = list[Piece](), self.candidates(start, end)
        for number, candidate in enumerate(candidates[:_MOST]):
            places += self.within_group(start, end, candidate)
            best = max((each.like for each in places), default=0.0)
            if best > SURE:
                for other in self._as_likely(start, end, candidate, candidates[:_MOST]):
                    places += self.within_group(start, end, other)
            if best > SURE or (number + 1 >= _PROMISE and best < NEAR):
                break
        chosen = self.chosen(places)
        return chosen if chosen is not None and chosen.like > _CERTAIN else None

    def _as_likely(
        self, start: int, end: int, found: PossiblePlace, others: Sequence[PossiblePlace]
    ) -> list[PossiblePlace]:
        """The groups that may show the same as the one in which a stretch was found: of the same set-up, or beside it
        where hardly anything moves."""
        own = self.own(spread(start, end, _FEW), found.flipped)

        def key_like(film: int, group: int) -> float:
            return float(alike(self.films[film].keys[group : group + 1], own).max(initial=-1.0))

        least = max(_SET_UP, key_like(found.film, found.group) - _CLEAR)
        same = (
            each
            for each in others
            if each.flipped == found.flipped and (each.film, each.group) != (found.film, found.group)
        )
        likely = (c for c in same if key_like(c.film, c.group) > least or key_like(c.film, c.group + 1) > _STANDS)
        return list(islice(likely, _OTHERS))

    # Exact places

    def chosen(self, places: Sequence[Piece]) -> Piece | None:
        """The one place that it is, if that is clear."""
        best = max(places, key=lambda each: (rated(each), each.like), default=None)
        if best is None or best.like < LIKELY:
            return None
        rivals = (each for each in places if self.elsewhere(best, each))
        second = max((each.like for each in rivals), default=0.0)
        return best if best.like > _CERTAIN or best.like - second > _CLEAR else None

    def elsewhere(self, one: Piece, other: Piece) -> bool:
        """Whether two places are different ones."""
        film = self.films[one.film] if one.film is not None else None
        reach = film.facts.rate * _ELSEWHERE if film is not None else Fraction(0)
        return one.film != other.film or abs(one.first - other.first) > reach

    def within_group(self, start: int, end: int, candidate: PossiblePlace, near: float = NEAR) -> Iterator[Piece]:
        """Places of a stretch of which a part is in a group, if one picture there is as like as `near`."""
        flipped, covered = candidate.flipped, candidate.covered
        whole = Piece(start, end, candidate.film, flipped=flipped, view=candidate.view, covered=covered)
        anchor = self._rough(whole, candidate.group, near)
        if anchor is None:
            return
        best, tried = self.aligned(whole, anchor), {Fraction(1)}
        yield best
        while best.like < 1 - _GOOD and end - start >= MOVING:  # how fast it is shows the better, the nearer one is
            speeds = self._speeds(best, anchor) - tried
            pieces = [self.aligned(replace(whole, speed=each), anchor) for each in sorted(speeds)]
            yield from pieces
            better = max(pieces, key=rated, default=best)
            if rated(better) <= rated(best):
                break
            best, tried = better, tried | speeds

    def _rough(self, piece: Piece, group: int, near: float) -> tuple[int, int] | None:
        """A frame of a piece and the film's like it, by the pictures of one group alone; None where none is near."""
        film = self.films[piece.film or 0]
        begin, vectors = int(film.starts[group]), film.vectors(group, piece.view)
        rows, step = spread(piece.start, piece.end, _SAMPLES), float(self.step(piece))
        table = alike(self.own(rows, piece.flipped), vectors, piece.covered)
        if not table.size or table.max() < near:
            return None
        moments = (rows - piece.start) * step
        firsts = np.arange(-int(moments[-1]), len(vectors))
        ranks = np.floor(firsts[:, None] + moments[None] + 1e-6).astype(np.int64)
        inside = (ranks >= 0) & (ranks < len(vectors))
        likes = np.where(inside, table[np.arange(len(rows))[None], np.clip(ranks, 0, len(vectors) - 1)], 0).sum(1)
        count = inside.sum(1)
        means = np.where(count >= min(3, len(rows), len(vectors)), likes / np.maximum(count, 1), -1)
        first = int(firsts[int(means.argmax())]) + begin
        row = int(rows[int(np.flatnonzero(inside[int(means.argmax())])[0])])
        return row, first + int((row - piece.start) * step + 1e-6)

    def _speeds(self, piece: Piece, anchor: tuple[int, int]) -> set[Fraction]:
        """The speeds that the pictures around an anchor may have: by which picture is most like each frame."""
        film = self.films[piece.film or 0]
        normal = film.facts.rate / self.rate
        low, vectors = self._around(piece, anchor, _REACH)
        rows = spread(piece.start, piece.end, _SAMPLES)
        table = alike(self.own(rows, piece.flipped), vectors, piece.covered)
        if not table.size:
            return set()
        clear = table.max(1) > max(NEAR, float(table.max()) - 0.15)
        moments, ranks = rows[clear], table.argmax(1)[clear] + low
        if len(moments) < LEAST:
            return set()
        first, second = np.triu_indices(len(moments), 1)
        slope = float(np.median((ranks[second] - ranks[first]) / (moments[second] - moments[first]))) / float(normal)
        own = Fraction(slope).limit_denominator(20)
        near = [each for each in SPEEDS if abs(float(each) - slope) < 0.15 * slope]
        return {*near, *([own] if 0.25 <= own <= 4 and len(moments) > MOVING else [])} - {1}

    def _around(self, piece: Piece, anchor: tuple[int, int], reach: int) -> tuple[int, Vectors]:
        """The film's vectors in which a piece lies, and the first one's rank."""
        step = self.step(piece)
        rough = anchor[1] - (anchor[0] - piece.start) * step
        last = int(rough + (piece.end - piece.start) * step) + reach + 2
        return self.films[piece.film or 0].between(int(rough) - reach - 1, last, piece.view)

    def aligned(self, piece: Piece, anchor: tuple[int, int]) -> Piece:
        """A piece at its exact place, near a rough one: `anchor` is a frame of the trailer and the film's like it."""
        best, reach = replace(piece, like=-1.0), _REACH
        for _ in range(_AGAIN):
            nearby, still = self._nearby(piece, anchor, reach)
            best, last = max(nearby, best, key=lambda each: each.like), best
            rough = anchor[1] - (anchor[0] - piece.start) * self.step(piece)
            if still and reach < _WIDE:
                reach = _WIDE
            elif best is last or abs(nearby.first - rough) < reach - 2:
                break
            anchor = piece.start, int(nearby.first)
        return best

    def _nearby(self, piece: Piece, anchor: tuple[int, int], reach: int) -> tuple[Piece, bool]:
        """The best place of a piece within reach of an anchor, and whether the farthest one is nearly as good."""
        start, step = piece.start, self.step(piece)
        rough = anchor[1] - (anchor[0] - start) * step
        rows = spread(start, piece.end, _SAMPLES)
        low, vectors = self._around(piece, anchor, reach)
        if not len(vectors):
            return replace(piece, like=-1.0), False
        table = alike(self.own(rows, piece.flipped), vectors, piece.covered)
        parts = 1 if step == 1 else 4  # of a frame: only at another rate does it show where within one a shot begins
        shifts = sorted(range(-reach * parts, reach * parts + 1), key=abs)
        firsts = [(round(rough * parts) + Fraction(shift)) / parts for shift in shifts]
        places = np.array([float(first) for first in firsts])[:, None] + ((rows - start) * float(step))[None] + 1e-6
        ranks = np.floor(places).astype(np.int64) - low
        inside = (ranks[:, 0] >= 0) & (ranks[:, -1] < len(vectors)) & (places[:, 0] >= 0)
        likes = table[np.arange(len(rows))[None], np.clip(ranks, 0, len(vectors) - 1)].mean(1)
        likes = np.where(inside, likes, -1)
        if likes.max() < 0:
            return replace(piece, like=-1.0), False
        near = np.flatnonzero(likes > likes.max() - _ALIKE)
        frames = np.arange(start, piece.end)
        own, means = self.own(frames, piece.flipped), list[float]()
        for at in near:  # where pictures hardly differ, all of them are asked
            shown = np.floor(float(firsts[at]) + (frames - start) * float(step) + 1e-6).astype(np.int64) - low
            there = vectors[np.clip(shown, 0, len(vectors) - 1)]
            means.append(float(one_by_one(own, there, piece.covered).mean(dtype=np.float64)))
        chosen = int(near[int(np.argmax(means))])
        return replace(piece, first=firsts[chosen], like=float(likes[chosen])), bool(
            likes[-2:].max() > likes.max() - _STILL
        )


def rated(piece: Piece) -> float:
    """How like a place is; another speed or a mirrored picture must be so by more."""
    odd = (piece.speed != 1) + piece.flipped + (piece.speed != 1 and piece.speed not in SPEEDS)
    return -max(1 - piece.like, _GOOD) * _ODD**odd


def ranks_at(
    firsts: NDArray[np.float64], steps: NDArray[np.float64], frames: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """The film frames on screen at some frames after several places [places, frames]."""
    ranks = np.floor(firsts[:, None] + frames * steps[:, None] + 1e-6).astype(np.int64)
    return np.asarray(np.clip(ranks, 0, count - 1), np.int64)


def spread(start: int, end: int, most: int) -> NDArray[np.int64]:
    """Frames spread over a stretch, its very ends left out."""
    edge = min(2, (end - start) // 4)
    return np.unique(np.linspace(start + edge, end - 1 - edge, min(most, end - start)).round().astype(np.int64))
