"""Sound as samples, in blocks of bounded memory, and listened to as one channel.

    packets ─ decode, damage left out ─► frames ─ placed ─► (place, frame) ─ mono ─► one channel at a rate, gaps silent

A place counts samples of the stream's own rate. Those of a song simply follow each other; those of a film are found in
`film_samples`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from cinecut.diagnostics import Diagnostic, Stop
from cinecut.language.timebase import nearest
from cinecut.media.open import check_sound, open_media, packets_of, sound_streams

Floats = NDArray[np.float32]
Placed = tuple[int, av.AudioFrame]

_CANCELLED = 0.3  # share of its channels' power that a mono mix has at least, unless they cancel each other mostly
_HOPELESS = 1000  # packets in a row that do not decode


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
        seconds, damage = Fraction(0), list[int | None]()
        for frame in decoded(packets_of(media, stream), damage):
            check_sound(song, frame.sample_rate, frame.layout.nb_channels)
            seconds += Fraction(frame.samples, frame.sample_rate)
            yield frame
    if not seconds:
        raise Stop("unreadable", f"{song}: its sound cannot be decoded", "is the file complete? try to play it")
    if damage:
        usable = f"{float(seconds):.1f} s are usable"
        warnings.append(Diagnostic("music", f"the song is damaged: {len(damage)} packets were skipped, {usable}"))


def decoded(packets: Iterator[Any], damage: list[int | None], decoder: Any = None) -> Iterator[av.AudioFrame]:
    """What decodes of some packets, by their stream's own decoder or by another; the stamps of what does not are noted
    in `damage`."""
    in_a_row, stamp = 0, None
    while in_a_row <= _HOPELESS:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            stamp = stamp if packet.pts is None else packet.pts
            for frame in packet.decode() if decoder is None else decoder.decode(packet):
                in_a_row = 0
                yield _with_own_rate(frame, packet)
        except av.error.EOFError:
            return
        except (av.error.FFmpegError, ValueError):
            damage.append(stamp)
            in_a_row += 1


def fresh_decoder(stream: Any) -> Any:
    """A decoder that nothing has been decoded with, where that changes samples: these put noise in the place of what
    was left out, and the noise goes on where it was before a seek. None: the stream's own."""
    known = stream.codec_context
    if known.codec.name not in _NOISY:
        return None
    fresh: Any = av.CodecContext.create(known.codec.name, "r")
    fresh.extradata = known.extradata
    if known.layout.nb_channels:  # of sound that begins late in a file its first packet says it
        fresh.sample_rate, fresh.layout = known.sample_rate, known.layout.name
    return fresh


_NOISY = ("aac", "aac_latm", "ac3", "eac3")


def _with_own_rate(frame: av.AudioFrame, packet: Any) -> av.AudioFrame:
    """A frame of MPEG audio with the rate of its packet's header: where rates change, the decoder gives the first one
    the rate of the one before."""
    if packet.stream.codec_context.name.startswith("mp") and packet.size >= _HEADER:
        header = int.from_bytes(memoryview(packet)[:_HEADER], "big")
        version, index = header >> 19 & 3, header >> 10 & 3
        if header >> 21 == 0x7FF and version != 1 and index != 3:
            frame.sample_rate = _MPEG_RATES[index] >> {3: 0, 2: 1, 0: 2}[version]
    return frame


_HEADER = 4  # bytes (ISO 11172-3, 2.4.1.3)
_MPEG_RATES = (44100, 48000, 32000)


def counted(frames: Iterable[av.AudioFrame]) -> Iterator[Placed]:
    """Frames placed one after another: gaps in a song's timestamps mean nothing."""
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
        expected = place + samples_of(frame, own)
        frame = source.audible(frame)
        frame.pts = None  # counted, not read
        yield from flush(resampler.resample(frame))
    if resampler is not None:
        yield from flush(resampler.resample(None))


def without_offset(samples: Floats) -> Floats:
    """A second or more of samples without a steady offset, which cheap converters add: nobody hears it, but it would
    count as sound."""
    offset = np.median(samples) if samples.size else np.float32(0)
    return samples - offset if abs(offset) > _OFFSET else samples


_OFFSET = 1e-3  # of full scale; what is smaller is less than what is heard in a quiet passage


def samples_of(frame: av.AudioFrame, rate: int) -> int | Fraction:
    """How many samples at a rate a frame lasts."""
    samples: int = frame.samples
    return samples if frame.sample_rate == rate else Fraction(samples * rate, frame.sample_rate)


def _silence(samples: int, most: int) -> Iterator[Floats]:
    while samples > 0:
        yield np.zeros(min(samples, most), np.float32)
        samples -= most


class _Phase:
    """Finds sound whose channels cancel each other out when they are mixed to one: everybody hears it on two speakers.
    Then one of the loudest channels stands for all. Each frame is looked at before it is mixed, by some samples."""

    _APART = 13  # samples between two that are looked at
    _MEMORY = 5.0  # seconds in which what was heard before comes to count a third

    def __init__(self) -> None:
        self._mixed, self._powers, self._chosen = 0.0, np.zeros(0), 0

    def audible(self, frame: av.AudioFrame) -> av.AudioFrame:
        channels = frame.layout.nb_channels
        if channels < 2:
            return frame
        few = channels_of(frame)[:, :: self._APART].astype(np.float64)
        mix, powers = few.sum(0), np.einsum("cn,cn->c", few, few)
        mixed = float(mix @ mix) / channels**2
        if math.isfinite(mixed):  # damaged sound may hold what is no number
            kept = math.exp(-frame.samples / frame.sample_rate / self._MEMORY)
            known = self._powers if self._powers.size == channels else np.zeros(channels)
            self._mixed, self._powers = kept * self._mixed + mixed, kept * known + powers
        if self._powers.size != channels or self._mixed >= _CANCELLED * self._powers.mean() / channels:
            return frame
        if self._chosen >= channels or self._powers.max() > 2 * self._powers[self._chosen]:
            self._chosen = int(self._powers.argmax())  # between equals a change would only turn the wave over
        return _like(frame, np.repeat(channels_of(frame)[self._chosen][None], channels, 0))


def channels_of(frame: av.AudioFrame) -> NDArray[Any]:
    """[channels, samples] of a frame, planar or not. Of planar ones PyAV's own way reads behind the eighth channel."""
    count, format = frame.layout.nb_channels, frame.format.name
    if not frame.format.is_planar:
        return frame.to_ndarray().reshape(-1, count).T
    planes = [np.frombuffer(memoryview(plane), _SAMPLE_TYPES[format], frame.samples) for plane in frame.planes[:count]]
    return np.stack(planes)


_SAMPLE_TYPES = {"u8p": "u1", "s16p": "i2", "s32p": "i4", "s64p": "i8", "fltp": "f4", "dblp": "f8"}


def is_damaged(frame: av.AudioFrame) -> bool:
    """Whether a frame holds what is no sample: no number, or one far beyond full scale, which would drown all else."""
    sound = channels_of(frame)
    return sound.dtype.kind == "f" and not (np.abs(sound) <= _ABSURD).all()


def mended(frame: av.AudioFrame) -> av.AudioFrame:
    """A frame with silence for what is no sample."""
    if not is_damaged(frame):
        return frame
    sound = channels_of(frame)
    clean = _like(frame, np.where(np.abs(sound) <= _ABSURD, sound, 0).astype(sound.dtype))
    clean.pts, clean.time_base = frame.pts, frame.time_base
    return clean


def may_be_damaged(stream: Any) -> bool:
    """Whether a stream's samples are stored as floating point, which may hold what is no number."""
    return str(stream.codec_context.name).startswith(("pcm_f", "wavpack"))


_ABSURD = 1000.0  # of full scale


def _like(frame: av.AudioFrame, sound: NDArray[Any]) -> av.AudioFrame:
    """A frame with other samples [channels, n], and the same layout and rate."""
    laid = np.ascontiguousarray(sound.T.reshape(1, -1))
    other = av.AudioFrame.from_ndarray(laid, frame.format.name.removesuffix("p"), frame.layout)
    other.sample_rate = frame.sample_rate
    return other
