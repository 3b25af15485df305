"""How similar two pictures are after encoding, scaling, grading, mirroring or cropping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.proof.verify.picture.alignment import Alignment
from cinecut.proof.verify.picture.strip import Planes, Thumbnails

BLACK = 26.0  # levels of luma: no picture is darker
FLAT = 4.0  # levels of deviation: a picture with less shows nothing
_ZOOMS = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.3, 1.4, 1.6)
_FINER = (0.955, 0.97, 0.985, 1.015, 1.03, 1.045)  # beside the best of those
_GROUND, _WRITING = 6, 0.6  # levels of a ground beside its usual one, and the share of a picture that it has at least
_BLOCK = 256  # frames at once


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """For each frame of a file and its reference frame: correlation of luma (1: equal up to contrast), mean difference
    of luma and of both chromas, relative contrast, and whether it is the same picture."""

    correlation: NDArray[np.float32]
    light: NDArray[np.float32]
    color: NDArray[np.float32]  # [n, 2]
    contrast: NDArray[np.float32]
    distance: NDArray[np.float32]
    deviation: NDArray[np.float32]  # of the file's frames
    level: NDArray[np.float32]  # mean luma of the file's frames
    flat: NDArray[np.bool_]  # the reference shows nothing there

    @property
    def alike(self) -> NDArray[np.bool_]:
        usual = float(np.median(self.light[~self.flat])) if not self.flat.all() else 0.0
        light = np.minimum(np.abs(self.light), np.abs(self.light - usual))
        plain = (light < 10) & (self.deviation < 3 * FLAT)
        return np.where(self.flat, plain, (self.correlation > 0.85) | (self.distance < 5))


def likeness(file: Thumbnails, reference: Thumbnails, alignment: Alignment) -> Likeness:
    parts = [
        _block(file, reference, alignment.shown, slice(start, start + _BLOCK))
        for start in range(0, file.frames, _BLOCK)
    ]
    return Likeness(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _block(
    file: Thumbnails, reference: Thumbnails, shown: NDArray[np.int64], rows: slice
) -> tuple[NDArray[np.float32], ...]:
    ours, theirs = file.luma[rows].astype(np.float32), reference.luma[shown[rows]].astype(np.float32)
    level, wanted = ours.mean((1, 2)), theirs.mean((1, 2))
    distance = np.abs(ours - theirs).mean((1, 2))
    ours -= level[:, None, None]
    theirs -= wanted[:, None, None]
    power, other = np.square(ours).mean((1, 2)), np.square(theirs).mean((1, 2))
    correlation = (ours * theirs).mean((1, 2)) / np.sqrt(power * other + 1e-6)
    color = file.chroma[rows].mean((2, 3), np.float32) - reference.chroma[shown[rows]].mean((2, 3), np.float32)
    deviation, expected = np.sqrt(power), np.sqrt(other)
    flat = expected < FLAT
    return (correlation, level - wanted, color, deviation / np.maximum(expected, 1), distance, deviation, level, flat)


def correlate(one: Planes, other: Planes) -> float:
    """The correlation of two pictures; 0 if either shows nothing."""
    a, b = one.astype(np.float32), other.astype(np.float32)
    if a.std() < FLAT or b.std() < FLAT:
        return 0.0
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def coarse(picture: Planes) -> Planes:
    """A picture a quarter as wide and high: without fine lines, and without those of two fields."""
    height, width = picture.shape
    small = cv2.resize(picture, (max(2, width // 4), max(2, height // 4)), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def is_writing(picture: Planes) -> bool:
    """Whether most of a picture is of one level, as writing on black is."""
    levels = np.bincount(picture.ravel(), minlength=256)
    ground = int(levels.argmax())
    return bool(levels[max(0, ground - _GROUND) : ground + _GROUND + 1].sum() > _WRITING * picture.size)


def signatures(luma: Planes) -> NDArray[np.float32]:
    """A row of unit length for each picture: its coarse content without light and contrast."""
    small = np.stack([cv2.resize(each, (20, 12), interpolation=cv2.INTER_AREA) for each in luma]).astype(np.float32)
    rows = small.reshape(len(small), -1)
    rows -= rows.mean(1, keepdims=True)
    length = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), FLAT * rows.shape[1] ** 0.5)
    return np.asarray(rows / length, np.float32)


def zoomed(picture: Planes, wanted: Planes) -> tuple[float, float]:
    """The scale at which a picture shows the wanted one (1: equal), and how similar it is then."""
    rough = _best_zoom(picture, wanted, _ZOOMS, (1.0, 0.0))
    return _best_zoom(picture, wanted, [rough[0] * factor for factor in _FINER], rough)


def _best_zoom(
    picture: Planes, wanted: Planes, zooms: Sequence[float], best: tuple[float, float]
) -> tuple[float, float]:
    height, width = wanted.shape
    for zoom in zooms:
        size = (max(8, round(width * zoom)), max(8, round(height * zoom)))
        scaled = cv2.resize(wanted, size, interpolation=cv2.INTER_AREA)
        whole, part = (scaled, picture) if zoom >= 1 else (picture, scaled)
        inset = part[part.shape[0] // 12 : -(part.shape[0] // 12), part.shape[1] // 12 : -(part.shape[1] // 12)]
        like = float(cv2.matchTemplate(whole, inset, cv2.TM_CCOEFF_NORMED).max())
        if like > best[1]:
            best = (zoom, like)
    return best
