"""The sound of beats and bars, and the phrases that bars form.

Phrases: the turns of the sound at bar lines (a checkerboard novelty after Foote, 2000), joined to pieces of the lengths
that music has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.song.onsets import CHROMA_FPS, FINE_FPS, FPS, SongSound

Array = NDArray[np.float64]

_SLOTS = 2  # parts of a stretch whose sound is compared
_QUIET = 30.0  # dB under the loudest bar at which a bar's energy is 0
_SILENT = -70.0  # dBFS: no bar counts as loud below it
_DEEP = 60.0  # dB under the loudest bar at which nothing is heard beside it
_LENGTH_COST = {8: 0.0, 16: 0.1, 4: 0.2, 12: 0.3}  # of a phrase, by its bars; a clear turn is worth 1
_ODD_LENGTH_COST = 0.7


@dataclass(frozen=True, slots=True)
class Timbre:
    """The running sums of a song's sound, from which the mean of any stretch is two rows apart.

    bands   [frames at FPS + 1, 24]         level of every band, in nepers
    chroma  [frames at CHROMA_FPS + 1, 12]  roots of the pitch classes' magnitudes
    power   [steps at FINE_FPS + 1, 1]      mean square
    """

    bands: Array
    chroma: Array
    power: Array


@dataclass(frozen=True, slots=True)
class BeatSound:
    """The sound of every beat, up to the next one.

    pattern  [beats, n]      level of 8 bands in each part of the beat, in nepers
    bands    [beats, 24]     level of every band, in nepers
    chroma   [beats, 12]     of length one
    power    [beats]         mean square
    """

    pattern: Array
    bands: Array
    chroma: Array
    power: Array

    def of(self, beats: slice) -> BeatSound:
        """That of some of the beats."""
        return BeatSound(self.pattern[beats], self.bands[beats], self.chroma[beats], self.power[beats])


@dataclass(frozen=True, slots=True)
class Section:
    """Some bars that belong together: first bar, number of bars, how clearly they begin (0..1), mean energy (0..1)."""

    bar: int
    bars: int
    strength: float
    energy: float


def timbre(sound: SongSound) -> Timbre:
    """Prepare a song's sound for the means of its beats."""
    level = np.log(sound.bands / (np.percentile(sound.bands.max(axis=1), 95) + 1e-9) + 1e-3)
    return Timbre(_sums(level), _sums(np.sqrt(sound.chroma)), _sums(sound.level[:, None]))


def beat_sound(timbre: Timbre, beats: Array) -> BeatSound:
    """Measure every stretch between neighbours of `beats` (seconds, the end of the last beat included)."""
    parts = np.interp(np.arange((beats.size - 1) * _SLOTS + 1) / _SLOTS, np.arange(beats.size), beats)
    slots = _means(timbre.bands, parts * FPS)
    coarse = slots.reshape(len(slots), 8, -1).mean(axis=2)
    chroma = _means(timbre.chroma, beats * CHROMA_FPS)
    chroma = chroma - chroma.min(axis=1, keepdims=True)
    return BeatSound(
        coarse.reshape(beats.size - 1, -1),
        slots.reshape(beats.size - 1, _SLOTS, -1).mean(axis=1),
        chroma / (np.linalg.norm(chroma, axis=1, keepdims=True) + 1e-9),
        _means(timbre.power, beats * FINE_FPS)[:, 0],
    )


def sounding(power: Array, per_bar: int) -> slice:
    """The bars between the silences at a song's head and tail; all bars of a song that is silent throughout."""
    loudness = _loudness(power, per_bar)
    heard = np.flatnonzero(loudness > max(loudness.max() - _DEEP, _SILENT))
    return slice(int(heard[0]), int(heard[-1]) + 1) if heard.size else slice(0, loudness.size)


def bar_energy(power: Array, per_bar: int) -> Array:
    """Loudness of every bar [bars]: 1 for the loudest, 0 for 30 dB less or silence, straight in dB between."""
    loudness = _loudness(power, per_bar)
    return np.asarray(np.clip(1 + (loudness - max(loudness.max(), _SILENT)) / _QUIET, 0.0, 1.0))


def _loudness(power: Array, per_bar: int) -> Array:
    """[bars] in dBFS, of the power of every beat."""
    starts = np.arange(0, power.size, per_bar)
    mean = np.add.reduceat(power, starts) / np.diff(np.append(starts, power.size))
    return np.asarray(10 * np.log10(mean + 1e-12))


def sections(beat: BeatSound, per_bar: int, energy: Array) -> tuple[Section, ...]:
    """The phrases, which tile the bars: the choice of boundaries with most novelty for the least odd lengths."""
    count = energy.size
    starts = np.arange(0, len(beat.bands), per_bar)
    sound = np.hstack([bar_means(beat.bands, starts), 2.0 * bar_means(beat.chroma, starts)])
    novelty = np.maximum(change(sound, 4), change(sound, 2))
    wide = np.pad(novelty, 1)
    novelty[(novelty < wide[:-2]) | (novelty < wide[2:])] = 0.0  # turns, not slopes
    novelty = np.minimum(novelty / (np.percentile(novelty[novelty > 0], 90) if novelty.any() else 1.0), 1.0)
    best, back = np.full(count + 1, -np.inf), np.zeros(count + 1, int)
    best[0] = 0.0
    for end in range(1, count + 1):
        for bars in range(1, min(16, end) + 1):
            gain = best[end - bars] - _LENGTH_COST.get(bars, _ODD_LENGTH_COST)
            gain += novelty[end] if end < count else 0.0
            if gain > best[end]:
                best[end], back[end] = gain, end - bars
    sections: list[Section] = []
    end = count
    while end > 0:
        start = int(back[end])
        strength = float(novelty[start]) if start else 1.0
        sections.append(Section(start, end - start, strength, float(energy[start:end].mean())))
        end = start
    return tuple(reversed(sections))


def bar_means(features: Array, starts: NDArray[np.int_]) -> Array:
    sums = np.add.reduceat(features, starts, axis=0)
    return np.asarray(sums / np.diff(np.append(starts, len(features)))[:, None])


def _sums(signal: NDArray[np.floating]) -> Array:
    return np.vstack([np.zeros((1, signal.shape[1])), np.cumsum(signal, axis=0, dtype=np.float64)])


def _means(sums: Array, edges: Array) -> Array:
    """Mean between neighbouring `edges` (frames, ascending) [edges - 1, n], from the running sums [frames + 1, n]."""
    index = np.clip(np.round(edges).astype(int), 0, len(sums) - 1)
    left, right = index[:-1], index[1:]
    return np.asarray((sums[right] - sums[left]) / np.maximum(right - left, 1)[:, None])


def alikeness(features: Array, distance: int) -> float:
    """Mean correlation of beats that are `distance` apart, -1..1."""
    flat = features - features.mean(axis=0)
    flat = flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-9)
    return float(np.mean(np.sum(flat[:-distance] * flat[distance:], axis=1)))


def change(features: Array, reach: int) -> Array:
    """How far the mean of the next `reach` rows lies from that of the last `reach`, for every row.

    Near the ends, where there are fewer rows, it counts for less; for the first row it is 0.
    """
    count = len(features)
    total = _sums(features)
    now = np.arange(count)
    left, right = np.maximum(now - reach, 0), np.minimum(now + reach, count)
    before = (total[now] - total[left]) / np.maximum(now - left, 1)[:, None]
    after = (total[right] - total[now]) / (right - now)[:, None]
    known = np.minimum(now - left, right - now) / reach
    return np.asarray(np.linalg.norm(after - before, axis=1) * np.sqrt(known))
