"""Films made of several recordings put one after another, whose times start again at each: read from the start on.

    packets, their times falling back at 8 s ─ each part moved behind the one before ─► packets with times that rise

A seek by time would find any of the parts. So every reading begins at the file's start, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from av.container import InputContainer

from cinecut.media.open import open_container, packets_of, picture_stream

_REORDERED = 32  # pictures: times that fall by less are out of order
_FALL = Fraction(1, 2)  # seconds: the same of sound


def restart(decoded: list[int | None]) -> int | None:
    """The last time of decoding before one from which they start again; None where they rise as they should."""
    known = [at for at in decoded if at is not None]
    usual = sorted(after - at for at, after in pairwise(known))[len(known) // 2] if len(known) > 2 else 0
    falls = (at for at, after in pairwise(known) if usual > 0 and after < at - _REORDERED * usual)
    return next(falls, None)


class JoinedMedia:
    """A container whose times rise; in all else the one that it is made of."""

    joined = True

    def __init__(self, media: InputContainer, path: Path) -> None:
        self._media, self._path = media, path
        self._offsets = _offsets(path.absolute(), path.stat().st_mtime_ns)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._media, name)

    def seek(self, *_: Any, **__: Any) -> None:
        """Whatever the place: reading begins at the start, with decoders that remember nothing."""
        for stream in (*self._media.streams.video, *self._media.streams.audio):
            if stream.codec_context is not None:
                stream.codec_context.flush_buffers()

    def demux(self, *streams: Any) -> Iterator[Any]:
        wanted = {stream.index for each in streams for stream in (each if isinstance(each, list) else [each])}
        with open_container(self._path) as anew:
            last: dict[int, Fraction] = {}
            parts = dict.fromkeys(wanted, 0)
            for packet in packets_of(anew, [anew.streams[index] for index in sorted(wanted)]):
                if not packet.size:  # the end
                    yield packet
                    continue
                index, base = packet.stream_index, Fraction(packet.time_base or 1)
                if packet.dts is not None:
                    at = packet.dts * base
                    if at < last.get(index, at) - _FALL and parts[index] + 1 < len(self._offsets):
                        parts[index] += 1
                    last[index] = at
                offset = round(self._offsets[parts[index]] / base)
                packet.pts = None if packet.pts is None else packet.pts + offset
                packet.dts = None if packet.dts is None else packet.dts + offset
                yield packet


@cache
def _offsets(path: Path, changed: int) -> list[Fraction]:
    """Seconds by which each part is moved, so that its first picture follows the last one of the part before."""
    offsets = [Fraction(0)]
    with open_container(path) as media:
        video = picture_stream(media, path)
        base, step, last = Fraction(video.time_base or 1), 0, None
        for packet in packets_of(media, video):
            if packet.dts is None:
                continue
            if last is not None and packet.dts < last - _FALL / base:
                offsets.append(offsets[-1] + (last + step - packet.dts) * base)
            elif last is not None and packet.dts > last:
                step = step or packet.dts - last
            last = packet.dts
    return offsets
