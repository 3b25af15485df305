"""Which part of a film's picture a trailer shows: it may be of another transfer, cropped, or cut for another screen.

trailer frames × key pictures ─ some shapes ─► the likeliest ─ edges moved by small steps ─► View
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cinecut.proof.conform.places.vectors import WHOLE, Vectors, View, alike, vectors_of

_ZOOMS = (1.0, 0.96, 0.92, 0.88)  # of the picture's width or height
_SHARE = 3  # of the frames, the third that is most like a key picture tells
_AKIN = 0.6  # correlation of two pictures of which one may tell how the other is cropped
_STEPS = (0.02, 0.01, 0.005, 0.0025)  # by which edges are moved, as shares of the picture
_AS_WHOLE = 0.006  # edges nearer to those of the whole picture are these
_SMALLEST = 0.3  # share of the width or height that is still a part of the picture
_PAIRS = 12


def likely_view(vectors: Vectors, luma: NDArray[np.uint8], keys: NDArray[np.uint8], shape: float) -> View:
    """The view under which a trailer's frames are most like a film's key pictures.

    vectors, luma : of some frames of the trailer
    shape : how much wider the trailer's picture is than the film's, both without bars (1: of the same shape)
    """
    best, likest = (0.0, WHOLE), list[tuple[int, int]]()  # frames and the key pictures that they show
    for view in _shapes(shape):
        likes = alike(vectors_of(keys, view), vectors)
        most = likes.max(0)
        rows = np.argsort(-most)[: max(3, len(most) // _SHARE)]
        score = float(most[rows].mean()) + (0.01 if view == WHOLE else 0.0)
        if score > best[0]:
            best = score, view
            likest = [(int(row), int(likes[:, row].argmax())) for row in rows[:_PAIRS] if most[row] > _AKIN]
    if len(likest) < 3:
        return best[1]
    shown, there = np.array(likest).T
    return refined(luma[shown], keys[there], best[1])


def _shapes(shape: float) -> list[View]:
    """Parts in the middle: of the trailer's shape, and of the film's, in which the picture was stretched."""
    wide, high = min(1.0, shape), min(1.0, 1 / shape)
    sizes = {(zoom * w, zoom * h) for zoom, (w, h) in product(_ZOOMS, ((wide, high), (1.0, 1.0)))}
    return [View(0.5 - w / 2, 0.5 - h / 2, 0.5 + w / 2, 0.5 + h / 2) for w, h in sorted(sizes, reverse=True)]


def refined(ours: NDArray[np.uint8], theirs: NDArray[np.uint8], view: View) -> View:
    """The view near one under which a trailer's frames are most like the film's pictures that they show [n, 45, 80]."""
    own = vectors_of(ours)

    def like(tried: View) -> float:
        return float((own * vectors_of(theirs, tried)).sum(1).mean())

    best = like(view), view
    for step in _STEPS:
        for _ in range(4):
            better = max(
                ((like(each), each) for each in _moves(best[1], step)), key=lambda rated: rated[0], default=best
            )
            if better[0] <= best[0]:
                break
            best = better
    return WHOLE if best[1].differs(WHOLE) < _AS_WHOLE else best[1]


def _moves(view: View, step: float) -> list[View]:
    """The views whose edges lie a step elsewhere: one of them, two opposite ones, or all."""
    views = []
    for changes in (
        {"left": 1}, {"right": 1}, {"top": 1}, {"bottom": 1}, {"left": 1, "right": 1}, {"top": 1, "bottom": 1},
        {"left": 1, "right": -1}, {"top": 1, "bottom": -1}, {"left": 1, "right": -1, "top": 1, "bottom": -1},
    ):  # fmt: skip
        for way in (step, -step):
            edges = {name: min(1.0, max(0.0, getattr(view, name) + way * sign)) for name, sign in changes.items()}
            each = replace(view, **edges)
            if each != view and min(each.size) > _SMALLEST:
                views.append(each)
    return views
