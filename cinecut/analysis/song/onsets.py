"""A song becomes the signals that beat tracking needs: band energies, chroma and a fine loudness curve.

The song is decoded in blocks by PyAV, so that memory is bounded by the signals (some 30 MB for 20 minutes) and the
song's clock is the one that FFmpeg plays: second 0 is the first decoded sample. Every signal is centred on its frame's
moment, so that no window length ever shows up as lateness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from cinecut.diagnostics import Diagnostic, Stop
from cinecut.language.facts import SongFacts

Floats = NDArray[np.float32]
Progress = Callable[[float], None]

RATE = 24_000  # samples per second of the analysis
HOP = 120  # samples from frame to frame
FPS = RATE // HOP  # frames per second of `bands` and of the onset envelopes
CHROMA_FPS = 10
FINE_FPS = 1000  # steps per second of `fine`
LIMIT = 20 * 60  # seconds of a song that are listened to

_WINDOW = 1024  # samples: 43 ms, the usual compromise for onsets
_CHROMA_WINDOW = 4096
_BLOCK = 10 * RATE  # new samples that are transformed at once
_EDGE = _CHROMA_WINDOW // 2
BAND_EDGES = np.geomspace(30.0, 11_000.0, 26)  # Hz: 24 overlapping triangles
LOW_BANDS = 6  # the bands below about 200 Hz: kick and bass


@dataclass(frozen=True, slots=True)
class SongSound:
    """What one song sounds like.

    bands   [frames at FPS, 24]         magnitudes of the bands, linear
    chroma  [frames at CHROMA_FPS, 12]  magnitudes of the pitch classes, C first
    fine    [steps at FINE_FPS]         mean square of the differentiated sound, which favours attacks
    level   [steps at FINE_FPS]         mean square of the sound
    """

    bands: Floats
    chroma: Floats
    fine: Floats
    level: Floats
    duration: Fraction  # seconds that were listened to
    warnings: tuple[Diagnostic, ...]


def song_facts(song: Path, fingerprint: str) -> SongFacts:
    """The exact length and the shape of a song's sound. Raises Stop as `listen` does."""
    rate, channels, layout, samples = 0, 0, "stereo", 0
    for frame in decode(song, []):
        if not samples:
            rate, channels, layout = frame.sample_rate, frame.layout.nb_channels, frame.layout.name
        samples += frame.samples
    return SongFacts(fingerprint, Fraction(samples, rate), rate, channels, layout)


def listen(song: Path, progress: Progress | None = None, limit: int = LIMIT) -> SongSound:
    """Decode and measure the first `limit` seconds. `progress` is told the share done, 0 to 1.

    Raises Stop: missing-file, unreadable, no-audio.
    """
    warnings: list[Diagnostic] = []
    parts: list[tuple[Floats, Floats, Floats, Floats]] = []
    expected = max(1.0, min(_container_seconds(song), limit))
    bands, chroma = _band_filters(), _chroma_filters()
    carried = np.zeros(_EDGE, np.float32)  # the half window before second 0
    heard = 0
    for block in _blocks(song, limit, warnings):
        heard += block.size
        fresh = np.concatenate([carried, block])
        ready = (fresh.size - 2 * _EDGE) // (RATE // CHROMA_FPS) * (RATE // CHROMA_FPS)
        if ready > 0:
            parts.append(_measure(fresh[: ready + 2 * _EDGE], bands, chroma))
            carried = fresh[ready:]
        else:
            carried = fresh
        if progress is not None:
            progress(min(1.0, heard / RATE / expected))
    tail = -(-(carried.size - _EDGE) // (RATE // CHROMA_FPS)) * (RATE // CHROMA_FPS)
    parts.append(_measure(np.pad(carried, (0, tail + 2 * _EDGE - carried.size)), bands, chroma))
    if heard >= limit * RATE:
        part = f"the first {limit // 60} minutes"
        warnings.append(Diagnostic("music", f"{song.name}: beats are taken from {part} of a longer recording"))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return SongSound(columns[0], columns[1], columns[2], columns[3], Fraction(heard, RATE), tuple(warnings))


def decode(song: Path, warnings: list[Diagnostic]) -> Iterator[av.AudioFrame]:
    """The frames of the best audio stream; damage in the middle becomes a warning, and what comes before it is used.

    Raises Stop: missing-file, unreadable (nothing at all could be decoded), no-audio.
    """
    with _open(song) as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, av.AudioStream):
            raise Stop("no-audio", f"{song} has no sound", "give a song, or a video with sound, as music")
        samples, rate, damaged = 0, 1, 0
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                for frame in packet.decode():
                    samples, rate = samples + frame.samples, frame.sample_rate
                    yield frame
            except av.error.EOFError:
                break
            except (av.error.FFmpegError, ValueError):
                damaged += 1
                if damaged > 1000 and not samples:
                    break
    if not samples:
        raise Stop("unreadable", f"{song}: its sound cannot be decoded", "is the file complete? try to play it")
    if damaged:
        usable = f"{samples / rate:.1f} s are usable"
        warnings.append(Diagnostic("music", f"{song.name} is damaged: {damaged} packets were skipped, {usable}"))


def _open(song: Path) -> av.container.InputContainer:
    if not song.exists():
        raise Stop("missing-file", f"the music {song} does not exist")
    if not song.is_file():
        raise Stop("unreadable", f"the music {song} is not a file")
    try:
        return av.open(str(song.resolve()))
    except (av.error.FFmpegError, OSError, ValueError) as reason:
        raise Stop("unreadable", f"{song} cannot be read as sound: {reason}", "is it a song?") from reason


def _container_seconds(song: Path) -> float:
    with _open(song) as container:
        return (container.duration or 0) / av.time_base


def _blocks(song: Path, limit: int, warnings: list[Diagnostic]) -> Iterator[Floats]:
    """Mono samples at RATE, about _BLOCK at a time, at most `limit` seconds."""
    resampler: av.AudioResampler | None = None
    held: list[Floats] = []
    size, left = 0, limit * RATE
    shape: tuple[int, str, str] | None = None
    for frame in decode(song, warnings):
        if shape != (frame.sample_rate, frame.layout.name, frame.format.name):  # chained streams may change it
            shape = (frame.sample_rate, frame.layout.name, frame.format.name)
            resampler = av.AudioResampler("flt", "mono", RATE)
        assert resampler is not None
        frame.pts = None  # counted, not read: gaps in the stamps of a song mean nothing
        for mono in resampler.resample(frame):
            held.append(_clean(mono))
            size += held[-1].size
        if size >= _BLOCK or size >= left:
            yield np.concatenate(held)[:left]
            left -= size
            held, size = [], 0
            if left <= 0:
                return
    if resampler is not None:
        held += [_clean(mono) for mono in resampler.resample(None)]
    if held:
        yield np.concatenate(held)[:left]


def _clean(frame: av.AudioFrame) -> Floats:
    samples = frame.to_ndarray().reshape(-1).astype(np.float32, copy=False)
    return np.asarray(np.clip(np.nan_to_num(samples, posinf=1.0, neginf=-1.0), -8.0, 8.0), np.float32)


def _measure(sound: Floats, bands: Floats, chroma: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Signals of a stretch that carries _EDGE samples of its neighbours on both sides."""
    inner = sound[_EDGE - _WINDOW // 2 : sound.size - _EDGE + _WINDOW // 2]
    middle = sound[_EDGE : sound.size - _EDGE]
    step = RATE // FINE_FPS
    attack = np.diff(sound[_EDGE - 1 : sound.size - _EDGE])
    return (
        _spectra(inner, _WINDOW, HOP) @ bands,
        _spectra(sound, _CHROMA_WINDOW, RATE // CHROMA_FPS) @ chroma,
        np.square(attack).reshape(-1, step).mean(axis=1),
        np.square(middle).reshape(-1, step).mean(axis=1),
    )


def _spectra(sound: Floats, window: int, hop: int) -> Floats:
    """Magnitudes [frames, window // 2 + 1]; one frame for each hop that fits before the last window."""
    count = (sound.size - window) // hop
    frames = np.lib.stride_tricks.sliding_window_view(sound, window)[: count * hop : hop]
    taper = np.hanning(window + 1)[:-1].astype(np.float32)
    return np.abs(np.fft.rfft(frames * taper, axis=1)).astype(np.float32)


def _band_filters() -> Floats:
    """Triangles over the bins [bins, 24], each of weight one, narrow ones at least a bin wide."""
    hertz = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    left, peak, right = BAND_EDGES[:-2], BAND_EDGES[1:-1], BAND_EDGES[2:]
    width = RATE / _WINDOW
    rising = (hertz[:, None] - left + width) / (peak - left + width)
    falling = (right - hertz[:, None] + width) / (right - peak + width)
    weights = np.clip(np.minimum(rising, falling), 0.0, None)
    return np.asarray(weights / weights.sum(axis=0), np.float32)


def _chroma_filters() -> Floats:
    """Pitch classes of the bins between 100 Hz and 4 kHz [bins, 12]."""
    hertz = np.fft.rfftfreq(_CHROMA_WINDOW, 1 / RATE)
    weights = np.zeros((hertz.size, 12), np.float32)
    heard = (hertz >= 100.0) & (hertz <= 4000.0)
    pitch = np.round(12 * np.log2(hertz[heard] / 261.6256)).astype(int) % 12
    weights[np.flatnonzero(heard), pitch] = 1.0
    return weights
