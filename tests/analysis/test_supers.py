"""Small type over moving pictures, in pictures and films that are made here."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from cinecut.analysis.film.shots import find_shots
from cinecut.analysis.film.unfit.supers import Supers, seen
from cinecut.media.probe import film_facts

WIDTH, HEIGHT = 640, 360
Luma = NDArray[np.uint8]  # [360 x 640]


def ground(seed: int, at: int) -> Luma:
    """A window, `at` pixels along a wide picture of soft shapes and leaves."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.integers(40, 110, (9, 60), np.uint8), (4 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for x, y, angle in rng.integers((0, 0, 0), (4 * WIDTH, HEIGHT, 180), (900, 3)).tolist():
        cv2.ellipse(soft, (x, y), (9, 3), angle, 0, 360, 30 + (x + y) % 100, -1)
    return np.ascontiguousarray(soft[:, at : at + WIDTH])


def with_type(picture: Luma, text: str, at: tuple[int, int], scale: float = 0.5, level: int = 235) -> Luma:
    """The picture with letters over it, of about 22 pixels times the scale."""
    font, thick = cv2.FONT_HERSHEY_DUPLEX, round(2 * scale)
    return np.asarray(cv2.putText(picture.copy(), text, at, font, scale, level, thick, cv2.LINE_AA))


def found(pictures: list[Luma]) -> set[int]:
    """The numbers of the pictures with type over them."""
    supers = Supers()
    for rank, picture in enumerate(pictures):
        supers.add(seen(rank, picture))
    return {rank for each in supers.found() for rank in (each.first, each.last)}


@pytest.mark.matrix(7)
@pytest.mark.parametrize("scale", [0.45, 0.6, 1.0])
@pytest.mark.parametrize("at", [(40, 300), (180, 80), (300, 320)])
@pytest.mark.parametrize("speed", [23, 0])
def test_a_name_is_found_over_a_picture_that_moves_or_rests(speed: int, at: tuple[int, int], scale: float) -> None:
    pictures = [ground(1, speed * number) for number in range(8)]
    assert not found(pictures)
    assert found([with_type(p, "Marta Lindqvist", at, scale) if 2 <= n < 6 else p for n, p in enumerate(pictures)]) == {
        *(2, 3, 4, 5)
    }


def test_type_in_the_scene_is_none() -> None:
    assert not found([with_type(ground(2, 0), "HOTEL RIVERSIDE", (200, 150))] * 8)
    wide = with_type(np.hstack([ground(2, 0), ground(3, 0)]), "HOTEL RIVERSIDE", (600, 150), 0.6)
    for speed in (3, 10, 18, 34):  # by parts of letters and by whole ones
        assert not found([np.ascontiguousarray(wide[:, speed * n : speed * n + WIDTH]) for n in range(8)])


def test_bars_before_moving_pictures_are_none() -> None:
    pictures = []
    for number in range(8):
        picture = ground(4, 23 * number)
        picture[:, ::24], picture[200:203], picture[260:263] = 220, 220, 220
        picture[200:260:, 6::24] = 220
        pictures.append(picture)
    assert not found(pictures)


def test_a_mark_of_the_whole_film_is_none_and_hides_no_name() -> None:
    marked = [with_type(ground(n // 8, 23 * (n % 8)), "CHANNEL 4", (500, 40), 0.6, 215) for n in range(40)]
    assert not found(marked)
    named = [with_type(each, "Ines de Almeida", (40, 310)) if 20 <= n < 24 else each for n, each in enumerate(marked)]
    assert found(named) == {20, 21, 22, 23}


@pytest.mark.parametrize(
    "options",
    ["-c:v libx264 -g 250", pytest.param("-c:v libx264 -g 12", marks=pytest.mark.slow), "-c:v mpeg4 -q:v 3"],
)
def test_a_shot_with_a_name_is_kept_out_and_others_are_not(options: str, tmp_path: Path) -> None:
    """In the first and the last shot of four a name appears."""
    pictures = []
    for shot in range(4):
        for number in range(36):
            picture = ground(10 + shot, 3 * number)
            if shot in (0, 3) and 8 <= number < 30:
                picture = with_type(picture, "Jonas Halvorsen", (60 + 200 * (shot > 0), 300))
            pictures.append(picture)
    film = tmp_path / "film.mkv"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray"]
    command += ["-s", f"{WIDTH}x{HEIGHT}", "-r", "12", "-i", "-", "-pix_fmt", "yuv420p", *options.split(), str(film)]
    subprocess.run(command, input=np.stack(pictures).tobytes(), check=True)
    shots = find_shots(film, film_facts(film), lambda share: None).shots
    assert [shot.range.start.seconds for shot in shots] == [Fraction(3 * number) for number in range(4)]
    assert [shot.why_not for shot in shots] == ["title", None, None, "title"]


@pytest.mark.matrix
@pytest.mark.parametrize("size", ["2x2", "16x34", "36x1400", "2000x32"])
@pytest.mark.parametrize("form", ["yuv420p", "gray", "bgr0", "yuv444p10le"])
def test_pictures_of_any_size_and_form_are_searched(size: str, form: str, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", f"testsrc2=size={size}:duration=2"]
    subprocess.run([*command, "-pix_fmt", form, "-c:v", "ffv1", str(film)], check=True)
    shots = find_shots(film, film_facts(film), lambda share: None).shots
    assert shots[0].range.start.seconds == 0
    assert shots[-1].range.end.seconds == 2
