"""Pictures of a finished trailer: a contact sheet with a frame of every event, and the poster, its strongest frame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.compiler.timeline import Placed, Timeline
from cinecut.spec import Black, Shot
from cinecut.timebase import clock

_COLUMNS, _WIDTH, _GAP, _CAPTION = 6, 320, 8, 22  # pictures a row; pixels

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Where they were written."""

    sheet: Path
    poster: Path | None


def write_pictures(trailer: Path, timeline: Timeline, opening: int = 0) -> Pictures:
    """Beside the trailer, `NAME.sheet.jpg` and `NAME.poster.jpg`; what lies there is replaced, as the trailer was.
    `opening` is how many frames the trailer has before its timeline."""
    events = [placed for placed in timeline.events if not isinstance(placed.event, Black)]
    best = _strongest(events)
    wanted = {opening + _middle(placed): placed for placed in events}
    cells, poster = list[Image](), None
    for frame, image in _frames(trailer, sorted(wanted), timeline.rate):
        placed = wanted[frame]
        cells.append(_cell(image, placed, (opening + placed.range.start.index) / timeline.rate))
        if placed is best:
            poster = image
    sheet = trailer.with_suffix(".sheet.jpg")
    _write(sheet, _grid(cells))
    if poster is None:
        return Pictures(sheet, None)
    _write(trailer.with_suffix(".poster.jpg"), poster)
    return Pictures(sheet, trailer.with_suffix(".poster.jpg"))


def _strongest(events: Sequence[Placed]) -> Placed | None:
    """The shot with the highest score that no title lies over; of a spec without scores the longest."""
    shots = [p for p in events if isinstance(p.event, Shot) and not p.event.titles]
    return max(shots, key=lambda p: (p.event.score or 0, p.range.length, -p.number), default=None)


def _middle(placed: Placed) -> int:
    return (placed.range.start.index + placed.range.end.index) // 2


def _frames(trailer: Path, wanted: Sequence[int], rate: Fraction) -> Iterator[tuple[int, Image]]:
    """The wanted frames of a trailer, in order."""
    with av.open(str(trailer)) as media:
        video = media.streams.video[0]
        video.thread_type = "AUTO"
        left = list(wanted)
        for frame in media.decode(video):
            if not left:
                return
            number = round(Fraction(frame.pts or 0) * Fraction(video.time_base or 1) * rate)
            if number >= left[0]:
                yield left.pop(0), np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _cell(image: Image, placed: Placed, start: Fraction) -> Image:
    height = max(2, round(image.shape[0] * _WIDTH / image.shape[1]))
    small = cv2.resize(image, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    words = f"{clock(start, 1)}  {placed.label}"
    caption = np.full((_CAPTION, _WIDTH, 3), 24, np.uint8)
    cv2.putText(caption, words, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (220, 220, 220), 1, cv2.LINE_AA)
    return np.vstack([small, caption])


def _grid(cells: Sequence[Image]) -> Image:
    """The cells row by row on a dark page."""
    if not cells:
        return np.full((_CAPTION, _WIDTH, 3), 24, np.uint8)
    columns = min(_COLUMNS, len(cells))
    high, wide = cells[0].shape[0] + _GAP, _WIDTH + _GAP
    page = np.full((math.ceil(len(cells) / columns) * high + _GAP, columns * wide + _GAP, 3), 24, np.uint8)
    for index, cell in enumerate(cells):
        top, left = index // columns * high + _GAP, index % columns * wide + _GAP
        page[top : top + cell.shape[0], left : left + _WIDTH] = cell
    return page


def _write(path: Path, image: Image) -> None:
    """Beside, then rename."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data.tobytes())
    part.replace(path)
