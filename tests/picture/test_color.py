"""Colours come out as they went in: tags carried, no value shifted, and FFmpeg converts nothing by itself."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from footage import encode
from numpy.typing import NDArray
from rendering import render_text

from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.render.job import SILENT, prepare
from cinecut.render.pack import pack

BT709 = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")
BT601 = ("-colorspace", "smpte170m", "-color_primaries", "smpte170m", "-color_trc", "smpte170m", "-color_range", "tv")
FULL = ("-colorspace", "bt709", "-color_range", "pc")
Make = Callable[..., Path]


@pytest.fixture
def swatches(bundled: Path, tmp_path: Path) -> Make:
    """A lossless film of 24 frames whose three planes hold every level, with the colour tags given."""

    def make(*tags: str, pix_fmt: str = "yuv420p", low: int = 16, high: int = 235) -> Path:
        path, depth = tmp_path / "film.mkv", 10 if "10" in pix_fmt else 8
        ramp = f"lerp({low}\\,{high}\\,X/(W-1))*{1 << (depth - 8)}"
        chroma = f"lerp({low}\\,{high}\\,Y/(H-1))*{1 << (depth - 8)}"
        picture = f"nullsrc=s=320x180:r=24:d=1,format={pix_fmt},geq=lum={ramp}:cb={chroma}:cr={ramp},{setparams(tags)}"
        source = ["-f", "lavfi", "-i", picture]
        command: list[str | Path] = [
            bundled,
            "-v",
            "error",
            "-y",
            *source,
            "-c:v",
            "ffv1",
            "-pix_fmt",
            pix_fmt,
            *tags,
            path,
        ]
        subprocess.run(command, check=True)
        return path

    return make


def setparams(tags: tuple[str, ...]) -> str:
    names = {"-colorspace": "colorspace", "-color_primaries": "color_primaries", "-color_trc": "color_trc"}
    pairs = zip(tags[::2], tags[1::2], strict=True)
    return "setparams=" + ":".join(f"{names.get(key, 'range')}={value}" for key, value in pairs) if tags else "null"


def planes(path: Path, frame: int, pix_fmt: str = "yuv420p") -> NDArray[np.int64]:
    """The coded values of a frame, nothing converted."""
    with av.open(str(path)) as container:
        found = list(container.decode(video=0))[frame]
    assert found.format.name == pix_fmt
    width = [found.width, found.width // 2, found.width // 2]
    kind = np.uint16 if "10" in pix_fmt else np.uint8
    rows = [
        np.frombuffer(bytes(p), kind).reshape(p.height, -1)[:, :w] for p, w in zip(found.planes, width, strict=True)
    ]
    return np.concatenate([row.ravel() for row in rows]).astype(np.int64)


def tags_of(path: Path) -> tuple[int, int, int, int]:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    return int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), int(frame.color_range)


def spec_of(film: Path, output: str, *events: str) -> str:
    rows = "".join(f"  - {event}\n" for event in events)
    return f"cinecut: 1\nfilm: {film}\noutput: {{{output}}}\ntimeline:\n{rows}"


@pytest.mark.parametrize("tags", [BT709, BT601, ()], ids=["bt709", "bt601", "untagged"])
def test_not_one_value_changes(swatches: Make, ffmpeg: Path, tmp_path: Path, tags: tuple[str, ...]) -> None:
    film = swatches(*tags)
    events = ["{shot: {in: 0s, for: 4f}}", "{black: 2f}", "{shot: {in: 0.5s, for: 4f}}"]
    rendered = render_text(spec_of(film, "codec: ffv1", *events), tmp_path, ffmpeg)
    assert np.array_equal(planes(rendered.path, 2), planes(film, 2))
    assert np.array_equal(planes(rendered.path, 8), planes(film, 14))
    assert tags_of(rendered.path)[:3] == tags_of(film)[:3]
    black = planes(rendered.path, 5)
    assert set(black[: 320 * 180]) == {16}
    assert set(black[320 * 180 :]) == {128}


@pytest.mark.parametrize("tags", [BT709, ()], ids=["bt709", "untagged"])
def test_h264_carries_the_tags(swatches: Make, ffmpeg: Path, tmp_path: Path, tags: tuple[str, ...]) -> None:
    film = swatches(*tags)
    text = spec_of(film, "crf: 1, preset: ultrafast", "{shot: {in: 0s, for: 4f}}")
    rendered = render_text(text, tmp_path, ffmpeg)
    assert np.abs(planes(rendered.path, 2) - planes(film, 2)).mean() < 0.5
    assert tags_of(rendered.path)[:3] == tags_of(film)[:3]


def test_full_range_becomes_limited(swatches: Make, ffmpeg: Path, tmp_path: Path) -> None:
    film = swatches(*FULL, low=0, high=255)
    text = spec_of(film, "codec: ffv1", "{shot: {in: 0s, for: 4f}}", "{black: 2f}", "{shot: {in: 0s, for: 2f}}")
    rendered = render_text(text, tmp_path, ffmpeg)
    values, found = planes(film, 2), planes(rendered.path, 2)
    luma = 320 * 180
    assert np.abs(found[:luma] - (16 + values[:luma] * 219 / 255)).max() <= 1
    assert np.abs(found[luma:] - (128 + (values[luma:] - 128) * 224 / 255)).max() <= 1
    assert tags_of(rendered.path)[0] == tags_of(film)[0]
    assert tags_of(rendered.path)[3] == 1


def test_ten_bits_stay_ten(swatches: Make, ffmpeg: Path, tmp_path: Path) -> None:
    film = swatches(*BT709, pix_fmt="yuv420p10le")
    rendered = render_text(spec_of(film, "codec: ffv1", "{shot: {in: 0s, for: 4f}}"), tmp_path, ffmpeg)
    assert np.array_equal(planes(rendered.path, 1, "yuv420p10le"), planes(film, 1, "yuv420p10le"))


def test_ten_bits_become_eight_for_h264(swatches: Make, ffmpeg: Path, tmp_path: Path) -> None:
    film = swatches(*BT709, pix_fmt="yuv420p10le")
    text = spec_of(film, "crf: 1, preset: ultrafast", "{shot: {in: 0s, for: 4f}}")
    found = planes(render_text(text, tmp_path, ffmpeg).path, 1)
    assert np.abs(found - planes(film, 1, "yuv420p10le") / 4).mean() < 0.8


@pytest.mark.parametrize("tags", [BT709, (), FULL], ids=["bt709", "untagged", "full"])
def test_ffmpeg_converts_nothing_by_itself(swatches: Make, ffmpeg: Path, tmp_path: Path, tags: tuple[str, ...]) -> None:
    film = swatches(*tags)
    subprocess.run([ffmpeg, "-v", "error", "-f", "lavfi", "-i", "color=red@0.5:s=64x36,format=rgba", "-frames:v", "1",
                    tmp_path / "logo.png"], check=True)  # fmt: skip
    events = [
        "{shot: {in: 0s, for: 6f}, from: fade in 3f, titles: [over it]}",
        "{still: logo.png, for: 6f, from: dip to white 4f}",
        "{shot: {in: 0.5s, for: 5f}, speed: 0.5, from: crossfade 4f}",
        "{card: A card, for: 4f}",
        "{black: 3f}",
        "{shot: {in: 0.25s, for: 4f}, reframe: {}}",
    ]
    (tmp_path / "a.yaml").write_text(spec_of(film, "preset: ultrafast, size: 160x160", *events), encoding="utf-8")
    job = prepare(tmp_path / "a.yaml")
    pack(job, tmp_path / "pack", find_ffmpeg(str(ffmpeg)), SILENT)
    option = find_ffmpeg(str(ffmpeg)).script_option
    command = [str(ffmpeg), "-v", "verbose", *job.plan.render.arguments(option, ["out.mp4"])]
    log = subprocess.run(command, cwd=tmp_path / "pack", capture_output=True, text=True, check=True).stderr
    assert "[overlay@shot_0m00s500_" in log  # the filters do tell
    assert [line for line in log.splitlines() if "auto_" in line or "auto-insert" in line.lower()] == []
    assert job.plan.frames == sum((6, 6, 5, 4, 3, 4))
    assert Fraction(24) == job.plan.rate


@pytest.mark.parametrize("encoding", ["ffv1 -pix_fmt gbrp", "png -pix_fmt rgb24", "libx264rgb -qp 0"])
def test_a_film_in_rgb_becomes_bt709(ffmpeg: Path, tmp_path: Path, encoding: str) -> None:
    """Tagged so, and the colours of BT.709: screen recordings and animations come in RGB."""
    color = (200, 60, 40)
    encode(tmp_path / "film.mkv", np.full((24, 180, 320, 3), color, np.uint8), options=f"-c:v {encoding}")
    done = render_text(f"cinecut: 1\nfilm: {tmp_path / 'film.mkv'}\ntimeline:\n  - shot: 0 - 0.5\n", tmp_path, ffmpeg)
    with av.open(str(done.path)) as container:
        frame = next(container.decode(video=0))
    assert int(frame.colorspace) == 1  # BT.709
    assert np.abs(frame.to_ndarray(format="rgb24")[90, 160].astype(int) - color).max() <= 4
