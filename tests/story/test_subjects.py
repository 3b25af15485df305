"""Subjects: the same one before other grounds is known, others before the same ground are told apart."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cinecut.analysis.film.pictures import KeyPicture
from cinecut.analysis.film.signals import Appearance, observe
from cinecut.analysis.story.subjects import Cast, same_subject
from cinecut.language.timebase import FilmTime

GROUNDS = ((60, 140, 60), (180, 120, 70), (120, 60, 130), (70, 90, 110))  # BGR
SUBJECTS = ((150, 150, 150), (30, 70, 190), (40, 190, 220))
SHOTS = 12  # of each subject


def _picture(subject: int, number: int, light: float) -> NDArray[np.uint8]:
    """A figure of two parts somewhere in the middle of a noisy ground, in some light."""
    dice = np.random.default_rng(100 * subject + number)
    picture = np.full((180, 320, 3), GROUNDS[number % len(GROUNDS)], float)
    across, down, size = dice.integers(120, 200), dice.integers(70, 110), int(dice.integers(28, 55))
    cv2.circle(picture, (int(across), int(down)), size, SUBJECTS[subject], -1)
    cv2.circle(picture, (int(across), int(down) - size), size // 2, SUBJECTS[subject], -1)
    noisy = picture * light + dice.normal(0, 8, picture.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def _looks(light: float) -> list[Appearance]:
    pictures = [_picture(subject, n, light) for subject in range(len(SUBJECTS)) for n in range(SHOTS)]
    return [observe(KeyPicture(n, FilmTime(Fraction(n)), each)) for n, each in enumerate(pictures)]


@pytest.mark.parametrize("light", [0.7, 1.0, 1.2])
def test_a_subject_is_known_before_other_grounds(light: float) -> None:
    alike = same_subject(_looks(light))
    subjects = np.arange(len(alike)) // SHOTS
    same = subjects[:, None] == subjects
    np.fill_diagonal(alike, np.nan)
    assert np.nanmean(alike[same]) > 0.5 + np.nanmean(alike[~same])
    np.fill_diagonal(alike, -1)
    nearest = np.argsort(-alike, axis=1)[:, : SHOTS // 2]
    assert (subjects[nearest] == subjects[:, None]).mean() > 0.95


@pytest.mark.parametrize("light", [0.7, 1.0, 1.2])
def test_the_main_subjects_are_told_apart(light: float) -> None:
    looks = _looks(light)
    cast = Cast.of(looks)
    truth = np.arange(len(looks)) // SHOTS
    assert len(cast.shares) == len(SUBJECTS)
    found = [set(cast.subject[truth == subject]) for subject in range(len(SUBJECTS))]
    assert all(len(each) == 1 for each in found)
    assert len(set.union(*found)) == len(SUBJECTS)
    assert cast.sure.sum() == len(looks) / 2


def test_shots_of_one_look_are_of_one_subject_and_a_rare_one_is_no_main_one() -> None:
    looks = _looks(1.0)
    twice = Cast.of([*looks, *looks])
    assert (twice.subject[: len(looks)] == twice.subject[len(looks) :]).all()
    few = Cast.of([*looks[: 2 * SHOTS], *looks[-2:]])
    assert set(few.subject[-2:]) == {-1}


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_every_film_has_figures(count: int) -> None:
    """Black pictures, one picture again and again, and very few: finite shares, and no pair out of the range."""
    black = np.zeros((180, 320, 3), np.uint8)
    looks = [observe(KeyPicture(n, FilmTime(Fraction(n)), black)) for n in range(count)]
    bare = [replace(look, subject=np.zeros_like(look.subject)) for look in looks]
    for some in (looks, bare, [looks[0]] * count):
        assert len(Cast.of(some).subject) == count
        alike = same_subject(some)
        assert alike.shape == (count, count)
        assert np.isfinite(alike).all()
        assert alike.min() >= 0
        assert alike.max() <= 1.001
