"""What moves in a shot tells its first frame and its speed, also where little does: what stands still is taken away.

frames, the film's around them ─ minus the mean of each ─ the share of the changes that each speed and place explains
─► the best, and whether another one is as good
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from cinecut.proof.conform.places.placing import MOVING, SPEEDS, Piece, Placer, ranks_at, spread
from cinecut.proof.conform.places.vectors import Vectors

_LOOKS = 32  # frames of a shot that are compared at most
_REACH, _FAR = 30, 120  # film frames around the place found by the pictures themselves; where that leaves doubt
_BETTER = 0.05  # of the changes by which another speed or place must be better
_USUAL = 0.03  # by which one that is not the trailer's usual speed must be so
_MOVES, _TOLD = 0.3, 0.5  # share of the changes that is explained: with less nothing is told; not for certain
_DOUBT = 0.03  # another place that is worse by no more is as good
_UNLIKE = -1e6  # the share of a place whose pictures are another's
_OTHER = 3  # film frames by which either end of it lies elsewhere, at least
_BESIDE = (-24, -12, -6, 6, 12, 24)  # film frames
_AS_LIKE, _NOISE = 1.5, 0.0005  # times as unlike, and by so much more, the pictures of another place may be


def by_motion(pieces: Sequence[Piece], placer: Placer) -> list[Piece]:
    """The pieces at the speeds and frames that their motion tells; where it tells none, they are not `certain`."""
    usual = usual_speed(pieces)
    return [piece if piece.film is None else _settled(piece, placer, usual) for piece in pieces]


def usual_speed(pieces: Sequence[Piece]) -> Fraction:
    """The speed that most of the trailer has."""
    speeds = Counter[Fraction]()
    for piece in pieces:
        speeds[piece.speed] += piece.end - piece.start if piece.film is not None else 0
    return speeds.most_common(1)[0][0] if speeds else Fraction(1)


def _settled(piece: Piece, placer: Placer, usual: Fraction) -> Piece:
    """A piece by what moves near its place; where that leaves doubt, by what moves in the whole shot around it."""
    if piece.covered:
        return replace(piece, certain=_differs_beside(piece, placer))
    near = _refined(piece, placer, usual, _REACH)
    if near.certain:
        return near
    far = _refined(piece, placer, usual, _FAR)
    return far if far.certain else near


def _differs_beside(piece: Piece, placer: Placer) -> bool:
    """Whether the film's frames a little earlier and later are less like a piece that something lies over."""
    own = float(placer.likes(piece).mean())
    beside = (replace(piece, first=piece.first + shift) for shift in _BESIDE if piece.first + shift >= 0)
    return bool(_is_unlike(np.array([float(placer.likes(each).mean()) for each in beside]), own).all())


def _is_unlike(likes: NDArray[np.float64], best: float) -> NDArray[np.bool_]:
    """Which places are clearly less like a piece than the best one."""
    return np.asarray(1 - likes > _AS_LIKE * (1 - best) + _NOISE, np.bool_)


def _refined(piece: Piece, placer: Placer, usual: Fraction, reach: int) -> Piece:
    film, rows = placer.film_of(piece), spread(piece.start, piece.end, _LOOKS)
    normal = film.facts.rate / placer.rate
    moments = rows - piece.start
    half, far = (piece.end - piece.start) / 2 * normal * piece.speed, 2 * (piece.end - piece.start) + reach
    low, high = film.asked_around(int(piece.first + half), int(piece.first) - far, int(piece.first) + 2 * far)
    places = _places(piece, usual, moments, normal, range(low, high), reach)
    if not places:
        return piece
    speeds, firsts = np.array([(float(speed), float(first)) for speed, first in places]).T
    ranks = ranks_at(firsts, speeds * float(normal), moments, film.count)
    low, vectors = film.between(int(ranks.min()), int(ranks.max()) + 1, piece.view)
    ranks -= low
    own = bisect_left(places, (piece.speed, piece.first))
    likes, scores = _scores(placer.own(rows, piece.flipped), vectors, ranks)
    scores[_is_unlike(likes, float(likes[own]))] = _UNLIKE
    rated = scores + np.array([_USUAL * (speed == usual) for speed, _ in places])
    best = int(rated.argmax())
    if rated[best] < rated[own] + _BETTER or scores[best] < _MOVES:
        best = own
    away = np.abs(ranks[:, [0, -1]] - ranks[best, [0, -1]]).max(1)
    least = scores[best] - _DOUBT if scores[best] > _MOVES else _UNLIKE
    rivals = (away > _OTHER) & (scores > least)
    certain = bool(scores[best] > _TOLD and not rivals.any())
    if not certain and piece.speed == usual:  # another speed is said only for certain
        best = own
    speed, first = places[best]
    like = piece.like if best == own else float(likes[best])
    return replace(piece, speed=speed, first=first, like=like, certain=certain)


def _places(
    piece: Piece, usual: Fraction, moments: NDArray[np.int64], normal: Fraction, decoded: range, reach: int
) -> list[tuple[Fraction, Fraction]]:
    """Speeds, and first frames with which the middle of a piece lies near where it was found, in order; its own among
    them, or none at all."""
    middle, last = Fraction(int(moments[len(moments) // 2])), int(moments[-1])
    there = piece.first + middle * piece.speed * normal
    offsets = list[tuple[Fraction, Fraction]]()
    speeds = {Fraction(1), *SPEEDS} if last >= MOVING else set[Fraction]()
    for speed in sorted({piece.speed, usual, *speeds}):
        own = speed == piece.speed
        begin = piece.first if own else Fraction(round(there - middle * speed * normal))
        first = max(-reach, ceil(decoded.start - begin))
        end = min(reach + 1, ceil(decoded.stop - last * speed * normal - begin))
        if own and not first <= 0 < end:
            return []
        offsets += [(speed, begin + shift) for shift in range(first, end)]
    return offsets


def _scores(own: Vectors, film: Vectors, ranks: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each row of film frames, how like they are to a shot's frames, and what share of its changes they explain."""
    across, among = own @ film.T, film @ film.T
    tt = float((own * own).sum(1).mean() - (own @ own.T).mean())
    likes = across[np.arange(len(own)), ranks].mean(1, dtype=np.float64)
    cross = likes - across.mean(0, dtype=np.float64)[ranks].mean(1)
    shares = np.zeros((len(ranks), len(film)), np.float32)  # of each film picture in a row
    np.add.at(shares, (np.arange(len(ranks))[:, None], ranks), np.float32(1 / ranks.shape[1]))
    alike = np.einsum("ij,ij->i", shares @ among, shares, dtype=np.float64)
    ff = np.diag(among)[ranks].mean(1, dtype=np.float64) - alike
    return likes, (2 * cross - ff) / max(tt, 1e-9)
