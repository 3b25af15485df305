"""The story read off signals: anchors where much happens, zones, the spoiler guard, and what a shot does."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from cinecut.analysis.dialogue.lines import Line
from cinecut.analysis.film.blends import GradualCut
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import Signals
from cinecut.analysis.story.arc import (
    BeatType,
    Story,
    TurningPoint,
    Zone,
    beat_types,
    clean_range,
    find_story,
    without_the_end,
)
from cinecut.language.timebase import FilmRange, FilmTime

SILENT = LoudnessCurve(np.zeros(0, np.float32))


def at(seconds: Fraction | float) -> FilmTime:
    return FilmTime(Fraction(seconds))


def shots(*lengths: float, first: float = 0) -> list[FilmShot]:
    found, start = [], first
    for index, length in enumerate(lengths):
        found.append(FilmShot(index, FilmRange(at(start), at(start + length)), GradualCut.CUT))
        start += length
    return found


def loud(seconds: int, *stretches: tuple[float, float]) -> LoudnessCurve:
    """Quiet, but loud from share to share of the film."""
    levels = np.full(seconds * 10, -40, np.float32)
    for start, end in stretches:
        levels[int(start * levels.size) : int(end * levels.size)] = -10
    return LoudnessCurve(levels)


def story(begin: float = 20, escalation: float = 60, climax: float = 90, end: float = 100) -> Story:
    first, middle, last = (TurningPoint(at(t), "", "signals") for t in (begin, escalation, climax))
    return Story(first, middle, last, at(end))


def signals(**given: float) -> Signals:
    neutral = dict.fromkeys(Signals.__dataclass_fields__, 0.5)
    return Signals(**{**neutral, **given})


def test_anchors_stand_on_cuts_where_the_sound_rises_and_peaks() -> None:
    film = shots(*[5.0] * 120)
    found = find_story(film, loud(600, (0.15, 0.2), (0.56, 0.6), (0.88, 0.91)), [])
    anchors = [found.begin, found.escalation, found.climax]
    for anchor, share in zip(anchors, (0.15, 0.56, 0.895), strict=True):
        assert abs(anchor.at.seconds / 600 - Fraction(share)) < 0.025
        assert anchor.at.seconds % 5 == 0
        assert anchor.by == "signals"
        assert anchor.line is None
    assert found.end == at(600)


def test_dense_cuts_make_a_climax_and_its_line_is_named() -> None:
    film = shots(*[10.0] * 54, *[1.0] * 20, *[10.0] * 4)  # the quick ones from 540 to 560 of 600 s
    line = Line(0, FilmRange(at(553), at(555)), "It ends here.", None, "intense", 0.9, 0.9, 0.5)
    found = find_story(film, SILENT, [line])
    assert 540 <= found.climax.at.seconds <= 560
    assert found.climax.line in (None, "It ends here.")
    assert found.begin.at < found.escalation.at < found.climax.at


def test_the_story_ends_where_the_credits_roll() -> None:
    film = shots(*[5.0] * 100)
    rolling = [replace(shot, why_not="credits") if 80 <= shot.index < 90 else shot for shot in film]
    found = find_story(rolling, SILENT, [])
    assert found.end == at(400)
    assert found.climax.at < at(400)
    opening = [replace(shot, why_not="credits") if shot.index < 5 else shot for shot in film]
    assert find_story(opening, SILENT, []).end == at(500)


@pytest.mark.parametrize("lengths", [(2.0,), (30.0,), (1.0, 1.5), (0.04,)])
def test_any_film_has_a_story_in_order(lengths: tuple[float, ...]) -> None:
    found = find_story(shots(*lengths), SILENT, [])
    assert found.begin.at <= found.escalation.at <= found.climax.at <= found.end


def test_zones_change_at_the_point_of_no_return_and_in_the_run_up() -> None:
    plot = story(escalation=60, climax=90)
    assert [plot.zone(at(t)) for t in (0, 59, 60, 79, 80, 99)] == [
        Zone.BEGIN, Zone.BEGIN, Zone.ESCALATION, Zone.ESCALATION, Zone.CLIMAX, Zone.CLIMAX,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("climax", "hidden"),
    [(80, {*range(41, 44), *range(47, 50)}), (90, set(range(46, 50))), (60, {*range(31, 34), *range(47, 50)})],
)
def test_the_guard_hides_what_resolves_the_climax_and_the_end(climax: float, hidden: set[int]) -> None:
    """The shot with which the climax begins may be shown; never more than a fifth is hidden."""
    film = shots(*[2.0] * 50)
    kept = without_the_end(film, story(climax=climax, end=100))
    assert {shot.index for shot in film} - {shot.index for shot in kept} == hidden


def test_beat_types_follow_the_signals() -> None:
    film = shots(*[4.0] * 25)
    plain = {shot.index: signals(motion=0.5) for shot in film}
    measured = {
        **plain,
        2: signals(motion=0.1, rise=0.2, face=0.2),
        3: signals(face=1.0, motion=0.3),
        10: signals(motion=1, emotion=1, contrast=1),
        22: signals(motion=1, emotion=1, uniqueness=1),
        23: signals(motion=0.9, rise=0.9),
    }
    line = Line(0, FilmRange(at(49), at(50)), "I love you.", "Ann", "romantic", 0.9, 0.9, 0.5)
    found = beat_types(film, measured, story(begin=20), [line])
    assert set(found) == set(range(25))
    assert found[5] is BeatType.INCITING
    assert found[2] is BeatType.BREATH
    assert found[3] is BeatType.CHARACTER
    assert found[10] is BeatType.MONEY
    assert found[12] is BeatType.CHARACTER  # before the point of no return, and Ann speaks for the first time
    assert found[22] is found[23] is BeatType.CLIMAX
    assert found[15] is BeatType.ESCALATION


def test_beat_types_follow_the_descriptions_where_there_are_some() -> None:
    film = shots(*[4.0] * 25)
    measured = {shot.index: signals(motion=0.4) for shot in film}
    meant = {
        2: {"introduce": 0.9},
        8: {"calm": 1.0},
        9: {"calm": 1.0, "threat": 0.9},
        10: {"strong": 0.9, "drama": 0.8},
    }
    meanings = {**meant, 22: {"strong": 0.8}}
    plain = beat_types(film, measured, story(begin=20), [])
    described = beat_types(film, measured, story(begin=20), [], meanings=meanings)
    assert {plain[index] for index in meanings} == {BeatType.ESCALATION}
    assert [described[index] for index in meanings] == [
        BeatType.CHARACTER, BeatType.BREATH, BeatType.ESCALATION, BeatType.MONEY, BeatType.CLIMAX,
    ]  # fmt: skip
    assert {**described, **{index: plain[index] for index in meanings}} == plain


def test_a_clean_range_leaves_a_frame_at_either_end() -> None:
    (shot,) = shots(2.0, first=10)
    assert clean_range(shot, Fraction(25)) == FilmRange(at(Fraction(251, 25)), at(Fraction(299, 25)))
