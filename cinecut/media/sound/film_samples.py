"""A film's sound as samples, each at its exact place, wherever reading starts.

    packets ─ decode, damage left out ─► frames ─ placed ─► (place, frame) ─ stretch ─► as it is, between two moments

A place counts samples of the stream's own rate from stamp zero. Samples count on: a stamp is believed only where the
one after it agrees that sound is missing. Stamps of whole milliseconds (Matroska, FLV, ASF) would move the sound by up
to half of one; there the place follows from the count of whole packets, or from reading on from the start.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain, dropwhile, islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from cinecut.diagnostics import Stop, excerpt
from cinecut.graph.channels import USUAL
from cinecut.language.facts import AudioFacts, FilmFacts
from cinecut.language.timebase import nearest
from cinecut.media.frames import from_start, joined, open_film
from cinecut.media.open import packets_of, sound_streams, start_of
from cinecut.media.sound.raw_aac import raw_aac
from cinecut.media.sound.samples import Placed, channels_of, decoded, fresh_decoder, may_be_damaged, mended, samples_of

_RUN_UP = Fraction(1, 2)  # seconds decoded before what is wanted: AAC, MP3 and Opus build on what came before
_FURTHER = (0, 2, 8, 32)  # seconds further back that sound may be stored than its stamp says
_COARSE = Fraction(1, 8000)  # seconds: a clock with longer ticks does not tell one sample from the next
_ROUNDED = Fraction(9, 16)  # ticks by which a rounded stamp is off, a little more than half of one
_FEW, _MANY = 8, 64  # frames whose stamps say together where they are: of short ones many
_TOGETHER = 1000  # of a second: stamps may be off by that much


@dataclass(frozen=True, slots=True)
class FilmSounds:
    """The streams that make up one sound of a film: one, or one per channel."""

    parts: tuple[FilmSound, ...]

    @property
    def kind(self) -> str:
        """The type of samples in which all that the streams hold is kept."""
        part = self.parts[0]
        format = part.stream.codec_context.format or next(
            (frame.format for _, frame in part.all()), None
        )  # begins late
        name = "" if format is None else format.name.removesuffix("p")
        return {"u8": "int16", "s16": "int16", "s32": "int32", "s64": "int32"}.get(name, "float32")

    def damaged(self, start: Fraction, end: Fraction) -> bool:
        """Whether packets that were read between two moments of the container's clock, in seconds, did not decode."""
        stamps = [(at, Fraction(part.stream.time_base)) for part in self.parts for at in part.damage if at is not None]
        return any(start <= at * base < end for at, base in stamps)


@contextmanager
def film_sounds(film: Path, facts: FilmFacts, number: int) -> Iterator[FilmSounds]:
    """The sound `number` (from 0) of a film. Raises Stop."""
    first = facts.audio[number].stream - 1 if facts.audio[number].stream else number
    with ExitStack() as stack:
        parts = []
        for index in range(first, first + facts.audio[number].parts):
            media = stack.enter_context(open_film(film, facts))
            parts.append(FilmSound(media, sound_streams(media)[index], facts.audio[number].rate))
        yield FilmSounds(tuple(parts))


@dataclass(frozen=True, slots=True)
class _Grid:
    """Frames of one length: the place of the first, the length of each, and between which places the first must be."""

    first: int
    size: int
    bounds: tuple[Fraction, Fraction]


_TOLD = (1, 2, Fraction(1, 2))  # of the rate in a header: of AAC some name half of it
_NEVER_FORGET = ("adpcm_yamaha", "adpcm_aica", "adpcm_ima_oki")  # each sample is a step from the one before


class FilmSound:
    """One stream of a film's sound, readable from any place."""

    def __init__(self, media: Any, stream: Any, rate: int) -> None:
        self._media, self.stream, self.rate = media, stream, rate  # that of a decoder may change
        self._tick = Fraction(stream.time_base) * self.rate  # of the container's clock, in samples
        self._reading: Iterator[Placed] = iter(())
        self._latest: Placed | None = None  # that this reading gave
        self.damage = list[int | None]()  # stamps of packets that did not decode
        self._first = list[av.AudioFrame]()  # of recordings, that are read and not yet placed

    def all(self, by_grid: bool = True) -> Iterator[Placed]:
        """Every frame with its place, from the first on; `by_grid`: also by the lengths of those at the start."""
        frames = self._frames(self._stamped(from_start(self._media, self.stream), kept=2))
        return self._placed(frames, None, by_grid)

    def between(self, start: Fraction, end: Fraction) -> Iterator[Placed]:
        """The frames heard from `start` to `end`, in seconds of the container's clock."""
        first, last = nearest(start * self.rate), nearest(end * self.rate)
        doubtful = may_be_damaged(self.stream)
        for place, frame in self._from(start):
            if place >= last:
                return
            if place + samples_of(frame, self.rate) > first:
                yield place, mended(frame) if doubtful else frame

    def _from(self, start: Fraction) -> Iterator[Placed]:
        """Frames from before a moment on."""
        if self.stream.codec_context.codec.name in _NEVER_FORGET or self._by_bytes:
            return self._onward(nearest(start * self.rate))
        coarse = Fraction(self.stream.time_base) > _COARSE and self._tick > 1
        count = _FEW if not coarse or self._grid is None or self._grid.size > 4 * self._tick else _MANY
        known = len(self.damage)
        for further in _FURTHER:
            del self.damage[known:]  # what one way to read did not decode, another one may
            target = start - _RUN_UP - further
            if target <= start_of(self._media, self.stream):
                break
            self._media.seek(math.floor(target / self.stream.time_base), stream=self.stream, backward=True)
            packets = packets_of(self._media, self.stream)
            frames = dropwhile(
                lambda frame: frame.pts is None, self._frames(self._stamped(packets), fresh_decoder(self.stream))
            )
            head = list(islice(frames, count))
            if not head or (head[0].pts or 0) * self.stream.time_base > start - _RUN_UP / 2:
                continue
            origin = self._counted_place(head) if coarse else None
            if origin is None and coarse:
                break
            return self._placed(chain(head, frames), origin)
        del self.damage[known:]
        return self._onward(nearest(start * self.rate))

    def _frames(self, packets: Iterator[Any], decoder: Any = None) -> Iterator[av.AudioFrame]:
        """What packets decode to; `_first` gets the first frame of each recording but the first one."""
        part = 0
        raw = None if joined(self._media) else raw_aac(self.stream, decoder)
        packets, decoder = (packets, decoder) if raw is None else (raw.read(packets), raw)
        for frame in decoded(packets, self.damage, decoder):
            if self._media.format.name == "avi" and Fraction(frame.sample_rate, self.rate) not in _TOLD:
                film = self._media.name.removeprefix("file:")
                message = f"the sound of {film} changes to {frame.sample_rate} samples a second: AVI does not say when"
                raise Stop("unreadable", message, "get the parts that were joined: a spec takes both as its films")
            if joined(self._media) and (now := self._media.reached[self.stream.index]) > part:
                self._first.append(frame)
                part = now
            yield frame

    def _stamped(self, packets: Iterator[Any], kept: int = 1) -> Iterator[Any]:
        """Packets with no other stamps than those that are stored. In transport and program streams, and in blocks of
        Matroska, several share one; libraries count on from it, with a length that is rounded, or of another rate. The
        first ones `kept` keep theirs: of a film's very first packet maybe nothing is heard."""
        name, before = self._media.format.name, None
        for number, packet in enumerate(packets):
            if "matroska" in name:
                shared = packet.pos == before and number >= kept
            else:
                shared = (packet.pos is None and "mpeg" in name) or (self._by_bytes and number >= kept)
            packet.pts, before = None if shared else packet.pts, packet.pos
            yield packet

    @property
    def _by_bytes(self) -> bool:
        """Whether stamps count bytes, which where recordings of two rates of bits were joined tell no time."""
        return bool(self._media.format.name == "avi" and self.stream.codec_context.name == "eac3")

    def _onward(self, place: int) -> Iterator[Placed]:
        """Frames from before a place on, read on from where the last such reading ended, or from the start."""
        if self._latest is None or self._latest[0] > place:
            self._reading = self.all()
        else:
            yield self._latest
        for latest in self._reading:
            self._latest = latest
            yield latest

    def _place(self, stamp: int) -> int:
        return int((2 * stamp * self._tick.numerator + self._tick.denominator) // (2 * self._tick.denominator))

    @cached_property
    def _grid(self) -> _Grid | None:
        """Of the whole frames at the start: the very first one may have lost an encoder's delay. None where they are of
        several lengths."""
        head = list(islice(self.all(by_grid=False), 1 + _MANY))[1:]
        if not head:
            return None
        bounds = self._bounds([frame for _, frame in head], head[0][1].samples)
        return _Grid(head[0][0], head[0][1].samples, bounds) if bounds else None

    def _bounds(self, frames: list[av.AudioFrame], size: int) -> tuple[Fraction, Fraction] | None:
        """Between which places the first of some frames must be, by the stamps of all. None where that cannot be."""
        places = [frame.pts * self._tick - n * size for n, frame in enumerate(frames) if frame.pts is not None]
        if not size or not places or any(samples_of(frame, self.rate) != size for frame in frames):
            return None
        low, high = max(places) - _ROUNDED * self._tick, min(places) + _ROUNDED * self._tick
        return (low, high) if low <= high else None

    def _counted_place(self, head: list[av.AudioFrame]) -> int | None:
        """The place of the first of some frames, by the number of whole ones before it. None where they are of several
        lengths, or their stamps leave a choice: something is missing before them."""
        grid = self._grid
        bounds = self._bounds(head, grid.size) if grid is not None else None
        if grid is None or bounds is None:
            return None
        least = math.ceil((bounds[0] - grid.bounds[1]) / grid.size)
        most = math.floor((bounds[1] - grid.bounds[0]) / grid.size)
        return grid.first + least * grid.size if least == most else None

    def _placed(self, frames: Iterator[av.AudioFrame], origin: int | None, by_grid: bool = True) -> Iterator[Placed]:
        """Frames with their places."""
        exact = math.ceil(self._tick)
        at: int | Fraction | None = origin  # a fraction after frames of another rate
        slack = max(exact, self.rate // _TOGETHER)
        before, rate = 0, 0  # by how much the stamp of the frame before was off, and its rate
        ahead = _Ahead(frames)
        for frame in ahead:
            length = samples_of(frame, self.rate)
            if begins := frame in self._first:
                self._first.remove(frame)
            if at is None or begins or rate not in (0, frame.sample_rate):
                at = self._begun(at or 0, [frame, *ahead.peek(_MANY)])
            off, after = self._off(frame, at), self._next_off(at + length, ahead)
            # A leap is believed where it lasts; where it is a small one, only if it is the very same after it.
            leaps = abs(off) > slack and (after is None or abs(after) > slack)
            leaps = leaps or (after is not None and abs(off - before) > exact and abs(after - off) <= 1 < abs(off))
            if leaps:
                at += self._lost(off, at, [frame, *ahead.peek(_MANY)] if off > 0 else [], by_grid) or off
            before, rate = 0 if leaps or frame.pts is None else off, frame.sample_rate
            yield _whole(at), frame
            at += length

    def _begun(self, at: int | Fraction, frames: list[av.AudioFrame]) -> int | Fraction:
        """The place of the first of some frames, with which a recording begins, by the first stamp among them; without
        one it is the place `at` that was counted."""
        before: int | Fraction = 0
        for frame in frames:
            if frame.pts is not None:
                return self._place(frame.pts) - before
            before += samples_of(frame, self.rate)
        return at

    def _next_off(self, place: int | Fraction, ahead: _Ahead) -> int | None:
        """By how many samples the next stamp is off; `place`: where the next frame is. None where there is none, or the
        rate changes before it."""
        rate = 0
        for frame in ahead.peek(_MANY):
            if rate not in (0, frame.sample_rate):
                return None
            if frame.pts is not None:
                return self._off(frame, place)
            place, rate = place + samples_of(frame, self.rate), frame.sample_rate
        return None

    def _lost(self, off: int, at: int | Fraction, frames: list[av.AudioFrame], by_grid: bool) -> int | Fraction | None:
        """How many samples are lost before some frames, the first of which seems `off` samples after the place `at`: as
        many as there are in whole frames. Of short ones the stamps of all tell, but where recordings are joined, each
        with frames of its own. None where that cannot be."""
        if not frames:
            return None
        size = frames[0].samples
        length = samples_of(frames[0], self.rate)
        if length > 2 * max(math.ceil(self._tick), self.rate // _TOGETHER):
            whole = nearest(Fraction(off) / length) * length
            return whole if -self._tick <= whole - off <= self._tick else None
        grid = self._grid if by_grid and not joined(self._media) else None
        if grid is None or not length == size == grid.size:
            return None
        parts = (frames[: len(frames) >> halved] for halved in range(len(frames).bit_length()))
        bounds = next(filter(None, (self._bounds(part, size) for part in parts)), None)  # another gap may follow soon
        if bounds is None:
            return None
        least = math.ceil((bounds[0] - grid.first) / size)
        most = math.floor((bounds[1] - grid.first) / size)
        return grid.first + least * size - at if least == most else None

    def _off(self, frame: av.AudioFrame, place: int | Fraction) -> int:
        """By how many samples a frame's stamp is after a place; where it has none, it is not off."""
        return 0 if frame.pts is None else self._place(frame.pts) - _whole(place)


class _Ahead:
    """Frames, of which the next ones can be looked at."""

    def __init__(self, frames: Iterator[av.AudioFrame]) -> None:
        self._frames, self._held = frames, deque[av.AudioFrame]()

    def __iter__(self) -> Iterator[av.AudioFrame]:
        while self.peek(1):
            yield self._held.popleft()

    def peek(self, count: int) -> list[av.AudioFrame]:
        self._held.extend(islice(self._frames, max(0, count - len(self._held))))
        return list(islice(self._held, count))


def _whole(place: int | Fraction) -> int:
    return place if isinstance(place, int) else nearest(place)  # most are whole: fractions are slow


def stretch(sounds: FilmSounds, audio: AudioFacts, start: Fraction, end: Fraction) -> Iterator[NDArray[Any]]:
    """[channels, samples] between two moments of the container's clock, in seconds, without a gap: silence where there
    is no sound. All in the rate and the channels of `audio`, whatever the streams change to midway."""
    if len(sounds.parts) == 1:
        yield from _stretch(sounds.parts[0], sounds.kind, audio, start, end)
        return
    single = replace(audio, channels=1, layout="mono")
    parts = [in_blocks(_stretch(part, sounds.kind, single, start, end), audio.rate) for part in sounds.parts]
    for blocks in zip(*parts, strict=True):
        yield np.concatenate(blocks)


def _stretch(sound: FilmSound, kind: str, audio: AudioFacts, start: Fraction, end: Fraction) -> Iterator[NDArray[Any]]:
    at, last = nearest(start * audio.rate), nearest(end * audio.rate)
    for place, part in _converted(sound.between(start, end), kind, audio):
        kept = part[:, max(0, at - place) : max(0, last - place)]
        begin = max(place, at)
        if kept.shape[1]:
            if begin > at:
                yield np.zeros((audio.channels, begin - at), kind)
            yield kept
            at = begin + kept.shape[1]
    if last > at:
        yield np.zeros((audio.channels, last - at), kind)


def in_blocks(parts: Iterable[NDArray[Any]], size: int) -> Iterator[NDArray[Any]]:
    """The same samples, [channels, samples], in blocks of this size; the last may be smaller."""
    held = None
    for part in parts:
        held = part if held is None else np.concatenate([held, part], 1)
        while held.shape[1] >= size:
            yield held[:, :size]
            held = held[:, size:]
    if held is not None and held.shape[1]:
        yield held


_PLANAR = {"int16": "s16p", "int32": "s32p", "float32": "fltp"}


def _converted(frames: Iterable[Placed], kind: str, audio: AudioFacts) -> Iterator[tuple[int, NDArray[Any]]]:
    """Frames of any shape as [channels, samples] of one, each at its place. A resampler gives its first samples late
    and its last ones when it is asked for them: where frames do not follow each other, or change, another one begins.
    """
    layout = default_layout(audio)
    wanted = av.AudioLayout(layout).nb_channels, audio.rate, _PLANAR[kind].removesuffix("p")
    resampler: av.AudioResampler | None = None
    shape: tuple[object, ...] = ()
    at = 0
    expected: int | Fraction = 0

    def resampled(frame: av.AudioFrame | None) -> Iterator[tuple[int, NDArray[Any]]]:
        nonlocal at
        for part in resampler.resample(frame) if resampler else ():
            yield at, channels_of(part)
            at += part.samples

    for place, frame in frames:
        now = frame.layout.nb_channels, frame.sample_rate, frame.format.name.removesuffix("p"), frame.layout.name
        if resampler is not None and (now != shape or not -1 <= place - expected <= 1):
            yield from resampled(None)
            resampler = None
        shape = now
        expected = place + samples_of(frame, audio.rate)
        if now[:3] == wanted:
            yield place, channels_of(frame)
            continue
        if resampler is None:
            resampler, at = av.AudioResampler(_PLANAR[kind], layout, audio.rate), place
        frame.pts = None
        yield from resampled(frame)
    yield from resampled(None)


def default_layout(audio: AudioFacts) -> str:
    """The layout of a stream in FFmpeg's files and frames. Of one of no known order, or of an order of its own, it is
    the usual one of so many channels: only their number counts there, and the mix goes by the facts.

    Raises Stop where the facts name a layout that there is not.
    """
    own = re.search(r" channels$|\+|^ambisonic", audio.layout)
    layout = USUAL.get(audio.channels, f"{audio.channels} channels") if own else audio.layout
    try:
        av.AudioLayout(layout)
    except ValueError:
        message = f"the facts say that the film's sound is {excerpt(layout)}, which is no layout of channels"
        raise Stop("wrong-value", message, "cinecut link SPEC measures it again") from None
    return layout
