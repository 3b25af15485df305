"""Decoding parts of a film into thumbnails, as far as they are requested.

The loop filter is disabled, and for an outline the pictures that no other refers to are skipped. Neither changes a
thumbnail enough to matter, and together they halve the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from cinecut.analysis.film.gops import (
    THUMB_COLUMNS,
    THUMB_ROWS,
    Clock,
    Inside,
    KeyFrame,
    PacketIndex,
    Thumbs,
    discard_others,
    key_picture,
    open_video,
    small_planes,
)
from cinecut.diagnostics import Diagnostic
from cinecut.media.frames import packets_from
from cinecut.media.open import packets_of, whole_packets
from cinecut.media.undecodable import pictures_of


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Decoded pictures in display order: their ranks [n], strictly rising, and thumbnails [n, 3, 45, 80]."""

    ranks: NDArray[np.int64]
    thumbs: Thumbs

    @classmethod
    def empty(cls) -> Strip:
        return cls(np.empty(0, np.int64), np.empty((0, 3, 0, 0), np.uint8))

    def until(self, end: int, pictures: Iterator[tuple[int, NDArray[np.uint8]]]) -> Strip:
        """This strip and further `pictures`, up to rank `end` - 1."""
        ranks, thumbs = [], []
        for rank, thumb in pictures:
            ranks.append(rank)
            thumbs.append(thumb)
            if rank >= end - 1:
                break
        return self.joined(ranks, thumbs)

    def tail(self, length: int) -> Strip:
        """A strip of the last pictures only."""
        return Strip(self.ranks[-length:], self.thumbs[-length:])

    def without(self, stretches: Sequence[tuple[int, int]]) -> Strip:
        """This strip without the pictures in half-open stretches of ranks."""
        kept = np.ones(len(self.ranks), np.bool_)
        for start, end in stretches:
            kept &= (self.ranks < start) | (self.ranks >= end)
        return Strip(self.ranks[kept], self.thumbs[kept])

    def joined(self, ranks: list[int], thumbs: list[NDArray[np.uint8]]) -> Strip:
        """This strip with more pictures at its end."""
        if not ranks:
            return self
        added = np.array(thumbs, np.uint8)
        return Strip(np.append(self.ranks, ranks), np.concatenate([self.thumbs, added]) if len(self.ranks) else added)


class GroupReader:
    """Decodes groups of one film, in one thread; thumbnails are cropped to `inside`. A context manager.

    filter_loop : enable the loop filter, for pictures that are looked at in more detail; without it blocks are visible
    size : columns and rows of a thumbnail
    """

    def __init__(
        self,
        film: Path,
        index: PacketIndex,
        inside: Inside,
        filter_loop: bool = False,
        size: tuple[int, int] = (THUMB_COLUMNS, THUMB_ROWS),
    ) -> None:
        self._index = index
        self._inside = inside
        self._size = size
        self._container, self._stream = open_video(film, filter_loop)
        discard_others(self._container, self._stream)
        self._base = self._stream.time_base or Fraction(1, 1000)
        self.watch: Callable[[int, VideoFrame], None] | None = None  # is shown each picture and its rank
        self._going: tuple[int, Iterator[tuple[int, VideoFrame]]] | None = None
        self._every = 4 if index.key.all() else 1  # films of key frames only are outlined by every fourth picture

    def __enter__(self) -> GroupReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def pictures(self, group: int, fine: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Rank and thumbnail of pictures from the start of `group` on, in display order, decoded lazily.

        fine : [at least the film's number of pictures] where every picture is wanted; elsewhere an outline is enough
        """
        self._going = group, self._decoded(group, fine)
        return ((rank, small_planes(frame, *self._size)[:, *self._inside]) for rank, frame in self._going[1])

    def go_on(self, group: int, end: int) -> None:
        """Decode a group up to the rank `end` - 1, from the last picture of it on that was requested, for `watch`."""
        if self._going is None or self._going[0] != group:
            self.pictures(group, np.zeros(len(self._index.pts), np.bool_))
        assert self._going is not None
        next((rank for rank, _ in self._going[1] if rank >= end - 1), None)

    def _decoded(self, group: int, fine: NDArray[np.bool_]) -> Iterator[tuple[int, VideoFrame]]:
        decoder = self._stream.codec_context
        newest = int(self._index.rank[self._index.groups[group]]) - 1
        for packet in self._needed(group, fine):
            for frame in pictures_of(packet, decoder):
                rank = int(np.searchsorted(self._index.shown, frame.pts)) if frame.pts is not None else -1
                if rank > newest:
                    newest = rank
                    if self.watch is not None:
                        self.watch(rank, frame)
                    yield rank, frame

    def _needed(self, group: int, fine: NDArray[np.bool_]) -> Iterator[Packet[VideoStream] | None]:
        """The packets from `group` on that are needed for `fine`, each after setting the decoder; None to drain it.

        It is drained before a later group if all earlier pictures are displayed before it, so that the end of one group
        is decoded without the next key picture.
        """
        index = self._index
        first = int(index.groups[group])
        starts = set(index.groups[group + 1 : group + 3].tolist())
        decoder = self._stream.codec_context
        for at, packet in self._packets(first):
            if packet is None:
                yield None
                return
            rank = int(index.rank[at])
            if at in starts and rank == at:
                yield None
                decoder.flush_buffers()
            wanted = bool(fine[rank])
            if wanted or (at - first) % self._every == 0:
                decoder.skip_frame = "DEFAULT" if wanted else "NONREF"
                yield packet

    def key_picture(self, rank: int, clock: Clock, black: int) -> KeyFrame | None:
        """The picture of a rank, or the next reference picture after it, as a KeyPicture."""
        index = self._index
        group = int(np.searchsorted(index.rank[index.groups], rank, "right")) - 1
        decoder = self._stream.codec_context
        decoder.skip_frame = "NONREF"
        for _, packet in self._packets(int(index.groups[group])):
            for frame in pictures_of(packet, decoder):
                if frame.pts is not None and frame.pts >= index.shown[rank]:
                    return key_picture(frame, clock.time(frame.pts), black)
        return None

    def _packets(self, first: int) -> Iterator[tuple[int, Packet[VideoStream] | None]]:
        """Packets from `first` on in decoding order, each with its index; None after the last, to drain the decoder."""
        stamp, at = int(self._index.pts[first]), first
        for packet in packets_from(self._container, self._stream, stamp, int(self._index.shown[0])):
            if at > first or packet.pts == stamp:
                yield at, packet
                at += 1
            elif packet.pts > stamp + 2 / self._base:
                break
        yield at, None


def decode_all(film: Path, diagnostics: list[Diagnostic]) -> Iterator[VideoFrame]:
    """Every picture of a film in display order, with as many threads as the decoder chooses. Raises Stop."""
    container, stream = open_video(film)
    discard_others(container, stream)
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = 0
    with container:
        for packet in whole_packets(packets_of(container, stream), diagnostics):
            yield from pictures_of(packet, stream.codec_context)
        yield from pictures_of(None, stream.codec_context)
