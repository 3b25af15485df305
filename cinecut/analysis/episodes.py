"""Several films analysed as one: each is measured separately, then they are put one after another, with a pause between
them. The choice of shots works on this one long film; in the spec, every time is a time in its own film.

    Watched of each film ─ united ─► Watched of all, on one clock ─ choosing ─► times of that clock ─ own ─► each film's
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import TypeVar

from cinecut.analysis.dialogue.lines import Dialogue, Line
from cinecut.analysis.dialogue.pauses import Pauses, stretches
from cinecut.analysis.film.loudness import LoudnessCurve, one_behind_the_other
from cinecut.analysis.film.movement.activity import Activity
from cinecut.analysis.film.screen import Bars
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import Appearance
from cinecut.analysis.story.meaning import Meaning
from cinecut.analysis.story.scenes import Described
from cinecut.diagnostics import Diagnostic
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.link import film_names

_PAUSE = 2  # seconds at least between two films, over which no shot and no line reaches

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Episode:
    """A film as a part of the whole: its name in the spec (None for a single film), the second at which it begins, its
    black bars, and the audio stream that is used, from 1, with the reason if there was a choice."""

    path: Path
    facts: FilmFacts
    bars: Bars
    audio: tuple[int, str]
    name: str | None = None
    start: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Watched:
    """The measurements of a film, or of several one after another; shots by their index among all of them. `levels` are
    those of the films' sound, `rendered` the levels of that sound in a trailer."""

    episodes: tuple[Episode, ...]
    dialogue: Dialogue
    shots: tuple[FilmShot, ...]
    levels: LoudnessCurve
    rendered: LoudnessCurve
    looks: Mapping[int, Appearance]
    active: Mapping[int, Activity]
    described: Described
    meanings: Mapping[int, Meaning]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def facts(self) -> FilmFacts:
        """The first film's, with the duration of all films."""
        first, last = self.episodes[0], self.episodes[-1]
        return replace(first.facts, duration=last.start + last.facts.duration)

    @property
    def usable(self) -> list[FilmShot]:
        return [shot for shot in self.shots if shot.usable]

    def pauses(self, dialogue: Dialogue) -> Pauses:
        """Where nobody speaks."""
        ends = (each.start + each.facts.duration for each in self.episodes)
        films = (FilmRange(FilmTime(each.start), FilmTime(end)) for each, end in zip(self.episodes, ends, strict=True))
        return Pauses(tuple(stretches([line.range for line in dialogue.lines])), self.rendered, tuple(films))

    def episode(self, time: FilmTime) -> Episode:
        """The film at a time of the whole."""
        return next(each for each in reversed(self.episodes) if each.start <= time.seconds or each.start == 0)

    def own(self, span: FilmRange) -> FilmRange:
        """A range of the whole as a range of its film."""
        if len(self.episodes) == 1:
            return span
        each = self.episode(span.start + span.duration / 2)
        start, end = (time.seconds - each.start for time in (span.start, span.end))
        start, end = max(Fraction(0), start), min(end, each.facts.duration)
        return FilmRange(FilmTime(start), FilmTime(end), "" if each is self.episodes[0] else each.name or "")


def united(parts: Sequence[Watched], names: Sequence[str] = ()) -> Watched:
    """Films one after another, with their names in the spec: none for a single film, else made from the file names."""
    if len(parts) == 1:
        alone = [replace(each, name=names[0] if names else None) for each in parts[0].episodes]
        return replace(parts[0], episodes=tuple(alone))
    starts, counts, at, count = list[Fraction](), list[int](), Fraction(0), 0
    for part in parts:
        starts.append(at)
        counts.append(count)
        at = Fraction(ceil(at + part.facts.duration) + _PAUSE)
        count += len(part.shots)
    names = names or film_names([part.episodes[0].path for part in parts])
    episodes = [replace(part.episodes[0], name=name, start=start)
                for part, name, start in zip(parts, names, starts, strict=True)]  # fmt: skip
    whole = list(zip(parts, starts, counts, strict=True))
    return Watched(
        tuple(episodes),
        _dialogue(parts, starts),
        tuple(
            replace(shot, index=shot.index + first, range=_later(shot.range, start))
            for part, start, first in whole
            for shot in part.shots
        ),
        one_behind_the_other([(part.levels, start) for part, start, _ in whole]),
        one_behind_the_other([(part.rendered, start) for part, start, _ in whole]),
        _numbered((first, part.looks) for part, _, first in whole),
        _numbered((first, _moved(part.active, start)) for part, start, first in whole),
        _described(parts, counts),
        _numbered((first, part.meanings) for part, _, first in whole),
        tuple(_named(each, part.episodes[0].path) for part in parts for each in part.diagnostics),
    )


def _named(diagnostic: Diagnostic, film: Path) -> Diagnostic:
    """A diagnostic that names its film, if there are several."""
    return replace(diagnostic, message=f"{film.name}: {diagnostic.message}")


def _later(span: FilmRange, start: Fraction) -> FilmRange:
    return FilmRange(span.start + start, span.end + start)


def _numbered(parts: Iterable[tuple[int, Mapping[int, T]]]) -> dict[int, T]:
    return {index + first: value for first, part in parts for index, value in part.items()}


def _moved(active: Mapping[int, Activity], start: Fraction) -> dict[int, Activity]:
    return {n: replace(each, peak=each.peak and each.peak + start) for n, each in active.items()}


def _dialogue(parts: Sequence[Watched], starts: Sequence[Fraction]) -> Dialogue:
    """The lines of all films; the protagonist is the one with the highest confidence."""
    lines = list[Line]()
    for part, start in zip(parts, starts, strict=True):
        lines += [replace(each, range=_later(each.range, start), index=len(lines) + at)
                  for at, each in enumerate(part.dialogue.lines)]  # fmt: skip
    surest = max((part.dialogue for part in parts), key=lambda dialogue: dialogue.confidence)
    language = next((part.dialogue.language for part in parts if part.dialogue.language), None)
    return replace(surest, lines=tuple(lines), language=language, cast=())  # each film numbers its own voices


def _described(parts: Sequence[Watched], counts: Sequence[int]) -> Described:
    each = [part.described for part in parts]
    scenes = _numbered(zip(counts, (one.scenes for one in each), strict=True))
    by = next((one.by for one in each if one.by), "")
    return Described(scenes, by, sum(one.kept for one in each), tuple(d for one in each for d in one.diagnostics))
