"""Defaults of one's own: which one holds, who says so, and what is wrong with a file that sets them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from commandline import cinecut
from oracle import Film

from cinecut.cli.films.options import FilmOptions
from cinecut.config import KEYS, defaults, song_file
from cinecut.diagnostics import Stop

SPEC = """cinecut: 1
film:
  file: film.mkv
  facts: {fingerprint: 4-0, size: 640x360, rate: 24, duration: 600}
timeline: [shot: 0:16 - 0:20]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with specs in a folder, and a user's file elsewhere."""
    monkeypatch.setenv("CINECUT_CONFIG", str(tmp_path / "home" / "config.toml"))
    for key in ("vibe", "output", "music", "jobs", "language", "ffmpeg"):
        monkeypatch.delenv(KEYS[key].variable, raising=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "project" / "specs").mkdir(parents=True)
    return tmp_path


def write(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


def test_the_nearest_word_holds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = write(folder / "home" / "config.toml", 'vibe = "drama"\njobs = 3\nlanguage = "en"\noutput = "../out"\n')
    specs = folder / "project" / "specs"
    assert {key: own.value for key, own in defaults(specs).items() if key != "models"} == {
        "vibe": "drama", "output": f"{folder}/home/../out", "jobs": "3", "language": "en",
    }  # fmt: skip
    project = write(
        folder / "project" / "pyproject.toml", '[project]\nname = "x"\n[tool.cinecut]\njobs = 2\nvibe = "war"\n'
    )
    assert (defaults(specs)["jobs"].value, defaults(specs)["jobs"].where) == ("2", f"{project}:4")
    beside = write(specs / "cinecut.toml", '# ours\nvibe = "own.yaml"\n')
    found = defaults(specs)
    assert (found["vibe"].value, found["vibe"].where) == (f"{specs}/own.yaml", f"{beside}:2")
    assert found["jobs"].where == f"{user}:2"  # one file counts, the nearest
    monkeypatch.setenv("CINECUT_VIBE", "comedy")
    assert (defaults(specs)["vibe"].value, defaults(specs)["vibe"].where) == ("comedy", "CINECUT_VIBE")
    assert defaults(None)["jobs"].value == "3"


BAD = {
    "not TOML": ("vibe = \n", "option", 1, "not TOML"),
    "not known": ('# ours\nvibes = "war"\n', "unknown-key", 2, "did you mean `vibe`"),
    "no number": ('vibe = "war"\njobs = "many"\n', "wrong-value", 2, "a whole number, 1 to 1000"),
    "no text": ("\n\nlanguage = 7\n", "wrong-value", 3, "a text"),
    "what runs": ('ffmpeg = "./mine"\n', "option", 1, "may come from anybody"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_one_message_with_its_place(name: str, folder: Path) -> None:
    text, code, line, words = BAD[name]
    file = write(folder / "project" / "cinecut.toml", text)
    with pytest.raises(Stop) as stop:
        defaults(folder / "project" / "specs")
    (found,) = stop.value.diagnostics
    assert found.span is not None
    assert (found.code, found.span.file, found.span.line + 1) == (code, str(file), line)
    assert words in " ".join((found.message, *found.hints))
    done = cinecut("config", folder / "project" / "specs", cwd=folder)
    assert done.returncode == 1
    assert f"{file}:{line}:" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_runs_is_the_users_alone(folder: Path) -> None:
    write(folder / "home" / "config.toml", 'ffmpeg = "/opt/ffmpeg"\nmodels = "~/m"\n')
    assert defaults(None)["ffmpeg"].value == "/opt/ffmpeg"


def test_songs_are_looked_for_in_their_folder(folder: Path) -> None:
    (folder / "songs").mkdir()
    song = write(folder / "songs" / "a.ogg", "")
    specs = folder / "project" / "specs"
    write(specs / "cinecut.toml", f'music = "{folder}/songs"\n')
    assert song_file(Path("a.ogg"), specs) == song
    assert song_file(Path("b.ogg"), specs) == Path("b.ogg")


def test_the_commands_show_what_is_set_and_where(folder: Path) -> None:
    spec = write(folder / "project" / "specs" / "film.yaml", SPEC)
    file = write(folder / "project" / "cinecut.toml", 'output = "out"\njobs = 1\n')
    shown = json.loads(cinecut("config", spec, "--json", cwd=folder).stdout)
    assert shown["files"][-1] == str(file)
    assert shown["defaults"]["jobs"] == {"value": "1", "where": f"{file}:2"}
    assert shown["defaults"]["vibe"] is None
    settings = json.loads(cinecut("explain", spec, "--json", cwd=folder).stdout)["settings"]
    assert {"path": "render: output", "value": f"{folder}/project/out", "by": f"{file}:1"} in settings


def test_a_name_that_the_environment_gives_controls_no_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINECUT_CONFIG", "\x07\x1b[31m.toml")
    printed = cinecut("config", cwd=folder).stdout
    assert "\ufffd[31m.toml" in printed
    assert not {"\x07", "\x1b"} & {*printed}


def test_an_analysis_takes_what_nobody_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "project")
    write(folder / "project" / "cinecut.toml", 'vibe = "war"\nlanguage = "fr"\nmusic = "."\n')
    write(folder / "project" / "a.ogg", "")
    film = Path("film.mkv")
    found = FilmOptions(films=[film], language="en", music="a.ogg").with_defaults()
    assert (found.vibe, found.language, found.music) == ("war", "en", "a.ogg")
    (folder / "project" / "a.ogg").rename(folder / "b.ogg")
    write(folder / "project" / "cinecut.toml", 'music = ".."\n')
    found = FilmOptions(films=[film], music="b.ogg").with_defaults()
    assert (found.vibe, found.music) == (None, f"{folder / 'project'}/../b.ogg")


def test_a_render_goes_where_the_project_says(folder: Path, films: Callable[[Film], Film]) -> None:
    film = films(Film(Path("film.mkv"), rate=Fraction(24), frames=48)).path
    text = f"cinecut: 1\nfilm: {film}\ntimeline: [shot: {{in: 0s, for: 12f}}]\n"
    spec = write(folder / "project" / "specs" / "film.yaml", text)
    write(folder / "project" / "cinecut.toml", 'output = "out/new"\njobs = 1\n')
    done = cinecut("render", spec, "--draft", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert [file.suffix for file in (folder / "project" / "out" / "new").iterdir()] == [".mp4"]


def test_a_home_that_cannot_be_looked_at_has_no_defaults(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's, say: here one whose name no disk takes."""
    monkeypatch.setenv("CINECUT_CONFIG", str(folder / ("home" * 100) / "config.toml"))
    assert "vibe" not in defaults(None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_file_is_utf_8_or_refused(encoding: str, folder: Path) -> None:
    """An editor's mark at its head is no matter; no sign is taken for another."""
    text = '# ours\noutput = "/Größe"\n'
    (folder / "project" / "cinecut.toml").write_bytes(text.encode(encoding))
    if encoding.startswith("utf-8"):
        assert defaults(folder / "project")["output"].value == "/Größe"
        return
    with pytest.raises(Stop, match="is not UTF-8 text") as stop:
        defaults(folder / "project")
    assert stop.value.diagnostics[0].span is not None


@pytest.mark.parametrize("place", ["project/cinecut.toml", "home/config.toml"])
@pytest.mark.parametrize("what", ["pipe", "folder", "dead link"])
def test_what_is_no_file_is_said_to_be_none(what: str, place: str, folder: Path) -> None:
    file = folder / place
    if what == "pipe":
        os.mkfifo(file)
    elif what == "folder":
        file.mkdir()
    else:
        file.symlink_to("nowhere")
    with pytest.raises(Stop, match=r"a device or a pipe|a folder|there is no file"):
        defaults(folder / "project")


@pytest.mark.parametrize("command", ["config", "explain"])
def test_a_long_value_is_shown_shortened(command: str, folder: Path) -> None:
    write(folder / "project" / "film.yaml", SPEC)
    write(folder / "project" / "cinecut.toml", f'output = "{"9" * 5000}"\n')
    done = cinecut(command, "film.yaml", cwd=folder / "project")
    assert done.returncode == 0, done.stderr
    assert "99 … 99" in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 600
