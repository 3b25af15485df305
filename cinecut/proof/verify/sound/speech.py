"""Speech chopped at a cut: somebody speaks in the film on both sides of a shot's start or end of sound.

edges of the shots that are heard ─ the film's sound around each, all in one row ─ voice detection ─► lines that are cut
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.dialogue.voice_activity import film_stretches
from cinecut.analysis.dialogue.voice_networks import RATE, STEPS, Floats, by_silero, detect_voice
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
    """A finding for each shot whose sound begins or ends during speech. Raises Stop if a film is missing."""
    layout, lines = job.plan.layout, list[KnownLine]()
    edges = [(placed.film.film, edge) for placed, edge, _ in heard_edges(layout)]
    for name, film in job.spec.every_film.items():
        facts = layout.trailer.footage[name].facts
        latest = FilmTime(facts.duration - _AROUND / 2)
        own = [edge for key, edge in edges if key == name and FilmTime(_AROUND / 2) < edge < latest]
        spoken = _spoken_over(job.films[name], facts, film.audio - 1, own)
        lines += [KnownLine(replace(each, film=name), "") for each in spoken]
    ranges = {placed.name: (start, end) for start, end, placed in events.ranges()}
    for placed, finding in chopped_lines(layout, lines):
        yield Finding(finding.code, finding.message, *ranges[placed.name], placed.name, finding.span, finding.hints)


def _spoken_over(film: Path, facts: FilmFacts, stream: int, edges: Sequence[FilmTime]) -> list[FilmRange]:
    """The stretches of speech in which edges lie, as far as they are looked at."""
    begins = [max(Fraction(0), edge.seconds - _AROUND) for edge in sorted(edges)]
    ranges = [(begin, begin + 2 * _AROUND) for begin in begins]
    looked = zip(sorted(edges), begins, film_stretches(film, facts, stream, ranges), strict=True)
    loud = [each for each in looked if np.abs(each[2]).max(initial=0) > _SILENT]
    likely = [each for each, run in zip(loud, _runs(loud, by_silero), strict=True) if run]  # the other one costs thrice
    voiced = zip(likely, _runs(likely, lambda row: detect_voice(row)[1]), strict=True)
    return [
        FilmRange(FilmTime(begin + Fraction(run[0], STEPS)), FilmTime(begin + Fraction(run[1], STEPS)))
        for (_, begin, _), run in voiced
        if run
    ]


_Look = tuple[FilmTime, Fraction, Floats]  # an edge, where the sound around it begins, and that sound


def _runs(looked: Sequence[_Look], detector: Callable[[Floats], NDArray[np.bool_]]) -> list[tuple[int, int] | None]:
    """For each edge the stretch of speech around it, in hundredths of a second of its sound; None without any."""
    if not looked:
        return []
    gap = np.zeros(_ROOM, np.float32)
    speaks = detector(np.concatenate([gap, *chain.from_iterable((sound, gap) for _, _, sound in looked)]))
    runs, at = list[tuple[int, int] | None](), _ROOM
    for edge, begin, sound in looked:
        own = speaks[at * STEPS // RATE : (at + len(sound)) * STEPS // RATE]
        at += len(sound) + _ROOM
        runs.append(_run(own, int((edge.seconds - begin) * STEPS)))
    return runs


def _run(speaks: NDArray[np.bool_], middle: int) -> tuple[int, int] | None:
    """The stretch of speech around a moment, in hundredths of a second; None without speech there."""
    at = np.flatnonzero(speaks)
    before, after = at[at < middle], at[at >= middle]
    if not len(before) or not len(after) or after[0] - before[-1] > _BREATH:
        return None
    breaks = np.flatnonzero(np.diff(before) > _BREATH)
    first = int(before[breaks[-1] + 1]) if len(breaks) else int(before[0])
    breaks = np.flatnonzero(np.diff(after) > _BREATH)
    last = int(after[breaks[0]]) if len(breaks) else int(after[-1])
    return first, last + 1
