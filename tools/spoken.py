"""Speech whose times are known, for tests and benchmarks: by espeak-ng where it is installed, and by a recipe."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

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
    """A sentence by espeak-ng. Raises OSError where its library is not installed."""
    rate, sound, words = _espeak(text, voice, speed)
    positions = np.arange(int(len(sound) * RATE / rate)) * rate / RATE
    sound = np.interp(positions, np.arange(len(sound)), sound).astype(np.float32)
    voiced = np.flatnonzero(np.abs(sound) > 0.01)
    first = int(voiced[0])
    return Utterance(sound[first : voiced[-1] + 1], tuple((max(0.0, at - first / RATE), word) for at, word in words))


def has_espeak() -> bool:
    """Whether espeak-ng can speak here."""
    return ctypes.util.find_library("espeak-ng") is not None


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
_WORD, _SYNCHRONOUS, _SPEED = 1, 2, 1  # an event; samples before the call returns; a parameter


@cache
def _library() -> tuple[Any, int]:
    library = ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1")
    return library, library.espeak_Initialize(_SYNCHRONOUS, 0, None, 0)


def _espeak(text: str, voice: str, speed: int) -> tuple[int, Floats, list[tuple[float, str]]]:
    library, rate = _library()
    parts: list[NDArray[np.int16]] = []
    words: list[tuple[float, str]] = []

    def heard(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        for number in range(1000):
            event = events[number]
            if not event.type:
                break
            if event.type == _WORD:
                begin = event.text_position - 1
                words.append((event.sample / rate, text[begin : begin + event.length]))
        return 0

    kept = _CALLBACK(heard)
    library.espeak_SetSynthCallback(kept)
    library.espeak_SetVoiceByName(voice.encode())
    library.espeak_SetParameter(_SPEED, speed, 0)
    data = text.encode() + b"\0"
    library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 0, 0, 0, None, None)
    return rate, np.concatenate(parts).astype(np.float32) / np.float32(32768), words


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
