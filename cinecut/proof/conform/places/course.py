"""The pieces that motion leaves in doubt, by the course of light: fades, black, cuts within one still picture.

doubtful pieces ─ places near theirs, their neighbours gone on ─► levels by which each frame is off at each place
─ the cheapest way through, a change of place has a price ─► pieces
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cinecut.proof.conform.places.light import Light, areas_of, light_of, off_by
from cinecut.proof.conform.places.placing import LEAST, SPEEDS, Piece, Placer

_MOST = 6  # pieces that are settled together
_REACH = 60  # film frames around a piece's place
_WINDOW = 360  # film frames around it that are looked at
_CHANGE = 12.0  # the price of another place, in usual errors of a frame
_ODD, _FAR = 0.2, 0.002  # of a speed that is not the trailer's usual one; of each frame from where a piece was found
_NOTHING = 6.0  # of a frame that is of no place
_CLEAR, _NOISE = 1.4, 0.4  # times the error, and usual errors beside it, from which on another place is worse
_FITS = 2.5  # usual errors that a place may have to be certain, in each quarter of its piece
_OTHER = 3  # film frames by which either end of another place lies elsewhere, at least

Costs = NDArray[np.float32]  # [places, frames] in usual errors; infinite where there is no picture


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Places of one piece, gone on over all frames of a run: the first frames there, the film frames [places, frames],
    by how much each is off, and what is added for a place that is less likely [places]."""

    piece: Piece
    speeds: Sequence[Fraction]
    firsts: Sequence[Fraction]
    ranks: NDArray[np.int64]
    off: Costs
    price: NDArray[np.float32]


def by_light(pieces: Sequence[Piece], placer: Placer, usual: Fraction) -> list[Piece]:
    """The pieces; those that are not certain, and what is of no film, by their light. `usual`: the trailer's speed."""
    lights = [light_of(pieces, placer, number) for number in range(len(placer.films))]
    found, at = list[Piece](), 0
    is_open = [not _Run([piece], [], lights, placer, usual).is_right() for piece in pieces]
    while at < len(pieces):
        last = at
        while last < len(pieces) and last - at < _MOST and is_open[last]:
            last += 1
        if last > at:
            run = _Run(pieces[at:last], [*found[-1:], *pieces[last : last + 1]], lights, placer, usual)
            found += run.settled()
        else:
            found.append(pieces[at])
        at = max(last, at + 1)
    return found


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
        means = places.off.mean(1)
        own = next(
            n for n, at in enumerate(zip(places.speeds, places.firsts, strict=True)) if at == (piece.speed, piece.first)
        )
        away = np.abs(places.ranks[:, [0, -1]] - places.ranks[own, [0, -1]]).max(1) > _OTHER
        return not bool((away & (_CLEAR * means + _NOISE < means[own])).any())

    def settled(self) -> list[Piece]:
        asked = [*((p, True) for p in self.pieces), *((p, False) for p in self.beside)]
        places = [each for piece, moves in asked if (each := self._places(piece, moves)) is not None]
        if not places:
            return list(self.pieces)
        off = np.concatenate([each.off for each in places])
        price = np.concatenate([each.price for each in places])
        owners = [(each, number) for each in places for number in range(len(each.firsts))]
        found = list[Piece]()
        ends = [np.array([*(self._is_beside(each.piece, end) for each, _ in owners), False]) for end in (0, 1)]
        for first, last, line in _way(off + price[:, None], *ends):
            if line == len(owners):
                found += _cut(self.pieces, self.start + first, self.start + last, self.placer)
            else:
                own, number = owners[line]
                found.append(self._piece(own, number, first, last))
        return found

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
        speeds, firsts, price = list[Fraction](), list[Fraction](), list[float]()
        for speed in sorted({piece.speed, self.usual, Fraction(1), *SPEEDS}) if moves else [piece.speed]:
            begin = there - (middle - self.start) * speed * normal
            for shift in range(-_REACH, _REACH + 1) if moves else [0]:
                speeds.append(speed)
                firsts.append(begin + shift)
                price.append(_FAR * abs(shift) + _ODD * (speed not in (self.usual, piece.speed)))
        steps = np.array([float(speed * normal) for speed in speeds])
        starts = np.array([float(first) for first in firsts])
        ranks = np.floor(starts[:, None] + frames * steps[:, None] + 1e-6).astype(np.int64)
        low, high = film.asked_around(int(there), int(there) - _WINDOW, int(there) + _WINDOW)
        low, high = max(low, int(there) - _WINDOW), min(high, int(there) + _WINDOW)
        luma = self.placer.luma[self.start : self.end]
        own = areas_of(luma[:, :, ::-1] if piece.flipped else luma)
        table = off_by(own, areas_of(film.luma_between(low, high), piece.view or film.view, light.tone)) / light.usual
        known = (ranks >= low) & (ranks < high)
        off = np.where(known, table[frames, np.clip(ranks - low, 0, high - low - 1)], np.float32(np.inf))
        return _Places(piece, speeds, firsts, ranks, off, np.array(price, np.float32))

    def _piece(self, own: _Places, number: int, first: int, last: int) -> Piece:
        """The frames [first, last) of the run at a place, certain if no other one is as good there."""
        assert own.piece.film is not None
        speed = own.speeds[number]
        begin = own.firsts[number] + first * speed * self.placer.films[own.piece.film].facts.rate / self.placer.rate
        piece = replace(own.piece, start=self.start + first, end=self.start + last, first=begin, speed=speed)
        piece = replace(piece, like=float(np.median(self.placer.likes(piece))))
        off, ranks = own.off[:, first:last], own.ranks[:, [first, last - 1]]
        means = off.mean(1)
        away = np.abs(ranks - ranks[number]).max(1) > _OTHER
        rivals = away & (means < _CLEAR * means[number] + _NOISE)
        fits = all(float(part.mean()) < _FITS for part in np.array_split(off[number], 4) if len(part))
        return replace(piece, certain=last - first >= LEAST and fits and not bool(rivals.any()))


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
    row, last, found = int((best + _CHANGE * ~after).argmin()), frames, list[tuple[int, int, int]]()
    for frame in range(frames - 1, 0, -1):
        if changed[frame, row]:
            found.append((frame, last, row))
            row, last = int(cheapest[frame]), frame
    return iter([*found, (0, last, row)][::-1])
