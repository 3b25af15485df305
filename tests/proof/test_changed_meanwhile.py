"""A film or a trailer that is changed while it is read, as on a disk that goes away, is said: nothing is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from footage import make_film

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.proof.conform.reading import conform
from cinecut.proof.verify import judging
from cinecut.proof.verify.picture.strip import read_strip
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    make_film(tmp_path / "film.mkv", 4)
    spec = tmp_path / "spec.yaml"
    text = "cinecut: 1\nfilm: film.mkv\ntimeline:\n  - shot: {in: 1s, for: 24f}\n  - shot: {in: 4s, for: 24f}\n"
    spec.write_text(text, encoding="utf-8")
    render(prepare(spec), tmp_path / "trailer.mp4", find_ffmpeg(None), SILENT)
    return spec


def cut_short(file: Path) -> None:
    with file.open("r+b") as media:
        media.truncate(file.stat().st_size * 2 // 3)


@pytest.mark.parametrize("name", ["film.mkv", "trailer.mp4"])
def test_conform(spec: Path, name: str) -> None:
    changed = spec.with_name(name)
    size = changed.stat().st_size

    def progress(stage: str, done: float) -> None:
        if changed.stat().st_size == size:
            cut_short(changed)

    with pytest.raises(Stop, match=f"{name} was changed while it was read"):
        conform(spec.with_name("trailer.mp4"), [spec.with_name("film.mkv")], spec.with_name("new.yaml"), progress)


def test_verify(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trailer = spec.with_name("trailer.mp4")

    def late(*asked: Any) -> Any:
        strip = read_strip(*asked)
        cut_short(trailer)
        return strip

    monkeypatch.setattr(judging, "read_strip", late)
    with pytest.raises(Stop, match=r"trailer\.mp4 was changed while it was read"):
        judging.verify(prepare(spec), trailer, find_ffmpeg(None), lambda what: None)
