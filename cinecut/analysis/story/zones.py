"""The zone of each described scene: what is seen in it against what happens in each zone, blended with its place.

    descriptions ─ MiniLM ─► unit vectors ─ cosine with each zone's sentences ─ softmax ─► what the content says
    times ─ soft edges between the zones ─► what the place says          product, the larger wins ─► Zone

The place has the last word: a scene's content can move it over an edge that is near, never into a zone elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.story.arc import SIGNALS, Story, TurningPoint, Zone
from cinecut.inference import minilm
from cinecut.language.timebase import FilmTime

_ZONES = tuple(Zone)
_WARMTH = 0.08  # of the softmax over cosines: 0.1 more makes a zone 3.5 times as likely

_HAPPENS: dict[Zone, tuple[str, ...]] = {
    Zone.BEGIN: (
        "A quiet morning at home, people talk calmly over breakfast.",
        "Everyday life in a peaceful town, people at work, at school or on the way there.",
        "Two strangers meet for the first time and introduce themselves.",
        "A wide view of a landscape or a city in daylight, calm and bright.",
        "Friends laugh together at a party, in a relaxed and happy mood.",
    ),
    Zone.ESCALATION: (
        "People argue in a tense room, worried and suspicious.",
        "Somebody sneaks through a dark corridor and searches for something.",
        "A team prepares its plan and packs its equipment before the attack.",
        "A person runs away through the streets, pursued and afraid.",
        "Somebody discovers terrible news and breaks down crying.",
    ),
    Zone.CLIMAX: (
        "A violent fight to the death between two enemies.",
        "An explosion and flames destroy a building, people scream and fall.",
        "A battle with gunfire, soldiers charge with weapons in hand.",
        "A desperate struggle at the edge of a cliff, in a storm at night.",
        "The hero faces the enemy in the final confrontation, covered in blood.",
    ),
}


def zone_scenes(texts: Mapping[int, str], times: Mapping[int, FilmTime], story: Story) -> dict[int, Zone]:
    """The zone of every scene in `texts` (what is seen, in words) that begins at its time in `times`.

    Only what lies near an edge between two zones is compared: elsewhere the place alone decides. Raises Stop("model")
    where MiniLM is not there or cannot be loaded.
    """
    places = {index: _place(times[index], story) for index in texts}
    open_ = [index for index, place in places.items() if place.max() < 1]
    if open_:
        content = _content([texts[index] for index in open_], story)
        places |= {index: places[index] * likely for index, likely in zip(open_, content, strict=True)}
    return {index: _ZONES[int(np.argmax(place))] for index, place in places.items()}


def _place(time: FilmTime, story: Story) -> NDArray[np.float64]:
    """How much each zone is possible at a time, [shape=(3,)], with sum 1: it passes over from one to the next around
    the edges of `story.zone`, at most halfway into the shorter of the two."""
    begin, turn, end = 0.0, float(story.escalation.at.seconds), float(story.end.seconds)
    run_up = turn + float(story.climax.at.seconds - story.escalation.at.seconds) * 2 / 3
    seconds = float(time.seconds)
    risen = _passed(seconds, turn, min(turn - begin, run_up - turn) / 2)
    peaked = _passed(seconds, run_up, min(run_up - turn, end - run_up) / 2)
    return np.array([1 - risen, risen - peaked, peaked])


def _passed(seconds: float, edge: float, reach: float) -> float:
    """0 before an edge, 1 after it, and a straight line for `reach` seconds to either side."""
    if reach <= 0:
        return float(seconds >= edge)
    return min(1.0, max(0.0, (seconds - edge + reach) / (2 * reach)))


def _content(texts: Sequence[str], story: Story) -> NDArray[np.float64]:
    """How much each text is of each zone, [shape=(texts, 3)], each row with sum 1."""
    turns = [_told(anchor) for anchor in (story.begin, story.escalation, story.climax)]
    vectors = minilm.encode([*texts, *(turn for turn in turns if turn)])
    scenes, told = vectors[: len(texts)], iter(vectors[len(texts) :])
    zones = [zone_vectors()[zone] for zone in _ZONES]
    near = np.empty((len(texts), len(_ZONES)))
    for column, (zone, turn) in enumerate(zip(zones, turns, strict=True)):
        sentences = np.vstack([zone, next(told)]) if turn else zone
        near[:, column] = np.sort(scenes @ sentences.T, axis=1)[:, -2:].mean(axis=1)  # one sentence alone may chance
    weights = np.exp((near - near.max(axis=1, keepdims=True)) / _WARMTH)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _told(anchor: TurningPoint) -> str:
    """What is known in words of a turning point; nothing where signals chose it: their reason tells of no scene."""
    return "" if anchor.by == SIGNALS else f"{anchor.why} {anchor.line or ''}".strip()


@cache
def zone_vectors() -> dict[Zone, minilm.Vectors]:
    """The vectors of what happens in each zone."""
    return {zone: minilm.encode(sentences) for zone, sentences in _HAPPENS.items()}
