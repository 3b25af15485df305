"""One film, looked at for a catalogue: by the stages of the analysis, and kept where the analysis keeps them.

film ─ facts ─ dialogue ─ shots ─ signals ─ scenes ─► FilmContents: measures, looks and texts of every usable shot
                                 └─ key pictures ─► pictures
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.cache import Cache
from cinecut.analysis.dialogue.lines import Dialogue, Spoken
from cinecut.analysis.film import signals
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import Appearance
from cinecut.analysis.measure import listen, watch
from cinecut.analysis.request import Request
from cinecut.analysis.stage import Progress, Stage, StageRunner
from cinecut.analysis.story.meaning import DRAMA
from cinecut.analysis.story.scenes import Described
from cinecut.catalogue.words import MEASURES, columns_of, measures_of, strongest
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.files import fingerprint
from cinecut.inference import minilm
from cinecut.inference.models import minilm_engine
from cinecut.inference.server import Models
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, clock
from cinecut.review.sheet.stills import Wanted, draw
from cinecut.vibes import DEFAULT, load_vibe

Rows = NDArray[np.float32]
LOOK_WIDTH, TEXT_WIDTH = 512 + 9 * 16, 384  # numbers of a look, and of MiniLM's sentences


@dataclass(frozen=True, slots=True)
class FilmText:
    """A line spoken in a shot, or a model's description of its picture; `shot` is its place among the usable ones."""

    shot: int
    kind: Literal["line", "scene"]
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class FilmContents:
    """The result for one film; it contains no path or name of the film. All arrays and tuples but those of the texts
    have an item per usable shot, in order."""

    facts: FilmFacts
    numbers: tuple[int, ...]  # of the shots, from 1, among all of the film's
    shots: tuple[FilmRange, ...]
    scores: tuple[float, ...]  # 0 to 1: how much it would give to a trailer
    measures: Rows  # [shots x MEASURES]
    looks: Rows  # [shots x LOOK_WIDTH], each of length 1
    texts: tuple[FilmText, ...]
    meanings: Rows  # [texts x TEXT_WIDTH], each of length 1; [0 x TEXT_WIDTH] where MiniLM is missing
    described_by: str  # the model of the scenes
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class LookOptions:
    """How films are analysed: the preferred subtitle language, and whether Whisper may be used; of one film also which
    subtitles are read, and how, as in a `Request`."""

    language: str | None = None
    transcribes: bool = True
    subtitles: Path | None = None
    shift: Fraction | None = None
    rate: Fraction | None = None


def look_at(film: Path, wish: LookOptions, models: Models | None, progress: Progress) -> FilmContents:
    """Analyse a film. Raises Stop if it cannot be read, or shows nothing."""
    line = StageRunner(Cache(fingerprint(film)), progress)
    subtitles = (wish.subtitles, wish.language, wish.shift, wish.rate)
    asked = Request(film, film, load_vibe(DEFAULT), *subtitles, transcribes=wish.transcribes)
    watched = watch(listen(asked, line), models)
    shots, looks, dialogue = watched.usable, watched.looks, watched.dialogue
    drama = {index: meaning[DRAMA] for index, meaning in watched.meanings.items()}
    ranks = signals.measure(shots, looks, watched.active, watched.levels, dialogue.lines, drama)
    shown = [shot for shot in shots if shot.index in ranks]  # of the others no picture could be decoded
    texts, meanings = _texts(shown, dialogue, watched.described, line)
    spoken = _spoken_shares(shown, dialogue)
    rows = [
        measures_of(looks[shot.index], ranks[shot.index], float(shot.range.duration), share)
        for shot, share in zip(shown, spoken, strict=True)
    ]
    return FilmContents(
        watched.facts,
        tuple(shot.index + 1 for shot in shown),
        tuple(shot.range for shot in shown),
        tuple(round(ranks[shot.index].score, 4) for shot in shown),
        np.array(rows, np.float32).reshape(len(shown), len(MEASURES)),
        np.stack([look_vector(looks[shot.index]) for shot in shown]),
        texts,
        meanings,
        watched.described.by,
        (*watched.diagnostics, *watched.described.diagnostics),
    )


def pictures_of(film: Path, facts: FilmFacts, shots: Sequence[FilmRange], progress: Progress) -> list[str | None]:
    """A small picture of each shot as a data URI; None if it cannot be decoded."""
    wanted = [Wanted(shot, small=True, rough=True) for shot in shots]
    return draw(film, facts, None, wanted, partial(progress, "pictures"))


def look_vector(look: Appearance) -> NDArray[np.float32]:
    """[LOOK_WIDTH], of length 1: the product of two is the mean of how far their colours overlap (Bhattacharyya's
    coefficient of the histograms) and how their layouts correlate."""
    layout = look.layout.ravel()
    layout = layout / max(float(np.linalg.norm(layout)), 1e-6)
    both = np.concatenate([np.sqrt(look.colors), layout])
    return np.asarray(both / np.linalg.norm(both), np.float32)


def _texts(
    shots: Sequence[FilmShot], dialogue: Dialogue, described: Described, line: StageRunner
) -> tuple[tuple[FilmText, ...], Rows]:
    """The scene of each shot, and the lines whose middle lies in it, with their meanings by MiniLM."""
    spoken, texts = Spoken(dialogue.lines), list[FilmText]()
    for place, shot in enumerate(shots):
        if shot.index in described.scenes:
            texts.append(FilmText(place, "scene", described.scenes[shot.index].text))
        for each in spoken.within(shot.range):
            middle = each.range.start + each.range.duration / 2
            if each.text and shot.range.start <= middle < shot.range.end:
                texts.append(FilmText(place, "line", each.text))
    said, engine = [each.text for each in texts], minilm_engine() or ""
    if not said or not engine:
        return tuple(texts), np.zeros((0, TEXT_WIDTH), np.float32)
    try:
        return tuple(texts), line.run(Stage("sentences", Rows, _sentences), said, engine)
    except Stop:  # its files are damaged: words are found as they are written, then
        return tuple(texts), np.zeros((0, TEXT_WIDTH), np.float32)


def _sentences(texts: Sequence[str], engine: str) -> Rows:
    """`engine` only distinguishes cached results."""
    return minilm.encode(texts)


def _spoken_shares(shots: Sequence[FilmShot], dialogue: Dialogue) -> list[float]:
    """The share of each shot with speech."""
    spoken = Spoken(dialogue.lines)

    def share(shot: FilmShot) -> float:
        inside = [
            min(each.range.end, shot.range.end) - max(each.range.start, shot.range.start)
            for each in spoken.within(shot.range)
        ]
        return float(min(Fraction(1), sum(inside, Fraction(0)) / shot.range.duration))

    return [share(shot) for shot in shots]


Row = dict[str, int | str | float]


def rows(film: FilmContents) -> list[Row]:
    """One row per usable shot: its number among all shots, its times, its look, its lines, and its scene."""
    columns = columns_of(film.measures)

    def texts(place: int, kind: str) -> str:
        return " / ".join(text.text for text in film.texts if (text.shot, text.kind) == (place, kind))

    return [
        {
            "shot": number,
            "in": clock(shot.start.seconds),
            "out": clock(shot.end.seconds),
            "looks": ", ".join(strongest(columns, place)),
            "lines": texts(place, "line"),
            "scene": texts(place, "scene"),
            "by": film.described_by if texts(place, "scene") else "",
        }
        for place, (number, shot) in enumerate(zip(film.numbers, film.shots, strict=True))
    ]
