"""The film as packets and groups of pictures, without decoding all of it.

film ─ survey ─► PacketIndex (stamps, sizes, key flags) and KeyPictures, in one pass over the file
"""

from __future__ import annotations

import math
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from cinecut.analysis.film.screen import Bars, Glance, glance, letterbox
from cinecut.analysis.stage import Advance
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmTime, nearest
from cinecut.media.open import open_container, packets_of, picture_stream, whole_packets

Thumbs: TypeAlias = NDArray[np.uint8]  # [n, 3, rows, columns] planes Y, U, V of thumbnails, perhaps without bars
Stored: TypeAlias = NDArray[np.integer[Any]]  # [rows, columns] a plane of 8 to 16 bits
Inside: TypeAlias = tuple[slice, slice]  # rows and columns of a thumbnail
THUMB_COLUMNS, THUMB_ROWS = 80, 45

_SHORTEST_GROUP = Fraction(1, 2)  # seconds: key frames nearer than this to the last one are skipped
_PENDING = 8  # most key pictures waiting for the decoding threads


@dataclass(frozen=True, slots=True, eq=False)
class KeyFrame:
    """A key frame: its thumbnail, and the measurements of the full-size picture."""

    time: FilmTime
    thumb: NDArray[np.uint8]  # [uint8, 3 x 45 x 80]
    glance: Glance


@dataclass(frozen=True, slots=True, eq=False)
class PacketIndex:
    """Every video packet, in decoding order; `rank` is its number in display order.

    `groups` are the indices, in decoding order, at which groups of pictures start: at key frames at least half a second
    apart, so that films of key frames only are grouped as well.
    """

    pts: NDArray[np.int64]  # [n] in units of the stream's time base
    size: NDArray[np.int64]  # [n] bytes
    key: NDArray[np.bool_]  # [n]
    rank: NDArray[np.int64]  # [n]
    shown: NDArray[np.int64]  # [n] the stamps in display order: shown[rank] == pts
    groups: NDArray[np.int64]  # [m]
    resets: frozenset[int]  # the ranks of key pictures

    @classmethod
    def of(cls, pts: list[int], size: list[int], key: list[bool], groups: list[int]) -> PacketIndex:
        stamps = np.array(pts, np.int64)
        shown = np.sort(stamps)
        return cls(
            stamps,
            np.array(size, np.int64),
            np.array(key, np.bool_),
            np.searchsorted(shown, stamps),
            shown,
            np.array(groups, np.int64),
            frozenset(np.searchsorted(shown, stamps[np.array(key, np.bool_)]).tolist()),
        )


@dataclass(frozen=True, slots=True)
class Clock:
    """Converts stamps to film times: whole frames of a constant rate, the exact stamps of a variable one."""

    start: Fraction
    time_base: Fraction
    rate: Fraction | None

    @classmethod
    def of(cls, facts: FilmFacts, time_base: Fraction) -> Clock:
        return cls(facts.start, time_base, None if facts.variable else facts.rate)

    def time(self, pts: int) -> FilmTime:
        seconds = pts * self.time_base - self.start
        return FilmTime(seconds if self.rate is None else nearest(seconds * self.rate) / self.rate)


def open_video(film: Path, filter_loop: bool = False) -> tuple[InputContainer, VideoStream]:
    """The film and its picture stream, for one decoding thread. Raises Stop."""
    container = open_container(film)
    try:
        stream = picture_stream(container, film)
    except Stop:
        container.close()
        raise
    stream.thread_type = "SLICE"
    stream.codec_context.thread_count = 1
    if not filter_loop:
        stream.codec_context.options = {"skip_loop_filter": "all"}
    return container, stream


# --- small pictures -------------------------------------------------------------------------------------------------


def luma_of(frame: VideoFrame) -> NDArray[np.uint8]:
    """The luma of a frame [8 bits, a view or a copy]; of deep pictures only as many rows as a moderate size has."""
    planes = _stored(frame)
    if planes is None:
        return np.asarray(frame.reformat(format="gray").to_ndarray(), np.uint8)
    deeper = _planar(frame.format.name) - 8
    return np.asarray(planes[0][:: max(1, frame.height // 360)] >> deeper if deeper else planes[0], np.uint8)


def _stored(frame: VideoFrame) -> list[Stored] | None:
    """The Y, U and V planes [views] of a planar YUV frame, as they are stored; None for any other layout."""
    bits = _planar(frame.format.name)
    if not bits:
        return None
    kind = np.dtype(np.uint8 if bits == 8 else np.uint16)
    planes = frame.planes[:3]
    stored: list[Stored] = [np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1) for plane in planes]
    return [wide[:, : plane.width] for wide, plane in zip(stored, planes, strict=True)]


@cache
def _planar(name: str) -> int:
    """The bits of a point in a planar YUV format; 0 for any other layout."""
    form = VideoFormat(name)
    parts = form.components
    if len(parts) < 3 or form.is_rgb or form.is_bit_stream or form.is_big_endian or parts[2].plane != 2:
        return 0
    return int(parts[0].bits)


def small_planes(frame: VideoFrame, columns: int, rows: int) -> NDArray[np.uint8]:
    """Y, U, V of a frame, each averaged down to `rows` x `columns` [uint8, 3 x rows x columns]."""
    planes = _stored(frame)
    if planes is None:
        frame = frame.reformat(width=320, height=180, format="yuv444p")
        planes = _stored(frame)
        assert planes is not None
    deeper = _planar(frame.format.name) - 8
    small = np.empty((3, rows, columns), planes[0].dtype)
    for plane, target in zip(planes, small, strict=True):
        _shrink(plane, target)
    return np.asarray(small >> deeper if deeper else small, np.uint8)


def _shrink(plane: Stored, target: Stored) -> None:
    """Fill a smaller plane. Some of the points are enough: two rows for each of its own where both sizes go into the
    plane's; else four points for each of twice its size, since to weigh all takes as long as decoding."""
    (height, width), (rows, columns) = plane.shape, target.shape
    points: Any = plane
    if height >= 2 * rows and width >= 2 * columns:
        if height % (2 * rows) or width % (2 * columns):
            points = cv2.resize(points, (2 * columns, 2 * rows), interpolation=cv2.INTER_LINEAR)
        else:  # OpenCV halves both sides at once much sooner than it goes all the way
            points = points[:: height // (2 * rows)]
            points = cv2.resize(points, (width // 2, rows), interpolation=cv2.INTER_AREA)
    cv2.resize(points, (columns, rows), dst=target, interpolation=cv2.INTER_AREA)


# --- one pass over the file -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """The result of one pass over the file. `keys` [m] belong to `index.groups`; None for one that is damaged."""

    index: PacketIndex
    keys: list[KeyFrame | None]
    clock: Clock
    bars: Bars
    inside: Inside  # rows and columns of a thumbnail inside the bars
    diagnostics: list[Diagnostic]

    def thumb(self, group: int) -> NDArray[np.uint8] | None:
        """The thumbnail of a group's key picture, inside the bars; None if it has none."""
        key = self.keys[group] if group < len(self.keys) else None
        return None if key is None else key.thumb[:, *self.inside]


class Unstamped(Exception):  # noqa: N818 - leads to another method, not an error
    """The packets have no usable stamps: only decoding shows the order of the pictures."""


def survey(film: Path, facts: FilmFacts, threads: int, progress: Advance) -> Survey:
    """Index every packet and decode the key frame of every group. Raises Stop, and Unstamped without time stamps."""
    black = black_level(facts)
    container, stream = open_video(film)
    discard_others(container, stream)
    time_base = stream.time_base or facts.time_base
    clock = Clock.of(facts, time_base)
    shortest = _SHORTEST_GROUP / time_base
    share = 0.0
    pts: list[int] = []
    size: list[int] = []
    key: list[bool] = []
    groups: list[int] = []
    keys: list[KeyFrame | None] = []
    waiting: deque[Future[KeyFrame | None]] = deque()
    diagnostics: list[Diagnostic] = []
    with container, ThreadPoolExecutor(threads) as pool, _Decoders(film, threads) as decoders:
        for packet in whole_packets(packets_of(container, stream), diagnostics):
            if packet.pts is None:
                raise Unstamped
            if packet.is_keyframe and (not groups or packet.pts - pts[groups[-1]] >= shortest):
                groups.append(len(pts))
                time = clock.time(packet.pts)
                waiting.append(pool.submit(decoders.key_picture, packet, time, black))
                share = max(share, min(1.0, float(time.seconds / facts.duration)))
                progress(share)
                if len(waiting) > _PENDING:
                    keys.append(waiting.popleft().result())
            if groups:  # packets before the first key frame cannot be decoded
                pts.append(packet.pts)
                size.append(packet.size)
                key.append(packet.is_keyframe)
        keys += [future.result() for future in waiting]
    if not groups:
        raise Stop("unreadable", f"{film} holds no picture that can be decoded on its own")
    bars = letterbox([picture.glance for picture in keys if picture], black)
    return Survey(PacketIndex.of(pts, size, key, groups), keys, clock, bars, inside(bars), diagnostics)


def black_level(facts: FilmFacts) -> int:
    """The luma of black: 0 if the film uses the full range, else 16."""
    return 0 if facts.color.range in ("pc", "full", "jpeg") or facts.pix_fmt.startswith("yuvj") else 16


def discard_others(container: InputContainer, stream: VideoStream) -> None:
    """Make the demuxer skip all other streams."""
    for other in container.streams:
        if other.index != stream.index:
            other.discard = av.stream.Discard.all


class _Decoders:
    """A pool of as many decoders as threads."""

    def __init__(self, film: Path, threads: int) -> None:
        self._open = [open_video(film) for _ in range(threads)]
        self._free: SimpleQueue[VideoCodecContext] = SimpleQueue()
        for _, stream in self._open:
            self._free.put(stream.codec_context)

    def __enter__(self) -> _Decoders:
        return self

    def __exit__(self, *exception: object) -> None:
        for container, _ in self._open:
            container.close()

    def key_picture(self, packet: Packet[VideoStream], time: FilmTime, black: int) -> KeyFrame | None:
        decoder = self._free.get()
        try:
            frames = [*decoder.decode(packet), *decoder.decode(None)]
        except av.FFmpegError:
            frames = []
        finally:
            decoder.flush_buffers()
            self._free.put(decoder)
        return key_picture(frames[0], time, black) if frames else None


def inside(bars: Bars) -> Inside:
    """The rows and columns of a thumbnail that are completely inside the bars."""

    def part(near: Fraction, far: Fraction, length: int) -> slice:
        return slice(math.ceil(near * length), math.floor((1 - far) * length))

    return part(bars.top, bars.bottom, THUMB_ROWS), part(bars.left, bars.right, THUMB_COLUMNS)


def key_picture(frame: VideoFrame, time: FilmTime, black: int) -> KeyFrame:
    return KeyFrame(time, small_planes(frame, THUMB_COLUMNS, THUMB_ROWS), glance(luma_of(frame), black))
