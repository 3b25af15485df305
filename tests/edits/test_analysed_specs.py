"""What analyze writes passes check, without an error and without a word about its cuts, lines, beats and music."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from footage import HEIGHT, LINES, WIDTH, encode, make_film, scene, song, srt, swelling

from cinecut.analysis.analyze import analyze
from cinecut.analysis.request import Request
from cinecut.diagnostics import Stop, as_text
from cinecut.render.check import check_spec
from cinecut.vibes import load_vibe
from cinecut.vibes import names as vibe_names

FILMS = ("spoken", "speechless", "silent", "one shot", "tiny", "black")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, analyses: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("studio")
    make_film(folder / "spoken.mkv", 24)
    make_film(folder / "speechless.mkv", 24, spoken=False)  # the same pictures: they are looked at once
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        "spoken.mkv",
        "-an",
        "-c",
        "copy",
        "-t",
        "30",
        "silent.mkv",
    ]
    subprocess.run(command, cwd=folder, check=True)
    (folder / "silent.srt").write_text((folder / "spoken.srt").read_text(encoding="utf-8"), encoding="utf-8")
    encode(folder / "one shot.mkv", scene(3, 500), swelling(20))
    (folder / "one shot.srt").write_text(srt(((4.0, 5.5, LINES[0]), (9.0, 11.0, LINES[1]))), encoding="utf-8")
    encode(folder / "tiny.mkv", np.concatenate([scene(1, 40), scene(2, 50)]), swelling(3.6))
    encode(folder / "black.mkv", np.zeros((100, HEIGHT, WIDTH, 3), np.uint8), swelling(4))
    song(folder / "song.wav", np.arange(0.4, 40, 60 / 113))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_CACHE_DIR", str(analyses))
        yield folder


def check(studio: Path, film: str, vibe: str, length: int | None, music: bool) -> None:
    target = studio / f"{film}.yaml"
    wanted = None if length is None else Fraction(length)
    tune = studio / "song.wav" if music else None
    request = Request(studio / f"{film}.mkv", target, load_vibe(vibe), music=tune, length=wanted)
    try:
        text = analyze(request, lambda stage, done: None).text
    except Stop:
        if film in ("black", "tiny"):
            return  # nothing of it can be shown
        raise
    target.write_text(text, encoding="utf-8")
    found = [as_text(finding, text.splitlines()) for finding in check_spec(target)]
    assert not found, "\n".join(found)
    if film == "silent":
        assert not [word for word in ("mute:", "duck:", "voice:", "was measured") if word in text]


@pytest.mark.matrix
@pytest.mark.parametrize("film", FILMS)
@pytest.mark.parametrize(("vibe", "length", "music"), [("thriller", 12, True), ("drama", 16, False)])
def test_a_written_spec_passes(film: str, vibe: str, length: int, music: bool, studio: Path) -> None:
    check(studio, film, vibe, length, music)


@pytest.mark.parametrize(
    ("film", "vibe", "length", "music"),
    [("spoken", "animation", 90, True), ("spoken", "sci-fi", 35, False), ("one shot", "action", 35, True)],
)
def test_a_film_with_too_little_for_its_trailer_passes(
    film: str, vibe: str, length: int, music: bool, studio: Path
) -> None:
    """Where slots are left out, others are neighbours: crossfades have room there, and sound over them has, too."""
    check(studio, film, vibe, length, music)


@pytest.mark.slow
@pytest.mark.parametrize("vibe", vibe_names())
@pytest.mark.parametrize("film", FILMS)
def test_every_vibe_and_length_passes(film: str, vibe: str, studio: Path) -> None:
    for length in (10, 35, 90, None):
        for music in (False, True):
            check(studio, film, vibe, length, music)
