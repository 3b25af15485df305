"""A trailer of several films, as of a series: shots of each, at times of each, in the order of the films."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from commandline import cinecut
from footage import Footage, make_film

from cinecut.analysis.analyze import Analysis, analyze
from cinecut.analysis.cache import Cache
from cinecut.analysis.request import Request
from cinecut.diagnostics import Report, Stop
from cinecut.known.record import known_of
from cinecut.language.events import Shot
from cinecut.language.read import load_spec
from cinecut.media.link import film_names
from cinecut.render.check import check_spec, examine
from cinecut.vibes import load_vibe

COUNTS = {"Pilot": 14, "02 The return": 18}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("series")


@pytest.fixture(scope="module")
def films(folder: Path) -> dict[str, Footage]:
    return {name: make_film(folder / f"{name}.mkv", count) for name, count in COUNTS.items()}


@pytest.fixture(scope="module")
def analysis(folder: Path, films: dict[str, Footage]) -> Analysis:
    first, *others = (film.path for film in films.values())
    request = Request(first, folder / "spec.yaml", load_vibe("action"), length=Fraction(30), others=tuple(others))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_CACHE_DIR", str(folder / "cache"))
        found = analyze(request, lambda stage, done: None, Cache("series"))
    (folder / "spec.yaml").write_text(found.text, encoding="utf-8")
    return found


def test_each_shot_lies_in_a_shot_of_its_film(folder: Path, films: dict[str, Footage], analysis: Analysis) -> None:
    spec = load_spec(folder / "spec.yaml", Report())[1]
    assert spec == analysis.spec
    assert spec is not None
    assert list(spec.films or {}) == ["Pilot", "film-02-The-return"]
    layout = examine(folder / "spec.yaml", Report())
    assert layout is not None
    by_key = dict(zip(spec.every_film, films.values(), strict=True))
    shown = [(placed.film.film, placed.film) for placed in layout.timeline.shots]
    assert {film for film, _ in shown} == set(by_key), "both are in it"
    for film, span in shown:
        assert by_key[film].holds(span.start.seconds, span.end.seconds), (film, span)
    for entry in (each for each in spec.timeline if isinstance(each, Shot)):
        for other in entry.alternatives:
            assert by_key[spec.key_of(other.film or entry.shot.film)].holds(other.in_.seconds, other.in_.seconds)
    assert spec.anchors is not None
    points = [spec.anchors.begin, spec.anchors.escalation, spec.anchors.climax]
    assert [point.film for point in points if point is not None][::2] == list(spec.films or {}), "in their order"


def test_it_passes_check_and_is_known(folder: Path, analysis: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(folder / "cache"))
    assert list(check_spec(folder / "spec.yaml")) == []
    known = known_of(analysis.spec, analysis.text, folder / "spec.yaml")
    assert known is not None
    assert known.wrote == analysis.text
    films = {shot.range.film for shot in known.shots}
    assert films == {"", "film-02-The-return"}


def test_names_are_what_a_spec_takes() -> None:
    files = [Path(name) for name in ("a.mkv", "b/a.mkv", "1x01 Pilot (final).mkv", "10s.mkv", "…", "Größe.mov")]
    assert film_names(files) == ["a", "a-2", "film-1x01-Pilot-final", "film-10s", "film", "Größe"]


def test_films_are_taken_once_and_subtitles_of_one(folder: Path, films: dict[str, Footage]) -> None:
    first, second = (film.path for film in films.values())
    twice = cinecut("analyze", first, first, "--no-models", "-o", "x.yaml", cwd=folder)
    assert twice.returncode == 1
    assert "is the same film as" in twice.stderr
    words = cinecut("analyze", first, second, "--subtitles", "x.srt", "-o", "x.yaml", cwd=folder)
    assert "are of one film" in words.stderr
    request = Request(first, folder / "x.yaml", load_vibe("action"), others=(folder / "none.mkv",))
    with pytest.raises(Stop, match="none"):
        analyze(request, lambda stage, done: None, Cache("series"))
