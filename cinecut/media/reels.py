"""Reels: just what each shot needs of the film, in small files: its packets, nothing re-encoded, and its sound.

    film ─ packets from the key frame before a shot to its end ─► picture ─┐
         └ decoded, every sample at its place, gaps silent ─► PCM ─────────┴─► two small NUT files a shot

A graph over reels needs no film: FFmpeg neither loads the film's index once for each shot nor ever sees its name. NUT
keeps every time base exact. It has no negative stamps, which what lies before a film's first picture needs: on a reel
that picture is at `REEL_EPOCH`, and the plan's arguments take it back to zero.

A container is trusted with a film's packets when a picture decodes from it as from the film. Where none is (ways of
storing that only AVI knows; pictures that say themselves how they are turned), and where a film's pictures change their
size midway, are cut by an edit list or renewed gradually before a shot, the pictures are decoded and stored without
loss.
"""

from __future__ import annotations

import io
import math
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from functools import cached_property
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame

from cinecut.diagnostics import Stop
from cinecut.graph.plan import REEL_EPOCH, Reel, SoundReel
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmTime, clock, nearest
from cinecut.media.bitstream import pictures_to_recover, referenced, shows_nothing
from cinecut.media.decode_order import restamped_packets
from cinecut.media.first_picture import UPRIGHT, orientation
from cinecut.media.frames import contents, only_picture, open_film, packets_from
from cinecut.media.link import other_facts
from cinecut.media.open import open_bytes, open_media, packets_of, picture_stream, whole_packets
from cinecut.media.sound.film_samples import FilmSounds, default_layout, film_sounds, in_blocks, stretch
from cinecut.media.undecodable import check_pictures, check_reel, pictures_of

_BEFORE = Fraction(2)  # seconds by which stamps of decoding precede those of showing
_SAMPLES = 4096  # of a packet of sound: with a decoder's 1024, mixing 45 shots takes FFmpeg twice the time
_SLICED = 16  # pixels of the shorter side from which on FFV1 can part a picture into slices
_ENOUGH = 8  # pictures, by which a film's rate is compared
_ROUNDED = Fraction(1, 2000)  # seconds by which stamps may be off, where a container's clock is finer
_REORDER = 32  # pictures in a row that are shown after the end, after which none is shown before it


class _NotCopyableError(Exception):
    """The packets alone do not make this shot."""


class Reels:
    """Writes reels of a film, which stays open between them until `close`."""

    def __init__(self, film: Path, facts: FilmFacts) -> None:
        self._film, self._facts, self._stack = film, facts, ExitStack()
        self._sounds: dict[int, FilmSounds] = {}
        self.damaged = list[SoundReel]()  # in which some of what is heard does not decode

    def write(self, reels: Sequence[Reel | SoundReel], folder: Path, progress: Callable[[int], None]) -> None:
        """Write reels below `folder`; `progress` is told the number of those that are done. Raises Stop when the film
        breaks off before a shot's end, or the disk is full."""
        for done, reel in enumerate(sorted(reels, key=_start)):  # some films are read on
            path = folder / reel.name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(reel, Reel):
                container = None if self._facts.changes else self._container
                _write_pictures(path, container, self._media, self._film, self._facts, reel)
            else:
                if reel.audio not in self._sounds:
                    opened = film_sounds(self._film, self._facts, reel.audio)
                    self._sounds[reel.audio] = self._stack.enter_context(opened)
                sound = _Sound(self._sounds[reel.audio], self._facts, reel)
                _write(path, "nut", sound)
                if sound.is_damaged:
                    self.damaged.append(reel)
            progress(done + 1)

    @cached_property
    def _media(self) -> InputContainer:
        media: InputContainer = self._stack.enter_context(open_film(self._film, self._facts))
        return media

    @cached_property
    def _container(self) -> str | None:
        return _container(self._film)

    def close(self) -> None:
        self._stack.close()


def _start(reel: Reel | SoundReel) -> FilmTime:
    return reel.seen.start if isinstance(reel, Reel) else reel.heard.start


def _write_pictures(
    path: Path, container: str | None, media: InputContainer, film: Path, facts: FilmFacts, reel: Reel
) -> None:
    try:
        if container is None:
            raise _NotCopyableError
        copied = _Copied(media, film, facts, reel)
        _write(path, container, copied)
        if copied.doubtful:
            check_reel(path, Fraction(REEL_EPOCH), film, reel.seen)
    except _NotCopyableError:
        with open_film(film, facts) as anew:
            _write(path, "nut", _Decoded(anew, film, facts, reel))


def _write(path: Path, container: str, content: _Copied | _Decoded | _Sound) -> None:
    with av.open(str(path.absolute()), "w", format=container, options={"fflags": "bitexact"}) as out:
        stream = content.add_stream(out)
        packet = None
        for packet in content.packets(stream):
            out.mux(packet)
    if packet is None and isinstance(content, _Pictures):
        raise content.broken_off(None)


class _Pictures:
    """What a reel shows, as its film's container knows it."""

    sure = False  # of what decodes after a gradual refresh

    def __init__(self, media: InputContainer, film: Path, facts: FilmFacts, reel: Reel) -> None:
        self.media, self.film, self.facts, self.reel = media, film, facts, reel
        self.video = picture_stream(media, film)
        self.base = Fraction(self.video.time_base or 1)
        # A reel's clock ticks in whole parts of a second: every shift by seconds is exact.
        self.clock = Fraction(1, self.base.denominator)
        self.shift = nearest((REEL_EPOCH - facts.start) / self.clock)
        # Stamps of a constant rate may be rounded.
        self.slack = Fraction(0) if facts.variable else Fraction(1, 2) / facts.rate
        # The stamps from which on pictures are shown, and no more: whole numbers, since fractions are slow.
        head, end = (at.seconds + facts.start for at in (reel.seen.start, reel.seen.end))
        self.first, self.end = math.ceil((head - self.slack) / self.base), math.ceil(end / self.base)

    def packets_of_film(self) -> Iterator[Any]:
        """The packets from which the picture at the reel's head decodes, and all after them, with the film's stamps."""
        if not self.facts.stamps:
            return restamped_packets(self.media, self.facts, self.reel, self.video)
        head = self.reel.seen.start.seconds + self.facts.start + self.slack
        first = round(self.facts.start / self.base)
        return packets_from(self.media, self.video, int(head / self.base), first, self.sure)

    def source(self) -> Iterator[Any]:
        """The packets from which the reel's pictures decode, in order, with the film's stamps. Raises Stop."""
        stamps, behind, reordered, in_order = list[int](), 0, self._reordered, self._decoded_in_order
        for packet in self.packets_of_film():
            if packet.pts is None:
                continue
            behind = behind + 1 if packet.pts >= self.end else 0
            stamps.append(packet.pts)
            if behind > reordered or (in_order and packet.dts is not None and packet.dts >= self.end):
                self.check_rate(stamps)
                return
            if packet.is_discard and packet.pts >= self.first:
                raise _NotCopyableError
            yield packet
        self.check_rate(stamps)
        reached = max(stamps) * self.base - self.facts.start if stamps else None
        if reached is None or (not self.facts.variable and reached < self.reel.seen.end.seconds - 3 * self.slack):
            raise self.broken_off(reached)

    def check_rate(self, stamps: Sequence[int]) -> None:
        """Raise Stop where the pictures that were read do not come at the constant rate that the facts say."""
        first, step = round(self.facts.start / self.base), self.base * self.facts.rate
        whole, half = step.denominator, step.denominator // 2
        most = int(max(self.base, _ROUNDED) * self.facts.rate * whole)  # by which a stamp may be off its line
        places = [(stamp - first) * step.numerator + half for stamp in stamps if stamp >= first]
        off = sum(abs(place % whole - half) > most for place in places)
        in_turn = any(after - line == 1 for line, after in pairwise(sorted({place // whole for place in places})))
        constant = self.facts.stamps and not self.facts.variable and len(places) >= _ENOUGH
        if constant and (4 * off > len(places) or not in_turn):
            raise other_facts(self.film, "rate")

    def on_reel(self, stamp: int) -> int:
        """A stamp of the film as one of the reel, in ticks of its clock."""
        return stamp * self.base.numerator + self.shift

    def broken_off(self, reached: Fraction | None) -> Stop:
        """What to say where pictures are missing after a time of the film, or where there are none."""
        wanted = clock(self.reel.seen.end.seconds)
        message = f"{self.film} breaks off at {clock(reached or Fraction(0))}; a shot needs it to {wanted}"
        return Stop("unreadable", message, "the file is shorter than its own index says: get a complete copy of it")

    @property
    def _reordered(self) -> int:
        return _REORDER if self.video.codec_context.has_b_frames else 0

    @property
    def _decoded_in_order(self) -> bool:
        """Whether none of the packets after one that is decoded after the end is shown before it. What Matroska says of
        the order of decoding is a guess, and of older codecs a wrong one."""
        return "matroska" not in self.media.format.name or self.video.codec_context.name in ("h264", "hevc")


class _Copied(_Pictures):
    """Its packets, nothing re-encoded; `doubtful` where some of them seem to hold no picture."""

    doubtful = False

    def add_stream(self, out: Any) -> Any:
        return _same_stream(out, self.video)

    def packets(self, target: Any) -> Iterator[Any]:
        source = self._needed(self.source()) if self.facts.stamps else self.packets_of_film()
        decoded = key = None
        codec, early = self.video.codec_context.name, round(_BEFORE / self.clock)
        for packet in source:
            if decoded is None and pictures_to_recover(packet, codec):
                raise _NotCopyableError  # FFmpeg complains of what is not whole yet
            self.doubtful = self.doubtful or shows_nothing(packet, codec)
            packet.pts, packet.time_base = self.on_reel(packet.pts), self.clock
            packet.duration = (packet.duration or 0) * self.base.numerator
            # Containers guess the order of decoding, or let it stand still: any stamps will do that rise, early enough.
            decoded = packet.pts - early if decoded is None else decoded + 1
            if packet.pts < decoded:  # a container's writer ends the process over it
                raise _NotCopyableError
            packet.is_keyframe = packet.is_keyframe and (key is None or packet.pts > key)  # and over this
            key = packet.pts if packet.is_keyframe else key
            packet.dts, packet.stream = decoded, target
            yield packet

    def _needed(self, source: Iterator[Any]) -> Iterator[Any]:
        """The packets without those long before the reel's head from which no other picture is predicted: where key
        frames are far apart, most of a shot's decoding is what comes before it. The ones just before it stay, by which
        a decoder learns how pictures are reordered."""
        codec, before, highest = self.video.codec_context.name, deque[tuple[Any, bool, int]](), 0
        for packet in source:
            needed, layer = referenced(packet, codec)
            highest = max(highest, layer)
            before.append((packet, needed, layer))
            if packet.pts >= self.first:
                break
            if len(before) > _REORDER:
                oldest, needed, layer = before.popleft()
                if needed or layer < highest:
                    yield oldest
        yield from (packet for packet, *_ in before)
        yield from source


class _Decoded(_Pictures):
    """Its pictures, decoded, brought to the film's first size and format, and stored without loss."""

    sure = True

    @property
    def format(self) -> str:
        """That of the film; of one of floating point or with a palette the nearest that a reel can hold."""
        if self.facts.pix_fmt == "pal8":
            return "bgr0"
        return re.sub(r"f(16|32)(?=[lb]e$)", "16", self.facts.pix_fmt)

    def add_stream(self, out: Any) -> Any:
        formats = [each.name for each in av.Codec("ffv1", "w").video_formats or ()]
        stored = "ffv1" if self.format in formats else "rawvideo"
        stream = out.add_stream(stored, rate=self.facts.rate)
        stream.width, stream.height = self.facts.size
        stream.pix_fmt = self.format
        stream.time_base = stream.codec_context.time_base = self.clock
        if stored == "ffv1":
            sliced = min(self.facts.size) >= _SLICED  # of the first version, a picture may be of one pixel
            stream.codec_context.options = {"level": "3", "slices": "4"} if sliced else {"level": "1"}
        return stream

    def packets(self, target: Any) -> Iterator[Any]:
        last: VideoFrame | None = None
        packets, pictures = list[int | None](), list[int | None]()
        reached = None
        for frame in self._frames(packets):
            pictures.append(frame.pts)
            if frame.pts is None or frame.pts >= self.end:
                break
            if reached is not None and frame.pts <= reached:  # where two recordings meet, their pictures may overlap
                continue
            reached = frame.pts
            if frame.pts >= self.first:
                if last is not None:
                    yield from self._stored(last, target)
                yield from self._stored(frame, target)
                last = None
            else:  # what a hole at the head shows
                last = frame
        self.check_rate([stamp for stamp in packets if stamp is not None])
        check_pictures(self.film, self.reel.seen, self._times(packets), self._times(pictures))
        if last is not None:
            yield from self._stored(last, target)
        yield from target.encode(None)

    def _times(self, stamps: Sequence[int | None]) -> list[Fraction]:
        return [stamp * self.base - self.facts.start for stamp in stamps if stamp is not None]

    def _frames(self, stamps: list[int | None]) -> Iterator[VideoFrame]:
        """Pictures; `stamps` gathers those of the packets that were read for them."""
        for packet in chain(self.packets_of_film(), [None]):
            stamps += [] if packet is None or packet.is_discard else [packet.pts]
            yield from pictures_of(packet, self.video.codec_context)

    def _stored(self, frame: VideoFrame, target: Any) -> Iterator[Any]:
        width, height = self.facts.size
        even = frame.reformat(width=width, height=height, format=self.format)
        even.pts, even.time_base = self.on_reel(frame.pts or 0), self.clock
        even.pict_type = 0
        yield from target.encode(even)


class _Sound:
    """What is heard of the film around a shot, as PCM of the film's own rate and channels, without a gap."""

    def __init__(self, sounds: FilmSounds, facts: FilmFacts, reel: SoundReel) -> None:
        self.sounds, self.facts, self.reel, self.audio = sounds, facts, reel, facts.audio[reel.audio]
        self.start = max(reel.heard.start.seconds, self.audio.start) + facts.start
        self.end = max(self.start + Fraction(1, self.audio.rate), reel.heard.end.seconds + facts.start)
        self.shift = nearest((facts.start - REEL_EPOCH) * self.audio.rate)

    @property
    def is_damaged(self) -> bool:
        """Whether some of what is heard, once its packets are written, did not decode."""
        return self.sounds.damaged(*(at.seconds + self.facts.start for at in self.reel.used))

    def add_stream(self, out: Any) -> Any:
        stream = out.add_stream(_PCM[self.sounds.kind], rate=self.audio.rate)
        stream.codec_context.layout = default_layout(self.audio)
        return stream

    def packets(self, target: Any) -> Iterator[Any]:
        at = nearest(self.start * self.audio.rate) - self.shift
        for block in in_blocks(stretch(self.sounds, self.audio, self.start, self.end), _SAMPLES):
            packet = av.Packet(np.ascontiguousarray(block.T).tobytes())
            packet.pts = packet.dts = at
            packet.duration, packet.time_base = block.shape[1], Fraction(1, self.audio.rate)
            packet.stream = target
            packet.is_keyframe = True
            at += block.shape[1]
            if block.shape[1]:
                yield packet


_PCM = {"int16": "pcm_s16le", "int32": "pcm_s32le", "float32": "pcm_f32le"}


def _container(film: Path) -> str | None:
    """The format whose files give back a picture of the film as the film does; None where none does. NUT has no name
    for some codecs (ProRes); Matroska's stamps are whole milliseconds. FFmpeg goes by what is in a file, not by its
    name."""
    with open_media(film) as media:
        video = picture_stream(media, film)
        video.codec_context.thread_count = 1
        for packet in islice((each for each in whole_packets(packets_of(media, video)) if each.is_keyframe), 50):
            frame = only_picture(video.codec_context, packet)
            if frame is not None:
                return next((name for name in ("nut", "matroska") if _gives_back(name, video, packet, frame)), None)
    return None


def _gives_back(name: str, video: Any, packet: Any, frame: VideoFrame) -> bool:
    kept = io.BytesIO()
    try:
        with av.open(kept, "w", format=name) as out:
            packet.stream = _same_stream(out, video)
            packet.pts = packet.dts = 0
            out.mux(packet)
        packet.stream = video
        with open_bytes(kept.getvalue()) as media:
            again = media.streams.video[0]
            packets = (each for each in packets_of(media, again) if each.size)
            other = next((only_picture(again.codec_context, each) for each in packets), None)
    except (ValueError, av.error.FFmpegError):
        return False
    return other is not None and contents(frame) == contents(other) and orientation(other) == UPRIGHT


def _same_stream(out: Any, stream: Any) -> Any:
    """The same stream, its clock in ticks of which a second holds a whole number. How players turn it is left out: the
    graph does that, and FFmpeg would say it of the trailer once more."""
    target = out.add_stream_from_template(stream, opaque=True)
    target.set_display_matrix(None)
    target.time_base = Fraction(1, Fraction(stream.time_base).denominator)
    return target
