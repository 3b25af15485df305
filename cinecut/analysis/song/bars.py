"""Beats become bars and phrases: the metre, the downbeat, where the music turns, and how loud each bar is.

Metre: beats sound alike at a distance of one bar. Downbeat: bass, changes of harmony and turns of the whole sound fall
on it. Phrases: the turns of the sound at bar lines (a checkerboard novelty after Foote, 2000), joined to pieces of the
lengths that music has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.song.onsets import CHROMA_FPS, FINE_FPS, FPS, SongSound

Array = NDArray[np.float64]

_SLOTS = 2  # parts of a stretch whose sound is compared
_QUIET = 30.0  # dB under the loudest bar at which a bar's energy is 0
_ON_BEAT = 2.0  # weight of the bass on all beats of a bar, against that on its downbeat alone
_SILENT = -70.0  # dBFS: no bar counts as loud below it
_LENGTH_COST = {8: 0.0, 16: 0.1, 4: 0.2, 12: 0.3}  # of a phrase, by its bars; a clear turn is worth 1
_ODD_LENGTH_COST = 0.7


@dataclass(frozen=True, slots=True)
class BeatSound:
    """The sound of every beat (or half beat), up to the next one.

    pattern  [beats, n]      level of 8 bands in each part of the beat, in nepers
    bands    [beats, 24]     level of every band, in nepers
    chroma   [beats, 12]     of length one
    low      [beats]         strength of the low onset at its start
    power    [beats]         mean square
    """

    pattern: Array
    bands: Array
    chroma: Array
    low: Array
    power: Array


@dataclass(frozen=True, slots=True)
class Section:
    """Some bars that belong together: first bar, number of bars, how clearly they begin (0..1), mean energy (0..1)."""

    bar: int
    bars: int
    strength: float
    energy: float


def beat_sound(sound: SongSound, low: Array, beats: Array) -> BeatSound:
    """Measure every stretch between neighbours of `beats` (seconds, the end of the last beat included)."""
    level = np.log(sound.bands / (np.percentile(sound.bands.max(axis=1), 95) + 1e-9) + 1e-3)
    parts = np.interp(np.arange((beats.size - 1) * _SLOTS + 1) / _SLOTS, np.arange(beats.size), beats)
    slots = _means(level, parts * FPS)
    coarse = slots.reshape(len(slots), 8, -1).mean(axis=2)
    chroma = _means(np.sqrt(sound.chroma), beats * CHROMA_FPS)
    chroma = chroma - chroma.min(axis=1, keepdims=True)
    near = np.clip(np.round(beats[:-1, None] * FPS).astype(int) + np.arange(-8, 9), 0, low.size - 1)
    return BeatSound(
        coarse.reshape(beats.size - 1, -1),
        slots.reshape(beats.size - 1, _SLOTS, -1).mean(axis=1),
        chroma / (np.linalg.norm(chroma, axis=1, keepdims=True) + 1e-9),
        low[near].max(axis=1),
        _means(sound.level[:, None], beats * FINE_FPS)[:, 0],
    )


def metre(beat: BeatSound) -> int:
    """Beats in a bar, 3 to 7: beats a whole number of bars apart are more alike than others.

    3 where it is clearly better than 4; 5, 6 and 7, which few songs have, where they are better than that without a
    doubt. Two bars of a waltz are no six.
    """
    if len(beat.pattern) < 24:
        return 4
    reach = range(2, min(15, len(beat.pattern) // 2))
    alike = {k: _alikeness(beat.pattern, k) + 0.5 * _alikeness(beat.chroma, k) for k in reach}
    three = np.mean([alike[3], alike[6], alike[9]])
    four = np.mean([alike[2], alike[4], alike[8], alike[10]])
    usual = 3 if three > four + 0.05 else 4
    clear = {bar: _clearness(alike, bar) for bar in ((3, 5, 7) if usual == 3 else (4, 5, 6, 7))}
    best = max(clear, key=lambda bar: clear[bar])
    return best if clear[best] > clear[usual] + _RARE else usual


_RARE = 0.15  # by which a rare metre must be clearer than a usual one


def _clearness(alike: dict[int, float], bar: int) -> float:
    """How much more alike beats whole bars apart are than those next to that distance."""
    whole = [k for k in alike if k % bar == 0]
    other = [k for k in alike if k % bar != 0]
    return float(np.mean([alike[k] for k in whole]) - np.mean([alike[k] for k in other]))


def downbeat(half: BeatSound, per_bar: int) -> int:
    """Index of the first downbeat among half beats, 0 <= index < 2 * per_bar.

    Half beats, because the loudest onsets are not always the beats: a snare between them can outdo the kick. What
    falls on a downbeat decides both: bass, a change of harmony, a turn of the sound over one bar and over four. The
    bass on the other beats of the bar counts, too.
    """
    steps = 2 * per_bar
    if len(half.low) < 2 * steps:
        return 0
    place = np.arange(len(half.low)) % steps
    score = np.zeros(steps)
    for signal in (
        half.low,
        _peaked(_change(half.chroma, per_bar)),
        _peaked(_change(half.bands, steps)),
        _peaked(_change(half.bands, 4 * steps)),
    ):
        spread = float(signal.std()) + 1e-9
        score += [(signal[place == step].mean() - signal.mean()) / spread for step in range(steps)]
    on_beat = [half.low[place % 2 == parity].mean() for parity in (0, 1)]
    score += _ON_BEAT * (np.tile(on_beat, per_bar) - half.low.mean()) / (float(half.low.std()) + 1e-9)
    return int(np.argmax(score))


def beats_of(half: BeatSound, first: int) -> BeatSound:
    """The sound of whole beats, each joined from its two halves, from half beat `first` on."""

    def joined(rows: Array) -> Array:
        rows = rows[first:]
        return np.asarray((rows[: rows.shape[0] // 2 * 2 : 2] + rows[1::2][: rows.shape[0] // 2]) / 2)

    count = (len(half.low) - first) // 2
    return BeatSound(
        half.pattern[first : first + 2 * count].reshape(count, -1),
        joined(half.bands),
        joined(half.chroma),
        half.low[first : first + 2 * count : 2],
        joined(half.power),
    )


def bar_energy(power: Array, per_bar: int) -> Array:
    """Loudness of every bar [bars]: 1 for the loudest, 0 for 30 dB less or silence, straight in dB between."""
    starts = np.arange(0, power.size, per_bar)
    mean = np.add.reduceat(power, starts) / np.diff(np.append(starts, power.size))
    loudness = 10 * np.log10(mean + 1e-12)
    return np.asarray(np.clip(1 + (loudness - max(loudness.max(), _SILENT)) / _QUIET, 0.0, 1.0))


def sections(beat: BeatSound, per_bar: int, energy: Array) -> tuple[Section, ...]:
    """The phrases, which tile the bars: the choice of boundaries with most novelty for the least odd lengths."""
    count = energy.size
    starts = np.arange(0, len(beat.bands), per_bar)
    sound = np.hstack([bar_means(beat.bands, starts), 2.0 * bar_means(beat.chroma, starts)])
    novelty = np.maximum(_change(sound, 4), _change(sound, 2))
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
    found: list[Section] = []
    end = count
    while end > 0:
        start = int(back[end])
        strength = float(novelty[start]) if start else 1.0
        found.append(Section(start, end - start, strength, float(energy[start:end].mean())))
        end = start
    return tuple(reversed(found))


def bar_means(features: Array, starts: NDArray[np.int_]) -> Array:
    sums = np.add.reduceat(features, starts, axis=0)
    return np.asarray(sums / np.diff(np.append(starts, len(features)))[:, None])


def _means(signal: NDArray[np.floating], edges: Array) -> Array:
    """Mean of `signal` [frames, n] between neighbouring `edges` (frames, ascending) [edges - 1, n]."""
    total = np.vstack([np.zeros((1, signal.shape[1])), np.cumsum(signal, axis=0, dtype=np.float64)])
    index = np.clip(np.round(edges).astype(int), 0, len(signal))
    left, right = index[:-1], index[1:]
    return np.asarray((total[right] - total[left]) / np.maximum(right - left, 1)[:, None])


def _alikeness(features: Array, distance: int) -> float:
    """Mean correlation of beats that are `distance` apart, -1..1."""
    flat = features - features.mean(axis=0)
    flat = flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-9)
    return float(np.mean(np.sum(flat[:-distance] * flat[distance:], axis=1)))


def _change(features: Array, reach: int) -> Array:
    """How far the mean of the next `reach` rows lies from that of the last `reach`, for every row.

    Near the ends, where there are fewer rows, it counts for less; for the first row it is 0.
    """
    count = len(features)
    total = np.vstack([np.zeros((1, features.shape[1])), np.cumsum(features, axis=0)])
    now = np.arange(count)
    left, right = np.maximum(now - reach, 0), np.minimum(now + reach, count)
    before = (total[now] - total[left]) / np.maximum(now - left, 1)[:, None]
    after = (total[right] - total[now]) / (right - now)[:, None]
    known = np.minimum(now - left, right - now) / reach
    return np.asarray(np.linalg.norm(after - before, axis=1) * np.sqrt(known))


def _peaked(signal: Array) -> Array:
    """What stands out of both neighbours."""
    wide = np.pad(signal, 1, mode="edge")
    return np.asarray(np.maximum(2 * signal - wide[:-2] - wide[2:], 0.0))
