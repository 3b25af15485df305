"""Songs in twenty styles, by another recipe than `songs`: other sounds, grooves, forms and ways to begin.

Sounds are plucked strings, square basses, bells, slow pads, low drums and claps; none of them is one of `songs`. Where
a song has no drums, nothing but its harmony and its accents tells the beat. Rounds of all styles by turns are for
choosing and for judging.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.song_analysis.grooves import STYLES, Style
from bench.song_analysis.songs import RATE, MadeSong, Recipe

Array = NDArray[np.float64]

GAINS = {"X": 1.0, "x": 0.7, ".": 0.35}


_PROGRESSIONS = ((0, 8, 3, 10), (0, 5, 10, 3), (2, 7, 0, 9), (0, 3, 8, 7), (0, 10), (0, 0, 8, 8), (0, 4, 5, 7))
_CHORD = ((0, 3, 7), (0, 4, 7), (0, 7, 14), (0, 3, 7, 10), (0, 5, 7))


@dataclass(slots=True)
class Band:
    """The sounds of one song, each drawn once, and the sound so far."""

    dice: np.random.Generator
    sound: Array
    key: float
    gains: dict[str, float] = field(default_factory=dict)
    drums: dict[str, Array] = field(default_factory=dict)

    def put(self, what: Array, seconds: float, gain: float) -> None:
        start = max(0, round(seconds * RATE))
        room = self.sound[start : start + what.size]
        room += gain * what[: room.size]

    def gain(self, name: str) -> float:
        return self.gains.setdefault(name, float(10 ** (self.dice.uniform(-6, 3) / 20)))

    def play(self, name: str, seconds: float, root: float, accent: float) -> None:
        if name in _DRUMS and name not in self.drums:
            self.drums[name] = _DRUMS[name](np.random.default_rng([5, int(self.key), len(name)]))
        if name in _DRUMS:
            self.put(self.drums[name], seconds, accent * self.gain(name))
        else:
            self.put(_TONES[name](root, self.dice), seconds, accent * self.gain(name) * _LEVELS[name])


def style_numbers(half: str) -> list[int]:
    """The songs of one half, `choose` or `judge`: rounds of all styles by turns; and more of what changed the weights
    most, bars of thirds and sixes, to choose by."""
    more = [len(STYLES) * turn + at for turn in (6, 8, 10, 12) for at in (3, 6, 8, 11)] if half == "choose" else []
    return [n for n in range(6 * len(STYLES)) if n // len(STYLES) % 2 == (half == "judge")] + more


def style_song(number: int, seconds: float | None = None) -> MadeSong:
    """The song of a number, all styles in turn. Its recipe's kind is its style."""
    name = list(STYLES)[number % len(STYLES)]
    style = STYLES[name]
    dice = np.random.default_rng([23, number])
    groove = style.grooves[number // len(STYLES) % len(style.grooves)]
    tempo = round(float(dice.uniform(*style.tempo)), int(dice.integers(0, 3)))
    beats = _beats(style, tempo, seconds or style.seconds, dice)
    bars = (beats.size - 1) // style.metre
    band = Band(dice, np.zeros(int((beats[-1] + 5) * RATE)), float(dice.integers(0, 12)))
    chords, roots = _CHORD[dice.integers(len(_CHORD))], _PROGRESSIONS[dice.integers(len(_PROGRESSIONS))]
    every = float(dice.choice(style.chords))
    quiet = 8 if style.head == "pads" else 0
    for bar in range(bars):
        steps = np.arange(style.metre * style.steps) / style.steps
        for name_of, line in (groove if bar >= quiet else {}).items():
            for step, mark in zip(steps, line, strict=True):
                if mark != "-":
                    place = bar * style.metre + _swung(step, style.swing)
                    root = roots[int((bar + step / style.metre) / every) % len(roots)]
                    band.play(name_of, _at(beats, place) + dice.normal(0, 0.004), root + band.key, GAINS[mark])
    for n in range(int((bars if style.held else quiet) / every)):
        begin, end = (_at(beats, k * every * style.metre) for k in (n, n + 1))
        tones = [roots[n % len(roots)] + band.key + tone for tone in chords]
        band.put(pad(tones, end - begin), begin, 0.5 if groove and n * every >= quiet else 1.0)
    sound = band.sound[: int(beats[bars * style.metre] * RATE)]
    sound = 0.8 * sound / np.abs(sound).max() + 10 ** dice.uniform(-4.5, -3) * dice.standard_normal(sound.size)
    recipe = Recipe(name, number, tempo, style.metre, style.swing, seconds=sound.size / RATE)
    return _begun(MadeSong(recipe, sound, beats[: bars * style.metre], 0, beats[:1]), style, band, dice)


def _begun(song: MadeSong, style: Style, band: Band, dice: np.random.Generator) -> MadeSong:
    """The song with its head."""
    sound, beats = song.sound, song.beats
    if style.head == "fade":
        size = int(dice.uniform(4, 9) * RATE)
        sound = sound.copy()
        sound[:size] *= np.linspace(0, 1, size) ** 2
    elif style.head == "silence":
        silence = dice.uniform(2.0, 6.0)
        sound, beats = np.concatenate([np.zeros(round(silence * RATE)), sound]), beats + silence
    elif style.head == "pick-up":
        ahead = int(dice.integers(1, 4))  # beats before the first bar, of which each half has a note
        gap = 60 / song.recipe.tempo
        lead = Band(dice, np.zeros(round(ahead * gap * RATE) + 3 * RATE), band.key)
        for half in range(2 * ahead):
            lead.play("bell", half * gap / 2, band.key + (0, 2, 3, 7)[half % 4], 0.7)
        size = round(ahead * gap * RATE) - round(beats[0] * RATE)
        whole = np.zeros(max(0, size) + sound.size)
        whole[max(0, size) :] = sound[max(0, -size) :] if size < 0 else sound
        whole[: lead.sound.size] += 0.4 * lead.sound[: whole.size]
        beats = np.concatenate([np.arange(ahead) * gap, beats - beats[0] + ahead * gap])
        return MadeSong(song.recipe, whole, beats, ahead, beats[:1])
    return MadeSong(song.recipe, sound, beats, song.first, beats[:1])


def _beats(style: Style, tempo: float, seconds: float, dice: np.random.Generator) -> Array:
    count = int(seconds * tempo / 60) // style.metre * style.metre + 1
    gaps = np.full(count - 1, 60 / tempo)
    if style.keeps == "ramp":
        gaps *= np.linspace(1, float(dice.uniform(0.88, 1.12)), count - 1)
    elif style.keeps == "rubato":
        gaps *= np.interp(
            np.arange(count - 1),
            np.arange(0, count + 4, 4),
            dice.uniform(0.8, 1.25, count // 4 + 2)[: len(np.arange(0, count + 4, 4))],
        )
    beats = (0.0 if style.head == "pick-up" else dice.uniform(0.02, 0.6)) + np.concatenate([[0.0], np.cumsum(gaps)])
    return beats + dice.normal(0, 0.01, count).clip(-0.03, 0.03) if style.keeps == "loose" else beats


def _at(beats: Array, place: float) -> float:
    return float(np.interp(place, np.arange(beats.size), beats))


def _swung(step: float, swing: float) -> float:
    whole, part = divmod(step, 0.5)
    return float(whole / 2 + (swing / 2 if part == 0.25 else part))


# Sounds. Roots in half tones above C.


def _time(seconds: float) -> Array:
    return np.arange(int(seconds * RATE)) / RATE


def _hertz(root: float, octave: int) -> float:
    return float(261.63 * 2 ** (octave + (root % 12) / 12))


def _low(dice: np.random.Generator) -> Array:
    t = _time(0.45)
    low, decay = dice.uniform(38, 70), dice.uniform(6, 14)
    tone = np.sin(2 * np.pi * low * t + 4 * np.exp(-t * 60)) * np.exp(-t * decay)
    return np.asarray(tone + 0.2 * np.exp(-t * 400) * dice.standard_normal(t.size))


def _filtered(ahead: Sequence[float] | Array, back: Sequence[float] | Array, sound: Array) -> Array:
    from scipy.signal import lfilter  # a second to load, which all who only read this module would wait

    return np.asarray(lfilter(ahead, back, sound))


def _clap(dice: np.random.Generator) -> Array:
    t = _time(0.3)
    bursts = sum(np.exp(-np.maximum(t - late, 0) * 60) * (t >= late) for late in (0, 0.011, 0.022))
    return np.asarray(0.3 * _filtered([1, -0.9], [1, -0.5], dice.standard_normal(t.size)) * bursts)


def _tick(dice: np.random.Generator) -> Array:
    t = _time(0.12)
    return np.asarray(
        0.25 * np.diff(dice.standard_normal(t.size + 2), 2) * np.exp(-t * dice.uniform(40, 90)) * np.minimum(1, 300 * t)
    )


def struck(dice: np.random.Generator) -> Array:
    t = _time(1.4)
    skin = _filtered([0.04], [1, -0.96], dice.standard_normal(t.size)) * np.exp(-t * 8)
    return np.asarray(
        1.2 * np.sin(2 * np.pi * dice.uniform(55, 85) * t + 2 * np.exp(-t * 15)) * np.exp(-t * 4) + 2 * skin
    )


def _sub(root: float, dice: np.random.Generator) -> Array:
    t = _time(0.35)
    square = np.tanh(3 * np.sin(2 * np.pi * _hertz(root, -3) * t))
    return np.asarray(square * np.exp(-t * 4) * np.minimum(1, 200 * t) * np.minimum(1, 60 * (0.35 - t)))


def _string(root: float, dice: np.random.Generator) -> Array:
    """A plucked string (Karplus and Strong, 1983)."""
    period = round(RATE / _hertz(root + (0, 7, 12)[dice.integers(3)], -1))
    burst = np.zeros(int(0.5 * RATE))
    burst[:period] = dice.uniform(-1, 1, period)
    echo = np.zeros(period + 2)
    echo[0], echo[period], echo[period + 1] = 1, -0.49, -0.49
    return np.asarray(_filtered([1.0], echo, burst) * np.minimum(1, 30 * (0.5 - _time(0.5))))


def _bell(root: float, dice: np.random.Generator) -> Array:
    t, hertz = _time(0.8), _hertz(root + (0, 3, 7, 10)[dice.integers(4)], 1)
    return np.asarray(
        np.sin(2 * np.pi * hertz * t + 2 * np.exp(-t * 6) * np.sin(2 * np.pi * 2.76 * hertz * t)) * np.exp(-t * 5)
    )


def _keys(root: float, dice: np.random.Generator) -> Array:
    """Three keys of a piano, whose overtones are a little wide."""
    t = _time(1.2)
    sound = np.zeros(t.size)
    for tone in (0, 7, 12 + (3, 4, 7)[dice.integers(3)]):
        for n in range(1, 7):
            sound += (
                np.sin(2 * np.pi * _hertz(root, 0) * 2 ** (tone / 12) * n * np.sqrt(1 + 4e-4 * n * n) * t)
                * np.exp(-t * (2 + n))
                / n**1.4
            )
    return np.asarray(sound * np.minimum(1, 250 * t) * np.minimum(1, 10 * (1.2 - t)))


def _bass(root: float, dice: np.random.Generator) -> Array:
    t = _time(1.6)
    return np.asarray(
        sum(np.sin(2 * np.pi * _hertz(root, -2) * n * t) * np.exp(-t * (1.5 + n)) / n for n in range(1, 6))
        * np.minimum(1, 250 * t)
    )


def pad(roots: list[float], seconds: float) -> Array:
    """A slow chord: it swells for a fifth of a second, and its voices beat against each other."""
    t = _time(seconds + 0.15)
    sound = np.zeros(t.size)
    for root in roots:
        for wide in (-0.003, 0.0, 0.003):
            hertz = 261.63 * 2 ** (root / 12 - 1) * (1 + wide)
            sound += sum(np.sin(2 * np.pi * hertz * n * t + root + n) / n**1.5 for n in range(1, 6))
    edge = np.minimum(1, 5 * t) * np.minimum(1, 6 * (t[-1] - t))
    return np.asarray(0.06 * sound * edge)


_DRUMS = {"low": _low, "clap": _clap, "tick": _tick, "boom": struck}
_TONES = {"sub": _sub, "string": _string, "bell": _bell, "keys": _keys, "bass": _bass}
_LEVELS = {"sub": 0.4, "string": 0.5, "bell": 0.2, "keys": 0.2, "bass": 0.4}
