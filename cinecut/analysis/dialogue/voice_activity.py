"""When somebody speaks: the phrases of a film, from its sound alone.

sound at 16 kHz ─ windows ─ detect_voice (two networks) ─ phrases, including short pauses ─► Voices
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.dialogue.voice_networks import RATE, STEPS, Floats, detect_voice
from cinecut.analysis.stage import Advance, Stage
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime, nearest
from cinecut.media.sound.film_samples import FilmSounds, film_sounds
from cinecut.media.sound.samples import mono

Answers = NDArray[np.bool_]  # one for each hundredth of a second
_BLOCK, _MARGIN = 60 * RATE, 4 * RATE  # samples; the networks also get a margin before and after each block
_SILENT = 0.0005  # a block whose samples all stay below it has no voice
_PAUSE = 40  # hundredths of a second: a shorter pause does not end a phrase
_SHORTEST = 15  # hundredths of a second of a phrase
BREATH = Fraction(12, 100)  # seconds added at each end of a phrase


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """The phrases of a film in order, with gaps between them. `sure`, for each phrase: both networks detect a voice in
    it. A bird or a violin sometimes deceives one of them."""

    phrases: tuple[FilmRange, ...]
    sure: tuple[bool, ...]
    loud: Answers  # [n] for each hundredth of a second: louder than most of the film


def find_voices(film: Path, facts: FilmFacts, stream: int, progress: Advance) -> Voices:
    """The phrases of one of a film's audio streams (from 0); none if it has no sound."""
    if not facts.audio:
        return Voices((), (), np.zeros(0, np.bool_))
    last = int(facts.duration * STEPS) + 1
    spoken, agreed, levels = list[Answers](), list[Answers](), list[Floats]()
    for window in _windows(film_samples(film, facts, stream)):
        inner = window[_MARGIN:-_MARGIN].reshape(-1, RATE // STEPS)
        if float(np.abs(window).max()) < _SILENT:
            either = both = np.zeros(len(inner), np.bool_)
        else:
            heard = int(np.flatnonzero(window)[-1]) + _MARGIN  # nothing is found in the silence after a film's end
            either, both = (_of_block(each, len(inner)) for each in detect_voice(window[:heard]))
        spoken.append(either)
        agreed.append(both)
        levels.append(np.log10(np.square(inner).mean(axis=1) + 1e-9))
        progress(min(1.0, len(spoken) * len(inner) / last))
        if len(spoken) * len(inner) >= last:
            break
    speech, certain = (np.concatenate([*each, np.zeros(0, np.bool_)])[:last] for each in (spoken, agreed))
    level = np.concatenate([*levels, np.zeros(1, np.float32)])[:last]
    phrases = tuple(_phrases(speech, facts.duration))
    sure = tuple(bool(certain[int(p.start.seconds * STEPS) : int(p.end.seconds * STEPS)].any()) for p in phrases)
    return Voices(phrases, sure, level > np.median(level) + 0.6)


VOICES = Stage("voices", Voices, find_voices)


def _of_block(answers: Answers, count: int) -> Answers:
    """The answers about a block out of those about it and its margins."""
    own = answers[_MARGIN * STEPS // RATE :][:count]
    return np.pad(own, (0, count - len(own)))


def film_samples(film: Path, facts: FilmFacts, stream: int, since: Fraction = Fraction(0)) -> Iterator[Floats]:
    """The mono sound of a film at RATE, in pieces, starting `since` seconds after its first picture."""
    with film_sounds(film, facts, min(stream, len(facts.audio) - 1)) as sounds:
        yield from _mono(sounds, facts.start + since, facts.start + facts.duration if since else None)


def film_stretches(
    film: Path, facts: FilmFacts, stream: int, ranges: Iterable[tuple[Fraction, Fraction]]
) -> Iterator[Floats]:
    """The mono sound of a film at RATE in some ranges (seconds after its first picture), as far as there is any."""
    with film_sounds(film, facts, min(stream, len(facts.audio) - 1)) as sounds:
        for begin, end in ranges:
            parts = _mono(sounds, facts.start + begin, facts.start + end)
            yield np.concatenate([*parts, np.zeros(0, np.float32)])[: int((end - begin) * RATE)]


def _mono(sounds: FilmSounds, begin: Fraction, end: Fraction | None) -> Iterator[Floats]:
    """One channel from a moment to another of the container's clock; without an `end` all that there is."""
    channels = []
    for sound in sounds.parts:
        first, frames = nearest(begin * sound.rate), sound.all() if end is None else sound.between(begin, end)
        channels.append(mono(((place - first, frame) for place, frame in frames), RATE))
    yield from channels[0] if len(channels) == 1 else _summed(channels)


def _summed(channels: Sequence[Iterator[Floats]]) -> Iterator[Floats]:
    """The sum of several streams of one channel each."""
    held = [np.zeros(0, np.float32) for _ in channels]
    while True:
        for number, parts in enumerate(channels):
            if not len(held[number]):
                held[number] = next(parts, held[number])
        size = min(map(len, held))
        if not size:
            return
        yield np.sum([each[:size] for each in held], axis=0, dtype=np.float32)
        held = [each[size:] for each in held]


def _windows(parts: Iterable[Floats]) -> Iterator[Floats]:
    """Blocks of one length with a margin on both sides; before the start and after the end it is silent."""
    held = np.zeros(_MARGIN, np.float32)
    whole = _BLOCK + 2 * _MARGIN
    for part in chain(parts, [np.zeros(_MARGIN, np.float32)]):
        held = np.concatenate([held, part])
        while len(held) >= whole:
            yield held[:whole]
            held = held[_BLOCK:]
    if len(held) > 2 * _MARGIN:
        yield np.pad(held, (0, whole - len(held)))


def _phrases(speech: Answers, duration: Fraction) -> Iterator[FilmRange]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speech, [False]]))).tolist()
    pieces: list[list[int]] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if pieces and start - pieces[-1][1] < _PAUSE:
            pieces[-1][1] = end
        else:
            pieces.append([start, end])
    for start, end in pieces:
        if end - start >= _SHORTEST:
            first, last = Fraction(start, STEPS) - BREATH, Fraction(end, STEPS) + BREATH
            yield FilmRange(FilmTime(max(Fraction(0), first)), FilmTime(min(last, duration)))
