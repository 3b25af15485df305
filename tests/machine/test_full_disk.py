"""Disks without room: what was asked for is there whole or not at all, and what is only kept is done without."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut, names
from footage import make_film
from many import indexed
from numpy.typing import NDArray

from cinecut.diagnostics import Stop
from cinecut.edits.revise import edit, log
from cinecut.proof.conform.places import film
from cinecut.proof.conform.places.film import FilmPictures

Disk = Callable[[int], Path]
SPEC = """cinecut: 1
film:
  file: film.mkv
  facts: {fingerprint: 4-0, size: 640x360, rate: 24, duration: 600, audio: [{rate: 48000, channels: 2, layout: stereo}]}
vibe: thriller
timeline:
  - shot: 0:10 - 0:12
  - {card: THE END, for: 1s}
"""
FULL = r"error: the disk is full: \S+ has 0 MB left \[disk-full\]\n  hint: "


def test_an_index_is_whole_or_not_there(small_disk: Disk, tmp_path: Path) -> None:
    """Wherever the disk becomes full: at the database, at the arrays, at the report."""
    (tmp_path / "films").mkdir()
    make_film(tmp_path / "films" / "a.mkv", 3)
    indexed(tmp_path / "films", tmp_path / "all")
    for index in tmp_path.glob("all/index-*"):
        shutil.rmtree(index)
    held = sum(4096 + file.stat().st_size // 4096 * 4096 for file in tmp_path.glob("all/**/*")) // 1024
    ended = set()
    for more in (8, 24, 40, 56, 400):
        disk = small_disk(held + more)
        shutil.copytree(tmp_path / "all", disk / "all")
        done = cinecut("index", tmp_path / "films", "--no-models", "-C", disk / "all", cwd=tmp_path)
        ended.add(done.returncode)
        if done.returncode:
            assert re.match(FULL, done.stderr), (more, done.stderr)
            assert not [*disk.glob("all/index-part-*"), *disk.glob("all/*.part")]
    assert ended == {0, 1}


@pytest.mark.parametrize("kilobytes", [4, 8])
def test_an_index_without_a_result_leaves_no_folder(kilobytes: int, small_disk: Disk, tmp_path: Path) -> None:
    make_film(tmp_path / "a.mkv", 3)
    (disk := small_disk(kilobytes)).joinpath("filler").write_bytes(bytes(kilobytes * 1024 - 4096))
    done = cinecut("index", "a.mkv", "--no-models", "-C", disk / "new" / "all", cwd=tmp_path)
    assert re.match(FULL, done.stderr), done.stderr
    assert [entry.name for entry in disk.iterdir()] == ["filler"]


@pytest.mark.parametrize(
    ("words", "old"),
    [
        ("export spec.yaml -f --to edl -o {}/a.edl", "a.edl"),
        ("export spec.yaml -f --to resolve -o {}/a.fcpxml", "a.fcpxml"),
        ("shots film.mkv -f --stills {}/a", "a/shot_001.jpg"),
        ("shots film.mkv -f --stills {}/a/b", "c"),
        ("analyze film.mkv -f --no-models --length 4s -o {}/a.yaml", "a.html"),
        ("analyze film.mkv -f --no-models --length 4s -o {}/b/a.yaml", "c"),
        ("beats film.mkv -f --click {}/a.wav", "a.wav"),
        ("beats film.mkv -f --click {}/a.flac", "c"),
    ],
)
@pytest.mark.matrix
def test_several_files_are_all_there_or_none(words: str, old: str, small_disk: Disk, tmp_path: Path) -> None:
    """A disk that lacks one page, or all but one; what was there stays as it was."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    make_film(tmp_path / "film.mkv", 6)
    (whole := tmp_path / "whole").mkdir()
    done = cinecut(*words.format(whole).split(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    pages = sum(-(-file.stat().st_size // 4096) for file in whole.rglob("*") if file.is_file())
    assert pages > 1
    for room in (1, pages - 1):
        disk = small_disk(4 * (room + 1))
        (disk / old).parent.mkdir(exist_ok=True)
        (disk / old).write_text("old")
        done = cinecut(*words.format(disk).split(), cwd=tmp_path)
        assert re.search(FULL, done.stderr), (room, done.stderr)
        assert done.returncode == 1
        kept = {file for file in disk.rglob("*") if file != (disk / old).parent}
        assert (kept, (disk / old).read_text()) == ({disk / old}, "old")


def test_a_compiled_folder_is_whole_or_not_there(small_disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    for kilobytes in (8, 300):
        disk = small_disk(kilobytes)
        done = cinecut("compile", "spec.yaml", "-o", disk / "graph", cwd=tmp_path)
        assert re.match(FULL, done.stderr)
        assert names(disk) == []
    (disk / "graph").mkdir()
    (disk / "graph" / "trailer.graph").write_text("the old one")
    assert cinecut("compile", "spec.yaml", "-o", disk / "graph", cwd=tmp_path).returncode == 1
    assert names(disk / "graph") == ["trailer.graph"]
    assert (disk / "graph" / "trailer.graph").read_text() == "the old one"


def test_an_edit_that_could_not_be_undone_is_not_made(
    small_disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = small_disk(16)
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(disk))
    (spec := tmp_path / "spec.yaml").write_text(SPEC)
    edit(spec, {"do": "remove", "event": 2})
    now = spec.read_text()
    (disk / "filler").write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
    with pytest.raises(Stop, match="the disk is full") as stop:
        edit(spec, {"do": "duplicate", "event": 1})
    assert "CINECUT_CACHE_DIR" in stop.value.diagnostics[0].hints[0]
    assert spec.read_text() == now
    assert len(log(spec)) == 1
    assert not [*disk.rglob("*.part")]


def test_an_edit_that_is_not_written_is_not_noted(
    small_disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path / "cache"))
    disk = small_disk(8)
    (spec := disk / "spec.yaml").write_text(SPEC)
    (disk / "filler").write_bytes(bytes(4096))
    with pytest.raises(Stop, match="the disk is full"):
        edit(spec, {"do": "duplicate", "event": 1})
    assert spec.read_text() == SPEC
    assert log(spec) == []


def test_pictures_that_cannot_be_kept_are_found_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = FilmPictures._kept_or(tmp_path / "file" / "a.frames", lambda: _rows(3))
    assert len(made) == 3


@pytest.mark.parametrize("damage", [b"", b"\0" * 3000, b"frames"])
def test_pictures_that_were_damaged_are_found_again(damage: bytes, tmp_path: Path) -> None:
    _, row = FilmPictures._kept_or(tmp_path / "none" / "a.frames", lambda: _film_rows(1)).shape
    for content in (damage, bytes(2 * row)):
        (file := tmp_path / "a.frames").write_bytes(content)
        assert len(FilmPictures._kept_or(file, lambda: _film_rows(3))) == 3
        assert len(FilmPictures._kept_or(file, lambda: _film_rows(4))) == 3, "kept"


def _film_rows(count: int) -> NDArray[np.uint8]:
    return np.zeros((count, film._ROW), np.uint8)


def _rows(count: int) -> NDArray[np.uint8]:
    return np.zeros((count, 4), np.uint8)


def test_modules_that_could_not_be_compiled_to_files_can_still_be_loaded(tmp_path: Path) -> None:
    """Python keeps the first part of a compiled module where the rest has no room, and never loads it again."""
    command = [sys.executable, "-m", "cinecut", "config", "--json"]
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled"), "CINECUT_CONFIG": str(tmp_path / "none")}
    limited = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *command]
    before_ours = [sys.executable, "-c", "import cinecut.__main__, resource, runpy"]
    subprocess.run(before_ours, env=env, check=True)
    for each in (limited, command):
        done = subprocess.run(each, env=env, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)


@pytest.mark.parametrize(
    "words",
    [
        "analyze film.mkv --no-models -o {}/a.yaml", "trailer film.mkv --no-models -o {}/a.mp4",
        "recut {}/spec.yaml --no-models", "recut spec.yaml --no-models -o {}/a.yaml", "lock {}/own.yaml",
        "render {}/own.yaml -o {}/a.mp4", "shots film.mkv --stills {}/a/b", "shots film.mkv -o {}/a.csv",
        "scenes film.mkv --no-models -o {}/a.csv", "beats film.mkv --click {}/a.wav", "sheet {}/spec.yaml",
        "conform film.mkv film.mkv -o {}/a.yaml", "transcribe film.mkv -o {}/a.srt", "edit {}/spec.yaml slip 1 1f",
        "index film.mkv --no-models -C {}/a", "export spec.yaml --to edl -o {}/a.edl",
    ],
)  # fmt: skip
@pytest.mark.matrix
def test_a_disk_that_takes_nothing_is_said_before_any_work(words: str, small_disk: Disk, tmp_path: Path) -> None:
    """One message, with what to do, and nothing before it or beside it."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    make_film(tmp_path / "film.mkv", 3)
    disk = small_disk(64)
    (disk / "spec.yaml").write_text(SPEC)
    (disk / "own.yaml").write_text(f"cinecut: 1\nfilm: {tmp_path}/film.mkv\ntimeline: [shot: 0:01 - 0:02]\n")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    there = names(tmp_path)
    done = cinecut(*words.replace("{}", str(disk)).split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    said = done.stderr.splitlines()
    assert re.match(r"error: .* (cannot be written.*|is read-only: nothing is written over it) \[output\]", said[0])
    assert [line[:8] for line in said[1:]] == ["  hint: "]
    assert names(tmp_path) == there
