"""Pictures as vectors that tell what they show whatever their size, light and contrast are."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gops import Inside

Vectors = NDArray[np.float32]  # [n, WIDTH * HEIGHT], of unit length: a product of two is their correlation

WIDTH, HEIGHT = 64, 36
_NOISE = 2.0  # levels of deviation: what has less shows nothing


def vectors_of(luma: NDArray[np.uint8]) -> Vectors:
    """Of pictures [n, HEIGHT, WIDTH]."""
    rows = luma.reshape(len(luma), -1).astype(np.float32)
    rows -= rows.mean(1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, _NOISE * rows.shape[1] ** 0.5), np.float32)


def framed(thumb: NDArray[np.uint8], inside: Inside) -> NDArray[np.uint8]:
    """The luma of a thumbnail [3, rows, columns] without bars, in the common size."""
    return np.asarray(cv2.resize(thumb[0][inside], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def mirrored(vectors: Vectors) -> Vectors:
    return np.ascontiguousarray(vectors.reshape(-1, HEIGHT, WIDTH)[:, :, ::-1].reshape(len(vectors), -1))
