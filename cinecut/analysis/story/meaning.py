"""What the descriptions of scenes mean for a trailer: how dramatic each is, and what it could serve for.

    descriptions ─ MiniLM ─► vectors, told apart ─ cosine with the sentences of each purpose and each zone ─► Meaning

Drama is P(climax) − P(begin) by the zones' sentences. Figures are in no unit: only their ranks within a film count.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cinecut.analysis.story.arc import Zone
from cinecut.analysis.story.zones import likelihoods, told_apart
from cinecut.inference import minilm

Meaning = dict[str, float]
DRAMA = "drama"

_SERVES: dict[str, tuple[str, ...]] = {
    "introduce": (
        "A close portrait of a person, who looks at the camera.",
        "A character appears for the first time, at home or at work.",
        "A friendly animal or person wakes up and begins the day.",
    ),
    "question": (
        "Somebody looks up in surprise at something that we do not see.",
        "A mysterious object or place, nobody knows what it is.",
        "A person watches, waits and wonders what will happen.",
    ),
    "threat": (
        "A dangerous enemy comes nearer with a weapon.",
        "A dark and frightening place, somebody is being watched.",
        "An angry face, about to attack.",
    ),
    "strong": (
        "Something heavy falls, crashes or explodes.",
        "A fight, a blow, somebody is hit and thrown to the ground.",
        "A chase at high speed, somebody jumps or flies through the air.",
    ),
    "release": (
        "A wide and beautiful landscape under a bright sky.",
        "People embrace, laugh and are happy together.",
        "The sun rises, all is peaceful.",
    ),
    "calm": (
        "Somebody rests or sleeps in silence.",
        "A funny little moment, somebody smiles or makes a face.",
        "An empty, quiet place where nothing moves.",
    ),
    "sting": (
        "Something frightening looks out of the dark.",
        "A figure stands in the shadow and does not move.",
        "A scream, a grin, a hand out of nowhere.",
    ),
    "gag": (
        "Somebody stumbles, falls down and looks silly.",
        "A funny face, somebody laughs.",
        "An animal does something that nobody expected.",
    ),
}


def meanings(texts: Mapping[int, str]) -> dict[int, Meaning]:
    """The meaning of each description, by the shot's index. Raises Stop("model") without MiniLM."""
    if not texts:
        return {}
    scenes = told_apart(minilm.encode(list(texts.values())))
    near = {want: np.sort(scenes @ minilm.encode(s).T, axis=1)[:, -2:].mean(axis=1) for want, s in _SERVES.items()}
    usual = np.mean(list(near.values()), axis=0)
    zones = likelihoods(scenes)
    drama = zones[:, list(Zone).index(Zone.CLIMAX)] - zones[:, list(Zone).index(Zone.BEGIN)]
    return {
        index: {DRAMA: float(drama[row])} | {want: float(near[want][row] - usual[row]) for want in near}
        for row, index in enumerate(texts)
    }
