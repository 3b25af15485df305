"""Pictures of a finished trailer: a contact sheet with a frame of every event, and the poster, its strongest frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from cinecut.compiler.layout.timeline import Placed, Timeline
from cinecut.files import disk_errors, together
from cinecut.language.events import Black, Shot
from cinecut.language.timebase import clock
from cinecut.media.frames import FrameReader
from cinecut.media.open import open_media, picture_stream
from cinecut.review.mosaic import Image, captioned, page, write_image

_COLUMNS, _WIDTH = 6, 320  # pictures a row; pixels that one is wide


def picture_files(trailer: Path) -> tuple[Path, Path]:
    """The paths of a trailer's sheet and poster, beside it."""
    return trailer.with_suffix(".sheet.jpg"), trailer.with_suffix(".poster.jpg")


def write_pictures(trailer: Path, timeline: Timeline, opening: int = 0) -> list[Path]:
    """Write the sheet, and the poster if there is a shot for it, replacing existing ones; returns their files.
    `opening`: frames before the timeline. Raises Stop."""
    events = [placed for placed in timeline.events if not isinstance(placed.event, Black)]
    best = _strongest(events)
    wanted = {opening + placed.middle: placed for placed in events}
    cells, poster = list[Image](), None
    for frame, image in _frames(trailer, sorted(wanted), timeline.rate):
        placed = wanted[frame]
        cells.append(_cell(image, placed, (opening + placed.range.start.index) / timeline.rate))
        if placed is best:
            poster = image
    written = list(zip(picture_files(trailer), [page(cells, _COLUMNS), poster], strict=True))
    with disk_errors(trailer.parent), together():
        for file, picture in written:
            if picture is not None:
                write_image(file, picture)
    return [file for file, picture in written if picture is not None]


def _strongest(events: Sequence[Placed]) -> Placed | None:
    """The shot with the highest score and no title over it; without scores the longest one."""
    shots = [p for p in events if isinstance(p.event, Shot) and not p.event.titles]
    return max(shots, key=lambda p: (p.event.score or 0, p.range.length, -p.number), default=None)


def _frames(trailer: Path, wanted: Sequence[int], rate: Fraction) -> Iterator[tuple[int, Image]]:
    """The wanted frames of a trailer, in order."""
    with open_media(trailer) as media:
        reader = FrameReader(media, picture_stream(media, trailer), Fraction(0), rough=False)
        for number in wanted:
            frame = reader.numbered(number, rate)
            if frame is not None:
                yield number, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _cell(image: Image, placed: Placed, start: Fraction) -> Image:
    height = max(2, round(image.shape[0] * _WIDTH / image.shape[1]))
    small = cv2.resize(image, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    return captioned(np.asarray(small, np.uint8), f"{clock(start, 1)}  {placed.name}")
