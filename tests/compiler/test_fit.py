"""How a film of another shape fills the trailer's frame: bars, a crop, or the picture itself, blurred, behind it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import Film, Luma
from rendering import render_text

Films = Callable[[Film], Film]
Box = tuple[float, float, float, float]  # left, top, right, bottom; right and bottom are outside
Planes = list[NDArray[np.int64]]  # luma, and the two of chroma at half its size

RING = (0.12, 0.12, 0.88, 0.66)  # of the oracle's code, in shares of its picture
FITS = ("letterbox", "crop", "blur")

FILMS: dict[str, dict[str, Any]] = {  # and the shape in which a player shows each
    "4:3": {"size": (240, 180)},
    "anamorphic": {"size": (180, 144), "sar": Fraction(64, 45)},
    "rotated": {"size": (240, 180), "rotation": 90},
    "odd": {"size": (321, 181), "codec": "ffv1"},
    "10-bit": {"size": (240, 180), "pix_fmt": "yuv420p10le"},
}
SHAPES = {"4:3": (4, 3), "anamorphic": (256, 144), "rotated": (3, 4), "odd": (321, 181), "10-bit": (4, 3)}
SIZES = {"wide": (256, 144), "tall": (144, 256), "square": (160, 160)}


def film_of(films: Films, kind: str) -> Film:
    suffix = ".mp4" if kind == "rotated" else ".mkv"
    return films(Film(Path("a" + suffix), Fraction(24), 12, gop=6, **FILMS[kind]))


def shown(film: Path, size: tuple[int, int], fit: str, folder: Path, ffmpeg: Path) -> list[Luma]:
    text = f"cinecut: 1\nfilm: {film}\noutput: {{codec: ffv1, size: {size[0]}x{size[1]}, fit: {fit}}}\n"
    text += "timeline:\n  - shot: {in: 0.125s, for: 3f}\n"
    rendered = render_text(text, folder, ffmpeg, fit)
    with av.open(str(rendered.path)) as media:
        assert {(frame.width, frame.height) for frame in media.decode(video=0)} == {size}
    assert fit == "crop" or rendered.numbers == [3, 4, 5]
    return rendered.pictures


def placed(kind: str, size: tuple[int, int], fit: str) -> Box:
    """Where the film's whole picture lies on the frame; of a crop, beyond it."""
    shares = [side / own for side, own in zip(size, SHAPES[kind], strict=True)]
    factor = max(shares) if fit == "crop" else min(shares)
    width, height = (own * factor for own in SHAPES[kind])
    left, top = (size[0] - width) / 2, (size[1] - height) / 2
    return left, top, left + width, top + height


def ring(picture: Luma) -> Box:
    rows, columns = np.nonzero(picture > 128)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def fast_and_slow(kinds: tuple[str, ...]) -> list[Any]:
    """The first in every shape, the others in one; all pairs where there is time."""
    return [
        pytest.param(kind, name, marks=() if kind == kinds[0] or name == "square" else pytest.mark.slow)
        for kind in kinds
        for name in SIZES
    ]


@pytest.mark.matrix(4)
@pytest.mark.parametrize(("kind", "name"), fast_and_slow(tuple(FILMS)))
def test_bars_are_black_and_the_picture_lies_between(
    films: Films, ffmpeg: Path, tmp_path: Path, kind: str, name: str
) -> None:
    size = SIZES[name]
    picture = shown(film_of(films, kind).path, size, "letterbox", tmp_path, ffmpeg)[1]
    left, top, right, bottom = placed(kind, size, "letterbox")
    wanted = [
        left + (right - left) * share if k % 2 == 0 else top + (bottom - top) * share for k, share in enumerate(RING)
    ]
    assert max(abs(a - b) for a, b in zip(ring(picture), wanted, strict=True)) <= 2.5
    held = np.ones(picture.shape, bool)
    held[max(0, int(top) - 2) : int(bottom) + 3, max(0, int(left) - 2) : int(right) + 3] = False
    assert picture[held].max(initial=0) == 0


@pytest.mark.matrix(4)
@pytest.mark.parametrize(("kind", "name"), fast_and_slow(tuple(FILMS)))
def test_a_crop_fills_the_frame_with_the_middle(
    films: Films, ffmpeg: Path, tmp_path: Path, kind: str, name: str
) -> None:
    size = SIZES[name]
    picture = shown(film_of(films, kind).path, size, "crop", tmp_path, ffmpeg)[1]
    left, top, right, bottom = placed(kind, size, "crop")
    across, down = right - left, bottom - top
    wanted = (left + across * RING[0], top + down * RING[1], left + across * RING[2], top + down * RING[3])
    bounds = np.clip(wanted, 0, (*size, *size))
    assert max(abs(a - b) for a, b in zip(ring(picture), bounds, strict=True)) <= 4


@pytest.mark.matrix(4)
@pytest.mark.parametrize(("kind", "name"), fast_and_slow(tuple(FILMS)))
def test_a_blurred_picture_lies_behind_the_film_itself(
    films: Films, ffmpeg: Path, tmp_path: Path, kind: str, name: str
) -> None:
    size, film = SIZES[name], film_of(films, kind)
    own = shown(film.path, size, "letterbox", tmp_path, ffmpeg)[1].astype(int)
    blurred = shown(film.path, size, "blur", tmp_path, ffmpeg)[1].astype(int)
    left, top, right, bottom = (round(side) for side in placed(kind, size, "blur"))
    inside = np.s_[top + 3 : bottom - 3, left + 3 : right - 3]
    assert np.abs(own[inside] - blurred[inside]).max() <= 1
    outside = np.ones(own.shape, bool)
    outside[max(0, top - 2) : bottom + 2, max(0, left - 2) : right + 2] = False
    if outside.any():
        assert blurred[outside].max() > 30  # something is there
        assert np.abs(np.diff(blurred, axis=0))[outside[1:] & outside[:-1]].max(initial=0) <= 30  # and no edge in it
        assert np.abs(np.diff(blurred, axis=1))[outside[:, 1:] & outside[:, :-1]].max(initial=0) <= 30


# Colours: what a blur is made of


@pytest.fixture(scope="module")
def halves(bundled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 4:3, left half red, right half blue, with lightest white and deepest black in two corners."""
    path = tmp_path_factory.mktemp("halves") / "film.mkv"
    red, white = "color=red:s=240x180:r=24:d=0.5", "drawbox=0:0:24:24:white:fill,drawbox=216:156:24:24:black:fill"
    graph = f"{red},drawbox=120:0:120:180:blue:fill,{white},format=yuv444p"
    subprocess.run([bundled, "-v", "error", "-f", "lavfi", "-i", graph, "-c:v", "ffv1", path], check=True)
    return path


def planes(film: Path, fit: str, folder: Path, ffmpeg: Path) -> Planes:
    """The coded values of the first frame at 320x180."""
    text = f"cinecut: 1\nfilm: {film}\noutput: {{codec: ffv1, size: 320x180, fit: {fit}}}\n"
    rendered = render_text(text + "timeline:\n  - shot: {in: 0s, for: 2f}\n", folder, ffmpeg, fit)
    with av.open(str(rendered.path)) as media:
        frame = next(media.decode(video=0))
        assert frame.format.name == "yuv444p"
        return [np.asarray(plane, np.int64) for plane in frame.to_ndarray()]


def test_the_blur_has_the_colours_of_its_side(halves: Path, ffmpeg: Path, tmp_path: Path) -> None:
    film, blurred = planes(halves, "letterbox", tmp_path, ffmpeg), planes(halves, "blur", tmp_path, ffmpeg)
    for own, found in zip(film, blurred, strict=True):
        assert np.abs(own[:, 44:276] - found[:, 44:276]).max() <= 1  # between the bars of 40 pixels
        assert abs(found[90, 10] - own[90, 60]) <= 6  # red behind the left edge
        assert abs(found[90, 310] - own[90, 200]) <= 6  # blue behind the right one


def test_the_blur_leaves_nothing_of_the_films_own_range(halves: Path, ffmpeg: Path, tmp_path: Path) -> None:
    """Between its black and its white; resizing may ring by a little."""
    luma, *chroma = (np.hstack([p[:, :38], p[:, 282:]]) for p in planes(halves, "blur", tmp_path, ffmpeg))
    assert luma.min() >= 16 - 2
    assert luma.max() <= 235 + 2
    assert all(plane.min() >= 16 - 2 and plane.max() <= 240 + 2 for plane in chroma)


def test_a_film_of_the_same_shape_is_the_same_in_every_fit(films: Films, bundled: Path, tmp_path: Path) -> None:
    film = films(Film(Path("a.mkv"), Fraction(24), 12, (256, 144), gop=6))
    one, *others = (shown(film.path, SIZES["wide"], fit, tmp_path, bundled) for fit in FITS)
    assert all(np.array_equal(one, other) for other in others)
