"""The story as signals find it, and on top of that what the models know: turning points, the protagonist, zones.

    signals ─ story ─► dialogue ─ text model ─► anchors, protagonist ─► scenes ─ MiniLM ─► zones

Each answer is kept by what it was asked of; where a model has none, what was measured stays, and a warning says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cinecut.analysis.dialogue.lines import Dialogue
from cinecut.analysis.dialogue.lines import Line as Spoken
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.stage import Line, Stage
from cinecut.analysis.story import ask_anchors, zones
from cinecut.analysis.story.arc import SIGNALS, Story, Zone, find_story
from cinecut.analysis.story.ask_anchors import ModelStory
from cinecut.analysis.story.scenes import Described, without_model
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.inference.models import minilm_engine
from cinecut.inference.server import Models

Advance = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Told:
    """The story, the zones of the shots whose scenes are described, and whose story it is with who says so."""

    story: Story
    zones: Mapping[int, Zone]
    protagonist: tuple[str, str] | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a film shows and says: its shots, how loud it is, its dialogue, and its scenes in a model's words."""

    shots: Sequence[FilmShot]
    levels: LoudnessCurve
    dialogue: Dialogue
    seen: Described


def tell(film: Evidence, models: Models | None, line: Line) -> Told:
    """The story of a film. Never raises for what a model does."""
    measured = find_story(film.shots, film.levels, film.dialogue.lines)
    plot, by = _plot(film, models, measured, line)
    hero = film.dialogue.protagonist
    protagonist = (plot.protagonist, by) if plot.protagonist else (hero, SIGNALS) if hero else None
    found, warnings = _zones(film, plot.story, line)
    return Told(plot.story, found, protagonist, (*plot.diagnostics, *warnings))


class _Unfinished(Exception):  # noqa: N818 - nobody's error
    """Keeps a plot out of the cache: a model that answers would make another one."""

    def __init__(self, plot: ModelStory) -> None:
        super().__init__()
        self.plot = plot


def _plot(film: Evidence, models: Models | None, measured: Story, line: Line) -> tuple[ModelStory, str]:
    """The plot as the text model has it, and that model's name; as it was measured where there is none to ask."""
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
    """The plot by these models; `identity` is the text model's."""

    def ask(
        lines: Sequence[Spoken], shots: Sequence[FilmShot], measured: Story, identity: str, progress: Advance
    ) -> ModelStory:
        with models.open("text") as chat:
            plot = ask_anchors.ask_anchors(chat, lines, shots, measured, progress)
        if not plot.complete:
            raise _Unfinished(plot)
        return plot

    return Stage("story", ModelStory, ask)


def _zones(film: Evidence, story: Story, line: Line) -> tuple[dict[int, Zone], tuple[Diagnostic, ...]]:
    """The zones of the shots that were described, from what is seen in them and where they stand."""
    if not film.seen.scenes:
        return {}, ()
    texts = {index: scene.text for index, scene in film.seen.scenes.items()}
    times = {shot.index: shot.range.start for shot in film.shots if shot.index in texts}
    try:
        stage = Stage("zones", dict[int, Zone], zones.zone_scenes, minilm_engine() or "")
        return line.run(stage, texts, times, story), ()
    except Stop as stop:
        return {}, without_model(stop)
