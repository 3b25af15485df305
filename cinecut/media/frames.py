"""Pictures at moments of a film, and the packets that they need, even if the container seeks imprecisely."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain, count, dropwhile, islice
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.video.frame import VideoFrame

from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmTime
from cinecut.media.bitstream import is_leading, pictures_to_recover, referenced
from cinecut.media.joined import JoinedMedia
from cinecut.media.open import open_container, open_media, packets_of, whole_packets
from cinecut.media.undecodable import pictures_of

_PATIENCE = 1500  # pictures decoded for one moment, at most
_AHEAD = 17  # pictures of a piece that are decoded before its first one may be: more than any decoder delays one
KEYS_TRIED = 10  # packets at a film's head
_COMPARED = 16  # pictures before a stamp: as many as others may be predicted from
_NEAR = Fraction(2)  # seconds ahead up to which decoding on is cheaper than seeking


@contextmanager
def open_film(film: Path, facts: FilmFacts) -> Iterator[Any]:
    """The film's container with rising timestamps. Raises Stop."""
    with open_media(film) as media:
        yield JoinedMedia(media, film) if facts.joined else media


def joined(media: Any) -> bool:
    return isinstance(media, JoinedMedia)


def packets_from(media: Any, video: Any, stamp: int, first: int, sure: bool = False) -> Iterator[Any]:
    """The packets of a picture stream in the order of decoding, from a key frame on from which the picture at a stamp
    decodes whole; `first` is the stamp of the film's first picture. Where no key frame is before it, from the start.

    A container may seek to a key frame that is shown later, or to none, and the first stamp after a seek in a program
    stream is a neighbour's: then from further back. Encoders promise more of a gradual refresh than they keep: `sure`
    goes back until the pictures before the stamp are the same from two starts.
    """
    packets, codec = _packets_from(media, video, stamp, first, sure), video.codec_context.name
    for packet in islice(packets, 1):
        _keep_palette(packet, media, video)
        yield packet
    yield from dropwhile(lambda packet: is_leading(packet, codec), packets)


def _keep_palette(packet: Any, media: Any, video: Any) -> None:
    """Some containers give the palette once for all, with their first packet."""
    if video.codec_context.pix_fmt == "pal8" and not packet.has_sidedata("palette"):
        for first in islice(from_start(media, video), 1):
            if first.has_sidedata("palette"):
                packet.set_sidedata(first.get_sidedata("palette"))


def _packets_from(media: Any, video: Any, stamp: int, first: int, sure: bool) -> Iterator[Any]:
    target, step = stamp, max(1, int(1 / Fraction(video.time_base)))
    doubt = _Doubt(video, stamp)
    while target > first and not joined(media):
        media.seek(target, stream=video, backward=True)
        packets = _stamped(packets_of(media, video))
        keys = (packet for packet in packets if packet.is_keyframe)
        key = next(islice(keys, int(media.format.name == "mpeg"), None), None)
        if key is not None and _stamp(key) <= stamp:
            read, packets = list[Any](), chain([key], packets)
            refresh = _Refresh(key, video)
            whole = next((at for each in packets if (at := refresh.whole_from(each, read)) is not None), None)
            found = whole is not None and whole <= stamp and _leads_to(stamp, read, packets)
            if found and not (sure and refresh.gradual and doubt.remains(read, packets)):
                yield from chain(read, packets)
                return
        target, step = target - step, step * 2
    packets = _stamped(from_start(media, video))
    if joined(media) and not keys_doubtful(video, head := list(islice(packets, KEYS_TRIED))):
        packets = _from_last_key(chain(head, packets), stamp, video)
    elif joined(media):
        packets = chain(head, packets)
    elif not sure:  # what does not decode leaves its mark on what a decoder guesses for missing pictures
        packets = _from_first_shown(packets, first)
    key = next(packets, None)
    yield from chain([key], packets) if key is not None else _stamped(from_start(media, video))  # none is marked


def _from_first_shown(packets: Iterator[Any], first: int) -> Iterator[Any]:
    """The packets from the first key frame on; all of them where a picture before it is shown too, however torn."""
    before = list[Any]()
    for packet in packets:
        before = [packet] if packet.is_keyframe else [*before, packet]
        if packet.is_keyframe or _stamp(packet) >= first:
            yield from chain(before, packets)


class _Doubt:
    """Whether pictures before a stamp are those of the film, where reading begins with a gradual refresh: what one
    leaves of the pictures before it differs from start to start."""

    def __init__(self, video: Any, stamp: int) -> None:
        self._video, self._stamp = video, stamp
        self._begun: int | None = None
        self._known: list[int] = []

    def remains(self, read: list[Any], packets: Iterator[Any]) -> bool:
        """Whether they differ from those of the start before; the packets looked at are put into `read`."""
        if (begun := _stamp(read[0])) == self._begun:
            return True
        known, self._known, self._begun = self._known, self._pictures(read, packets), begun
        alike = min(len(known), len(self._known))
        return not alike or known[-alike:] != self._known[-alike:]

    def _pictures(self, read: list[Any], packets: Iterator[Any]) -> list[int]:
        """Digests of the last pictures up to the stamp, by a decoder that remembers nothing."""
        known = self._video.codec_context
        decoder: Any = av.CodecContext.create(known.codec.name, "r")
        decoder.extradata = known.extradata
        pictures = deque[int](maxlen=_COMPARED)
        for number in count():
            if number == len(read) and (packet := next(packets, None)) is not None:
                read.append(packet)
            for frame in pictures_of(read[number] if number < len(read) else None, decoder):
                if frame.pts is not None and frame.pts > self._stamp:
                    return list(pictures)
                pictures.append(hash((frame.pts, *pixels(frame))))
            if number >= len(read):
                break
        return list(pictures)


def _leads_to(stamp: int, read: list[Any], packets: Iterator[Any]) -> bool:
    """Whether a picture at or before a stamp is among those that follow a key frame; the packets looked at are put into
    `read`. What an edit list takes from before a piece only for decoding has times of the piece before."""
    if not read[0].is_discard:
        return True
    shown = sum(not packet.is_discard for packet in read)
    while shown < _AHEAD and (packet := next(packets, None)) is not None:
        read.append(packet)
        shown += not packet.is_discard
    return any(_stamp(packet) <= stamp for packet in read if not packet.is_discard)


def keys_doubtful(video: Any, head: list[Any]) -> bool:
    """Whether all packets at a film's start are marked as key frames, although its codec also has others."""
    return not video.codec_context.codec.intra_only and all(packet.is_keyframe for packet in head)


def from_start(media: Any, stream: Any) -> Iterator[Any]:
    """All packets of a stream. The file is opened anew: what is said of its first packets (their stamps, how much of
    their sound an encoder put before it) libraries forget with the first seek, and not every start is found by time.
    As after a seek, the stream's decoder remembers nothing."""
    stream.codec_context.flush_buffers()
    if joined(media):
        yield from packets_of(media, stream)
        return
    with open_container(Path(media.name.removeprefix("file:"))) as anew:
        yield from packets_of(anew, anew.streams[stream.index])


def _from_last_key(packets: Iterator[Any], stamp: int, video: Any) -> Iterator[Any]:
    """The packets from the last key frame on from which the picture at a stamp decodes whole; where there is none, from
    the first one on. No reading begins with what an edit list takes from before a piece: its times are another's."""
    held, since, refresh = list[Any](), list[Any](), None
    for packet in packets:
        if packet.is_keyframe and not (packet.is_discard and (held or since)):
            held, since, refresh = held + since, [], _Refresh(packet, video)
        if refresh is None:
            since += [packet] if held or since else []
            continue
        whole = refresh.whole_from(packet, since)
        if whole is not None and held and whole > stamp:
            break
        held, refresh = ([], None) if whole is not None else (held, refresh)
    yield from chain(held, since, packets)


def _stamped(packets: Iterator[Any]) -> Iterator[Any]:
    return (packet for packet in whole_packets(packets) if _stamp(packet) is not None)


def _stamp(packet: Any) -> Any:
    return packet.pts if packet.pts is not None else packet.dts


class _Refresh:
    """From where on pictures decode whole after a key frame: from itself, or once the refresh that it begins has passed
    over the whole picture. HEVC counts the pictures until then as they are shown; H.264 those that others need, as they
    are decoded: with the next of these it is over."""

    def __init__(self, key: Any, video: Any) -> None:
        self._key, self._codec = key, video.codec_context.name
        self._left = pictures_to_recover(key, self._codec)
        self.gradual = self._left > 0
        self._picture = 1 / Fraction(video.guessed_rate or 25) / Fraction(video.time_base)

    def whole_from(self, packet: Any, read: list[Any]) -> int | None:
        """The stamp of the first whole picture, once the packets from the key frame on tell; they are put into `read`.
        None before that."""
        read.append(packet)
        if (self._left == 0 and packet is self._key) or self._codec != "h264":
            return int(_stamp(self._key) + self._left * self._picture)
        needed = referenced(packet, self._codec)[0]
        if needed and self._left == 0:
            return int(_stamp(packet))
        self._left -= needed
        return None


class FrameReader:
    """The pictures of a film for looking at, by its time; `start` is its first picture's own stamp in seconds.

    `rough` leaves out pictures that no other one needs: twice as fast, and the next picture but one does as well. A
    damaged packet costs its picture, no more.
    """

    def __init__(self, media: Any, video: Any, start: Fraction, rough: bool = True) -> None:
        self._media, self._video, self._start = media, video, start
        self._base = Fraction(video.time_base)
        self._frames: Iterator[tuple[FilmTime, VideoFrame]] = iter(())
        self._reached: FilmTime | None = None
        video.thread_type = "SLICE" if rough else "AUTO"
        if rough:
            video.codec_context.skip_frame = "NONREF"

    def since(self, moment: FilmTime) -> Iterator[tuple[FilmTime, VideoFrame]]:
        """Pictures and their times in showing order; the first is a key frame at or before a moment."""
        going_on = joined(self._media) and self._reached is not None and self._reached < moment
        if not going_on:  # there, going back means reading from the start
            self._frames = self._since(moment)
        for each in self._frames:  # noqa: UP028 - `yield from` would end them with this
            yield each

    def _since(self, moment: FilmTime) -> Iterator[tuple[FilmTime, VideoFrame]]:
        self._video.codec_context.flush_buffers()
        wanted = int((moment.seconds + self._start) / self._base)
        packets = packets_from(self._media, self._video, wanted, round(self._start / self._base))
        for packet in packets:
            for frame in pictures_of(packet, self._video.codec_context):
                if frame.pts is not None:
                    self._reached = FilmTime(frame.pts * self._base - self._start)
                    yield self._reached, frame
        for frame in pictures_of(None, self._video.codec_context):
            if frame.pts is not None:
                yield FilmTime(frame.pts * self._base - self._start), frame

    def at(self, moment: FilmTime, before: FilmTime | None = None) -> VideoFrame | None:
        """The first picture from a moment on, if it is before `before`; else None."""
        if self._reached is None or not self._reached < moment <= self._reached + _NEAR:
            self._frames = self._since(moment)
        for time, frame in islice(self._frames, None if joined(self._media) else _PATIENCE):
            if time >= moment:
                return frame if before is None or time < before else None
        return None

    def numbered(self, number: int, rate: Fraction) -> VideoFrame | None:
        """The picture with a number: the first from half a frame before its time on, since stamps are rounded."""
        return self.at(FilmTime(max(Fraction(0), (number - Fraction(1, 2)) / rate)))


def only_picture(decoder: Any, packet: Any) -> VideoFrame | None:
    """The picture that a packet alone decodes to; None if it decodes to nothing."""
    try:
        frames = [*decoder.decode(packet), *decoder.decode(None)]
    except av.error.FFmpegError:
        frames = []
    decoder.flush_buffers()
    return frames[0] if frames else None


def contents(frame: VideoFrame) -> list[object]:
    """A value that differs between decoded pictures, whatever colour tags the container has."""
    return [frame.format.name.replace("yuvj", "yuv"), frame.width, frame.height, pixels(frame)]


def pixels(frame: VideoFrame) -> list[bytes]:
    """The planes of a picture, without what pads their rows; those of another format where its rows go upwards, or it
    has a palette."""
    if frame.format.has_palette or any(plane.line_size < 0 for plane in frame.planes):
        frame = frame.reformat(format="gbrp16le")
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width].tobytes()
        for plane in frame.planes
    ]
