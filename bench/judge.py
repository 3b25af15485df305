"""Whether a rendered cut list is right: its frames, their colour, its sound, where both end.

Every output frame is compared with the film's own frame at that place. Encoding adds noise and a wrong colour matrix an
offset, so a frame counts as wrong only when a neighbour of the right frame is clearly nearer to it once both means are
taken away, or when it resembles none of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from bench.film import Film
from bench.rendering.cutlist import SAMPLE_RATE, Shot

NEIGHBOURS = (-2, -1, 1, 2)
NEARER = 0.7  # of the right frame's squared error: a neighbour below it is the frame that is really shown
UNLIKE = 255**2 / 10**2.2  # squared error of 22 dB: another picture altogether
SEARCH = 0.06  # seconds of sound to either side of where it belongs
MARGIN = 0.05  # seconds kept from a cut when sound is compared
ALIKE = 0.8  # correlation from which two stretches of sound are the same one

Planes = tuple[
    NDArray[np.int16], NDArray[np.int16], NDArray[np.int16]
]  # every second pixel of Y, U, V in each direction


@dataclass(frozen=True, slots=True)
class Verdict:
    frames: int
    wrong: int  # frames that show another film frame than they should
    psnr: tuple[float, float, float]  # dB of Y, U, V over all frames
    shift: float  # the largest mean difference of one plane of one frame, levels of 255
    tags: tuple[str, ...]  # the film's colour tags that the output does not carry
    sound: tuple[float, float, float]  # ms late: least, median, most over the shots
    picture_end: float  # seconds
    sound_end: float  # seconds


def judge(output: Path, film: Film, shots: Sequence[Shot], film_sound: NDArray[np.float32]) -> Verdict:
    """Compare a rendered cut list with its film. `film_sound` is what `sound_of` says of the film."""
    squares, means, wrong, frames = [], [], 0, 0
    expected = _expected(film, shots)
    with av.open(str(output)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        end = 0.0
        for frame in container.decode(stream):
            frames += 1
            end = float(frame.time or 0) + float(1 / film.rate)
            candidates = next(expected, None)
            if candidates is None:
                continue
            shown = _planes(frame)
            square, mean = _differences(shown, candidates[0])
            squares.append(square)
            means.append(mean)
            wrong += _is_wrong(shown[0], candidates)
    sound = sound_of(output)
    return Verdict(
        frames,
        wrong + abs(frames - sum(shot.frames for shot in shots)),
        _decibels(np.mean(squares, axis=0)),
        float(np.abs(means).max()),
        _lost_tags(film.path, output),
        _lateness(sound, film, shots, film_sound),
        end,
        len(sound) / SAMPLE_RATE,
    )


def sound_of(path: Path) -> NDArray[np.float32]:
    """The first sound stream as mono at 48 kHz [shape=(samples,)], counted from the first picture's moment on."""
    blocks: list[NDArray[np.float32]] = []
    with av.open(str(path)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        begin = float((picture.start_time or 0) * (picture.time_base or 0))
        resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE)
        first: float | None = None
        for frame in container.decode(sound):
            if first is None:
                first = float(frame.time or 0) - begin
            blocks += [block.to_ndarray()[0] for block in resampler.resample(frame)]
        blocks += [block.to_ndarray()[0] for block in resampler.resample(None)]
    samples = np.concatenate(blocks).astype(np.float32)
    gap = round((first or 0) * SAMPLE_RATE)
    return np.concatenate([np.zeros(gap, np.float32), samples]) if gap >= 0 else samples[-gap:]


def _expected(film: Film, shots: Sequence[Shot]) -> Iterator[list[Planes]]:
    """For each output frame in turn: the film's frame that belongs there, then that frame's neighbours."""
    reach = max(NEIGHBOURS)
    with av.open(str(film.path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for shot in shots:
            low = max(0, shot.start - reach)
            near = _film_frames(container, film, low, min(film.frames, shot.start + shot.frames + reach))
            for k in range(shot.start, shot.start + shot.frames):
                yield [near[k - low], *(near[k + d - low] for d in NEIGHBOURS if 0 <= k + d - low < len(near))]


def _film_frames(container: av.container.InputContainer, film: Film, start: int, end: int) -> list[Planes]:
    """The film's frames from `start` up to `end`, counted by their stamps."""
    stream = container.streams.video[0]
    base, first = stream.time_base, stream.start_time or 0
    assert base is not None
    container.seek(first + round(start / film.rate / base), stream=stream)
    planes: list[Planes] = []
    for frame in container.decode(stream):
        index = round(((frame.pts or 0) - first) * base * film.rate)
        if index >= end:
            break
        if index >= start:
            planes.append(_planes(frame))
    return planes


def _planes(frame: av.VideoFrame) -> Planes:
    if frame.format.name != "yuv420p":
        frame = frame.reformat(format="yuv420p")
    flat = frame.to_ndarray()
    height, width = frame.height, frame.width
    luma, chroma = flat[:height], flat[height:].reshape(2, height // 2, width // 2)
    return tuple(plane[::2, ::2].astype(np.int16) for plane in (luma, chroma[0], chroma[1]))  # type: ignore[return-value]


def _differences(shown: Planes, right: Planes) -> tuple[list[float], list[float]]:
    """Mean squared and mean difference of Y, U, V."""
    differences = [a - b for a, b in zip(shown, right, strict=True)]
    return [float(np.mean(np.square(d, dtype=np.int32))) for d in differences], [float(d.mean()) for d in differences]


def _is_wrong(luma: NDArray[np.int16], candidates: Sequence[Planes]) -> bool:
    right, *others = (float((luma - planes[0]).var(dtype=np.float32)) for planes in candidates)
    return right > UNLIKE or (right > 1 and min(others) < NEARER * right)


def _decibels(squares: NDArray[np.float64]) -> tuple[float, float, float]:
    y, u, v = (10 * math.log10(255**2 / max(square, 1e-6)) for square in squares)
    return y, u, v


def _lost_tags(film: Path, output: Path) -> tuple[str, ...]:
    names = ("color_range", "colorspace", "color_primaries", "color_trc")
    with av.open(str(film)) as a, av.open(str(output)) as b:
        old, new = a.streams.video[0].codec_context, b.streams.video[0].codec_context
        return tuple(name for name in names if getattr(old, name) != getattr(new, name))


def _lateness(
    sound: NDArray[np.float32], film: Film, shots: Sequence[Shot], film_sound: NDArray[np.float32]
) -> tuple[float, float, float]:
    """How late the sound is against its frames (ms): least, median and most over the shots that have sound."""
    late: list[float] = []
    position = 0
    for shot in shots:
        margin = round(MARGIN * SAMPLE_RATE)
        here = [round(float(k / film.rate) * SAMPLE_RATE) for k in (position, position + shot.frames)]
        there = round(float(shot.start / film.rate) * SAMPLE_RATE)
        position += shot.frames
        heard = sound[here[0] + margin : here[1] - margin]
        lag = _lag(heard, film_sound, there + margin)
        if lag is not None:
            late.append(lag / SAMPLE_RATE * 1000)
    return (min(late), float(np.median(late)), max(late)) if late else (math.nan, math.nan, math.nan)


def _lag(heard: NDArray[np.float32], source: NDArray[np.float32], place: int) -> float | None:
    """By how many samples (and parts of one) `heard` lies after `source[place:]`; None if it isn't found there.

    The peak of the normalised cross-correlation, refined by the parabola through its neighbours.
    """
    reach = round(SEARCH * SAMPLE_RATE)
    around = source[max(0, place - reach) : place + len(heard) + reach]
    if len(heard) == 0 or len(around) < len(heard) + 2 * reach or float(heard.std()) < 1e-3:
        return None
    size = 1 << (len(around) + len(heard)).bit_length()
    spectrum = np.fft.rfft(around, size) * np.conj(np.fft.rfft(heard, size))
    products = np.fft.irfft(spectrum, size)[: 2 * reach + 1]
    energy = np.concatenate([[0.0], np.cumsum(np.square(around, dtype=np.float64))])
    local = energy[len(heard) : len(heard) + 2 * reach + 1] - energy[: 2 * reach + 1]
    likeness = products / np.sqrt(np.maximum(local, 1e-9) * np.square(heard, dtype=np.float64).sum())
    peak = int(likeness.argmax())
    if likeness[peak] < ALIKE or not 0 < peak < 2 * reach:
        return None
    left, top, right = likeness[peak - 1 : peak + 2]
    return reach - peak - 0.5 * float((left - right) / (left - 2 * top + right))
