"""Shots found by words and by look."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from many import indexed, make_folder

import cinecut
from cinecut.catalogue.cutting import _names, spec_of
from cinecut.catalogue.find import Hit, Index
from cinecut.catalogue.like import look_of
from cinecut.catalogue.page import write_hits
from cinecut.catalogue.store import Catalogue
from cinecut.catalogue.words import MEASURES, WORDS, columns_of, terms_of
from cinecut.diagnostics import Stop
from cinecut.inference.models import minilm_engine
from cinecut.language.timebase import FILM_NAME


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("found")
    indexed(make_folder(base / "films"), base / "catalogue")
    return base


@pytest.fixture(scope="module")
def index(folder: Path) -> Index:
    return Index.open(folder / "catalogue")


def row(**values: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    measures = dict.fromkeys(MEASURES, float("nan")) | values
    return np.array([[measures[name] for name in MEASURES]], np.float32)


def test_a_word_has_a_strength_from_none_to_all_whatever_is_missing() -> None:
    known = (row(), row(luma=0, saturation=0, warmth=-1, face=0), row(luma=1, size=2, motion=1, seconds=99))
    for word, measures in product(WORDS, known):
        strength = WORDS[word](columns_of(measures))
        assert strength.shape == (1,), word
        assert 0 <= strength[0] <= 1, word


def test_words_say_what_is_measured() -> None:
    night = columns_of(row(luma=0.08, warmth=-0.2, size=2, motion=0.02))
    noon = columns_of(row(luma=0.8, warmth=0.1, size=0, motion=0.99))
    for word in ("night", "dark", "cold", "close-up", "still"):
        assert WORDS[word](night)[0] > 0.9 > 0.5 > WORDS[word](noon)[0], word
    for word in ("day", "bright", "wide", "moving"):
        assert WORDS[word](noon)[0] > 0.9 > 0.5 > WORDS[word](night)[0], word


def test_each_shot_is_found_by_its_own_picture(folder: Path, index: Index) -> None:
    film = folder / "films" / "below" / "mute.mp4"
    result = Catalogue.load(folder / "catalogue")
    shots = result.result(result.films[str(film)]).shots
    for place, shot in [*enumerate(shots)][::2]:
        look = look_of(f"mute@{float(shot.start.seconds):.3f}s", [path for path, _ in index.films])
        best = index.find([], look, ["mute*"], 1)[0]
        assert (best.film, best.place) == (film, place)


def test_a_picture_may_be_a_file(folder: Path, index: Index, tmp_path: Path) -> None:
    with av.open(str(folder / "films" / "spoken.mkv")) as media:
        frame = next(each for each in media.decode(video=0) if each.time and each.time > 5).to_ndarray(format="bgr24")
    cv2.imwrite(str(tmp_path / "still.png"), cv2.resize(frame, (1280, 720)))
    best = index.find([], look_of(str(tmp_path / "still.png"), []), [], 1)[0]
    assert best.range.start.seconds <= 5.1 < best.range.end.seconds
    assert best.film.name == "spoken.mkv"
    with pytest.raises(Stop, match="there is no film"):
        look_of("nowhere@3s", [])
    with pytest.raises(Stop, match="is no time"):
        look_of(f"{best.film}@soon", [])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Stop, match="is a device or a pipe"):
        look_of(str(tmp_path / "pipe"), [])


def test_a_line_is_found_as_it_is_written(index: Index) -> None:
    best = index.find(["valley"], None, [], 3)
    assert best[0].reasons[0].by == "line"
    assert "valley" in best[0].reasons[0].text
    assert best[0].score == 1
    assert all(hit.score < 0.5 for hit in index.find(["alle"], None, [], 3))  # a part of a word is none


@pytest.mark.skipif(minilm_engine() is None, reason="MiniLM is not installed")
def test_a_line_is_found_by_what_it_means(index: Index) -> None:
    best = index.find(["theft"], None, [], 1)[0]
    assert "took everything" in best.reasons[0].text


def test_only_of_the_films_that_are_named(index: Index) -> None:
    assert {hit.film.name for hit in index.find(["day"], None, ["MUTE*"], 50)} <= {"mute.mp4"}
    assert not index.find(["day"], None, ["other"], 50)


def test_as_many_as_there_are_and_the_best_first(index: Index) -> None:
    everything = index.find(terms_of("quiet, moving"), None, [], 1000)
    scores = [hit.score for hit in everything]
    assert scores == sorted(scores, reverse=True)
    assert [hit.score for hit in index.find(terms_of("quiet, moving"), None, [], 3)] == scores[:3]


def hits_of(index: Index, films: str) -> list[Hit]:
    return index.find([], np.ones(index.looks.shape[1], np.float32) / 656**0.5, [films], 4)


def test_a_spec_shows_the_shots_in_their_order(folder: Path, index: Index) -> None:
    target = folder / "films" / "found.yaml"
    hits = hits_of(index, "spoken*")
    target.write_text(spec_of(hits, Catalogue.load(folder / "catalogue"), target, "a # sign\nand a break"))
    spec = cinecut.load(target)
    assert not [each for each in cinecut.check(target) if each.severity == "error"]
    shown = [Fraction(event.shot.in_.seconds) for event in spec.timeline]  # type: ignore[union-attr]
    assert shown == sorted(hit.range.start.seconds for hit in hits)
    assert cinecut.compile(spec).frames == sum(round(hit.range.duration * 25) for hit in hits)


def test_a_spec_of_several_films_names_them(folder: Path, index: Index) -> None:
    hits, target = [*hits_of(index, "spoken*"), *hits_of(index, "mute*")], folder / "films" / "several.yaml"
    target.write_text(spec_of(hits, Catalogue.load(folder / "catalogue"), target, "all"))
    spec = cinecut.load(target)
    assert list(spec.films or {}) == ["spoken", "mute"]
    assert not [each for each in cinecut.check(target) if each.severity == "error"]
    assert cinecut.compile(spec).frames == sum(round(hit.range.duration * 25) for hit in hits)


def test_films_of_one_name_have_names_of_their_own() -> None:
    films = [Path("a/Film 1.mkv"), Path("b/film.1.mkv"), Path("2001.mkv"), Path("映画.mkv"), Path(f"{'x' * 60}.mkv")]
    names = list(_names(films).values())
    assert names[:4] == ["film-1", "film-1-2", "film-2001", "film"]
    assert list(_names([Path("L'été à Zürich.mkv"), Path("E\u0301te\u0301.mkv")]).values()) == ["l-ete-a-zurich", "ete"]
    assert all(FILM_NAME.fullmatch(name) for name in names)


def test_the_page_has_a_picture_of_each_hit_and_runs_nothing_foreign(folder: Path, index: Index) -> None:
    hits = hits_of(index, "spoken*")
    write_hits(hits, Catalogue.load(folder / "catalogue"), "<img src=x onerror=alert(1)>", folder / "hits.html")
    page = (folder / "hits.html").read_text()
    assert page.count("data:image/jpeg") == len(hits)
    assert "<img src=x" not in page
    assert "<SCRIPT" not in page.upper()


def _other_row(data: bytes) -> bytes:
    """Of shots by number: the first text's is far outside."""
    return data[:128] + b"\xff\xff\xff\x7f" + data[132:]


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("looks.npy", lambda data: b"\x80\x04pickled"),
        ("looks.npy", lambda data: data[:40] + b"\\\xaf!" + data[43:]),  # a text of Python that never ends
        ("measures.npy", lambda data: data.replace(b"'<f4'", b"'<O8'", 1)),
        ("film_of_shot.npy", lambda data: data[:30]),
        ("meanings.npy", lambda data: b""),
        ("shot_of_text.npy", _other_row),
        ("rows.sqlite", lambda data: data[:4096] + bytes(len(data) - 4096)),
        ("rows.sqlite", lambda data: data.replace(b"shots", b"sh\xffts")),
    ],
)
def test_a_damaged_index_is_said_to_be_one(
    name: str, spoil: Callable[[bytes], bytes], folder: Path, tmp_path: Path
) -> None:
    source = next((folder / "catalogue").glob("index-*"))
    for file in source.iterdir():
        data = file.read_bytes()
        (tmp_path / file.name).write_bytes(spoil(data) if file.name == name else data)
    with pytest.raises(Stop, match="is damaged"):
        Index.of(tmp_path).find(["bright", "mother"], None, (), 5)
