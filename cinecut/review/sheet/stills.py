"""Stills of a film for a page: small JPEGs as data URIs, upright and without the film's bars."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain, islice
from math import ceil, floor
from pathlib import Path

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from cinecut.analysis.cache import Cache
from cinecut.analysis.stage import Advance, Stage, StageRunner, by_halves
from cinecut.analysis.story.scenes import upright
from cinecut.language.events import Crop
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import picture_stream

_BYTES = 15_000  # of a still of an event, so that sixty of them stay under 2 MB as text
_QUALITIES = (80, 65, 50, 35)  # of JPEG, the first that keeps to the bytes
_SIDE, _SMALL = 320, 160  # pixels of a still's longer side
_DARK = 6  # mean of a picture that shows next to nothing, of 255
_PATIENCE = 300  # pictures that are decoded to come from a key frame into a shot


@dataclass(frozen=True, slots=True)
class Wanted:
    """A still of a range of the film, a third into it. A `rough` one is small, and may be any picture but a black one:
    a key frame if there is one in the range's first half."""

    range: FilmRange
    small: bool = False
    rough: bool = False
    mirrored: bool = False


def stills_of(
    film: Path, facts: FilmFacts, crop: Crop | None, wanted: Sequence[Wanted], progress: Callable[[float], None]
) -> dict[Wanted, str | None]:
    """The stills, each decoded once; None where the film could not be decoded. Raises Stop if it cannot be opened.

    Those of the film's shots, which are the rough ones, are kept apart: they are the same for every trailer.
    """
    each = sorted(dict.fromkeys(wanted), key=lambda one: (one.range.start, one.range.end, one.small, one.mirrored))
    window = (crop.x, crop.y, crop.w, crop.h) if crop is not None else None
    stills = dict[Wanted, str | None]()
    for some in filter(None, ([one for one in each if one.rough], [one for one in each if not one.rough])):
        first, last = (done / len(each) for done in (len(stills), len(stills) + len(some)))
        tell = lambda stage, done, first=first, last=last: progress(first + done * (last - first))  # noqa: E731
        line = StageRunner(Cache(facts.fingerprint), tell)
        stills |= zip(some, line.run(Stage("stills", list[str | None], draw), film, facts, window, some), strict=True)
    return stills


def draw(
    film: Path,
    facts: FilmFacts,
    window: tuple[Fraction, Fraction, Fraction, Fraction] | None,
    wanted: Sequence[Wanted],
    progress: Advance,
) -> list[str | None]:
    """The stills in the given order, ideally the film's, by two threads; `window`: the part of the upright picture to
    show (x, y, width, height). Raises Stop if the film cannot be opened."""
    return [*chain.from_iterable(by_halves(wanted, partial(_drawn, film, facts, window), progress))]


def _drawn(
    film: Path,
    facts: FilmFacts,
    window: tuple[Fraction, Fraction, Fraction, Fraction] | None,
    wanted: Sequence[Wanted],
    progress: Advance,
) -> list[str | None]:
    """As `draw`, one after another."""
    stills: list[str | None] = []
    with open_film(film, facts) as media:
        reader = FrameReader(media, picture_stream(media, film), facts.start)
        for done, one in enumerate(wanted):
            progress(done / len(wanted))
            shown = one.range
            third = shown.start + shown.duration / 3
            side = _SMALL if one.small else _SIDE
            frame = _any(reader, shown) if one.rough else reader.at(third, shown.end)
            if frame is None:
                stills.append(None)
                continue
            picture = upright(frame, facts, side)
            if one.rough and picture.mean() < _DARK and (later := reader.at(third, shown.end)) is not None:
                picture = upright(later, facts, side)  # the key frame may be the black of which a shot fades in
            part = _inside(window, picture)
            part = part[:, ::-1] if one.mirrored else part
            stills.append(_data_uri(part, _BYTES // 4 if one.small else _BYTES))
    return stills


def _any(reader: FrameReader, shown: FilmRange) -> VideoFrame | None:
    """The key frame before a shot's middle, or the shot's first picture after it."""
    middle = FilmTime(shown.start.seconds + shown.duration / 2)
    pictures = islice(reader.since(middle), _PATIENCE)
    return next((frame for time, frame in pictures if shown.start <= time < shown.end), None)


def _inside(
    window: tuple[Fraction, Fraction, Fraction, Fraction] | None, picture: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The part of an upright picture that the trailer shows."""
    if window is None:
        return picture
    (height, width), (x, y, w, h) = picture.shape[:2], window
    part = picture[ceil(y * height) : floor((y + h) * height), ceil(x * width) : floor((x + w) * width)]
    return part if part.size else picture


def _data_uri(bgr: NDArray[np.uint8], most: int) -> str:
    """A JPEG inside a page, at the best quality within the byte limit."""
    jpeg = b""
    for quality in _QUALITIES:
        jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])[1].tobytes()
        if len(jpeg) <= most:
            break
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
