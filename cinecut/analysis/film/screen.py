"""Detecting what no trailer should show: black pictures, letterbox bars, credits and titles.

Key pictures are measured when they are decoded (`glance`), so that no large picture need be kept:

    luma plane ─ glance ─► Glance ─ is_black, is_text, is_card, letterbox
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

_TEXT_ROWS = 360  # lettering is searched in pictures of about this height, in whose pixels the next sizes are
_STROKE = 11  # more than the width of a letter's strokes
_INK = 50  # levels by which a stroke is brighter than its background
_GAP = 13  # more than the distance between letters of a line
_LINE_HEIGHTS = (4, 30)
_BLACK_SPAN = 20  # levels above the black of the film that still look black


@dataclass(frozen=True, slots=True)
class Bars:
    """Black bars that are part of a film's pictures: the share of the stored width or height that each covers."""

    left: Fraction = Fraction(0)
    top: Fraction = Fraction(0)
    right: Fraction = Fraction(0)
    bottom: Fraction = Fraction(0)

    def __bool__(self) -> bool:
        return any((self.left, self.top, self.right, self.bottom))

    def upright(self, rotation: int, mirrored: bool = False) -> Bars:
        """The bars as displayed: after a rotation by so many degrees clockwise, and then perhaps a mirroring."""
        sides, turns = (self.left, self.top, self.right, self.bottom), rotation // 90
        left, top, right, bottom = (sides[(side - turns) % 4] for side in range(4))
        return Bars(right, top, left, bottom) if mirrored else Bars(left, top, right, bottom)


NO_BARS = Bars()


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """The measurements of one picture. Luma in levels 0..255 as stored.

    peak : the 99.8th percentile of the luma
    dark : share of the picture that is black
    rows, columns : [bool, height], [bool, width] whether a fifth of each is lit; less may be subtitles in a bar
    lines : share of the picture that is inside lines of lettering
    lettered : share of all bright strokes inside such lines; near 0 if grass or twigs only look like letters
    """

    peak: int
    dark: float
    rows: NDArray[np.bool_]
    columns: NDArray[np.bool_]
    lines: float
    lettered: float


def glance(luma: NDArray[np.uint8], black: int) -> Glance:
    """Measure one luma plane [uint8, height x width]; `black` is its black level, 16 or 0."""
    height, width = luma.shape
    scale = max(1.0, height / _TEXT_ROWS)
    size = (max(1, round(width / scale)), max(1, round(height / scale)))
    small = np.asarray(cv2.resize(luma[:: max(1, int(scale / 2))], size, interpolation=cv2.INTER_AREA), np.uint8)
    lines, lettered = _lettering(small)
    return Glance(
        peak=int(np.percentile(small[::3, ::3], 99.8)),
        dark=np.count_nonzero(small <= black + _BLACK_SPAN) / small.size,
        rows=_lit(luma[:, :: max(1, width // 40)], black, 1),
        columns=_lit(luma[:: max(1, height // 40)], black, 0),
        lines=lines,
        lettered=lettered,
    )


def _lit(luma: NDArray[np.uint8], black: int, along: int) -> NDArray[np.bool_]:
    """Whether a fifth of each row (`along` 1) or column (0) is brighter than the bars of a film."""
    bright = (luma > black + _BLACK_SPAN // 2).view(np.uint8)
    lit = cv2.reduce(bright, along, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    return np.asarray(lit >= luma.shape[along] - int(0.8 * (luma.shape[along] - 1)), np.bool_)


def _lettering(luma: NDArray[np.uint8]) -> tuple[float, float]:
    """`lines` and `lettered` of `Glance`, from bright thin strokes that form wide, evenly filled boxes."""
    ground = cv2.morphologyEx(luma, cv2.MORPH_OPEN, np.ones((_STROKE, _STROKE), np.uint8))
    ink = (cv2.subtract(luma, ground) > _INK).astype(np.uint8)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, _GAP), np.uint8))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(joined, ltype=cv2.CV_16U)  # twice as fast as with 32 bits
    x, y, w, h, filled = boxes[1:].T
    total = cv2.integral(ink)
    inked = total[y + h, x + w] - total[y, x + w] - total[y + h, x] + total[y, x]
    low, high = _LINE_HEIGHTS
    share = inked / np.maximum(1, w * h)
    line = (low <= h) & (h <= high) & (w >= 2.5 * h) & (filled >= 0.6 * w * h) & (share > 0.2) & (share < 0.8)
    return float((w * h)[line].sum() / luma.size), float(inked[line].sum() / max(1, total[-1, -1]))


def is_black(picture: Glance, black: int) -> bool:
    """Whether the picture is black, except for a few pixels."""
    return picture.peak <= black + _BLACK_SPAN


def is_text(picture: Glance) -> bool:
    """Whether the picture has lines of lettering: much of it, or most of its fine bright detail."""
    return picture.lines >= 0.01 or (picture.lines >= 0.0015 and picture.lettered >= 0.35)


def is_card(picture: Glance, black: int) -> bool:
    """Whether the picture is a small bright thing on black, such as a logo. (So can be a night shot, but it moves.)"""
    return picture.dark >= 0.9 and picture.peak >= black + 110


def letterbox(glances: Sequence[Glance], black: int, share: float = 0.98) -> Bars:
    """The bars of the whole film, measured over its key pictures.

    A row belongs to a bar if it is black in a large `share` of the pictures that are not dark. So dark scenes make no
    bars, and single glitches hide none. Bars thinner than 1/100, or covering more than half of the picture, do not
    count.
    """
    shown = [picture for picture in glances if not is_black(picture, black) and picture.dark < 0.9]
    if len(shown) < 3:
        return Bars()
    top, bottom = _edges(np.stack([picture.rows for picture in shown]), share)
    left, right = _edges(np.stack([picture.columns for picture in shown]), share)
    return Bars(left, top, right, bottom)


def _edges(profiles: NDArray[np.bool_], share: float) -> tuple[Fraction, Fraction]:
    """Bars at the two ends of `profiles` [bool, pictures x length], as shares of the length."""
    lit = np.flatnonzero(profiles.mean(0) > 1 - share)
    length = profiles.shape[1]
    if lit.size == 0 or lit[-1] - lit[0] < length // 2:
        return Fraction(0), Fraction(0)
    near, far = Fraction(int(lit[0]), length), Fraction(length - 1 - int(lit[-1]), length)
    least = Fraction(1, 100)
    return (near if near >= least else Fraction(0)), (far if far >= least else Fraction(0))
