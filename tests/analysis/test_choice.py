"""What a trailer is called and chosen by: titles that are none, the best shots in their places, an act 3 that rises."""

from __future__ import annotations

import random
import sys
from fractions import Fraction

import numpy as np
import pytest
from test_arrange import _film, _slots, _tempo

from cinecut.analysis.edit.arrange import arrange
from cinecut.analysis.edit.weights import read_weights
from cinecut.analysis.story.meaning import DRAMA, meanings
from cinecut.analysis.title import is_doubtful
from cinecut.inference.models import find_onnx_minilm, minilm_engine
from cinecut.vibes import load_vibe, names

RATE = Fraction(24)


@pytest.mark.parametrize(
    "name",
    ["VTS_01_1", "FINAL_v3", "2024-05-01", "IMG_0042", "final cut 2", "a3f9c2e1b4d8", "20240501", "GX010042", "7"],
)
def test_a_files_name_is_no_title(name: str) -> None:
    assert is_doubtful(name)


@pytest.mark.parametrize(
    "name",
    ["FINAL DESTINATION", "THE CUT", "BIG BUCK BUNNY", "film", "ALIENS 2", "SE7EN", "七人の侍", "DEADBEEF", "UP"],
)
def test_a_films_name_is_one(name: str) -> None:
    assert not is_doubtful(name)


@pytest.mark.matrix(6)
@pytest.mark.parametrize("name", names())
def test_the_drop_and_the_last_shot_are_among_the_best_and_act_3_moves_most(name: str) -> None:
    vibe = load_vibe(name)
    takes = _film(random.Random(name), RATE, shots=160, spoken=0.0)
    speed = Fraction(vibe.likely_tempo)
    cuts = arrange(_slots(vibe, Fraction(90), speed, False), takes, vibe, _tempo(vibe, speed, RATE))
    scores = sorted((take.score for take in takes), reverse=True)
    for cut in (cut for cut in cuts if cut.slot.best and cut.take):
        assert cut.take is not None
        assert scores.index(cut.take.score) < len(takes) / 10, cut.slot.act
    motion = {act: [cut.motion for cut in cuts if cut.take and cut.slot.act == act] for act in ("act 2", "act 3")}
    usual = np.mean(motion["act 2"])
    assert all(third.mean() > usual for third in np.array_split(motion["act 3"], 3))


def test_the_same_film_is_cut_the_same_way_and_otherwise_by_another_genre() -> None:
    takes = _film(random.Random(7), RATE, shots=120, spoken=0.3)
    shots: dict[str, list[int]] = {}
    for name in ("drama", "romance", "western", "drama"):
        vibe = load_vibe(name)
        slots = _slots(vibe, Fraction(90), Fraction(80), True)
        found = [cut.take.shot for cut in arrange(slots, takes, vibe, _tempo(vibe, Fraction(80), RATE)) if cut.take]
        assert shots.setdefault(name, found) == found
    assert len({tuple(found) for found in shots.values()}) == 3
    common = set(shots["drama"]) & set(shots["romance"])
    assert len(common) < 0.6 * len(shots["drama"])


def test_every_want_and_act_has_its_weights() -> None:
    weights = read_weights()
    assert {"strong", "introduce", "question", "threat", "release", "calm"} <= set(weights.want)
    assert weights.act["act 3"]["motion"] > 0 > weights.act["act 2"]["motion"]


@pytest.mark.skipif(minilm_engine() is None, reason="needs MiniLM")
def test_descriptions_mean_something(monkeypatch: pytest.MonkeyPatch) -> None:
    if find_onnx_minilm():  # starts at once; both engines agree, which is tested where scenes get their zones
        monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    found = meanings(
        {
            0: "A violent battle with fire, soldiers charge with weapons. furious.",
            1: "A calm meadow in the morning, a deer among flowers. peaceful.",
            2: "Close portrait of a young woman who looks at the camera. calm.",
        }
    )
    assert found[0][DRAMA] > max(found[1][DRAMA], found[2][DRAMA])
    assert max(found, key=lambda shot: found[shot]["introduce"]) == 2
    assert max(found, key=lambda shot: found[shot]["release"]) == 1
    assert meanings({}) == {}
