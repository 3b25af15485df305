"""Speech that is chopped at a cut: somebody speaks in the film on both sides of where a shot's sound begins or ends.

edges of the shots that are heard ─ the film's sound around each, all in one row ─ voice detection ─► lines that are cut
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.dialogue.voice_activity import film_samples
from cinecut.analysis.dialogue.voice_networks import RATE, STEPS, Floats, detect_voice
from cinecut.known.judge import chopped_lines, heard_edges
from cinecut.known.record import KnownLine
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.proof.verify.findings import Events, Finding
from cinecut.render.job import Job

_AROUND = Fraction(1)  # seconds of the film to either side of an edge
_ROOM = RATE // 2  # silent samples between two stretches of the row
_BREATH = 12  # hundredths of a second: a shorter pause ends no word
_SILENT = 0.002  # amplitude below which nobody is heard


def chopped(job: Job, events: Events) -> Iterator[Finding]:
    """A finding for each shot whose sound begins or ends while somebody speaks. Raises Stop where a film is gone."""
    layout, lines = job.plan.layout, list[KnownLine]()
    edges = [(placed.film.film, edge) for placed, edge, _ in heard_edges(layout)]
    for name, film in job.spec.every_film.items():
        facts = layout.trailer.footage[name].facts
        latest = FilmTime(facts.duration - _AROUND / 2)
        own = [edge for key, edge in edges if key == name and FilmTime(_AROUND / 2) < edge < latest]
        spoken = _spoken_over(job.films[name], facts, film.audio - 1, own)
        lines += [KnownLine(replace(each, film=name), "") for each in spoken]
    ranges = {placed.name: (start, end) for start, end, placed in events.ranges()}
    for placed, found in chopped_lines(layout, lines):
        yield Finding(found.code, found.message, *ranges[placed.name], placed.name, found.span, found.hints)


def _spoken_over(film: Path, facts: FilmFacts, stream: int, edges: Sequence[FilmTime]) -> list[FilmRange]:
    """The stretches of speech in which edges lie, as far as they are looked at."""
    sounds = [_around(film, facts, stream, edge) for edge in edges]
    loud = [number for number, sound in enumerate(sounds) if np.abs(sound).max(initial=0) > _SILENT]
    if not loud:
        return []
    gap = np.zeros(_ROOM, np.float32)
    row = np.concatenate([gap, *chain.from_iterable((sounds[number], gap) for number in loud)])
    speaks, found, at = detect_voice(row, certain=True), list[FilmRange](), _ROOM
    for number in loud:
        length = len(sounds[number])
        own = speaks[at * STEPS // RATE : (at + length) * STEPS // RATE]
        at += length + _ROOM
        begin = max(Fraction(0), edges[number].seconds - _AROUND)
        middle = int((edges[number].seconds - begin) * STEPS)
        first, last = _run(own, middle)
        if last > first:
            found.append(FilmRange(FilmTime(begin + Fraction(first, STEPS)), FilmTime(begin + Fraction(last, STEPS))))
    return found


def _around(film: Path, facts: FilmFacts, stream: int, edge: FilmTime) -> Floats:
    """The film's sound around an edge."""
    begin, parts, wanted = max(Fraction(0), edge.seconds - _AROUND), list[Floats](), int(2 * _AROUND * RATE)
    for part in film_samples(film, facts, stream, begin):
        parts.append(part)
        if sum(map(len, parts)) >= wanted:
            break
    return np.concatenate([*parts, np.zeros(0, np.float32)])[:wanted]


def _run(speaks: NDArray[np.bool_], middle: int) -> tuple[int, int]:
    """The stretch of speech around a moment, in hundredths of a second; empty where nobody speaks there."""
    at = np.flatnonzero(speaks)
    before, after = at[at < middle], at[at >= middle]
    if not len(before) or not len(after) or after[0] - before[-1] > _BREATH:
        return 0, 0
    breaks = np.flatnonzero(np.diff(before) > _BREATH)
    first = int(before[breaks[-1] + 1]) if len(breaks) else int(before[0])
    breaks = np.flatnonzero(np.diff(after) > _BREATH)
    last = int(after[breaks[0]]) if len(breaks) else int(after[-1])
    return first, last + 1
