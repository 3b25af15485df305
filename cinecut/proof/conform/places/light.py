"""The course of light tells the pieces that motion leaves in doubt: fades, black, cuts within one still picture.

sure pieces ─ the trailer's level for each of the film's ─► tone ─ the film's pictures in it ─► how far off each frame
is at places near the doubtful pieces, and where their neighbours go on ─ the cheapest way through, a change of place
has a price ─► pieces
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cinecut.proof.conform.places.placing import LEAST, SPEEDS, Piece, Placer
from cinecut.proof.conform.places.vectors import WHOLE, View, seen

Areas = NDArray[np.float32]  # [n, 144] the mean levels of the areas of a picture
Costs = NDArray[np.float32]  # [places, frames] in usual errors; infinite where there is no picture

_AREAS = (16, 9)  # columns and rows
_BIN, _PIXELS = 4, 40  # levels of the film that share one of the trailer; pixels of those: fewer tell nothing
_END = 8  # of such bins: above what is known a tone goes on as steeply as over so many
_LOOKS, _PIECES, _FEWEST = 5, 40, 3  # frames of a piece, and pieces, of which a tone is made; without so many is none
_ROUNDS = 3  # of settling, where a tone is of likely pieces
_OFF = 4.0  # levels by which sure pieces are off in a tone that all of the trailer has, at most; likely ones: twice
_LEAST_OFF = 0.25  # levels by which pictures that are rounded differ at least
_BEYOND = 12.0  # levels beyond all that the film shows there: a title, not the film
_FARTHEST = 24.0  # levels: what is off by more is not this picture, by however much
_MOST = 6  # pieces that are settled together
_REACH = 60  # film frames around a piece's place
_WINDOW = 360  # film frames around it that are looked at
_CHANGE = 12.0  # the price of another place, in usual errors of a frame
_ODD, _FAR = 0.2, 0.002  # of a speed that is not the trailer's usual one; of each frame from where a piece was found
_NOTHING = 6.0  # of a frame that is of no place
_CLEAR, _NOISE = 1.4, 0.4  # times the error, and usual errors beside it, from which on another place is worse
_FITS = 2.5  # usual errors that a place may have to be certain
_QUARTERS = 4  # of a piece: all of them must fit, and of some pieces be clear alone
_OTHER = 3  # film frames by which either end of another place lies elsewhere, at least


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Places of one piece, gone on over all frames of a run: at some speeds, each with the first film frame where the
    piece itself is, all up to `reach` film frames earlier and later; the film frames [places, frames], by how much each
    is off, and what is added for a place that is less likely [places]."""

    piece: Piece
    starts: Sequence[tuple[Fraction, Fraction]]
    reach: int
    ranks: NDArray[np.int64]
    off: Costs
    price: NDArray[np.float32]

    def at(self, number: int) -> tuple[Fraction, Fraction]:
        """The speed of a place, and its first film frame."""
        row, shift = divmod(number, 2 * self.reach + 1)
        speed, first = self.starts[row]
        return speed, first + shift - self.reach

    @property
    def own(self) -> int:
        """The place that the piece itself has."""
        return [speed for speed, _ in self.starts].index(self.piece.speed) * (2 * self.reach + 1) + self.reach


def by_light(pieces: Sequence[Piece], placer: Placer, usual: Fraction) -> list[Piece]:
    """The pieces; those that are not certain, and what is of no film, by their light. `usual`: the trailer's speed.
    Where a tone is of likely pieces they are settled again, by those that it made certain."""
    numbers, lit = range(len(placer.films)), list(pieces)
    for _ in range(_ROUNDS):
        lights = [light_of(lit, placer, number) for number in numbers]
        few = [len(_certain(lit, number)) < _FEWEST for number in numbers]
        lit = _settled(lit, placer, lights, usual)
        if not any(light is not None and likely for light, likely in zip(lights, few, strict=True)):
            break
    return lit


def _settled(pieces: Sequence[Piece], placer: Placer, lights: Sequence[Light | None], usual: Fraction) -> list[Piece]:
    settled, at = list[Piece](), 0
    is_open = [not _Run([piece], [], lights, placer, usual).is_right() for piece in pieces]
    while at < len(pieces):
        last = at
        while last < len(pieces) and last - at < _MOST and is_open[last]:
            last += 1
        if last > at:
            run = _Run(pieces[at:last], [*settled[-1:], *pieces[last : last + 1]], lights, placer, usual)
            settled += run.settled()
        else:
            settled.append(pieces[at])
        at = max(last, at + 1)
    return settled


@dataclass(frozen=True)
class _Run:
    """Doubtful pieces in a row, those `beside` them, and how the trailer shows each film."""

    pieces: Sequence[Piece]
    beside: Sequence[Piece]
    lights: Sequence[Light | None]
    placer: Placer
    usual: Fraction

    @property
    def start(self) -> int:
        return self.pieces[0].start

    @property
    def end(self) -> int:
        return self.pieces[-1].end

    def is_right(self) -> bool:
        """Whether one piece is certain, and no other place fits its light better."""
        piece = self.pieces[0]
        if piece.film is None or not piece.certain:
            return False
        places = self._places(piece, True)
        if places is None:
            return True
        return not any(
            (away & (_CLEAR * means + _NOISE < means[places.own])).any()
            for means, away in self._parts(piece, places.off, places.ranks, places.own)
        )

    def settled(self) -> list[Piece]:
        asked = [*((p, True) for p in self.pieces), *((p, False) for p in self.beside)]
        places = [each for piece, moves in asked if (each := self._places(piece, moves)) is not None]
        if not places:
            return list(self.pieces)
        off = np.concatenate([each.off for each in places])
        price = np.concatenate([each.price for each in places])
        owners = [(each, number) for each in places for number in range(len(each.price))]
        parts = list[Piece]()
        counts = [*(len(each.price) for each in places), 1]
        beside = ([*(self._is_beside(each.piece, end) for each in places), False] for end in (0, 1))
        ends = [np.repeat(each, counts) for each in beside]
        for first, last, line in _way(off + price[:, None], *ends):
            if line == len(owners):
                parts += _cut(self.pieces, self.start + first, self.start + last, self.placer)
            else:
                own, number = owners[line]
                parts.append(self._piece(own, number, first, last))
        return parts

    def _is_beside(self, piece: Piece, after: int) -> bool:
        """Whether a piece lies right before or `after` the run."""
        return piece in self.beside and (piece.start >= self.end if after else piece.end <= self.start)

    def _places(self, piece: Piece, moves: bool) -> _Places | None:
        """Places near a piece's; only its own if it does not move; None where its light tells nothing."""
        light = self.lights[piece.film] if piece.film is not None else None
        if piece.film is None or light is None:
            return None
        film, frames = self.placer.films[piece.film], np.arange(self.end - self.start)
        normal, middle = film.facts.rate / self.placer.rate, Fraction(piece.start + piece.end, 2)
        there = piece.first + (middle - piece.start) * piece.speed * normal
        speeds = sorted({piece.speed, self.usual, Fraction(1), *SPEEDS}) if moves else [piece.speed]
        begin = [there - (middle - self.start) * speed * normal for speed in speeds]
        reach = _REACH if moves else 0
        shifts = np.arange(-reach, reach + 1)
        odd = np.array([speed not in (self.usual, piece.speed) for speed in speeds])
        price = (_ODD * odd[:, None] + _FAR * np.abs(shifts)).ravel()
        steps = np.repeat([float(speed * normal) for speed in speeds], len(shifts))
        starts = (np.array([float(first) for first in begin])[:, None] + shifts).ravel()
        ranks = np.floor(starts[:, None] + frames * steps[:, None] + 1e-6).astype(np.int64)
        low, high = film.asked_around(int(there), int(there) - _WINDOW, int(there) + _WINDOW)
        low, high = max(low, int(there) - _WINDOW), min(high, int(there) + _WINDOW)
        luma = self.placer.luma[self.start : self.end]
        own = areas_of(luma[:, :, ::-1] if piece.flipped else luma)
        table = off_by(own, areas_of(film.luma_between(low, high), piece.view or film.view, light.tone)) / light.usual
        known = (ranks >= low) & (ranks < high)
        off = np.where(known, table[frames, np.clip(ranks - low, 0, high - low - 1)], np.float32(np.inf))
        starting = list(zip(speeds, begin, strict=True))
        return _Places(piece, starting, reach, ranks, off, np.asarray(price, np.float32))

    def _piece(self, own: _Places, number: int, first: int, last: int) -> Piece:
        """The frames [first, last) of the run at a place, certain if no other one is as good there."""
        speed, begin = own.at(number)
        begin += first * speed * self.placer.film_of(own.piece).facts.rate / self.placer.rate
        piece = replace(own.piece, start=self.start + first, end=self.start + last, first=begin, speed=speed)
        piece = replace(piece, like=float(np.median(self.placer.likes(piece))))
        off = own.off[:, first:last]
        clear = not any(
            (away & (means < _CLEAR * means[number] + _NOISE)).any()
            for means, away in self._parts(piece, off, own.ranks[:, first:last], number)
        )
        fits = all(float(part.mean()) < _FITS for part in np.array_split(off[number], _QUARTERS) if len(part))
        return replace(piece, certain=last - first >= LEAST and fits and clear)

    def _parts(
        self, piece: Piece, off: Costs, ranks: NDArray[np.int64], own: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
        """By how much each place is off in the parts of a piece that are judged alone, and whether it lies elsewhere
        than its `own` there. What lies over a piece may hide a cut in it, and a dissolve looks like a quicker fade: so
        each quarter of a covered piece, and of one at another speed, is judged."""
        count = _QUARTERS if piece.covered or piece.speed != self.usual else 1
        for part in np.array_split(np.arange(off.shape[1]), count):
            if len(part):
                ends = ranks[:, part[[0, -1]]]
                yield off[:, part].mean(1), np.abs(ends - ends[own]).max(1) > _OTHER


def _cut(pieces: Sequence[Piece], first: int, last: int, placer: Placer) -> Iterator[Piece]:
    """What lies within the frames [first, last), as it was."""
    for piece in pieces:
        start, end = max(piece.start, first), min(piece.end, last)
        if start < end:
            moved = piece.first + (start - piece.start) * placer.step(piece) if piece.film is not None else piece.first
            yield replace(piece, start=start, end=end, first=moved)


def _way(costs: Costs, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """The cheapest way through all frames: stretches [first, last) and the row of each; the number of rows for those
    that are of no place. `before` and `after`: the rows that are no change from what lies there [rows + 1]."""
    rows, frames = costs.shape
    costs = np.vstack([costs, np.full((1, frames), _NOTHING, np.float32)])
    best = costs[:, 0] + _CHANGE * ~before
    changed, cheapest = np.zeros((frames, rows + 1), np.bool_), np.zeros(frames, np.int64)
    for frame in range(1, frames):
        cheapest[frame] = best.argmin()
        other = best[cheapest[frame]] + _CHANGE
        changed[frame] = other < best
        best = np.minimum(best, other) + costs[:, frame]
    row, last, steps = int((best + _CHANGE * ~after).argmin()), frames, list[tuple[int, int, int]]()
    for frame in range(frames - 1, 0, -1):
        if changed[frame, row]:
            steps.append((frame, last, row))
            row, last = int(cheapest[frame]), frame
    return iter([*steps, (0, last, row)][::-1])


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """How a trailer shows a film: its level for each of the film's [256], and by how many it is off as a rule."""

    tone: NDArray[np.float32]
    usual: float


def light_of(pieces: Sequence[Piece], placer: Placer, number: int) -> Light | None:
    """By pieces of a film that are at their right places: certain ones, or, where these are too few, the likely ones
    that agree on one tone. None where these are too few as well, or graded differently."""
    sure = [_Looks.at(piece, placer) for piece in _certain(pieces, number)[:_PIECES]]
    if len(sure) < _FEWEST:
        likely = sorted((p for p in pieces if p.film == number and not p.covered), key=lambda piece: -piece.like)
        sure = _agreeing([_Looks.at(piece, placer) for piece in likely[:_PIECES]])
    tone = _curve(sure) if len(sure) >= _FEWEST else None
    if tone is None:
        return None
    off = np.concatenate([each.off(tone) for each in sure])
    return Light(tone, max(float(np.median(off)), _LEAST_OFF)) if np.quantile(off, 0.75) < _OFF else None


def _certain(pieces: Sequence[Piece], number: int) -> list[Piece]:
    """The pieces of a film by which its tone may be told."""
    return [p for p in pieces if p.film == number and p.certain and not p.covered]


@dataclass(frozen=True, slots=True, eq=False)
class _Looks:
    """Some frames of a piece, and the film's pictures there [n, 45, 80], of which `view` is shown."""

    piece: Piece
    ours: NDArray[np.uint8]
    theirs: NDArray[np.uint8]
    view: View

    @classmethod
    def at(cls, piece: Piece, placer: Placer) -> _Looks:
        return cls(piece, *placer.looks(piece, _LOOKS), piece.view or placer.film_of(piece).view)

    def off(self, tone: NDArray[np.float32]) -> NDArray[np.float32]:
        """By how many levels each frame is off the film's in a tone."""
        return np.asarray(np.abs(areas_of(self.ours) - areas_of(self.theirs, self.view, tone)).mean(1), np.float32)


def _agreeing(looks: Sequence[_Looks]) -> list[_Looks]:
    """The most pieces that have one tone: begun with each of them, grown by those that agree."""
    best = list[_Looks]()
    for first in looks:
        some, count = [first], 0
        while len(some) > count and (tone := _curve(some)) is not None:
            count = len(some)
            some = [each for each in looks if float(each.off(tone).mean()) < 2 * _OFF]
        best = max(best, some, key=lambda each: (sum(one.piece.certain for one in each), len(each)))
    return best


def _curve(looks: Sequence[_Looks]) -> NDArray[np.float32] | None:
    """Our level for each of the film's, by the pixels of pieces; above what these show it goes on as it ends."""
    levels = np.concatenate([seen(each, look.view).ravel() for look in looks for each in look.theirs])
    ours = np.concatenate([seen(each, WHOLE).ravel() for look in looks for each in look.ours])
    bins = (levels / _BIN).astype(np.int64)
    known = [each for each in np.unique(bins) if (bins == each).sum() >= _PIXELS]
    if len(known) < 2:
        return None
    at = [float(levels[bins == each].mean()) for each in known]
    to = np.maximum.accumulate([float(np.median(ours[bins == each])) for each in known]).tolist()
    high = max(-1 - _END, -len(at))
    last = to[-1] + (to[-1] - to[high]) / (at[-1] - at[high]) * (255 - at[-1])
    at, to = [*at, 255.0], [*to, last]
    return np.asarray(np.interp(np.arange(256), at, to).clip(0, 255), np.float32)


def areas_of(luma: NDArray[np.uint8], view: View = WHOLE, tone: NDArray[np.float32] | None = None) -> Areas:
    """Of a part of pictures [n, 45, 80], in a tone."""
    pictures = luma.astype(np.float32) if tone is None else tone[luma]
    down = _means(view.top, view.bottom, _AREAS[1], luma.shape[1])
    across = _means(view.left, view.right, _AREAS[0], luma.shape[2])
    return np.asarray((down @ (pictures @ across.T)).reshape(len(luma), -1), np.float32)


@lru_cache(maxsize=64)
def _means(near: float, far: float, parts: int, pixels: int) -> NDArray[np.float32]:
    """The share of each pixel in the mean of each part of what lies between two edges [parts, pixels]."""
    edges = np.linspace(near, far, parts + 1)[:, None] * pixels
    inside = np.minimum(edges[1:], np.arange(1, pixels + 1)) - np.maximum(edges[:-1], np.arange(pixels))
    return np.asarray(np.maximum(inside, 0) / (edges[1:] - edges[:-1]), np.float32)


def off_by(own: Areas, film: Areas) -> NDArray[np.float32]:
    """The mean levels by which each frame is off each picture of the film [n, m]. Areas that show what the film shows
    nowhere there, as under a title, are all off by the same; a frame of such areas alone is none of these pictures."""
    differences = np.empty((len(own), len(film)), np.float32)
    low, high = film.min(0) - _BEYOND, film.max(0) + _BEYOND
    for row, areas in zip(differences, own, strict=True):
        shown = (areas > low) & (areas < high)
        off = np.minimum(np.abs(film[:, shown] - areas[shown]), _FARTHEST).sum(1)
        row[:] = (off + _BEYOND * (~shown).sum()) / len(areas) if shown.any() else _FARTHEST
    return differences
