"""`analyze` with models: what they say stands in the spec, what they cannot say is measured, and no kill changes it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from commandline import cinecut, model_server, start
from footage import Footage, make_film, srt
from talking import Question, Reply, sensible, talker

from cinecut.analysis.analyze import Analysis, analyze
from cinecut.analysis.cache import Cache
from cinecut.analysis.film.pictures import KeyPicture
from cinecut.analysis.film.signals import NEUTRAL, observe
from cinecut.analysis.request import Request
from cinecut.analysis.story.scene_store import NAME
from cinecut.analysis.story.scenes import SAVE_COUNT
from cinecut.diagnostics import Report
from cinecut.inference.models import ModelFiles, Part
from cinecut.inference.remote import Remote
from cinecut.inference.server import Local, Models
from cinecut.language.document import parse_document
from cinecut.language.events import Shot
from cinecut.language.read import load_spec
from cinecut.language.spec import Spec
from cinecut.language.timebase import FilmTime
from cinecut.media.probe import film_facts
from cinecut.render.check import check_spec, laid_out
from cinecut.review.sheet import Subject, write_sheet
from cinecut.vibes import DEFAULT, load_vibe

REAL = all(importlib.util.find_spec(name) for name in ("xllamacpp", "gguf"))
SLOTS = 4  # questions at a time that a remote server is asked


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, analyses: Path) -> Footage:
    """A film that has been looked at without models; what came of it lies in `cache` beside it."""
    folder = tmp_path_factory.mktemp("models")
    made = make_film(folder / "film.mkv", 24)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_CACHE_DIR", str(analyses))
        analysed(made.path, folder / "spec.yaml", None)
    measured = Cache(film_facts(made.path).fingerprint, analyses).folder
    kept = Cache(film_facts(made.path).fingerprint, folder / "cache").folder
    shutil.copytree(measured, kept, ignore=shutil.ignore_patterns("*.part"))
    return made


@pytest.fixture(autouse=True)
def own_cache(film: Footage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each test, with what was measured of the film in it: only models have work left."""
    shutil.copytree(film.path.with_name("cache"), tmp_path / "cache")
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(tmp_path / "runtime"))


def analysed(film: Path, target: Path, models: Models | None) -> Analysis:
    request = Request(film, target, load_vibe(DEFAULT), length=Fraction(12), models=models)
    found = analyze(request, lambda stage, done: None)
    target.write_text(found.text, encoding="utf-8")
    return found


def read(path: Path) -> Spec:
    report = Report()
    _, spec = load_spec(path, report)
    assert spec is not None
    return spec


def about_models(found: Analysis) -> list[str]:
    return [diagnostic.message for diagnostic in found.diagnostics if diagnostic.code == "model"]


# --- what stands in the spec -----------------------------------------------------------------------------------------


def page_of(found: Analysis, film: Path, folder: Path) -> str:
    """The contact sheet of what an analysis wrote."""
    layout = laid_out(document := parse_document(folder / "spec.yaml", found.text, Report()))
    write_sheet(Subject(layout, document, {"": film}, None), folder / "sheet.html", lambda done: None)
    return (folder / "sheet.html").read_text(encoding="utf-8")


def test_what_a_model_saw_stands_in_the_spec_and_on_the_sheet(film: Footage, tmp_path: Path) -> None:
    target = tmp_path / "spec.yaml"
    with talker() as server:
        found = analysed(film.path, target, Remote(server.url))
    assert list(check_spec(target)) == []
    shots = [entry for entry in read(target).timeline if isinstance(entry, Shot)]
    scenes = {scene.text for scene in found.seen.scenes.values()}
    assert shots
    assert {shot.scene for shot in shots} <= scenes
    assert {shot.by for shot in shots} == {"llava-test"}
    page = page_of(found, film.path, tmp_path)
    assert all(str(shot.scene) in page for shot in shots)


def test_a_shot_that_was_not_described_says_so(film: Footage, tmp_path: Path) -> None:
    """Every other picture gets prose, twice."""
    with talker(lambda q: "Prose." if q.picture and int(q.about, 16) % 2 else sensible(q)) as server:
        found = analysed(film.path, tmp_path / "spec.yaml", Remote(server.url))
    shots = [entry for entry in read(tmp_path / "spec.yaml").timeline if isinstance(entry, Shot)]
    assert {(shot.scene is None, shot.by) for shot in shots} == {(True, "signals"), (False, "llava-test")}
    assert all(take.signals.drama == NEUTRAL for take in found.takes if take.shot not in found.seen.scenes)
    lost = len([shot for shot in found.shots if shot.usable]) - len(found.seen.scenes)
    assert any(message.startswith(f"{lost} of ") for message in about_models(found))


def test_a_model_has_no_way_out_of_its_note(film: Footage, tmp_path: Path) -> None:
    """Whatever a model says is text: neither YAML nor HTML nor a control sign comes of it."""
    evil = {
        "visual_content": '"]}\n- black: 4s # \u202e\x1b[31m <script>alert(1)</script>',
        "mood": "'''",
        "action": "&a *b !!python/object %",
        "setting": "\ud800 |",
    }
    with talker(lambda q: evil if q.picture else sensible(q), model="evil/]}: 'model, <b>x</b>") as server:
        found = analysed(film.path, tmp_path / "spec.yaml", Remote(server.url))
    assert list(check_spec(tmp_path / "spec.yaml")) == []
    shots = [entry for entry in read(tmp_path / "spec.yaml").timeline if isinstance(entry, Shot)]
    assert all(shot.scene and "- black: 4s" in shot.scene and "\x1b" not in shot.scene for shot in shots)
    assert page_of(found, film.path, tmp_path).count("<script") == 0


def test_the_story_that_a_model_reads_stands_in_the_spec_and_is_asked_for_once(film: Footage, tmp_path: Path) -> None:
    says = [f"Wait for me, Anna, and tell Bruno that it is number {k}." for k in range(20)]
    subtitles = tmp_path / "named.srt"
    subtitles.write_text(srt(tuple((3 * k, 3 * k + 2, line) for k, line in enumerate(says))), encoding="utf-8")

    def bruno(question: Question) -> Reply:
        asked = question.schema["properties"]
        return {"reason": "All wait for him.", "name": "Bruno"} if "name" in asked else sensible(question)

    with talker(bruno, model="mistral-test") as server:
        models = Remote(server.url)
        request = Request(film.path, tmp_path / "spec.yaml", load_vibe(DEFAULT), subtitles, models=models)
        found = analyze(request, lambda stage, done: None)
        count = len(server.asked)
        again = analyze(request, lambda stage, done: None)
        assert len(server.asked) == count
    assert again.text == found.text
    request.target.write_text(found.text, encoding="utf-8")
    spec = read(request.target)
    assert spec.main_film.protagonist == "Bruno"
    assert spec.anchors is not None
    anchors = (spec.anchors.begin, spec.anchors.escalation, spec.anchors.climax)
    assert {anchor.by for anchor in anchors if anchor is not None} == {"mistral-test"}
    assert all(anchor is not None and anchor.line in says for anchor in anchors)


# --- without ---------------------------------------------------------------------------------------------------------


class _Broken:
    """A server program that has its own idea of a server."""

    def __init__(self, folder: Path, lines: str) -> None:
        self.path = folder / "llama-server"
        self.path.write_text(f"#!{sys.executable}\n{lines}\n", encoding="utf-8")
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)


def test_a_server_that_does_not_start_costs_only_its_words(film: Footage, tmp_path: Path) -> None:
    weights = tmp_path / "llava.gguf"
    weights.write_bytes(b"GGUF, but not really")
    broken = _Broken(tmp_path, "import sys; sys.exit('no such luck')")
    plain = analysed(film.path, tmp_path / "plain.yaml", None)
    local = Local([str(broken.path)], lambda holder: None, lambda part: ModelFiles("llava", weights))
    found = analysed(film.path, tmp_path / "spec.yaml", local)
    assert about_models(found)
    assert found.text.replace("spec.yaml", "plain.yaml") == plain.text


def test_a_server_that_is_gone_before_the_first_question_costs_only_its_words(film: Footage, tmp_path: Path) -> None:
    with talker() as server:
        remote = Remote(server.url)
        assert remote.identity("vision")
    plain = analysed(film.path, tmp_path / "plain.yaml", None)
    found = analysed(film.path, tmp_path / "spec.yaml", remote)
    assert any("abandoned" in message for message in about_models(found))
    assert found.text.replace("spec.yaml", "plain.yaml") == plain.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--llama-server", "/no/such/program"], "there is no program /no/such/program"),
        (["--llm-url", "http://127.0.0.1:9"], "there is no server at http://127.0.0.1:9"),
        (["--llm-url", "film.mkv"], "not of the form"),
        (["--llm-url", "http://127.0.0.1:9", "--llama-server", "x"], "choose one of them"),
        (["--llm-url", "http://127.0.0.1:9", "--no-models"], "choose one of them"),
        (["--llama-server", sys.executable], "there is no model"),
    ],
)
def test_what_the_user_names_must_be_there_before_any_work(
    options: list[str], words: str, film: Footage, tmp_path: Path
) -> None:
    run = cinecut("analyze", str(film.path), *options, cwd=tmp_path, CINECUT_CACHE_DIR=str(tmp_path / "empty"))
    assert run.returncode == 1
    assert words in run.stderr
    assert run.stderr.startswith("error: ")
    assert not (tmp_path / "specs").exists()
    assert not any((tmp_path / "empty").rglob("shots-*"))


def test_no_models_means_none(film: Footage, tmp_path: Path) -> None:
    arguments = ("analyze", str(film.path), "--length", "12", "--no-models")
    run = cinecut(*arguments, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "by: signals" in (tmp_path / "specs" / "film.yaml").read_text(encoding="utf-8")


# --- again, and after a kill -----------------------------------------------------------------------------------------


def test_a_second_run_says_what_it_did_not_ask_again(film: Footage, tmp_path: Path) -> None:
    with talker() as server:
        arguments = ("analyze", str(film.path), "--length", "12", "--force", "--llm-url", server.url)
        first = cinecut(*arguments, cwd=tmp_path)
        assert first.returncode == 0, first.stderr
        asked = len(server.asked)
        spec = (tmp_path / "specs" / "film.yaml").read_bytes()
        second = cinecut(*arguments, cwd=tmp_path)
        assert len(server.asked) == asked
    count = len(set(server.pictures))
    assert f"Cache hit: {count} scene descriptions from {NAME}" in second.stderr.splitlines()
    assert "Cache hit" not in first.stderr
    assert (tmp_path / "specs" / "film.yaml").read_bytes() == spec


def test_two_threads_see_the_faces_that_one_sees() -> None:
    """Else no run would be like the one before."""
    pictures = [_drawn_face(seed) for seed in range(24)]
    alone = [observe(picture).face for picture in pictures]
    assert len(set(alone)) > 5, "faces of several sizes are found"
    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            assert [look.face for look in pool.map(observe, pictures)] == alone


def _drawn_face(seed: int) -> KeyPicture:
    dice = np.random.default_rng(seed)
    bgr = np.full((180, 320, 3), dice.integers(90, 200), np.uint8)
    x, y, r = (int(dice.integers(*span)) for span in ((60, 260), (60, 120), (25, 50)))
    cv2.ellipse(bgr, (x, y), (int(r * 0.8), r), 0, 0, 360, (170, 190, 220), -1)
    for side in (-1, 1):
        cv2.ellipse(bgr, (x + side * r // 3, y - r // 5), (r // 6, r // 10), 0, 0, 360, (40, 40, 50), -1)
        brow = ((x + side * r // 7, y - r * 3 // 8), (x + side * r // 2, y - r * 2 // 5))
        cv2.line(bgr, *brow, (60, 60, 70), max(1, r // 14))
    cv2.line(bgr, (x, y - r // 10), (x, y + r // 4), (120, 140, 170), max(1, r // 12))
    cv2.ellipse(bgr, (x, y + r // 2), (r // 3, r // 10), 0, 0, 360, (60, 60, 120), -1)
    return KeyPicture(seed, FilmTime(Fraction(seed)), cv2.GaussianBlur(bgr, (5, 5), 0).astype(np.uint8))


def test_a_killed_run_goes_on_where_it_was(film: Footage, tmp_path: Path) -> None:
    """Killed after the 3rd and the 18th picture: the same spec, and few pictures asked for twice."""
    with talker(delay=0.02) as server:
        whole = _folder(tmp_path / "whole", film)
        assert cinecut(*_arguments(film, server.url), cwd=whole, **_caches(whole)).returncode == 0
        pictures = set(server.pictures)
    killed = _folder(tmp_path / "killed", film)
    with talker(delay=0.02) as server:
        for count in (3, 18):
            run = start(*_arguments(film, server.url), cwd=killed, changes=_caches(killed))
            while len(server.pictures) < count and run.poll() is None:
                time.sleep(0.005)
            run.kill()
            run.wait()
        assert len(set(server.pictures)) < len(pictures), "it was killed before it was done"
        assert cinecut(*_arguments(film, server.url), cwd=killed, **_caches(killed)).returncode == 0
        assert set(server.pictures) == pictures
        assert len(server.pictures) - len(pictures) <= 2 * (SAVE_COUNT - 1 + SLOTS)
    spec = Path("specs") / "film.yaml"
    named = re.compile(rb"127\.0\.0\.1:\d+")
    assert named.sub(b"", (killed / spec).read_bytes()) == named.sub(b"", (whole / spec).read_bytes())


def _folder(path: Path, film: Footage) -> Path:
    """A folder with a cache of its own."""
    shutil.copytree(film.path.with_name("cache"), path / "cache")
    return path


def _caches(folder: Path) -> dict[str, str]:
    return {"CINECUT_CACHE_DIR": str(folder / "cache")}


def _arguments(film: Footage, url: str) -> tuple[str, ...]:
    return ("analyze", str(film.path), "--length", "12", "--llm-url", url)


# --- for real --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    from tiny_llava import write_tiny_llava

    return ModelFiles("llava", *write_tiny_llava(tmp_path_factory.mktemp("tiny")))


@pytest.mark.skipif(not REAL, reason="the extra `models` is not installed")
def test_a_real_server_describes_the_film_once(tiny: ModelFiles, tmp_path: Path) -> None:
    film = make_film(tmp_path / "short.mkv", 6)

    def find(part: Part) -> ModelFiles | None:
        return tiny if part == "vision" else None

    local = Local(model_server(), lambda holder: None, find)
    first = analysed(film.path, tmp_path / "spec.yaml", local)
    assert list(check_spec(tmp_path / "spec.yaml")) == []
    assert list(first.seen.scenes) == [shot.index for shot in first.shots if shot.usable]
    assert first.seen.note is None
    no_server = Local(["/no/such/server"], lambda holder: None, find)
    second = analysed(film.path, tmp_path / "spec.yaml", no_server)
    assert not about_models(second), "no server is started where nothing is to be asked"
    assert second.seen.kept == len(first.seen.scenes)
    assert second.text == first.text
