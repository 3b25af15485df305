"""A shot whose line would be chopped: its sound runs on over its neighbours, or room tone is heard in its place."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from test_arrange import RATES, _film, _slots, _tempo

from cinecut.analysis.dialogue.lines import Spoken
from cinecut.analysis.dialogue.pauses import Pauses, stretches
from cinecut.analysis.edit.arrange import arrange
from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.edit.cuts import FACE, Cut, Take, Tempo
from cinecut.analysis.edit.parts import gaps_of, silent_parts
from cinecut.analysis.film.loudness import STEP, LoudnessCurve
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.vibes import load_vibe, names


def _listened(takes: list[Take], level: float = -30.0) -> list[Take]:
    """The takes, with the pauses of their film, and all lines that reach into them."""
    end = takes[-1].range.end
    spoken = Spoken([line for take in takes for line in take.lines])
    lines = [line.range for take in takes for line in take.lines]
    levels = LoudnessCurve(np.full(int(end.seconds / STEP) + 2, level, np.float32))
    pauses = Pauses(tuple(stretches(lines)), levels, (FilmRange(takes[0].range.start, end),))
    return [replace(take, lines=tuple(spoken.within(take.range)), pauses=pauses) for take in takes]


def _cut(name: str, takes: list[Take]) -> tuple[list[Cut], Tempo]:
    vibe = load_vibe(name)
    speed = Fraction(vibe.likely_tempo)
    tempo = _tempo(vibe, speed, RATES[0])
    return arrange(_slots(vibe, Fraction(60), speed, True), takes, vibe, tempo), tempo


def _placed(cuts: list[Cut], tempo: Tempo) -> list[tuple[Cut, Fraction, Fraction]]:
    beats = [0]
    for cut in cuts:
        beats.append(beats[-1] + cut.slot.beats)
    times = [tempo.frame(beat) / tempo.rate for beat in beats]
    return list(zip(cuts, times, times[1:], strict=False))


@pytest.mark.matrix(3)
@pytest.mark.parametrize("name", names())
def test_no_line_is_chopped_and_no_two_are_heard_at_once(name: str) -> None:
    takes = _listened(_film(random.Random(f"heard {name}"), RATES[0], shots=90, spoken=1.0))
    placed = _placed(*_cut(name, takes))
    pauses, speech = takes[0].pauses, []
    assert pauses is not None
    for cut, start, end in placed:
        heard = cut.heard(end - start)
        if heard is None:
            continue
        assert pauses.around(heard.start) is None
        assert pauses.around(heard.end) is None
        if cut.tone is not None:
            assert not any(each.shared(heard) for each in pauses.speech)
        begin = start - cut.lead - heard.start.seconds
        said = {line.range for take in takes for line in take.lines if line.range.shared(heard)}
        speech += [(each.start.seconds + begin, each.end.seconds + begin) for each in said]
    assert all(end <= start for (_, end), (start, _) in pairwise(sorted(speech)))
    for number, (cut, _, _) in enumerate(placed):
        before, after = placed[number - 1 : number], placed[number + 1 : number + 2]
        assert not cut.lead or (cut.enters == "cut" and before[0][0].take is not None)
        assert not cut.trail or (after[0][0].enters == "cut" and after[0][0].take is not None)


def test_hardly_any_shot_is_mute_where_people_talk_all_the_time() -> None:
    film = _film(random.Random("all the time"), RATES[0], shots=30, spoken=1.0)
    shown = [
        [cut for name in ("drama", "thriller") for cut in _cut(name, takes)[0] if cut.take]
        for takes in (film, _listened(film))
    ]
    muted = [sum(cut.silenced for cut in cuts) / len(cuts) for cuts in shown]
    assert muted[1] <= min(0.1, muted[0])
    assert any(cut.lead or cut.trail for cut in shown[1])
    assert not any(cut.lead or cut.trail or cut.tone for cut in shown[0]), "without a known pause nothing is guessed"


def _parts(take: Take, before: Want, after: Want) -> list[Cut]:
    vibe = load_vibe("action")
    slots = [Slot("act 2", 2, before), Slot("act 2", 2, Want.SHOT), Slot("act 2", 2, after)]
    tempo = _tempo(vibe, Fraction(120), RATES[0])
    return silent_parts(gaps_of(slots, vibe, tempo)[1], take, tempo)


def _spoken(first: float, last: float, level: float = -30.0) -> Take:
    """A take from 10 to 11 s of a film of a minute, over which somebody speaks."""
    take = next(t for t in _film(random.Random(4), RATES[0], shots=40, spoken=1.0) if t.lines)
    start, end = (FilmTime(Fraction(str(each))) for each in (first, last))
    line = replace(take.lines[0], range=FilmRange(start, end))
    levels = LoudnessCurve(np.full(600, level, np.float32))
    whole = FilmRange(FilmTime(Fraction(0)), FilmTime(Fraction(60)))
    span = FilmRange(FilmTime(Fraction(10)), FilmTime(Fraction(11)))
    pauses = Pauses((line.range,), levels, (whole,))
    return replace(take, range=span, lines=(line,), peak=None, pauses=pauses)


def test_a_phrase_runs_on_over_a_neighbour_and_not_over_a_card() -> None:
    take = _spoken(10.5, 11.5)
    split, tone = _parts(take, Want.SHOT, Want.SHOT)
    assert split.own_sound
    assert split.trail > Fraction(1, 2) > split.lead == 0
    assert tone.tone is not None
    assert not tone.own_sound
    (alone,) = _parts(take, Want.SHOT, Want.CARD)
    assert alone.tone is not None
    (late,) = _parts(_spoken(10.5, 14), Want.SHOT, Want.SHOT)
    assert late.tone is not None, "a phrase that runs on for seconds is none for a split edit"


def test_lips_that_move_without_a_voice_are_as_bad_as_a_mute_shot() -> None:
    take = _spoken(9.5, 14)
    (far,) = _parts(replace(take, look=replace(take.look, face=FACE / 2)), Want.SHOT, Want.SHOT)
    (close,) = _parts(replace(take, look=replace(take.look, face=FACE)), Want.SHOT, Want.SHOT)
    assert far.tone is not None
    assert close.tone is not None
    assert (far.silenced, close.silenced) == (False, True)


def test_where_the_film_is_silent_there_is_no_room_tone() -> None:
    (cut,) = _parts(_spoken(9.5, 14, level=-70.0), Want.SHOT, Want.SHOT)
    assert cut.mute
    assert cut.silenced


def test_a_shot_is_not_praised_for_a_sound_that_is_not_heard() -> None:
    told = list[tuple[bool, bool]]()  # of each shot: whether it is praised for its sound, whether that is heard
    for name in ("action", "horror"):
        takes = _listened(_film(random.Random(f"praised {name}"), RATES[0], shots=40, spoken=1.0))
        cuts = [cut for cut in _cut(name, takes)[0] if cut.take]
        praised = [any(word in cut.why for word in ("loud", "swells", "hushed", "quietest", "line")) for cut in cuts]
        told += zip(praised, [cut.own_sound for cut in cuts], strict=True)
    assert (True, True) in told
    assert (False, False) in told
    assert (True, False) not in told
