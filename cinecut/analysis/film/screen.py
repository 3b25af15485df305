"""What a film's pictures show that no trailer wants: black, bars of a letterbox, credits and titles.

Everything is read off key pictures at the moment they are decoded (`glance`), so that no picture need be kept large:

    luma plane ─ glance ─► Glance ─ is_black, is_text, is_card, letterbox
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

_TEXT_ROWS = 360  # lettering is looked for in pictures of about this height; the sizes below are pixels of these
_STROKE = 11  # wider than the strokes of lettering
_INK = 50  # levels by which a stroke stands out from its ground
_GAP = 13  # letters of a line are nearer to each other than this
_LINE_HEIGHTS = (4, 30)
_BLACK_SPAN = 20  # levels above the black of the film that still look black


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars burned into a film: the share of its stored width or height that each covers."""

    left: Fraction = Fraction(0)
    top: Fraction = Fraction(0)
    right: Fraction = Fraction(0)
    bottom: Fraction = Fraction(0)

    def __bool__(self) -> bool:
        return any((self.left, self.top, self.right, self.bottom))

    def upright(self, rotation: int, mirrored: bool = False) -> Bars:
        """As a player shows them, who turns the picture by so many degrees clockwise, and may mirror it then."""
        sides, turns = (self.left, self.top, self.right, self.bottom), rotation // 90
        left, top, right, bottom = (sides[(side - turns) % 4] for side in range(4))
        return Bars(right, top, left, bottom) if mirrored else Bars(left, top, right, bottom)


NO_BARS = Bars()


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """What one picture shows, as far as this module cares. Luma in levels 0..255 as stored.

    peak : the 99.8th percentile of the luma
    dark : share of the picture that is black
    rows, columns : [uint8, height], [uint8, width] the 80th percentile of each; short subtitles in a bar don't show
    lines : share of the picture that lies in lines of lettering
    lettered : share of all bright strokes that lies in such lines; near 0 where grass and twigs look like letters
    """

    peak: int
    dark: float
    rows: NDArray[np.uint8]
    columns: NDArray[np.uint8]
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
        dark=float((small <= black + _BLACK_SPAN).mean()),
        rows=_high(luma[:, :: max(1, width // 40)], axis=1),
        columns=_high(luma[:: max(1, height // 40)], axis=0),
        lines=lines,
        lettered=lettered,
    )


def _high(luma: NDArray[np.uint8], axis: int) -> NDArray[np.uint8]:
    place = int(0.8 * (luma.shape[axis] - 1))
    return np.asarray(np.partition(luma, place, axis=axis).take(place, axis=axis), np.uint8)


def _lettering(luma: NDArray[np.uint8]) -> tuple[float, float]:
    """(lines, lettered) of `Glance`: bright thin strokes that join into flat, evenly filled boxes."""
    ground = cv2.morphologyEx(luma, cv2.MORPH_OPEN, np.ones((_STROKE, _STROKE), np.uint8))
    ink = (cv2.subtract(luma, ground) > _INK).astype(np.uint8)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, _GAP), np.uint8))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(joined)
    x, y, w, h, filled = boxes[1:].T
    total = cv2.integral(ink)
    inked = total[y + h, x + w] - total[y, x + w] - total[y + h, x] + total[y, x]
    low, high = _LINE_HEIGHTS
    share = inked / np.maximum(1, w * h)
    line = (low <= h) & (h <= high) & (w >= 2.5 * h) & (filled >= 0.6 * w * h) & (share > 0.2) & (share < 0.8)
    return float((w * h)[line].sum() / luma.size), float(inked[line].sum() / max(1, total[-1, -1]))


def is_black(seen: Glance, black: int) -> bool:
    """Nothing to see, down to a few stray pixels."""
    return seen.peak <= black + _BLACK_SPAN


def is_text(seen: Glance) -> bool:
    """Lines of lettering stand in the picture: much of it, or most of the fine bright detail that there is."""
    return seen.lines >= 0.01 or (seen.lines >= 0.0015 and seen.lettered >= 0.35)


def is_card(seen: Glance, black: int) -> bool:
    """A small bright thing alone on black, such as a logo. A night shot can look so too, but it moves."""
    return seen.dark >= 0.9 and seen.peak >= black + 110


def letterbox(glances: Sequence[Glance], black: int) -> Bars:
    """Bars burned into the whole film, measured over its key pictures.

    A row belongs to a bar when it is black in nearly all pictures that show something: dark scenes, which would
    make a bar of any picture's edge, are overruled by the bright ones, and single glitches don't hide a bar. Bars
    thinner than 1/100 or taking over half of the picture are none.
    """
    shown = [seen for seen in glances if not is_black(seen, black) and seen.dark < 0.9]
    if len(shown) < 3:
        return Bars()
    top, bottom = _edges(np.stack([seen.rows for seen in shown]), black)
    left, right = _edges(np.stack([seen.columns for seen in shown]), black)
    return Bars(left, top, right, bottom)


def _edges(profiles: NDArray[np.uint8], black: int) -> tuple[Fraction, Fraction]:
    """Bars at the two ends of `profiles` [uint8, pictures x length], as shares of the length."""
    lit = np.flatnonzero(np.percentile(profiles, 98, axis=0) > black + _BLACK_SPAN // 2)
    length = profiles.shape[1]
    if lit.size == 0 or lit[-1] - lit[0] < length // 2:
        return Fraction(0), Fraction(0)
    near, far = Fraction(int(lit[0]), length), Fraction(length - 1 - int(lit[-1]), length)
    least = Fraction(1, 100)
    return (near if near >= least else Fraction(0)), (far if far >= least else Fraction(0))
