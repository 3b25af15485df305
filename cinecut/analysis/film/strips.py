"""Stretches of a film, decoded into thumbnails where somebody asks.

The loop filter is left out and pictures that no other picture refers to are skipped where only an outline is needed:
neither changes what a thumbnail shows enough to matter, and together they halve the cost. Of H.264, whose decoder puts
the reference before in the place of a missing one, a rough outline needs no B picture at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from cinecut.analysis.film.gops import (
    THUMB_COLUMNS,
    THUMB_ROWS,
    Clock,
    Inside,
    KeyPicture,
    PacketIndex,
    Thumbs,
    key_picture,
    only,
    open_video,
    small_planes,
)
from cinecut.diagnostics import Diagnostic
from cinecut.media.frames import packets_from, whole_packets


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Decoded pictures in showing order: their ranks [n], strictly rising, and thumbnails [n, 3, 45, 80]."""

    ranks: NDArray[np.int64]
    thumbs: Thumbs

    @classmethod
    def empty(cls) -> Strip:
        return cls(np.empty(0, np.int64), np.empty((0, 3, 0, 0), np.uint8))

    def until(self, end: int, pictures: Iterator[tuple[int, NDArray[np.uint8]]]) -> Strip:
        """This strip lengthened by further `pictures`, until rank `end` - 1 is reached."""
        ranks, thumbs = [], []
        for rank, thumb in pictures:
            ranks.append(rank)
            thumbs.append(thumb)
            if rank >= end - 1:
                break
        return self.joined(ranks, thumbs)

    def tail(self, length: int) -> Strip:
        """The last pictures alone."""
        return Strip(self.ranks[-length:], self.thumbs[-length:])

    def joined(self, ranks: list[int], thumbs: list[NDArray[np.uint8]]) -> Strip:
        """This strip with further pictures at its end."""
        if not ranks:
            return self
        added = np.array(thumbs, np.uint8)
        return Strip(np.append(self.ranks, ranks), np.concatenate([self.thumbs, added]) if len(self.ranks) else added)


class GroupReader:
    """Decodes groups of one film for one thread; thumbnails are cut to `inside`. A context manager.

    filter_loop : decode as meant to be seen, where pictures are looked at in large; without it blocks show
    """

    def __init__(self, film: Path, index: PacketIndex, inside: Inside, filter_loop: bool = False) -> None:
        self._index = index
        self._inside = inside
        self._container, self._stream = open_video(film, filter_loop)
        only(self._container, self._stream)
        self._base = self._stream.time_base or Fraction(1, 1000)
        self._every = 4 if index.key.all() else 1  # films of key frames only are outlined by every fourth picture
        self._bears_gaps = self._stream.codec_context.name == "h264"

    def __enter__(self) -> GroupReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def pictures(
        self, group: int, fine: NDArray[np.bool_], rough: bool = False
    ) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Rank and thumbnail of pictures from the start of `group` on, in showing order, as far as they are asked for.

        fine : [pictures of the film, at least] where every picture is wanted; elsewhere an outline does
        rough : the outline is to show cuts, no gradual change: B pictures are spared where the decoder bears it
        """
        decoder = self._stream.codec_context
        newest = int(self._index.rank[self._index.groups[group]]) - 1
        for packet in self._needed(group, fine, rough and self._bears_gaps):
            for frame in _decode(decoder, packet):
                rank = int(np.searchsorted(self._index.shown, frame.pts)) if frame.pts is not None else -1
                if rank > newest:
                    newest = rank
                    yield rank, small_planes(frame, THUMB_COLUMNS, THUMB_ROWS)[:, *self._inside]

    def _needed(self, group: int, fine: NDArray[np.bool_], spare_b: bool) -> Iterator[Packet[VideoStream] | None]:
        """The packets from `group` on to be decoded for `fine`, the decoder told how; None to drain it.

        It is drained before each later group that nothing before it is shown after, so that the end of a group costs
        no key picture of the next.
        """
        index = self._index
        first = int(index.groups[group])
        starts = set(index.groups[group + 1 : group + 3].tolist())
        decoder = self._stream.codec_context
        near, latest = False, int(index.rank[first]) - 1
        for at, packet in self._packets(first):
            if packet is None:
                yield None
                return
            rank = int(index.rank[at])
            if at in starts and rank == at:
                yield None
                decoder.flush_buffers()
            wanted = bool(fine[rank])
            if rank > latest:  # what is shown between this picture and the latest one comes after it
                near, latest = bool(fine[latest + 1 : rank + 1].any()), rank
            elif spare_b and not near:
                continue
            if wanted or (at - first) % self._every == 0:
                decoder.skip_frame = "DEFAULT" if wanted else "NONREF"
                yield packet

    def key_picture(self, rank: int, clock: Clock, black: int) -> KeyPicture | None:
        """The picture of a rank, or the reference picture nearest after it, as a KeyPicture."""
        index = self._index
        group = int(np.searchsorted(index.rank[index.groups], rank, "right")) - 1
        decoder = self._stream.codec_context
        decoder.skip_frame = "NONREF"
        for _, packet in self._packets(int(index.groups[group])):
            for frame in _decode(decoder, packet):
                if frame.pts is not None and frame.pts >= index.shown[rank]:
                    return key_picture(frame, clock.time(frame.pts), black)
        return None

    def _packets(self, first: int) -> Iterator[tuple[int, Packet[VideoStream] | None]]:
        """Packets from `first` on in decoding order, each with its place; None after the last, to drain the decoder."""
        stamp, at = int(self._index.pts[first]), first
        for packet in packets_from(self._container, self._stream, stamp, int(self._index.shown[0])):
            if at > first or packet.pts == stamp:
                yield at, packet
                at += 1
            elif packet.pts > stamp + 2 / self._base:
                break
        yield at, None


def _decode(decoder: VideoCodecContext, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
    try:
        return decoder.decode(packet)
    except av.FFmpegError:
        return []  # a damaged packet costs its picture, no more


def decode_all(film: Path, diagnostics: list[Diagnostic]) -> Iterator[VideoFrame]:
    """Every picture of a film in showing order, with as many threads as the decoder likes. Raises Stop."""
    container, stream = open_video(film)
    only(container, stream)
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = 0
    with container:
        for packet in whole_packets(container.demux(stream), diagnostics):
            yield from _decode(stream.codec_context, packet)
        yield from _decode(stream.codec_context, None)
