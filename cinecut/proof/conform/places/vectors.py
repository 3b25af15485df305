"""Pictures as vectors that tell what they show whatever their size, light and contrast are.

Each is a picture without its coarse light: what is much larger than a face is taken away, since all pictures of a sky
over a meadow share it. So the correlation of two pictures is high only where their details are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.gops import THUMB_COLUMNS, THUMB_ROWS, Inside, Thumbs

Vectors = NDArray[np.float32]  # [n, _WIDTH * _HEIGHT], of unit length: a product of two is their correlation

_WIDTH, _HEIGHT = 48, 27
_COARSE = 21  # pixels of those: the window over which light is evened out
_NOISE = 1.0  # levels of deviation: what has less shows nothing
_PART = (9, 12)  # rows and columns of a part of such a picture
_PLAIN = 0.1  # of the picture's deviation: a part with less shows nothing
_FEW = (8, 5)  # columns and rows of a picture's colors
TINTS = 2 * 8 * 5  # bytes of both chromas at that size


@dataclass(frozen=True, slots=True)
class View:
    """The part of a film's picture that a trailer shows, as shares of its width and height."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    def differs(self, other: View) -> float:
        """The largest distance between their edges."""
        return max(abs(self.left - other.left), abs(self.top - other.top),
                   abs(self.right - other.right), abs(self.bottom - other.bottom))  # fmt: skip

    @property
    def size(self) -> tuple[float, float]:
        return self.right - self.left, self.bottom - self.top

    def within(self, inside: Inside) -> View:
        """The same part of what lies inside the bars, as a part of the whole frame."""
        rows, columns = inside
        left, top = columns.start / THUMB_COLUMNS, rows.start / THUMB_ROWS
        wide, high = (columns.stop - columns.start) / THUMB_COLUMNS, (rows.stop - rows.start) / THUMB_ROWS
        return View(left + self.left * wide, top + self.top * high, left + self.right * wide, top + self.bottom * high)

    def of(self, picture: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
        """This part of a picture, so many pixels wide and high."""
        rows, columns = picture.shape
        wide, high = self.size[0] * columns / size[0], self.size[1] * rows / size[1]
        corner = self.left * columns + wide / 2 - 0.5, self.top * rows + high / 2 - 0.5
        matrix = np.array([[wide, 0, corner[0]], [0, high, corner[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(warped, np.float32)


WHOLE = View()


def framed(thumb: NDArray[np.uint8], inside: Inside) -> NDArray[np.uint8]:
    """The luma of a thumbnail [3, rows, columns] without bars, in the common size [45, 80]."""
    luma = thumb[0][inside]
    if luma.shape == (THUMB_ROWS, THUMB_COLUMNS):
        return np.asarray(luma, np.uint8)
    return np.asarray(cv2.resize(luma, (THUMB_COLUMNS, THUMB_ROWS), interpolation=cv2.INTER_LINEAR), np.uint8)


def seen(luma: NDArray[np.uint8], view: View) -> NDArray[np.float32]:
    """A part of a picture [45, 80], small."""
    picture = luma.astype(np.float32)
    if view != WHOLE:
        picture = view.of(picture, (2 * _WIDTH, 2 * _HEIGHT))
    return np.asarray(cv2.resize(picture, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA), np.float32)


def vectors_of(luma: NDArray[np.uint8], view: View = WHOLE) -> Vectors:
    """Of a part of pictures [n, 45, 80]."""
    rows = np.empty((len(luma), _HEIGHT, _WIDTH), np.float32)
    for picture, row in zip(luma, rows, strict=True):
        small = seen(picture, view)
        row[:] = small - cv2.blur(small, (_COARSE, _COARSE), borderType=cv2.BORDER_REFLECT)
    return _unit(rows.reshape(len(rows), -1), _NOISE)


def colors_of(thumbs: Thumbs, inside: Inside) -> Vectors:
    """Of thumbnails [n, 3, rows, columns] without bars: where in the picture which colors are, in rough. [n, 120]"""
    rows = np.empty((len(thumbs), 3, _FEW[1], _FEW[0]), np.float32)
    for thumb, row in zip(thumbs, rows, strict=True):
        for plane, target in zip(thumb, row, strict=True):
            target[:] = cv2.resize(plane[inside], _FEW, interpolation=cv2.INTER_AREA)
    rows[:, 0] -= rows[:, 0].mean((1, 2), keepdims=True)
    rows[:, 1:] = 2 * (rows[:, 1:] - 128)
    flat = rows.reshape(len(rows), -1)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1), np.float32)


def tints_of(thumb: NDArray[np.uint8], inside: Inside) -> NDArray[np.uint8]:
    """Both chromas of a thumbnail without bars, in rough [80]."""
    planes = [cv2.resize(plane[inside], _FEW, interpolation=cv2.INTER_AREA) for plane in thumb[1:]]
    return np.concatenate([plane.ravel() for plane in planes]).astype(np.uint8)


def mirrored(vectors: Vectors) -> Vectors:
    """The vectors, or the colors, of pictures that are mirrored."""
    shape = (_HEIGHT, _WIDTH) if vectors.shape[1] == _WIDTH * _HEIGHT else (3, _FEW[1], _FEW[0])
    return np.ascontiguousarray(vectors.reshape(-1, *shape)[..., ::-1].reshape(len(vectors), -1))


def alike(ones: Vectors, others: Vectors, covered: bool = False) -> NDArray[np.float32]:
    """The correlation of each of some pictures with each of others [n, m]; of `covered` ones that of most of their
    parts. By a loop of numpy's own: for so little, threads of a BLAS wait for each other for longer than they work."""
    if covered:
        return np.asarray(np.median(np.einsum("ipk,jpk->ijp", _parted(ones), _parted(others)), axis=2), np.float32)
    return np.asarray(np.einsum("ik,jk->ij", ones, others), np.float32)


def one_by_one(ones: Vectors, others: Vectors, covered: bool = False) -> NDArray[np.float32]:
    """The same of each picture with the other of its number [n]."""
    if covered:
        return np.asarray(np.median(np.einsum("ipk,ipk->ip", _parted(ones), _parted(others)), axis=1), np.float32)
    return np.asarray((ones * others).sum(1), np.float32)


def _parted(vectors: Vectors) -> Vectors:
    """Each picture in parts of 9 x 12 pixels, each of them of unit length [n, 12, 108]."""
    high, wide = _PART
    parts = vectors.reshape(len(vectors), _HEIGHT // high, high, _WIDTH // wide, wide).transpose(0, 1, 3, 2, 4)
    flat = parts.reshape(-1, high * wide) * (_HEIGHT * _WIDTH) ** 0.5  # in deviations of the whole picture
    return _unit(flat, _PLAIN).reshape(len(vectors), -1, high * wide)


def _unit(rows: NDArray[np.float32], least: float) -> Vectors:
    rows -= rows.mean(1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, least * rows.shape[1] ** 0.5), np.float32)
