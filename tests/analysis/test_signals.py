"""What is measured of every shot, on pictures and sound that are known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from footage import HEIGHT, RATE, WIDTH, X264, encode, scene
from numpy.typing import NDArray

from cinecut.analysis.dialogue.lines import Line
from cinecut.analysis.film.blends import GradualCut
from cinecut.analysis.film.loudness import STEP, LoudnessCurve, listen
from cinecut.analysis.film.movement.activity import Activity, activities, by_packets
from cinecut.analysis.film.movement.course import MOVE, courses
from cinecut.analysis.film.pictures import LARGEST_GAP, KeyPicture, key_pictures, moments
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import (
    NEUTRAL,
    WEIGHTS,
    Appearance,
    Signals,
    eye_of,
    likeness,
    likenesses,
    measure,
    observe,
)
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.probe import film_facts


def span(start: Fraction | float, end: Fraction | float) -> FilmRange:
    return FilmRange(FilmTime(Fraction(start)), FilmTime(Fraction(end)))


def shots(*lengths: int) -> list[FilmShot]:
    """Shots of so many frames."""
    edges = np.cumsum([0, *lengths]).tolist()
    return [
        FilmShot(index, span(Fraction(a) / RATE, Fraction(b) / RATE), GradualCut.CUT)
        for index, (a, b) in enumerate(pairwise(edges))
    ]


def seen(seed: int) -> Appearance:
    return observe(KeyPicture(seed, FilmTime(Fraction(0)), scene(seed, 1)[0]))


def said(start: float, end: float, emotion: str = "intense", strength: float = 0.8) -> Line:
    return Line(0, span(start, end), "A line.", None, emotion, strength, 0.5, 0.0)


def test_the_weights_make_a_score_from_zero_to_one() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    names = Signals.__dataclass_fields__
    assert Signals(**dict.fromkeys(names, 0.0)).score == 0
    assert Signals(**dict.fromkeys(names, 1.0)).score == pytest.approx(1)


def test_likeness_is_one_for_the_same_and_small_for_other_pictures() -> None:
    looks = [seen(seed) for seed in range(8)]
    assert likeness(looks[0], looks[0]) == pytest.approx(1, abs=0.02)
    others = [likeness(a, b) for i, a in enumerate(looks) for b in looks[:i]]
    assert max(others) < 0.72
    assert likeness(looks[0], looks[1]) == likeness(looks[1], looks[0])


@pytest.mark.parametrize(
    ("zoom", "left", "top", "least"),
    [(1.25, 0.5, 0.5, 0.72), (1.5, 0.2, 0.9, 0.72), (1.5, 1, 0, 0.72), (1.8, 0.4, 0.6, 0.6)],
)
def test_a_set_up_is_like_itself_through_a_longer_lens(zoom: float, left: float, top: float, least: float) -> None:
    wholes = [scene(seed, 1)[0] for seed in range(6)]
    rows, columns = (round((1 - 1 / zoom) * share * side) for share, side in ((top, HEIGHT), (left, WIDTH)))
    parts = [whole[rows:, columns:][: round(HEIGHT / zoom), : round(WIDTH / zoom)] for whole in wholes]
    zoomed = [cv2.resize(part, (WIDTH, HEIGHT)) for part in parts]
    looks = [observe(KeyPicture(0, FilmTime(Fraction(0)), picture)) for picture in (*wholes, *zoomed)]
    alike = likenesses(looks)
    assert np.array_equal(alike, alike.T)
    same, others = np.diagonal(alike[:6, 6:]), alike[:6, 6:][~np.eye(6, dtype=bool)]
    assert same.min() > least
    assert others.max() < 0.6


def test_a_look_tells_colour_contrast_and_sharpness() -> None:
    plain = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    checks = plain.copy()
    checks[::2, ::2] = 255
    red = plain.copy()
    red[:, :, :2] = 0
    gray, sharp, vivid = (observe(KeyPicture(0, FilmTime(Fraction(0)), bgr)) for bgr in (plain, checks, red))
    assert gray.contrast == gray.saturation == gray.sharpness == gray.face == 0
    assert sharp.sharpness > 100
    assert sharp.contrast > 20
    assert vivid.saturation == 255


def test_signals_are_ranks_within_the_film() -> None:
    film = shots(50, 50, 50, 50)
    looks = {shot.index: seen(shot.index) for shot in film}
    moving = {shot.index: Activity(shot.index / 10, None) for shot in film}
    levels = np.full(90, -50, np.float32)
    levels[70:] = -10  # from 7 s on: in the last shot
    found = measure(film, looks, moving, LoudnessCurve(levels), [said(2.2, 3.4)])
    assert [found[index].motion for index in range(4)] == [
        0,
        pytest.approx(1 / 3, abs=1e-3),
        pytest.approx(2 / 3, abs=1e-3),
        1,
    ]
    assert [found[index].place for index in range(4)] == [found[index].motion for index in range(4)]
    assert max(range(4), key=lambda index: found[index].emotion) == 1
    assert max(range(4), key=lambda index: found[index].rise) == 3
    assert {shot.drama for shot in found.values()} == {NEUTRAL}
    assert all(0 <= getattr(shot, name) <= 1 for shot in found.values() for name in Signals.__dataclass_fields__)


def test_what_a_film_lacks_is_neutral() -> None:
    film = shots(50, 50)
    found = measure(film, {0: seen(0), 1: seen(1)}, {}, LoudnessCurve(np.zeros(0, np.float32)), [])
    for shot in found.values():
        assert (shot.motion, shot.emotion, shot.uniqueness, shot.face, shot.rise) == (NEUTRAL,) * 5


def test_activity_finds_what_moves_and_when_it_happens(tmp_path: Path) -> None:
    still, moving = np.repeat(scene(1, 1), 75, axis=0), scene(2, 75, speed=5)
    struck = np.repeat(scene(3, 1), 75, axis=0)
    struck[40:] = np.roll(struck[40:], 60, axis=2)
    options = f"{X264} -g 75 -keyint_min 75 -sc_threshold 0 -bf 0"
    film = encode(tmp_path / "film.mp4", np.concatenate([still, moving, struck]), options=options)
    found = by_packets(film, film_facts(film), shots(75, 75, 75))
    assert found[1].motion > 2 * found[0].motion
    assert found[2].peak == FilmTime(Fraction(150 + 40) / RATE)
    assert found[1].peak is None


def test_key_frames_tell_nothing_by_their_sizes_and_all_by_their_pictures(tmp_path: Path) -> None:
    frames = np.concatenate([np.repeat(scene(1, 1), 25, axis=0), scene(2, 25, speed=5)])
    film = encode(tmp_path / "intra.mov", frames, options="-c:v mjpeg -q:v 4 -pix_fmt yuvj420p")
    assert by_packets(film, film_facts(film), shots(25, 25)) == {}
    found = activities(film, film_facts(film), shots(25, 25), lambda share: None)
    assert found[1].motion > 5 * found[0].motion


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_the_course_of_a_shot_is_that_of_its_own_pictures(container: str, tmp_path: Path) -> None:
    """A still picture between two that move, of another light: nothing of them is in its figures."""
    still = np.full_like(scene(1, 50), 40)
    still[:, : HEIGHT // 3, : WIDTH // 3] = 220  # where the eye goes
    film = encode(tmp_path / f"film.{container}", np.concatenate([scene(2, 50, speed=5), still, scene(3, 50, speed=9)]))
    three = shots(50, 50, 50)
    found = courses(film, film_facts(film), three, lambda share: None)
    assert len(found) == 3
    for shot in three:
        course, steps = found[shot.index], -(-shot.range.duration // MOVE)
        assert len(course.moves) == len(course.light) == len(course.eye) == steps
    assert found[1].moves.max() < 0.1 < found[0].moves.min() < 10 * found[2].moves.min()
    assert np.ptp(found[1].light) < 0.02
    assert found[1].light.mean() == pytest.approx(float(still[0].mean()) / 255, abs=0.05)
    assert (found[1].eye < 0.5).all()


@pytest.mark.parametrize("level", [0, 77, 255])
def test_the_eye_rests_in_the_middle_of_a_picture_of_nothing(level: int) -> None:
    assert eye_of(np.full((HEIGHT, WIDTH), level, np.uint8)) == (0.5, 0.5)


@pytest.mark.parametrize("options", [X264, f"{X264} -g 300 -sc_threshold 0", f"{X264} -output_ts_offset 5"])
def test_each_shot_is_looked_at_inside_it(options: str, tmp_path: Path) -> None:
    film = shots(30, 45, 10, 60, 25)
    frames = np.concatenate([scene(index, round(shot.range.duration * RATE)) for index, shot in enumerate(film)])
    path = encode(tmp_path / "film.mkv", frames, options=options)
    heard: list[float] = []
    pictures = list(key_pictures(path, film_facts(path), film, moments(film, []), heard.append))
    assert [picture.shot for picture in pictures] == [0, 1, 2, 3, 4]
    for picture in pictures:
        shot = film[picture.shot]
        assert shot.range.start <= picture.time < shot.range.end
        best = max(range(5), key=lambda index: likeness(seen(index), observe_rgb(picture)))
        assert best == picture.shot
    assert heard == sorted(heard)
    assert heard[-1] == 1


def observe_rgb(picture: KeyPicture) -> Appearance:
    """A picture's look with the colours in the order in which scenes are made."""
    return observe(KeyPicture(picture.shot, picture.time, np.ascontiguousarray(picture.bgr[:, :, ::-1])))


def test_moments_are_lines_middles_and_gaps() -> None:
    film = [FilmShot(0, span(0, 10), GradualCut.CUT), FilmShot(1, span(10, 110), GradualCut.CUT)]
    found = moments(film, [said(2, 4), said(20, 24)])
    assert {Fraction(3), Fraction(22), Fraction(5), Fraction(60)} <= {moment.time.seconds for moment in found}
    times = [moment.time.seconds for moment in found]
    assert times == sorted(times)
    assert max(b - a for a, b in zip(times, [*times[1:], Fraction(110)], strict=True)) <= LARGEST_GAP + 1


def test_loudness_is_measured_to_a_tenth_of_a_second(tmp_path: Path) -> None:
    t = np.arange(4 * 16_000) / 16_000
    sine = np.where(t < 2, 0.05, 0.5) * np.sin(2 * np.pi * 440 * t)
    film = encode(tmp_path / "film.mkv", scene(1, 100), sine.astype(np.float32))
    heard: list[float] = []
    found = listen(film, film_facts(film), 0, heard.append)
    assert abs(found.levels[5:15] - 20 * np.log10(0.05 / np.sqrt(2))).max() < 1
    assert abs(found.levels[25:35] - 20 * np.log10(0.5 / np.sqrt(2))).max() < 1
    step = int(np.argmax(np.diff(found.levels[:38]))) + 1
    assert abs(step * STEP - 2) <= STEP
    assert 17 < found.rise(span(1, 4)) <= 21
    assert found.rise(span(3.2, 4)) < 1
    assert not found.silent
    assert heard[-1] == pytest.approx(1, abs=0.1)


def test_a_film_without_sound_is_silent(tmp_path: Path) -> None:
    film = encode(tmp_path / "film.mkv", scene(1, 25))
    found = listen(film, film_facts(film), 0, lambda done: None)
    assert found.silent
    assert found.rise(span(0, 1)) == 0


def _picture(light: float, grain: float, *things: tuple[slice, slice, float]) -> NDArray[np.uint8]:
    """A surface with its grain, and things of another light on it."""
    gray = np.full((180, 320), light) + np.linspace(0, light / 5, 320)
    gray += np.random.default_rng(1).normal(0, grain, gray.shape)
    for rows, columns, level in things:
        gray[rows, columns] = level
    return np.repeat(np.clip(cv2.GaussianBlur(gray, (0, 0), 0.7), 0, 255)[:, :, None], 3, axis=2).astype(np.uint8)


BARS = (slice(0, 24), slice(None), 0.0), (slice(156, 180), slice(None), 0.0)


@pytest.mark.parametrize(
    ("picture", "blank"),
    [
        (_picture(110, 25), True),  # asphalt
        (_picture(190, 1), True),  # the sky
        (_picture(14, 4), True),  # the night
        (_picture(110, 25, *BARS), True),  # asphalt between bars
        (_picture(110, 25, (slice(0, 12), slice(0, 25), 230)), True),  # a line that only looks in at the corner
        (_picture(225, 4, (slice(85, 105), slice(150, 155), 60)), False),  # a figure in the snow
        (_picture(170, 4, (slice(90, 180), slice(None), 110)), False),  # a horizon
        (_picture(14, 3, (slice(60, 120), slice(130, 180), 40)), False),  # a shape in the dark
        (_picture(170, 4, (slice(90, 180), slice(None), 110), *BARS), False),
    ],
)
def test_a_picture_is_blank_where_nothing_stands_out_of_its_grain(picture: NDArray[np.uint8], blank: bool) -> None:
    look = observe(KeyPicture(0, FilmTime(Fraction(0)), picture))
    assert look.is_blank is blank
    assert not replace(look, face=0.1).is_blank
