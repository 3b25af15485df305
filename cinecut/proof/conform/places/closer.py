"""A closer look at places that small pictures leave in doubt.

Text that rolls, leaves and grain are finer than what a thumbnail holds: there the right place is hardly more like than
a wrong one. In pictures three times as large it stands out.

rough places ─ pictures of both, 240 x 135, part by part ─► likeness at each speed and shift ─► the one that is clear
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gops import small_planes
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import picture_stream
from cinecut.proof.conform.places.film import CLOSE_UP
from cinecut.proof.conform.places.placing import SPEEDS, Piece, Placer, rated, spread
from cinecut.proof.conform.places.vectors import WHOLE, View

_PARTS = (3, 4)  # rows and columns of parts of a picture
_FINE = 31  # pixels: what is larger is taken away
_EMPTY = 2.5  # levels of deviation: a part of the film's picture with less shows nothing that could be compared
_FEWEST = 3  # parts that show something: with fewer a picture tells nothing
_LOOKS = 8  # frames of a piece
_REACH = 24  # film frames around the rough place
_SLOWEST, _FASTEST = Fraction(1, 2), Fraction(2)
# Likeness from which on a place is the right one, and by which all others must be less like it. Measured: right ones
# reach 0.76 to 0.99, or 0.67 where the film itself is small; wrong ones, of text ten pixels high, 0.66.
_CERTAIN, _CLEAR = 0.67, 0.2


def clear_place(places: Sequence[Piece], placer: Placer) -> Piece | None:
    """The one of some rough places that is right, at its exact frame, if a closer look leaves no doubt."""
    if placer.facts.variable:  # its frames are not to be had by their numbers
        return None
    looked = [_looked_at(each, placer) for each in places]
    best = max(looked, key=lambda each: each.like, default=None)
    if best is None or best.like < _CERTAIN:
        return None
    others = max((each.like for each in looked if placer.elsewhere(best, each)), default=0.0)
    return best if best.like - others > _CLEAR else None


def _looked_at(piece: Piece, placer: Placer) -> Piece:
    """A piece at the best speed and frame near its rough ones."""
    film, rows = placer.film_of(piece), spread(piece.start, piece.end, _LOOKS)
    normal = film.facts.rate / placer.rate
    middle, half = int(rows[len(rows) // 2]), (piece.end - piece.start + 1) // 2
    there = piece.first + (middle - piece.start) * placer.step(piece)
    around = int(half * normal * max(_FASTEST, piece.speed)) + _REACH + 1
    low, high = max(0, int(there) - around), min(film.count, int(there) + around)
    table = _likes(piece, rows, placer, low, high)
    best = replace(piece, like=0.0)
    for speed in {piece.speed, Fraction(1), *(each for each in SPEEDS if _SLOWEST <= each <= _FASTEST)}:
        step, parts = speed * normal, 1 if speed * normal == 1 else 4
        shifts = np.arange(-_REACH * parts, _REACH * parts + 1)
        places = (round(there * parts) + shifts)[:, None] / parts + (rows - middle) * float(step)
        ranks = np.floor(places + 1e-6).astype(np.int64)
        earliest = math.ceil((middle - piece.start) * step * parts) - round(there * parts)
        known = (shifts >= earliest) & (ranks[:, 0] >= low) & (ranks[:, -1] < high)
        if not known.any():
            continue
        likes = table[np.arange(len(rows)), ranks[known] - low].mean(1)
        at = int(likes.argmax())
        first = Fraction(round(there * parts) + int(shifts[known][at]), parts) - (middle - piece.start) * step
        best = max(best, replace(piece, speed=speed, first=first, like=float(likes[at])), key=rated)
    return best


def _likes(piece: Piece, rows: NDArray[np.int64], placer: Placer, low: int, high: int) -> NDArray[np.float32]:
    """How like some frames are to the film's pictures [low, high): the median over the parts that show something there,
    so that a title over some of them does not count [rows, pictures]."""
    film, own, whole = placer.film_of(piece), _frames(placer, rows), WHOLE.within(placer.within)
    if piece.flipped:
        whole = View(1 - whole.right, whole.top, 1 - whole.left, whole.bottom)
    ours, _ = _in_parts(own[:, :, ::-1] if piece.flipped else own, whole)
    theirs, deviations = _in_parts(film.close_ups(low, high), (piece.view or film.view).within(film.inside))
    shown = deviations > _EMPTY
    likes = np.einsum("ipk,jpk->ijp", ours, theirs)
    likes[:, ~shown] = np.nan
    likes[:, shown.sum(1) < _FEWEST] = 0
    return np.asarray(np.nanmedian(likes, axis=2), np.float32)


def _frames(placer: Placer, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The luma of some frames of the trailer, with its bars [n, 135, 240]."""
    frames, nothing = list[NDArray[np.uint8]](), np.zeros((CLOSE_UP[1], CLOSE_UP[0]), np.uint8)
    with open_film(placer.trailer, placer.facts) as media:
        reader = FrameReader(media, picture_stream(media, placer.trailer), placer.facts.start, rough=False)
        for row in rows.tolist():
            frame = reader.numbered(row, placer.rate)
            frames.append(small_planes(frame, *CLOSE_UP)[0] if frame is not None else nothing)
    return np.stack(frames)


def _in_parts(luma: NDArray[np.uint8], view: View) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The parts of pictures [n, 135, 240], each without its coarse light and of unit length [n, 12, 2700], and their
    deviations in levels [n, 12]."""
    columns, rows = CLOSE_UP
    high, wide = rows // _PARTS[0], columns // _PARTS[1]
    small = np.empty((len(luma), rows, columns), np.float32)
    for picture, target in zip(luma, small, strict=True):
        shown = view.of(picture.astype(np.float32), CLOSE_UP)
        target[:] = shown - cv2.blur(shown, (_FINE, _FINE), borderType=cv2.BORDER_REFLECT)
    parts = (
        small.reshape(-1, _PARTS[0], high, _PARTS[1], wide).transpose(0, 1, 3, 2, 4).reshape(len(luma), -1, high * wide)
    )
    parts = parts - parts.mean(2, keepdims=True)
    length = np.linalg.norm(parts, axis=2)
    return parts / np.maximum(length, 1e-3)[..., None], length / (high * wide) ** 0.5
