"""Cuts that cost an encoder few bytes, gradual cuts to their edges, and what is no cut: in films made from pieces."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from cinecut.analysis.film.blends import dissolves, fades
from cinecut.analysis.film.cuts import FoundCuts
from cinecut.analysis.film.gradual.outline import COLUMNS, ROWS, Outline
from cinecut.analysis.film.gradual.ramps import REACH
from cinecut.analysis.film.gradual.suspects import Suspects, around
from cinecut.analysis.film.shots import find_shots
from cinecut.media.probe import film_facts
from tools.cut_films import (
    ENCODERS,
    HEIGHT,
    WIDTH,
    WIPES,
    CutFilm,
    Frames,
    Score,
    encode,
    flashes,
    gradual,
    look_alikes,
    score,
)

LENGTHS = (40, 33, 45, 29, 36, 26, 44, 31)


@lru_cache(maxsize=8)
def set_up(seed: int, length: int, pose: float, drift: float = 0.1) -> Frames:
    """Somebody who moves a little before a still wall; `pose` is where the movement begins."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 200, (9, 16, 3), dtype=np.uint8)
    wall = np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)
    body = cv2.resize(rng.integers(0, 256, (12, 10, 3), dtype=np.uint8), (90, 120), interpolation=cv2.INTER_CUBIC)
    mask = np.full(body.shape[:2], 255, np.uint8)
    frames = np.repeat(wall[None], length, 0)
    for at, frame in enumerate(frames):
        x, y = 100 + 45 * np.sin(pose + drift * at / 10), 45 + 12 * np.cos(2 * pose + drift * at / 10)
        place = np.array([[1, 0, x], [0, 1, y]], np.float32)
        share = cv2.warpAffine(mask, place, (WIDTH, HEIGHT))[..., None] / 255
        frame[:] = frame * (1 - share) + cv2.warpAffine(body, place, (WIDTH, HEIGHT)) * share
    frames.setflags(write=False)  # several tests have the same
    return frames


def found(film: CutFilm, encoder: str, folder: Path) -> Score:
    path = encode(folder / ("film.avi" if "mpeg4" in encoder else "film.mp4"), film.frames, ENCODERS[encoder])
    return score(find_shots(path, film_facts(path), lambda share: None), film)


@pytest.mark.matrix
@pytest.mark.parametrize("black", [0, 6, 24])
@pytest.mark.parametrize("encoder", ["x264", "x264 fixed", "mpeg4"])
def test_pieces_of_one_set_up_are_parted(encoder: str, black: int, tmp_path: Path) -> None:
    pieces = [set_up(3, length, pose=2.4 * at) for at, length in enumerate(LENGTHS)]
    result = found(look_alikes("one set-up", pieces, black), encoder, tmp_path)
    assert result.recall >= 0.97 if black else result.recall >= 0.85
    assert result.black_inside == 0
    assert result.extra == 0


@pytest.mark.matrix(2)
@pytest.mark.parametrize("kind", ["mix", "fog", "dark to bright", "dip to black", "dip to white"])
def test_gradual_cuts_leave_nothing_over(kind: str, tmp_path: Path) -> None:
    for length, encoder in ((8, "x264"), (30, "x264 fixed")):
        result = found(gradual(kind, set_up(5, 80, 0), set_up(8, 80, 2), kind, length), encoder, tmp_path)
        assert (result.blends_found, result.extra) == (1, 0)
        assert result.left_over[0] <= 1


def outline(frames: Frames) -> Outline:
    small = [cv2.resize(frame[..., 1], (COLUMNS, ROWS), interpolation=cv2.INTER_AREA) for frame in frames]
    return Outline(np.arange(len(frames)), np.stack(small).reshape(len(frames), -1))


@pytest.mark.matrix
@pytest.mark.parametrize("length", [15, 16, 36])
@pytest.mark.parametrize("kind", ["dip to black", "dip to white"])
def test_both_halves_of_a_dip_are_found_whatever_looks_like_a_cut_in_it(kind: str, length: int) -> None:
    """Of a shot of little contrast, a step in the middle of a dip is as new as a cut."""
    clear, pale = set_up(5, 80, 0), np.asarray(set_up(8, 80, 2) * 0.3 + 20, np.uint8)
    for one, other in ((clear, pale), (pale, clear)):
        film = gradual(kind, one, other, kind, length)
        ((start, end),) = film.blends
        parts = fades(outline(film.frames), [(start + end) // 2], Fraction(24))
        inside = {rank for part in parts for rank in range(*part.range)}
        assert len(set(range(start, end)) - inside) <= 3  # two plain ones in the middle, and one at an edge
        assert len(inside - set(range(start, end))) <= 2


@lru_cache(maxsize=4)
def filmed(seed: int, length: int, speed: int) -> Frames:
    """A set-up filmed by a camera that pans by `speed` pixels a picture."""
    frames = set_up(seed, length, seed, drift=0.3)
    wide = np.concatenate([frames, frames[:, :, ::-1]], 2)
    film = np.stack([np.roll(frame, speed * at, 1)[:, :WIDTH] for at, frame in enumerate(wide)])
    film.setflags(write=False)
    return film


@pytest.mark.parametrize("kind", WIPES)
def test_wipes_between_shots_that_move_are_found_to_the_picture(kind: str) -> None:
    for length in (10,) if kind == "soft wipe" else (10, 20, 36):
        film = gradual(kind, set_up(5, 80, 0, drift=0.5), set_up(8, 80, 2, drift=0.5), kind, length)
        ((start, end),) = film.blends
        ((first, after),) = (blend.range for blend in dissolves(outline(film.frames), [], []))
        assert abs(first - start) <= 2
        assert abs(after - end) <= 2


@pytest.mark.matrix(3)
@pytest.mark.parametrize("kind", WIPES)
def test_wipes_into_a_pan_are_found_to_the_picture_and_suspected_by_half_their_pictures(kind: str) -> None:
    for length, speed in ((12, 2),) if kind == "soft wipe" else ((12, 2), (24, 1)):
        film = gradual(kind, set_up(5, 80, 0, drift=0.5), filmed(8, 80, speed), kind, length)
        ((start, end),) = film.blends
        whole = outline(film.frames)
        half = Outline(whole.ranks[::2], whole.luma[::2])
        suspected = [blend.range for blend in dissolves(half, [], [], slack=1.2)]
        assert any(first <= start + 2 and after >= end - 2 for first, after in suspected)
        ((first, after),) = (blend.range for blend in dissolves(whole, [], []))
        assert abs(first - start) <= 2
        assert abs(after - end) <= 2


@pytest.mark.parametrize("length", [12, 24])
def test_a_dissolve_is_found_though_the_camera_pans(length: int) -> None:
    film = gradual("mix", filmed(5, 80, 1), filmed(8, 80, -1), "mix", length)
    ((start, end),) = film.blends
    ((first, after),) = (blend.range for blend in dissolves(outline(film.frames), [], []))
    assert abs(first - start) <= 2
    assert abs(after - end) <= 2


@pytest.mark.parametrize("speed", [2, 6, 10])
def test_a_pan_is_no_gradual_cut(speed: int) -> None:
    for seed in (5, 8):
        assert dissolves(outline(filmed(seed, 120, speed)), [], []) == []


def test_what_crosses_the_picture_is_no_wipe() -> None:
    frames = set_up(5, 80, 0).copy()
    for at in range(45):
        frames[20 + at, 40:150, max(0, 8 * at - 40) : 8 * at] = 20
    assert dissolves(outline(frames), [], []) == []


@pytest.mark.parametrize("kind", ["mix", "fog"])
def test_a_gradual_cut_that_began_in_a_group_not_decoded_is_judged_from_its_begin(kind: str) -> None:
    """Nothing is known between the key pictures 0 and 48, and the gradual cut began at 41."""
    film = gradual(kind, set_up(5, 71, 0), set_up(8, 80, 2), kind, 30)
    whole = outline(film.frames)
    known = np.array([0, *range(48, len(film.frames), 2)])
    (suspect,) = dissolves(Outline(known, whole.luma[known]), [], [], slack=1.2)
    first, after = around(suspect, known)
    assert first <= 41 - REACH
    assert after >= 71 + REACH
    ((start, end),) = (blend.range for blend in dissolves(whole, [], []))
    assert abs(start - 41) + abs(end - 71) <= 1


@pytest.mark.parametrize("step", [7, 24, 1000])
def test_gradual_cuts_are_suspected_alike_however_early_they_are_looked_for(step: int) -> None:
    """Each part brings the pictures of its ranks and a few more, as a group that is decoded to its end does."""
    pieces = [gradual(kind, set_up(5, 60, 0), set_up(8, 60, 2), kind, 16) for kind in ("mix", "wipe", "dark to bright")]
    whole = outline(np.concatenate([set_up(2, 40, 0), *(piece.frames for piece in pieces)]))
    cuts = [40, 40 + len(pieces[0].frames), 40 + 2 * len(pieces[0].frames)]
    suspects, wanted = Suspects(), []
    for start in range(0, len(whole.ranks), step):
        near = slice(start, start + step + 4)
        found = FoundCuts(tuple((cut, 5.0) for cut in cuts if start < cut <= start + step))
        wanted += suspects.add(found, Outline(whole.ranks[near], whole.luma[near]))
    wanted += suspects.rest()
    assert suspects.blends == dissolves(whole, cuts, [], slack=1.2)
    assert len(wanted) == len(suspects.blends) == 3
    assert all(
        first < blend.start and after > blend.end for (first, after), blend in zip(wanted, suspects.blends, strict=True)
    )


@pytest.mark.parametrize("encoder", ["x264", "x264 fixed"])
def test_flashes_are_no_cuts(encoder: str, tmp_path: Path) -> None:
    for length in (1, 3):
        assert found(flashes("flash", set_up(2, 100, 0), (20, 61), length), encoder, tmp_path).extra == 0


@pytest.mark.parametrize("encoder", ["x264", "x264 fixed"])
def test_a_flash_or_a_strobe_beside_a_cut_does_not_hide_it(encoder: str, tmp_path: Path) -> None:
    pieces = [set_up(seed, 30, seed) for seed in range(2, 8)]
    cuts = tuple(range(30, 180, 30))
    for length, away in ((1, (-3,)), (1, (-2,)), (1, (1,)), (2, (-4,)), (2, (2,)), (1, range(-8, 9, 3))):
        frames = np.concatenate(pieces)
        for cut in cuts:
            for place in away:
                bright = frames[cut + place : cut + place + length]
                bright[:] = bright * 0.1 + 0.9 * 250
        result = found(CutFilm("flashes", frames, cuts), encoder, tmp_path)
        assert (result.recall, result.extra) == (1, 0), (length, away)


@pytest.mark.matrix
@pytest.mark.parametrize("lamp", ["at the left", "at the top", "with an edge"])
@pytest.mark.parametrize("encoder", ["x264", "x264 fixed"])
def test_a_lamp_that_goes_on_or_off_is_no_cut(encoder: str, lamp: str, tmp_path: Path) -> None:
    y, x = (np.mgrid[:HEIGHT, :WIDTH] + 0.5) / np.array([HEIGHT, WIDTH])[:, None, None]
    lit = {
        "at the left": np.clip(1 - 1.3 * x, 0, 1),
        "at the top": np.clip(1 - 1.4 * y, 0, 1),
        "with an edge": x + 0.2 * y < 0.45,
    }[lamp][..., None]
    frames = np.concatenate([set_up(seed, 40, seed) for seed in (2, 3)])
    for start, end in ((9, 19), (26, 33), (50, 61)):
        frames[start:end] = np.clip(frames[start:end] * (1 + 0.7 * lit) + 40 * lit, 0, 255)
    result = found(CutFilm("lamp", frames, (40,)), encoder, tmp_path)
    assert (result.recall, result.extra) == (1, 0)
