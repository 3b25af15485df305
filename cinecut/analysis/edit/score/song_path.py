"""Which bar of the song plays in each bar of the trailer.

    bars of the trailer ─ what each wants ─┐
                                           ├─ worth of every pair ─ best path, joints at a price ─► bars of the song
    bars of the song ─ energy, turns, hits ┘

The song's drop belongs to the trailer's, its break to the breath, its loudest bars to act 3, and a hit to the title. A
joint costs least where the music is silent anyway, little where an act begins, more at the end of a phrase, and most
inside one. The best path is found by dynamic programming (Viterbi, 1967).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HIT = 0.4  # least strength of a downbeat that can end a trailer as a hit
_AROUND, _JUMP = 4, 0.2  # bars around a drop, and the rise in energy between them (6 dB) that makes a turn a drop
_STEP = 0.1  # energy (3 dB) by which a song has to fall somewhere to have a break
_LOUD = 0.5  # loudness from which on a bar is one of the loud ones that a break lies between
_AHEAD, _BEHIND = 0.6, 0.2  # worth of a soft bar before the first loud one, and after the last, for a breath
_DEEP = 0.6  # share of a break's depth from which on a bar is soft
_LATE = 0.6  # what a soft bar just before a loud one is worth less than one just after it
_DROP, _TURN, _CLIMAX, _BREATH, _RISE, _STRIKE = 1.0, 0.5, 1.2, 0.6, 0.3, 1.5  # worth of what the trailer wants
_HIDDEN, _AT_ACT, _AT_PHRASE, _ANYWHERE = 0.05, 0.15, 0.3, 0.6  # price of a joint
_LATER = 0.3  # price of beginning at the song's last bar: a song begins as it was written, unless more speaks for it


@dataclass(frozen=True, slots=True)
class SongBars:
    """The complete bars of a song. `energy` [bars] 0..1; `strength` [bars] of the turn at a phrase's start, 0 inside
    one; `starts` [bars]: whether a phrase begins; `hits` [bars + 1]: the strength of each bar line as a last hit."""

    energy: Array
    strength: Array
    starts: NDArray[np.bool_]
    hits: Array


@dataclass(frozen=True, slots=True)
class TrailerBars:
    """The bars of a trailer at which its acts begin, and those of its breath. Without a drop or an act 3 these are 0;
    `hidden`: no music is heard in the breath."""

    drop: int
    breath: range
    hidden: bool
    third: int
    card: int


def straight(song: SongBars, trailer: TrailerBars) -> int:
    """The bar of the song at which a trailer without joints should begin."""
    wanted = worth(song, trailer)
    starts = range(max(1, song.energy.size - trailer.card + 1))
    return max(starts, key=lambda bar: (round(float(np.trace(wanted, bar)), 6), -bar))


def best_path(song: SongBars, trailer: TrailerBars) -> list[int]:
    """The bar of the song in each bar of the trailer up to its title card, and last the bar line under the card."""
    bars = song.energy.size
    wanted = worth(song, trailer)
    ends = np.append(song.starts[1:], True)
    value = wanted[0] - _LATER * np.arange(bars) / bars
    came: list[NDArray[np.int_]] = []
    for bar in range(1, trailer.card + 1):
        best, at_end = int(value.argmax()), int(np.where(ends, value, -np.inf).argmax())
        lines = bars + (bar == trailer.card)  # the song's end is a bar line too
        then, source = np.full(lines, value[best] - _price(trailer, bar)), np.full(lines, best)
        if _price(trailer, bar) > _AT_PHRASE:
            better = np.flatnonzero(song.starts & (value[at_end] - _AT_PHRASE > then[:bars]))
            then[better], source[better] = value[at_end] - _AT_PHRASE, at_end
        on = np.arange(1, lines)
        straight_on = on[value[on - 1] >= then[on]]
        then[straight_on], source[straight_on] = value[straight_on - 1], straight_on - 1
        then += wanted[bar] if bar < trailer.card else np.where(song.hits >= HIT, _STRIKE * song.hits, 0.0)
        value = np.round(then, 9)
        came.append(source)
    path = [int(value.argmax())]
    for source in reversed(came):
        path.append(int(source[path[-1]]))
    return path[::-1]


def _price(trailer: TrailerBars, bar: int) -> float:
    """The cost of a joint at the start of a bar of the trailer."""
    edges = {trailer.breath.start, trailer.breath.stop} if trailer.breath else set()
    if trailer.hidden and bar in edges:
        return _HIDDEN
    return _AT_ACT if bar in edges | {trailer.drop, trailer.third, trailer.card} else _ANYWHERE


def worth(song: SongBars, trailer: TrailerBars) -> Array:
    """The value of each bar of the song in each bar of the trailer [trailer.card, bars]."""
    loud, drop = _loudness(song.energy), song.strength * _drops(song.energy)
    table = np.zeros((trailer.card, song.energy.size))
    for first, end, share in (
        (0, trailer.drop, -_RISE),
        (trailer.drop, trailer.third, _RISE),
        (trailer.third, trailer.card, _CLIMAX),
    ):
        wanting = [bar for bar in range(first, end) if bar not in trailer.breath]
        table[wanting] += share * loud / max(1, len(wanting))
    breath = [bar for bar in trailer.breath if bar < trailer.card]
    table[breath] = _BREATH * _softness(song.energy) / max(1, len(breath))
    if 0 < trailer.drop < trailer.card:
        table[trailer.drop] += _DROP * drop
    if trailer.drop + _AROUND <= trailer.third < trailer.card:
        table[trailer.third] += _TURN * drop
    return table


def _loudness(energy: Array) -> Array:
    """1 for the loudest bars, 0 for those that are 6 dB softer."""
    return np.asarray(np.clip(1 + (energy - np.percentile(energy, 90)) / _JUMP, 0, 1))


def _softness(energy: Array) -> Array:
    """1 where the song's break has become soft, less towards its end, where a song builds up again, and for soft bars
    outside its loud parts; all 0 without a break."""
    size, place = min(_AROUND, energy.size), np.arange(energy.size)
    parts = np.convolve(np.pad(energy, (size // 2, size - 1 - size // 2), "edge"), np.full(size, 1 / size), "valid")
    sounds = np.flatnonzero(_loudness(parts) >= _LOUD)  # one stroke after the end is no loud part
    after = np.searchsorted(sounds, place)
    between = (after > 0) & (after < sounds.size)
    top, low = float(np.percentile(parts, 90)), float(parts[between].min() if between.any() else parts.min())
    if top - low < _STEP:
        low = float(parts.min())
    if top - low < _STEP:
        return np.zeros(energy.size)
    begin, end = sounds[np.maximum(after - 1, 0)], sounds[np.minimum(after, sounds.size - 1)]
    late = (place - begin) / np.maximum(end - begin, 1)
    fits = np.where(between, 1 - _LATE * late, np.where(after == 0, _AHEAD, _BEHIND))
    return np.asarray(np.clip((top - parts) / (top - low) / _DEEP, 0, 1) * fits)


def _drops(energy: Array) -> Array:
    """How far the energy rises at the start of each bar, if it rises to the song's loudest, 0..1."""
    total = np.concatenate([[0.0], np.cumsum(energy)])
    place = np.arange(energy.size)
    before, after = np.maximum(place - _AROUND, 0), np.minimum(place + _AROUND, energy.size)
    earlier = (total[place] - total[before]) / np.maximum(place - before, 1)
    later = (total[after] - total[place]) / (after - place)
    loud = np.clip(1 + (later - np.percentile(energy, 90)) / _JUMP, 0, 1)
    return np.asarray(np.where(place > 0, np.clip((later - earlier) / _JUMP, 0, 1), 0.0) * loud)
