"""Measuring films, songs and pictures in the process, with PyAV: their facts, exact."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from cinecut.diagnostics import Stop
from cinecut.files import fingerprint
from cinecut.language.facts import FilmFacts, SongFacts, StillFacts
from cinecut.language.timebase import Timecodes
from cinecut.media.bitstream import shape_of
from cinecut.media.dolby_vision import profile_of
from cinecut.media.film_audio import film_audio
from cinecut.media.first_picture import first_picture
from cinecut.media.joined import JoinedMedia, restart
from cinecut.media.open import open_media, picture_stream, sound_streams, tags

_READ_WHOLE = 3_000_000_000  # bytes up to which every packet of a film is read; of larger ones, windows
_WINDOW = 600  # packets


def film_facts(path: Path) -> FilmFacts:
    """Measure a film. Raises Stop when it cannot be read, has no picture, or has no picture that decodes."""
    first = first_picture(path)
    with open_media(path) as media:
        video = picture_stream(media, path)
        context = video.codec_context
        size, sar = (context.width, context.height), video.sample_aspect_ratio or Fraction(1)
        if context.name == "hevc" and first.color.space == "unknown" and profile_of(path) == 5:
            message = f"{path} is in Dolby Vision's profile 5, whose colours nothing here can read"
            raise Stop("unreadable", message, "get a copy in HDR10 or in SDR, or one of another profile")
        times = _Clock(media, video, path, first.stamp)
        return FilmFacts(
            fingerprint=fingerprint(path),
            size=size,
            rate=times.rate,
            duration=times.duration,
            start=times.start,
            time_base=Fraction(video.time_base or Fraction(1, 1000)),
            variable=times.variable,
            changes=times.changes,
            joined=times.joined,
            gaps=times.gaps,
            stamps=times.stamps,
            sar=Fraction(sar) if sar > 0 else Fraction(1),
            rotation=first.rotation,
            mirrored=first.mirrored,
            field_order=first.field_order,
            pix_fmt=str(context.pix_fmt),
            color=first.color,
            timecode=None if times.variable else _timecode(media, times.rate),
            audio=film_audio(media, times.start),
        )


def _timecode(media: InputContainer, rate: Fraction) -> str | None:
    """The timecode that a film's tags give its first picture; None where they give none, or zero."""
    things = (*media.streams.video, media, *media.streams.data)
    said = next((found for thing in things if (found := tags(thing).get("timecode"))), "")
    said = re.sub(r"[.,;](?=\d+$)", ";", said.strip())
    numbered = Timecodes.starting(rate, said)
    return said if numbered.first > 0 and re.fullmatch(r"\d{2}:\d{2}:\d{2}[:;]\d{2,4}", said) else None


class _Clock:
    """Rate, length and regularity of a film's pictures, from the stamps of its packets. Those before `first`, the stamp
    of the first picture that decodes, are of pictures that nobody sees."""

    def __init__(self, media: Any, video: VideoStream, path: Path, first: int | None) -> None:
        self.time_base = Fraction(video.time_base or Fraction(1, 1000))
        shapes = _Shapes(video.codec_context.name)
        packets, whole = _packets(media, video, path, shapes)
        self.changes = shapes.several
        self.joined = getattr(media, "joined", False)
        if not self.joined and whole and restart([dts for _, _, dts in packets]) is not None:
            self.__init__(JoinedMedia(media, path), video, path, first)  # type: ignore[misc]
            return
        stamps = sorted({pts for pts, _, _ in packets if pts is not None})
        self.stamps = len(stamps) >= 0.99 * len(packets) > 0 and media.format.name not in _DECODE_ORDER
        if self.stamps and first in stamps:
            stamps = stamps[stamps.index(first) :]
        declared = _declared_rate(video)
        if not stamps:  # decode order alone: the pictures follow at the declared rate
            stamps = [round(n / declared / self.time_base) for n in range(len(packets))]
        if not stamps:
            raise Stop("unreadable", f"{path} holds no picture", "the file may be cut short; does it play?")
        self.start = stamps[0] * self.time_base
        times = [(stamp - stamps[0]) * self.time_base for stamp in stamps]
        rate = self._constant_rate(times, declared, whole)
        self.variable = rate is None
        self.rate = rate or _likely_rate(times, declared)
        self.gaps = rate is not None and whole and len(times) < round(times[-1] * rate) + 1
        last = times[-1] if self.variable else round(times[-1] * self.rate) / self.rate
        longest = max((duration for _, duration, _ in packets[-50:] if duration), default=0) * self.time_base
        self.duration = last + (longest if self.variable and longest else 1 / self.rate)

    def _constant_rate(self, times: list[Fraction], declared: Fraction, whole: bool) -> Fraction | None:
        """The rate on whose grid every stamp lies, each on its own line; None if there is none. Lines may be empty: a
        film that was damaged or interrupted lacks pictures, and the one before stays on screen. But most pictures have
        one on the next line."""
        slack = max(self.time_base, Fraction(1, 2000))  # stamps are rounded to the container's clock
        for rate in dict.fromkeys([declared, *_near_standard(times, declared)]):
            lines = [round(time * rate) for time in times]
            fits = all(abs(time - line / rate) <= slack for time, line in zip(times, lines, strict=True))
            next_to = sum(line - before == 1 for before, line in pairwise(lines))
            full = not whole or next_to >= Fraction(3, 4) * (len(lines) - 1)
            if fits and full and len(set(lines)) == len(lines):
                return rate
        return None


_Times = tuple[int | None, int | None, int | None]  # a packet's stamp, its duration, when it is decoded


class _Shapes:
    """Whether a film's pictures change their size or format midway, as recordings of broadcasts do."""

    def __init__(self, codec: str) -> None:
        self._codec, self._shapes = codec, set[bytes]()

    def seen(self, packet: Any) -> Any:
        if packet.is_keyframe and (shape := shape_of(packet, self._codec)) is not None:
            self._shapes.add(shape)
        return packet

    @property
    def several(self) -> bool:
        return len(self._shapes) > 1


_STANDARD_RATES = [
    Fraction(n, d)
    for n, d in (
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48000, 1001), (48, 1), (50, 1),
        (60000, 1001), (60, 1), (100, 1), (120000, 1001), (120, 1), (15, 1), (12, 1), (18, 1), (16, 1),
    )
]  # fmt: skip
_DECODE_ORDER = {"avi"}  # of what FFmpeg tells of their stamps, only the order of decoding is true


def _declared_rate(video: VideoStream) -> Fraction:
    for rate in (video.guessed_rate, video.average_rate, video.base_rate):
        if rate and 1 <= rate <= 1000:
            return _standard(Fraction(rate))
    return Fraction(25)


def _standard(rate: Fraction) -> Fraction:
    """The standard rate that a container rounded to this one, if there is one within a hundredth of a percent."""
    best = min(_STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return best if abs(best - rate) <= rate / 5000 else rate


def _near_standard(times: list[Fraction], declared: Fraction) -> list[Fraction]:
    measured = (len(times) - 1) / times[-1] if len(times) > 1 and times[-1] else declared
    return [rate for rate in _STANDARD_RATES if abs(rate - measured) < measured / 100]


def _likely_rate(times: list[Fraction], declared: Fraction) -> Fraction:
    """A trailer rate for a film whose pictures come irregularly: the standard one that most of them keep, whatever
    holes there are, else the one nearest to their average."""
    usual = sorted(after - time for time, after in pairwise(times))
    if not usual:
        return min(_STANDARD_RATES[:12], key=lambda rate: abs(rate - declared))
    middle = usual[len(usual) // 2]
    kept = sum(abs(length - middle) <= middle / 10 for length in usual)
    average = 1 / middle if 2 * kept > len(usual) else len(usual) / times[-1]
    return min(_STANDARD_RATES[:12], key=lambda rate: abs(rate - average))


def _packets(
    media: Any, video: VideoStream, path: Path, shapes: _Shapes
) -> tuple[list[_Times], bool]:
    """The times of the packets of the picture: of all, or of windows of a very large film."""

    def read(count: int | None) -> list[_Times]:
        found: Iterable[Any] = (shapes.seen(p) for p in media.demux(video) if p.size and not p.is_discard)
        if media.format.name in _DECODE_ORDER:
            return [(packet.dts, packet.duration, packet.dts) for packet in islice(found, count)]
        return [(packet.pts, packet.duration, packet.dts) for packet in islice(found, count)]

    if path.stat().st_size <= _READ_WHOLE or not video.duration:
        return read(None), True
    found = read(_WINDOW)
    first = found[0][0] or 0
    for share in range(1, 10):
        media.seek(first + video.duration * share // 10, stream=video)
        found += read(_WINDOW)
    media.seek(first + video.duration, stream=video)
    return found + read(None), False


def song_facts(path: Path) -> SongFacts:
    """Measure a song, its length by every packet of it: what containers without an index say is a guess. Raises Stop
    when it cannot be read or has no sound."""
    with open_media(path, "song") as media:
        stream = next(iter(sound_streams(media)), None)
        if stream is None:
            undecodable = " that can be decoded here" if media.streams.audio else ""
            raise Stop("no-audio", f"{path} has no sound{undecodable}")
        seconds = Fraction(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
        if seconds is None or media.format.name in _GUESSED:
            packets = (packet for packet in media.demux(stream) if packet.size)
            seconds = sum((packet.duration or 0 for packet in packets), 0) * Fraction(stream.time_base)
        return SongFacts(fingerprint(path), seconds, stream.rate, stream.channels, stream.layout.name)


_GUESSED = {"mp3", "aac", "ac3", "eac3", "dts", "dtshd", "loas", "truehd", "amr"}  # by their size and first bit rate


def still_facts(path: Path) -> StillFacts:
    """Measure a picture. Raises Stop when it is none."""
    with open_media(path, "picture") as media:
        stream = next(iter(media.streams.video), None)
        if stream is None or stream.codec_context is None or next(media.decode(stream), None) is None:
            raise Stop("unreadable", f"{path} is no picture that can be read")
        context = stream.codec_context
        alpha = any(sign in str(context.pix_fmt) for sign in _TRANSPARENT)
        return StillFacts(fingerprint(path), (context.width, context.height), alpha)


_TRANSPARENT = ("rgba", "bgra", "argb", "abgr", "gbrap", "yuva", "ya", "pal8")  # in names of pixel formats
