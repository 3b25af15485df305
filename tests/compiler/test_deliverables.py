"""Several files of one cut: each has exactly the frames and samples that the spec asks for, its own shape, titles laid
out for it, and its own loudness.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from commandline import cinecut, names
from oracle import Film, Luma, Sound, read_sound
from rendering import Piece, Rendered, looks, nearest_sample, sound_errors, wrong_frames

from cinecut.compiler.sound.master import Master
from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.render.job import SILENT, Job, prepare
from cinecut.render.trailer import render

RATE = Fraction(24)
SIZES = {"wide": (384, 216), "tall": (216, 384), "square": (240, 240)}

PIECES = (
    Piece(Fraction(1), 30),
    Piece(Fraction(3), 24, enter="dip to black", over=6),
    Piece(Fraction(5), 26, enter="crossfade", over=8),
    Piece(Fraction(13, 2), 20, speed=Fraction(1, 2)),
    Piece(Fraction(15, 2), 24, enter="dip to white", over=8, leave=6),
)

# A look that turns greys warm and leaves their luma.
HEAD = """vibe:
  base: documentary
  grade: {temperature: 0.8, contrast: 1, saturation: 1, skin: 0}
effects: none
output: {preset: ultrafast, crf: 12}
deliverables:
  - {name: wide, size: 384x216, loudness: as mixed}
  - {name: tall, size: 216x384, fit: crop, loudness: r128}
  - {name: square, size: 240x240, fit: blur, loudness: web, codec: ffv1}
"""
TITLES = "titles: [{text: THE LOWER THIRD OF IT, position: lower, at: 3f}]"
PATH = "reframe: {x: 0.47, to: {x: 0.53}}"


def widened(narrow: Film, ffmpeg: Path, folder: Path) -> Film:
    """The oracle's code in the middle of a wider picture, so that an upright window shows all of it."""
    path = folder / "film.mp4"
    padded = ["-vf", "pad=480:270:164:0:color=0x202020", "-fps_mode", "passthrough", "-enc_time_base:v", "demux"]
    encoded = ["-c:v", "libx264", "-g", "12", "-crf", "14", "-pix_fmt", narrow.pix_fmt, "-c:a", "copy"]
    subprocess.run([ffmpeg, "-v", "error", "-i", narrow.path, *padded, *encoded, path], check=True)
    return replace(narrow, path=path, size=(480, 270))


@pytest.fixture(scope="session")
def film(films: Callable[[Film], Film], bundled: Path, tmp_path_factory: pytest.TempPathFactory) -> Film:
    narrow = films(Film(Path("a.mp4"), RATE, 240, (152, 270), gop=12, sound=Sound(codec="flac")))
    return widened(narrow, bundled, tmp_path_factory.mktemp("wide"))


def cut_of(film: Film, head: str = HEAD, pieces: Sequence[Piece] = PIECES) -> str:
    still = "reframe: {x: 0.51}"  # two windows that move lay no two codes on each other in a crossfade
    extras = [f"{PATH}, {TITLES}", still, f"{still}, {TITLES}", PATH, PATH]
    events = [f"  - {piece.event[:-1]}, {extra}}}\n" for piece, extra in zip(pieces, extras, strict=False)]
    return f"cinecut: 1\nfilm: {film.path}\n{head}timeline:\n{''.join(events)}"


def render_all(text: str, folder: Path, ffmpeg: Path, only: Sequence[str] = (), small: bool = False) -> dict[str, Path]:
    """The files of a spec's text by their names, as `-o trailer.mp4` makes them."""
    spec = folder / "trailer.yaml"
    spec.write_text(text, encoding="utf-8")
    job = prepare(spec, only=only, small=small)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_RUNTIME_DIR", str(folder))
        return render(job, folder / f"trailer{job.plan.suffix}", find_ffmpeg(str(ffmpeg)), SILENT, force=True).files


def loudness(file: Path, ffmpeg: Path) -> float:
    """LUFS, integrated, by FFmpeg's own meter."""
    command: list[str | Path] = [ffmpeg, "-hide_banner", "-nostats", "-i", file, "-af", "ebur128", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", said)[-1])


@pytest.fixture(scope="module")
def made(film: Film, ffmpeg: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return render_all(cut_of(film), tmp_path_factory.mktemp("made"), ffmpeg)


def test_each_file_has_its_name_and_shape(made: dict[str, Path]) -> None:
    assert [file.name for file in made.values()] == ["trailer_wide.mp4", "trailer_tall.mp4", "trailer_square.mkv"]
    for name, file in made.items():
        with av.open(str(file)) as media:
            video = media.streams.video[0]
            assert (video.width, video.height) == SIZES[name]
            assert video.average_rate == RATE
            assert video.codec_context.name == ("ffv1" if name == "square" else "h264")
    folder = made["wide"].parent
    assert sorted(path.name for path in folder.iterdir() if path.suffix in (".mp4", ".mkv", ".part")) == sorted(
        file.name for file in made.values()
    )


@pytest.mark.parametrize("name", SIZES)
def test_no_file_has_a_wrong_frame_or_sample(film: Film, made: dict[str, Path], name: str) -> None:
    """With a grade, titles, a moving window, transitions and another speed."""
    rendered = Rendered(made[name])
    assert wrong_frames(rendered, looks(film, PIECES, RATE)) == []
    assert max(map(abs, sound_errors(rendered, film, PIECES, RATE))) <= 1
    assert sound_length(made[name]) == nearest_sample(sum(piece.frames for piece in PIECES) / RATE)


def sound_length(file: Path) -> int:
    """Samples that a player plays: AAC's last frame is longer than what the file's clock shows of it."""
    with av.open(str(file)) as media:
        stream = media.streams.audio[0]
        length = stream.duration * stream.time_base if stream.duration and stream.time_base else None
    return len(read_sound(file)) if length is None else nearest_sample(length)


KINDS: dict[str, dict[str, Any]] = {
    "23.976": {"rate": Fraction(24000, 1001)},
    "25, 10 bits": {"rate": Fraction(25), "pix_fmt": "yuv420p10le"},
    "29.97": {"rate": Fraction(30000, 1001)},
    "50": {"rate": Fraction(50)},
    "variable": {"rate": Fraction(24), "variable": True},
}


@pytest.mark.slow
@pytest.mark.parametrize("to", [None, "24", "30000/1001"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_film_at_any_rate_has_a_wrong_frame_or_sample(
    films: Callable[[Film], Film], bundled: Path, ffmpeg: Path, tmp_path: Path, kind: str, to: str | None
) -> None:
    narrow = films(Film(Path("a.mp4"), frames=500, size=(152, 270), gop=12, sound=Sound(codec="flac"), **KINDS[kind]))
    film = widened(narrow, bundled, tmp_path)
    rate = Fraction(to) if to else film.rate
    head = HEAD.replace("output: {", f"output: {{rate: {rate}, ")
    for name, file in render_all(cut_of(film, head), tmp_path, ffmpeg).items():
        rendered = Rendered(file)
        assert wrong_frames(rendered, looks(film, PIECES, rate)) == [], name
        assert max(map(abs, sound_errors(rendered, film, PIECES, rate))) <= 1
        assert sound_length(file) == nearest_sample(sum(piece.frames for piece in PIECES) / rate)


@pytest.mark.parametrize("name", SIZES)
def test_each_file_is_graded(made: dict[str, Path], name: str) -> None:
    """A warm white: more red in it than blue."""
    with av.open(str(made[name])) as media:
        picture = next(media.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    bright = picture[picture.min(axis=2) > 120]
    assert len(bright) > 500
    assert np.asarray(bright[:, 0] - bright[:, 2]).mean() > 10


def test_each_file_has_its_own_loudness(made: dict[str, Path], ffmpeg: Path) -> None:
    heard = {name: loudness(file, ffmpeg) for name, file in made.items()}
    assert heard["tall"] == pytest.approx(-23, abs=0.3)
    assert heard["square"] == pytest.approx(-14, abs=0.3)
    assert abs(heard["wide"] + 23) > 1
    assert abs(heard["wide"] + 14) > 1


@pytest.mark.parametrize("fit", ["letterbox", "crop", "blur"])
def test_the_titles_keep_the_safe_area_of_each_shape(film: Film, ffmpeg: Path, tmp_path: Path, fit: str) -> None:
    head = HEAD.replace("fit: crop", f"fit: {fit}").replace("fit: blur", f"fit: {fit}")
    events = (
        "{card: THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG, for: 2f}",
        "{black: 2f, titles: [{text: THE QUICK BROWN FOX JUMPS OVER THE LAZY OLD DOG OF OURS, position: lower}]}",
    )
    rows = "".join(f"  - {event}\n" for event in events)
    files = render_all(f"cinecut: 1\nfilm: {film.path}\n{head}timeline:\n{rows}", tmp_path, ffmpeg)
    for name, file in files.items():
        width, height = SIZES[name]
        for picture in (Rendered(file).pictures[1], Rendered(file).pictures[3]):
            left, top, right, bottom = box(picture)
            assert 0.1 * width - 1 <= left < right <= 0.9 * width + 1, name
            assert 0.1 * height - 1 <= top < bottom <= 0.9 * height + 1, name
            assert right - left > 0.5 * width, name  # and use it


def box(picture: Luma) -> tuple[int, int, int, int]:
    """Of what is bright: left, top, right, bottom."""
    rows, columns = np.nonzero(picture > 100)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


# The command


SHORT = (Piece(Fraction(1), 4),)


def job_of(text: str, folder: Path, only: Sequence[str] = ()) -> Job:
    (folder / "trailer.yaml").write_text(text, encoding="utf-8")
    return prepare(folder / "trailer.yaml", only=only)


def test_one_of_them_alone_has_the_name_that_is_asked_for(film: Film, bundled: Path, tmp_path: Path) -> None:
    [(name, file)] = render_all(cut_of(film, pieces=SHORT), tmp_path, bundled, ["tall"]).items()
    assert (name, file.name) == ("tall", "trailer.mp4")
    assert Rendered(file).pictures[0].shape == (384, 216)
    assert job_of(cut_of(film), tmp_path, ["tall"]).default_name == "film_trailer_documentary_tall.mp4"
    assert job_of(cut_of(film), tmp_path).default_name == "film_trailer_documentary.mp4"


def test_only_those_asked_for_are_made(film: Film, tmp_path: Path) -> None:
    files = job_of(cut_of(film), tmp_path, ["square", "wide"]).files(Path("a/b.mp4"))
    assert files == {"wide": Path("a/b_wide.mp4"), "square": Path("a/b_square.mkv")}
    with pytest.raises(Stop, match="no deliverable of this name"):
        job_of(cut_of(film), tmp_path, ["round"])


def test_one_alone_is_the_same_bytes(film: Film, made: dict[str, Path], ffmpeg: Path, tmp_path: Path) -> None:
    alone = render_all(cut_of(film), tmp_path, ffmpeg, ["tall"])
    assert alone["tall"].read_bytes() == made["tall"].read_bytes()


def test_the_graph_has_a_place_for_the_master_of_each_part_of_the_sound(film: Film, tmp_path: Path) -> None:
    """Without one, a packed kit's parts would be as loud as they were mixed."""
    head = HEAD[: HEAD.index("deliverables")] + "deliverables: [kit: netflix-product-trailer]\n"
    plan = job_of(cut_of(film, head, SHORT), tmp_path).plan
    parts = [target.name for target in plan.targets if target.stem is not None and target.loudness is not None]
    assert len(parts) >= 3
    for name in parts:
        assert plan.mastered({name: Master(Fraction(-6))}).render != plan.render, name


def test_a_draft_of_all(film: Film, bundled: Path, tmp_path: Path) -> None:
    head = HEAD.replace("240x240", "480x480")
    files = render_all(cut_of(film, head, SHORT), tmp_path, bundled, small=True)
    shapes = {name: Rendered(file).pictures[0].shape for name, file in files.items()}
    assert shapes == {"wide": (216, 384), "tall": (384, 216), "square": (360, 360)}
    assert {file.suffix for file in files.values()} == {".mp4"}


def test_nothing_is_replaced_unasked(film: Film, tmp_path: Path) -> None:
    """Before any work is done: the file that is there stays, and no other comes."""
    (tmp_path / "spec.yaml").write_text(cut_of(film), encoding="utf-8")
    (tmp_path / "out_tall.mp4").write_bytes(b"precious")
    refused = cinecut("render", "spec.yaml", "-o", "out.mp4", cwd=tmp_path)
    assert refused.returncode != 0
    assert "out_tall.mp4 is there already" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert names(tmp_path) == ["out_tall.mp4", "spec.yaml"]
    assert (tmp_path / "out_tall.mp4").read_bytes() == b"precious"


def test_the_command_makes_them_and_says_so(film: Film, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(cut_of(film, pieces=SHORT), encoding="utf-8")
    (tmp_path / "out_tall.mp4").write_bytes(b"old")
    done = cinecut("render", "spec.yaml", "-o", "out.mp4", "--force", "--only", "tall", "--only", "wide", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert names(tmp_path) == ["out_tall.mp4", "out_wide.mp4", "spec.yaml"]
    assert re.findall(r"^(\S+): 4 frames", done.stdout, re.M) == ["out_wide.mp4", "out_tall.mp4"]


def test_two_of_one_name_are_refused(film: Film, tmp_path: Path) -> None:
    with pytest.raises(Stop) as caught:
        job_of(cut_of(film, HEAD.replace("name: square", "name: wide")), tmp_path)
    [found] = caught.value.diagnostics
    assert (found.code, found.message) == ("wrong-value", "two deliverables are named wide")
    assert found.span is not None
    assert found.span.line == 10
