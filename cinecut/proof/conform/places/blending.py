"""Dissolves of a trailer: where one piece becomes the next, each frame is a sum of both.

frame ≈ a · the one before, gone on + b · the one after, begun earlier ─ b / (a + b) rises ─► middle and length
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cinecut.proof.conform.places.placing import Piece, Placer
from cinecut.proof.conform.places.vectors import WHOLE, seen

_LONGEST, _AROUND = 72, 16  # frames of what lies between two pieces; beside it that are looked at
_SHORT = 24  # frames of what has a place that is not certain
_EXPLAINED = 0.9  # of a frame's variance by the sum
_BOTH = 2.0  # times as much of it that one picture alone leaves unexplained: no sum needs a picture that is black
_PURE = 0.08  # share below which a picture is not in a frame
_LEAST = 4  # frames of a dissolve
_WEAK = 0.93  # of a piece's usual correlation: something lies over its end


def with_blends(pieces: Sequence[Piece], placer: Placer) -> list[Piece]:
    """The pieces; two of which one dissolves into the other meet in its middle, and what lay between them is gone."""
    parts = list(pieces)
    at = 0
    while at + 1 < len(parts):
        between = at + 2 < len(parts) and _is_gap(parts[at + 1])
        one, other = parts[at], parts[at + 2 if between else at + 1]
        if one.film is not None and other.film is not None and (between or _weak(one, other, placer)):
            blended = _blended(one, other, placer)
            if blended is not None:
                parts[at : at + (3 if between else 2)] = blended
        at += 1
    return parts


def _is_gap(piece: Piece) -> bool:
    """Whether a piece may be no more than what lies between two others."""
    if piece.film is not None:
        return not piece.certain and piece.end - piece.start <= _SHORT
    return not piece.black and piece.end - piece.start <= _LONGEST


def _weak(one: Piece, other: Piece, placer: Placer) -> bool:
    """Whether the frames at a cut are less like the film than those beside it."""
    for piece, end in ((one, slice(-3, None)), (other, slice(0, 3))):
        likes = placer.likes(piece)
        if len(likes) > 2 * _LEAST and float(likes[end].mean()) < _WEAK * float(np.median(likes)):
            return True
    return False


def _blended(one: Piece, other: Piece, placer: Placer) -> list[Piece] | None:
    """Both pieces cut in the middle of the dissolve between them, if there is one."""
    first, last = max(one.start, one.end - _AROUND), min(other.end, other.start + _AROUND)
    frames = np.arange(first, last)
    before, after = (_continued(piece, frames, placer) for piece in (one, other))
    shown = _small(placer.luma[first:last])
    weights, explained = _sum_of(before, after, shown)
    alone = np.maximum(_share_of(before, shown), _share_of(after, shown))
    needed = 1 - alone > _BOTH * (1 - explained)
    mixed = needed & (weights > _PURE) & (weights < 1 - _PURE) & (explained > _EXPLAINED)
    if mixed.sum() < _LEAST:
        return None
    slope, offset = np.polyfit(frames[mixed], weights[mixed], 1)
    if slope <= 1 / (2 * _LONGEST) or float(np.corrcoef(frames[mixed], weights[mixed])[0, 1]) < 0.9:
        return None
    length, middle = round(1 / float(slope)), round((0.5 - float(offset)) / float(slope))
    if not one.start < middle < other.end or length > 2 * min(middle - one.start, other.end - middle):
        return None
    moved = other.first + (middle - other.start) * placer.step(other)
    return [] if moved < 0 else [replace(one, end=middle), replace(other, start=middle, first=moved, blend=length)]


def _continued(piece: Piece, frames: NDArray[np.int64], placer: Placer) -> NDArray[np.float32]:
    """What a piece would show at frames, also beyond its ends [n, pixels]."""
    film, ranks = placer.film_of(piece), placer.ranks(piece, frames)
    luma = film.luma_between(int(ranks.min()), int(ranks.max()) + 1)[ranks - int(ranks.min())]
    small = np.stack([seen(picture, piece.view or film.view) for picture in luma])
    small = small[:, :, ::-1] if piece.flipped else small
    return _centred(small)


def _small(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    return _centred(np.stack([seen(picture, WHOLE) for picture in luma]))


def _centred(small: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = small.reshape(len(small), -1)
    return np.asarray(rows - rows.mean(1, keepdims=True), np.float32)


def _sum_of(
    one: NDArray[np.float32], other: NDArray[np.float32], shown: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each frame the share of the other in the sum of both that is nearest to it, and how much that explains."""
    aa, bb, ab = (one * one).sum(1), (other * other).sum(1), (one * other).sum(1)
    ta, tb, tt = (shown * one).sum(1), (shown * other).sum(1), (shown * shown).sum(1) + 1e-3
    det = np.maximum(aa * bb - ab * ab, 1e-3 * aa * bb + 1e-3)
    a, b = (ta * bb - tb * ab) / det, (tb * aa - ta * ab) / det
    explained = (a * ta + b * tb) / tt
    share = np.where(a + b > 0.3, b / np.maximum(a + b, 1e-3), 0.5)
    return np.asarray(np.clip(share, 0, 1), np.float64), np.asarray(np.where(a + b > 0.3, explained, 0), np.float64)


def _share_of(one: NDArray[np.float32], shown: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much of each frame one picture explains alone."""
    product, own, all_ = (one * shown).sum(1), (one * one).sum(1) + 1e-3, (shown * shown).sum(1) + 1e-3
    return np.asarray(product**2 / (own * all_), np.float64)
