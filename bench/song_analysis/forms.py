"""Songs whose form is known: intro, build, drop, break, drop, end.

Sections last 4 to 24 bars and are told apart as producers do it: by instruments, by a rising noise and quickening claps
before a drop, and only then by level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.song_analysis.songs import RATE, MadeSong, Recipe
from bench.song_analysis.styles import GAINS, Band, pad, struck

Array = NDArray[np.float64]

_FORMS = (
    (("intro", 8), ("build", 8), ("drop", 16), ("break", 8), ("build", 4), ("drop", 16), ("end", 8)),
    (("intro", 4), ("build", 4), ("drop", 8), ("break", 8), ("drop", 16), ("end", 4)),
    (("intro", 16), ("drop", 16), ("break", 16), ("build", 8), ("drop", 16)),
    (("intro", 8), ("verse", 16), ("build", 8), ("drop", 12), ("break", 8), ("drop", 12), ("end", 4)),
    (("build", 8), ("drop", 8), ("break", 4), ("build", 4), ("drop", 8)),
    (("intro", 8), ("build", 16), ("drop", 24), ("end", 8)),
)
_PLAYED = {  # instruments of a section: grooves of sixteen steps
    "intro": {"string": "x---x---x---x---"},
    "verse": {
        "string": "x-x-x-x-x-x-x-x-", "sub": "X-------x-------", "low": "x-------x-------", "tick": "x---x---x---x---",
    },
    "build": {"string": "x-x-x-x-x-x-x-x-", "sub": "x-------x-------", "tick": "x---x---x---x---"},
    "drop": {
        "low": "X---X---X---X---", "clap": "----X-------X---", "tick": "x-x-x-x-x-x-x-x-",
        "sub": "X-xx--X-x-xx--X-", "bell": "x--x--x--x--x-x-",
    },
    "break": {"keys": "X-------x-------"},
    "end": {"string": "x-------x-------"},
}  # fmt: skip
_PAD = {"intro": 0.7, "verse": 0.4, "build": 0.7, "drop": 0.6, "break": 0.8, "end": 0.5}


@dataclass(frozen=True, slots=True)
class FormSection:
    """A section of a song, from `start` to `end` seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class FormSong:
    song: MadeSong
    sections: tuple[FormSection, ...]

    def at(self, second: float) -> str:
        """The name of the section that plays at a second of the song; nothing outside it."""
        return next((part.name for part in self.sections if part.start <= second < part.end), "")


def form_song(number: int) -> FormSong:
    """The song of a number, all forms in turn; the last drop is the loudest."""
    dice = np.random.default_rng([29, number])
    form = _FORMS[number % len(_FORMS)]
    tempo = float(dice.integers(84, 150))
    beat, first = 60 / tempo, float(dice.uniform(0, 0.5))
    bars = sum(length for _, length in form)
    band = Band(dice, np.zeros(int((first + (4 * bars + 6) * beat) * RATE)), float(dice.integers(0, 12)))
    roots = ((0, 8, 3, 10), (0, 5, 10, 3), (2, 7, 0, 9))[dice.integers(3)]
    sections, bar = [], 0
    last = max(n for n, (name, _) in enumerate(form) if name == "drop")
    for index, (name, length) in enumerate(form):
        gain = 1.25 if index == last else 1.0
        for k in range(length):
            start, root = first + 4 * (bar + k) * beat, band.key + roots[(bar + k) % 4]
            for instrument, line in _PLAYED[name].items():
                for step, mark in enumerate(line):
                    if mark != "-":
                        band.play(instrument, start + step * beat / 4, root, gain * GAINS[mark])
            rise = 0.5 + 0.5 * k / length if name == "build" else 1.0
            fall = 1 - k / length if name == "end" else 1.0
            band.put(pad([root, root + 3, root + 7], 4 * beat), start, gain * _PAD[name] * rise * fall)
            if name == "build":
                for hit in range(4 if k < length - 2 else 8):
                    band.play("clap", start + hit * beat * (1 if k < length - 2 else 0.5), root, 0.4 * k / length)
        if name == "build":
            band.put(_riser(length * 4 * beat, dice), first + 4 * bar * beat, 0.12)
        begin = first + 4 * bar * beat
        bar += length
        sections.append(FormSection(name, begin, first + 4 * bar * beat))
    band.put(struck(dice), first + 4 * bar * beat, 1.5)  # a last stroke
    starts = np.array([part.start for part in sections])
    sound = np.tanh(1.2 * band.sound / np.abs(band.sound).max())
    recipe = Recipe("form", number, tempo, seconds=sound.size / RATE)
    beats = np.asarray(first + beat * np.arange(4 * bar), np.float64)
    return FormSong(MadeSong(recipe, sound, beats, 0, starts), tuple(sections))


def _riser(seconds: float, dice: np.random.Generator) -> Array:
    share = np.arange(int(seconds * RATE)) / (seconds * RATE)
    return np.asarray(np.diff(dice.standard_normal(share.size + 1)) * share**2)
