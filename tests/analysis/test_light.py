"""Matched light: only what differs much from its act is brought to it, within bounds, on top of the vibe's look."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut
from footage import encode, scene

from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.edit.cuts import Cut, Take
from cinecut.analysis.edit.light import match
from cinecut.analysis.film.pictures import KeyPicture
from cinecut.analysis.film.screen import Bars
from cinecut.analysis.film.signals import Signals, combined, observe
from cinecut.analysis.story.arc import BeatType, Zone
from cinecut.grade import NEUTRAL, Grade
from cinecut.grade.formula import apply
from cinecut.language.timebase import FilmRange, FilmTime

START = FilmTime(Fraction(0))
RANGE = FilmRange(START, FilmTime(Fraction(4)))
DAY, DUSK, NIGHT, LAMP = (0.45, 0.47, 0.48), (0.36, 0.38, 0.39), (0.22, 0.23, 0.235), (0.5, 0.47, 0.43)


def cut(color: tuple[float, float, float] | None, act: str = "act 1") -> Cut:
    if color is None:
        return Cut(Slot(act, 2, Want.BLACK))
    picture = np.full((90, 160, 3), [round(255 * part) for part in reversed(color)], np.uint8)
    look = observe(KeyPicture(0, START, picture))
    take = Take(0, RANGE, Signals(*[0.5] * 10), look, Zone.BEGIN, BeatType.MONEY, (), None)
    return Cut(Slot(act, 2, Want.SHOT), take, START)


def seen(
    color: tuple[float, float, float], figures: dict[str, Fraction]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A colour in the grade of a shot, skin or not."""
    return apply(Grade.of({**figures, "skin": 0}), np.array(color))


def figures(cuts: list[Cut], grade: Grade = NEUTRAL) -> list[dict[str, Fraction]]:
    return [dict(found.grade) for found in match(cuts, grade)]


@pytest.mark.parametrize("color", [DUSK, LAMP, (0.47, 0.43, 0.5)])
def test_the_odd_one_gets_the_light_of_its_act(color: tuple[float, float, float]) -> None:
    found = figures([cut(DAY), cut(DAY), cut(color), cut(DAY), cut(None)])
    assert [bool(one) for one in found] == [False, False, True, False, False]
    assert np.abs(seen(color, found[2]) - DAY).max() < 0.04


def test_a_little_difference_is_none() -> None:
    near = (DAY[0] + 0.03, DAY[1] + 0.02, DAY[2] + 0.02)
    assert not any(figures([cut(DAY), cut(near), cut(DAY), cut(near)]))


def test_in_an_act_of_many_lights_none_stands_out() -> None:
    colors = [(0.3 + 0.05 * k, 0.7 - 0.06 * k, 0.2 + 0.07 * (k * 5 % 8)) for k in range(8)]
    assert not any(figures([cut(color) for color in colors]))


def test_no_light_is_forced() -> None:
    pitch = figures([cut(DAY), cut(DAY), cut(DAY), cut((0.02, 0.0, 0.0))])[3]
    assert 0 < pitch["exposure"] <= Fraction(3, 2)
    red = figures([cut(DAY), cut(DAY), cut(DAY), cut((0.7, 0.1, 0.1))])[3]
    assert all(abs(red.get(key, Fraction(0))) <= Fraction(3, 5) for key in ("temperature", "tint"))


def test_each_act_has_its_own_light_and_a_short_one_that_of_all() -> None:
    night = [cut(NIGHT, "act 2") for _ in range(3)]
    found = figures([*[cut(DAY)] * 5, *night, cut(NIGHT, "button")])
    assert not any(found[:8])
    assert found[8]["exposure"] > 0


def test_the_vibes_own_look_stays_in_the_sum() -> None:
    vibe = Grade.of({"exposure": "-0.3", "temperature": "0.2", "contrast": "1.3"})
    cuts = [cut(DAY), cut(DAY), cut(DAY), cut(NIGHT)]
    plain, summed = figures(cuts)[3], figures(cuts, vibe)[3]
    assert summed["exposure"] == plain["exposure"] + vibe.exposure
    assert "contrast" not in summed
    full = figures(cuts, Grade.of({"exposure": 3}))[3]
    assert full["exposure"] == 3, "no more than a grade can say"


def test_bars_are_no_part_of_the_light() -> None:
    """A third of each picture is black: its means are two thirds of what is seen."""
    bars = Bars(top=Fraction(1, 6), bottom=Fraction(1, 6))
    barred = [cut((c[0] * 2 / 3, c[1] * 2 / 3, c[2] * 2 / 3)) for c in (DAY, DAY, DAY, NIGHT)]
    whole = figures([cut(DAY), cut(DAY), cut(DAY), cut(NIGHT)])[3]
    found = dict(match(barred, NEUTRAL, bars)[3].grade)
    assert found.keys() == whole.keys()
    assert abs(found["exposure"] - whole["exposure"]) <= Fraction(1, 20)  # means are whole levels


def test_several_pictures_have_one_light() -> None:
    pictures = [np.full((90, 160, 3), level, np.uint8) for level in (0, 51, 102)]
    looked = combined([observe(KeyPicture(0, START, picture)) for picture in pictures])
    assert np.allclose(looked.light, 0.2, atol=1e-6)


def test_analyze_matches_light_where_it_is_asked_to(tmp_path: Path) -> None:
    """A grey film of which every fourth shot is two stops darker."""
    grey = (0.3 * scene(5, 50)).astype(np.uint8)
    shots = [grey + np.uint8(90 if seed % 4 else 10) for seed in range(16)]
    for seed, shot in enumerate(shots):  # something to tell the shots apart by
        shot[:, 10 * (seed % 8) : 10 * (seed % 8) + 10] = 40
    film = encode(tmp_path / "film.mkv", np.concatenate(shots))
    texts = []
    for options in ((), ("--match-light", "--force")):
        options = (*options, "--no-models", "--vibe", "drama", "--length", "10", "-o", "spec.yaml")
        done = cinecut("analyze", film, *options, cwd=tmp_path, CINECUT_CACHE_DIR=str(tmp_path / "cache"))
        assert done.returncode == 0, done.stderr
        texts.append((tmp_path / "spec.yaml").read_text(encoding="utf-8"))
    assert "grade:" not in texts[0]
    assert re.search(r"^    grade: \{exposure: \d", texts[1], re.MULTILINE)
    assert cinecut("check", "spec.yaml", cwd=tmp_path).returncode == 0
