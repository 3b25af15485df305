"""Measuring films, songs and pictures in the process, with PyAV: their facts, exact."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from cinecut.diagnostics import Stop
from cinecut.files import fingerprint
from cinecut.language.facts import AudioFacts, Color, FilmFacts, SongFacts, StillFacts
from cinecut.media.open import open_media, picture_stream, sound_streams

_READ_WHOLE = 3_000_000_000  # bytes up to which every packet of a film is read; of larger ones, windows
_WINDOW = 600  # packets


def film_facts(path: Path) -> FilmFacts:
    """Measure a film. Raises Stop when it cannot be read, has no picture, or has no picture that decodes."""
    rotation, color = _first_picture(path)
    with open_media(path) as media:
        video = picture_stream(media, path)
        context = video.codec_context
        size, sar = (context.width, context.height), video.sample_aspect_ratio or Fraction(1)
        clock = _Clock(media, video, path)
        audio = tuple(_audio_facts(stream, clock.start) for stream in sound_streams(media))
        return FilmFacts(
            fingerprint=fingerprint(path),
            size=size,
            rate=clock.rate,
            duration=clock.duration,
            start=clock.start,
            time_base=Fraction(video.time_base or Fraction(1, 1000)),
            variable=clock.variable,
            gaps=clock.gaps,
            stamps=clock.stamps,
            sar=Fraction(sar) if sar > 0 else Fraction(1),
            rotation=rotation,
            field_order=_FIELD_ORDERS.get(int(context.field_order), "progressive"),
            pix_fmt=str(context.pix_fmt),
            color=color,
            audio=audio,
        )


_FIELD_ORDERS = {2: "tff", 3: "bff", 4: "bff", 5: "tff"}  # AVFieldOrder, by which field is shown first


class _Clock:
    """Rate, length and regularity of a film's pictures, from the stamps of its packets."""

    def __init__(self, media: InputContainer, video: VideoStream, path: Path) -> None:
        self.time_base = Fraction(video.time_base or Fraction(1, 1000))
        packets, whole = _packets(media, video, path)
        stamps = sorted({pts for pts, _ in packets if pts is not None})
        self.stamps = len(stamps) >= 0.99 * len(packets) > 0 and media.format.name not in _DECODE_ORDER
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
        longest = max((duration for _, duration in packets[-50:] if duration), default=0) * self.time_base
        self.duration = last + (longest if self.variable and longest else 1 / self.rate)

    def _constant_rate(self, times: list[Fraction], declared: Fraction, whole: bool) -> Fraction | None:
        """The rate on whose grid every stamp lies, each on its own line; None if there is none. Up to a fifth of the
        lines may be empty: a film that was damaged or cut short lacks pictures, and the one before stays on screen."""
        slack = max(self.time_base, Fraction(1, 2000))  # stamps are rounded to the container's clock
        for rate in dict.fromkeys([declared, *_near_standard(times, declared)]):
            lines = [round(time * rate) for time in times]
            fits = all(abs(time - line / rate) <= slack for time, line in zip(times, lines, strict=True))
            full = not whole or len(lines) >= Fraction(4, 5) * (lines[-1] + 1)
            if fits and full and len(set(lines)) == len(lines):
                return rate
        return None


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
    """A trailer rate for a film whose pictures come irregularly: the standard one nearest to its average."""
    average = (len(times) - 1) / times[-1] if len(times) > 1 and times[-1] else declared
    return min(_STANDARD_RATES[:12], key=lambda rate: abs(rate - average))


def _packets(media: InputContainer, video: VideoStream, path: Path) -> tuple[list[tuple[int | None, int | None]], bool]:
    """(stamp, duration) of the packets of the picture: of all, or of windows of a very large film."""

    def read(count: int | None) -> list[tuple[int | None, int | None]]:
        found: Iterable[Any] = (p for p in media.demux(video) if p.size and not p.is_discard)
        if media.format.name in _DECODE_ORDER:
            return [(packet.dts, packet.duration) for packet in islice(found, count)]
        return [(packet.pts, packet.duration) for packet in islice(found, count)]

    if path.stat().st_size <= _READ_WHOLE or not video.duration:
        return read(None), True
    found = read(_WINDOW)
    first = found[0][0] or 0
    for share in range(1, 10):
        media.seek(first + video.duration * share // 10, stream=video)
        found += read(_WINDOW)
    media.seek(first + video.duration, stream=video)
    return found + read(None), False


def _first_picture(path: Path) -> tuple[int, Color]:
    """Rotation and colour tags of the first picture that decodes."""
    with open_media(path) as media:
        video = picture_stream(media, path)
        video.codec_context.thread_count = 1
        for frame in islice(media.decode(video), 1):
            context = video.codec_context
            color = Color(
                _tag(_RANGES, frame.color_range or context.color_range),
                _tag(_SPACES, frame.colorspace or context.colorspace),
                _tag(_PRIMARIES, frame.color_primaries or context.color_primaries),
                _tag(_TRANSFERS, frame.color_trc or context.color_trc),
            )
            return -frame.rotation % 360 // 90 * 90, color
    raise Stop("unreadable", f"no picture of {path} can be decoded", "the file may be damaged; does it play?")


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
    10: "bt2020c", 14: "ictcp",
}  # fmt: skip


def _audio_facts(stream: Any, start: Fraction) -> AudioFacts:
    begins = Fraction(stream.start_time or 0) * Fraction(stream.time_base)
    language = stream.language if stream.language not in (None, "und") else None
    return AudioFacts(stream.rate, stream.channels, stream.layout.name, begins - start, language)


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
