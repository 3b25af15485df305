"""The judge: what a trailer of a film must show and sound like, by a plain decode of the whole film and its stamps.

film ─ decode (FFmpeg, whole file, no seek) ─► pictures and samples, each at its time ─ compare ─► faults in words
trailer ─ decode ────────────────────────────────────────────────────────────────────┘
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np
from changing import changing_rate
from making import number_of_code
from numpy.typing import NDArray
from oracle import BUNDLED, number_of

Luma = NDArray[np.uint8]
Samples = NDArray[np.float64]  # [shape=(samples, channels)]
RATE = 48000  # of a trailer's sound
_BLOCK = 512  # samples that are compared at once
_SILENCE = 1e-4  # of full scale; resampling leaves less where there is nothing


@dataclass(frozen=True, slots=True)
class Decoded:
    """Pictures in grey with their stamps in seconds; sound at RATE, its first sample at `sound_start` seconds."""

    stamps: list[Fraction]
    pictures: list[Luma]
    tick: Fraction
    sound_start: Fraction = Fraction(0)
    sound: Samples | None = None
    names: tuple[str, ...] = ()  # of the channels
    loose: Fraction = Fraction(0)  # samples by which the place of its sound is not known

    def number(self, index: int) -> str:
        """The number that a picture shows, in words."""
        code = number_of(self.pictures[index])
        return str(number_of_code(code)) if isinstance(code, int) else str(code)


def decode(film: Path, sound: int | None, changing: bool = False) -> Decoded:
    """Everything that FFmpeg gives out for a file, from its start. Raises LookupError where it gives no picture.

    `changing`: of a film whose sound may change its rate."""
    with tempfile.TemporaryDirectory(dir=film.parent) as name:
        folder = Path(name)
        video = ["-map", "0:V:0", "-fps_mode", "passthrough", "-enc_time_base", "demux", "-pix_fmt", "gray"]
        audio = ["-map", f"0:a:{sound}", "-c:a", "pcm_f32le"]
        command: list[str | Path] = [BUNDLED, "-nostdin", "-v", "error", "-y"]
        command += ["-copyts", "-i", film]
        command += [*video, "-f", "rawvideo", folder / "v", *video, "-f", "framecrc", folder / "v.txt"]
        if sound is not None:
            command += [*audio, "-f", "f32le", folder / "a", *audio, "-f", "framecrc", folder / "a.txt"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        if not (folder / "v.txt").exists() or "0," not in (folder / "v.txt").read_text(encoding="utf-8"):
            raise LookupError(f"FFmpeg gives no picture: {done.stderr.decode(errors='replace')[-300:]}")
        header, rows = _framecrc(folder / "v.txt")
        width, height = (int(side) for side in header["dimensions"].split("x"))
        tick = Fraction(header["tb"])
        data = np.frombuffer((folder / "v").read_bytes(), np.uint8).reshape(-1, height, width)
        order = sorted(range(len(rows)), key=lambda n: rows[n][0])
        stamps = [rows[n][0] * tick for n in order]
        pictures = [data[n] for n in order]
        if len(places := _places(film, stamps)) == len(pictures):
            stamps, pictures = places, list(data)
        if sound is None:
            return Decoded(stamps, pictures, tick)
        if changing and (parts := changing_rate(film, sound, _resampled, RATE)) is not None:
            return Decoded(stamps, pictures, tick, parts.start, parts.sound, _channel_names(parts.layout), parts.loose)
        return Decoded(stamps, pictures, tick, *_placed(film, folder, sound))


def joined(first: Decoded, second: Decoded, period: Fraction) -> Decoded:
    """Two recordings in one file: what the second one shows and sounds like follows the first one's last picture, or
    comes later, as its stamps say."""
    later = max(Fraction(0), first.stamps[-1] + period - second.stamps[0])
    pictures, stamps = [*first.pictures, *second.pictures], [*first.stamps, *(s + later for s in second.stamps)]
    if first.sound is None or second.sound is None:
        return replace(first, pictures=pictures, stamps=stamps)
    heard = int(np.flatnonzero((np.abs(first.sound) > _SILENCE).any(1))[-1]) + 1
    at = floor((second.sound_start + later - first.sound_start) * RATE + Fraction(1, 2))
    sound = np.zeros((at + len(second.sound), second.sound.shape[1]))
    sound[at:] = second.sound
    sound[:heard] = first.sound[:heard]
    return replace(first, pictures=pictures, stamps=stamps, sound=sound)


def _places(film: Path, stamps: list[Fraction]) -> list[Fraction]:
    """The times of the pictures, where a file has none (bare streams), none of many (program streams), or tells the
    order of decoding alone (AVI, MXF and ASF with B pictures): as they come out of the decoder, they are shown. Empty
    where there are true stamps. `stamps` are FFmpeg's."""
    with av.open(str(film)) as media:
        video = media.streams.video[0]
        base, rate = Fraction(video.time_base or 0), Fraction(video.guessed_rate or 25)
        packets: list[Any] = []
        bare = int(media.format.flags) & 0x80  # AVFMT_NOTIMESTAMPS: its stamps are made up
        with suppress(av.error.FFmpegError):  # the end of some
            packets.extend(packet for packet in media.demux(video=0) if packet.size)
    if film.suffix == ".gxf":  # of its last picture FFmpeg guesses that it lasts one field
        return [ceil(stamp * rate) / rate for stamp in stamps]
    if bare or all(packet.pts is None for packet in packets):
        return [n / rate for n in range(len(packets))]
    if any(packet.pts is None for packet in packets):
        return (
            [stamps[0] + n / rate for n in range(len(packets))] if len(packets) == len(stamps) else _led(stamps, rate)
        )
    shown, decoded = [p.dts if film.suffix == ".avi" else p.pts for p in packets], [p.dts for p in packets]
    delays = {None if a is None or b is None else a - b for a, b in zip(shown, decoded, strict=True)}
    known = [delay for delay in delays if delay is not None]  # equal but for roundings, of ticks that are short
    if len(known) < len(delays) or max(known) - min(known) > int(4 * base < 1 / rate):
        return []
    return sorted(stamp * base for stamp in shown if stamp is not None)


def _led(stamps: list[Fraction], rate: Fraction) -> list[Fraction]:
    """Stamps of a program stream cut in the middle: pictures before the first one that has a stamp, which FFmpeg counts
    from zero, come right before it."""
    leap = next((n for n, (stamp, after) in enumerate(pairwise(stamps), 1) if after - stamp > 1), 0)
    return [stamps[leap] - (leap - n) / rate for n in range(leap)] + stamps[leap:]


def _framecrc(file: Path) -> tuple[dict[str, str], list[tuple[int, int]]]:
    """The header's values, and (stamp, length) of each picture or block, both in ticks."""
    lines = file.read_text(encoding="utf-8").splitlines()
    header = dict(line[1:].replace(" 0:", ":").split(": ", 1) for line in lines if line.startswith("#"))
    rows = [line.split(",") for line in lines if line and not line.startswith("#")]
    return header, [(int(row[2]), int(row[3])) for row in rows]


def _placed(film: Path, folder: Path, number: int) -> tuple[Fraction, Samples | None, tuple[str, ...]]:
    """Every block of sound at its place, silence between, brought to RATE; and where the first one begins.

    Samples count on; a stamp that is further off than its clock's tick moves them.
    """
    header, rows = _framecrc(folder / "a.txt")
    if not rows:
        return Fraction(0), None, ()
    rate, names = int(header["sample_rate"]), _channel_names(header["channel_layout_name"])
    with av.open(str(film)) as media:
        slack = ceil(Fraction(media.streams.audio[number].time_base or 0) * rate)
    data = np.frombuffer((folder / "a").read_bytes(), "<f4").reshape(-1, len(names))
    tick = Fraction(header["tb"]) * rate  # in samples: 1, but where a codec has its own clock
    places: list[tuple[int, int]] = []  # of each block, and its samples
    for (pts, length), (after, _) in zip(rows, [*rows[1:], rows[-1]], strict=True):
        stamp, samples = round(pts * tick), round(length * tick)
        counted = sum(places[-1]) if places else stamp
        lost = max(0, round((stamp - counted) / samples)) * samples  # in whole blocks, if the clock allows it
        place = next((at for at in (counted, counted + lost) if abs(stamp - at) <= slack), stamp)
        if abs(round(after * tick) - counted - samples) <= slack:  # of Vorbis one alone may be wrong
            place = counted
        places.append((place, samples))
    begin, end = min(place for place, _ in places), max(place + samples for place, samples in places)
    second = rate // np.gcd(rate, RATE)  # samples that are a whole number at RATE too
    whole = np.zeros((-(-(end - begin + rate) // second) * second, len(names)))
    at, reached = 0, begin
    for place, samples in places:  # where two blocks meet, the first one is heard to its end
        part = data[at : at + samples][max(0, reached - place) :]
        reached = max(reached, place)
        whole[reached - begin : reached - begin + len(part)] = part
        reached += len(part)
        at += samples
    return Fraction(begin, rate), _resampled(whole, rate), names


def _resampled(sound: Samples, rate: int) -> Samples:
    """At RATE, exact for what is below half of either rate."""
    if rate == RATE:
        return sound
    size = len(sound) * RATE // rate
    spectrum = np.fft.rfft(sound, axis=0)
    target = np.zeros((size // 2 + 1, sound.shape[1]), np.complex128)
    kept = min(len(spectrum), len(target))
    target[:kept] = spectrum[:kept]
    return np.asarray(np.fft.irfft(target, size, axis=0) * RATE / rate)


def _channel_names(layout: str) -> tuple[str, ...]:
    if layout.endswith(" channels"):  # of no known order
        return tuple(f"channel {n}" for n in range(int(layout.split()[0])))
    if own := re.fullmatch(r"\d+ channels \((.+)\)", layout):  # one by one, in an order of their own
        return tuple(own[1].split("+"))
    return tuple(channel.name for channel in av.AudioLayout(layout).channels)


@dataclass(frozen=True, slots=True)
class Shot:
    """So many trailer frames from a moment of the film on; `start` is in seconds after its first picture."""

    what: str
    start: Fraction
    frames: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """The times at which a film's pictures come on screen, in seconds after `zero`, a constant rate's exactly."""

    times: list[Fraction]
    slack: Fraction  # by which a variable film's time may be off: its clock's tick

    @classmethod
    def of(cls, film: Decoded, zero: Fraction, rate: Fraction | None) -> Timeline:
        """`rate` is None for a variable film."""
        times = [stamp - zero for stamp in film.stamps]
        if rate is None:
            return cls(times, film.tick)
        return cls([_on_grid(time, rate, film.tick) for time in times], Fraction(0))

    def at(self, time: Fraction) -> set[int]:
        """The pictures that may be on screen at a time: one, or two within a tick of a variable film's change."""
        moments = {time, time - self.slack, time + self.slack}
        return {max(0, bisect_right(self.times, moment) - 1) for moment in moments}


def _on_grid(time: Fraction, rate: Fraction, tick: Fraction) -> Fraction:
    line = round(time * rate) / rate
    return line if abs(line - time) <= max(tick, Fraction(1, 2000)) else time


def picture_faults(
    film: Decoded, times: Timeline, trailer: Decoded, shots: Sequence[Shot], rate: Fraction
) -> list[str]:
    """What is wrong with the trailer's pictures, a line for each run of wrong ones."""
    wanted = [(shot.what, k, times.at(shot.start + k / rate)) for shot in shots for k in range(shot.frames)]
    if len(wanted) != len(trailer.pictures):
        return [f"{len(trailer.pictures)} pictures, not {len(wanted)}"]
    faults = []
    for index, (what, k, choice) in enumerate(wanted):
        if not any(_same(film.pictures[n], trailer.pictures[index]) for n in choice):
            right = " or ".join(film.number(n) for n in sorted(choice))
            faults.append((what, f"{k}: {trailer.number(index)} for {right}"))
    return [
        f"{what}: {sum(1 for w, _ in faults if w == what)} wrong pictures ({fault})"
        for what, fault in dict(reversed(faults)).items()
    ]


_SMALL = (64, 36)


def _same(film: Luma, trailer: Luma) -> bool:
    """Whether a trailer's picture is the film's: the same number and the same look."""
    a, b = (cv2.resize(picture, _SMALL, interpolation=cv2.INTER_AREA).astype(np.int16) for picture in (film, trailer))
    return float(np.abs(a - b).mean()) < 6 and number_of(film) == number_of(trailer)


def sound_faults(film: Decoded, zero: Fraction, trailer: Decoded, shots: Sequence[Shot], rate: Fraction) -> list[str]:
    """What is wrong with the trailer's sound, a line for each shot; at most half a sample off is right."""
    assert trailer.sound is not None
    faults, position = [], 0
    for shot in shots:
        start, end = (floor(frames / rate * RATE + Fraction(1, 2)) for frames in (position, position + shot.frames))
        heard = trailer.sound[start:end]
        exact = (shot.start + zero - film.sound_start - position / rate) * RATE + start
        position += shot.frames
        fault = _sound_fault(film, exact, heard)
        if fault:
            faults.append(f"{shot.what}: {fault}")
    return faults


def _sound_fault(film: Decoded, exact: Fraction, heard: Samples) -> str | None:
    """`exact`: the place in the film's sound that the first sample is from."""
    at = floor(exact + Fraction(1, 2))
    wanted = stretch(film.sound, at, len(heard))
    if wanted is None or not wanted.any():
        return "sound where the film has none" if np.abs(heard).max() > 0.01 else None
    if _rms(heard) < _rms(wanted) / 20:
        return "silence"
    shifts = sorted(range(-floor(film.loose), floor(film.loose) + 1), key=abs)
    tried = [(shift, piece) for shift in shifts if (piece := stretch(film.sound, at + shift, len(heard))) is not None]
    shift, wanted = min(tried, key=lambda one: _rms(_fit(one[1], heard)[2])) if len(tried) > 1 else (0, wanted)
    weights, late, residual = _fit(wanted, heard)
    blocks = range(0, len(heard) - _BLOCK + 1, _BLOCK)
    # Beside a hole the resampler's edge is none of ours.
    wrong = [
        n // _BLOCK
        for n in blocks
        if _rms(residual[n : n + _BLOCK]) > 0.15 * _rms(wanted[n : n + _BLOCK] @ weights) + 0.004
    ]
    if len(wrong) > len(blocks) // 20:
        return f"{len(wrong)} of {len(blocks)} blocks wrong (from {wrong[0]}){_displacement(film, at, heard)}"
    tick = float(film.tick * RATE)  # stamps of a clock that is nearly as fine as the samples may differ by one
    if abs(off := at + shift - late - float(exact)) > 0.75 + float(film.loose) + (tick if tick < 1 else 0):
        return f"{off:+.2f} samples off"
    one = wanted.shape[1] == 2 and np.allclose(wanted[:, 0], wanted[:, 1], atol=0.002)  # mono for a while
    return None if one else _balance(film.names, weights)


def stretch(sound: Samples | None, at: int, length: int) -> Samples | None:
    """`length` samples from place `at`, silence where there are none."""
    if sound is None:
        return None
    out = np.zeros((length, sound.shape[1]))
    first, last = max(at, 0), min(at + length, len(sound))
    if first < last:
        out[first - at : last - at] = sound[first:last]
    return out


def _fit(wanted: Samples, heard: Samples) -> tuple[Samples, float, Samples]:
    """The weights with which the film's channels are in the trailer's, how many samples late, and what is left."""
    slope = np.gradient(wanted, axis=0)
    both = np.linalg.lstsq(np.hstack([wanted, slope]), heard, rcond=1e-6)[0]
    count = wanted.shape[1]
    weights, shifts = both[:count], both[count:]
    strongest = np.unravel_index(np.abs(weights).argmax(), weights.shape)
    offset = float(-shifts[strongest] / weights[strongest]) if weights[strongest] else 0.0
    return weights, offset, heard - np.hstack([wanted, slope]) @ both


def _displacement(film: Decoded, at: int, heard: Samples) -> str:
    """Where within a second the sound comes from instead, in words."""
    if not heard.any():
        return ": silence"
    window = stretch(film.sound, at - RATE, len(heard) + 2 * RATE)
    assert window is not None
    size = 1 << len(window).bit_length()
    best, where = 0.0, 0
    for piece in heard.T:
        energy = np.sqrt(piece @ piece) + 1e-9
        for channel in window.T:
            product = np.fft.rfft(channel, size) * np.conj(np.fft.rfft(piece, size))
            matches = np.abs(np.fft.irfft(product, size)[: 2 * RATE])
            match = float(matches.max() / energy / (np.sqrt(channel @ channel) + 1e-9))
            best, where = max((best, where), (match, int(matches.argmax()) - RATE))
    return f": {where:+d} samples of the film" if best > 0.15 else ": nothing of the film"


def _balance(names: tuple[str, ...], weights: Samples) -> str | None:
    """A channel that is not there, or on the wrong side."""
    loudest = np.abs(weights).max()
    for name, (left, right) in zip(names, np.abs(weights), strict=True):
        if name not in ("LFE", "LFE2") and max(left, right) < 0.25 * loudest:
            return f"channel {name} is not heard"
        if name in ("FL", "SL", "BL", "FLC", "DL") and left <= right and len(names) > 1:
            return f"channel {name} is not on the left"
        if name in ("FR", "SR", "BR", "FRC", "DR") and right <= left and len(names) > 1:
            return f"channel {name} is not on the right"
    return None


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))
