"""Songs by recipe, whose beats, downbeats and sections are known: drums, bass, chords and a tune.

A recipe is drawn by its number alone, so that a set of songs is the same everywhere. Patterns are lists of places in a
bar, in beats; swing bends those places, and a live player misses them by up to 40 ms or lets the tempo drift. A third
of the songs have no drums like a rock band's: a march, a waltz, a guitar on the off-beats, an arpeggio without drums.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from cinecut.analysis.song.onsets import SongSound, listen

Array = NDArray[np.float64]
Pattern = Mapping[str, Sequence[float]]

RATE = 22_050
KINDS = ("straight", "swung", "off-beats", "live", "drift", "3", "5", "6", "7", "2")
"""What a song tries: even time, swing, sounds between the beats, a player, and the metres other than four."""

_EIGHTHS = (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5)
_SIXTEENTHS = tuple(k / 4 for k in range(16))
_OFF = (0.5, 1.5, 2.5, 3.5)
_FOUR: tuple[Pattern, ...] = (
    {"kick": (0, 2), "snare": (1, 3), "hat": _EIGHTHS, "bass": (0, 2)},
    {"kick": (0, 2, 2.5), "snare": (1, 3), "hat": _EIGHTHS, "bass": (0, 1.5, 2)},
    {"kick": (0, 1.5, 2.5), "snare": (1, 3), "hat": _SIXTEENTHS, "bass": (0, 1.5, 2.5, 3.25)},
    {"kick": (0, 1, 2, 3), "snare": (1, 3), "hat": _EIGHTHS, "bass": _EIGHTHS},
    {"kick": (0, 2.5), "snare": (2,), "hat": (0, 1, 2, 3), "bass": (0, 2.5)},
    {"kick": (0, 0.75, 2.5), "snare": (1, 3), "hat": _EIGHTHS, "ghost": (1.75, 2.25), "bass": (0, 0.75, 2.5)},
    {"bass": (0, 2), "pluck": _EIGHTHS},
    {"kick": (0,), "snare": (2,), "bass": (0, 2), "pluck": (0, 1, 2, 3)},
)
_OFF_BEATS: tuple[Pattern, ...] = (
    {"kick": (0, 1, 2, 3), "hat": _OFF, "bass": (0,)},
    {"kick": (0, 1, 2, 3), "snare": (1, 3), "open": _OFF, "bass": _OFF},
    {"kick": (0, 2), "snare": (1, 3), "pluck": _OFF, "bass": (0, 1, 2, 3)},
    {"kick": (0, 2), "snare": (1, 3), "open": _OFF, "hat": (0, 1, 2, 3), "bass": (0, 1.5, 2)},
    {"kick": (0, 1, 2, 3), "open": _OFF, "pluck": (0.75, 1.5, 2.75, 3.5), "bass": (0, 0.75, 2, 2.75)},
    {"kick": (0, 1, 2, 3), "snare": _OFF, "bass": (0, 2)},
)
_OTHER: dict[int, tuple[Pattern, ...]] = {
    2: (
        {"kick": (0,), "snare": (1,), "bass": (0,), "hat": (0, 0.5, 1, 1.5)},
        {"bass": (0, 1), "pluck": (0.5, 1.5), "kick": (0,), "snare": (0.5, 1.5)},
    ),
    3: (
        {"kick": (0,), "snare": (1, 2), "bass": (0,), "hat": (0, 0.5, 1, 1.5, 2, 2.5)},
        {"bass": (0,), "pluck": (1, 2)},
        {"kick": (0, 1.5), "snare": (2,), "hat": (0, 0.5, 1, 1.5, 2, 2.5), "bass": (0, 1.5)},
        {"kick": (0,), "snare": (1,), "hat": (0, 1, 2), "bass": (0, 2)},
    ),
    5: (
        {"kick": (0, 3), "snare": (2, 4), "hat": tuple(k / 2 for k in range(10)), "bass": (0, 3)},
        {"kick": (0, 2), "snare": (1, 3), "hat": (0, 1, 2, 3, 4), "bass": (0, 2)},
        {"kick": (0,), "snare": (3,), "bass": (0, 1.5, 3), "pluck": (0, 1.5, 3, 4)},
    ),
    6: (
        {"kick": (0,), "snare": (3,), "hat": (0, 1, 2, 3, 4, 5), "bass": (0, 3)},
        {"kick": (0, 5), "snare": (3,), "hat": (0, 1, 2, 3, 4, 5), "bass": (0, 2, 3)},
        {"bass": (0, 3), "pluck": (0, 1, 2, 3, 4, 5)},
    ),
    7: (
        {"kick": (0, 4), "snare": (2, 6), "hat": (0, 1, 2, 3, 4, 5, 6), "bass": (0, 4)},
        {"kick": (0, 3), "snare": (2, 5), "hat": (0, 1, 2, 3, 4, 5, 6), "bass": (0, 3, 5)},
        {"kick": (0,), "snare": (2, 4), "hat": tuple(k / 2 for k in range(14)), "bass": (0, 2, 4)},
    ),
}
_LIVE = 0.040  # seconds by which a live player misses a beat at most
_CHORDS = ((0, 7, 5, 9), (0, 9, 5, 7), (9, 5, 0, 7), (0, 5), (0, 0, 5, 7), (9, 7, 5, 4))  # roots above C


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a song is made of. `tempo` in beats a minute; a bar of six or seven has eighths for its beats."""

    kind: str
    seed: int
    tempo: float
    metre: int = 4
    swing: float = 0.5  # where the second half of a beat (or of a half beat) falls
    sixteenths: bool = False  # whether halves of half beats are swung, not halves of beats
    bare: bool = False  # drums alone, where there are drums
    seconds: float = 36.0
    levels: tuple[float, ...] = (1.0,)  # loudness of each section; the sections are of equal length

    @property
    def name(self) -> str:
        swing = f" {'16th' if self.sixteenths else '8th'} {self.swing:.2f}" if self.swing > 0.5 else ""
        return f"{self.kind} {self.seed}: {self.tempo:g} in {self.metre}{swing}{' drums' if self.bare else ''}"


@dataclass(frozen=True, slots=True)
class MadeSong:
    """A mono song, the seconds of its beats, the number of its first downbeat, and its sections' starts."""

    recipe: Recipe
    sound: Array
    beats: Array
    first: int
    sections: Array
    rate: int = RATE

    @property
    def downbeats(self) -> Array:
        return self.beats[self.first :: self.recipe.metre]


def recipe(number: int) -> Recipe:
    """The song of a number: all kinds in turn, tempi spread over 60 to 200."""
    dice = np.random.default_rng([7, number])
    kind = KINDS[number % len(KINDS)]
    tempo = round(float(60 * (200 / 60) ** dice.random()), int(dice.integers(0, 3)))
    made = Recipe(kind, number, tempo, int(kind) if kind.isdigit() else 4, bare=bool(dice.random() < 0.35))
    if kind == "swung":
        return replace(made, swing=round(float(dice.uniform(0.56, 0.68)), 2), sixteenths=bool(dice.random() < 0.5))
    return made


def shaped(number: int) -> Recipe:
    """A song of sections: soft, a rise or a jump to the loudest, a break, the loudest again, and sometimes an end."""
    dice = np.random.default_rng([13, number])
    shapes = (
        (0.15, 1.0, 0.2, 1.0, 0.1), (0.2, 0.6, 1.0, 0.25, 1.0), (1.0, 0.2, 1.0, 0.15), (0.1, 0.5, 0.25, 1.0, 0.6, 1.0)
    )  # fmt: skip
    levels = shapes[number % len(shapes)]
    tempo = float(dice.integers(80, 150))
    seconds = 8 * 4 * len(levels) * 60 / tempo + 1
    return Recipe("straight", 1000 + number, tempo, seconds=seconds, levels=levels)


def make(made: Recipe) -> MadeSong:
    """Play a recipe."""
    dice = np.random.default_rng([11, made.seed])
    beats = _beats(made, dice)
    player = _Player(made, beats, dice)
    pattern = _pattern(made, dice)
    last = (len(beats) - 1) // made.metre
    shape = _Shape(last, made.levels)
    for bar in range(last):
        for what, places in pattern.items():
            if shape.plays(bar, what):
                for place in places:
                    player.play(what, bar, place, shape.level(bar))
        if not made.bare or "kick" not in pattern:
            player.harmony(bar, shape.level(bar))
        if bar % 8 == 0 and shape.plays(bar, "crash"):
            player.play("crash", bar, 0, shape.level(bar))
        if bar % 8 == 7 and shape.plays(bar, "snare") and "snare" in pattern:
            for place in (made.metre - 0.75, made.metre - 0.5, made.metre - 0.25):
                player.play("ghost", bar, place, shape.level(bar))
    sound = player.sound + 10 ** dice.uniform(-4, -2.5) * dice.standard_normal(player.sound.size)
    starts = beats[:: made.metre][[round(last * k / len(made.levels)) for k in range(len(made.levels))]]
    end = int(beats[last * made.metre] * RATE)
    whole = MadeSong(made, 0.7 * sound[:end] / np.abs(sound).max(), beats[: last * made.metre], 0, starts)
    return _within_a_bar(whole) if len(made.levels) == 1 else whole


def measured(song: MadeSong) -> tuple[MadeSong, SongSound]:
    """A song, and how it measures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "song.wav")
        soundfile.write(path, song.sound, song.rate)
        return song, listen(path)


def _within_a_bar(song: MadeSong) -> MadeSong:
    """Two songs in five do not begin on a downbeat, but on another beat or a half beat."""
    dice = np.random.default_rng([17, song.recipe.seed])
    if dice.random() < 0.6:
        return song
    metre = song.recipe.metre
    begin = int(dice.integers(1, metre)) - (0.5 if dice.random() < 0.4 else 0.0)
    at = float(np.interp(begin, np.arange(song.beats.size), song.beats)) - 0.005
    silence = dice.uniform(0.05, 0.5)
    sound = song.sound[round(at * RATE) :].copy()
    sound[: RATE // 200] *= np.linspace(0, 1, RATE // 200)
    beats = song.beats[int(np.ceil(begin)) :] - at + silence
    return MadeSong(
        song.recipe,
        np.concatenate([np.zeros(round(silence * RATE)), sound]),
        beats,
        metre - int(np.ceil(begin)),
        beats[:1],
    )


def _beats(made: Recipe, dice: np.random.Generator) -> Array:
    """Seconds of the beats: even, or as a player has them."""
    first = dice.uniform(0.05, 1.5)
    count = int(made.seconds * made.tempo / 60)
    gaps = np.full(count, 60 / made.tempo)
    if made.kind == "drift":
        slow = np.interp(np.arange(count), np.arange(0, count + 16, 16), dice.uniform(-1, 1, (count + 31) // 16))
        gaps = gaps * (1 + 0.04 * slow)
    beats = first + np.concatenate([[0.0], np.cumsum(gaps)])
    return beats + dice.uniform(-_LIVE, _LIVE, beats.size) if made.kind == "live" else beats


def _pattern(made: Recipe, dice: np.random.Generator) -> Pattern:
    choices = _OFF_BEATS if made.kind == "off-beats" else _FOUR if made.metre == 4 else _OTHER[made.metre]
    pattern = dict(choices[dice.integers(len(choices))])
    if made.bare and "kick" in pattern:
        return {what: places for what, places in pattern.items() if what not in ("bass", "pluck")}
    if made.swing > 0.5:
        pattern["hat"] = _SIXTEENTHS if made.sixteenths else _EIGHTHS
    if dice.random() < 0.4:
        steps = np.arange(0, made.metre, 0.5)
        pattern["tune"] = tuple(steps[dice.random(steps.size) < 0.5])
    return pattern


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which instruments play in which bar, and how loud: soft sections go without drums."""

    bars: int
    levels: tuple[float, ...]

    def level(self, bar: int) -> float:
        return self.levels[min(bar * len(self.levels) // self.bars, len(self.levels) - 1)]

    def plays(self, bar: int, what: str) -> bool:
        drums = what in ("kick", "snare", "ghost", "open", "crash")
        return self.level(bar) >= 0.5 or not drums


class _Player:
    """Puts sounds into a song. All of its sounds are drawn once, so that a song has one kit and one bass."""

    def __init__(self, made: Recipe, beats: Array, dice: np.random.Generator) -> None:
        self.made, self.beats, self.dice = made, beats, dice
        self.sound = np.zeros(int((beats[-1] + 4) * RATE))
        self.roots = _CHORDS[dice.integers(len(_CHORDS))]
        self.key = int(dice.integers(12))
        self.every = 0.5 if dice.random() < 0.15 and made.metre % 2 == 0 else float(dice.choice((1, 1, 1, 2)))
        self.bright = dice.uniform(0.5, 1.5)
        self.loose = 0.008 if made.kind in ("live", "drift") else 0.0
        self.drums = {name: 10 ** (dice.uniform(-8, 2) / 20) * drum(dice) for name, drum in _DRUMS.items()}
        self.gains = {name: 10 ** (dice.uniform(-8, 2) / 20) for name in ("bass", "pluck", "tune", "chord")}

    def at(self, bar: int, place: float) -> float:
        """Seconds of a place in a bar, swung."""
        step = 0.5 if self.made.sixteenths else 1.0  # this long stretch is what swings
        whole, part = divmod(place, step)
        part /= step
        bent = part * 2 * self.made.swing if part <= 0.5 else 1 - (1 - part) * 2 * (1 - self.made.swing)
        beat = bar * self.made.metre + whole * step + bent * step
        return float(np.interp(beat, np.arange(self.beats.size), self.beats))

    def root(self, bar: int, place: float) -> int:
        chord = int((bar + place / self.made.metre) / self.every)
        return self.key + self.roots[chord % len(self.roots)]

    def play(self, what: str, bar: int, place: float, level: float) -> None:
        accent = 1.0 if place == 0 else 0.8 if place == int(place) else 0.65
        seconds = self.at(bar, place) + self.dice.uniform(-1, 1) * self.loose
        if what in self.drums:
            sound = self.drums[what]
        else:
            octave = {"bass": -2, "pluck": 0, "tune": 1}[what]
            step = (0, 4, 7)[self.dice.integers(3)] if what == "tune" else 0
            notes = (0, 4, 7) if what == "pluck" else (step,)
            tones = tuple(261.6 * 2 ** (octave + (self.root(bar, place) + n) / 12) for n in notes)
            decay = {"bass": 5.0, "pluck": 9.0, "tune": 4.0}[what]
            sound = self.gains[what] * _notes(tones, 0.5, decay, self.bright) * (0.5 if what == "bass" else 0.25)
        self.put(sound, seconds, level * accent)

    def harmony(self, bar: int, level: float) -> None:
        """The held chords of a bar."""
        for part in range(2 if self.every < 1 else 1):
            place = part * self.made.metre / 2
            start, end = self.at(bar, place), self.at(bar, place + self.made.metre * min(self.every, 1))
            tones = tuple(261.6 * 2 ** ((self.root(bar, place) + n) / 12 - 1) for n in (0, 4, 7, 12))
            sound = _notes(tones, round(end - start, 2), 0.3, 0.6)
            edge = np.minimum(1, 40 * np.arange(sound.size) / RATE)
            self.put(0.08 * self.gains["chord"] * sound * edge * edge[::-1], start, level)

    def put(self, what: Array, seconds: float, gain: float) -> None:
        start = max(0, round(seconds * RATE))
        room = self.sound[start : start + what.size]
        room += gain * what[: room.size]


def _kick(dice: np.random.Generator) -> Array:
    t = np.arange(int(0.3 * RATE)) / RATE
    low, sweep = dice.uniform(42, 65), dice.uniform(0.5, 1.5)
    return np.asarray(np.sin(2 * np.pi * (low * t + sweep * (1 - np.exp(-t * 40)))) * np.exp(-t * dice.uniform(10, 20)))


def _snare(dice: np.random.Generator, gain: float = 0.6) -> Array:
    t = np.arange(int(0.25 * RATE)) / RATE
    noise = dice.standard_normal(t.size) * 0.6 + np.sin(2 * np.pi * dice.uniform(160, 230) * t)
    return np.asarray(gain * noise * np.exp(-t * dice.uniform(15, 28)))


def _hat(dice: np.random.Generator, decay: float = 70.0, seconds: float = 0.3) -> Array:
    t = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(0.25 * np.diff(dice.standard_normal(t.size + 1)) * np.exp(-t * decay))


_DRUMS: dict[str, Callable[[np.random.Generator], Array]] = {
    "kick": _kick,
    "snare": _snare,
    "ghost": partial(_snare, gain=0.15),
    "hat": _hat,
    "open": partial(_hat, decay=14.0),
    "crash": partial(_hat, decay=3.0, seconds=1.2),
}


@lru_cache(256)
def _notes(tones: tuple[float, ...], seconds: float, decay: float, bright: float) -> Array:
    """Struck notes with overtones, of which a brighter sound has more."""
    t = np.arange(int(seconds * RATE)) / RATE
    sound = np.zeros(t.size)
    for tone in tones:
        for overtone in range(1, 6):
            sound += np.sin(2 * np.pi * tone * overtone * t) * overtone ** (-2 / bright) / len(tones)
    return np.asarray(sound * np.exp(-t * decay) * np.minimum(1, 400 * t) * np.minimum(1, 200 * (seconds - t)))
