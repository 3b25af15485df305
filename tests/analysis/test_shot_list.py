"""The command shots: its table, the three kinds of list, and the stills."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import opentimelineio
import pytest
from commandline import cinecut, on_a_terminal

from tools.cut_films import ENCODERS, HEIGHT, WIDTH, encode, plain

LAST_FRAMES = [29, 35, 79]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dice = np.random.default_rng(1)
    still = [dice.integers(0, 255, (HEIGHT // 20, WIDTH // 20, 3), np.uint8).repeat(20, 0).repeat(20, 1) for _ in "ab"]
    frames = np.concatenate([np.stack([still[0]] * 30), plain(6), np.stack([still[1]] * 44)])
    return encode(tmp_path_factory.mktemp("list") / "film.mp4", frames, ENCODERS["x264"])


def test_a_list_of_each_kind_holds_every_shot(film: Path) -> None:
    for name in ("list.csv", "list.json", "list.otio"):
        assert cinecut("shots", film, "-o", name, "--stills", "stills", "--force", cwd=film.parent).returncode == 0
    with (film.parent / "list.csv").open() as file:
        assert [int(row["last frame"]) for row in csv.DictReader(file)] == LAST_FRAMES
    listed = json.loads((film.parent / "list.json").read_text())
    assert [(row["last frame"], row["is"]) for row in listed] == list(zip(LAST_FRAMES, ("", "black", ""), strict=True))
    track = opentimelineio.adapters.read_from_file(str(film.parent / "list.otio")).tracks[0]
    assert [clip.source_range.end_time_inclusive().value for clip in track] == LAST_FRAMES
    assert len(list((film.parent / "stills").glob("shot_*.jpg"))) == 3


def test_timecodes_are_the_films_own_over_midnight_and_whole_on_a_terminal(
    film: Path, bundled: Path, tmp_path: Path
) -> None:
    copy = f"{bundled} -v error -i {film} -c copy -timecode 23:59:59:00 {tmp_path / 'film.mov'}"
    subprocess.run(copy.split(), check=True)
    listed = json.loads(cinecut("shots", "film.mov", "--json", cwd=tmp_path).stdout)
    assert [row["timecode"] for row in listed] == ["23:59:59:00", "00:00:00:06", "00:00:00:12"]
    shown = re.sub(r"\x1b\[[\d;]*m", "", on_a_terminal(tmp_path, "-q", "shots", "film.mov"))
    assert all(str(row[name]) in shown for row in listed for name in ("in", "out", "timecode", "seconds"))
    assert max(map(len, shown.splitlines())) <= 80


def test_what_is_there_is_kept_and_the_film_is_never_replaced(film: Path) -> None:
    (film.parent / "kept.csv").write_text("mine")
    refused = cinecut("shots", film, "-o", "kept.csv", cwd=film.parent)
    assert refused.returncode != 0
    assert "--force replaces it" in refused.stderr
    assert (film.parent / "kept.csv").read_text() == "mine"
    assert cinecut("shots", film, "-o", "list.txt", cwd=film.parent).returncode != 0
