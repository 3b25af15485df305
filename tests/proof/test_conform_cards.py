"""What a finished trailer shows that is in no film: cards are read where something can read them; the rest is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from footage import make_film

from cinecut.diagnostics import Report
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.events import Card, Entry, Shot
from cinecut.language.read import load_spec
from cinecut.proof.conform import cards
from cinecut.proof.conform.reading import Conformed, conform
from cinecut.proof.verify.judging import verify
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render

WORDS = "The end is near\nThis summer"
SPEC = f"""cinecut: 1
film: film.mp4
output: {{size: 512x288, preset: ultrafast}}
timeline:
  - shot: {{in: 5.0s, for: 30f}}
  - card: {WORDS!r}
    for: 48f
  - shot: {{in: 12.4s, for: 40f}}
""".replace("'", '"')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cards")
    make_film(folder / "film.mp4", count=8, spoken=False)
    (folder / "a.yaml").write_text(SPEC, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_RUNTIME_DIR", str(folder / "runtime"))
        render(prepare(folder / "a.yaml"), folder / "trailer.mp4", find_ffmpeg(), SILENT)
        yield folder


def _back(folder: Path, name: str) -> tuple[Conformed, tuple[Entry, ...]]:
    """The trailer read back into a spec of a name, and its timeline."""
    found = conform(folder / "trailer.mp4", [folder / "film.mp4"], folder / name, lambda *_: None)
    (folder / name).write_text(found.text, encoding="utf-8")
    report = Report()
    _, spec = load_spec(folder / name, report)
    assert list(report) == []
    assert spec is not None
    return found, spec.timeline


def _findings(spec: Path, file: Path) -> list[str]:
    return [each.code for each in verify(prepare(spec), file, find_ffmpeg(), print).findings]


def test_a_card_is_read_and_verify_accepts_it(folder: Path) -> None:
    pytest.importorskip("rapidocr", reason="the extra `ocr` is not installed")
    pytest.importorskip("onnxruntime", reason="the extra `ocr` is not installed")
    found, timeline = _back(folder, "read.yaml")
    assert [type(entry) for entry in timeline] == [Shot, Card, Shot]
    assert [entry.card for entry in timeline if isinstance(entry, Card)] == [WORDS]
    assert found.cards == (WORDS,)
    assert _findings(folder / "read.yaml", folder / "trailer.mp4") == []


def test_without_a_reader_the_card_is_a_clip_of_the_trailer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "is_installed", lambda: False)
    found, timeline = _back(folder, "kept.yaml")
    assert [entry.shot.film for entry in timeline if isinstance(entry, Shot)] == [None, "trailer", None]
    assert "kept as a clip of it" in found.text
    assert (found.cards, found.foreign) == ((), 48)
    assert _findings(folder / "kept.yaml", folder / "trailer.mp4") == []
