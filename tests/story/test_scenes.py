"""What the shots show in the words of a model: asked over real HTTP, kept in a file, skipped where no words come."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import msgpack
import numpy as np
import pytest
from effort import GIVE_UP
from footage import RATE, Footage, make_film
from talking import Question, Reply, Talker, sensible, talker

from cinecut.analysis.cache import packed
from cinecut.analysis.film.blends import GradualCut
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.story.scene_store import NAME, Scene, SceneStore
from cinecut.analysis.story.scenes import Described, describe
from cinecut.inference.chat import Chat
from cinecut.inference.models import Part
from cinecut.inference.remote import Remote
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.probe import film_facts

COUNT = 12


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    return make_film(tmp_path_factory.mktemp("scenes") / "film.mkv", COUNT, spoken=False)


@pytest.fixture(scope="module")
def facts(footage: Footage) -> FilmFacts:
    return film_facts(footage.path)


@pytest.fixture
def server() -> Iterator[Talker]:
    with talker() as found:
        yield found


class Single(Remote):
    """A server that takes one question at a time, as ours does."""

    @contextmanager
    def open(self, part: Part) -> Iterator[Chat]:
        with super().open(part) as chat:
            yield replace(chat, slots=1)


def shots(footage: Footage) -> list[FilmShot]:
    edges = [FilmTime(edge / RATE) for edge in footage.edges]
    return [FilmShot(k, FilmRange(a, b), GradualCut.CUT) for k, (a, b) in enumerate(pairwise(edges))]


def described(footage: Footage, facts: FilmFacts, url: str, folder: Path) -> Described:
    return describe(footage.path, facts, shots(footage), Remote(url), folder, lambda done: None)


def said(found: Described) -> list[str]:
    return [diagnostic.message for diagnostic in found.diagnostics]


# --- asking ----------------------------------------------------------------------------------------------------------


def test_each_shot_is_described_once(footage: Footage, facts: FilmFacts, server: Talker, tmp_path: Path) -> None:
    heard: list[float] = []
    found = describe(footage.path, facts, shots(footage), Remote(server.url), tmp_path, heard.append)
    assert list(found.scenes) == list(range(COUNT))
    assert len(server.asked) == len(set(server.pictures)) == COUNT
    answers = [Scene(**sensible(question)) for question in server.asked]  # type: ignore[arg-type]
    assert sorted(map(str, answers)) == sorted(map(str, found.scenes.values()))
    assert (found.diagnostics, found.note, found.by) == ((), None, "llava-test")
    assert heard == [pytest.approx((k + 1) / COUNT) for k in range(COUNT)]


def test_the_model_sees_the_middle_of_the_shot(
    footage: Footage, facts: FilmFacts, server: Talker, tmp_path: Path
) -> None:
    described(footage, facts, server.url, tmp_path)
    for question, shot in zip(sorted_by_shot(server, footage, facts, tmp_path), shots(footage), strict=True):
        picture = cv2.imdecode(np.frombuffer(question, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (288, 512, 3)
        middle = (shot.range.start.seconds + shot.range.end.seconds) / 2
        frames = cv2.VideoCapture(str(footage.path))
        frames.set(cv2.CAP_PROP_POS_FRAMES, int(-(-middle * RATE // 1)) + 1)  # of two, one is decoded
        _, truth = frames.read()
        small = cv2.resize(truth, (512, 288), interpolation=cv2.INTER_CUBIC)
        assert np.abs(picture.astype(int) - small.astype(int)).mean() < 8


def sorted_by_shot(server: Talker, footage: Footage, facts: FilmFacts, folder: Path) -> list[bytes]:
    """The pictures that were sent, in the order of the shots: answers tell which is whose."""
    found = described(footage, facts, server.url, folder)
    by_scene = {str(Scene(**sensible(q))): q.picture for q in server.asked}  # type: ignore[arg-type]
    assert len(by_scene) == COUNT, "the film's pictures get different words"
    return [by_scene[str(found.scenes[k])] for k in range(COUNT)]


def test_several_are_asked_at_a_time_and_nothing_changes(footage: Footage, facts: FilmFacts, tmp_path: Path) -> None:
    with talker(delay=0.01) as server:
        alone = describe(footage.path, facts, shots(footage), Single(server.url), tmp_path / "one", lambda done: None)
        assert server.most == 1
    four = threading.Barrier(4)

    def reply(question: Question) -> Reply:
        four.wait(GIVE_UP)  # until four have come
        return sensible(question)

    with talker(reply) as server:
        together = described(footage, facts, server.url, tmp_path / "four")
        assert server.most == 4
    assert alone.scenes == together.scenes
    assert (tmp_path / "one" / NAME).read_bytes() == (tmp_path / "four" / NAME).read_bytes()


BAD: dict[str, Reply] = {
    "prose": "I am sorry, I only see a film.",
    "empty": {"visual_content": "", "mood": "", "action": "", "setting": ""},
    "blank": {"visual_content": " \n", "mood": "\t", "action": " ", "setting": " "},
    "half": {"visual_content": "A house.", "mood": "calm"},
    "long": {"visual_content": "A house. " * 100, "mood": "calm", "action": "none", "setting": "a hill"},
    "refused": 500,
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_asked_for_again(name: str, footage: Footage, facts: FilmFacts, tmp_path: Path) -> None:
    spoiled: set[str] = set()

    def reply(question: Question) -> Reply:
        first = question.about not in spoiled
        spoiled.add(question.about)
        return BAD[name] if first else sensible(question)

    with talker(reply) as server:
        found = described(footage, facts, server.url, tmp_path)
        assert len(server.asked) == 2 * COUNT
    assert (len(found.scenes), found.diagnostics) == (COUNT, ())


@pytest.mark.parametrize("name", BAD)
def test_what_stays_bad_is_skipped_and_counted(name: str, footage: Footage, facts: FilmFacts, tmp_path: Path) -> None:
    with talker() as server:
        whole = described(footage, facts, server.url, tmp_path / "whole")
        lost = set(server.pictures[3:5])
    with talker(lambda q: BAD[name] if q.about in lost else sensible(q)) as server:
        found = described(footage, facts, server.url, tmp_path)
        assert len(server.asked) == COUNT + 2
        assert len(found.scenes) == COUNT - 2
        assert found.scenes.items() <= whole.scenes.items()
        (message,) = said(found)
        assert message.startswith(f"2 of {COUNT} pictures were not described: ")
        again = described(footage, facts, server.url, tmp_path)
        assert len(server.asked) == COUNT + 2 + 4, "only those are asked for again"
    assert again.note == f"Cache hit: {COUNT - 2} scene descriptions from {NAME}"


def test_a_model_that_never_answers_well_is_given_up(footage: Footage, facts: FilmFacts, tmp_path: Path) -> None:
    with talker(lambda question: "Nice film!") as server:
        found = described(footage, facts, server.url, tmp_path)
        assert len(server.asked) < 2 * COUNT
    assert not found.scenes
    assert "the vision model was abandoned after" in said(found)[0]
    assert not (tmp_path / NAME).exists()


def test_what_a_server_said_before_it_went_is_kept(footage: Footage, facts: FilmFacts, tmp_path: Path) -> None:
    lock, heard = threading.Lock(), list[str]()

    def reply(question: Question) -> Reply:
        with lock:
            heard.append(question.about)
            number = len(heard)
        if number == 8:
            host.leave()
        if number > 7:
            raise ConnectionError
        return sensible(question)

    with talker(reply) as host:
        found = described(footage, facts, host.url, tmp_path)
    assert len(found.scenes) == 7
    (message,) = said(found)
    assert f"of {COUNT} pictures: " in message
    with talker() as server:
        whole = described(footage, facts, server.url, tmp_path)
        assert len(server.asked) == COUNT - 7
    assert len(whole.scenes) == COUNT
    assert whole.note == f"Cache hit: 7 of {COUNT} scene descriptions from {NAME}"


def test_an_interrupt_does_not_wait_for_a_server_that_is_silent(
    footage: Footage, facts: FilmFacts, tmp_path: Path
) -> None:
    lock, heard = threading.Lock(), list[str]()
    silent, waited = threading.Event(), list[bool]()

    def reply(question: Question) -> Reply:
        with lock:
            heard.append(question.about)
            number = len(heard)
        if number <= 3:
            return sensible(question)
        if number == 4:
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        waited.append(silent.wait(GIVE_UP))
        return 503

    with talker(reply) as server:
        with pytest.raises(KeyboardInterrupt):
            described(footage, facts, server.url, tmp_path)
        assert not waited, "the server has not answered yet"
        silent.set()
    with talker() as server:
        assert described(footage, facts, server.url, tmp_path).kept == 3, "what was said is kept also then"


# --- keeping ---------------------------------------------------------------------------------------------------------


def test_a_second_run_asks_nobody(footage: Footage, facts: FilmFacts, tmp_path: Path) -> None:
    with talker() as server:
        first = described(footage, facts, server.url, tmp_path)
        remote = Remote(server.url)
        assert remote.identity("vision")
    second = describe(footage.path, facts, shots(footage), remote, tmp_path, lambda done: None)
    assert second.scenes == first.scenes
    assert second.diagnostics == ()
    assert second.note == f"Cache hit: {COUNT} scene descriptions from {NAME}"


def test_a_film_that_changed_is_described_anew(
    footage: Footage, facts: FilmFacts, server: Talker, tmp_path: Path
) -> None:
    film = tmp_path / "film.mkv"
    film.write_bytes(footage.path.read_bytes())
    moved = replace(footage, path=film)
    described(moved, facts, server.url, tmp_path)
    os.utime(film, (1, 1))
    found = described(moved, facts, server.url, tmp_path)
    assert len(server.asked) == 2 * COUNT
    assert said(found) == [f"{NAME} was made before the film changed: the scenes are described again"]
    assert described(moved, replace(facts, fingerprint="1-0"), server.url, tmp_path).kept == 0


def test_each_model_keeps_its_own_words(footage: Footage, facts: FilmFacts, tmp_path: Path) -> None:
    other = {"visual_content": "Nothing much.", "mood": "dull", "action": "none", "setting": "unknown"}
    with talker() as server:
        described(footage, facts, server.url, tmp_path)
    with talker(lambda question: other, model="weak") as server:
        found = described(footage, facts, server.url, tmp_path)
        assert len(server.asked) == COUNT
    assert {scene.mood for scene in found.scenes.values()} == {"dull"}
    with talker() as server:
        assert described(footage, facts, server.url, tmp_path).kept == COUNT
        assert not server.asked


SCENES = {FilmTime(Fraction(k, 7)): Scene(f"A house, the {k}th.", "calm", "none", "a hill") for k in range(20)}


@pytest.fixture
def store(tmp_path: Path) -> SceneStore:
    film = tmp_path / "film.mkv"
    film.write_bytes(b"film")
    return SceneStore(tmp_path / "cache", film, "4-0", "a model", 1)


def test_scenes_come_back_as_they_were(store: SceneStore) -> None:
    assert store.read() == ({}, [])
    store.write(SCENES)
    assert store.read() == (SCENES, [])
    assert [entry.name for entry in store.path.parent.iterdir()] == [NAME]


class Foreign:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("cinecut-was-here",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no msgpack",
        pickle.dumps(Foreign()),
        packed([1, 2, 3]),
        packed({"scenes": []}),
        packed(["cinecut scenes", 1, b"0" * 32, b""]),
        packed(["something else", 1, b"", b""]),
        msgpack.packb(["cinecut scenes", 1, "x", msgpack.ExtType(1, b"1/0")]),
    ],
)
def test_a_foreign_file_is_a_miss_with_a_warning(
    store: SceneStore, data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store.path.parent.mkdir()
    store.path.write_bytes(data)
    found, (warning,) = store.read()
    assert (found, warning.message) == ({}, f"{NAME} is damaged: the scenes are described again")
    assert not Path("cinecut-was-here").exists()
    store.write(SCENES)
    assert store.read() == (SCENES, [])


def test_a_file_of_another_version_is_a_miss_with_a_warning(store: SceneStore) -> None:
    store.write(SCENES)
    kind, version, digest, inner = msgpack.unpackb(store.path.read_bytes())
    store.path.write_bytes(packed([kind, version + 1, digest, inner]))
    found, (warning,) = store.read()
    assert (found, warning.message) == ({}, f"{NAME} is of another version: the scenes are described again")


def test_no_damaged_byte_gets_through(store: SceneStore) -> None:
    store.write(SCENES)
    data = store.path.read_bytes()
    for place in range(0, len(data), 7):
        store.path.write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        assert len(store.read()[1]) == 1, place
        store.path.write_bytes(data[:place])
        assert len(store.read()[1]) == 1, place


def test_a_folder_that_refuses_costs_only_the_keeping(
    footage: Footage, facts: FilmFacts, server: Talker, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file stands here", encoding="utf-8")
    found = described(footage, facts, server.url, tmp_path / "cache")
    assert len(found.scenes) == COUNT
    assert any("cannot be written" in message for message in said(found))


# --- pictures --------------------------------------------------------------------------------------------------------


def test_a_shot_without_a_picture_is_skipped(
    footage: Footage, facts: FilmFacts, server: Talker, tmp_path: Path
) -> None:
    late = FilmTime(facts.duration + 5)
    beyond = replace(shots(footage)[0], index=COUNT, range=FilmRange(late, late + Fraction(2)))
    found = describe(footage.path, facts, [*shots(footage), beyond], Remote(server.url), tmp_path, lambda done: None)
    assert len(found.scenes) == COUNT
    assert said(found) == [f"1 of {COUNT + 1} pictures were not described: there is no picture to decode"]


def test_turned_and_squeezed_films_are_shown_upright(footage: Footage, facts: FilmFacts, tmp_path: Path) -> None:
    with talker() as server:
        odd = replace(facts, sar=Fraction(4, 3), rotation=90, fingerprint="1-0")
        described(footage, odd, server.url, tmp_path)
        picture = cv2.imdecode(np.frombuffer(server.asked[0].picture, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (512, 216, 3)
