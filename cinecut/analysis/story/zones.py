"""The zone of each described scene, from its content and its place in the film.

    descriptions ─ MiniLM ─► vectors, told apart ─ cosine with each zone's sentences ─ softmax ─► likelihood by content
    times ─ soft edges between the zones ─► likelihood by place            the largest product ─► Zone

Content can move a scene into the next zone, the more easily the nearer it is, but never into a distant one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.story.arc import SIGNALS, Story, TurningPoint, Zone
from cinecut.inference import minilm
from cinecut.language.timebase import FilmTime

Likelihoods = NDArray[np.float64]  # [shape=(scenes, 3)]

_ZONES = tuple(Zone)
_TEMPERATURE = 0.08  # of the softmax over cosines: 0.1 more makes a zone 3.5 times as likely

_ENOUGH = 8  # descriptions of which can be said what they have in common

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
    """The zone of every scene, by its description in `texts` and its start in `times`.

    Descriptions are compared only where the place leaves a choice. Raises Stop("model") if MiniLM is missing or cannot
    be loaded.
    """
    places = {index: _place(times[index], story) for index in texts}
    open_ = [index for index, place in places.items() if place.max() < 1]
    if open_:
        content = _content([texts[index] for index in open_], story)
        places |= {index: places[index] * likely for index, likely in zip(open_, content, strict=True)}
    return {index: _ZONES[int(np.argmax(place))] for index, place in places.items()}


def _place(time: FilmTime, story: Story) -> NDArray[np.float64]:
    """The likelihood of each zone at a time [shape=(3,)], with sum 1. It changes gradually around the edges of
    `story.zone`, over at most the shorter zone."""
    begin, turn, end = 0.0, float(story.escalation.at.seconds), float(story.end.seconds)
    run_up = turn + float(story.climax.at.seconds - story.escalation.at.seconds) * 2 / 3
    seconds = float(time.seconds)
    risen = _passed(seconds, turn, min(turn - begin, run_up - turn))
    peaked = _passed(seconds, run_up, min(run_up - turn, end - run_up))
    return np.array([1 - risen, risen - peaked, peaked])


def _passed(seconds: float, edge: float, reach: float) -> float:
    """0 before an edge, 1 after it, linear within `reach` seconds of it."""
    if reach <= 0:
        return float(seconds >= edge)
    return min(1.0, max(0.0, (seconds - edge + reach) / (2 * reach)))


def _content(texts: Sequence[str], story: Story) -> Likelihoods:
    """The likelihood of each zone for each text, each row with sum 1."""
    turns = [_words_of(anchor) for anchor in (story.begin, story.escalation, story.climax)]
    vectors = minilm.encode([*texts, *(turn for turn in turns if turn)])
    described = iter(vectors[len(texts) :])
    return likelihoods(told_apart(vectors[: len(texts)]), [next(described) if turn else None for turn in turns])


def told_apart(scenes: minilm.Vectors) -> minilm.Vectors:
    """The vectors of a film's descriptions without what all of them say: its characters, its style, and a model's own
    ways to begin a sentence, which hide what happens. Few descriptions stay as they are."""
    if len(scenes) < _ENOUGH:
        return scenes
    apart = scenes - scenes.mean(axis=0)
    return np.asarray(apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6), np.float32)


def likelihoods(scenes: minilm.Vectors, turns: Sequence[minilm.Vectors | None] = (None, None, None)) -> Likelihoods:
    """The likelihood of each zone for each scene by its content; `turns` are the zones' turning points as a model
    described them."""
    near = np.empty((len(scenes), len(_ZONES)))
    for column, (zone, turn) in enumerate(zip(_ZONES, turns, strict=True)):
        sentences = zone_vectors()[zone] if turn is None else np.vstack([zone_vectors()[zone], turn])
        near[:, column] = np.sort(scenes @ sentences.T, axis=1)[:, -2:].mean(axis=1)  # one alone may match by chance
    weights = np.exp((near - near.max(axis=1, keepdims=True)) / _TEMPERATURE)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _words_of(anchor: TurningPoint) -> str:
    """A turning point in words; empty if signals chose it, since their reason does not describe a scene."""
    return "" if anchor.by == SIGNALS else f"{anchor.why} {anchor.line or ''}".strip()


@cache
def zone_vectors() -> dict[Zone, minilm.Vectors]:
    """The vectors of each zone's sentences."""
    return {zone: minilm.encode(sentences) for zone, sentences in _HAPPENS.items()}
