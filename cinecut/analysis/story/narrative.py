"""The story from signals, improved by models: turning points, the protagonist, zones.

    descriptions ─ MiniLM ─► meanings ─ signals ─► story ─ dialogue, text model ─► anchors, protagonist
    descriptions ─ MiniLM ─► zones

Answers are cached by their inputs. If a model fails, the result from signals is used, and a warning says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cinecut.analysis.dialogue.lines import Dialogue, Line
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.stage import Advance, Stage, StageRunner
from cinecut.analysis.story import ask_anchors, zones
from cinecut.analysis.story.arc import SIGNALS, Story, Zone, find_story
from cinecut.analysis.story.ask_anchors import ModelStory
from cinecut.analysis.story.meaning import DRAMA, Meaning, meanings
from cinecut.analysis.story.scenes import Described, without_model
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.inference.models import minilm_engine
from cinecut.inference.server import Models


@dataclass(frozen=True, slots=True)
class Narrative:
    """The story of a film, and the zones of the shots with a description."""

    story: Story
    zones: Mapping[int, Zone]
    protagonist: tuple[str, str] | None  # the name, and who chose it
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The measurements of a film that its story is made from, and its scenes as a model described them."""

    shots: Sequence[FilmShot]
    levels: LoudnessCurve
    dialogue: Dialogue
    described: Described
    meanings: Mapping[int, Meaning] = field(default_factory=dict)


def understand(described: Described, line: StageRunner) -> dict[int, Meaning]:
    """The meaning of each description, by the shot's index; none without MiniLM, which `find_narrative` says."""
    texts = {index: scene.text for index, scene in described.scenes.items()}
    try:
        return line.run(Stage("meaning", dict[int, Meaning], _meanings), texts, minilm_engine() or "") if texts else {}
    except Stop:
        return {}


def _meanings(texts: Mapping[int, str], engine: str) -> dict[int, Meaning]:
    """As `meanings`; the engine only tells cached results apart."""
    return meanings(texts)


def find_narrative(film: Evidence, models: Models | None, line: StageRunner) -> Narrative:
    """The story of a film. A model's failure never raises."""
    drama = {index: meaning[DRAMA] for index, meaning in film.meanings.items()}
    measured = find_story(film.shots, film.levels, film.dialogue.lines, drama)
    plot, by = _plot(film, models, measured, line)
    hero = film.dialogue.protagonist
    protagonist = (plot.protagonist, by) if plot.protagonist else (hero, SIGNALS) if hero else None
    by_shot, warnings = _zones(film, plot.story, line)
    return Narrative(plot.story, by_shot, protagonist, (*plot.diagnostics, *warnings))


class _Unfinished(Exception):  # noqa: N818 - not an error
    """Keeps an incomplete plot out of the cache, so that the model is asked again."""

    def __init__(self, plot: ModelStory) -> None:
        super().__init__()
        self.plot = plot


def _plot(film: Evidence, models: Models | None, measured: Story, line: StageRunner) -> tuple[ModelStory, str]:
    """The plot by the text model, and the model's name; the measured story if there is no model."""
    lines = [line for line in film.dialogue.lines if line.text]
    if models is None or not ask_anchors.worth_asking(lines):
        return ModelStory(measured), SIGNALS
    try:
        identity, by = models.identity("text"), models.name("text")
        if identity is None or by is None:
            return ModelStory(measured), SIGNALS
        try:
            return line.run(_asking(models), lines, film.shots, measured, identity), by
        except _Unfinished as unfinished:
            return unfinished.plot, by
    except Stop as stop:
        return ModelStory(measured, None, without_model(stop)), SIGNALS


def _asking(models: Models) -> Stage[ModelStory]:
    """The stage that asks the text model for the plot."""

    def ask(
        lines: Sequence[Line], shots: Sequence[FilmShot], measured: Story, identity: str, progress: Advance
    ) -> ModelStory:
        with models.open("text") as chat:
            plot = ask_anchors.ask_anchors(chat, lines, shots, measured, progress)
        if not plot.complete:
            raise _Unfinished(plot)
        return plot

    return Stage("story", ModelStory, ask)


def _zones(film: Evidence, story: Story, line: StageRunner) -> tuple[dict[int, Zone], tuple[Diagnostic, ...]]:
    """The zones of the described shots, from the descriptions and the shots' times."""
    if not film.described.scenes:
        return {}, ()
    texts = {index: scene.text for index, scene in film.described.scenes.items()}
    times = {shot.index: shot.range.start for shot in film.shots if shot.index in texts}
    try:
        stage = Stage("zones", dict[int, Zone], zones.zone_scenes, minilm_engine() or "")
        return line.run(stage, texts, times, story), ()
    except Stop as stop:
        return {}, without_model(stop)
