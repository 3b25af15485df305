"""All measurements of one film: its dialogue, its pictures, its sound. Used for trailers and by the catalogue.

film ─ facts ─ dialogue ─ speakers ─► Listened ─ shots ─ loudness ─ looks ─ activity ─ scenes ─► Watched
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from cinecut.analysis.dialogue.lines import Dialogue, Hearing, read_dialogue, with_phrases
from cinecut.analysis.dialogue.speakers import SPEAKERS, Turn, with_cast
from cinecut.analysis.dialogue.subtitles.cues import Cues
from cinecut.analysis.dialogue.timing import Timing
from cinecut.analysis.dialogue.transcribe import transcribe, usable_whisper
from cinecut.analysis.dialogue.voice_activity import VOICES, Voices
from cinecut.analysis.episodes import Episode, Watched
from cinecut.analysis.facts import FACTS
from cinecut.analysis.film import pictures
from cinecut.analysis.film.looks import looks_stage
from cinecut.analysis.film.loudness import LOUDNESS, LoudnessCurve
from cinecut.analysis.film.movement.activity import ACTIVITY
from cinecut.analysis.film.shots import FilmShot, ShotList
from cinecut.analysis.plugged import Describing, shots_stage, transcribed
from cinecut.analysis.request import Request
from cinecut.analysis.song.levels import as_rendered
from cinecut.analysis.stage import StageRunner
from cinecut.analysis.story.narrative import understand
from cinecut.analysis.story.scenes import describe
from cinecut.diagnostics import Diagnostic, Stop, as_word
from cinecut.inference.server import Models
from cinecut.language.facts import FilmFacts
from cinecut.media.sound.film_audio import choice, with_first


@dataclass(frozen=True, slots=True)
class Listened:
    """The results before the pictures are analysed: the film's facts, and its dialogue."""

    request: Request
    line: StageRunner
    facts: FilmFacts
    sounding: FilmFacts
    dialogue: Dialogue
    warnings: Sequence[Diagnostic]


def listen(request: Request, line: StageRunner) -> Listened:
    """The facts and the dialogue of the requested film."""
    film = request.film
    facts = line.run(FACTS, film)
    sounding = facts if request.audio is None else with_first(film, facts, request.audio)
    voices = line.run(VOICES, film, sounding, 0)
    dialogue, warnings = _dialogue(request, sounding, voices, line)
    sure = tuple(phrase for phrase, certain in zip(voices.phrases, voices.sure, strict=True) if certain)
    turns: tuple[Turn, ...] = line.run(SPEAKERS, film, sounding, 0, sure)
    dialogue = with_cast(dialogue, turns)
    return Listened(request, line, facts, sounding, dialogue, warnings)


def watch(heard: Listened, models: Models | Describing | None) -> Watched:
    """All measurements of a film's pictures and sound."""
    request, line, facts, film = heard.request, heard.line, heard.facts, heard.request.film
    shots = _with_material(film, line.run(shots_stage(request.plugins.get("shots")), film, facts))
    usable = _usable(film, shots)
    levels = line.run(LOUDNESS, film, heard.sounding, 0)
    looks = line.run(looks_stage(), film, facts, usable, pictures.moments(usable, heard.dialogue.lines))
    active = line.run(ACTIVITY, film, facts, usable)
    described = describe(film, facts, usable, models, line.cache.folder, partial(line.progress, "scenes"))
    meanings = understand(described, line)
    sound = heard.sounding.audio
    rendered = as_rendered(levels, sound[0].layout) if sound else levels
    audio = request.audio or 1, choice(film, facts, request.audio)
    said = (*shots.diagnostics, *heard.warnings, *_damage(film, levels))
    episodes = (Episode(film, facts, shots.bars, audio),)
    return Watched(episodes, heard.dialogue, shots.shots, levels, rendered, looks, active, described, meanings, said)


_DAMAGED = 10  # packets that do not decode; at an end, or where a recording begins, some may not


def _damage(film: Path, levels: LoudnessCurve) -> list[Diagnostic]:
    if levels.damaged < _DAMAGED:
        return []
    message = f"the sound of {film} is damaged: {levels.damaged} of its packets do not decode, and are silent"
    return [Diagnostic("film", message, None, ("parts with other channels or rates do not join in every container",))]


def _with_material(film: Path, found: ShotList) -> ShotList:
    """The shots; where lettering leaves none to show, it is the film's own kind of picture and no title."""
    if any(shot.usable for shot in found.shots) or not any(shot.why_not == "title" for shot in found.shots):
        return found
    shots = tuple(replace(shot, why_not=None) if shot.why_not == "title" else shot for shot in found.shots)
    said = Diagnostic("film", f"{film} has lettering in all that it shows: nothing of it is left out as a title")
    return replace(found, shots=shots, diagnostics=(*found.diagnostics, said))


def _usable(film: Path, shots: ShotList) -> list[FilmShot]:
    usable = [shot for shot in shots.shots if shot.usable]
    if not usable:
        reasons = ", ".join(sorted({shot.why_not or "" for shot in shots.shots}))
        hint = f"cinecut shots {as_word(film)} says so of each shot"
        raise Stop("no-material", f"nothing of {film} can be shown: all of it is {reasons or 'empty'}", hint)
    return usable


def _dialogue(
    request: Request, facts: FilmFacts, voices: Voices, line: StageRunner
) -> tuple[Dialogue, list[Diagnostic]]:
    film, timing = request.film, None
    if "transcribe" in request.plugins:
        dialogue, warnings = transcribed(request.plugins["transcribe"], film, facts, line)
        return with_phrases(dialogue, voices), warnings
    if request.shift is not None or request.rate is not None:
        timing = Timing((request.rate or facts.rate) / facts.rate, request.shift or Fraction(0))
    hearing = Hearing(voices, timing, partial(_words, request, facts, voices, line))
    return read_dialogue(film, facts.duration, facts.start, request.subtitles, request.language, hearing)


def _words(request: Request, facts: FilmFacts, voices: Voices, line: StageRunner) -> Cues | None:
    """The words of a film, transcribed by Whisper; None without speech or without Whisper."""
    model = usable_whisper() if request.transcribes and voices.phrases else None
    return transcribe(request.film, facts, voices, model, line).cues() if model else None
