"""What only a decoded picture shows about a film: its start, rotation, interlacing and colours."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, dropwhile, islice
from pathlib import Path
from typing import Any, cast

import av
import av.error
import av.filter
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

from cinecut.diagnostics import Stop
from cinecut.language.facts import Color
from cinecut.media.open import open_media, packets_of, picture_stream
from cinecut.media.undecodable import pictures_of

# AVFieldOrder. Of the last two, one field is stored first and the other shown first; but whoever writes them means by
# them, as QuickTime's 9 and 14, the first field of pictures whose lines stand between each other.
_ORDERS = {2: "tff", 3: "bff", 4: "tff", 5: "bff"}
_ORDER_UNTOLD = ("utvideo", "magicyuv")  # their pictures say that they are of two fields, no more
_WATCHED = 40  # pictures in which movement tells which field is first


@dataclass(frozen=True, slots=True)
class FirstPicture:
    """The first picture of a film that decodes; `stamp`: its own timestamp in the stream's time base, if any."""

    stamp: int | None
    rotation: int
    mirrored: bool
    field_order: str
    color: Color


def first_picture(path: Path, later: bool = True) -> FirstPicture:
    """Decode the first picture, and where it is of no fields, some `later` ones that may be. Raises Stop if none
    decodes."""
    with open_media(path) as media:
        video = picture_stream(media, path)
        video.codec_context.thread_count = 1
        frames = _decoded(packets_of(media, video), video)
        frame = next(frames, None)
        if frame is None:
            raise Stop("unreadable", f"no picture of {path} can be decoded", "the file may be damaged; does it play?")
        if abs(frame.rotation) % 90 not in (0, 89):  # whole degrees, cut off
            message = f"{path} says that players turn its pictures by an angle that is no quarter turn"
            raise Stop("unreadable", message, "without that: ffmpeg -display_rotation 0 -i FILE -c copy OUT")
        rotation, mirrored = orientation(frame)
        order = _field_order(frame, video.codec_context, frames)
        if later and order == "progressive" and video.codec_context.name in _IN_FIELDS:
            order = _later_order(media, video)
        return FirstPicture(frame.pts, rotation, mirrored, order, _color(frame, video.codec_context))


UPRIGHT = (0, False)


def orientation(frame: VideoFrame) -> tuple[int, bool]:
    """Degrees clockwise that a player turns a picture, and whether it is then mirrored left to right."""
    rotation = round(-frame.rotation / 90) % 4 * 90
    try:
        matrix = cast("Any", frame.side_data).get(Type.DISPLAYMATRIX)
    except ValueError:  # among them is a kind that PyAV has no name for
        matrix = None
    if matrix is None:
        return rotation, False
    a, b, _, c, d = struct.unpack_from("<5i", bytes(matrix))
    if a * d - b * c >= 0:
        return rotation, False
    return {0: 180, 180: 0}.get(rotation, rotation), True


def _field_order(frame: VideoFrame, context: Any, following: Iterator[VideoFrame]) -> str:
    """Which field is shown first: of pictures that say they are interlaced, as they say, or as DV means it; where they
    do not say it, as the header says, or else as their movement tells."""
    known = _ORDERS.get(int(context.field_order))
    if not frame.interlaced_frame:
        return known or "progressive"
    if context.name == "dvvideo":
        return "bff" if frame.height <= 576 else "tff"
    if context.name not in _ORDER_UNTOLD:
        return "tff" if _is_top_first(frame) else "bff"
    votes = Counter(_told_by_movement(frame, following))
    return known or ("bff" if votes["bff"] > votes["tff"] else "tff")


def _is_top_first(frame: VideoFrame) -> bool:
    """What a picture of two fields says of their order, which FFmpeg's filters see alone."""
    graph, _, sink = _filtered(frame, "select", "eq(interlace_type,TOPFIRST)")
    graph.push(frame)
    try:
        return sink.pull() is not None
    except (av.error.BlockingIOError, av.error.EOFError):
        return False


def _filtered(frame: VideoFrame, name: str, options: str | None = None) -> tuple[Any, Any, Any]:
    """A graph of one filter for pictures like this one, its source and its sink."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    filter, sink = graph.add(name, options), graph.add("buffersink")
    source.link_to(filter)
    filter.link_to(sink)
    graph.configure()
    return graph, source, sink


_IN_FIELDS = ("h264", "mpeg2video", "mpeg4", "vc1")  # codecs that may change to fields midway, as broadcasts do


def _later_order(media: Any, video: Any) -> str:
    """Which field is shown first where most later pictures say that they are interlaced: a recording may begin with
    something else than what was to be recorded."""
    seen, order = list[bool](), "progressive"
    length = Fraction(media.duration or 0, av.time_base) / video.time_base  # Matroska's streams have none
    for share in range(1, _PLACES + 1):
        with suppress(av.error.FFmpegError):
            media.seek(int((video.start_time or 0) + length * share / (_PLACES + 1)), stream=video)
            frames = _decoded(dropwhile(lambda packet: not packet.is_keyframe, packets_of(media, video)), video)
            few = list(islice(frames, _FEW))
            seen += [frame.interlaced_frame for frame in few]
            if few and few[-1].interlaced_frame and order == "progressive":
                order = _field_order(few[-1], video.codec_context, frames)
    return order if 2 * sum(seen) > len(seen) else "progressive"


def _decoded(packets: Iterator[Any], video: Any) -> Iterator[VideoFrame]:
    return chain.from_iterable(pictures_of(packet, video.codec_context) for packet in packets)


_PLACES, _FEW = 3, 3  # places of a film at which pictures are looked at, and how many of each


def _told_by_movement(frame: VideoFrame, following: Iterator[VideoFrame]) -> Iterator[str]:
    graph, _, sink = _filtered(frame, "idet")
    for each in [frame, *islice(following, _WATCHED)]:
        graph.push(each)
        try:
            yield str(sink.pull().metadata.get("lavfi.idet.multiple.current_frame"))
        except (av.error.BlockingIOError, av.error.EOFError):
            continue


def _color(frame: VideoFrame, context: Any) -> Color:
    return Color(
        _tag(_RANGES, frame.color_range or context.color_range),
        _tag(_SPACES, frame.colorspace or context.colorspace),
        _tag(_PRIMARIES, frame.color_primaries or context.color_primaries),
        _tag(_TRANSFERS, frame.color_trc or context.color_trc),
    )


def _tag(names: dict[int, str], value: object) -> str:
    return names.get(int(value), "unknown") if isinstance(value, int) else "unknown"


# Code points of ITU-T H.273 as FFmpeg spells them.
_RANGES = {1: "tv", 2: "pc"}
_PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020", 10: "smpte428",
    11: "smpte431", 12: "smpte432", 22: "jedec-p22",
}  # fmt: skip
_TRANSFERS = {
    1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100", 10: "log316",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
    17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
_SPACES = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc",
    10: "bt2020c", 11: "smpte2085", 12: "chroma-derived-nc", 13: "chroma-derived-c", 14: "ictcp",
}  # fmt: skip
