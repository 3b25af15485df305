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

from cinecut.media.frames import whole_packets
from cinecut.media.open import open_media, packets_of, picture_stream

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


def read_strip(file: Path, size: tuple[int, int]) -> Thumbnails:
    """All pictures of a file as thumbnails, without damaged ones. Raises Stop."""
    parts, times = list[bytes](), list[Fraction]()
    for time, frame in decoded_pictures(file):
        parts.append(thumb_of(frame, size))
        times.append(time)
    start = times[0] if times else Fraction(0)
    return strip_of(b"".join(parts), size, tuple(time - start for time in times))


def decoded_pictures(file: Path) -> Iterator[tuple[Fraction, VideoFrame]]:
    """The pictures of a file that decode, in showing order, with their timestamps in seconds."""
    import av.error

    with open_media(file) as media:
        stream = picture_stream(media, file)
        stream.thread_type = "AUTO"
        base, last = Fraction(stream.time_base or 1), Fraction(0)
        for packet in chain(whole_packets(packets_of(media, stream)), [None]):
            try:
                frames = stream.codec_context.decode(packet)
            except (av.error.FFmpegError, ValueError):
                continue
            for frame in frames:
                last = frame.pts * base if frame.pts is not None else last
                yield last, frame


def thumb_of(frame: VideoFrame, size: tuple[int, int]) -> bytes:
    """The planes of a picture's thumbnail, one after another (yuv420p); scaled by OpenCV, twice as fast."""
    half = size[0] // 2, size[1] // 2
    if frame.format.name == "yuv420p":
        return b"".join(_small(plane, size if number == 0 else half) for number, plane in enumerate(frame.planes))
    small = frame.reformat(width=size[0], height=size[1], format="yuv420p", interpolation="AREA")
    return small.to_ndarray().tobytes()


def _small(plane: VideoPlane, size: tuple[int, int]) -> bytes:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
    return np.asarray(cv2.resize(rows, size, interpolation=cv2.INTER_AREA)).tobytes()


def strip_of(data: bytes, size: tuple[int, int], times: tuple[Fraction, ...]) -> Thumbnails:
    """Thumbnails from their planes."""
    width, height = size
    planes = np.frombuffer(data, np.uint8).reshape(-1, width * height * 3 // 2)
    luma = planes[:, : width * height].reshape(-1, height, width)
    return Thumbnails(luma, planes[:, width * height :].reshape(-1, 2, height // 2, width // 2), times)
