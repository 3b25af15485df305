"""Making films by recipe: numbered pictures and known noise, encoded, written and then treated as the recipe says.

    Recipe ─ encode ─► a film ─ steps (copied, cut, packets lost, stamps changed) ─► as people have it

The picture's number is spread over all 16 bits of the oracle's code, so that a torn or mixed picture never reads as
another picture's number.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from oracle import BUNDLED, draw_code

Step = Callable[[Path, Path], None]
"""Makes a file out of another one; both suffixes are the recipe's."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a film is made, and what a plain decode cannot say about it.

    `picture`, `sound` and `container` are FFmpeg's output options; no `sound`: a silent film. `second` is a second
    recording, put after the first one.
    """

    container: str  # the name in the table, "mkv"; with a suffix of its own: "mpeg program stream .vob"
    codecs: str  # the name in the table, "h264 + aac"
    oddity: str = ""
    picture: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    options: tuple[str, ...] = ()  # of the container
    before: tuple[str, ...] = ()  # options of the picture's input
    filters: str = "null"
    sound_filters: str = ""
    rate: str = "25"
    frames: int = 100
    size: tuple[int, int] = (256, 144)
    layout: str = "stereo"
    sample_rate: int = 48000
    more: tuple[str, ...] = ()  # further output options
    steps: tuple[Step, ...] = ()
    second: Recipe | None = None
    join: Literal["bytes", "concat"] = "bytes"
    variable: bool = False  # irregular pictures: the trailer's rate is said in the spec
    film_sound: int = 0  # which stream of sound is the film's
    places: tuple[str, ...] = ()  # further shots, in seconds after the first picture
    restarts: bool = False  # stamps start again
    repacked: bool = False  # its steps change nothing of what is in it

    @property
    def name(self) -> str:
        return ", ".join(part for part in (f"{self.container} {self.codecs}", self.oddity) if part)

    @property
    def suffix(self) -> str:
        return "." + self.container.rpartition(".")[2].split()[-1]


def make(recipe: Recipe, path: Path) -> None:
    """Write the film. Raises RuntimeError with FFmpeg's words when it refuses."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / f"0{recipe.suffix}"
        _encode(recipe, made, 0)
        if recipe.second is not None:
            more = Path(folder) / f"more{recipe.suffix}"
            _encode(recipe.second, more, recipe.frames)
            made = _joined(recipe.join, made, more, Path(folder) / f"1{recipe.suffix}")
        for number, step in enumerate(recipe.steps, 2):
            treated = Path(folder) / f"{number}{recipe.suffix}"
            step(made, treated)
            made = treated
        made.replace(path)


def _joined(join: str, first: Path, second: Path, out: Path) -> Path:
    if join == "bytes":
        out.write_bytes(first.read_bytes() + second.read_bytes())
        return out
    listing = out.with_suffix(".txt")
    listing.write_text(f"file '{first.name}'\nfile '{second.name}'\n", encoding="utf-8")
    ffmpeg("-f", "concat", "-i", listing, "-map", "0", "-c", "copy", out)
    return out


def ffmpeg(*arguments: str | Path) -> None:
    done = subprocess.run(
        [BUNDLED, "-nostdin", "-v", "error", "-y", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-600:])


# Steps


def copied(*options: str, before: tuple[str, ...] = ()) -> Step:
    """Copied without encoding, with FFmpeg's options (bitstream filters change stamps and leave out packets)."""

    def step(film: Path, out: Path) -> None:
        ffmpeg(*before, "-i", film, "-map", "0", "-c", "copy", *options, out)

    return step


def bytes_of(start: str, end: str = "1") -> Step:
    """Only what lies between two shares of the file's length."""

    def step(film: Path, out: Path) -> None:
        data = film.read_bytes()
        out.write_bytes(data[int(len(data) * Fraction(start)) : int(len(data) * Fraction(end))])

    return step


def with_zeros(share: str, count: int) -> Step:
    """With so many zeros after a share of the file's length: of a transport stream, between two packets."""

    def step(film: Path, out: Path) -> None:
        data = film.read_bytes()
        at = len(data) if share == "1" else int(len(data) * Fraction(share)) // 188 * 188
        out.write_bytes(data[:at] + bytes(count) + data[at:])

    return step


def lost(start: str, end: str, kind: Literal["v", "a"] = "v") -> Step:
    """Without the packets between two times, in seconds."""
    return copied(f"-bsf:{kind}", f"noise=drop='between(pts*tb,{start},{end})'")


def with_cover(film: Path, out: Path) -> None:
    """With a still picture as its first stream, as shops and libraries put it."""
    cover = out.with_suffix(".png")
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", cover)
    ffmpeg("-i", cover, "-i", film, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic", out)


def skewed(seconds: str) -> Step:
    """A transport stream whose sound is stored so much before its picture: its stamps, not its place, are later."""

    def step(film: Path, out: Path) -> None:
        data = bytearray(film.read_bytes())
        for at in range(0, len(data) - 187, 188):
            start = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
            is_sound = (data[at + 1] & 31) << 8 | data[at + 2] == 0x101 and data[at + 1] & 0x40
            if is_sound and data[start : start + 3] == b"\0\0\1" and data[start + 7] & 0x80:
                _restamp(data, start + 9, round(Fraction(seconds) * 90000))
        out.write_bytes(data)

    return step


def _restamp(data: bytearray, at: int, ticks: int) -> None:
    """Add to the stamp that an MPEG header holds in five bytes."""
    a, b, c, d, e = data[at : at + 5]
    stamp = ((a >> 1) & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1
    stamp = (stamp + ticks) % (1 << 33)
    a, b, c = a & 0xF0 | stamp >> 29 & 0xE | 1, stamp >> 22 & 255, stamp >> 14 & 0xFE | 1
    data[at : at + 5] = bytes([a, b, c, stamp >> 7 & 255, stamp << 1 & 0xFE | 1])


# The picture and the sound

_SPREAD, _OFFSET = 40503, 12345  # odd: n * 40503 + 12345 runs through all numbers of 16 bits
_BACK = pow(_SPREAD, -1, 1 << 16)


def code_of(number: int) -> int:
    return (number * _SPREAD + _OFFSET) & 0xFFFF


def number_of_code(code: int) -> int:
    return (code - _OFFSET) * _BACK & 0xFFFF


_TURNS = {"90": 1, "180": 2, "270": 3}


def _encode(recipe: Recipe, out: Path, first: int) -> None:
    width, height = recipe.size
    raw = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", f"{width}x{height}", "-framerate", recipe.rate]
    command: list[str | Path] = [BUNDLED, "-v", "error", "-y", *recipe.before, "-noautorotate", *raw, "-i", "pipe:0"]
    pcm = out.with_suffix(".s16")
    if recipe.sound:
        start, length = first / Fraction(recipe.rate), recipe.frames / Fraction(recipe.rate)
        pcm.write_bytes(noise(recipe.layout, recipe.sample_rate, start, length).tobytes())
        layout = ["-ch_layout", recipe.layout, "-ar", str(recipe.sample_rate)]
        command += ["-f", "s16le", *layout, "-i", pcm]
    command += ["-map", "0:v", "-vf", recipe.filters, "-fps_mode", "passthrough", *recipe.picture]
    if recipe.sound:
        command += ["-map", "1:a", *recipe.sound]
        command += ["-af", recipe.sound_filters] if recipe.sound_filters else []
    command += ["-strict", "-2", *recipe.options, *recipe.more, out]
    with tempfile.TemporaryFile() as log:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log) as process:
            assert process.stdin
            with suppress(BrokenPipeError), process.stdin:
                grey = np.full(2 * ((width + 1) // 2) * ((height + 1) // 2), 128, np.uint8).tobytes()
                for number in range(first, first + recipe.frames):
                    process.stdin.write(draw_code(code_of(number), (width, height)).tobytes() + grey)
        if process.returncode:
            log.seek(0)
            raise RuntimeError(f"no {recipe.name}: {log.read().decode(errors='replace')[-600:]}")


_CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8}
_BAND = (150, 2800)  # Hz: what codecs of speech keep too
_SECONDS = 16


def noise(layout: str, rate: int, start: Fraction, length: Fraction) -> NDArray[np.int16]:
    """Band-limited noise, another one in each channel, [shape=(samples, channels)]."""
    whole = np.stack([_channel(c, rate) for c in range(channels_of(layout))], axis=1)
    return whole[round(start * rate) : round((start + length) * rate)]


@lru_cache(maxsize=16)
def _channel(channel: int, rate: int) -> NDArray[np.int16]:
    low, high = (edge * _SECONDS for edge in _BAND)
    parts = np.random.default_rng(channel + 1).standard_normal((high - low, 2))
    spectrum = np.zeros(rate * _SECONDS // 2 + 1, np.complex128)
    spectrum[low:high] = parts @ (1, 1j) * (0.1 * rate * _SECONDS / 2 / np.sqrt(high - low))
    return (np.fft.irfft(spectrum, rate * _SECONDS) * 32767).astype(np.int16)


@lru_cache
def channels_of(layout: str) -> int:
    import av

    return int(av.AudioLayout(layout).nb_channels)


def silent(recipe: Recipe) -> Recipe:
    return replace(recipe, sound=())
