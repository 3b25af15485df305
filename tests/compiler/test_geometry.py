"""Where the film's pixels lie in the trailer's frame: crop, reframe, bars, pixel shape, rotation, stills, the rest."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import Film, Luma
from rendering import Rendered, render_text, spec_text

from cinecut.media.probe import film_facts

Films = Callable[[Film], Film]
Box = tuple[int, int, int, int]  # left, top, right, bottom; right and bottom are outside

SIZE = (640, 360)
LEFT, TOP, RIGHT, BOTTOM = (
    round(side * share) for side, share in zip((640, 360) * 2, (0.12, 0.12, 0.88, 0.66), strict=True)
)
RING: Box = (LEFT, TOP, RIGHT, BOTTOM)  # of the oracle's code in a picture of 640x360


@pytest.fixture
def film(films: Films) -> Film:
    return films(Film(Path("a.mkv"), Fraction(24), 24, SIZE, gop=12))


def shown(film: Film, event: str, folder: Path, ffmpeg: Path, output: str = "") -> Rendered:
    head = f"output: {{codec: ffv1{', ' + output if output else ''}}}"
    return render_text(spec_text(film, [event], head), folder, ffmpeg)


def ring(picture: Luma) -> Box:
    """The box of what is bright: the code's white ring."""
    rows, columns = np.nonzero(picture > 128)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def close(found: Box, wanted: tuple[float, ...], slack: float = 2.0) -> bool:
    return max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= slack


def test_the_film_alone_fills_its_frame(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    rendered = shown(film, "{shot: {in: 0s, for: 3f}}", tmp_path, ffmpeg)
    assert rendered.pictures[0].shape == (360, 640)
    assert close(ring(rendered.pictures[0]), RING, 1)


@pytest.mark.parametrize(
    ("crop", "window"),
    [
        ("{x: 0.1, y: 0.1, w: 0.8, h: 0.8}", (64, 36, 512, 288)),
        ("{w: 0.9, h: 0.9}", (0, 0, 576, 324)),
        ("{x: 0.05, y: 0.1, w: 0.9, h: 0.6}", (32, 36, 576, 216)),  # wider than the frame: bars above and below
    ],
)
def test_crop(film: Film, ffmpeg: Path, tmp_path: Path, crop: str, window: Box) -> None:
    picture = shown(film, f"{{shot: {{in: 0s, for: 2f}}, crop: {crop}}}", tmp_path, ffmpeg).pictures[1]
    x, y, width, height = window
    factor = min(640 / width, 360 / height)
    bar_x, bar_y = (640 - width * factor) / 2, (360 - height * factor) / 2
    wanted = [(RING[0] - x) * factor + bar_x, (RING[1] - y) * factor + bar_y]
    wanted += [(RING[2] - x) * factor + bar_x, (RING[3] - y) * factor + bar_y]
    assert close(ring(picture), tuple(wanted))


@pytest.mark.matrix(2)
@pytest.mark.parametrize(("x", "left"), [(0, 0), (0.5, 219), (1, 437)])
def test_reframe_to_upright(film: Film, ffmpeg: Path, tmp_path: Path, x: float, left: int) -> None:
    """A vertical trailer: 202 of 640 columns stay, the ones that `x` says."""
    event = f"{{shot: {{in: 0s, for: 2f}}, reframe: {{x: {x}}}}}"
    picture = shown(film, event, tmp_path, ffmpeg, "size: 404x720").pictures[0]
    assert picture.shape == (720, 404)
    columns = np.clip((np.array([RING[0], RING[2]]) - left) * 2, 0, 404)
    assert close(ring(picture), (columns[0], RING[1] * 2, columns[1], RING[3] * 2), 5)


@pytest.mark.parametrize(("y", "top"), [(0, 0), (1, 120)])
def test_reframe_to_wide(film: Film, ffmpeg: Path, tmp_path: Path, y: float, top: int) -> None:
    event = f"{{shot: {{in: 0s, for: 2f}}, reframe: {{y: {y}}}}}"
    picture = shown(film, event, tmp_path, ffmpeg, "size: 640x240").pictures[0]
    rows = np.clip(np.array([RING[1], RING[3]]) - top, 0, 240)
    assert close(ring(picture), (RING[0], rows[0], RING[2], rows[1]), 3)


def test_reframe_inside_a_crop(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    event = "{shot: {in: 0s, for: 2f}, crop: {x: 0.05, w: 0.9}, reframe: {y: 0}}"
    picture = shown(film, event, tmp_path, ffmpeg).pictures[0]
    factor = 640 / 576
    wanted = ((RING[0] - 32) * factor, RING[1] * factor, (RING[2] - 32) * factor, RING[3] * factor)
    assert close(ring(picture), wanted)


@pytest.mark.parametrize("more", ["", ", reframe: {y: 0}", ", reframe: {y: 0, to: {y: 1}}"])
def test_mirror(film: Film, ffmpeg: Path, tmp_path: Path, more: str) -> None:
    """Left and right change places after the crop, which names the film's own left."""
    event = f"{{shot: {{in: 0s, for: 2f}}, crop: {{x: 0.1, w: 0.9}}, mirror: true{more}}}"
    plain = shown(film, event.replace("mirror: true", "mirror: false"), tmp_path, ffmpeg).pictures[0]
    picture = shown(film, event, tmp_path, ffmpeg).pictures[0]
    assert np.abs(picture.astype(int) - plain[:, ::-1]).mean() < 1  # scalers are not quite the same to both sides
    assert abs(ring(picture)[0] - ring(plain)[0]) > 20


def test_another_size_gets_bars(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    picture = shown(film, "{shot: {in: 0s, for: 2f}}", tmp_path, ffmpeg, "size: 320x320").pictures[0]
    assert picture.shape == (320, 320)
    assert close(ring(picture), (RING[0] / 2, RING[1] / 2 + 70, RING[2] / 2, RING[3] / 2 + 70), 3)
    assert picture[:68].max() <= 1
    assert picture[252:].max() <= 1


def test_wide_pixels_become_square(films: Films, ffmpeg: Path, tmp_path: Path) -> None:
    """Though the width is no whole number: 354 of 64:45 are 503.5."""
    film = films(Film(Path("a.mkv"), Fraction(25), 12, (354, 288), sar=Fraction(64, 45)))
    text = spec_text(film, ["shot: {in: 0s, for: 2f}"], "output: {codec: h264}")  # in it the shape of pixels is exact
    rendered = render_text(text, tmp_path, ffmpeg)
    facts = film_facts(rendered.path)
    assert (facts.size, facts.sar) == ((504, 288), Fraction(1))
    assert close(ring(rendered.pictures[0]), (504 * 0.12, 288 * 0.12, 504 * 0.88, 288 * 0.66), 3)


@pytest.mark.matrix(2)
@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_film_is_upright_once(films: Films, ffmpeg: Path, tmp_path: Path, rotation: int) -> None:
    film = films(Film(Path("a.mp4"), Fraction(24), 24, (320, 180), rotation=rotation))  # type: ignore[arg-type]
    rendered = shown(film, "{shot: {in: 0s, for: 4f}, crop: {w: 0.95}}", tmp_path, ffmpeg)
    assert rendered.pictures[0].shape == ((320, 180) if rotation % 180 else (180, 320))
    assert rendered.numbers == [0, 1, 2, 3]


# Stills


def write_still(path: Path, size: tuple[int, int], alpha: bool) -> None:
    """Red on the left, blue on the right; with alpha, the middle third of the rows is half transparent."""
    width, height = size
    pixels: NDArray[np.uint8] = np.zeros((height, width, 4), np.uint8)
    pixels[:, : width // 2] = (0, 0, 255, 255)  # OpenCV's order: blue, green, red, alpha
    pixels[:, width // 2 :] = (255, 0, 0, 255)
    pixels[height // 3 : 2 * height // 3, :, 3] = 128 if alpha else 255
    cv2.imwrite(str(path), pixels if alpha else pixels[:, :, :3])


def rgb(rendered: Rendered, frame: int) -> NDArray[np.uint8]:
    import av

    with av.open(str(rendered.path)) as container:
        frames = list(container.decode(video=0))
    return frames[frame].to_ndarray(format="rgb24", src_colorspace="ITU601").astype(np.uint8)


@pytest.mark.matrix
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("scale", [1, 0.5])
def test_a_still_is_centred_on_black(film: Film, ffmpeg: Path, tmp_path: Path, alpha: bool, scale: float) -> None:
    write_still(tmp_path / "logo.png", (200, 180), alpha)
    event = f"{{still: logo.png, for: 5f, scale: {scale}}}"
    rendered = shown(film, event, tmp_path, ffmpeg)
    assert len(rendered.pictures) == 5
    width, height = round(400 * scale), round(360 * scale)
    left, top = (640 - width) // 2, (360 - height) // 2
    for frame in (0, 4):
        picture = rgb(rendered, frame).astype(int)
        assert picture[:, : left - 2].max() <= 2
        assert picture[:, left + width + 2 :].max() <= 2
        assert abs(picture[top + 10, left + width // 4] - (255, 0, 0)).max() <= 4
        assert abs(picture[top + 10, left + 3 * width // 4] - (0, 0, 255)).max() <= 4
        middle = picture[180, left + width // 4, 0]
        assert abs(middle - (128 if alpha else 255)) <= 6


def test_a_still_between_shots_fades(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    write_still(tmp_path / "logo.png", (64, 36), True)
    shot, still = "{shot: {in: 0s, for: 4f}}", "{still: logo.png, for: 8f, from: dip to black 4f, to: fade out 4f}"
    rendered = render_text(spec_text(film, [shot, still, shot]), tmp_path, ffmpeg)
    assert rendered.numbers[:2] == [0, 1]
    assert rendered.numbers[12:] == [0, 1, 2, 3]
    levels = [int(picture.max()) for picture in rendered.pictures[4:12]]
    assert levels[0] <= 2
    assert levels[1] == pytest.approx(levels[2] / 2, abs=4)
    assert levels[2:5] == [levels[2]] * 3
    assert levels[4:] == pytest.approx([levels[2] * share for share in (1, 0.75, 0.5, 0.25)], abs=4)
