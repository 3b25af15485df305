"""Joining segments: their packets are copied into one file with exact timestamps, together with sound and captions.

segments ─┐
sound     ├─ packets in the order of time ─► trailer
captions ─┘
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import Any

import av
import av.error

from cinecut.compiler.about import About
from cinecut.diagnostics import Stop
from cinecut.media.open import open_container
from cinecut.render.segments.pictures import HeadersDifferError


def join(segments: Sequence[Path], beside: Sequence[Path], output: Path, rate: Fraction, about: About) -> None:
    """Write a file of segments of so many pictures a second, and of the streams of the files `beside`.

    Raises HeadersDifferError, OSError, and Stop where FFmpeg refuses.
    """
    options = {} if output.suffix == ".mkv" else {"movflags": "faststart", "movie_timescale": "48000"}
    try:
        with ExitStack() as stack:
            media = [stack.enter_context(open_container(file)) for file in (segments[0], *beside)]
            out = stack.enter_context(av.open(str(output.absolute()), "w", options={"fflags": "bitexact", **options}))
            targets = [out.add_stream_from_template(each.streams[0], opaque=True) for each in media]
            targets[0].time_base = 1 / rate
            if media[0].streams[0].codec_context.codec_tag == "hvc1":  # the name by which Apple's players know HEVC
                targets[0].codec_context.codec_tag = "hvc1"
            out.metadata.update({"title": about.title} if about.title else {})
            out.set_chapters([_chapter(number, *each, 1 / rate) for number, each in enumerate(about.chapters, 1)])
            streams = [_pictures(segments, targets[0], rate), *map(_copied, media[1:], targets[1:])]
            ticks = _ticks([1 / rate, *(Fraction(each.streams[0].time_base or 1) for each in media[1:])])
            for _, packet in heapq.merge(*map(_timed, streams, ticks), key=itemgetter(0)):
                out.mux(packet)
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise Stop("ffmpeg", f"the parts of the trailer cannot be joined: {error.strerror}") from None


def _chapter(number: int, start: int, end: int, name: str, frame: Fraction) -> Any:
    return {"id": number, "start": start, "end": end, "time_base": frame, "metadata": {"title": name}}


def _ticks(bases: Sequence[Fraction]) -> list[int]:
    """For each clock the length of its tick, in whole ticks of a clock that all share."""
    shared = math.lcm(*(base.denominator for base in bases))
    return [base.numerator * shared // base.denominator for base in bases]


def _timed(packets: Iterator[Any], tick: int) -> Iterator[tuple[int, Any]]:
    """Packets, each with its decoding time on the shared clock."""
    return ((packet.dts * tick, packet) for packet in packets)


def _pictures(segments: Sequence[Path], target: Any, rate: Fraction) -> Iterator[Any]:
    """The packets of all segments in sequence. A file's timestamps only give their order, since they may be rounded or
    start below zero."""
    at, delay, headers, frame = 0, 0, None, 1 / rate
    for file in segments:
        with open_container(file, decodes=False) as media:
            before, headers = headers, media.streams[0].codec_context.extradata
            if at and headers != before:
                raise HeadersDifferError(file.name)
            first, *stamps = [(packet.pts or 0, packet.dts or 0) for packet in _packets(media)]
            if not at:  # the frames from the first one's decoding to its showing are the same in every segment
                delay = round((first[0] - first[1]) * Fraction(media.streams[0].time_base or 0) * rate)
            shown = {stamp: place for place, stamp in enumerate(sorted(pts for pts, _ in (first, *stamps)))}
            media.seek(0)
            for number, packet in enumerate(_packets(media)):
                packet.pts, packet.dts = at + shown[packet.pts], at + number - delay
                packet.time_base, packet.duration, packet.stream = frame, 1, target
                yield packet
            at += len(shown)


def _packets(media: Any) -> Iterator[Any]:
    return (packet for packet in media.demux(media.streams[0]) if packet.size)


def _copied(media: Any, target: Any) -> Iterator[Any]:
    for packet in media.demux(media.streams[0]):
        if packet.dts is not None:
            packet.stream = target
            yield packet
