"""Where nobody speaks: phrases heard whole over the cut, and room tone that stands in for one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from cinecut.analysis.dialogue.pauses import Pauses, stretches
from cinecut.analysis.film.loudness import STEP, LoudnessCurve
from cinecut.language.timebase import FilmRange, FilmTime


def _span(start: float, end: float) -> FilmRange:
    return FilmRange(FilmTime(Fraction(str(start))), FilmTime(Fraction(str(end))))


def _pauses(*speech: tuple[float, float], levels: float = -30.0, end: float = 60) -> Pauses:
    curve = LoudnessCurve(np.full(int(end / STEP), levels, np.float32))
    return Pauses(tuple(stretches([_span(*each) for each in speech])), curve, (_span(0, end),))


def test_lines_that_overlap_are_one_stretch() -> None:
    found = stretches([_span(4, 6), _span(1, 3), _span(2, 3.5), _span(6, 7)])
    assert found == [_span(1, 3.5), _span(4, 6), _span(6, 7)]


def test_a_part_that_begins_and_ends_inside_phrases_is_heard_from_one_pause_to_the_next() -> None:
    pauses = _pauses((9, 11), (12, 14))
    assert pauses.whole(_span(10, 13)) == _span(8.85, 14.15)
    assert pauses.whole(_span(8, 11.5)) == _span(8, 11.5)
    assert pauses.whole(_span(11, 12)) == _span(11, 12)  # it begins as one ends, and ends as one begins


def test_a_phrase_is_not_heard_whole_if_another_one_would_be_chopped_or_the_film_ends() -> None:
    assert _pauses((9, 11), (11.02, 14)).whole(_span(10, 20)) == _span(8.85, 20)
    assert _pauses((9, 11), (11.02, 14)).whole(_span(5, 10)) is None
    assert _pauses((9, 11), (11.1, 14)).whole(_span(5, 10)) == _span(5, 11.05)
    assert _pauses((0, 2)).whole(_span(1, 5)) is None
    assert _pauses((57, 60)).whole(_span(50, 58)) is None


def test_room_tone_is_from_nearby_and_nobody_speaks_in_it() -> None:
    pauses = _pauses((0, 12), (14, 30), (33, 60))
    for length in (Fraction(1), Fraction(3, 2)):
        tone = pauses.tone(_span(16, 18), length)
        assert tone is not None
        assert Fraction(121, 10) <= tone.seconds <= tone.seconds + length <= Fraction(139, 10)
    far = pauses.tone(_span(16, 18), Fraction(2))  # too long for the nearer pause
    assert far is not None
    assert Fraction(301, 10) <= far.seconds <= Fraction(309, 10)
    assert pauses.tone(_span(16, 18), Fraction(3)) is None
    assert pauses.tone(_span(58, 59), Fraction(1)) is None, "what is far away sounds otherwise"


def test_room_tone_is_the_quietest_and_no_silence() -> None:
    pauses = _pauses((5, 7), (12, 60))
    levels = pauses.levels.levels
    levels[85:95] = -50.0
    tone = pauses.tone(_span(5.5, 6.5), Fraction(1))
    assert tone is not None
    assert tone.seconds == Fraction(85, 10)
    levels[:] = -70.0
    assert pauses.tone(_span(5.5, 6.5), Fraction(1)) is None


@pytest.mark.parametrize("at", [18, 22])
def test_each_film_of_several_has_its_own(at: float) -> None:
    levels = LoudnessCurve(np.full(600, -30, np.float32))
    pauses = Pauses(tuple(stretches([_span(2, 20), _span(20, 38)])), levels, (_span(0, 20), _span(20, 60)))
    tone = pauses.tone(_span(at - 1, at + 1), Fraction(1))
    assert (tone is not None and tone.seconds > 20) == (at > 20)
