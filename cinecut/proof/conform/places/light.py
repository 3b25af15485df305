"""The course of light: where nothing moves while the picture fades, its levels tell the frame.

sure pieces ─ trailer's level for each of the film's ─► tone ─ the film's pictures in it ─► how far off each frame is
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cinecut.proof.conform.places.placing import Piece, Placer, ranks_of, spread
from cinecut.proof.conform.places.vectors import WHOLE, View, seen

Areas = NDArray[np.float32]  # [n, 144] the mean levels of the areas of a picture

_AREAS = (16, 9)  # columns and rows
_BIN, _PIXELS = 4, 40  # levels of the film that share one of the trailer; pixels of those: fewer tell nothing
_LOOKS, _PIECES, _FEWEST = 5, 40, 3  # frames of a piece, and pieces, of which a tone is made; without so many is none
_OFF = 4.0  # levels by which sure pieces are off in a tone that all of the trailer has, at most
_BEYOND = 12.0  # levels beyond all that the film shows there: a title, not the film
_FARTHEST = 24.0  # levels: what is off by more is not this picture, by however much


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """How a trailer shows a film: its level for each of the film's [256], and by how many it is off as a rule."""

    tone: NDArray[np.float32]
    usual: float


def light_of(pieces: Sequence[Piece], placer: Placer, number: int) -> Light | None:
    """By pieces of a film that are at their right places; None where these are too few, or graded differently."""
    film = placer.films[number]
    sure = [p for p in pieces if p.film == number and p.certain and not p.covered][:_PIECES]
    if len(sure) < _FEWEST:
        return None
    ours, theirs, views = list[NDArray[np.uint8]](), list[NDArray[np.uint8]](), list[View]()
    for piece in sure:
        rows = spread(piece.start, piece.end, _LOOKS)
        ranks = ranks_of(piece.first, placer.step(piece), rows - piece.start, film.count)
        for row, rank in zip(rows, ranks, strict=True):
            luma = placer.luma[row]
            ours.append(luma[:, ::-1] if piece.flipped else luma)
            theirs.append(film.luma_between(int(rank), int(rank) + 1)[0])
            views.append(piece.view or film.view)
    tone = _curve(
        np.concatenate([seen(each, view).ravel() for each, view in zip(theirs, views, strict=True)]),
        np.concatenate([seen(each, WHOLE).ravel() for each in ours]),
    )
    if tone is None:
        return None
    there = np.concatenate([areas_of(each[None], view, tone) for each, view in zip(theirs, views, strict=True)])
    off = np.abs(areas_of(np.stack(ours)) - there).mean(1)
    return Light(tone, float(np.median(off))) if np.quantile(off, 0.75) < _OFF else None


def _curve(levels: NDArray[np.float32], ours: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Our level for each of others, by pixels of the same pictures."""
    bins = (levels / _BIN).astype(np.int64)
    known = [each for each in np.unique(bins) if (bins == each).sum() >= _PIXELS]
    if len(known) < 2:
        return None
    at = [float(levels[bins == each].mean()) for each in known]
    to = np.maximum.accumulate([float(np.median(ours[bins == each])) for each in known])
    return np.interp(np.arange(256), at, to).astype(np.float32)


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
    nowhere there, as under a title, are all off by the same."""
    found = np.empty((len(own), len(film)), np.float32)
    low, high = film.min(0) - _BEYOND, film.max(0) + _BEYOND
    for row, areas in zip(found, own, strict=True):
        shown = (areas > low) & (areas < high)
        off = np.minimum(np.abs(film[:, shown] - areas[shown]), _FARTHEST).sum(1)
        row[:] = (off + _BEYOND * (~shown).sum()) / len(areas)
    return found
