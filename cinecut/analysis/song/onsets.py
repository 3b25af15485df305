"""Measuring a song for beat tracking: band energies, chroma and a fine loudness curve.

PyAV decodes the song in blocks, so that only the signals are in memory (about 30 MB for 20 minutes). Time is the same
as in FFmpeg: second 0 is the first decoded sample. Every signal is centred on its frame's time, so that a window
causes no delay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from cinecut.analysis.stage import Advance
from cinecut.diagnostics import Diagnostic
from cinecut.media.probe import song_facts
from cinecut.media.sound.samples import Floats, counted, mono, song_frames, without_offset

RATE = 24_000  # samples per second of the analysis
HOP = 120  # samples from frame to frame
FPS = RATE // HOP  # frames per second of `bands` and of the onset envelopes
CHROMA_FPS = 10
FINE_FPS = 1000  # steps per second of `fine`
LIMIT = 20 * 60  # seconds of a song that are analysed

_WINDOW = 1024  # samples: 43 ms, the usual compromise for onsets
_CHROMA_WINDOW = 4096
_BLOCK = 10 * RATE  # samples that are transformed at once
_EDGE = _CHROMA_WINDOW // 2
BAND_EDGES = np.geomspace(30.0, 11_000.0, 26)  # Hz: 24 overlapping triangles
LOW_BANDS = 6  # the bands below about 200 Hz: kick and bass
HIGH_BANDS = 16  # the first band above about 1.5 kHz: hats


@dataclass(frozen=True, slots=True)
class SongSound:
    """The measured signals of a song.

    bands   [frames at FPS, 24]         magnitudes of the bands, linear
    chroma  [frames at CHROMA_FPS, 12]  magnitudes of the pitch classes, C first
    fine    [steps at FINE_FPS]         mean square of the differentiated sound, which favours attacks
    level   [steps at FINE_FPS]         mean square of the sound
    """

    bands: Floats
    chroma: Floats
    fine: Floats
    level: Floats
    duration: Fraction  # seconds that were analysed
    warnings: tuple[Diagnostic, ...]


def listen(song: Path, progress: Advance | None = None, limit: int = LIMIT) -> SongSound:
    """Decode and measure the first `limit` seconds. `progress` is called with the share done, 0..1.

    Raises Stop: missing-file, unreadable, no-audio.
    """
    warnings: list[Diagnostic] = []
    parts: list[tuple[Floats, Floats, Floats, Floats]] = []
    expected = max(1.0, min(float(song_facts(song).duration), limit))
    bands, chroma = _band_filters(), _chroma_filters()
    carried = np.zeros(_EDGE, np.float32)  # the half window before second 0
    listened = 0
    for block in _blocks(song, limit, warnings):
        listened += block.size
        fresh = np.concatenate([carried, block])
        ready = (fresh.size - 2 * _EDGE) // (RATE // CHROMA_FPS) * (RATE // CHROMA_FPS)
        if ready > 0:
            parts.append(_measure(fresh[: ready + 2 * _EDGE], bands, chroma))
            carried = fresh[ready:]
        else:
            carried = fresh
        if progress is not None:
            progress(min(1.0, listened / RATE / expected))
    tail = -(-(carried.size - _EDGE) // (RATE // CHROMA_FPS)) * (RATE // CHROMA_FPS)
    parts.append(_measure(np.pad(carried, (0, tail + 2 * _EDGE - carried.size)), bands, chroma))
    if listened >= limit * RATE:
        part = f"the first {limit // 60} minutes"
        warnings.append(Diagnostic("music", f"the beats are taken from {part} of a longer recording"))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return SongSound(columns[0], columns[1], columns[2], columns[3], Fraction(listened, RATE), tuple(warnings))


def _blocks(song: Path, limit: int, warnings: list[Diagnostic]) -> Iterator[Floats]:
    """Mono samples at RATE, _BLOCK at a time, at most `limit` seconds."""
    left = limit * RATE
    for block in in_blocks(mono(counted(song_frames(song, warnings)), RATE), _BLOCK):
        yield np.asarray(np.clip(without_offset(block[:left]), -8.0, 8.0), np.float32)
        left -= block.size
        if left <= 0:
            return


def in_blocks(parts: Iterable[Floats], size: int) -> Iterator[Floats]:
    """The samples of all parts in blocks of one size; the last block may be smaller."""
    waiting: list[Floats] = []
    count = 0
    for part in parts:
        waiting.append(part)
        count += part.size
        if count >= size:
            joined = np.concatenate(waiting)
            whole = count // size * size
            yield from joined[:whole].reshape(-1, size)
            waiting, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(waiting)


def _measure(sound: Floats, bands: Floats, chroma: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The signals of a block, which has _EDGE more samples of its neighbours on both sides."""
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
    """Magnitudes [frames, window // 2 + 1], one frame for each hop before the last window."""
    count = (sound.size - window) // hop
    frames = np.lib.stride_tricks.sliding_window_view(sound, window)[: count * hop : hop]
    taper = np.hanning(window + 1)[:-1].astype(np.float32)
    return np.abs(np.fft.rfft(frames * taper, axis=1)).astype(np.float32)


def _band_filters() -> Floats:
    """Triangular filters [bins, 24], each with a sum of 1 and at least one bin wide."""
    hertz = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    left, peak, right = BAND_EDGES[:-2], BAND_EDGES[1:-1], BAND_EDGES[2:]
    width = RATE / _WINDOW
    rising = (hertz[:, None] - left + width) / (peak - left + width)
    falling = (right - hertz[:, None] + width) / (right - peak + width)
    weights = np.clip(np.minimum(rising, falling), 0.0, None)
    return np.asarray(weights / weights.sum(axis=0), np.float32)


def _chroma_filters() -> Floats:
    """The pitch classes of the bins between 100 Hz and 4 kHz [bins, 12]."""
    hertz = np.fft.rfftfreq(_CHROMA_WINDOW, 1 / RATE)
    weights = np.zeros((hertz.size, 12), np.float32)
    audible = (hertz >= 100.0) & (hertz <= 4000.0)
    pitch = np.round(12 * np.log2(hertz[audible] / 261.6256)).astype(int) % 12
    weights[np.flatnonzero(audible), pitch] = 1.0
    return weights
