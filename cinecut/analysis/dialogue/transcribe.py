"""The spoken words of a film with their times, by Whisper (the extra `speech`: faster-whisper).

voices ─ blocks without gaps that end in pauses ─ language ─ Whisper ─ drop invented lines ─► Transcript
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

from cinecut.analysis.dialogue.subtitles.cues import Cues, SubtitleCue
from cinecut.analysis.dialogue.voice_activity import BREATH, Voices, film_samples
from cinecut.analysis.dialogue.voice_networks import RATE, Floats
from cinecut.analysis.stage import StageRunner, code_of
from cinecut.diagnostics import Stop
from cinecut.inference.whisper import Whisper, find_whisper
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import nearest

_BLOCK, _LEAST = 28, 8  # seconds: longest block (Whisper takes 30), and shortest one that ends in a pause
_THREADS = max(1, (os.cpu_count() or 1) - 1)  # one core is left for decoding the film's sound and for other programs
_TOGETHER = 8  # blocks whose words are cached together
_SILENT = 0.0005  # a block whose samples all stay below it has no words
_LANGUAGE_BLOCKS = 5  # blocks from which the language is recognised
_NO_SPEECH = 0.6  # Whisper's probability of no speech above which a line is dropped
_UNSURE = 0.35  # mean probability of a line's words below which it is dropped
_AFTER_PAUSE, _OFF = Fraction(1, 4), Fraction(6, 10)  # seconds of a pause; greatest correction by the voices
_LONGEST_CUE, _WIDEST_CUE = Fraction(6), 84  # seconds and characters


@dataclass(frozen=True, slots=True)
class Word:
    """`start` and `end` in film seconds; `text` starts with a blank in languages that separate words by blanks."""

    start: Fraction
    end: Fraction
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """`lines` as Whisper divides them, about a sentence each; `language` is ISO 639-1."""

    lines: tuple[tuple[Word, ...], ...]
    language: str | None

    def cues(self) -> Cues:
        """The words as subtitles, at most two lines of text each."""
        return Cues(tuple(cue for line in self.lines for cue in _cues(line)), self.language)

    def srt(self) -> str:
        """The text of a subtitle file."""
        rows = enumerate(self.cues().cues, 1)
        return "\n".join(f"{number}\n{_stamp(cue.start)} --> {_stamp(cue.end)}\n{cue.text}\n" for number, cue in rows)


def usable_whisper() -> Whisper | None:
    """The weights to use; None if they or Whisper's engine are missing. The engine is not imported."""
    return find_whisper() if importlib.util.find_spec("faster_whisper") else None


def transcribe(film: Path, facts: FilmFacts, voices: Voices, model: Whisper, line: StageRunner) -> Transcript:
    """All words of a film's first audio stream. Raises Stop("model") if the model or its engine cannot be used."""
    folder, bounds = model.prepared(), _bounds(voices, facts.duration)
    engine = cache(lambda: _load(folder))

    def cached(what: str, kind: Any, work: Callable[[], Any], *key: object) -> Any:
        digest = hashlib.sha256(repr((code_of(__name__), model.identity, *key)).encode()).hexdigest()[:24]
        return line.cache.kept(what, digest, kind, work)

    language = cached("language", str, lambda: _language(engine(), film, facts, voices, bounds), bounds)
    lines: list[tuple[Word, ...]] = []
    for first in range(0, len(bounds) - 1, _TOGETHER):
        part = bounds[first : first + _TOGETHER + 1]

        def words(part: Sequence[Fraction] = part) -> tuple[tuple[Word, ...], ...]:
            return tuple(row for block in _sounds(film, facts, part) for row in _lines(engine(), block, language))

        lines += cached("words", tuple[tuple[Word, ...], ...], words, language, part)
        line.progress("words", float(part[-1] / facts.duration))
    return Transcript(tuple(_snapped(lines, voices, model.early)), language or None)


def _load(folder: Path) -> Any:
    try:
        from faster_whisper import WhisperModel

        return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=_THREADS)
    except ImportError:
        raise Stop("model", "faster-whisper is not installed", "python -m pip install 'cinecut[speech]'") from None
    except (RuntimeError, ValueError, OSError) as error:
        raise Stop("model", f"{folder} cannot be loaded: {error}", "cinecut models pull whisper") from None


# --- blocks ----------------------------------------------------------------------------------------------------------

Block = tuple[Fraction, Floats]  # its start in film seconds, and its samples


def _bounds(voices: Voices, duration: Fraction) -> list[Fraction]:
    """The starts of the blocks, and the film's end. A block of full length that would cut a phrase ends in the last
    pause before, if it is not too short then."""
    pauses = [(a.end.seconds + b.start.seconds) / 2 for a, b in pairwise(voices.phrases)]
    bounds = [Fraction(0)]
    while bounds[-1] + _BLOCK < duration:
        limit = bounds[-1] + _BLOCK
        fitting = [pause for pause in pauses if bounds[-1] + _LEAST <= pause <= limit]
        cut = any(phrase.start.seconds < limit < phrase.end.seconds for phrase in voices.phrases)
        bounds.append(max(fitting) if fitting and cut else limit)
    return [*bounds, duration]


def _sounds(film: Path, facts: FilmFacts, bounds: Sequence[Fraction]) -> Iterator[Block]:
    """The blocks between the bounds."""
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
    """The most probable language over the blocks with the most speech; empty if there is no speech."""
    if not engine.model.is_multilingual:
        return "en"

    def spoken(span: tuple[Fraction, Fraction]) -> Fraction:
        each = (min(span[1], p.end.seconds) - max(span[0], p.start.seconds) for p in voices.phrases)
        return sum((max(Fraction(0), seconds) for seconds in each), Fraction(0))

    scores: dict[str, float] = {}
    for span in sorted(pairwise(bounds), key=spoken)[-_LANGUAGE_BLOCKS:]:
        for _, sound in _sounds(film, facts, span) if spoken(span) else ():
            for name, probability in engine.detect_language(sound)[2]:
                scores[name] = scores.get(name, 0.0) + probability
    return max(scores, key=lambda name: scores[name], default="")


def _lines(engine: Any, block: Block, language: str) -> Iterator[tuple[Word, ...]]:
    """The lines that Whisper recognises in a block, without those that it probably invented."""
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


def _snapped(lines: Iterable[tuple[Word, ...]], voices: Voices, early: Fraction) -> Iterator[tuple[Word, ...]]:
    """The words with better times: Whisper places all of them a little `early`, or late. The first word after a pause
    and the last one of a line are off by more; the voices show better where speech begins and ends."""
    phrases = [(p.start.seconds + BREATH, p.end.seconds - BREATH) for p in voices.phrases]
    starts, ends = [start for start, _ in phrases], [end for _, end in phrases]
    for line in lines:
        words = [
            Word(max(Fraction(0), word.start + early), max(Fraction(0), word.end + early), word.text) for word in line
        ]
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
    """The nearest of some sorted times; -1 if there are none."""
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
