"""Sound as samples, each at its exact place, in blocks of bounded memory.

    packets ─ decode, damage left out ─► frames ─ placed ─► (place, frame) ─ mono ─► one channel at a rate, gaps silent
                                                                           └ stretch ─► as it is, between two moments

A place counts samples of the stream's own rate from stamp zero. Samples count on: a stamp is believed only where the
one after it agrees that sound is missing. Stamps of whole milliseconds (Matroska, FLV, ASF) would move the sound by up
to half of one; there the place follows from the count of whole packets, or from reading on from the start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from cinecut.diagnostics import Diagnostic, Stop
from cinecut.graph.sounds import USUAL
from cinecut.language.facts import AudioFacts, FilmFacts
from cinecut.language.timebase import nearest
from cinecut.media.frames import from_start, open_film
from cinecut.media.open import check_sound, open_media, sound_streams

Floats = NDArray[np.float32]
Placed = tuple[int, av.AudioFrame]

_RUN_UP = Fraction(1, 2)  # seconds decoded before what is wanted: AAC, MP3 and Opus build on what came before
_FURTHER = (0, 2, 8, 32)  # seconds further back that sound may be stored than its stamp says
_COARSE = Fraction(1, 8000)  # seconds: a clock with longer ticks does not tell one sample from the next
_CANCELLED = 0.05  # share of its channels' power that a mono mix has at least, unless they cancel each other out
_TOGETHER = 1000  # of a second: stamps may be off by that much
_HOPELESS = 1000  # packets in a row that do not decode


# --- songs ----------------------------------------------------------------------------------------------------------


def song_frames(song: Path, warnings: list[Diagnostic]) -> Iterator[av.AudioFrame]:
    """The frames of a song's first sound; damage in the middle becomes a warning, and the rest is used.

    Raises Stop: missing-file, unreadable (nothing at all could be decoded), no-audio.
    """
    with open_media(song, "song") as media:
        stream = next(iter(sound_streams(media)), None)
        if stream is None:
            undecodable = " that can be decoded here" if media.streams.audio else ""
            hint = "give a song, or a video with sound, as music"
            raise Stop("no-audio", f"{song} has no sound{undecodable}", hint)
        samples, rate, damage = 0, 1, list[str]()
        for frame in decoded(media.demux(stream), damage):
            check_sound(song, frame.sample_rate, frame.layout.nb_channels)
            samples, rate = samples + frame.samples, frame.sample_rate
            yield frame
    if not samples:
        raise Stop("unreadable", f"{song}: its sound cannot be decoded", "is the file complete? try to play it")
    if damage:
        usable = f"{samples / rate:.1f} s are usable"
        warnings.append(Diagnostic("music", f"{song.name} is damaged: {len(damage)} packets were skipped, {usable}"))


def decoded(packets: Iterator[Any], damage: list[str]) -> Iterator[av.AudioFrame]:
    """What decodes of some packets; what does not is noted in `damage`."""
    in_a_row = 0
    while in_a_row <= _HOPELESS:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            for frame in packet.decode():
                in_a_row = 0
                yield frame
        except av.error.EOFError:
            return
        except (av.error.FFmpegError, ValueError) as error:
            damage.append(str(error))
            in_a_row += 1


def counted(frames: Iterable[av.AudioFrame]) -> Iterator[Placed]:
    """Frames that simply follow each other: gaps in the stamps of a song mean nothing."""
    place = 0
    for frame in frames:
        yield place, frame
        place += frame.samples


def mono(frames: Iterable[Placed], rate: int, gain: Callable[[str], float] = lambda layout: 1.0) -> Iterator[Floats]:
    """One channel at `rate` from place 0 on, about a second at a time; where there is no sound, silence. `gain` is that
    of a layout, which may change midway."""
    shape: tuple[object, ...] = ()
    resampler: av.AudioResampler | None = None
    source = _Phase()
    scale, heard, own = 1.0, 0, rate

    def flush(parts: Iterable[av.AudioFrame]) -> Iterator[Floats]:
        nonlocal heard
        for part in parts:
            samples = np.nan_to_num(part.to_ndarray().reshape(-1).astype(np.float32, copy=False))
            skipped = max(0, -heard)  # what lies before place 0
            heard += samples.size
            if samples.size > skipped:
                yield np.asarray(scale * samples[skipped:], np.float32)

    expected: int | Fraction = 0
    for place, frame in frames:
        now = (frame.sample_rate, frame.layout.name, frame.format.name)
        if resampler is None or shape != now or not -1 <= place - expected <= 1:
            if resampler is not None:
                yield from flush(resampler.resample(None))
            own = own if shape else frame.sample_rate
            shape, scale = now, gain(frame.layout.name)
            resampler = av.AudioResampler("flt", "mono", rate, frame_size=rate)
            missing = nearest(Fraction(place * rate, own)) - heard
            if missing > 0:
                yield from _silence(missing, rate)
            heard += missing if missing > 0 or not heard else 0
        expected = place + _samples_of(frame, own)
        frame = source.audible(frame)
        frame.pts = None  # counted, not read
        yield from flush(resampler.resample(frame))
    if resampler is not None:
        yield from flush(resampler.resample(None))


def _samples_of(frame: av.AudioFrame, rate: int) -> int | Fraction:
    """How many samples of a rate a frame lasts."""
    samples: int = frame.samples
    return samples if frame.sample_rate == rate else Fraction(samples * rate, frame.sample_rate)


def _silence(samples: int, most: int) -> Iterator[Floats]:
    while samples > 0:
        yield np.zeros(min(samples, most), np.float32)
        samples -= most


class _Phase:
    """Finds sound whose channels cancel each other out when they are mixed to one: everybody hears it on two speakers.
    Then the loudest channel stands for all. Every few frames are looked at."""

    _EVERY = 24

    def __init__(self) -> None:
        self._number, self._mixed, self._whole = 0, 0.0, 0.0

    def audible(self, frame: av.AudioFrame) -> av.AudioFrame:
        if frame.layout.nb_channels < 2:
            return frame
        self._number += 1
        if self._number % self._EVERY == 1:
            sound = channels_of(frame).astype(np.float32)
            self._mixed = 0.9 * self._mixed + float(np.square(sound.mean(0)).mean())
            self._whole = 0.9 * self._whole + float(np.square(sound).mean())
        if self._mixed >= _CANCELLED * self._whole / frame.layout.nb_channels:
            return frame
        sound = channels_of(frame)
        loudest = sound[np.square(sound.astype(np.float32)).mean(1).argmax()]
        return _like(frame, np.repeat(loudest[None], len(sound), 0))


def channels_of(frame: av.AudioFrame) -> NDArray[Any]:
    """[channels, samples] of a frame, planar or not. Of planar frames PyAV's own way reads behind the eighth channel."""
    count, format = frame.layout.nb_channels, frame.format.name
    if not frame.format.is_planar:
        return frame.to_ndarray().reshape(-1, count).T
    planes = [np.frombuffer(memoryview(plane), _SAMPLE_TYPES[format], frame.samples) for plane in frame.planes[:count]]
    return np.stack(planes)


_SAMPLE_TYPES = {"u8p": "u1", "s16p": "i2", "s32p": "i4", "s64p": "i8", "fltp": "f4", "dblp": "f8"}


def _like(frame: av.AudioFrame, sound: NDArray[Any]) -> av.AudioFrame:
    """A frame with other samples [channels, n], of the same layout and rate."""
    laid = np.ascontiguousarray(sound.T.reshape(1, -1))
    other = av.AudioFrame.from_ndarray(laid, frame.format.name.removesuffix("p"), frame.layout)
    other.sample_rate = frame.sample_rate
    return other


# --- films ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FilmSounds:
    """The streams that make one sound of a film: one, or one for each channel."""

    parts: tuple[FilmSound, ...]

    @property
    def kind(self) -> str:
        """The type of samples in which all that the streams hold is kept."""
        format = self.parts[0].stream.codec_context.format.name.removesuffix("p")
        return {"u8": "int16", "s16": "int16", "s32": "int32", "s64": "int32"}.get(format, "float32")


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


class FilmSound:
    """One stream of a film's sound, to be read from anywhere."""

    def __init__(self, media: Any, stream: Any, rate: int) -> None:
        self._media, self.stream, self.rate = media, stream, rate  # that of a decoder may change
        self._tick = Fraction(stream.time_base) * self.rate  # of the container's clock, in samples

    def all(self) -> Iterator[Placed]:
        """Every frame with its place, from the first on."""
        return self._placed(decoded(from_start(self._media, self.stream), []), None)

    def between(self, start: Fraction, end: Fraction) -> Iterator[Placed]:
        """The frames that hold what is heard from `start` to `end`, seconds of the container's clock."""
        for place, frame in self._from(start):
            if place >= nearest(end * self.rate):
                return
            if place + _samples_of(frame, self.rate) > nearest(start * self.rate):
                yield place, frame

    @property
    def _coarse(self) -> bool:
        return Fraction(self.stream.time_base) > _COARSE and self._tick > 1

    def _from(self, start: Fraction) -> Iterator[Placed]:
        """Frames from before a moment on."""
        for further in _FURTHER:
            target = start - _RUN_UP - further
            if target <= Fraction(self.stream.start_time or 0) * self.stream.time_base:
                break
            self._media.seek(math.floor(target / self.stream.time_base), stream=self.stream, backward=True)
            frames = decoded(self._media.demux(self.stream), [])
            head = list(islice(frames, 8))
            if not head or head[0].pts is None or head[0].pts * self.stream.time_base > start - _RUN_UP / 2:
                continue
            origin = self._counted_place(head) if self._coarse else None
            if origin is None and self._coarse:
                break
            return self._placed(chain(head, frames), origin)
        return self.all()

    def _place(self, stamp: int) -> int:
        return int((2 * stamp * self._tick.numerator + self._tick.denominator) // (2 * self._tick.denominator))

    @cached_property
    def _whole_frames(self) -> tuple[int, int]:
        """The place and the length of the first whole frame: the one before it may have lost an encoder's delay."""
        first = list(islice(self.all(), 2))
        return (first[1][0], first[1][1].samples) if len(first) > 1 else (0, 0)

    def _counted_place(self, head: list[av.AudioFrame]) -> int | None:
        """The place of the first of some frames, by the number of whole ones before it. None where they are of several
        lengths, or their stamps say that something is missing before them."""
        first, size = self._whole_frames
        if len(head) < 8 or size <= 3 * self._tick or any(f.samples != size or f.pts is None for f in head):
            return None
        offsets = [self._place(frame.pts or 0) - first - n * size for n, frame in enumerate(head)]
        whole = nearest(Fraction(offsets[0], size)) * size
        return first + whole if all(abs(each - whole) <= self._tick for each in offsets) else None

    def _placed(self, frames: Iterator[av.AudioFrame], origin: int | None) -> Iterator[Placed]:
        """Frames with their places."""
        rate = self.rate
        at: int | Fraction | None = origin  # a fraction after frames of another rate
        slack = max(math.ceil(self._tick), rate // _TOGETHER)

        def strays(frame: av.AudioFrame | None, place: int | Fraction) -> bool:
            near = frame is None or frame.pts is None or -slack <= self._place(frame.pts) - place <= slack
            return not near

        for frame, following in pairwise(chain(frames, [None])):
            assert frame is not None
            length = _samples_of(frame, rate)
            if at is None:
                at = self._place(frame.pts or 0)
            elif strays(frame, at) and (following is None or strays(following, at + length)):
                missing = self._place(frame.pts or 0) - at
                whole = nearest(Fraction(missing) / max(length, 1)) * length  # what is lost is lost in whole frames
                lost = length > 2 * slack and -self._tick <= whole - missing <= self._tick
                at += whole if lost else missing
            yield (at if isinstance(at, int) else nearest(at)), frame
            at += length


def stretch(sounds: FilmSounds, audio: AudioFacts, start: Fraction, end: Fraction) -> Iterator[NDArray[Any]]:
    """[channels, samples] between two moments of the container's clock, in seconds, without a gap: silence where there
    is no sound. All in the rate and the channels of `audio`, whatever the streams change to midway."""
    if len(sounds.parts) == 1:
        yield from _stretch(sounds.parts[0], sounds.kind, audio, start, end)
        return
    single = replace(audio, channels=1, layout="mono")
    parts = [_in_blocks(_stretch(part, sounds.kind, single, start, end), audio.rate) for part in sounds.parts]
    for blocks in zip(*parts, strict=True):
        yield np.concatenate(blocks)


def _stretch(
    sound: FilmSound, kind: str, audio: AudioFacts, start: Fraction, end: Fraction
) -> Iterator[NDArray[Any]]:
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


def _in_blocks(parts: Iterable[NDArray[Any]], size: int) -> Iterator[NDArray[Any]]:
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
    at, expected = 0, Fraction(0)

    def resampled(frame: av.AudioFrame | None) -> Iterator[tuple[int, NDArray[Any]]]:
        nonlocal at
        for part in resampler.resample(frame) if resampler else ():
            yield at, channels_of(part)
            at += part.samples

    for place, frame in frames:
        now = frame.layout.nb_channels, frame.sample_rate, frame.format.name.removesuffix("p"), frame.layout.name
        if resampler is not None and (now != shape or abs(place - expected) > 1):
            yield from resampled(None)
            resampler = None
        shape, expected = now, place + Fraction(_samples_of(frame, audio.rate))
        if now[:3] == wanted:
            yield place, channels_of(frame)
            continue
        if resampler is None:
            resampler, at = av.AudioResampler(_PLANAR[kind], layout, audio.rate), place
        frame.pts = None
        yield from resampled(frame)
    yield from resampled(None)


def default_layout(audio: AudioFacts) -> str:
    """The layout of a stream; of one that only knows how many channels it has, the usual one of so many."""
    return USUAL.get(audio.channels, audio.layout) if audio.layout.endswith(" channels") else audio.layout
