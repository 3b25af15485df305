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
