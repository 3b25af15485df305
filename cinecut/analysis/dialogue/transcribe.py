"""What a film says, as words with their times, by Whisper (the extra `speech`: faster-whisper).

voices ─ blocks that end in pauses and leave nothing out ─ language ─ Whisper ─ invented lines dropped ─► Transcript
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from cinecut.analysis.dialogue.cues import Cues, SubtitleCue
from cinecut.analysis.dialogue.voice_activity import BREATH, Voices, film_samples
from cinecut.analysis.dialogue.voice_networks import RATE, Floats
from cinecut.analysis.stage import Line, code_of
from cinecut.diagnostics import Stop
from cinecut.inference.whisper import Whisper, find_whisper
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import nearest

_BLOCK, _LEAST = 28, 8  # seconds: Whisper hears 30 at a time; the least that a block takes to end in a pause
_THREADS = max(1, (os.cpu_count() or 1) - 1)  # one is left to the film's sound and to everybody else
_TOGETHER = 8  # blocks whose words are kept as one piece of work
_SILENT = 0.0005  # samples that stay below it hold no words
_TOLD_BY = 5  # blocks by which the language is told
_NO_SPEECH = 0.6  # Whisper's own figure, from which on a line is invented
_UNSURE = 0.35  # mean probability of a line's words, below which it is
_EARLY = Fraction(5, 100)  # seconds by which Whisper sets words too early
_AFTER_PAUSE, _OFF = Fraction(1, 4), Fraction(6, 10)  # seconds: of a pause, and of what the voices may correct
_LONGEST_CUE, _WIDEST_CUE = Fraction(6), 84  # seconds and characters


@dataclass(frozen=True, slots=True)
class Word:
    """`start` and `end` in film seconds; `text` begins with a blank where words are written apart."""

    start: Fraction
    end: Fraction
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """`lines` are Whisper's own, about a sentence each; `language` is ISO 639-1."""

    lines: tuple[tuple[Word, ...], ...]
    language: str | None

    def cues(self) -> Cues:
        """As subtitles: at most two lines of text each."""
        return Cues(tuple(cue for line in self.lines for cue in _cues(line)), self.language)

    def srt(self) -> str:
        """As the text of a subtitle file."""
        rows = enumerate(self.cues().cues, 1)
        return "\n".join(f"{number}\n{_stamp(cue.start)} --> {_stamp(cue.end)}\n{cue.text}\n" for number, cue in rows)


def usable_whisper() -> Whisper | None:
    """The weights to use, where Whisper's engine is installed; nothing is imported to know."""
    return find_whisper() if importlib.util.find_spec("faster_whisper") else None


def transcribe(film: Path, facts: FilmFacts, voices: Voices, model: Whisper, line: Line) -> Transcript:
    """All words of a film's first sound. Raises Stop("model") where the model or its engine cannot be used."""
    folder, bounds = model.prepared(), _bounds(voices, facts.duration)
    engine = cache(lambda: _load(folder))

    def kept(what: str, kind: Any, work: Callable[[], Any], *key: object) -> Any:
        digest = hashlib.sha256(repr((code_of(__name__), model.identity, *key)).encode()).hexdigest()[:24]
        return line.cache.kept(what, digest, kind, work)

    language = kept("language", str, lambda: _language(engine(), film, facts, voices, bounds), bounds)
    lines: list[tuple[Word, ...]] = []
    for first in range(0, len(bounds) - 1, _TOGETHER):
        part = bounds[first : first + _TOGETHER + 1]

        def words(part: Sequence[Fraction] = part) -> tuple[tuple[Word, ...], ...]:
            return tuple(found for block in _sounds(film, facts, part) for found in _heard(engine(), block, language))

        lines += kept("words", tuple[tuple[Word, ...], ...], words, language, part)
        line.progress("words", float(part[-1] / facts.duration))
    return Transcript(tuple(_snapped(lines, voices)), language or None)


def _load(folder: Path) -> Any:
    try:
        from faster_whisper import WhisperModel

        return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=_THREADS)
    except ImportError:
        raise Stop("model", "faster-whisper is not installed", "python -m pip install 'cinecut[speech]'") from None
    except (RuntimeError, ValueError, OSError) as error:
        raise Stop("model", f"{folder} cannot be loaded: {error}", "cinecut models pull whisper") from None


# --- blocks ----------------------------------------------------------------------------------------------------------

Block = tuple[Fraction, Floats]  # where it starts, in film seconds, and its samples


def _bounds(voices: Voices, duration: Fraction) -> list[Fraction]:
    """Where blocks begin, and the film's end: in the last pause that leaves a block of a good length, else anywhere."""
    pauses = [(a.end.seconds + b.start.seconds) / 2 for a, b in pairwise(voices.phrases)]
    found = [Fraction(0)]
    while found[-1] + _BLOCK < duration:
        limit = found[-1] + _BLOCK
        fitting = [pause for pause in pauses if found[-1] + _LEAST <= pause <= limit]
        cut = any(phrase.start.seconds < limit < phrase.end.seconds for phrase in voices.phrases)
        found.append(max(fitting) if fitting and cut else limit)
    return [*found, duration]


def _sounds(film: Path, facts: FilmFacts, bounds: Sequence[Fraction]) -> Iterator[Block]:
    """The blocks between some bounds."""
    held, parts = np.zeros(0, np.float32), film_samples(film, facts, 0, bounds[0])
    for start, end in pairwise(bounds):
        size = round(end * RATE) - round(start * RATE)
        while len(held) < size and (part := next(parts, None)) is not None:
            held = np.concatenate([held, part])
        if len(held):
            yield start, held[:size]
        held = held[size:]


# --- words -----------------------------------------------------------------------------------------------------------


def _language(engine: Any, film: Path, facts: FilmFacts, voices: Voices, bounds: Sequence[Fraction]) -> str:
    """The language that is most probable over the blocks with most speech in them; empty where there are none."""
    if not engine.model.is_multilingual:
        return "en"

    def spoken(span: tuple[Fraction, Fraction]) -> Fraction:
        each = (min(span[1], p.end.seconds) - max(span[0], p.start.seconds) for p in voices.phrases)
        return sum((max(Fraction(0), seconds) for seconds in each), Fraction(0))

    found: dict[str, float] = {}
    for span in sorted(pairwise(bounds), key=spoken)[-_TOLD_BY:]:
        for _, sound in _sounds(film, facts, span) if spoken(span) else ():
            for name, probability in engine.detect_language(sound)[2]:
                found[name] = found.get(name, 0.0) + probability
    return max(found, key=lambda name: found[name], default="")


def _heard(engine: Any, block: Block, language: str) -> Iterator[tuple[Word, ...]]:
    start, sound = block
    if float(np.abs(sound).max(initial=0)) < _SILENT:
        return
    segments, _ = engine.transcribe(
        sound, language=language or None, beam_size=5, word_timestamps=True, condition_on_previous_text=False
    )
    for segment in segments:
        words = [word for word in segment.words or () if word.end > word.start]
        if not words or segment.no_speech_prob > _NO_SPEECH:
            continue
        if sum(word.probability for word in words) < _UNSURE * len(words):
            continue
        yield tuple(Word(start + _hundredths(word.start), start + _hundredths(word.end), word.word) for word in words)


def _hundredths(seconds: float) -> Fraction:
    return Fraction(round(float(seconds) * 100), 100)


def _snapped(lines: Iterable[tuple[Word, ...]], voices: Voices) -> Iterator[tuple[Word, ...]]:
    """Words as they are heard: Whisper sets them a little early, its first and last words are off by more, and there
    the voices tell better where speech begins and ends."""
    phrases = [(p.start.seconds + BREATH, p.end.seconds - BREATH) for p in voices.phrases]
    starts, ends = [start for start, _ in phrases], [end for _, end in phrases]
    for line in lines:
        words = [Word(word.start + _EARLY, word.end + _EARLY, word.text) for word in line]
        for place, word in enumerate(words):
            before = words[place - 1].end if place else Fraction(0)
            if not place or word.start - before > _AFTER_PAUSE:
                start = _nearest(starts, word.start)
                if abs(start - word.start) <= _OFF and before <= start < word.end:
                    words[place] = replace(word, start=start)
        end = _nearest(ends, words[-1].end)
        if words[-1].end < end <= words[-1].end + 2 * _OFF:
            words[-1] = replace(words[-1], end=end)
        yield tuple(words)


def _nearest(times: Sequence[Fraction], time: Fraction) -> Fraction:
    """The nearest of some times in order; -1 where there are none."""
    place = bisect_left(times, time)
    return min(times[max(0, place - 1) : place + 1], key=lambda each: abs(each - time), default=Fraction(-1))


def _cues(line: Sequence[Word]) -> Iterator[SubtitleCue]:
    held: list[Word] = []
    for word in line:
        text = "".join(each.text for each in (*held, word)).strip()
        if held and (len(text) > _WIDEST_CUE or word.end - held[0].start > _LONGEST_CUE):
            yield _cue(held)
            held = []
        held.append(word)
    if held:
        yield _cue(held)


def _cue(words: Sequence[Word]) -> SubtitleCue:
    return SubtitleCue(words[0].start, words[-1].end, "".join(word.text for word in words).strip())


def _stamp(seconds: Fraction) -> str:
    whole, ms = divmod(nearest(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{ms:03d}"
