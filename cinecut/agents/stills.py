"""Small pictures of cuts: on the left the last frame before, on the right the first one after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.story.scenes import upright
from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.language.events import Card
from cinecut.language.facts import FilmFacts
from cinecut.language.read import inside
from cinecut.language.timebase import FilmTime
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import picture_stream
from cinecut.media.probe import film_facts
from cinecut.review.mosaic import captioned, page

_SIDE = 200  # pixels of a picture's longer side
MOST = 6  # cuts of one answer

Picture = NDArray[np.uint8]  # [height, width, 3]


def cuts_of(layout: Layout, numbers: Sequence[int]) -> list[int]:
    """The cuts at both ends of these events: each is the index of the event after it; the first and the last cut have
    one side."""
    cuts = {at for number in numbers for at in (number - 1, number)}
    return sorted(at for at in cuts if 0 <= at <= len(layout.timeline.events))[:MOST]


def cut_pictures(layout: Layout, folder: Path, cuts: Sequence[int]) -> Iterator[bytes]:
    """For each cut one JPEG of both its sides. Raises Stop where the film cannot be read."""
    with ExitStack() as stack:
        readers: dict[str, tuple[FrameReader, FilmFacts]] = {}

        def reader_of(name: str) -> tuple[FrameReader, FilmFacts]:
            if name not in readers:
                said = layout.trailer.footage[name].film
                film = inside(folder, said.file)
                facts = said.facts or film_facts(film)
                media = stack.enter_context(open_film(film, facts))
                readers[name] = FrameReader(media, picture_stream(media, film), facts.start, rough=False), facts
            return readers[name]

        def shown(placed: Placed | None, last: bool) -> Picture:
            height, width = _SIDE * 9 // 16, _SIDE
            if isinstance(placed, PlacedShot):
                reader, facts = reader_of(placed.film.film)
                moment = placed.film.end - 1 / facts.rate if last else placed.film.start
                # Half a frame before it: stamps are rounded, and the first picture from there on is the one.
                frame = reader.at(FilmTime(max(Fraction(0), moment.seconds - 1 / (2 * facts.rate))))
                if frame is not None:
                    return _boxed(upright(frame, facts, _SIDE), height, width)
            picture = np.zeros((height, width, 3), np.uint8)
            words = placed.event.card if placed is not None and isinstance(placed.event, Card) else ""
            cv2.putText(
                picture, words[:24], (4, height // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (220,) * 3, 1, cv2.LINE_AA
            )
            return picture

        events = layout.timeline.events
        for at in cuts:
            before, after = (events[at - 1] if at else None), (events[at] if at < len(events) else None)
            cells = [
                captioned(
                    shown(placed, last), f"{'end' if last else 'start'} of {placed.name}" if placed else "nothing"
                )
                for placed, last in ((before, True), (after, False))
            ]
            _, data = cv2.imencode(".jpg", page(cells, 2), [cv2.IMWRITE_JPEG_QUALITY, 75])
            yield data.tobytes()


def _boxed(picture: Picture, height: int, width: int) -> Picture:
    """A picture in the middle of a black one of this size."""
    scale = min(height / picture.shape[0], width / picture.shape[1])
    size = (max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    box = np.zeros((height, width, 3), np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    box[top : top + size[1], left : left + size[0]] = small
    return box
