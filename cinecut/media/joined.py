"""Films joined from several recordings, with timestamps that restart at each: read from the start.

    packets, their times falling back at 8 s ─ each part moved behind the one before ─► packets with times that rise

A seek by time would find any of the parts. So every reading begins at the file's start, and nothing else changes. What
an edit list takes from before its pieces, only for decoding them, begins no part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from fractions import Fraction
from functools import cache
from itertools import chain, pairwise, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import av.error
from av.container import InputContainer

from cinecut.media.heads import matroska_behind, several
from cinecut.media.open import open_behind, open_container, packets_of, picture_stream, whole_packets

_REORDERED = 32  # pictures: times that fall by less are out of order, where those of decoding are a guess
_FALL = Fraction(1, 2)  # seconds: the same where they are not, and of sound


def has_behind(path: Path) -> bool:
    """Whether a Matroska file holds two recordings. Raises Stop where there are more, since libraries read no third, or
    the second needs what its own head says: they go by the first one's, and show blocks of colour, or nothing."""
    places = _behind(path)
    if len(places) > 1:
        raise several(path, places[0])
    for place in places:
        with suppress(av.error.FFmpegError), open_container(path) as first, open_behind(path, place) as behind:
            if _needs(first) != _needs(behind):
                raise several(path, place)
    return bool(places)


def _needs(media: InputContainer) -> list[tuple[object, ...]]:
    """What the head of a container says of its streams that their packets do not say again."""
    return [
        (stream.time_base, name := stream.codec_context.name, *(() if name in _TOLD_AGAIN else _told(stream)))
        for stream in (*media.streams.video, *media.streams.audio)
        if stream.codec_context is not None
    ]


def _told(stream: Any) -> tuple[object, ...]:
    context = stream.codec_context
    header = bytes(context.extradata or b"")
    if context.name == "hevc" and len(header) > _HVCC:
        header = bytes(chain.from_iterable(_parameters(header)))
    if stream.type == "video":
        return header, context.width, context.height
    return header, context.sample_rate, context.layout.nb_channels


def _parameters(header: bytes) -> Iterator[bytes]:
    """The parameter sets in HEVC's header (ISO 14496-15, 8.3.3.1), without what encoders say of themselves."""
    at = _HVCC
    while at + 3 <= len(header):
        kind, count = header[at] & 0x3F, int.from_bytes(header[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            length = int.from_bytes(header[at : at + 2], "big")
            if kind in (32, 33, 34):
                yield header[at + 2 : at + 2 + length]
            at += 2 + length


_HVCC = 23  # bytes before the parameter sets
_TOLD_AGAIN = (
    "mpeg1video", "mpeg2video", "vp8", "vp9", "libdav1d", "av1", "libaom-av1", "mjpeg", "mp1", "mp1float", "mp2",
    "mp2float", "mp3", "mp3float", "ac3", "eac3", "dca", "truehd", "mlp", "flac", "opus", "libopus",
)  # fmt: skip


def restart(decoded: list[int | None], media: Any, base: Fraction) -> int | None:
    """The last decoding time before timestamps restart, in ticks of `base`; None if they rise."""
    known = [at for at in decoded if at is not None]
    usual = sorted(after - at for at, after in pairwise(known))[len(known) // 2] if len(known) > 2 else 0
    reordered = _REORDERED * usual
    least = reordered if _guesses(media) else min(reordered, int(_FALL / base))
    falls = (at for at, after in pairwise(known) if usual > 0 and after < at - least)
    return next(falls, None)


class JoinedMedia:
    """A container with rising timestamps; otherwise the same as the underlying one."""

    joined = True

    def __init__(self, media: InputContainer, path: Path) -> None:
        self._media, self._path, self._video = media, path, picture_stream(media, path).index
        self._guessed = _guesses(media)
        self._parts = _parts(path.absolute(), path.stat().st_mtime_ns)
        self.reached: dict[int, int] = {}  # by a stream, the number of the recording that is read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._media, name)

    def seek(self, *_: Any, **__: Any) -> None:
        """Wherever the target: reading starts from the beginning, with fresh decoders."""
        for stream in (*self._media.streams.video, *self._media.streams.audio):
            if stream.codec_context is not None:
                stream.codec_context.flush_buffers()

    def demux(self, *streams: Any) -> Iterator[Any]:
        wanted = {stream.index for each in streams for stream in (each if isinstance(each, list) else [each])}
        falls = {index: _Falls(self._guessed) for index in wanted}
        parts = self.reached = dict.fromkeys(wanted, 0)
        for packet in _packets(self._path, wanted):
            if not packet.size:  # the end
                yield packet
                continue
            index, base = packet.stream_index, Fraction(packet.time_base or 1)
            begun = falls[index].reached is not None
            fell = not packet.is_discard and falls[index].at(packet, _FALL / base) is not None
            if fell or not begun:  # sound may be missing in whole recordings
                behind = sum(0 < part.end < (packet.pos or 0) for part in self._parts[:-1])
                parts[index] = max(min(parts[index] + fell, len(self._parts) - 1), behind)
            part = self._parts[parts[index]]
            offset = round(part.offset / base)
            early = part.by if index == self._video and packet.pts == part.late else 0
            packet.pts = None if packet.pts is None else packet.pts + offset - early
            packet.dts = None if packet.dts is None or self._guessed else packet.dts + offset
            yield packet


def _packets(path: Path, wanted: Collection[int]) -> Iterator[Any]:
    """The packets of streams of all recordings. In Matroska each is opened by itself, since its head says what comes
    before its sound; otherwise libraries read on."""
    places = [0, *_behind(path)]
    for place, end in zip_longest(places, places[1:]):
        with open_behind(path, place) if place else open_container(path) as media:
            for packet in packets_of(media, [media.streams[index] for index in sorted(wanted)]):
                if end is not None and (not packet.size or (packet.pos or 0) >= end):
                    break
                yield packet


def _behind(path: Path) -> tuple[int, ...]:
    """Where further recordings begin in a Matroska file: its first search is kept."""
    return _searched(path.absolute(), path.stat().st_mtime_ns)


@cache
def _searched(path: Path, changed: int) -> tuple[int, ...]:
    return tuple(matroska_behind(path))


def _guesses(media: Any) -> bool:
    """Whether times of decoding are a guess, and a wrong one where timestamps have started again."""
    return "matroska" in media.format.name


class _Falls:
    """Where the times of packets fall. They are those of decoding; where those are a guess, a key frame that is shown
    before what came before it tells."""

    def __init__(self, guessed: bool) -> None:
        self._guessed = guessed
        self.reached: int | None = None

    def at(self, packet: Any, least: Fraction) -> int | None:
        """The time of a packet that is earlier by more than `least` ticks than what was reached; else None."""
        at, reached = packet.pts if self._guessed else packet.dts, self.reached
        if at is None:
            return None
        fell = reached is not None and at < reached - least and (packet.is_keyframe or not self._guessed)
        self.reached = at if fell or reached is None or not self._guessed else max(at, reached)
        return at if fell else None


class _Part(NamedTuple):
    """Seconds by which a recording is moved, so that its first picture follows the last one of the recording before. A
    stamp of it that is too late, and by how much: program streams do not say when each picture is shown, and of the
    last one libraries guess as if more were to follow. `end`: where its last picture is in the file."""

    offset: Fraction
    late: int | None = None
    by: int = 0
    end: int = 0


@cache
def _parts(path: Path, changed: int) -> list[_Part]:
    offset = Fraction(0)
    parts = []
    with open_container(path) as media:
        video = picture_stream(media, path)
        base, step, since, place = Fraction(video.time_base or 1), 0, 0, 0
        shown: list[int] = []
        falls = _Falls(guessed := _guesses(media))
        period = 1 / (Fraction(video.guessed_rate) * base) if video.guessed_rate else None
        packets = (packet for packet in whole_packets(_packets(path, [video.index])) if not packet.is_discard)
        stamps = [_Stamps(packet.pts, packet.dts, packet.is_keyframe, packet.pos or 0) for packet in packets]
        delay = None if guessed else _delay(stamps)
        for number, packet in enumerate(stamps):
            since += 1  # of which but the last one need not have a time
            last = falls.reached
            if (at := falls.at(packet, _FALL / base)) is not None and last is not None:
                end = _end(shown, period) if guessed else last + since * step
                if delay is not None and (own := _delay(stamps[number : number + _AHEAD])) is not None:
                    end, delay = end + delay - own, own
                behind = end if guessed else end + (packet.pts or at) - at
                parts.append(_part(offset, shown, step, behind)._replace(end=place))
                offset, shown = offset + (end - at) * base, []
            elif last is not None and falls.reached is not None and falls.reached > last:
                step = step or (falls.reached - last) // since
            since = 0 if guessed or packet.dts is not None else since
            place = packet.pos or place
            shown += [] if packet.pts is None else [packet.pts]
    return [*parts, _Part(offset)]


class _Stamps(NamedTuple):
    """What a packet says of its time."""

    pts: int | None
    dts: int | None
    is_keyframe: bool
    pos: int


def _delay(stamps: list[_Stamps]) -> int | None:
    """How long after the first packet of a recording is decoded its first picture is shown, in ticks. Recordings differ
    in it. None where packets do not say it."""
    shown, before = list[int](), stamps[0].dts
    for pts, dts, *_ in stamps[:_AHEAD]:
        if pts is None or dts is None or before is None:
            return None
        if dts < before:  # the next recording
            break
        shown, before = [*shown, pts], dts
    return min(shown) - (stamps[0].dts or 0)


_AHEAD = 32  # packets: the first picture is among them


def _end(shown: list[int], period: Fraction | None) -> Fraction:
    """When the last picture ends where each says when it is shown, and the order of decoding is a guess: by the number
    of pictures before it where they keep the declared `period`, in ticks, since stamps are rounded."""
    first, last, count = min(shown), max(shown), len(shown)
    if count == 1:
        return last + (period or Fraction(0))
    if period and abs(first + (count - 1) * period - last) <= 1:
        return first + count * period
    return last + Fraction(last - first, count - 1)


def _part(offset: Fraction, shown: list[int], step: int, follows: Fraction | int) -> _Part:
    """A recording with another one behind it; `follows` is where that one's first picture comes. None stands there."""
    before, last = sorted(shown)[-2:] if len(shown) > 1 else (0, 0)
    return _Part(offset, last, last - before - step) if last >= follows > before else _Part(offset)
