"""Pushes, and the pans that look like them, in films made from pieces."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from test_set_ups import filmed, found, outline

from cinecut.analysis.film.blends import dissolves
from cinecut.analysis.film.gradual.outline import Outline
from tools.cut_films import HEIGHT, PUSHES, WIDTH, Frames, gradual, whip


def place(seed: int, length: int) -> Frames:
    """Something that moves a little before a wall of wide soft shapes."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 230, (3, 5, 3), dtype=np.uint8)
    wall = np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)
    frames = np.repeat(wall[None], length, 0)
    for at, frame in enumerate(frames):
        cv2.circle(frame, (140 + int(20 * np.sin(at / 12)), 90), 25, (200, 90, 40), -1)
    return frames


@pytest.mark.parametrize("kind", PUSHES)
@pytest.mark.parametrize("length", [8, 14, 30])
def test_pushes_are_found_to_the_picture_and_suspected_by_half_their_pictures(kind: str, length: int) -> None:
    film = gradual(kind, place(5, 80), place(8, 80), kind, length)
    ((start, end),) = film.blends
    whole = outline(film.frames)
    half = Outline(whole.ranks[::2], whole.luma[::2])
    suspected = [blend.range for blend in dissolves(half, [], [], slack=1.2)]
    assert any(first <= start + 4 and after >= end - 4 for first, after in suspected)
    ((first, after),) = (blend.range for blend in dissolves(whole, [], []))
    assert abs(first - start) <= 2
    assert abs(after - end) <= 2


@pytest.mark.parametrize("widths", [1, 2])
@pytest.mark.parametrize("length", [8, 14, 30])
def test_a_whip_pan_is_no_push(widths: int, length: int) -> None:
    film = whip("whip", place(5, 60), place(8, 60), widths, length)
    assert not dissolves(outline(film.frames), [], [])


@pytest.mark.parametrize("speed", [4, 16, -30])
def test_a_steady_pan_is_no_push(speed: int) -> None:
    assert not dissolves(outline(filmed(5, 90, speed)), [], [])


@pytest.mark.parametrize("encoder", ["x264", "x264 fixed", "mpeg4"])
def test_a_push_of_a_film_belongs_to_no_shot(encoder: str, tmp_path: Path) -> None:
    film = gradual("push", place(5, 90), place(8, 90), "push", 16)
    result = found(film, encoder, tmp_path)
    assert (result.blends_found, result.extra) == (1, 0)
    assert np.max(result.left_over) <= 1
