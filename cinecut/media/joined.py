"""Films joined from several recordings, with timestamps that restart at each: read from the start.

    packets, their times falling back at 8 s ─ each part moved behind the one before ─► packets with times that rise

A seek by time would find any of the parts. So every reading begins at the file's start, and nothing else changes. What
an edit list takes from before its pieces, only for decoding them, begins no part.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from av.container import InputContainer

from cinecut.media.open import open_container, packets_of, picture_stream

_REORDERED = 32  # pictures: times that fall by less are out of order
_FALL = Fraction(1, 2)  # seconds: the same of sound


def restart(decoded: list[int | None]) -> int | None:
    """The last decoding time before timestamps restart; None if they rise."""
    known = [at for at in decoded if at is not None]
    usual = sorted(after - at for at, after in pairwise(known))[len(known) // 2] if len(known) > 2 else 0
    falls = (at for at, after in pairwise(known) if usual > 0 and after < at - _REORDERED * usual)
    return next(falls, None)


class JoinedMedia:
    """A container with rising timestamps; otherwise the same as the underlying one."""

    joined = True

    def __init__(self, media: InputContainer, path: Path) -> None:
        self._media, self._path, self._video = media, path, picture_stream(media, path).index
        self._parts = _parts(path.absolute(), path.stat().st_mtime_ns)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._media, name)

    def seek(self, *_: Any, **__: Any) -> None:
        """Wherever the target: reading starts from the beginning, with fresh decoders."""
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
                if packet.dts is not None and not packet.is_discard:
                    at = packet.dts * base
                    if at < last.get(index, at) - _FALL and parts[index] + 1 < len(self._parts):
                        parts[index] += 1
                    last[index] = at
                part = self._parts[parts[index]]
                offset = round(part.offset / base)
                early = part.by if index == self._video and packet.pts == part.late else 0
                packet.pts = None if packet.pts is None else packet.pts + offset - early
                packet.dts = None if packet.dts is None else packet.dts + offset
                yield packet


class _Part(NamedTuple):
    """Seconds by which a recording is moved, so that its first picture follows the last one of the recording before. A
    stamp of it that is too late, and by how much: program streams do not say when each picture is shown, and of the
    last one libraries guess as if more were to follow."""

    offset: Fraction
    late: int | None = None
    by: int = 0


@cache
def _parts(path: Path, changed: int) -> list[_Part]:
    offset = Fraction(0)
    parts = []
    with open_container(path) as media:
        video = picture_stream(media, path)
        base, step, last, since = Fraction(video.time_base or 1), 0, None, 0
        shown: list[int] = []
        for packet in packets_of(media, video):
            if packet.is_discard or not packet.size:
                continue
            since += 1  # of which but the last one need not have a time
            if packet.dts is None:
                continue
            if last is not None and packet.dts < last - _FALL / base:
                end = last + since * step
                parts.append(_part(offset, shown, step, end + (packet.pts or packet.dts) - packet.dts))
                offset, shown = offset + (end - packet.dts) * base, []
            elif last is not None and packet.dts > last:
                step = step or (packet.dts - last) // since
            last, since = packet.dts, 0
            shown += [] if packet.pts is None else [packet.pts]
    return [*parts, _Part(offset)]


def _part(offset: Fraction, shown: list[int], step: int, follows: int) -> _Part:
    """A recording with another one behind it; `follows` is where that one's first picture comes. None stands there."""
    before, last = sorted(shown)[-2:] if len(shown) > 1 else (0, 0)
    return _Part(offset, last, last - before - step) if last >= follows > before else _Part(offset)
