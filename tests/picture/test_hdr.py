"""An HDR film (PQ, HLG) becomes SDR: tags of BT.709, and levels that a BT.709 screen shows as they were meant."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from rendering import render_text

BT709 = 1  # in the tags of matrix, primaries and transfer; and the range of video is 1, too
PATCH = 32  # pixels, square
LIGHTS = (0, 1, 5, 10, 26, 50, 100, 203, 400, 1000)  # cd/m²: 26 is middle grey and 203 white of graphics (BT.2408)


def pq(light: float) -> float:
    """The signal of a light in cd/m² (SMPTE ST 2084)."""
    powered = (light / 10_000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * powered) / (1 + 18.6875 * powered)) ** 78.84375)


def hlg(light: float) -> float:
    """The signal of a grey that a screen of 1000 cd/m² shows as so many (ITU-R BT.2100)."""
    scene = (light / 1000) ** (1 / 1.2)
    return math.sqrt(3 * scene) if scene <= 1 / 12 else 0.17883277 * math.log(12 * scene - 0.28466892) + 0.55991073


CURVES: Mapping[str, Callable[[float], float]] = {"smpte2084": pq, "arib-std-b67": hlg}
LOSSLESS = ("-c:v", "libx264", "-qp", "0", "-preset", "ultrafast")


def make_film(path: Path, ffmpeg: Path, transfer: str, *codec: str, red: bool = False) -> Path:
    """Patches of grey in every light of `LIGHTS`; with `red`, of BT.2020's red instead."""
    signals = [CURVES[transfer](light) for light in LIGHTS]
    width, height = PATCH * len(LIGHTS), 2 * PATCH
    luma = np.repeat([64 + 876 * signal * (0.2627 if red else 1) for signal in signals], PATCH)
    blue = np.repeat([512 - 896 * signal * 0.2627 / 1.8814 * red for signal in signals], PATCH // 2)
    warm = np.repeat([512 + 896 * signal * (1 - 0.2627) / 1.4746 * red for signal in signals], PATCH // 2)
    planes = [np.tile(np.rint(row).astype("<u2"), (rows, 1)) for row, rows in
              ((luma, height), (blue, height // 2), (warm, height // 2))]  # fmt: skip
    tags = ["-vf", f"setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}"]
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", f"{width}x{height}", "-r", "24"]
    command: list[str | Path] = [ffmpeg, "-v", "error", *raw, "-i", "-", *tags, *codec, path]
    subprocess.run(command, input=b"".join(plane.tobytes() for plane in planes) * 12, check=True)
    return path


def shown(film: Path, folder: Path, ffmpeg: Path, output: str = "codec: ffv1") -> NDArray[np.int64]:
    """RGB of every patch in the trailer, [shape=(lights, 3)]; its tags are looked at, too."""
    text = f"cinecut: 1\nfilm: {film}\noutput: {{{output}}}\ntimeline:\n  - shot: {{in: 0s, for: 8f}}\n"
    rendered = render_text(text, folder, ffmpeg)
    with av.open(str(rendered.path)) as media:
        frame = next(media.decode(video=0))
        tags = (int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), int(frame.color_range))
        assert tags == (BT709, BT709, BT709, 1)
        picture = frame.to_ndarray(format="rgb24").astype(np.int64)
    middles = (np.arange(len(LIGHTS)) * 2 + 1) * picture.shape[1] // (2 * len(LIGHTS))
    found: NDArray[np.int64] = picture[picture.shape[0] // 2, middles]
    return found


@pytest.mark.parametrize("transfer", CURVES)
def test_light_stays_what_it_is(bundled: Path, ffmpeg: Path, tmp_path: Path, transfer: str) -> None:
    film = make_film(tmp_path / "film.mp4", bundled, transfer, *LOSSLESS)
    found = shown(film, tmp_path, ffmpeg)
    assert np.ptp(found, axis=1).max() <= 2  # grey stays grey
    levels = dict(zip(LIGHTS, found[:, 1].tolist(), strict=True))
    assert levels[0] <= 1
    assert 80 <= levels[26] <= 130  # of SDR's middle grey, 104, not far off
    assert 140 <= levels[100] < levels[203] <= 230  # white is white, and above it there is room
    assert levels[1000] >= 245
    assert np.all(np.diff(found[:, 1]) > 5)  # every step is seen, up to the brightest


@pytest.mark.parametrize("transfer", CURVES)
def test_tags_of_the_container_alone_count_too(bundled: Path, ffmpeg: Path, tmp_path: Path, transfer: str) -> None:
    """FFV1's own stream has none."""
    inside = shown(make_film(tmp_path / "film.mp4", bundled, transfer, *LOSSLESS), tmp_path, ffmpeg)
    beside = shown(make_film(tmp_path / "film.mkv", bundled, transfer, "-c:v", "ffv1"), tmp_path, ffmpeg)
    assert np.abs(inside - beside).max() <= 1


def test_hevc_as_films_come(bundled: Path, ffmpeg: Path, tmp_path: Path) -> None:
    hevc = ("-c:v", "libx265", "-crf", "8", "-preset", "ultrafast", "-x265-params", "log-level=error")
    plain = shown(make_film(tmp_path / "film.mp4", bundled, "smpte2084", *LOSSLESS), tmp_path, ffmpeg)
    found = shown(make_film(tmp_path / "hevc.mkv", bundled, "smpte2084", *hevc), tmp_path, ffmpeg)
    assert np.abs(plain - found).max() <= 4


@pytest.mark.parametrize("transfer", CURVES)
def test_a_red_stays_red(bundled: Path, ffmpeg: Path, tmp_path: Path, transfer: str) -> None:
    found = shown(make_film(tmp_path / "film.mp4", bundled, transfer, *LOSSLESS, red=True), tmp_path, ffmpeg)
    at_100 = found[LIGHTS.index(100)]
    assert at_100[0] > 120
    assert at_100[1:].max() <= 40
    assert np.all(np.diff(found[:, 0]) >= 0)


@pytest.mark.matrix(2)
@pytest.mark.parametrize("output", ["codec: h264, preset: ultrafast, crf: 4", "codec: prores", "codec: ffv1"])
def test_in_every_format_and_width(bundled: Path, ffmpeg: Path, tmp_path: Path, output: str) -> None:
    """A width that is no multiple of eight, with a look and bars."""
    film = make_film(tmp_path / "film.mp4", bundled, "smpte2084", *LOSSLESS)
    plain = shown(film, tmp_path, ffmpeg, "codec: ffv1, size: 314x100")
    found = shown(film, tmp_path, ffmpeg, f"{output}, size: 314x100")
    assert np.abs(plain - found).max() <= 6
