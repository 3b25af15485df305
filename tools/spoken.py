"""Speech whose times are known, for tests and benchmarks: by espeak-ng where it is installed, and by a recipe."""

from __future__ import annotations

import ctypes.util
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Utterance:
    """`sound` begins and ends with the voice; `words` with the seconds at which each begins, where they are known."""

    sound: Floats
    words: tuple[tuple[float, str], ...] = ()


def say(text: str, voice: str = "en-us", speed: int = 160) -> Utterance:
    """A sentence by espeak-ng, the same whatever was said before. Raises OSError where its library is not installed."""
    library = _library()
    if library is None:
        raise OSError("espeak-ng is not installed")
    asked = json.dumps({"library": library, "text": text, "voice": voice, "speed": speed}).encode()
    argv = [sys.executable, "-IS", str(Path(__file__).with_name("espeak.py"))]
    head, _, raw = subprocess.run(argv, input=asked, capture_output=True, check=True).stdout.partition(b"\n")
    told = json.loads(head)
    rate, sound = told["rate"], np.frombuffer(raw, np.int16).astype(np.float32) / np.float32(32768)
    positions = np.arange(int(len(sound) * RATE / rate)) * rate / RATE
    sound = np.interp(positions, np.arange(len(sound)), sound).astype(np.float32)
    voiced = np.flatnonzero(np.abs(sound) > 0.01)
    first = int(voiced[0])
    words = tuple((max(0.0, at - first / RATE), word) for at, word in told["words"])
    return Utterance(sound[first : voiced[-1] + 1], words)


def has_espeak() -> bool:
    """Whether espeak-ng can speak here."""
    return _library() is not None


@cache
def _library() -> str | None:
    return ctypes.util.find_library("espeak-ng")


_VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (530, 1840, 2480), (570, 840, 2410), (300, 870, 2240))  # Hz


def babble(seconds: float, seed: int = 0) -> Utterance:
    """Syllables of a voice without words: a buzz through the three formants of vowels, with noise between them."""
    dice = np.random.default_rng(seed)
    count, step = round(seconds * RATE), RATE // 100
    frames = -(-count // step)
    marks = np.arange(0, frames + 20, 20)  # a syllable takes a fifth of a second
    chosen = dice.integers(0, len(_VOWELS), len(marks))
    formants = np.stack([np.interp(np.arange(frames), marks, np.array(_VOWELS)[chosen, k]) for k in range(3)], 1)
    pitch = 115 + 20 * np.sin(np.arange(count) / RATE * 3) + np.repeat(dice.normal(0, 2, frames), step)[:count]
    phase = np.cumsum(pitch / RATE)
    source = np.diff(np.floor(phase), prepend=0) + dice.normal(0, 0.01, count)
    beat = 0.15 + 0.85 * np.abs(np.sin(np.pi * np.arange(count) / RATE / 0.2)) ** 0.7
    sound = np.zeros(count)
    for k, (width, gain) in enumerate(((80, 1.0), (100, 0.6), (140, 0.3))):
        sound += gain * _resonance(source, np.repeat(formants[:, k], step)[:count], width)
    sound *= beat
    return Utterance((0.3 * sound / np.abs(sound).max()).astype(np.float32))


def _resonance(source: NDArray[np.float64], frequency: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    radius = np.exp(-np.pi * width / RATE)
    turns = 2 * radius * np.cos(2 * np.pi * frequency / RATE)
    square, before, last, found = float(radius * radius), 0.0, 0.0, list[float]()
    for each, turn in zip(source.tolist(), turns.tolist(), strict=True):
        before, last = last, each + turn * last - square * before
        found.append(last)
    return np.asarray(np.array(found) * (1 - radius))


def placed(utterances: Sequence[tuple[float, Utterance]], seconds: float) -> Floats:
    """Utterances at their seconds, on silence."""
    sound = np.zeros(round(seconds * RATE), np.float32)
    for at, each in utterances:
        first = round(at * RATE)
        sound[first : first + len(each.sound)] += each.sound[: max(0, len(sound) - first)]
    return sound


def mixed(voice: Floats, bed: Floats, above: float) -> Floats:
    """A voice so many dB above what lies under it, without clipping."""
    bed = np.resize(bed, len(voice))
    loud = 10 * np.log10(_power(voice) / _power(bed))
    sound = voice + bed * np.float32(10 ** ((loud - above) / 20))
    return np.asarray(sound / max(1.0, float(np.abs(sound).max()) / 0.9), np.float32)


def _power(sound: Floats) -> float:
    """The mean power of what is not silent."""
    blocks = np.square(sound[: len(sound) // 400 * 400].reshape(-1, 400)).mean(axis=1)
    return float(blocks[blocks > blocks.max() * 1e-3].mean())
