"""Pictures side by side on a dark page, a caption below each, as one file."""

from __future__ import annotations

import errno
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.files import beside

Image = NDArray[np.uint8]  # [height, width, 3]

_GAP, _CAPTION = 8, 24  # pixels
_DARK, _LIGHT = 24, 220  # greys of the page and of its words


def captioned(picture: Image, words: str) -> Image:
    caption = np.full((_CAPTION, picture.shape[1], 3), _DARK, np.uint8)
    cv2.putText(caption, words, (2, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (_LIGHT,) * 3, 1, cv2.LINE_AA)
    return np.vstack([picture, caption])


def page(cells: Sequence[Image], columns: int) -> Image:
    """Cells of one size, row by row."""
    columns = max(1, min(columns, len(cells)))
    height, width = cells[0].shape[:2] if cells else (0, 0)
    high, wide = height + _GAP, width + _GAP
    sheet = np.full((math.ceil(len(cells) / columns) * high + _GAP, columns * wide + _GAP, 3), _DARK, np.uint8)
    for index, cell in enumerate(cells):
        top, left = index // columns * high + _GAP, index % columns * wide + _GAP
        sheet[top : top + height, left : left + width] = cell
    return sheet


def write_image(file: Path, bgr: Image, never: Iterable[Path] = ()) -> None:
    """Write a picture as what its name ends with, beside its place first. Raises OSError, and then leaves nothing, and
    Stop if the file is one of `never`."""
    jpeg = file.suffix.lower() in (".jpg", ".jpeg")
    done, data = cv2.imencode(file.suffix.lower(), bgr, [cv2.IMWRITE_JPEG_QUALITY, 92] if jpeg else [])
    if not done:
        raise OSError(errno.EFBIG, "the picture is too large for its format", str(file))
    with beside(file, never) as part:
        part.write_bytes(data.tobytes())
