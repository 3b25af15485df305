"""Flashes that can harm people with photosensitive epilepsy, after ITU-R BT.1702-3.

A flash is a pair of opposing changes of luminance of 20 cd/m² or more, the darker picture below 160 cd/m², on more than
a quarter of the screen. More than three of them within a second are too many. Screens are taken to be those of the
recommendation: luma of the full range gives 200 cd/m².
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_STEP, _DARK, _WHITE = 20.0, 160.0, 200.0  # cd/m²
_AREA = 0.25  # of the screen
_MOST = 3  # flashes within a second
_CELLS = (9, 16)  # rows and columns in which the screen is measured


def flashing(luma: NDArray[np.uint8], times: tuple[Fraction, ...]) -> list[tuple[int, int]]:
    """Frames [start, end) of the stretches with too many flashes; luma [n, height, width] of the limited range."""
    if len(luma) < 3:
        return []
    screen = _luminance(_cells(luma))
    turns = _turns(screen)
    seconds = [float(time) for time in times]
    ranges: list[tuple[int, int]] = []
    first = 0
    for last in range(len(turns)):
        while seconds[turns[last]] - seconds[turns[first]] >= 1:
            first += 1
        if (last - first + 1) // 2 > _MOST:
            start, end = turns[first], turns[last] + 1
            if ranges and start <= ranges[-1][1]:
                ranges[-1] = (ranges[-1][0], end)
            else:
                ranges.append((start, end))
    return ranges


def _cells(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean luma in each cell of the screen [n, rows * columns]."""
    rows, columns = (side // cells * cells for side, cells in zip(luma.shape[1:], _CELLS, strict=True))
    parts = luma[:, :rows, :columns].reshape(len(luma), _CELLS[0], rows // _CELLS[0], _CELLS[1], columns // _CELLS[1])
    return np.asarray(parts.mean((2, 4), np.float32).reshape(len(luma), -1), np.float32)


def _luminance(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """cd/m², by a display's gamma of 2.4 (ITU-R BT.1886)."""
    return np.asarray(_WHITE * np.clip((luma - 16) / 219, 0, 1) ** 2.4, np.float32)


def _turns(screen: NDArray[np.float32]) -> list[int]:
    """The frames at which a quarter of the screen has changed by a step, opposite to its previous change."""
    turns, way = list[int](), 0
    low, high = screen[0].copy(), screen[0].copy()
    for frame, now in enumerate(screen):
        low, high = np.minimum(low, now), np.maximum(high, now)
        rise = ((now - low >= _STEP) & (low < _DARK)).mean() > _AREA
        fall = ((high - now >= _STEP) & (now < _DARK)).mean() > _AREA
        if rise and way != 1 and (not fall or way == -1):
            way = 1
        elif fall and way != -1:
            way = -1
        else:
            continue
        turns.append(frame)
        low, high = now.copy(), now.copy()
    return turns
