"""Who speaks when: the voices of a film separated by its sound alone (speaker diarisation).

phrases ─ windows ─ voiceprints ─ groups of alike ones ─► Turn …
Dialogue, turns ─ names of voices ─ who talks most ─► with_cast: who says each line

The groups are found as in Park et al., Auto-tuning spectral clustering for speaker diarization (2019): no threshold on
likeness and no number of speakers has to be known, which differ from film to film.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.dialogue.lines import LEADS, OTHERS, UNKNOWN, Dialogue, Line
from cinecut.analysis.dialogue.voice_activity import film_stretches
from cinecut.analysis.dialogue.voice_networks import RATE, WINDOW, Floats, voiceprints
from cinecut.analysis.stage import Advance, Stage
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime

_WINDOW, _HOP = Fraction(16, 10), Fraction(8, 10)  # seconds of a window, and about from one to the next
_TOGETHER = Fraction(60)  # seconds of film that are read at once
_FEWEST = 10  # windows; fewer are no evidence
_MOST = 8  # voices that are told apart
_COMPARED = 800  # windows that are compared with each other; further ones are put to the most alike group
_NEAREST = (0.04, 0.06, 0.09, 0.13, 0.18, 0.25)  # shares of all windows that may count as a window's nearest
_LEAST = 10  # of them at least: a window's neighbours in time are of the same phrase
_TRIES, _STEPS = 5, 20  # of k-means, from other starts

Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch in which one voice speaks. `voice` 1 is the one who speaks most."""

    range: FilmRange
    voice: int


def find_speakers(
    film: Path, facts: FilmFacts, stream: int, phrases: Sequence[FilmRange], progress: Advance
) -> tuple[Turn, ...]:
    """The turns of all voices in the phrases of one of a film's audio streams (from 0), in order; none if there is too
    little speech."""
    spans = [span for phrase in phrases for span in _spans(phrase)]
    if len(spans) < _FEWEST or not facts.audio:
        return ()
    batches = [list(each) for _, each in groupby(spans, lambda span: span.first // _TOGETHER)]
    reach = [(each[0].first, each[-1].last) for each in batches]
    prints, done = list[Floats](), 0
    for batch, sound in zip(batches, film_stretches(film, facts, stream, reach), strict=True):
        prints.append(voiceprints(_windows(batch, sound)))
        done += len(batch)
        progress(done / len(spans))
    return tuple(_turns(spans, _by_time(spans, tell_apart(np.concatenate(prints)))))


SPEAKERS: Stage[tuple[Turn, ...]] = Stage("speakers", tuple[Turn, ...], find_speakers)


@dataclass(frozen=True, slots=True)
class _Span:
    """A window of sound, from `first` to `last` in film seconds, and the part of its phrase that it represents."""

    first: Fraction
    last: Fraction
    begin: Fraction
    end: Fraction


def _spans(phrase: FilmRange) -> Iterator[_Span]:
    """The windows of a phrase, spread evenly; a short phrase has one."""
    start, end, length = phrase.start.seconds, phrase.end.seconds, phrase.duration
    count = 1 + max(0, -(-(length - _WINDOW) // _HOP))
    step = max(Fraction(0), length - _WINDOW) / max(1, count - 1)
    firsts = [start + step * number for number in range(count)]
    edges = [start, *(first + (_WINDOW - step) / 2 for first in firsts[1:]), end]
    for number, first in enumerate(firsts):
        yield _Span(first, min(first + _WINDOW, end), edges[number], edges[number + 1])


def _windows(spans: Sequence[_Span], sound: Floats) -> Floats:
    """The windows of a stretch of sound that begins with the first of them; a short one is filled up with silence."""
    windows = np.zeros((len(spans), WINDOW), np.float32)
    for row, span in zip(windows, spans, strict=True):
        first, last = (int((time - spans[0].first) * RATE) for time in (span.first, span.last))
        part = sound[first : min(last, first + WINDOW)]
        row[: len(part)] = part
    return windows


def _turns(spans: Sequence[_Span], voices: Numbers) -> Iterator[Turn]:
    begin = spans[0].begin
    for number, (span, voice) in enumerate(zip(spans, voices.tolist(), strict=True)):
        last = number + 1 == len(spans)
        if last or voices[number + 1] != voice or spans[number + 1].begin != span.end:
            yield Turn(FilmRange(FilmTime(begin), FilmTime(span.end)), voice)
            begin = span.end if last else spans[number + 1].begin


def _by_time(spans: Sequence[_Span], groups: Numbers) -> Numbers:
    """The groups numbered from 1, the one who speaks most first."""
    seconds = np.bincount(groups, [float(span.end - span.begin) for span in spans])
    places = np.empty(len(seconds), np.intp)
    places[np.argsort(-seconds, kind="stable")] = np.arange(1, len(seconds) + 1)
    return places[groups]


# --- groups ----------------------------------------------------------------------------------------------------------


def tell_apart(prints: Floats) -> Numbers:
    """Cluster voiceprints [shape=(n, 256)]: the group of each, numbered from 0."""
    compared = prints[:: -(-len(prints) // _COMPARED)]
    groups = _spectral(compared)
    middles = np.stack([compared[groups == group].mean(axis=0) for group in np.unique(groups)])
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    return groups if len(compared) == len(prints) else (prints @ middles.T).argmax(axis=1)


def _spectral(prints: Floats) -> Numbers:
    """Groups of a graph that joins each print to its nearest ones. There are as many as the graph's Laplacian has small
    eigenvalues; how many neighbours count is chosen so that the gap behind those is widest for so many."""
    likeness, size = prints @ prints.T, len(prints)
    ordered = np.sort(likeness, axis=1)
    groupings = list[tuple[float, NDArray[np.float64]]]()
    for count in sorted({min(size, max(_LEAST, int(size * share))) for share in _NEAREST}):
        joined = (likeness >= ordered[:, -count][:, None]).astype(np.float64)
        joined = (joined + joined.T) / 2
        values, vectors = np.linalg.eigh(np.diag(joined.sum(axis=1)) - joined)
        gaps = np.diff(values[: _MOST + 1])
        gap = float(gaps.max() / values[-1])
        groupings.append((count / size / (gap + 1e-10), vectors[:, : int(gaps.argmax()) + 1]))
    return _k_means(min(groupings, key=lambda each: each[0])[1])


def _k_means(points: NDArray[np.float64]) -> Numbers:
    """As many groups of points as they have dimensions: the best of a few tries."""
    dice = np.random.default_rng(0)
    tries = [_gathered(points, dice) for _ in range(_TRIES)]
    return np.unique(min(tries, key=lambda each: each[0])[1], return_inverse=True)[1]


def _gathered(points: NDArray[np.float64], dice: np.random.Generator) -> tuple[float, Numbers]:
    """The squared distances of all points to the centres of their groups, and the groups."""

    def away(middles: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.square(points[:, None] - middles).sum(axis=2))

    middles = points[dice.integers(len(points))][None]
    while len(middles) < points.shape[1]:  # the next one is likelier the farther it is from all others
        chances = away(middles).min(axis=1) + 1e-12
        middles = np.vstack([middles, points[dice.choice(len(points), p=chances / chances.sum())]])
    for _ in range(_STEPS):
        groups = away(middles).argmin(axis=1)
        inside = [points[groups == number] for number in range(len(middles))]
        middles = np.stack([each.mean(axis=0) if len(each) else m for each, m in zip(inside, middles, strict=True)])
    return float(away(middles).min(axis=1).sum()), groups


# --- the cast ---------------------------------------------------------------------------------------------------------

_NAMED = 3  # lines of a voice with one name, from which it is that name's
_MAJORITY = Fraction(6, 10)  # of a voice's lines with a name
_CLEARLY = Fraction(12, 10)  # times as long as the second one the protagonist talks
_FEW = 3  # lines with words of the protagonist


def with_cast(dialogue: Dialogue, turns: Sequence[Turn]) -> Dialogue:
    """The dialogue with the speaker of each line: the name in the subtitles, else the name of the voice, else its
    number. The protagonist is the one who speaks most, unless the subtitles show another."""
    voices = [_voice_of(line.range, turns) for line in dialogue.lines]
    names = _names(dialogue.lines, voices)
    lines = [
        line if line.speaker or not voice else replace(line, speaker=names.get(voice), voice=voice)
        for line, voice in zip(dialogue.lines, voices, strict=True)
    ]
    seconds: dict[str, Fraction] = {}
    for line in lines:
        if line.said_by:
            seconds[line.said_by] = seconds.get(line.said_by, Fraction(0)) + line.range.duration
    cast = tuple(sorted(seconds.items(), key=lambda each: -each[1]))
    lead = _lead(dialogue, lines, cast)
    if lead is not None:
        lines = [_led(line, lead) for line in lines]
    return replace(dialogue, lines=tuple(lines), protagonist=dialogue.protagonist or lead, cast=cast)


def _voice_of(span: FilmRange, turns: Sequence[Turn]) -> int:
    """The voice that speaks longest in a range, if for at least half of it; else 0."""
    first = bisect_left(turns, span.start, key=lambda turn: turn.range.end)
    shares: dict[int, Fraction] = {}
    for turn in turns[first:]:
        if turn.range.start >= span.end:
            break
        common = min(turn.range.end, span.end) - max(turn.range.start, span.start)
        shares[turn.voice] = shares.get(turn.voice, Fraction(0)) + common
    voice, most = max(shares.items(), key=lambda each: each[1], default=(0, Fraction(0)))
    return voice if 2 * most >= span.duration else 0


def _names(lines: Sequence[Line], voices: Sequence[int]) -> dict[int, str]:
    """The name of each voice: the one that most of its named lines have."""
    by_voice: dict[int, Counter[str]] = {}
    for line, voice in zip(lines, voices, strict=True):
        if line.speaker and voice:
            by_voice.setdefault(voice, Counter())[line.speaker] += 1
    tops = {voice: (*counts.most_common(1)[0], counts.total()) for voice, counts in by_voice.items()}
    return {voice: name for voice, (name, n, total) in tops.items() if n >= _NAMED and n >= _MAJORITY * total}


def _lead(dialogue: Dialogue, lines: Sequence[Line], cast: Sequence[tuple[str, Fraction]]) -> str | None:
    """The speaker whose lines are preferred: the protagonist, if lines are known to be theirs, else the one who clearly
    talks most, if these lines have words."""
    hero = dialogue.protagonist
    if hero is not None and any(_is_by(line, hero) for line in lines):
        return hero
    if len(cast) < 2 or cast[0][1] < _CLEARLY * cast[1][1]:
        return None
    most = cast[0][0]
    return most if sum(bool(line.text) and line.said_by == most for line in lines) >= _FEW else None


def _is_by(line: Line, name: str) -> bool:
    return line.said_by == name or name in (line.speaker or "").split()


def _led(line: Line, lead: str) -> Line:
    """The line with its values adjusted to its speaker; a name in the subtitles was taken into account earlier."""
    mine = _is_by(line, lead)
    if not line.voice:
        return replace(line, lead=mine)
    worth = line.voice_over * (LEADS if mine else OTHERS) / UNKNOWN
    return replace(line, lead=mine, voice_over=round(min(1.0, worth), 2))
