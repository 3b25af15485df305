"""A finished trailer read back: each shot at its place in the film, whatever the trailer's size, rate and look are."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut
from footage import encode, make_film, scene
from oracle import BUNDLED

from cinecut.diagnostics import Report
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.events import Black, Shot
from cinecut.language.read import load_spec
from cinecut.proof.conform.reading import conform
from cinecut.render.job import SILENT, prepare, render

SPEC = """cinecut: 1
film: film.mp4
vibe: thriller
effects: none
output: {size: 256x144, preset: ultrafast}
timeline:
  - shot: {in: 5.0s, for: 30f}
  - shot: {in: 12.4s, for: 40f}
  - black: 12f
  - shot: {in: 1.2s, for: 25f}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("conform")
    make_film(folder / "film.mp4", count=8, spoken=False)
    encode(folder / "other.mp4", np.concatenate([scene(100 + n, 40, speed=2) for n in range(4)]))
    (folder / "a.yaml").write_text(SPEC, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_RUNTIME_DIR", str(folder / "runtime"))
        render(prepare(folder / "a.yaml"), folder / "clean.mp4", find_ffmpeg(), SILENT)
        yield folder


def test_a_trailer_encoded_again(folder: Path) -> None:
    """Each shot is found within a frame, its look and its size notwithstanding; and what comes out is a spec."""
    again = [
        "-i",
        str(folder / "clean.mp4"),
        "-vf",
        "scale=128:72",
        "-r",
        "30",
        "-crf",
        "24",
        str(folder / "again.mp4"),
    ]
    subprocess.run([BUNDLED, "-v", "error", *again], check=True)
    found = conform(
        folder / "again.mp4", [folder / "other.mp4", folder / "film.mp4"], folder / "b.yaml", lambda *_: None
    )
    (folder / "b.yaml").write_text(found.text, encoding="utf-8")
    report = Report()
    _, spec = load_spec(folder / "b.yaml", report)
    assert list(report) == []
    assert spec is not None
    assert spec.main_film.file == "film.mp4"
    shots = [entry for entry in spec.timeline if isinstance(entry, Shot)]
    starts = [shot.shot.in_.seconds for shot in shots if shot.shot.in_ is not None]
    wanted = [Fraction(5), Fraction(62, 5), Fraction(6, 5)]
    assert all(abs(one - other) <= Fraction(3, 50) for one, other in zip(starts, wanted, strict=True)), starts
    assert [type(entry) for entry in spec.timeline] == [Shot, Shot, Black, Shot]
    assert found.foreign == 0
    assert prepare(folder / "b.yaml").plan.frames == found.frames


def test_the_command(folder: Path) -> None:
    done = cinecut("conform", "clean.mp4", "film.mp4", "-o", "c.yaml", "--json", cwd=folder)
    assert (done.returncode, json.loads(done.stdout)["shots"]) == (0, 3), done.stderr
    assert cinecut("conform", "clean.mp4", "film.mp4", "-o", "c.yaml", cwd=folder).returncode == 1  # it is there
    nothing = cinecut("conform", "clean.mp4", "other.mp4", "-o", "d.yaml", cwd=folder)
    assert (nothing.returncode, "[no-material]" in nothing.stderr) == (1, True), nothing.stderr
    assert not (folder / "d.yaml").exists()
