"""The cut with descriptions: what it shares with that of no descriptions, and with that of the same ones shuffled.

One set rises as stories do, by a rule that the analysis does not know; the others say what is to be seen in the demo
film's shots, in few words and in many.
"""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np

from bench.figures import Figure, work_folder
from cinecut.analysis import measure
from cinecut.analysis.analyze import Analysis, analyze
from cinecut.analysis.request import Request
from cinecut.analysis.story.scene_store import Scene
from cinecut.analysis.story.scenes import NOTHING, Described
from cinecut.language.timebase import FilmRange, parse_seconds
from cinecut.vibes import load_vibe

_STORY = (
    ("A peaceful meadow in the morning light, an animal among flowers.", "calm", "looks around", "a field"),
    ("A sleepy creature wakes up, yawns and stretches in front of its home.", "cheerful", "wakes up", "a burrow"),
    ("Two friends meet on a path and play together, butterflies around them.", "happy", "plays", "a forest path"),
    ("Three rascals hide behind a tree and whisper about a plan.", "suspicious", "plots", "the edge of a forest"),
    ("Somebody is laughed at and pelted with nuts, and feels hurt.", "sad", "is bullied", "a clearing"),
    ("A weapon is built in secret from branches and ropes.", "tense", "prepares a trap", "a dark hollow"),
    ("An angry giant stands up, his fists clenched, his face painted for war.", "furious", "attacks", "a stormy hill"),
    ("A heavy log falls and crushes everything, the enemies scream and flee.", "violent", "crashes", "a cliff"),
    ("One of them is thrown through the air and hits the spikes below.", "desperate", "falls", "a deadly trap"),
)


_DEMO = "big_buck_bunny_720p"


def of_descriptions(path: Path, name: str) -> list[Figure]:
    """Trailers with descriptions that a server gives, against those with none, and with the same ones shuffled among
    the shots: the moments that they share, and the zones that differ."""
    plain = trailer(path, "drama")
    usable = [shot for shot in plain.shots if shot.usable]
    dice = random.Random(3)
    rising = {shot.index: _told(place / len(usable), dice) for place, shot in enumerate(usable)}
    figures = _of_scenes(path, f"{name}, told as a story that rises", rising)
    if not path.name.startswith(_DEMO):
        return figures
    seen = {shot.index: _seen(shot.range) for shot in usable}
    wordy = {index: _in_many_words(scene) for index, scene in seen.items()}
    return [
        *figures,
        *_of_scenes(path, f"{name}, as it is", seen),
        *_of_scenes(path, f"{name}, as it is, in many words", wordy),
    ]


def _of_scenes(path: Path, name: str, told: dict[int, Scene]) -> list[Figure]:
    mixes = [random.Random(seed).sample(list(told.values()), len(told)) for seed in (3, 4)]
    shared, other, zones = [], [], []
    for vibe in ("action", "drama", "comedy", "horror", "fantasy", "documentary"):
        bare, right = (_given(path, vibe, each) for each in ({}, told))
        wrong = [_given(path, vibe, dict(zip(told, mix, strict=True))) for mix in mixes]
        shared.append(_in_common(right, bare))
        other += [_in_common(right, each) for each in wrong]
        places = [{take.shot: take.zone for take in found.takes} for found in (bare, right)]
        both = set(places[0]) & set(places[1])
        zones.append(sum(places[0][shot] is not places[1][shot] for shot in both) / len(both))
    return [
        Figure(f"{name}: moments shared with no descriptions", 100 * float(np.mean(shared)), 70, " %"),
        Figure(f"{name}: moments shared with the same ones shuffled", 100 * float(np.mean(other)), 60, " %"),
        Figure(f"{name}: shots in another zone than without", 100 * float(np.mean(zones)), 15, " %", True),
    ]


@cache
def _by_eye() -> list[tuple[Fraction, Scene]]:
    """The descriptions of the demo film's shots that somebody wrote who looked at them, by their times."""
    rows = (Path(__file__).parent / "demo_scenes.txt").read_text(encoding="utf-8").splitlines()[1:]
    parts = [[part.strip() for part in row.split("|")] for row in rows]
    return [(parse_seconds(time), Scene(*words)) for time, *words in parts]


def _seen(shot: FilmRange) -> Scene:
    """The description that is nearest to a shot's middle."""
    middle = shot.start.seconds + shot.duration / 2
    return min(_by_eye(), key=lambda row: abs(row[0] - middle))[1]


def _in_many_words(scene: Scene) -> Scene:
    """The same as models like to say it."""
    seen = scene.visual_content[:1].lower() + scene.visual_content[1:]
    return Scene(
        f"The image shows {seen}, which appears to be a frame of an animated film with soft lighting.",
        scene.mood,
        f"It seems that the character {scene.action}",
        f"The scene takes place in what looks like {scene.setting}",
    )


def _told(place: float, dice: random.Random) -> Scene:
    """A description for a place in the film, 0 to 1: the story rises, with some scenes out of order."""
    level = min(0.999, max(0.0, dice.gauss(place, 0.2)))
    content, mood, action, setting = _STORY[int(level * len(_STORY))]
    return Scene(content, mood, action, setting)


def _given(path: Path, vibe: str, scenes: dict[int, Scene]) -> Analysis:
    """A trailer with these descriptions, as a server's answers are handed on."""
    with mock.patch.object(measure, "describe", return_value=Described(scenes, "given") if scenes else NOTHING):
        return trailer(path, vibe)


def _in_common(one: Analysis, other: Analysis) -> float:
    shots = [{cut.take.shot for cut in found.cuts if cut.take} for found in (one, other)]
    return len(shots[0] & shots[1]) / len(shots[0])


def trailer(path: Path, vibe: str, length: int | None = None) -> Analysis:
    request = Request(path, work_folder() / "cut.yaml", load_vibe(vibe), texts={"title": "THE TITLE"})
    wanted = None if length is None else Fraction(length)
    return analyze(replace(request, length=wanted, transcribes=False), lambda stage, done: None)
