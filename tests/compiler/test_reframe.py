"""The window of a reframed shot is where the spec wants it, at every frame of its path.

The films are ramps, one level for so many pixels: the mean of what is seen tells where the window lies, to a tenth of a
pixel.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import Luma
from rendering import render_text

SIZE = (432, 240)
STEP = 2  # pixels to a level across, and down
FRAMES = 25


def make_ramp(path: Path, ffmpeg: Path, axis: str, pix_fmt: str = "yuv420p", turn: int = 0) -> Path:
    """A film whose luma is 16 and one more for each `STEP` pixels."""
    depth = 4 if "10" in pix_fmt else 1
    level = f"lum='{depth}*(16+floor({axis}/{STEP}))':cb={128 * depth}:cr={128 * depth}"
    graph = f"nullsrc=s={SIZE[0]}x{SIZE[1]}:r=24:d=3,format={pix_fmt},geq={level}"
    made: list[str | Path] = [ffmpeg, "-v", "error", "-f", "lavfi", "-i"]
    if not turn:
        subprocess.run([*made, graph, "-c:v", "ffv1", "-g", "1", path], check=True)
        return path
    flat = path.with_name(f"flat-{path.name}")
    turned = f"{graph},transpose={ {90: 'cclock', 270: 'clock'}[turn] }"
    subprocess.run([*made, turned, "-c:v", "libx264", "-qp", "0", "-g", "12", flat], check=True)
    moved: list[str | Path] = [ffmpeg, "-v", "error", "-display_rotation", str(-turn), "-i", flat, "-c", "copy", path]
    subprocess.run(moved, check=True)
    flat.unlink()
    return path


@pytest.fixture(scope="module")
def ramps(bundled: Path, once: Callable[[str, Callable[[Path], object]], Path]) -> dict[str, Path]:
    def make(folder: Path) -> None:
        make_ramp(folder / "across.mkv", bundled, "X")
        make_ramp(folder / "down.mkv", bundled, "Y")
        make_ramp(folder / "10-bit.mkv", bundled, "X", "yuv420p10le")
        make_ramp(folder / "rotated.mp4", bundled, "X", turn=90)

    return {film.stem: film for film in once("ramps", make).iterdir()}


def windows(pictures: list[Luma], side: int) -> NDArray[np.float64]:
    """Where a window of so many pixels begins on the ramp, at each frame."""
    levels = np.array([picture.mean() for picture in pictures]) * 219 / 255  # full range, as read, to steps of a level
    found: NDArray[np.float64] = levels * STEP - (side - STEP) / 2
    return found


def path_of(film: Path, size: str, reframe: str, folder: Path, ffmpeg: Path, more: str = "") -> list[Luma]:
    text = f"cinecut: 1\nfilm: {film}\noutput: {{codec: ffv1, size: {size}}}\n"
    text += f"timeline:\n  - {{shot: {{in: 1s, for: {FRAMES}f}}, reframe: {reframe}{more}}}\n"
    return render_text(text, folder, ffmpeg).pictures


@pytest.mark.matrix(3)
@pytest.mark.parametrize(("x", "left"), [(0, 0), (0.25, 74), (0.5, 148), (0.9, 266), (1, 296)])
def test_a_still_window(ramps: dict[str, Path], ffmpeg: Path, tmp_path: Path, x: float, left: int) -> None:
    found = windows(path_of(ramps["across"], "136x240", f"{{x: {x}}}", tmp_path, ffmpeg), 136)
    assert np.abs(found - left).max() <= 1.2  # windows lie on even pixels
    assert np.ptp(found) == 0


@pytest.mark.parametrize("kind", ["across", "10-bit", "rotated"])
def test_a_window_moves_across(ramps: dict[str, Path], ffmpeg: Path, tmp_path: Path, kind: str) -> None:
    pictures = path_of(ramps[kind], "136x240", "{x: 0.25, to: {x: 0.75}}", tmp_path, ffmpeg)
    found = windows(pictures, 136)
    assert found[[0, 12, 24]] == pytest.approx([74, 148, 222], abs=1.2)
    assert_soft(found)


def test_a_window_moves_down(ramps: dict[str, Path], ffmpeg: Path, tmp_path: Path) -> None:
    pictures = path_of(ramps["down"], "432x120", "{y: 1, to: {y: 0.5}}", tmp_path, ffmpeg)
    found = windows(pictures, 120)
    assert found[[0, 12, 24]] == pytest.approx([120, 90, 60], abs=1.2)
    assert_soft(-found)


def assert_soft(places: NDArray[np.float64]) -> None:
    """By every single pixel, never back, slow at both ends."""
    steps = np.diff(places)
    assert steps.min() >= -0.2
    assert steps[0] < 0.5 * steps.max()
    assert steps[-1] < 0.5 * steps.max()
    length = places[-1] - places[0]
    share = np.linspace(0, 1, len(places))
    assert np.abs(places - places[0] - length * share**2 * (3 - 2 * share)).max() <= 1.2


def test_a_window_moves_both_ways_inside_a_crop(ramps: dict[str, Path], ffmpeg: Path, tmp_path: Path) -> None:
    """Of the middle 216x120 pixels, a window of 120x120, from the left edge to the right one."""
    crop = ", crop: {x: 0.25, y: 0.25, w: 0.5, h: 0.5}"
    pictures = path_of(ramps["across"], "120x120", "{x: 0, to: {x: 1}}", tmp_path, ffmpeg, crop)
    assert windows(pictures, 120)[[0, 12, 24]] == pytest.approx([108, 156, 204], abs=1.2)


def test_a_path_runs_through_the_shots_handles(ramps: dict[str, Path], ffmpeg: Path, tmp_path: Path) -> None:
    """It begins where the shot is first seen, in the cross-fade before its cut."""
    text = f"cinecut: 1\nfilm: {ramps['across']}\noutput: {{codec: ffv1, size: 136x240}}\ntimeline:\n"
    text += "  - {shot: {in: 0s, for: 12f}, reframe: {x: 0}}\n"
    text += "  - {shot: {in: 1s, for: 20f}, reframe: {x: 0, to: {x: 1}}, from: crossfade 8f}\n"
    found = windows(render_text(text, tmp_path, ffmpeg).pictures, 136)
    assert found[:9] == pytest.approx([0] * 9, abs=1.2)
    share = np.arange(8, 24) / 23  # it is seen from frame 8 on, and alone from frame 16 on
    assert found[16:] == pytest.approx(296 * share**2 * (3 - 2 * share), abs=1.2)


def test_where_nothing_can_move_nothing_does(ramps: dict[str, Path], ffmpeg: Path, tmp_path: Path) -> None:
    pictures = path_of(ramps["across"], "432x240", "{x: 0, to: {x: 1}}", tmp_path, ffmpeg)
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
    assert windows(pictures, 432)[0] == pytest.approx(0, abs=1.2)
