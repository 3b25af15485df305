"""The frame oracle: films whose picture is their frame number and whose sound tells its own sample number.

    Film ─ make_film ─► a file ─ (render) ─► read_frames, read_sound ─► compare with what Film says

The picture is a code of 16 bits and their complement in a white ring, so that scaling, cropping, letterboxing, fades
and deinterlacing leave it readable, and a mixture of two frames is seen as one. The sound is band-limited noise from a
seed, known at every sample rate: no stretch of it is like another, so cross-correlation finds where a piece is from.

>>> code = draw_code(4711, (640, 360))
>>> number_of(code)
4711
>>> blend_of(code // 4 * 3 + draw_code(4712, (640, 360)) // 4, 4711, 4712)
Blend(weight=0.25, residual=0.0)
"""

from __future__ import annotations

import subprocess
import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Literal, NamedTuple

import av
import cv2
import imageio_ffmpeg
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

Luma = NDArray[np.uint8]  # [shape=(height, width)], 0 black to 255 white
Samples = NDArray[np.float32]  # [shape=(samples, channels)], full scale is 1

BUNDLED = Path(imageio_ffmpeg.get_ffmpeg_exe())


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of a film; `start` is in seconds after the first picture, negative: before it."""

    rate: int = 48000
    channels: Literal[1, 2, 6] = 2
    codec: Literal["aac", "pcm_s16le", "flac"] = "aac"
    start: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Film:
    """What a film is to be, and the truth about it afterwards. The path's suffix names the container.

    `start` is the first picture's stamp in the container, in seconds, as far as its time base can tell (avi and ts
    carry a start of their own); `rotation` the degrees clockwise that a player turns the picture (mp4 and mov, made by
    the bundled FFmpeg); `size` the stored pixels, before rotation and pixel aspect. A `variable` film has irregular
    `stamps` and `rate` as its mean (mkv, mp4, mov).
    """

    path: Path
    rate: Fraction
    frames: int
    size: tuple[int, int] = (320, 180)
    codec: Literal["libx264", "mpeg4", "mjpeg", "ffv1", "prores_ks"] = "libx264"
    gop: int = 48
    open_gop: bool = False
    bframes: int = 3
    sound: Sound | None = None
    start: Fraction = Fraction(0)
    variable: bool = False
    rotation: Literal[0, 90, 180, 270] = 0
    sar: Fraction = Fraction(1)
    interlaced: bool = False  # coded as interlaced, top field first; both fields show the same number
    pix_fmt: str = "yuv420p"
    options: tuple[str, ...] = ()  # further output options, such as colour tags

    @property
    def stamps(self) -> list[Fraction]:
        """Seconds from the first picture to each picture, before a container rounds them (mkv: to milliseconds)."""
        if not self.variable:
            return [k / self.rate for k in range(self.frames)]
        period, ticks = sum(_TICKS), np.cumsum((0, *_TICKS[:-1])).tolist()
        tick = Fraction(len(_TICKS), period) / self.rate
        return [(k // len(_TICKS) * period + ticks[k % len(_TICKS)]) * tick for k in range(self.frames)]

    def frame_at(self, seconds: Fraction) -> int:
        """The frame on screen, `seconds` after the first picture; the last one stays."""
        return max(0, bisect_right(self.stamps, seconds) - 1)

    def heard(self, rate: int | None = None) -> Samples:
        """The film's whole sound at its own sample rate, to the bit as a lossless codec keeps it, or at another.

        Sample n is heard `sound.start + n / rate` seconds after the first picture.
        """
        if self.sound is None:
            raise ValueError(f"{self.path.name} has no sound")
        rate = rate or self.sound.rate
        length = self.frames / self.rate
        noise = np.stack([_noise(c, ceil(length), rate) for c in range(self.sound.channels)], axis=1)
        noise = noise[: round(length * rate)]
        if rate == self.sound.rate:
            noise = np.rint(noise * 32768) / 32768
        return noise.astype(np.float32)


# Lengths of a variable film's pictures, repeated; a tick is a quarter of the mean length.
_TICKS = (4, 3, 5, 4, 8, 1, 2, 5)


# Making films


def make_film(film: Film, ffmpeg: Path = BUNDLED) -> Film:
    """Write the film to its path with `ffmpeg`. Raises RuntimeError with FFmpeg's words when it refuses."""
    if not 0 < film.frames <= 1 << 16:
        raise ValueError("a frame number has 16 bits")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        command = [str(ffmpeg), "-v", "error", "-y", *_picture_input(film)]
        if film.sound:
            pcm = Path(folder) / "sound.s16"
            pcm.write_bytes((film.heard() * 32768).astype("<i2").tobytes())
            command += _sound_input(film.sound, pcm)
        command += [*_picture_output(film), *_sound_output(film.sound), *film.options, str(film.path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log) as process:
            assert process.stdin
            with suppress(BrokenPipeError), process.stdin:  # where FFmpeg goes away, its log says why
                for picture in _pictures(film):
                    process.stdin.write(picture)
        if process.returncode:
            log.seek(0)
            raise RuntimeError(f"no {film.path.name}: {log.read().decode(errors='replace')}")
    return film


def _picture_input(film: Film) -> list[str]:
    width, height = film.size
    turn = ["-display_rotation", str(-film.rotation)] if film.rotation else []
    size = ["-pixel_format", "yuv420p", "-video_size", f"{width}x{height}", "-framerate", str(_input_rate(film))]
    return [*turn, "-noautorotate", "-f", "rawvideo", *size, "-i", "pipe:0"]


def _input_rate(film: Film) -> Fraction:
    """The constant rate at which the pictures go into FFmpeg: the ticks of a variable film's stamps."""
    return film.rate * sum(_TICKS) / len(_TICKS) if film.variable else film.rate


def _sound_input(sound: Sound, pcm: Path) -> list[str]:
    return ["-f", "s16le", "-ar", str(sound.rate), "-ac", str(sound.channels), "-i", str(pcm)]


def _picture_output(film: Film) -> list[str]:
    filters = [f"setsar={film.sar.numerator}/{film.sar.denominator}"]
    if film.variable:
        within = "+".join(f"{sum(_TICKS[:k])}*eq(mod(N,{len(_TICKS)}),{k})" for k in range(1, len(_TICKS)))
        filters.append(f"setpts='floor(N/{len(_TICKS)})*{sum(_TICKS)}+{within}'")
    if film.interlaced:
        filters.append("setfield=tff")
    clock = ["-fps_mode", "passthrough", "-enc_time_base:v", str(1 / _input_rate(film))]
    encoder = ["-c:v", film.codec, "-pix_fmt", film.pix_fmt, "-g", str(film.gop), "-threads", "2"]
    if film.codec == "libx264":
        x264 = f"open-gop={int(film.open_gop)}:scenecut=0:keyint={film.gop}:min-keyint={film.gop}"
        encoder += ["-preset", "veryfast", "-crf", "18", "-x264-params", x264]
    elif film.codec != "ffv1":
        encoder += ["-q:v", "3"]
    if film.codec in ("libx264", "mpeg4"):
        encoder += ["-bf", str(film.bframes)]
    if film.interlaced:
        encoder += ["-flags", "+ilme+ildct"]
    offset = ["-output_ts_offset", f"{float(film.start):.9f}"] if film.start else []
    return ["-map", "0:v", "-vf", ",".join(filters), *clock, *encoder, *offset]


def _sound_output(sound: Sound | None) -> list[str]:
    if sound is None:
        return []
    # FFmpeg 9.0 ignores -itsoffset on raw samples; asetpts counts in samples here.
    shift = ["-af", f"asetpts=PTS+({round(sound.start * sound.rate)})"] if sound.start else []
    rate = ["-b:a", f"{96 * sound.channels}k"] if sound.codec == "aac" else []
    return ["-map", "1:a", *shift, "-c:a", sound.codec, *rate]


def _pictures(film: Film) -> Iterator[bytes]:
    """The stored pictures as yuv420p: the code upright for who sees the film as a player turns it."""
    width, height = film.size
    shown = film.size if film.rotation % 180 == 0 else (height, width)
    grey = np.full(2 * ((width + 1) // 2) * ((height + 1) // 2), 128, np.uint8).tobytes()
    for number in range(film.frames):
        yield np.rot90(draw_code(number, shown), film.rotation // 90).tobytes() + grey


# The picture's code

# A grid of 20 x 12 units: a white ring, a black ring, then four rows of eight cells of 2 x 2 units, most significant
# bit first: the high byte, its complement, the low byte, its complement.
_COLUMNS, _ROWS = 20, 12
# Where the grid lies in the picture: inside a crop of the outer tenth, and clear of titles in the lower third.
_LEFT, _TOP, _RIGHT, _BOTTOM = 0.12, 0.12, 0.88, 0.66
# Coded luma. Off the legal limits, so that a shift of levels shows as such and isn't clipped away.
_PAPER, _DARK, _LIGHT = 16, 32, 220


class Shown(Enum):
    """A picture without one number."""

    BLACK = "black"
    WHITE = "white"
    BLEND = "a mixture of two numbers"


Picture = int | Shown | None
"""What a frame shows: its number, black, white or a blend; None: unreadable (a card, a torn or a covered code)."""


class Blend(NamedTuple):
    weight: float  # of the second frame: 0 is only the first
    residual: float  # the worst disagreement of a bit with that mixture: 0 none, 1 half the contrast


def draw_code(number: int, size: tuple[int, int]) -> Luma:
    """The coded luma of a frame, [shape=(height, width)]."""
    width, height = size
    units = np.full((_ROWS, _COLUMNS), _LIGHT, np.uint8)
    units[1:-1, 1:-1] = _DARK
    units[2:-2, 2:-2] = np.where(np.kron(_cells(number), np.ones((2, 2))), _LIGHT, _DARK)
    luma = np.full((height, width), _PAPER, np.uint8)
    top, bottom = round(height * _TOP), round(height * _BOTTOM)
    left, right = round(width * _LEFT), round(width * _RIGHT)
    rows = np.arange(bottom - top) * _ROWS // (bottom - top)
    columns = np.arange(right - left) * _COLUMNS // (right - left)
    luma[top:bottom, left:right] = units[np.ix_(rows, columns)]
    return luma


def _cells(number: int) -> NDArray[np.bool_]:
    bits = (number >> np.arange(15, -1, -1) & 1).astype(bool).reshape(2, 8)
    return np.stack([bits[0], ~bits[0], bits[1], ~bits[1]])


def number_of(luma: Luma) -> Picture:
    """What a frame shows. A mixture counts as a number while the other frame's weight is under 0.05."""
    below = cv2.calcHist([luma], [0], None, [256], [0, 256]).cumsum() / luma.size  # share of pixels up to each level
    dark, light = (int(level) for level in np.searchsorted(below, (0.01, 0.99)))
    if light - dark < 12:
        return Shown.BLACK if light < 48 else Shown.WHITE if dark > 208 else None
    try:
        bits = _read_bits(luma)
    except LookupError:
        return None
    if np.abs(bits).min() < 0.9:
        return Shown.BLEND
    return int((bits > 0) @ (1 << np.arange(15, -1, -1)))


def blend_of(luma: Luma, a: int, b: int) -> Blend:
    """How much of frame `b` is in a mixture of the film frames `a` and `b`, least squares over the bits that differ.

    Raises LookupError when there is no code in the picture. A number that isn't in the mixture shows as a residual.
    """
    bits = _read_bits(luma)
    first, second = (2.0 * _cells(n)[[0, 2]].ravel() - 1 for n in (a, b))
    change = second - first
    if not change.any():
        raise ValueError("a blend of a frame with itself has no weight")
    weight = float((bits - first) @ change / (change @ change))
    return Blend(round(weight, 6), round(float(np.abs(bits - first - weight * change).max()), 6))


def contrast_of(luma: Luma) -> float:
    """The contrast that a dip or a fade leaves to the code: 1 in the film, 0 where nothing is left.

    Measured on full-range grey as `read_pictures` gives it. Raises LookupError when there is no code in the picture.
    """
    code = _find_code(luma)
    return (code.light - code.dark) / ((_LIGHT - _DARK) * 255 / 219)


def _read_bits(luma: Luma) -> NDArray[np.float64]:
    """The 16 bits of a code from -1 (zero) to 1 (one), [shape=(16,)]. Raises LookupError without a whole code."""
    code = _find_code(luma)
    cells = (code.cells - code.dark) / (code.light - code.dark)
    bits, complement = cells[[0, 2]].ravel(), cells[[1, 3]].ravel()
    if np.abs(bits + complement - 1).max() > 0.25:
        raise LookupError("the bits and their complement disagree: a torn code")
    return bits - complement


class _Code(NamedTuple):
    dark: float  # luma of the black ring
    light: float  # luma of the white ring
    cells: NDArray[np.float64]  # luma of the cells [shape=(4, 8)]


def _find_code(luma: Luma) -> _Code:
    """The code, wherever it lies and however large: the bright figure with the largest box is its ring.

    Raises LookupError when there is none.
    """
    bright = (luma > (int(luma.min()) + int(luma.max())) // 2).astype(np.uint8)
    figures, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not figures:
        raise LookupError("nothing in this picture")
    x, y, width, height = max(map(cv2.boundingRect, figures), key=lambda box: box[2] * box[3])
    # Four samples to a side of a unit, of which the middle two count.
    fine = cv2.resize(luma[y : y + height, x : x + width], (_COLUMNS * 4, _ROWS * 4), interpolation=cv2.INTER_AREA)
    units = fine.reshape(_ROWS, 4, _COLUMNS, 4)[:, 1:3, :, 1:3].mean(axis=(1, 3), dtype=np.float64)
    white, black = _ring(units), _ring(units[1:-1, 1:-1])
    contrast = float(white.mean() - black.mean())
    # A ring is even: it holds no cells, no title and no edge of another picture.
    if min(width / _COLUMNS, height / _ROWS) < 2 or contrast < 8 or max(map(np.ptp, (white, black))) > 0.4 * contrast:
        raise LookupError("no code in this picture")
    cells = units[2:-2, 2:-2].reshape(4, 2, 8, 2).mean(axis=(1, 3))
    return _Code(float(black.mean()), float(white.mean()), cells)


def _ring(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([grid[0], grid[-1], grid[1:-1, 0], grid[1:-1, -1]])


def read_pictures(path: Path) -> Iterator[Luma]:
    """The frames of a video as a player shows them: full-range grey, turned by the display matrix."""
    return (luma for _, luma in read_shown(path))


def read_shown(path: Path) -> Iterator[tuple[Fraction, Luma]]:
    """The same with the container's stamps, in seconds."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        reformatter = VideoReformatter()  # one for all: each frame would make one of its own
        for frame in container.decode(video=0):
            grey = reformatter.reformat(frame, format="gray").to_ndarray()
            # The matrix turns counter-clockwise, and so does rot90.
            yield _stamp(frame), np.ascontiguousarray(np.rot90(grey, round(frame.rotation / 90)))


def read_frames(path: Path) -> list[Picture]:
    """What each frame of a video shows."""
    return [number_of(luma) for luma in read_pictures(path)]


def read_stamps(path: Path) -> list[Fraction]:
    """The container's stamps of the pictures, in seconds, in the order in which they are shown."""
    with av.open(str(path)) as container:
        return [_stamp(frame) for frame in container.decode(video=0)]


# The sound's code

_BAND = (100, 4000)  # Hz: AAC codes this waveform truly, and above it may put noise of its own


@lru_cache(maxsize=12)
def _noise(channel: int, seconds: int, rate: int) -> NDArray[np.float64]:
    """Band-limited noise of RMS 0.1, periodic in `seconds`: the same function of time at every sample rate."""
    low, high = (edge * seconds for edge in _BAND)
    parts = np.random.default_rng((channel, seconds)).standard_normal((high - low, 2))
    samples = rate * seconds
    spectrum = np.zeros(samples // 2 + 1, np.complex128)
    spectrum[low:high] = parts @ (1, 1j) * (0.1 * samples / 2 / np.sqrt(high - low))
    return np.fft.irfft(spectrum, samples)


def read_sound(path: Path) -> Samples:
    """All samples of the first audio stream at its own rate, PCM to the bit, [shape=(samples, channels)]."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    if not frames:
        raise LookupError(f"no sound in {path.name}")
    to_float = av.AudioResampler(format="fltp")
    planes = [part.to_ndarray() for frame in [*frames, None] for part in to_float.resample(frame)]
    return np.ascontiguousarray(np.concatenate(planes, axis=1).T, np.float32)


def read_sound_start(path: Path) -> Fraction:
    """The container's stamp of the first sample, in seconds."""
    with av.open(str(path)) as container:
        return _stamp(next(container.decode(audio=0)))


def _stamp(frame: av.VideoFrame | av.AudioFrame) -> Fraction:
    if frame.pts is None or frame.time_base is None:
        raise LookupError("a frame without a stamp")
    return frame.pts * frame.time_base
