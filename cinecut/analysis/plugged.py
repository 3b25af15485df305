"""The parts of the analysis that a plug-in can replace. Its results are checked, and cached like a stage's own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from cinecut.analysis.dialogue.lines import Dialogue, dialogue_of
from cinecut.analysis.dialogue.subtitles.cues import Cues, SubtitleCue
from cinecut.analysis.dialogue.subtitles.tracks import Track
from cinecut.analysis.film.blends import GradualCut
from cinecut.analysis.film.screen import NO_BARS
from cinecut.analysis.film.shots import SHOTS, FilmShot, ShotList
from cinecut.analysis.song.beats import BEATS, Beats
from cinecut.analysis.stage import Advance, Stage, StageRunner
from cinecut.diagnostics import Diagnostic
from cinecut.inference.chat import Chat
from cinecut.inference.models import Part
from cinecut.inference.server import Models
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime, nearest
from cinecut.plugins import Plugin


def shots_stage(plugin: Plugin | None) -> Stage[ShotList]:
    """The stage that finds the shots."""
    if plugin is None:
        return SHOTS

    def work(film: Path, facts: FilmFacts, progress: Advance) -> ShotList:
        begin = [_seconds(plugin, moment) for moment in _list(plugin, plugin(film, facts, progress))]
        frames = [nearest(seconds * facts.rate) for seconds in begin]
        marks = sorted({0, facts.frames, *(frame for frame in frames if 0 < frame < facts.frames)})
        ranges = [FilmRange(FilmTime(a / facts.rate), FilmTime(b / facts.rate)) for a, b in pairwise(marks)]
        shots = (FilmShot(index, range, GradualCut.CUT) for index, range in enumerate(ranges))
        return ShotList(tuple(shots), NO_BARS, ())

    return Stage("shots", ShotList, work, plugin.by)


def beats_stage(plugin: Plugin | None) -> Stage[tuple[Beats, list[Diagnostic]]]:
    """The stage that finds the beats of a song."""
    if plugin is None:
        return BEATS

    def work(
        song: Path, tempo_range: tuple[float, float], likely: float, progress: Advance
    ) -> tuple[Beats, list[Diagnostic]]:
        beats = plugin(song, progress)
        if not isinstance(beats, Beats):
            raise plugin.failed(f"it answers {type(beats).__name__}, not Beats")
        return beats, []

    return Stage("beats", BEATS.kind, work, plugin.by)


def transcribed(plugin: Plugin, film: Path, facts: FilmFacts, line: StageRunner) -> tuple[Dialogue, list[Diagnostic]]:
    """The dialogue, transcribed by a plug-in."""

    def work(film: Path, facts: FilmFacts, progress: Advance) -> list[tuple[Fraction, Fraction, str]]:
        rows = _list(plugin, plugin(film, facts, progress))
        if not all(isinstance(row, tuple | list) and len(row) == 3 and isinstance(row[2], str) for row in rows):
            raise plugin.failed("each line is (start, end, words)")
        return [(_seconds(plugin, start), _seconds(plugin, end), words) for start, end, words in rows]

    rows = line.run(Stage("transcript", list[tuple[Fraction, Fraction, str]], work, plugin.by), film, facts)
    cues = Cues(tuple(SubtitleCue(start, end, words) for start, end, words in sorted(rows)), None)
    warnings: list[Diagnostic] = []
    return dialogue_of(Track(plugin.by), cues, facts.duration, warnings), warnings


def _list(plugin: Plugin, answer: object) -> list[Any]:
    try:
        return list(answer)  # type: ignore[call-overload,no-any-return]
    except TypeError:
        raise plugin.failed(f"it answers {type(answer).__name__}, which is no list") from None


def _seconds(plugin: Plugin, value: object) -> Fraction:
    if not isinstance(value, int | float | Fraction) or not math.isfinite(value):
        raise plugin.failed(f"{value!r} is no time in seconds")
    return Fraction(value)


@dataclass(frozen=True, slots=True)
class Describing:
    """Models with a plug-in in place of the vision model; `others` has the text model."""

    plugin: Plugin
    others: Models | None

    def identity(self, part: Part) -> str | None:
        return self.plugin.by if part == "vision" else self.others.identity(part) if self.others else None

    def name(self, part: Part) -> str | None:
        return self.plugin.by if part == "vision" else self.others.name(part) if self.others else None

    @contextmanager
    def open(self, part: Part) -> Iterator[Chat]:
        if part == "vision":
            yield _PluginChat(self.plugin.by, "", plugin=self.plugin)
        else:
            assert self.others is not None
            with self.others.open(part) as chat:
                yield chat


@dataclass(frozen=True, slots=True)
class _PluginChat(Chat):
    """A plug-in with the interface of a model."""

    plugin: Plugin = field(kw_only=True)

    def ask(
        self, prompt: str, schema: dict[str, Any], *, picture: bytes | None = None, **options: Any
    ) -> dict[str, Any]:
        answer = self.plugin(picture)
        if not isinstance(answer, Mapping) or not all(isinstance(answer.get(key), str) for key in schema["required"]):
            raise self.plugin.failed(f"it answers no {{{', '.join(schema['required'])}}}")
        return dict(answer)
