"""`cinecut music` as its users run it: what is kept, another song, none."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commandline import cinecut
from jamendo_host import Host

from cinecut.library import jamendo, songs
from cinecut.vibes import load_vibe

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


@pytest.fixture
def run(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`cinecut music …` with a cache of its own and a host on this machine."""

    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path))

    def music(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        known = {jamendo.CLIENT_ID: "my-id", jamendo.HOST: f"{host.url}/v3.0", "NO_PROXY": "127.0.0.1"}
        return cinecut("music", *arguments, cwd=tmp_path, CINECUT_CACHE_DIR=str(tmp_path), **{**known, **changes})

    return music


def test_music_is_replaced_listed_and_cleared(host: Host, run: Run, tmp_path: Path) -> None:
    assert run("list").stdout == "no music is kept\n"
    host.add("1", name="First", license_ccurl="https://creativecommons.org/licenses/by-nc/4.0/")
    first = run("replace", "horror")
    file = tmp_path / "music" / "horror" / "1-first.mp3"
    assert (first.returncode, file.is_file()) == (0, True)
    assert first.stdout.startswith(f"{file}: “First” by Somebody (https://www.jamendo.com/track/1), CC BY-NC 4.0 ")
    assert "warning: “First” by Somebody is CC BY-NC 4.0: not for commercial use [music]" in first.stderr

    host.add("2", name="Second")
    second = json.loads(run("replace", "horror", "--json").stdout)
    assert (second["title"], second["in use"], second["vibe"]) == ("Second", True, "horror")
    rows = run("list").stdout.splitlines()
    assert rows[0].split("\t") == ["vibe", "", "title", "artist", "licence", "length", "file"]
    assert rows[1].split("\t") == ["horror", "replaced", "First", "Somebody", "CC BY-NC 4.0", "0:08", str(file)]
    assert rows[2].split("\t")[:3] == ["horror", "in use", "Second"]

    assert run("clear", "comedy").stdout == "0 songs deleted\n"
    assert run("clear", "horror").stdout == "2 songs deleted\n"
    assert json.loads(run("list", "--json").stdout) == []


def test_the_list_as_json_holds_all_that_a_credit_needs(host: Host, run: Run) -> None:
    host.add("1")
    made = json.loads(run("replace", "western", "--json").stdout)
    listed = json.loads(run("list", "--json", JAMENDO_CLIENT_ID="").stdout)
    assert listed == [made]
    found = songs.cached("western")
    assert found is not None
    assert made == {
        "vibe": "western",
        "in use": True,
        "title": "Song 1",
        "artist": "Somebody",
        "licence": "CC BY 3.0",
        "licence_url": "https://creativecommons.org/licenses/by/3.0/",
        "url": "https://www.jamendo.com/track/1",
        "note": "",
        "seconds": round(float(found.seconds), 3),
        "file": str(found.file),
        "sha256": found.sha256,
    }


def test_clear_without_a_vibe_deletes_all(host: Host, run: Run) -> None:
    host.add("1")
    run("replace", "drama")
    run("replace", "horror")
    assert run("clear").stdout == "2 songs deleted\n"
    assert songs.songs() == []


@pytest.mark.parametrize(
    ("arguments", "client_id", "said"),
    [
        (["replace", "horor"], "my-id", "hint: did you mean horror?"),
        (["clear", "../analysis"], "my-id", "there is no vibe '../analysis'"),
        (["replace", "horror"], "", "Jamendo needs a client id, and none is set"),
        (["replace", "horror"], "my-id", "and has none [download]"),
    ],
    ids=["no vibe", "a path", "no id", "no song"],
)
def test_what_cannot_be_done_is_one_clear_error(
    host: Host, run: Run, arguments: list[str], client_id: str, said: str
) -> None:
    done = run(*arguments, JAMENDO_CLIENT_ID=client_id)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_replacing_with_nothing_leaves_the_song_in_use(host: Host, run: Run) -> None:
    host.add("1")
    assert run("replace", "horror").returncode == 0
    done = run("replace", "horror")
    assert done.returncode == 1
    assert "Jamendo has no other song for horror" in done.stderr
    kept = jamendo.fetch(load_vibe("horror"), None)
    assert kept.track == "1"
