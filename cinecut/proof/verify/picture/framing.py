"""Where in a file's frame the trailer's picture lies, and how its colours are coded: sites put bars around pictures of
another shape, and other programs code them in the full range or by another matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from cinecut.media.open import open_media, packets_of, picture_stream

SHAPE = 0.02  # share by which the sides' ratio may differ
_LOOKED = 12  # key pictures that are looked at for bars
_NEAR = 4  # pixels beside the picture into which its edge may reach
_PLAIN = 2.5  # levels of deviation within a bar
_LEAST = 0.02  # of a side: thinner bars are none
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt470bg": (0.299, 0.114)}  # of red and blue
_TAGS = {1: "bt709", 5: "bt470bg", 6: "smpte170m"}  # AVCOL_SPC_…


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a frame, in stored pixels, all even."""

    left: int
    top: int
    width: int
    height: int


def shape_of(stream: VideoStream) -> float:
    """Width over height of a picture as it is shown."""
    context = stream.codec_context
    pixel = stream.sample_aspect_ratio or context.sample_aspect_ratio or Fraction(1)
    return context.width / context.height * float(pixel)


def framed(file: Path, size: tuple[int, int]) -> Window | None:
    """Where bars surround a picture of the shape of `size` in a file's frames; None: it fills them, or has another
    shape. Raises Stop."""
    with open_media(file) as media:
        stream = picture_stream(media, file)
        shown, wanted = shape_of(stream), size[0] / size[1]
        if abs(shown / wanted - 1) <= SHAPE:
            return None
        window = _centred(stream.codec_context.width, stream.codec_context.height, wanted / shown)
        stream.codec_context.skip_frame = "NONKEY"
        pictures = _key_pictures(media, stream)
        looked = [_plain_around(picture, window) for _, picture in zip(range(_LOOKED), pictures, strict=False)]
    return window if looked and all(looked) else None


def _centred(width: int, height: int, narrower: float) -> Window:
    """The window in the middle of a frame, of a shape `narrower` than the frame's."""
    wide, high = (round(width * narrower), height) if narrower < 1 else (width, round(height / narrower))
    left, top = (width - wide) // 4 * 2, (height - high) // 4 * 2
    return Window(left, top, wide // 2 * 2, high // 2 * 2)


def _key_pictures(media: object, stream: VideoStream) -> Iterator[NDArray[np.uint8]]:
    for packet in packets_of(media, stream):
        for frame in stream.codec_context.decode(packet):
            yield np.asarray(frame.reformat(format="gray").to_ndarray(), np.uint8)


def _plain_around(picture: NDArray[np.uint8], window: Window) -> bool:
    """Whether there is one level alone beside a window."""
    height, width = picture.shape
    edges = (
        picture[: max(0, window.top - _NEAR)],
        picture[window.top + window.height + _NEAR :],
        picture[:, : max(0, window.left - _NEAR)],
        picture[:, window.left + window.width + _NEAR :],
    )
    bars = [edge for edge in edges if min(edge.shape) > _LEAST * min(height, width)]
    return bool(bars) and all(float(edge.std()) < _PLAIN for edge in bars)


@dataclass(frozen=True, slots=True)
class Coding:
    """How pictures are coded: in the full range, and by which matrix (None: no tag says)."""

    full: bool = False
    matrix: str | None = None


def coding_of(frame: VideoFrame) -> Coding:
    full = int(frame.color_range) == _FULL_RANGE or frame.format.name.startswith("yuvj")
    return Coding(full, _TAGS.get(int(frame.colorspace)))


def recoded(
    luma: NDArray[np.uint8], chroma: NDArray[np.uint8], coding: Coding, matrix: str | None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Thumbnails in the limited range, and by a matrix where both are known; as a strip holds them."""
    if coding.full:
        luma = (luma * np.float32(219 / 255) + np.float32(16.5)).astype(np.uint8)
        chroma = (chroma * np.float32(224 / 255) + np.float32(128 - 128 * 224 / 255 + 0.5)).astype(np.uint8)
    own, wanted = _WEIGHTS.get(coding.matrix or ""), _WEIGHTS.get(matrix or "")
    if own is None or wanted is None or own == wanted:
        return luma, chroma
    mixed = np.linalg.inv(_to_rgb(*wanted)) @ _to_rgb(*own)  # luma stays but for what chroma adds; grey stays grey
    blue, red = (chroma[:, plane].astype(np.float32) - 128 for plane in (0, 1))
    added = (np.float32(219 / 224) * (np.float32(mixed[0, 1]) * blue + np.float32(mixed[0, 2]) * red)).repeat(2, 1)
    light = luma + added.repeat(2, 2)[:, : luma.shape[1], : luma.shape[2]]
    other = [mixed[row, 1] * blue + mixed[row, 2] * red + 128 for row in (1, 2)]
    return (
        np.clip(light + 0.5, 0, 255).astype(np.uint8),
        np.clip(np.stack(other, 1) + 0.5, 0, 255).astype(np.uint8),
    )


def _to_rgb(red: float, blue: float) -> NDArray[np.float64]:
    """The matrix from luma and both chromas (of ±0.5) to red, green and blue, for the weights of red and blue in luma
    (ITU-R BT.601, BT.709)."""
    green = 1 - red - blue
    more = 2 * (1 - red), 2 * (1 - blue)
    return np.array([[1, 0, more[0]], [1, -more[1] * blue / green, -more[0] * red / green], [1, more[1], 0]])
