"""Where people talk, shots of one act give each other a beat, so that they begin and end where nobody speaks."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from test_arrange import RATES, _film, _slots, _tempo

from cinecut.analysis.edit import arrange as stage
from cinecut.analysis.edit.arrange import arrange
from cinecut.analysis.edit.cuts import Cut, Take
from cinecut.analysis.edit.parts import Gap, gaps_of, movable
from cinecut.vibes import load_vibe, names


def _gaps(name: str) -> list[list[Gap]]:
    vibe = load_vibe(name)
    speed = Fraction(vibe.likely_tempo)
    tempo = _tempo(vibe, speed, RATES[0])
    return movable(gaps_of(_slots(vibe, Fraction(60), speed, False), vibe, tempo), tempo)


@pytest.mark.parametrize("name", names())
def test_only_shots_of_one_act_give_each_other_a_beat(name: str) -> None:
    every = _gaps(name)
    usual = [forms[0] for forms in every]
    assert not any(gap.moved for gap in usual)
    assert sum(len(forms) > 1 for forms in every) > len(every) / 2
    for number, (gap, *others) in enumerate(every):
        before, after = usual[max(0, number - 1)].slot, usual[min(number + 1, len(usual) - 1)].slot
        for each in others:
            assert each.slot.beats == gap.slot.beats + each.end - each.begin >= 1
            assert each.beat == gap.beat + each.begin
            assert not each.begin or (before.act == gap.slot.act and before.want.shows)
            assert not each.end or (after.act == gap.slot.act and after.want.shows)
            assert each.slot.beats <= gap.slot.beats or not (gap.slot.act == "act 3" and gap.opens)


def _talking(film: str) -> list[Take]:
    """A film of few shots, in each of which somebody talks."""
    return _film(random.Random(film), RATES[0], shots=30, spoken=1.0)


def _cut(name: str, takes: list[Take]) -> list[Cut]:
    vibe = load_vibe(name)
    speed = Fraction(vibe.likely_tempo)
    return arrange(_slots(vibe, Fraction(60), speed, True), takes, vibe, _tempo(vibe, speed, RATES[0]))


def _acts(cuts: list[Cut]) -> dict[str, int]:
    beats: dict[str, int] = {}
    for cut in cuts:
        beats[cut.slot.act] = beats.get(cut.slot.act, 0) + cut.slot.beats
    return beats


def test_acts_keep_their_beats_and_fewer_shots_are_muted(monkeypatch: pytest.MonkeyPatch) -> None:
    films = [(name, _talking(film)) for name in ("drama", "crime") for film in ("one", "two")]
    given = [_cut(name, takes) for name, takes in films]
    monkeypatch.setattr(stage, "movable", lambda gaps, tempo: [[gap] for gap in gaps])
    fixed = [_cut(name, takes) for name, takes in films]
    assert list(map(_acts, given)) == list(map(_acts, fixed))
    muted = [sum(cut.mute for cuts in each for cut in cuts) for each in (given, fixed)]
    assert muted[0] < muted[1]
    assert given != fixed


def test_where_hardly_anybody_talks_every_shot_has_the_length_of_its_slot() -> None:
    takes = _film(random.Random(2), RATES[0], shots=80, spoken=0.05)
    vibe = load_vibe("action")
    speed = Fraction(vibe.likely_tempo)
    slots = _slots(vibe, Fraction(60), speed, False)
    cuts = arrange(slots, takes, vibe, _tempo(vibe, speed, RATES[0]))
    assert [cut.slot.beats for cut in cuts] == [slot.beats for slot in slots]
