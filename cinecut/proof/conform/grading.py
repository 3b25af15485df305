"""How a trailer's shot is graded against the film, in rough: by some of its frames and the film's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cinecut.proof.conform.places.placing import Piece, Placer, ranks_of, spread
from cinecut.proof.conform.places.vectors import WHOLE, seen, tints_of

_LOOKS = 5  # frames of a shot
_SAME = 0.04  # share by which figures may differ without a word
_REC709 = np.array([[1.5748, 0.0], [-0.4681, -0.1873], [0.0, 1.8556]])  # red, green, blue by V and U (ITU-R BT.709)


def graded(piece: Piece, placer: Placer) -> str:
    """The figures of a shot that differ: brightness, contrast, saturation, and each channel's light; "" for none."""
    assert piece.film is not None
    film = placer.films[piece.film]
    rows = spread(piece.start, piece.end, _LOOKS)
    ranks = ranks_of(piece.first, placer.step(piece), rows - piece.start, film.count)
    light, color = np.zeros((2, 2)), np.zeros((2, 3))  # mean and deviation of luma; mean U, mean V, and saturation
    for row, rank in zip(rows.tolist(), ranks.tolist(), strict=True):
        pictures = seen(placer.luma[row], WHOLE), seen(film.luma_between(rank, rank + 1)[0], piece.view or film.view)
        light += np.array([[picture.mean() - 16, picture.std()] for picture in pictures]) / len(rows)
        both = tints_of(placer.thumbs[row], placer.within), film.tints(rank)
        color += np.array([_tint(each) for each in both]) / len(rows)
    levels = np.maximum(light[:, 0], 4)
    channels = (levels[:, None] + color[:, [1, 0]] @ _REC709.T).clip(1)
    ratios = {
        "brightness": levels[0] / levels[1],
        "contrast": light[0, 1] / max(light[1, 1], 1),
        "saturation": color[0, 2] / color[1, 2] if color[1, 2] > 2 else 1.0,
        **dict(zip(("red", "green", "blue"), (channels[0] / channels[1]), strict=True)),
    }
    if all(abs(ratio - 1) < _SAME for ratio in ratios.values()):
        return ""
    return ", ".join(f"{name} × {ratio:.2f}" for name, ratio in ratios.items())


def _tint(tints: NDArray[np.uint8]) -> tuple[float, float, float]:
    planes = tints.reshape(2, -1).astype(np.float64) - 128
    return float(planes[0].mean()), float(planes[1].mean()), float(np.hypot(planes[0], planes[1]).mean())
