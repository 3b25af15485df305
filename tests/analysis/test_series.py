"""A trailer of several films, as of a series: shots of each, at times of each, in the order of the films."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from commandline import cinecut
from footage import Footage, make_film

from cinecut.analysis.analyze import Analysis, analyze
from cinecut.analysis.edit.blocks import Block, draw_blocks
from cinecut.analysis.edit.blueprint import Plan, Want
from cinecut.analysis.request import Request
from cinecut.analysis.title import common_title
from cinecut.diagnostics import Report, Stop
from cinecut.known.record import known_of
from cinecut.language.events import ActMarker, Card, Event, Shot
from cinecut.language.read import load_spec
from cinecut.media.link import film_names
from cinecut.render.check import check_spec, examine
from cinecut.vibes import load_vibe
from cinecut.vibes.skeleton import load_skeleton

COUNTS = {"Pilot": 8, "02 The return": 10}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, analyses: Path) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_CACHE_DIR", str(analyses))
        yield tmp_path_factory.mktemp("series")


@pytest.fixture(scope="module")
def films(folder: Path) -> dict[str, Footage]:
    return {name: make_film(folder / f"{name}.mkv", count) for name, count in COUNTS.items()}


@pytest.fixture(scope="module")
def analysis(folder: Path, films: dict[str, Footage]) -> Analysis:
    first, *others = (film.path for film in films.values())
    request = Request(first, folder / "spec.yaml", load_vibe("drama"), length=Fraction(15), others=tuple(others))
    found = analyze(request, lambda stage, done: None)
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


def test_it_passes_check_and_is_known(folder: Path, analysis: Analysis) -> None:
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
    assert "need one film" in words.stderr
    request = Request(first, folder / "x.yaml", load_vibe("action"), others=(folder / "none.mkv",))
    with pytest.raises(Stop, match="none"):
        analyze(request, lambda stage, done: None)


@pytest.fixture(scope="module")
def programme(folder: Path, films: dict[str, Footage]) -> Analysis:
    """The films in blocks, as a festival shows them."""
    first, *others = (film.path for film in films.values())
    texts = {"title": "ALL OF THEM", "tagline": "Two nights"}
    request = Request(first, folder / "blocks.yaml", load_vibe("drama"), length=Fraction(30), others=tuple(others))
    return analyze(replace(request, blocks=True, texts=texts), lambda stage, done: None)


def test_a_programme_has_a_block_for_each_film_with_its_title(folder: Path, programme: Analysis) -> None:
    spec = programme.spec
    assert [entry.act for entry in spec.timeline if isinstance(entry, ActMarker)] == [
        "opening", "PILOT", "02 THE RETURN", "title card"]  # fmt: skip
    acts = dict[str, list[Event]]()
    for entry in spec.timeline:
        if isinstance(entry, ActMarker):
            acts[entry.act] = []
        else:
            list(acts.values())[-1].append(entry)
    for act, film in (("PILOT", "Pilot"), ("02 THE RETURN", "film-02-The-return")):
        shots = [entry for entry in acts[act] if isinstance(entry, Shot)]
        over = [title.text for shot in shots for title in shot.titles]
        assert act in [*over, *(entry.card for entry in acts[act] if isinstance(entry, Card))]
        assert len(shots) >= 2
        for shot in shots:
            assert {shot.shot.film, *(other.film or film for other in shot.alternatives)} == {film}
    assert [getattr(entry, "card", "") for entry in (acts["opening"][0], acts["title card"][0])] == [
        "Two nights", "ALL OF THEM"]  # fmt: skip
    (folder / "blocks.yaml").write_text(programme.text, encoding="utf-8")
    assert list(check_spec(folder / "blocks.yaml")) == []


def test_no_film_of_a_programme_shows_its_end(films: dict[str, Footage], programme: Analysis) -> None:
    spec = programme.spec
    for entry in spec.timeline:
        if isinstance(entry, Shot):
            footage = dict(zip(spec.films or {}, films.values(), strict=True))[entry.shot.film or ""]
            end = footage.edges[-1] / footage.rate
            assert entry.shot.in_ is not None
            assert entry.shot.in_.seconds < end * Fraction(95, 100)


def test_blocks_are_of_several_films_and_need_time(folder: Path, films: dict[str, Footage]) -> None:
    first = next(film.path for film in films.values())
    alone = cinecut("analyze", first, "--blocks", "--no-models", "-o", "x.yaml", cwd=folder)
    assert "--blocks is for several films" in alone.stderr
    plan = Plan(load_skeleton("teaser"), load_vibe("drama"), Fraction(6), Fraction(90), 4, False, {})
    with pytest.raises(Stop, match="3 films in blocks need 16 s"):
        draw_blocks(plan, [Block(name, name, range(9)) for name in "abc"])
    slots = draw_blocks(replace(plan, length=Fraction(16)), [Block(name, name, range(9)) for name in "abc"])
    assert not any(slot.want is Want.CARD for slot in slots), "three cards would be too much black"
    assert [slot.text for slot in slots if slot.text] == ["a", "b", "c"], "so titles stand over their films"


def test_the_title_of_several_films_is_what_theirs_begin_with(tmp_path: Path) -> None:
    for files, title in (
        (("The Long Way S01E01", "The Long Way S01E02"), "THE LONG WAY"),
        (("Dune Part 1", "Dune Part 2"), "DUNE"),
        (("Show - 101 - Pilot", "Show - 102 - Home"), "SHOW"),
        (("Pilot", "The Return"), ""),
        (("video_1", "video_2"), "VIDEO"),
    ):
        paths = [tmp_path / f"{name}.wav" for name in files]
        for path in paths:
            soundfile.write(path, np.zeros(800), 8000)
        assert common_title(paths) == title, files
