"""`cinecut shots`: the same shots for people, for spreadsheets and for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from commandline import cinecut
from oracle import Film


def test_every_format_has_the_same_shots(tmp_path: Path, films: Callable[[Film], Film]) -> None:
    film = str(films(Film(Path("film.mkv"), rate=Fraction(24), frames=96)).path)
    done = cinecut("shots", film, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    rows = found["shots"]
    assert found["rate"] == "24"
    assert rows
    assert (rows[0]["first frame"], rows[0]["in timecode"], rows[0]["begins by"]) == (0, "00:00:00:00", "cut")
    ends = [(row["first frame"], row["first frame"] + row["frames"]) for row in rows]
    assert all(start < end <= 96 for start, end in ends)
    assert ends == sorted(ends)
    sheet = list(csv.DictReader(cinecut("shots", film, "--format", "csv", cwd=tmp_path).stdout.splitlines()))
    assert [row["in"] for row in sheet] == [row["in"] for row in rows]
    table = cinecut("shots", film, cwd=tmp_path).stdout.splitlines()
    assert [line.split("\t")[1] for line in table[1:]] == [row["in"] for row in rows]


def test_what_cannot_be_is_one_message(tmp_path: Path) -> None:
    for words in (["shots", "nowhere.mkv"], ["shots", "nowhere.mkv", "--format", "xml"]):
        done = cinecut(*words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "Traceback" not in done.stderr
