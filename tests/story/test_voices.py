"""Voice-overs: whole lines over pictures in which nobody speaks, on many made-up trailers."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
import pytest

from cinecut.analysis.dialogue.lines import Dialogue, Line
from cinecut.analysis.edit.blueprint import Plan, Slot, Want, draw
from cinecut.analysis.edit.cuts import Cut, Take, Tempo
from cinecut.analysis.edit.score.voices import SpokenSound, VoiceOver, audible_lines, choose_voices
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.film.signals import Appearance, Signals
from cinecut.analysis.story.arc import BeatType, Story, TurningPoint, Zone
from cinecut.language.grid import Grid
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.vibes import load_vibe
from cinecut.vibes.skeleton import load_skeleton

RATE = Fraction(24)
BEAT = Fraction(1, 2)
END = FilmTime(Fraction(1000))
TEMPO = Tempo(Grid(4, Fraction(0), BEAT), RATE, RATE, Fraction(1, 4))
NOTHING = Appearance(**dict.fromkeys(Appearance.__dataclass_fields__))  # type: ignore[arg-type]  # nobody looks
SIGNALS = Signals(*[0.5] * len(Signals.__dataclass_fields__))


def _slots(talks: bool) -> list[Slot]:
    plan = Plan(load_skeleton("cold-open"), load_vibe("drama"), Fraction(90), Fraction(120), 4, talks, {"title": "A"})
    return draw(plan)


def moment(seconds: float) -> FilmTime:
    return FilmTime(Fraction(round(seconds * 1000), 1000))


def line(index: int, start: float, end: float, worth: float = 0.8, speaker: str | None = None) -> Line:
    return Line(index, FilmRange(moment(start), moment(end)), f"Line {index}.", speaker, "neutral", 0.2, 0.9, worth)


def story() -> Story:
    begin, escalation, climax = (TurningPoint(moment(at), "", "signals") for at in (150, 550, 900))
    return Story(begin, escalation, climax, END)


def cut(slot: Slot, in_: float, lines: list[Line], mute: bool = False, spoken: Line | None = None) -> Cut:
    if slot.want in (Want.BLACK, Want.CARD):
        return Cut(slot)
    take = FilmRange(moment(in_), moment(in_ + 12))
    inside = tuple(line for line in lines if line.range.start < take.end and take.start < line.range.end)
    filled = Take(0, take, SIGNALS, NOTHING, Zone.BEGIN, BeatType.BREATH, inside, None)
    return Cut(slot, filled, moment(in_ + 1), mute=mute, line=spoken)


def quiet() -> LoudnessCurve:
    return LoudnessCurve(np.full(10_000, -30, np.float32))


def film(seed: int) -> tuple[list[Cut], list[Line]]:
    """A trailer of shots from all over a film in which somebody speaks most of the time."""
    dice, lines, at = random.Random(seed), list[Line](), 5.0
    while at < 980:
        long = dice.uniform(0.8, 4)
        lines.append(line(len(lines), at, at + long, round(dice.random(), 2), dice.choice([None, "TOM", "ANN"])))
        at += long + dice.choice([0.02, 0.3, 2, 8])
    slots = _slots(True)
    return [cut(slot, dice.uniform(0, 980), lines, dice.random() < 0.3) for slot in slots], lines


def places(cuts: list[Cut], voices: list[VoiceOver]) -> list[tuple[Fraction, Fraction]]:
    starts = [0, *accumulate(each.slot.beats for each in cuts)]
    begins = [starts[voice.event] * BEAT + voice.at for voice in voices]
    return [(begin, begin + voice.take.duration) for begin, voice in zip(begins, voices, strict=True)]


@pytest.mark.parametrize("seed", range(25))
def test_voices_keep_every_promise(seed: int) -> None:
    cuts, lines = film(seed)
    sound = SpokenSound(quiet(), Dialogue(tuple(lines), "TOM"), END, story().climax.at)
    voices = choose_voices(cuts, TEMPO, sound, story())
    assert len(voices) >= 1
    acts = Counter(cuts[voice.event].slot.act for voice in voices)
    assert acts["act 1"] <= 1
    assert acts["act 2"] <= 2
    assert set(acts) <= {"act 1", "act 2"}
    speaks = audible_lines(cuts, TEMPO)
    heard = set().union(*speaks.values())
    starts = [0, *accumulate(each.slot.beats for each in cuts)]
    for voice, (start, end) in zip(voices, places(cuts, voices), strict=True):
        said = voice.line
        assert said.index not in heard, "it is heard anyway"
        assert said.speaker in (None, "TOM")
        assert said.range.end <= story().climax.at
        assert voice.take.duration >= Fraction(8, 10)
        assert voice.take.start <= said.range.start
        assert said.range.end <= voice.take.end
        others = [o.range for o in lines if o.index != said.index]
        assert not any(o.start < voice.take.end and voice.take.start < o.end for o in others), "a neighbour is heard"
        over = [k for k in range(len(cuts)) if starts[k] * BEAT < end and start < starts[k + 1] * BEAT]
        assert all(k not in speaks and cuts[k].slot.want not in (Want.BLACK, Want.CARD) for k in over)
        assert {cuts[k].slot.act for k in over} == {cuts[voice.event].slot.act}
    assert all(end <= start for (_, end), (start, _) in pairwise(sorted(places(cuts, voices)))), "one at a time"


def plain() -> list[Cut]:
    """A trailer of shots in which nobody speaks."""
    slots = _slots(False)
    return [cut(slot, 950, []) for slot in slots]


def chosen(lines: list[Line], spoilers: bool = False, film: LoudnessCurve | None = None) -> list[VoiceOver]:
    found = Dialogue(tuple(lines), "TOM")
    until = END if spoilers else story().climax.at
    return choose_voices(plain(), TEMPO, SpokenSound(film or quiet(), found, END, until), story())


def test_one_line_in_act_1_and_two_in_act_2() -> None:
    lines = [line(k, 10 + 60 * k, 12 + 60 * k) for k in range(16)]
    cuts = plain()
    assert [cuts[voice.event].slot.act for voice in chosen(lines)] == ["act 1", "act 2", "act 2"]


def test_the_protagonists_lines_come_from_the_right_part_of_the_film() -> None:
    lines = [line(0, 700, 702), line(1, 100, 102), line(2, 600, 602)]
    assert [voice.line.index for voice in chosen(lines)] == [1, 0, 2]


def test_nothing_from_after_the_climax_unless_asked_for() -> None:
    lines = [line(0, 920, 922), line(1, 899, 901)]
    assert chosen(lines) == []
    assert len(chosen(lines, spoilers=True)) == 2


def test_a_line_under_another_or_of_little_worth_is_left_out() -> None:
    assert chosen([line(0, 100, 102), line(1, 101, 103, worth=0)]) == []
    assert chosen([line(0, 100, 102, worth=0.1)]) == []
    assert chosen([line(0, 100, 102, speaker="ANN")]) == []


def test_no_words_are_heard_twice() -> None:
    same = [replace(line(k, 100 + 60 * k, 102 + 60 * k), text=text) for k, text in enumerate(("Run!", "run", "Run …"))]
    assert len(chosen(same)) == 1
    aloud = [cut(slot, 98 if number else 950, same) for number, slot in enumerate(_slots(False))]
    assert audible_lines(aloud, TEMPO)
    sound = SpokenSound(quiet(), Dialogue(tuple(same), "TOM"), END, END)
    assert choose_voices([aloud[1], *plain()[1:]], TEMPO, sound, story()) == []


def test_handles_reach_into_the_pauses_and_end_where_it_is_quiet() -> None:
    levels = np.full(10_000, -30, np.float32)
    levels[998], levels[1023] = -60, -60  # 99.8 s and 102.3 s
    (voice,) = chosen([line(0, 100, 102)], film=LoudnessCurve(levels))
    assert moment(99.8) <= voice.take.start <= moment(99.9)
    assert moment(102.3) <= voice.take.end <= moment(102.4)
    (tight,) = [v for v in chosen([line(0, 100, 102), line(1, 102.05, 103, 0)]) if v.line.index == 0]
    assert tight.take.end == moment(102.05)
    (last,) = chosen([line(0, 100, 102)], film=LoudnessCurve(np.zeros(0, np.float32)))
    assert last.take == FilmRange(moment(99.6), moment(102.15))
