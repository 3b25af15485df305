"""The story as signals find it, and on top of that what the models know: turning points, the protagonist, zones.

    signals ─ story ─► dialogue ─ text model ─► anchors, protagonist ─► scenes ─ MiniLM ─► zones

Each answer is kept by what it was asked of; where a model has none, what was measured stays, and a warning says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cinecut.analysis.cache import Cache
from cinecut.analysis.dialogue.lines import Dialogue
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.story import ask_anchors, zones
from cinecut.analysis.story.arc import SIGNALS, Story, Zone, find_story
from cinecut.analysis.story.ask_anchors import ModelStory
from cinecut.analysis.story.scenes import Described, without_model
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.inference.models import minilm_engine
from cinecut.inference.server import Models


@dataclass(frozen=True, slots=True)
class Told:
    """The story, the zones of the shots whose scenes are described, and whose story it is with who says so."""

    story: Story
    zones: Mapping[int, Zone]
    protagonist: tuple[str, str] | None
    diagnostics: tuple[Diagnostic, ...]


def tell(
    models: Models | None,
    cache: Cache,
    shots: Sequence[FilmShot],
    levels: LoudnessCurve,
    dialogue: Dialogue,
    seen: Described,
    progress: Callable[[float], None],
) -> Told:
    """The story of a film. Never raises for what a model does."""
    measured = find_story(shots, levels, dialogue.lines)
    plot, by = _plot(models, cache, shots, dialogue, measured, progress)
    protagonist = (dialogue.protagonist, SIGNALS) if dialogue.protagonist else None
    if plot.protagonist:
        protagonist = (plot.protagonist, by)
    found, warnings = _zones(cache, shots, seen, plot.story)
    return Told(plot.story, found, protagonist, (*plot.diagnostics, *warnings))


class _Unfinished(Exception):  # noqa: N818 - nobody's error
    """Keeps a plot out of the cache: a model that answers would make another one."""

    def __init__(self, plot: ModelStory) -> None:
        super().__init__()
        self.plot = plot


def _plot(
    models: Models | None,
    cache: Cache,
    shots: Sequence[FilmShot],
    dialogue: Dialogue,
    measured: Story,
    progress: Callable[[float], None],
) -> tuple[ModelStory, str]:
    """The plot as the text model has it, and that model's name; as it was measured where there is none to ask."""
    if models is None or not ask_anchors.worth_asking(dialogue.lines):
        return ModelStory(measured), SIGNALS

    def ask() -> ModelStory:
        with models.open("text") as chat:
            plot = ask_anchors.ask_anchors(chat, dialogue.lines, shots, measured, progress)
        if not plot.complete:
            raise _Unfinished(plot)
        return plot

    try:
        identity, by = models.identity("text"), models.name("text")
        if identity is None or by is None:
            return ModelStory(measured), SIGNALS
        try:
            key = (dialogue.lines, measured, identity)
            return cache.stage("anchors", ask_anchors.PROMPT_VERSION, key, ModelStory, ask), by
        except _Unfinished as unfinished:
            return unfinished.plot, by
    except Stop as stop:
        return ModelStory(measured, None, without_model(stop)), SIGNALS


def _zones(
    cache: Cache, shots: Sequence[FilmShot], seen: Described, story: Story
) -> tuple[dict[int, Zone], tuple[Diagnostic, ...]]:
    """The zones of the shots that were described, from what is seen in them and where they stand."""
    if not seen.scenes:
        return {}, ()
    texts = {index: scene.text for index, scene in seen.scenes.items()}
    times = {shot.index: shot.range.start for shot in shots if shot.index in texts}

    def compare() -> dict[int, Zone]:
        return zones.zone_scenes(texts, times, story)

    try:
        key = (texts, times, story, minilm_engine())
        return cache.stage("zones", zones.VERSION, key, dict[int, Zone], compare), ()
    except Stop as stop:
        return {}, without_model(stop)
