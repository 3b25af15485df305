"""Shots of which a trailer shows another part of the film's picture than usual: reframed, or zoomed into.

a frame, smaller ─ sought in each of the film's pictures that promise something ─► how large, and where ─► View
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gops import THUMB_COLUMNS, THUMB_ROWS
from cinecut.proof.conform.places.placing import LEAST, Piece, Placer, PossiblePlace
from cinecut.proof.conform.places.vectors import View, one_by_one, vectors_of
from cinecut.proof.conform.places.views import refined

_ZOOMS = (0.94, 0.86, 0.78, 0.7, 0.62, 0.54)  # of the usual part's width and height
_COARSE = 31  # pixels of a thumbnail: the window over which light is evened out
_GROUPS, _KEPT = 400, 80  # groups, as they are and mirrored, whose key pictures are looked through; whose frames are
_EVERY = 8  # of those, if they were asked for already
_AKIN = 0.5  # correlation from which on a place is worth an exact look
_TRIED = 5  # places for one shot
_PLAIN = 3.0  # levels of deviation: a picture with less shows nothing
_LOOKS = 4  # frames of a shot by which its part is told exactly
_NARROWER, _BETTER = 0.015, 0.01  # another part than usual differs by so much, and is so much more like


def framings(piece: Piece, placer: Placer, asked: Sequence[frozenset[int]]) -> list[PossiblePlace]:
    """The likeliest groups of a piece, each with the part of its pictures that the piece would show. `asked`: groups
    of each film of which more than the key picture is looked at."""
    middle = (piece.start + piece.end) // 2
    framed = list[PossiblePlace]()
    for number, each in enumerate(placer.candidates(piece.start, piece.end)[:_GROUPS]):
        film = placer.films[each.film]
        luma = placer.luma[middle][:, ::-1] if each.flipped else placer.luma[middle]
        pictures = [film.key_luma[each.group]]
        if number < _KEPT and each.group in asked[each.film]:
            pictures += list(film.block(each.group)[_EVERY // 2 :: _EVERY])
        like, view = max((_sought(luma, picture, film.view) for picture in pictures), key=lambda rated: rated[0])
        if like > _AKIN:
            framed.append(replace(each, promise=like, view=view))
    return sorted(framed, key=lambda each: -each.promise)[:_TRIED]


def _sought(luma: NDArray[np.uint8], picture: NDArray[np.uint8], usual: View) -> tuple[float, View]:
    """Where in a film's picture a trailer's frame is most like it, and how like it is there."""
    best, whole = (0.0, usual), _details(picture)
    if picture.std() < _PLAIN:
        return best
    for zoom in _ZOOMS:
        wide, high = zoom * usual.size[0], zoom * usual.size[1]
        size = round(wide * THUMB_COLUMNS), round(high * THUMB_ROWS)
        if 0 in size:  # of a picture like a thread
            continue
        part = _details(np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8))
        likes = cv2.matchTemplate(whole, part, cv2.TM_CCOEFF_NORMED)
        row, column = np.unravel_index(int(likes.argmax()), likes.shape)
        if likes[row, column] > best[0]:
            left, top = float(column) / THUMB_COLUMNS, float(row) / THUMB_ROWS
            best = float(likes[row, column]), View(left, top, min(1.0, left + wide), min(1.0, top + high))
    return best


def _details(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A picture without its coarse light."""
    picture = luma.astype(np.float32)
    return picture - cv2.blur(picture, (_COARSE, _COARSE), borderType=cv2.BORDER_REFLECT)


def reframed(piece: Piece, placer: Placer) -> Piece:
    """A piece with the part of the picture that it alone shows, where that is clearly another than the usual one."""
    if piece.film is None or piece.covered or piece.end - piece.start < LEAST:
        return piece
    film = placer.films[piece.film]
    ours, theirs = placer.looks(piece, _LOOKS)
    view = refined(ours, theirs, piece.view or film.view)
    if view.differs(film.view) < _NARROWER:
        return replace(piece, view=None)
    if _like(ours, theirs, view) < _like(ours, theirs, film.view) + _BETTER:
        return replace(piece, view=None)
    return placer.aligned(replace(piece, view=view), (piece.start, int(piece.first)))


def with_usual_part(piece: Piece, placer: Placer) -> Piece:
    """A piece without a part of its own where that is the usual one after all: the usual one was not exact before."""
    if piece.film is None or piece.view is None or piece.view.differs(placer.films[piece.film].view) >= _NARROWER:
        return piece
    return replace(piece, view=None)


def _like(ours: NDArray[np.uint8], theirs: NDArray[np.uint8], view: View) -> float:
    return float(one_by_one(vectors_of(ours), vectors_of(theirs, view)).mean())
