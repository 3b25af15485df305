"""Whether the same pictures look alike: light, contrast, colours, and where they lie in the frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.proof.verify.picture.alignment import Alignment
from cinecut.proof.verify.picture.likeness import Likeness, coarse, likeness
from cinecut.proof.verify.picture.strip import Planes, Thumbnails

LOOKS = 7  # frames of an event that are looked at closely
_LIGHT, _COLOR, _CONTRAST = 3.0, 2.5, 0.1  # levels, levels and share by which a look differs visibly
_SPREAD = 40  # frames of the whole file whose colours are compared pixel by pixel
_MATRIX = 0.06  # of luma for a level of chroma: BT.601 beside BT.709 adds 0.10 of blue and 0.20 of red
_EXPLAINED = 0.7  # of what differs in luma is left, at most, when chroma explains it
_COLORFUL = 6.0  # levels of deviation of chroma: with fewer no matrix can be told
_APART = 2.0  # levels between pictures that lie elsewhere, at least
_SURE = 0.93  # correlation of a picture with the one that it shows, laid over it
_ZOOMED, _MOVED = 0.015, 0.012  # share by which a size differs, and of the frame's width and height by which a place
_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)


@dataclass(frozen=True)
class Looks:
    """A file's pictures beside those of the reference that they show."""

    file: Thumbnails
    reference: Thumbnails
    alignment: Alignment

    @cached_property
    def likeness(self) -> Likeness:
        return likeness(self.file, self.reference, self.alignment)

    def look(self, rows: NDArray[np.int64]) -> str:
        """In which the look of some frames differs, in words; empty: in nothing."""
        like = self.likeness
        light, contrast = float(np.median(like.light[rows])), float(np.median(like.contrast[rows]))
        blue, red = (float(each) for each in np.median(like.color[rows], 0))
        words = []
        if abs(light) > _LIGHT:
            words.append(f"{'brighter' if light > 0 else 'darker'} by {abs(light):.0f} levels")
        if abs(contrast - 1) > _CONTRAST and abs((contrast := self._coarse_contrast(rows)) - 1) > _CONTRAST:
            words.append(f"contrast {contrast:.2f} times as high")
        if max(abs(blue), abs(red)) > _COLOR:
            words.append(f"colours shifted by {blue:+.0f} (blue) and {red:+.0f} (red) levels")
        return ", ".join(words)

    def _coarse_contrast(self, rows: NDArray[np.int64]) -> float:
        """The contrast of some frames against the reference's, without fine lines: those encoders take away."""
        pairs = [(self.file.luma[row], self._wanted(row)) for row in some(rows, LOOKS)]
        contrasts = [(float(coarse(own).std()), float(coarse(wanted).std())) for own, wanted in pairs]
        return float(np.median([own / max(1.0, wanted) for own, wanted in contrasts]))

    def _wanted(self, row: int) -> Planes:
        return np.asarray(self.reference.luma[self.alignment.shown[row]])

    def other_matrix(self, rows: NDArray[np.int64]) -> bool:
        """Whether some frames' luma goes with the chroma of the reference: then colours are coded by another matrix
        than they are taken for. Least squares over all pixels."""
        look = some(rows, _SPREAD)
        shown = self.alignment.shown[look]
        chroma = [self.reference.chroma[shown, plane].astype(np.float32).ravel() - 128 for plane in (0, 1)]
        if min(each.std() for each in chroma) < _COLORFUL:
            return False
        own, wanted = (_halved(luma).ravel() for luma in (self.file.luma[look], self.reference.luma[shown]))
        parts = np.stack([np.ones_like(wanted), wanted, *chroma])
        solved = np.linalg.solve(parts @ parts.T, parts @ own)
        plain = np.linalg.solve(parts[:2] @ parts[:2].T, parts[:2] @ own)
        left, before = (float((own - each @ parts[: len(each)]).std()) for each in (solved, plain))
        return float(np.hypot(solved[2], solved[3])) > _MATRIX and left < _EXPLAINED * before

    def moved(self, rows: NDArray[np.int64]) -> str:
        """How else some frames lie in the frame, in words; empty: not visibly. The affine map between two pictures is
        found by OpenCV's ECC (Evangelidis and Psarakis)."""
        tried = (_map_between(self._wanted(row), self.file.luma[row]) for row in some(rows, 3))
        maps = [each for each in tried if each is not None]
        if len(maps) < 2:
            return ""
        middle, visible = np.median(maps, 0), 1 if self.alignment.same_rate else 2  # a neighbour lies elsewhere, too
        zoom = float(np.sqrt(abs(np.linalg.det(middle[:, :2]))))
        height, width = self.file.luma.shape[1:]
        centre = np.array([width / 2, height / 2])
        apart = (middle[:, :2] @ centre + middle[:, 2] - centre) / (width, height)
        if abs(zoom - 1) > visible * _ZOOMED:
            return f"the picture is cropped or scaled otherwise: about {100 * zoom:.0f} % as large as it shall be"
        if np.abs(apart).max() > visible * _MOVED:
            return "the picture is framed otherwise: it lies elsewhere in the frame"
        return ""


def some(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most so many of some frames, spread over all of them."""
    return np.asarray(rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)])


def _map_between(wanted: Planes, shown: Planes) -> NDArray[np.float64] | None:
    """The affine map [2, 3] from a wanted picture's places to those of a shown one; None: it cannot be told, or both
    lie alike."""
    if float(np.abs(wanted.astype(np.int16) - shown).mean()) < _APART:
        return np.eye(2, 3)
    start = np.eye(2, 3, dtype=np.float32)
    try:
        sure, affine = cv2.findTransformECC(wanted, shown, start, cv2.MOTION_AFFINE, _STEPS)
    except cv2.error:  # nothing there that could be laid over each other
        return None
    return np.asarray(affine, np.float64) if sure > _SURE else None


def _halved(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Luma [n, height, width] at the size of chroma."""
    rows = luma[:, ::2].astype(np.float32) + luma[:, 1::2]
    return np.asarray((rows[:, :, ::2] + rows[:, :, 1::2]) / 4, np.float32)
