"""The blueprint: every act of every vibe in whole beats, on bar lines, rising."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, groupby

import pytest

from cinecut.analysis.edit.blueprint import Slot, Want, draw, trailer_length
from cinecut.vibes import load_vibe, names

LENGTHS = (20, 45, 60, 90, 120, 180)


def _beats(slots: list[Slot], act: str) -> list[int]:
    return [slot.beats for slot in slots if slot.act == act and slot.want not in (Want.BLACK, Want.CARD)]


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("metre", [3, 4])
def test_acts_start_on_bar_lines_and_the_length_is_met(name: str, length: int, metre: int) -> None:
    vibe = load_vibe(name)
    slots = draw(vibe, Fraction(length), Fraction(vibe.likely_tempo), metre, talks=True)
    beat = Fraction(60, vibe.likely_tempo)
    assert all(slot.beats >= 1 for slot in slots)
    total = sum(slot.beats for slot in slots)
    assert total % metre == 0
    assert abs(total * beat - length) <= metre * beat
    starts = [0, *accumulate(slot.beats for slot in slots)]
    for act, group in groupby(enumerate(slots), key=lambda pair: pair[1].act):
        places = [place for place, slot in group if slot.want is not Want.BLACK]
        if places and act != "breath":
            assert starts[places[0]] % metre == 0, act


@pytest.mark.parametrize("name", names())
def test_the_pace_rises_from_act_to_act(name: str) -> None:
    vibe = load_vibe(name)
    slots = draw(vibe, Fraction(90), Fraction(vibe.likely_tempo), 4, talks=True)
    first, second, third = (_beats(slots, act) for act in ("act 1", "act 2", "act 3"))
    assert sum(first) / len(first) > sum(second) / len(second) > sum(third) / len(third)
    assert third == sorted(third, reverse=True) or third[-1] < third[0]
    least, most = vibe.shots
    shots = sum(slot.want not in (Want.BLACK, Want.CARD) for slot in slots)
    assert 0.7 * least <= shots <= 1.5 * most


@pytest.mark.parametrize("name", names())
def test_the_breath_is_a_silence_of_three_to_five_seconds(name: str) -> None:
    vibe = load_vibe(name)
    for tempo in (*vibe.tempo, vibe.likely_tempo):
        slots = draw(vibe, Fraction(90), Fraction(tempo), 4, talks=False)
        (breath,) = [slot for slot in slots if slot.act == "breath"]
        assert breath.want is Want.BLACK
        assert 3 <= breath.beats * Fraction(60, tempo) <= 5


def test_lines_take_the_vibes_share_only_where_somebody_speaks() -> None:
    vibe = load_vibe("documentary")
    silent = draw(vibe, Fraction(90), Fraction(75), 4, talks=False)
    spoken = draw(vibe, Fraction(90), Fraction(75), 4, talks=True)
    assert not any(slot.want is Want.LINE for slot in silent)
    acts = [slot for slot in spoken if slot.act in ("act 1", "act 2") and slot.want is not Want.BLACK]
    share = sum(slot.want is Want.LINE for slot in acts) / len(acts)
    assert abs(share - float(vibe.dialogue)) <= 0.15


@pytest.mark.parametrize(
    ("film", "expected"), [(3, 3), (52, 15), (596, Fraction(596 * 15, 100)), (5400, 120), (10, 10)]
)
def test_a_short_film_gets_a_short_trailer(film: int, expected: Fraction) -> None:
    assert trailer_length(Fraction(film)) == expected
