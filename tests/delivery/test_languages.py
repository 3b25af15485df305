"""Titles, cards and subtitles in other languages: a file for each, of one decode, and a word where one is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut, names
from oracle import Film, Luma, Sound
from rendering import Rendered

from cinecut.diagnostics import Report
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.render.check import check_spec
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render

SPEC = """cinecut: 1
film: {film}
output: {{size: 320x192, codec: ffv1, subtitles: file}}
languages: {{fr: words/fr.yaml, de: de.yaml}}
{more}
timeline:
  - {{shot: 0:01 - 0:03.5, line: Who are you?}}
  - {{card: NEVER, for: 2s}}
  - {{shot: 0:04 - 0:06, titles: [ALONE]}}
  - {{card: NEVER, for: 2s, id: ending}}
"""
FRENCH = 'NEVER: JAMAIS, JAMAIS\nending: FIN\nALONE: SEUL\n"Who  are you?": Qui êtes-vous ?\n'
GERMAN = "card 2: NIE\nNEVER: NIE\nALONE: ~\n"


@pytest.fixture(scope="module")
def film(films: Callable[[Film], Film]) -> Film:
    return films(Film(Path("a.mp4"), Fraction(24), 200, (160, 96), gop=12, sound=Sound(codec="flac")))


@pytest.fixture
def spec(film: Film, tmp_path: Path) -> Path:
    return written(tmp_path, film)


def written(folder: Path, film: Film, more: str = "", french: str = FRENCH) -> Path:
    (folder / "words").mkdir(exist_ok=True)
    (folder / "words" / "fr.yaml").write_text(french, encoding="utf-8")
    (folder / "de.yaml").write_text(GERMAN, encoding="utf-8")
    (folder / "trailer.yaml").write_text(SPEC.format(film=film.path, more=more), encoding="utf-8")
    return folder / "trailer.yaml"


def test_a_file_for_each_language(film: Film, spec: Path) -> None:
    done = cinecut("render", "trailer.yaml", "-o", "t.mkv", "--json", cwd=spec.parent)
    assert done.returncode == 0, done.stderr
    assert [file["file"] for file in json.loads(done.stdout)["files"]] == ["t.mkv", "t_fr.mkv", "t_de.mkv"]
    own, french, german = (Rendered(spec.parent / name).pictures for name in ("t.mkv", "t_fr.mkv", "t_de.mkv"))
    assert len(own) == len(french) == len(german) == 204
    assert same(own[20], french[20])
    assert same(own[20], german[20])
    assert not same(own[80], french[80])  # cards
    assert not same(own[80], german[80])
    assert not same(french[80], french[180])  # the last card has words of its own
    assert same(own[80], own[180])
    assert not same(own[130], french[130])  # a title
    assert same(own[130], german[130])  # which waits for its words
    read = {end: (spec.parent / f"t{end}.srt").read_text(encoding="utf-8") for end in ("", "_fr", "_de")}
    assert "Qui êtes-vous ?" in read["_fr"]
    assert read["_de"] == read[""] != read["_fr"]


def same(one: Luma, other: Luma) -> bool:
    return bool(np.array_equal(one, other))


def test_what_is_missing_and_what_is_none_is_said(film: Film, tmp_path: Path) -> None:
    spec = written(tmp_path, film, french=FRENCH + "NEVR: JAMAIS\n日本: [1]\nALONE!: ''\n")
    said = [(f"{Path(d.span.file).name}:{d.span.line + 1}", d.code) for d in check_spec(spec) if d.span is not None]
    assert sorted(said) == [
        ("fr.yaml:5", "unknown-key"),
        ("fr.yaml:6", "unknown-key"),
        ("fr.yaml:6", "wrong-type"),
        ("fr.yaml:7", "unknown-key"),
        ("fr.yaml:7", "wrong-value"),
        ("trailer.yaml:7", "untranslated"),
        ("trailer.yaml:9", "untranslated"),
    ]
    [near] = [d.hints for d in check_spec(spec) if "NEVR" in d.message]
    assert near == ("did you mean 'NEVER'?",)


def test_words_that_are_lost_to_a_comment_are_said(film: Film, tmp_path: Path) -> None:
    spec = written(tmp_path, film, french=FRENCH.replace("SEUL", "SEUL #1"))
    [found] = [d for d in check_spec(spec) if d.code == "comment"]
    assert found.span is not None
    assert (Path(found.span.file).name, found.span.line) == ("fr.yaml", 2)


def test_glyphs_are_looked_for_in_each_language(film: Film, tmp_path: Path) -> None:
    spec = written(tmp_path, film, french=FRENCH.replace("SEUL", "孤独"))
    [found] = [d for d in check_spec(spec) if d.code == "title-glyphs"]
    assert found.span is not None
    assert (Path(found.span.file).name, found.span.line) == ("fr.yaml", 2)


def test_deliverables_and_languages_make_one_file_each(film: Film, tmp_path: Path) -> None:
    more = """deliverables:
  - {name: wide}
  - {name: plain, texts: false, subtitles: none}
  - {name: mix, stem: printmaster}
"""
    spec = written(tmp_path, film, more)
    assert [*prepare(spec).files(Path("t.mkv"))] == ["wide", "wide_fr", "wide_de", "plain", "mix"]
    assert [*prepare(spec, only=["fr"]).files(Path("t.mkv"))] == ["wide_fr"]
    assert prepare(spec, only=["fr"]).default_name.endswith("_trailer_wide_fr.mkv")
    assert [*prepare(spec, only=["wide"]).files(Path("t.mkv"))] == ["wide", "wide_fr", "wide_de"]


def test_what_languages_show_alike_is_made_once(film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINECUT_CACHE", str(tmp_path / "cache"))
    spec = written(tmp_path, film)
    done = render(prepare(spec), tmp_path / "t.mkv", find_ffmpeg(), SILENT)
    frames = {name: sum(end - start for output, start, end in done.new if output == name) for name in ("", "fr", "de")}
    assert frames == {"": 156, "fr": 144, "de": 48}  # of 204: the spec's own two cards are one, too
    assert set(names(tmp_path)) >= {"t.mkv", "t_fr.mkv", "t_de.mkv"}


def test_soft_subtitles_are_in_their_language(film: Film, tmp_path: Path) -> None:
    spec = written(tmp_path, film)
    spec.write_text(spec.read_text().replace("subtitles: file", "subtitles: soft"))
    report = Report()
    plan = prepare(spec).plan
    report.stop_on_error()
    assert {target.dialogue for target in plan.targets} == {"dialogue.srt", "dialogue.fr.srt", "dialogue.de.srt"}
    assert b"tes-vous" in plan.files["dialogue.fr.srt"]


@pytest.mark.slow
def test_each_file_is_verified_and_locked_by_its_own_words(film: Film, tmp_path: Path) -> None:
    text = SPEC.format(film=film.path, more="deliverables: [{name: wide}, {name: mix, stem: dialogue}]")
    text = text.replace(", titles: [ALONE]", "").replace("fr: words/fr.yaml, de: de.yaml", "fr: fr.yaml")
    (tmp_path / "trailer.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "fr.yaml").write_text(FRENCH.replace("ALONE: SEUL\n", ""), encoding="utf-8")
    assert cinecut("lock", "trailer.yaml", "-o", "t.mkv", cwd=tmp_path).returncode == 0
    for file in ("t_wide.mkv", "t_wide_fr.mkv"):
        done = cinecut("verify", "trailer.yaml", file, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "fr.yaml").write_text("ending: ENFIN\n", encoding="utf-8")
    alone = cinecut("render", "trailer.yaml", "--locked", "-o", "u.wav", "--only", "mix", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    refused = cinecut("render", "trailer.yaml", "--locked", "-o", "v.mkv", cwd=tmp_path)
    assert refused.returncode == 1
    assert "wide_fr are made of something else" in refused.stderr
