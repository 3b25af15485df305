"""`analyze`, `trailer`, `vibes` and `beats` as commands: what they write, say, ask and refuse."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut, names, on_a_terminal
from footage import X264, Footage, make_film, song
from oracle import read_pictures
from test_analyze import FIRST, TEMPO, read

from cinecut.render.check import check_spec
from cinecut.vibes import DEFAULT, load_vibe
from cinecut.vibes import names as vibe_names


@pytest.fixture(scope="module", autouse=True)
def _cache(analyses: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_CACHE_DIR", str(analyses))
        yield


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    return make_film(tmp_path_factory.mktemp("films") / "film.mkv")


def test_analyze_writes_a_spec_and_a_sheet_and_never_over_them(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", 8, f"{X264} -metadata copyright=Somebody")
    arguments = ("analyze", str(film.path), "--length", "8", "-o", "deep/down/mine.yaml", "--json")
    run = cinecut(*arguments, cwd=tmp_path, CINECUT_CACHE_DIR=str(tmp_path / "cache"))
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert {"spec", "sheet", "credits", "shots", "seconds", "warnings", "film", "beats", "timeline"} == set(said)
    assert set(said["film"]["anchors"]) == {"begin", "escalation", "climax"}
    assert all(set(each) == {"name", "seconds", "protagonist"} for each in said["film"]["speakers"])
    assert len([event for event in said["timeline"] if "shot" in event]) == said["shots"] < len(said["film"]["shots"])
    spec, sheet = tmp_path / said["spec"], tmp_path / said["sheet"]
    assert names(spec.parent) == ["mine.credits.txt", "mine.html", "mine.yaml"]
    assert "Somebody" in (tmp_path / said["credits"]).read_text(encoding="utf-8")
    assert any((tmp_path / "cache").rglob("shots-*")), "the cache lies where CINECUT_CACHE_DIR says"
    assert f"vibe: {DEFAULT}\n" in spec.read_text(encoding="utf-8"), "nobody is asked where nobody can answer"
    spec.write_text("# my own edit\n", encoding="utf-8")
    page = sheet.read_bytes()
    refused = cinecut(*arguments, cwd=tmp_path)
    assert refused.returncode == 1
    assert "may have been edited" in refused.stderr
    assert spec.read_text(encoding="utf-8") == "# my own edit\n"
    assert sheet.read_bytes() == page
    again = cinecut(*arguments[:-1], "--force", cwd=tmp_path)
    assert (again.returncode, "deep/down/mine.credits.txt: whom" in again.stdout) == (0, True)
    assert list(check_spec(spec)) == []


def test_programs_are_told_of_music_that_could_not_be_fetched(film: Footage, tmp_path: Path) -> None:
    arguments = ("--length", "8", "--music", "jamendo", "-o", "mine.yaml", "--json")
    run = cinecut("analyze", str(film.path), *arguments, cwd=tmp_path, JAMENDO_CLIENT_ID="")
    assert run.returncode == 0, run.stderr
    (warning,) = [each for each in json.loads(run.stdout)["warnings"] if each["code"] == "music"]
    assert "no music from Jamendo" in warning["message"]
    assert run.stderr.count(warning["message"]) == 1


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("film.mkv", "no name for a spec"),
        ("folder.yaml", "is a folder"),
        ("film.mkv/spec.yaml", "no folder"),
        ("page.yaml", "no contact sheet"),
        ("/proc/none/spec.yaml", "/proc"),
        ("x" * 251 + ".yaml", "File name too long"),
        (f"new/{'x' * 246}.yaml", "File name too long"),
    ],
)
def test_no_file_of_the_users_is_replaced(output: str, words: str, film: Footage, tmp_path: Path) -> None:
    shutil.copy(film.path, tmp_path / "film.mkv")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "page.html").write_text("<p>mine</p>", encoding="utf-8")
    before = _stamps(tmp_path)
    force = [] if output == "page.yaml" else ["--force"]
    run = cinecut("analyze", "film.mkv", "--length", "15", "-o", output, *force, cwd=tmp_path)
    assert run.returncode == 1
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert _stamps(tmp_path) == before


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    return {name: (found.st_size, found.st_mtime_ns) for name in names(folder) if (found := (folder / name).stat())}


def test_the_command_in_a_specs_first_lines_can_be_copied_into_a_shell(film: Footage, tmp_path: Path) -> None:
    name = "L'été #2 [final].yaml"
    run = cinecut("analyze", str(film.path), "--length", "8", "--vibe", "action", "-o", name, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    said = (tmp_path / name).read_text(encoding="utf-8").splitlines()[2]
    assert shlex.split(said.split("`")[1]) == ["cinecut", "render", name]


def test_trailer_analyzes_and_renders(film: Footage, tmp_path: Path) -> None:
    arguments = ("trailer", str(film.path), "--draft", "--length", "8", "--vibe", "action")
    review = cinecut(*arguments, "--review", cwd=tmp_path)
    assert review.returncode == 0, review.stderr
    assert "cinecut render --draft -- specs/film.yaml" in review.stdout
    assert names(tmp_path) == ["specs"]
    run = cinecut(*arguments, "--force", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert names(tmp_path) == ["film_trailer_action_draft.mp4", "specs"]
    _, timeline = read(tmp_path / "specs" / "film.yaml")
    assert len(list(read_pictures(tmp_path / "film_trailer_action_draft.mp4"))) == timeline.frames


def test_review_shows_the_page_and_waits_for_a_spec_without_mistakes(film: Footage, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\necho "$1" > opened\n', encoding="utf-8")
    browser.chmod(0o755)
    spec = tmp_path / "specs" / "film.yaml"

    def edit(old: str, new: str) -> Callable[[], str]:
        def answer() -> str:
            assert not list(tmp_path.glob("*.mp4"))
            text = spec.read_text(encoding="utf-8")
            assert old in text
            spec.write_text(text.replace(old, new, 1), encoding="utf-8")
            return "\n"

        return answer

    arguments = ("trailer", str(film.path), "--draft", "--length", "8", "--vibe", "action", "--review")
    asked = [
        ("then press Enter to render", edit("timeline:", "timelin:")),
        ("Nothing is rendered yet. Mend specs/film.yaml", edit("timelin:", "timeline: :")),
        ("Nothing is rendered yet. Mend specs/film.yaml", edit("timeline: :", "timeline:")),
    ]
    said = on_a_terminal(tmp_path, *arguments, answers=asked, BROWSER=str(browser), NO_COLOR="1")
    assert (tmp_path / "opened").read_text(encoding="utf-8").strip() == (tmp_path / "specs/film.html").as_uri()
    assert "did you mean `timeline`?" in said
    assert said.count("\x1b[1A") <= 2, "one bar, of one line: only its end goes up a line"
    for title in ("Analyzing", "Rendering"):
        assert re.search(rf"{title} .* \d+% ", said)
    assert said.count("press Enter") == 3
    assert names(tmp_path) == ["browser", "film_trailer_action_draft.mp4", "opened", "specs"]


def test_trailer_says_what_would_end_the_render_before_the_long_work(film: Footage, tmp_path: Path) -> None:
    (tmp_path / "mine.mp4").write_text("mine", encoding="utf-8")
    taken = cinecut("trailer", str(film.path), "-o", "mine.mp4", cwd=tmp_path)
    assert (taken.returncode, "mine.mp4 is there already" in taken.stderr) == (1, True)
    absent = cinecut("trailer", str(film.path), "--ffmpeg", "/no/such", cwd=tmp_path)
    assert (absent.returncode, "there is no FFmpeg at" in absent.stderr) == (1, True)
    assert names(tmp_path) == ["mine.mp4"]
    assert (tmp_path / "mine.mp4").read_text(encoding="utf-8") == "mine"


def test_vibes_are_shown(tmp_path: Path) -> None:
    listed = cinecut("vibes", cwd=tmp_path)
    assert [row.split("\t")[0] for row in listed.stdout.splitlines()[1:]] == vibe_names()
    one = cinecut("vibes", "thriller", "--json", cwd=tmp_path)
    assert tuple(json.loads(one.stdout)[0]["pace"].values()) == load_vibe("thriller").pace
    helped = " ".join(cinecut("analyze", "--help", cwd=tmp_path, COLUMNS="200").stdout.split())
    assert f"a script gets {DEFAULT}" in helped
    again = " ".join(cinecut("recut", "--help", cwd=tmp_path, COLUMNS="200").stdout.split())
    assert "or a file of your own. Default: the present one." in again
    none = cinecut("vibes", "thriler", cwd=tmp_path)
    assert none.returncode == 1
    assert "did you mean thriller?" in none.stderr


def test_beats_prints_the_grid_and_renders_clicks(tmp_path: Path) -> None:
    track = str(song(tmp_path / "song.wav", np.arange(FIRST, 100, 60 / TEMPO)))
    run = cinecut("beats", track, "--click", "clicks.wav", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert (said["tempo"], said["metre"]) == (TEMPO, 4)
    assert abs(said["first"] - FIRST) < 0.005
    assert names(tmp_path) == ["clicks.wav", "song.wav"]
    again = cinecut("beats", track, "--click", "clicks.wav", cwd=tmp_path)
    assert again.returncode == 1
    assert "--force" in again.stderr
    for double in (2 * TEMPO, 2 * TEMPO + 1):
        told = cinecut("beats", track, "--tempo", str(double), "--json", cwd=tmp_path)
        assert json.loads(told.stdout)["tempo"] == 2 * TEMPO
    for odd in ("0", "1e99999999", "fast", "401", "-90"):
        refused = cinecut("beats", track, f"--tempo={odd}", cwd=tmp_path)
        assert (refused.returncode, "write beats a minute, from 20 to 400" in refused.stderr) == (1, True)
    both = cinecut("beats", track, "--tempo", "90", "--vibe", "action", cwd=tmp_path)
    assert "choose one of them" in both.stderr
