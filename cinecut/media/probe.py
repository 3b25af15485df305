"""Measuring films, songs and pictures in the process, with PyAV: their exact facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from cinecut.diagnostics import Stop
from cinecut.files import fingerprint
from cinecut.language.facts import FilmFacts, SongFacts, StillFacts
from cinecut.language.timebase import Timecodes, clock
from cinecut.media.bitstream import Mpeg4Clock, shape_of
from cinecut.media.decode_order import Tail, bare, beginning_of, check_order, in_decode_order, place_of
from cinecut.media.first_picture import FirstPicture, first_picture
from cinecut.media.frames import KEYS_TRIED, contents, keys_doubtful, only_picture
from cinecut.media.heads import check_single, colours_are_dolbys_own
from cinecut.media.joined import JoinedMedia, has_behind, restart
from cinecut.media.open import (
    check_sound,
    layout_of,
    open_media,
    packets_of,
    picture_stream,
    sound_streams,
    tags,
    whole_packets,
)
from cinecut.media.program_map import check_codecs
from cinecut.media.sound.film_audio import film_audio
from cinecut.media.sound.samples import decoded, is_damaged, may_be_damaged, samples_of

_READ_WHOLE = 3_000_000_000  # bytes up to which every packet of a film is read; of larger ones, windows
_WINDOW = 600  # packets


def film_facts(path: Path) -> FilmFacts:
    """Measure a film. Raises Stop if it cannot be read, or no picture of it decodes."""
    first = first_picture(path)
    check_single(path)
    several = has_behind(path)
    with open_media(path) as media:
        video = picture_stream(media, path)
        head = told_at_once(video, first)
        codec, untold = video.codec_context.codec.canonical_name, first.color.space == "unknown"
        if codec in ("hevc", "av1") and untold and colours_are_dolbys_own(path):
            message = f"{path} is in a profile of Dolby Vision (5, 10.0) whose colours nothing here can read"
            raise Stop("unreadable", message, "get a copy in HDR10 or in SDR, or one of another profile")
        sounds = {stream.index: "its sound" for stream in sound_streams(media)}
        check_codecs(media, path, {video.index: "its picture", **sounds})
        lies = _keys_lie(path)
        times = _Clock(JoinedMedia(media, path) if several else media, video, path, first.stamp)
        return FilmFacts(
            fingerprint=fingerprint(path),
            rate=times.rate,
            duration=times.duration,
            start=times.start,
            variable=times.variable,
            changes=times.changes or lies,
            joined=times.joined or lies,
            gaps=times.gaps,
            stamps=times.stamps,
            timecode=None if times.variable else _timecode(media, times.rate),
            audio=film_audio(media, times.start),
            **head,
        )


def told_at_once(video: VideoStream, first: FirstPicture) -> dict[str, Any]:
    """The facts that a film's head and its first picture tell."""
    context, sar = video.codec_context, Fraction(video.sample_aspect_ratio or 1)
    return {
        "size": (context.width, context.height),
        "time_base": Fraction(video.time_base or Fraction(1, 1000)),
        "sar": sar if sar > 0 else Fraction(1),
        "rotation": first.rotation,
        "mirrored": first.mirrored,
        "field_order": first.field_order,
        "pix_fmt": str(context.pix_fmt),
        "color": first.color,
    }


def _keys_lie(path: Path) -> bool:
    """Whether packets that are marked as key frames do not decode alone to what they show after those before them. Only
    where all are marked: one that is not proves that somebody looked."""
    with open_media(path) as media:
        video = picture_stream(media, path)
        decoder = video.codec_context
        decoder.thread_count = 1
        packets = list(islice((packet for packet in packets_of(media, video) if packet.size), KEYS_TRIED))
        if not packets or not keys_doubtful(video, packets):
            return False
        try:
            shown = [*chain.from_iterable(map(decoder.decode, packets)), *decoder.decode(None)]
        except av.error.FFmpegError:
            return False
    with open_media(path) as media:  # not every decoder forgets when it is asked to
        alone = only_picture(picture_stream(media, path).codec_context, packets[-1])
        return len(shown) == len(packets) and (alone is None or contents(alone) != contents(shown[-1]))


def _timecode(media: InputContainer, rate: Fraction) -> str | None:
    """The timecode of the first picture in a film's tags; None if there is none, or it is zero."""
    things = (*media.streams.video, media, *media.streams.data)
    said = next((timecode for thing in things if (timecode := tags(thing).get("timecode"))), "")
    said = re.sub(r"[.,;](?=\d+$)", ";", said.strip())
    numbered = Timecodes.starting(rate, said)
    return said if numbered.first > 0 and re.fullmatch(r"\d{2}:\d{2}:\d{2}[:;]\d{2,4}", said) else None


class _Clock:
    """Rate, length and regularity of a film's pictures, from the stamps of its packets. Those before `first`, the stamp
    of the first picture that decodes, are of pictures that nobody sees."""

    def __init__(self, media: Any, video: VideoStream, path: Path, first: int | None) -> None:
        self.time_base = Fraction(video.time_base or Fraction(1, 1000))
        shapes = _Shapes(video.codec_context, path)
        packets, whole, edited = _packets(media, video, path, shapes)
        self.changes = shapes.several
        self.joined = getattr(media, "joined", False)
        restarts = restart([packet.decoded for packet in packets], media, self.time_base) is not None
        counted = not bare(media) and sum(packet.shown is not None for packet in packets) < 0.99 * len(packets)
        declared, *others = _declared_rates(video)
        collide = whole and not edited and _collide(packets, declared * self.time_base)
        if not self.joined and whole and (restarts or counted or collide or _leads_astray(media, video, packets)):
            self.__init__(JoinedMedia(media, path), video, path, first)  # type: ignore[misc]
            return
        shown = [packet.shown for packet in packets]
        stamps = sorted({stamp for stamp in shown if stamp is not None})
        delays = {None if p.shown is None or p.decoded is None else p.shown - p.decoded for p in packets}
        by_place = in_decode_order(path, delays, int(4 * self.time_base < 1 / declared))
        if not by_place:
            check_order(path)
        if first in stamps and not by_place:
            stamps = stamps[stamps.index(first) :]
            shown = [stamp for stamp in shown if stamp is None or stamp >= stamps[0]]
        doubtful = len(shown) - len(stamps) > max(_EQUAL, len(shown) // 100)
        self.stamps = bool(packets) and not (doubtful or counted or collide or by_place)
        if packets and (counted or collide or by_place or not stamps):
            head = beginning_of(path, declared)
            unseen, begin = head.skipped + head.leading, head.stamp or Fraction(0)
            stamps = stamps[unseen:]
            if not by_place:  # the pictures follow at the declared rate
                times = (begin + n / declared for n in range(len(packets) - unseen))
                stamps = [round(time / self.time_base) for time in times]
        if not stamps:
            raise Stop("unreadable", f"{path} holds no picture", "the file may be cut short; does it play?")
        self.start = stamps[0] * self.time_base
        ticks = [stamp - stamps[0] for stamp in stamps]
        last = ticks[-1] * self.time_base
        near = _near_standard(len(ticks), ticks[-1] * self.time_base, declared)
        rate = self._constant_rate(ticks, [declared, *others, *near], whole)
        self.variable = rate is None
        self.rate = rate or _likely_rate([tick * self.time_base for tick in ticks], declared)
        self.gaps = rate is not None and whole and len(ticks) < round(last * rate) + 1
        if not self.variable:
            last = round(last * self.rate) / self.rate
        longest = max((packet.length for packet in packets[-50:] if packet.length), default=0) * self.time_base
        self.duration = last + (longest if self.variable and longest else 1 / self.rate)
        if self.duration > _LONGEST or abs(self.start) > _LATEST:
            since, days = float(self.start / 86400), float(self.duration / 86400)
            message = f"by the times of its pictures {path} would begin on day {since:,.0f} and last {days:,.0f} days"
            raise Stop("unreadable", message, "it may be damaged, or several files put one behind the other")

    def _constant_rate(self, ticks: list[int], rates: list[Fraction], whole: bool) -> Fraction | None:
        """The first rate on whose grid every stamp lies, each on its own line; None if there is none. Lines may be
        empty: a film that was damaged or interrupted lacks pictures, and the one before stays on screen. But most
        pictures have one on the next line.

        ticks : the stamps after the first one, in units of the time base
        """
        slack = max(self.time_base, Fraction(1, 2000))  # stamps are rounded to the container's clock
        for rate in dict.fromkeys(rates):
            step, most = self.time_base * rate, slack * rate  # lines of the grid a tick; by which a stamp may be off
            lines = [(2 * tick * step.numerator + step.denominator) // (2 * step.denominator) for tick in ticks]
            off = max(
                abs(tick * step.numerator - line * step.denominator) for tick, line in zip(ticks, lines, strict=True)
            )
            next_to = sum(line - before == 1 for before, line in pairwise(lines))
            full = not whole or next_to >= Fraction(3, 4) * (len(lines) - 1)
            if off <= most * step.denominator and full and len(set(lines)) == len(lines):
                return rate
        return None


class _Packet(NamedTuple):
    """When a packet's picture is shown, for how long, when it is decoded, and its number of bytes."""

    shown: int | None
    length: int | None
    decoded: int | None
    size: int


def _collide(packets: list[_Packet], step: Fraction) -> bool:
    """Whether some pictures have the stamp of another one, and all come at a constant rate, `step` pictures a tick:
    writers of segments may err where two meet. Then their order tells."""
    shown = sorted(packet.shown for packet in packets if packet.shown is not None)
    whole = len(shown) == len(packets) > 1 and len(shown) == round((shown[-1] - shown[0]) * step) + 1
    return whole and len({*shown}) < len(shown)


def _leads_astray(media: Any, video: VideoStream, packets: list[_Packet]) -> bool:
    """Whether packets after a seek have other times than when read from the start, or end before where it led: the
    index was lost, or is that of the first of several recordings."""
    known = {(packet.shown, packet.size) for packet in packets}
    stamps = [packet.shown for packet in packets if packet.shown is not None]
    if bare(media) or not stamps:
        return False
    for share in range(1, _SEEKS):
        target = stamps[0] + (stamps[-1] - stamps[0]) * share // _SEEKS
        try:
            media.seek(target, stream=video, backward=True)
            read = (packet for packet in packets_of(media, video) if packet.size)
            following = list(islice(read, _TRIED))
            if _ends_before(target, media, chain(following, read)):
                return True
        except av.error.FFmpegError:
            return True
        strange = [(place_of(media, packet), packet.size) not in known for packet in following]
        if sum(strange) > (0 if media.format.name == "asf" else _TRIED // 2):  # others mend their first stamps
            return True
    return False


def _ends_before(target: int, media: Any, packets: Iterator[Any]) -> bool:
    for packet in islice(packets, _GROUP):
        if (place_of(media, packet) or target) >= target:
            return False
    return next(packets, None) is None


class _Shapes:
    """Whether a film's pictures change their size or format midway, as recordings of broadcasts and calls do: their key
    frames say so, or the container."""

    def __init__(self, context: Any, path: Path) -> None:
        self._codec, self._header, self._path = context.codec.canonical_name, bytes(context.extradata or b""), path
        self._shapes, self._clock = set[bytes](), Mpeg4Clock(self._header)

    def seen(self, packet: Any) -> Any:
        """The packet. Raises Stop where it is of another recording, whose header is lost."""
        if self._codec == "mpeg4" and self._clock.is_lost(packet):
            message = f"{self._path} was joined of recordings of two rates, and the header of the second one is lost"
            raise Stop("unreadable", message, "get the parts that were joined: a spec takes both as its films")
        if packet.is_keyframe and (shape := shape_of(packet, self._codec)) is not None:
            self._shapes.add(shape)
        if packet.has_sidedata("new_extradata"):
            self._shapes |= {self._header, bytes(packet.get_sidedata("new_extradata"))}
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
_NO_PICTURE = {"dirac": 13}  # bytes of a packet that says no more than that the film ends
_SEEKS = 8  # parts of a film between which it is tried: an index may be right at some of them
_TRIED = 10  # packets after a seek
_GROUP = 1000  # packets from a key frame on, among which most films have the next one
_LONGEST = 366 * 86400  # seconds of a film
_LATEST = 10**10  # seconds from zero at which a film may begin: some clocks count from 1970
_EQUAL = 4  # pictures at a film's head that may have one stamp together: leading ones of a film that was cut


def _declared_rates(video: VideoStream) -> list[Fraction]:
    """What a container says of the rate, likeliest first: the standard one that it means, then its own."""
    said = (video.guessed_rate, video.average_rate, video.base_rate)
    rates = [Fraction(rate) for rate in said if rate and 1 <= rate <= 1000]
    return [_standard(rates[0]), *rates] if rates else [Fraction(25)]


def _standard(rate: Fraction) -> Fraction:
    """The standard rate that a container rounded to this one, if one is within a hundredth of a percent."""
    best = min(_STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return best if abs(best - rate) <= rate / 5000 else rate


def _near_standard(count: int, last: Fraction, declared: Fraction) -> list[Fraction]:
    """The standard rates near the average of `count` pictures, the last of which is shown at `last` seconds."""
    measured = (count - 1) / last if last else declared
    return [rate for rate in _STANDARD_RATES if abs(rate - measured) < measured / 100]


def _likely_rate(times: list[Fraction], declared: Fraction) -> Fraction:
    """A trailer rate for a film whose pictures come irregularly: the standard one that most of them keep, whatever
    holes there are, else the one nearest to their average."""
    usual = sorted(after - time for time, after in pairwise(times))
    if not usual:
        return min(_STANDARD_RATES[:12], key=lambda rate: abs(rate - declared))
    middle = usual[len(usual) // 2]
    kept = [length for length in usual if abs(length - middle) <= middle / 10]
    mostly = len(kept) > Fraction(3, 5) * len(usual)  # of two lengths that alternate neither is the usual one
    average = len(kept) / sum(kept, Fraction(0)) if mostly else len(usual) / times[-1]  # one alone may be rounded
    rates = _STANDARD_RATES[:12]
    for fields in (Fraction(60000, 1001), Fraction(60)):  # pictures of two or three fields each, as films are on discs
        if not mostly and all(abs(time * fields - round(time * fields)) < _FIELD_OFF for time in times):
            rates = [rate for rate in rates if rate.denominator == fields.denominator]
            break
    return min(rates, key=lambda rate: abs(rate - average))


_FIELD_OFF = Fraction(1, 16)  # of a field, by which stamps are rounded


def _packets(media: Any, video: VideoStream, path: Path, shapes: _Shapes) -> tuple[list[_Packet], bool, bool]:
    """The times of the packets of the picture: of all, or of windows of a very large film; whether it is all; and
    whether an edit list hides some, which are left out."""
    edited = False

    def is_shown(packet: Any) -> bool:
        nonlocal edited
        edited |= packet.is_discard
        return packet.size > least and not packet.is_discard

    def read(count: int | None) -> list[_Packet]:
        tail = Tail()
        shown = map(shapes.seen, filter(is_shown, whole_packets(packets_of(media, video))))
        packets = [_Packet(place_of(media, p), p.duration, p.dts, p.size) for p in map(tail.seen, islice(shown, count))]
        return packets if count is not None else packets[: len(packets) - tail.undecoded(media, video)]

    least = _NO_PICTURE.get(video.codec_context.name, 0)
    if path.stat().st_size <= _READ_WHOLE or not video.duration:
        return read(None), True, edited
    shown = read(_WINDOW)
    first = shown[0].shown or 0
    for share in range(1, 10):
        media.seek(first + video.duration * share // 10, stream=video)
        shown += read(_WINDOW)
    media.seek(first + video.duration, stream=video)
    return shown + read(None), False, edited


def song_facts(path: Path) -> SongFacts:
    """Measure a song, its length by all that decodes of it: what containers say is a guess, or is of a file that was
    longer, and packets hold what encoders put before and after a song. Raises Stop when it cannot be read or has no
    sound."""
    with open_media(path, "song") as media:
        stream = next(iter(sound_streams(media)), None)
        if stream is None:
            undecodable = " that can be decoded here" if media.streams.audio else ""
            raise Stop("no-audio", f"{path} has no sound{undecodable}")
        check_single(path)
        has_behind(path)
        check_sound(path, rate := stream.rate, channels := stream.channels)
        layout = layout_of(stream)  # all three are those of its beginning
        samples, doubtful = Fraction(0), may_be_damaged(stream)
        for frame in decoded(packets_of(media, stream), []):
            if doubtful and is_damaged(frame):
                message = f"{path} holds samples at {clock(samples / rate)} that are no numbers, or far too large"
                raise Stop("unreadable", message, "the file is damaged: export it again, best with 24 bits a sample")
            samples += samples_of(frame, rate)
        seconds = samples / rate
        if not seconds:
            raise Stop("unreadable", f"{path}: its sound cannot be decoded", "is the file complete? try to play it")
        if stream.duration and re.search(_TELL_PADDING, media.format.name):
            said = Fraction(stream.duration * stream.time_base)
            seconds = said if seconds - _PADDED < said < seconds else seconds
        return SongFacts(fingerprint(path), seconds, rate, channels, layout)


_TELL_PADDING = "mov|wav"  # containers that say how much of the last block is the song, which decoders do not ask
_PADDED = Fraction(1, 4)  # seconds that an encoder may have put after a song


def still_facts(path: Path) -> StillFacts:
    """Measure a picture. Raises Stop if it is not one."""
    with open_media(path, "picture") as media:
        stream = next(iter(media.streams.video), None)
        if stream is None or stream.codec_context is None or next(media.decode(stream), None) is None:
            raise Stop("unreadable", f"{path} is no picture that can be read")
        context = stream.codec_context
        alpha = any(sign in str(context.pix_fmt) for sign in _TRANSPARENT)
        return StillFacts(fingerprint(path), (context.width, context.height), alpha)


_TRANSPARENT = ("rgba", "bgra", "argb", "abgr", "gbrap", "yuva", "ya", "pal8")  # in names of pixel formats
