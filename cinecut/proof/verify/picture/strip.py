"""Pictures as thumbnails with their times, small enough to hold and compare a whole trailer at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from cinecut.media.open import open_media, packets_of, picture_stream, whole_packets
from cinecut.media.undecodable import pictures_of
from cinecut.proof.verify.picture.framing import Coding, Window, coding_of, recoded

Planes = NDArray[np.uint8]

_PIXELS = 160 * 90  # of a thumbnail, about


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """Thumbnails in showing order: luma [n, height, width], chroma [n, 2, height / 2, width / 2], as coded; and their
    times in seconds after the first."""

    luma: Planes
    chroma: Planes
    times: tuple[Fraction, ...]

    @property
    def frames(self) -> int:
        return len(self.luma)

    def same_as(self, other: Thumbnails) -> bool:
        return np.array_equal(self.luma, other.luma) and np.array_equal(self.chroma, other.chroma)

    def planes(self, start: int, end: int) -> bytes:
        """The thumbnails [start, end) as `strip_of` takes them."""
        luma, chroma = (part[start:end].reshape(len(part[start:end]), -1) for part in (self.luma, self.chroma))
        return np.concatenate([luma, chroma], 1).tobytes()


def thumb_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of thumbnails for pictures of this size, both even."""
    aspect = size[0] / size[1]
    height = max(2, round((_PIXELS / aspect) ** 0.5 / 2) * 2)
    return max(2, round(height * aspect / 2) * 2), height


def read_strip(
    file: Path, size: tuple[int, int], window: Window | None = None, matrix: str | None = None
) -> Thumbnails:
    """All pictures of a file as thumbnails of what lies in a window, by a matrix if their own is known. Raises Stop.
    What is damaged is left out."""
    parts, times, coding = list[bytes](), list[Fraction](), Coding()
    for time, frame in decoded_pictures(file):
        coding = coding if parts else coding_of(frame)
        parts.append(thumb_of(frame, size, window))
        times.append(time)
    start = times[0] if times else Fraction(0)
    strip = strip_of(b"".join(parts), size, tuple(time - start for time in times))
    luma, chroma = recoded(strip.luma, strip.chroma, coding, matrix)
    return Thumbnails(luma, chroma, strip.times)


def decoded_pictures(file: Path) -> Iterator[tuple[Fraction, VideoFrame]]:
    """The pictures of a file that decode, in showing order, with their timestamps in seconds."""
    with open_media(file) as media:
        stream = picture_stream(media, file)
        stream.thread_type = "AUTO"
        base, last = Fraction(stream.time_base or 1), Fraction(0)
        for packet in chain(whole_packets(packets_of(media, stream)), [None]):
            for frame in pictures_of(packet, stream.codec_context):
                last = frame.pts * base if frame.pts is not None else last
                yield last, frame


def thumb_of(frame: VideoFrame, size: tuple[int, int], window: Window | None = None) -> bytes:
    """The planes of a picture's thumbnail, one after another (yuv420p); of that format by OpenCV, twice as fast."""
    if frame.format.name in ("yuv420p", "yuvj420p"):
        return b"".join(_small(plane, size, window, 1 + bool(number)) for number, plane in enumerate(frame.planes))
    if window is not None:
        return thumb_of(frame.reformat(format="yuv420p"), size, window)
    small = frame.reformat(width=size[0], height=size[1], format="yuv420p", interpolation="AREA")
    return small.to_ndarray().tobytes()


def _small(plane: VideoPlane, size: tuple[int, int], window: Window | None, part: int) -> bytes:
    """A plane that is a `part` as wide and high as the picture, at that part of a size."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
    if window is not None:
        top, left = window.top // part, window.left // part
        rows = rows[top : top + window.height // part, left : left + window.width // part]
    small = cv2.resize(rows, (size[0] // part, size[1] // part), interpolation=cv2.INTER_AREA)
    return np.asarray(small).tobytes()


def strip_of(data: bytes, size: tuple[int, int], times: tuple[Fraction, ...]) -> Thumbnails:
    """Thumbnails from their planes."""
    width, height = size
    planes = np.frombuffer(data, np.uint8).reshape(-1, width * height * 3 // 2)
    luma = planes[:, : width * height].reshape(-1, height, width)
    return Thumbnails(luma, planes[:, width * height :].reshape(-1, 2, height // 2, width // 2), times)
