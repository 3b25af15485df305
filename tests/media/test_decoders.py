"""An FFmpeg without a decoder for a film is named before anything is rendered."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from commandline import cinecut
from oracle import BUNDLED

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.decoders import check_decodes

PICTURES = "-f lavfi -i testsrc2=s=192x108:r=25:d=1"
SOUND = "-f lavfi -i sine=r=48000:d=1"


def made(path: Path, options: str) -> Path:
    subprocess.run([BUNDLED, "-v", "error", "-y", *options.split(), path], check=True, capture_output=True)
    return path


@pytest.fixture
def old(tmp_path: Path) -> str:
    """An FFmpeg that knows the codecs of last century."""
    (program := tmp_path / "ffmpeg").write_text(
        "#!/bin/sh\necho ' DEV.LS mpeg4  MPEG-4'\necho ' .EV.L. vvc  VVC'\necho ' D.A.L. mp3  MP3'\n", encoding="utf-8"
    )
    program.chmod(0o755)
    return str(program)


def test_what_an_ffmpeg_cannot_decode_is_named(old: str, tmp_path: Path) -> None:
    check_decodes(made(tmp_path / "film.avi", f"{PICTURES} -c:v mpeg4"), old)
    check_decodes(made(tmp_path / "song.mp3", SOUND), old, "song")
    film = made(tmp_path / "film.mkv", f"{PICTURES} -c:v libx264 -preset ultrafast")
    with pytest.raises(Stop, match=r"no decoder for the pictures of .*film\.mkv, which is in h264"):
        check_decodes(film, old)
    with pytest.raises(Stop, match=r"no decoder for the sound of .*, which is in flac"):
        check_decodes(made(tmp_path / "song.flac", SOUND), old, "song")


def test_the_usual_ffmpegs_decode_a_film_and_a_song(ffmpeg: Path, tmp_path: Path) -> None:
    film = made(tmp_path / "film.mkv", f"{PICTURES} {SOUND} -c:v libx264 -preset ultrafast -c:a flac")
    check_decodes(film, str(ffmpeg))
    check_decodes(film, str(ffmpeg), "song")


def test_link_measures_a_still_beside_its_film(tmp_path: Path) -> None:
    made(tmp_path / "film.mkv", f"{PICTURES} -c:v libx264 -preset ultrafast")
    made(tmp_path / "logo.png", f"{PICTURES} -frames:v 1")
    (tmp_path / "a.yaml").write_text(
        "cinecut: 1\nfilm: film.mkv\nrating: {still: logo.png, for: 1s}\n"
        "timeline:\n  - {still: logo.png, for: 12f}\n  - shot: 0 - 0.5\n"
    )
    done = cinecut("link", "a.yaml", cwd=tmp_path)
    assert done.stdout == "a.yaml: 2 files measured\n", done.stderr


@pytest.mark.parametrize("command", [["link", "spec.yaml"], ["analyze", "film.mkv", "--no-models"]])
def test_link_and_analyze_refuse_it(command: list[str], old: str, tmp_path: Path) -> None:
    made(tmp_path / "film.mkv", f"{PICTURES} -c:v libvvenc -preset faster")
    (spec := tmp_path / "spec.yaml").write_text("cinecut: 1\nfilm: film.mkv\ntimeline: [{black: 1s}]\n", "utf-8")
    before = spec.read_text("utf-8")
    done: Any = cinecut(*command, cwd=tmp_path, CINECUT_FFMPEG=old)
    assert done.returncode == 1
    assert "no decoder for the pictures of" in done.stderr
    assert "vvc" in done.stderr
    assert spec.read_text("utf-8") == before
    assert not list(tmp_path.glob("specs/*"))


def test_a_render_names_it_too(system: Path, tmp_path: Path) -> None:
    """Of a film that was linked where there is another FFmpeg."""
    film = made(tmp_path / "film.mkv", f"{PICTURES} -c:v libvvenc -preset faster")
    try:
        check_decodes(film, str(system))
        pytest.skip("the system's FFmpeg decodes VVC")
    except Stop:
        pass
    (tmp_path / "spec.yaml").write_text("cinecut: 1\nfilm: film.mkv\ntimeline: [{shot: 0s - 0.5s}]\n", "utf-8")
    assert cinecut("link", "spec.yaml", cwd=tmp_path).returncode == 0
    done: Any = cinecut("render", "spec.yaml", cwd=tmp_path, CINECUT_FFMPEG=str(system))
    assert done.returncode == 1
    assert "this FFmpeg has no decoder" in done.stderr
