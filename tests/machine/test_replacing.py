"""What stands where a file is written: its links, mode and owner stay, what is read-only is left alone, and what
somebody else saved since it was read is not lost."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from commandline import cinecut
from oracle import Film
from talking import Question, Reply, sensible, talker
from watching import SMALL, written

from cinecut.cli.specs.check import fmt
from cinecut.diagnostics import Stop
from cinecut.files import check_is_file, claimed, held_by, put, remove, together, write_beside, writing
from cinecut.media import link

Films = Callable[[Film], Film]


def _write(path: Path) -> None:
    write_beside(path, "new")


def _put(*paths: Path) -> None:
    with TemporaryDirectory(dir=paths[0].parent) as work, together():
        for path in paths:
            (made := Path(work) / path.name).write_text("new")
            put(made, path)


@pytest.mark.parametrize("write", [_write, _put])
def test_links_mode_and_owner_stay(write: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (real := tmp_path / "elsewhere" / "real").write_text("old")
    real.chmod(0o640)
    if root := os.geteuid() == 0:
        os.chown(real, 1234, 1235)
    (path := tmp_path / "link").symlink_to(real)
    write(path)
    status = real.stat()
    assert (path.readlink(), real.read_text(), status.st_mode & 0o777) == (real, "new", 0o640)
    assert not root or (status.st_uid, status.st_gid) == (1234, 1235)
    assert {entry.name for entry in tmp_path.rglob("*")} == {"elsewhere", "real", "link"}


@pytest.mark.parametrize("former", [None, "old"])
def test_a_finished_file_goes_to_another_disk_through_a_link(
    former: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a disk has one number at both places."""
    renamed = os.rename
    here = str(tmp_path / "here")

    def rename(self: Path, target: Path) -> None:
        if str(self).startswith(here) != str(target).startswith(here):
            raise OSError(18, os.strerror(18))
        renamed(self, target)

    monkeypatch.setattr(Path, "replace", rename)
    monkeypatch.setattr(writing, "_exchanged", lambda one, other: False)
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    (path := tmp_path / "here" / "link").symlink_to(there := tmp_path / "there" / "real")
    (folder := tmp_path / "folder").mkdir()
    if former is not None:
        there.write_text(former)
    with pytest.raises(Stop):
        _put(path, folder)
    assert (there.read_text() if there.exists() else None) == former
    _put(path)
    assert (path.is_symlink(), there.read_text()) == (True, "new")


@pytest.mark.parametrize("write", [_write, check_is_file, _put])
def test_what_is_read_only_is_left_alone(write: Callable[[Path], None], tmp_path: Path) -> None:
    (path := tmp_path / "a b.yaml").write_text("old")
    path.chmod(0o444)
    with pytest.raises(Stop, match="read-only") as stop:
        write(path)
    assert path.read_text() == "old"
    assert stop.value.diagnostics[0].hints == (f"chmod u+w '{path}'",)


@pytest.mark.parametrize(
    "words", ["fmt a.yaml", "edit a.yaml trim 1 --out 0:03", "render a.yaml -f -o b.mp4", "sheet a.yaml -f -o b.mp4"]
)
def test_no_command_replaces_what_is_read_only(words: str, films: Films, tmp_path: Path) -> None:
    spec = written(tmp_path, films(SMALL).path)
    (output := tmp_path / "b.mp4").write_text("mine")
    before = spec.read_text()
    for file in (spec, output):
        file.chmod(0o440)
    done = cinecut(*words.split(), cwd=tmp_path)
    assert (done.returncode, "read-only" in done.stderr) == (1, True), done.stderr
    assert (spec.read_text(), output.read_text()) == (before, "mine")


@pytest.mark.parametrize(
    "words", ["fmt a.yaml", "edit a.yaml trim 1 --out 0:03", "render a.yaml --draft -f -o b.mp4", "sheet a.yaml -f"]
)
def test_another_name_of_a_file_keeps_what_it_held(words: str, films: Films, tmp_path: Path) -> None:
    """Which is said: somebody may have counted on their staying one file."""
    spec = written(tmp_path, films(SMALL).path)
    spec.write_text(spec.read_text().replace("timeline:", "timeline:   "))
    for name in ("b.mp4", "a.html"):
        (tmp_path / name).write_text("old")
    changed = {"r": "b.mp4", "s": "a.html"}.get(words[0], "a.yaml")
    (other := tmp_path / "other").hardlink_to(tmp_path / changed)
    before = other.read_text()
    done = cinecut(*words.split(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"note: {changed} had other names (hard links): they keep what it held before") == 1
    assert (other.read_text(), other.samefile(tmp_path / changed)) == (before, False)
    done = cinecut(*words.split(), cwd=tmp_path)
    assert "hard links" not in done.stderr


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("b.png", "vibes drama --still FILM@0:01 -f -o b.png"),
        ("b.poster.jpg", "render a.yaml --draft --sheet -f -o b.mp4"),
        ("a.yaml.lock", "lock a.yaml -f"),
        ("b.csv", "shots FILM -f -o b.csv"),
        ("c/shot_001.jpg", "shots FILM -f --stills c"),
        ("a.html", "sheet a.yaml -f"),
        ("b.edl", "export a.yaml --to edl -f -o b.edl"),
    ],
)
@pytest.mark.parametrize("how", ["link", "hard link"])
def test_no_command_replaces_what_it_reads(how: str, output: str, words: str, films: Films, tmp_path: Path) -> None:
    film = Path(shutil.copy(films(SMALL).path, tmp_path / "film.mkv"))
    written(tmp_path, film)
    assert cinecut("link", "a.yaml", cwd=tmp_path).returncode == 0
    before = film.read_bytes()
    (tmp_path / output).parent.mkdir(exist_ok=True)
    (tmp_path / output).symlink_to(film) if how == "link" else (tmp_path / output).hardlink_to(film)
    done = cinecut(*words.replace("FILM", str(film)).split(), cwd=tmp_path)
    assert (done.returncode, "which is read: nothing is written over it" in done.stderr) == (1, True), done.stderr
    assert film.read_bytes() == before
    assert (tmp_path / output).samefile(film)


@pytest.mark.parametrize(
    "words", ["render a.yaml", "sheet a.yaml", "export a.yaml --to otio", "verify a.yaml film.mkv"]
)
def test_nothing_that_a_spec_names_is_replaced(words: str, films: Films, tmp_path: Path) -> None:
    shutil.copy(films(SMALL).path, tmp_path / "film.mkv")
    spec = written(tmp_path, tmp_path / "film.mkv")
    spec.write_text(spec.read_text().replace("timeline:", "lut: a.cube\nlanguages: {fr: fr.yaml}\ntimeline:"))
    (tmp_path / "a.cube").write_text("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n")
    (tmp_path / "fr.yaml").write_text("The End: Fin\n")
    assert cinecut("link", "a.yaml", cwd=tmp_path).returncode == 0
    output = tmp_path / {"render": "b.mp4", "export": "b.otio"}.get(words.split()[0], "b.html")
    for read in [tmp_path / name for name in ("film.mkv", "a.cube", "fr.yaml", "a.yaml")]:
        output.symlink_to(read)
        before = read.read_bytes()
        done = cinecut(*words.split(), "-f", "--page" if "verify" in words else "-o", output.name, cwd=tmp_path)
        assert (done.returncode, "is read: nothing is written over it" in done.stderr) == (1, True), done.stderr
        assert (read.read_bytes(), output.samefile(read)) == (before, True)
        output.unlink()


def test_a_trailer_goes_where_its_link_leads(films: Films, tmp_path: Path) -> None:
    written(tmp_path, films(SMALL).path)
    (tmp_path / "disk").mkdir()
    (real := tmp_path / "disk" / "b.mp4").write_text("old")
    real.chmod(0o604)
    (output := tmp_path / "b.mp4").symlink_to(real)
    done = cinecut("render", "a.yaml", "--draft", "-f", "-o", "b.mp4", cwd=tmp_path)
    assert (done.returncode, output.is_symlink(), real.stat().st_mode & 0o777) == (0, True, 0o604), done.stderr
    assert real.stat().st_size > 1000
    output.unlink()
    output.symlink_to(tmp_path / "gone" / "b.mp4")
    done = cinecut("render", "a.yaml", "--draft", "-f", "-o", "b.mp4", cwd=tmp_path)
    assert (done.returncode, "a link into a folder that is not there" in done.stderr) == (1, True)


@pytest.mark.parametrize("was", ["old", b"old", ""])
def test_what_was_saved_meanwhile_is_not_lost(was: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    if was:
        path.write_text("old")
    write_beside(path, "new", was=was)
    with pytest.raises(Stop, match="changed meanwhile: nothing was written"):
        write_beside(path, "newer", was=was)
    assert held_by(path) == b"new"
    assert [*tmp_path.iterdir()] == [path]


def test_what_is_saved_in_the_very_moment_of_writing_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path := tmp_path / "a.yaml").write_text("old")
    exchanged = writing._exchanged

    def late(one: Path, other: Path) -> bool:
        if path.read_text() == "old":
            path.write_text("saved")
        return exchanged(one, other)

    monkeypatch.setattr(writing, "_exchanged", late)
    if not exchanged(path, path):
        pytest.skip("this system cannot exchange files")
    with pytest.raises(Stop, match="changed meanwhile"):
        write_beside(path, "new", was="old")
    assert (path.read_text(), [*tmp_path.iterdir()]) == ("saved", [path])


def test_a_spec_that_is_saved_while_its_film_is_measured(
    films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = written(tmp_path, films(SMALL).path)
    measured, saved = link.measure, spec.read_text() + "# saved\n"

    def slow(*asked: object) -> object:
        spec.write_text(saved)
        return measured(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(link, "measure", slow)
    with pytest.raises(Stop, match="changed meanwhile"):
        link.relink(spec, None)
    assert spec.read_text() == saved


def test_a_spec_that_is_saved_while_it_is_formatted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (spec := tmp_path / "a.yaml").write_text("cinecut:   1\n")

    def slow(document: object) -> str:
        spec.write_text("cinecut: 1 # saved\n")
        return "cinecut: 1\n"

    monkeypatch.setattr("cinecut.language.write.format_document", slow)
    with pytest.raises(Stop, match="changed meanwhile"):
        fmt([spec])
    assert spec.read_text() == "cinecut: 1 # saved\n"


def test_a_spec_that_is_saved_while_its_film_is_analyzed(films: Films, tmp_path: Path) -> None:
    spec = tmp_path / "a.yaml"

    def reply(question: Question) -> Reply:
        spec.write_text("mine\n")
        return sensible(question)

    with talker(reply) as model:
        words = ("analyze", films(SMALL).path, "--length", "5", "-o", spec, "--llm-url", model.url)
        done = cinecut(*words, cwd=tmp_path, CINECUT_CACHE_DIR=str(tmp_path / "runtime"))
    assert (done.returncode, "changed meanwhile" in done.stderr) == (1, True), done.stderr
    assert spec.read_text() == "mine\n"
    assert not spec.with_suffix(".html").exists()


def test_one_analysis_at_a_time_writes_a_spec(films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path / "runtime"))
    spec = tmp_path / "a.yaml"
    with claimed(spec):
        done = cinecut("analyze", films(SMALL).path, "--no-models", "-o", "a.yaml", cwd=tmp_path)
        assert (done.returncode, "another cinecut is writing a.yaml" in done.stderr) == (1, True), done.stderr
        with claimed(tmp_path / "b.yaml"):
            pass
    with claimed(spec):
        assert not spec.exists()
    assert not [*(tmp_path / "runtime").rglob("*.lock")]


@pytest.mark.parametrize("fails", [None, OSError, Stop])
def test_files_written_together_are_seen_together(fails: type[Exception] | None, tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    for file in (*files, gone := tmp_path / "gone"):
        file.write_text("old")
    error = None if fails is None else Stop("output", "no") if fails is Stop else fails("no")
    with pytest.raises(fails) if fails else contextlib.nullcontext(), together():
        for file in files:
            write_beside(file, "new", was="old")
        remove(gone)
        assert {file.read_text() for file in (*files, gone)} == {"old"}
        if error is not None:
            raise error
    assert [file.read_text() for file in files] == ["old" if fails else "new"] * 2
    assert gone.exists() == (fails is not None)
    assert len([*tmp_path.iterdir()]) == 2 + gone.exists()


def test_what_was_saved_while_others_were_written_keeps_them_all(tmp_path: Path) -> None:
    (one := tmp_path / "a").write_text("old")

    def write_both() -> None:
        with together():
            write_beside(one, "new", was="old")
            write_beside(tmp_path / "b", "new")
            one.write_text("mine")

    with pytest.raises(Stop, match="changed meanwhile"):
        write_both()
    assert (one.read_text(), [*tmp_path.iterdir()]) == ("mine", [one])


WRITER = """
import os, sys
from pathlib import Path
from cinecut.files import {block}, write_beside
os.getpid = lambda: {number}
with {block}({target}):
    {write}
    print(flush=True)
    sys.stdin.read()
"""
ALONE = {"block": "beside", "target": "Path('a')", "write": "pass"}
TOGETHER = {"block": "together", "target": "", "write": "write_beside(Path('a'), 'new')"}


@pytest.mark.parametrize("number", ["1", "0x3FFFFFFF"])  # of a process that runs, and of none
@pytest.mark.parametrize("how", [ALONE, TOGETHER])
def test_what_is_half_written_stays_as_long_as_its_writer(how: dict[str, str], number: str, tmp_path: Path) -> None:
    """Numbers of processes are no sign of it: those of another container are others."""
    code = WRITER.format(**how, number=number)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdin=pipe, stdout=pipe) as writer:
        assert writer.stdout
        writer.stdout.readline()
        parts = set(tmp_path.iterdir())
        write_beside(tmp_path / "b", "new")
        assert len(parts) == 1
        assert parts == set(tmp_path.glob(".*.part"))
        writer.kill()
    write_beside(tmp_path / "b", "new")
    assert [*tmp_path.iterdir()] == [tmp_path / "b"]


def test_many_files_are_written_together(tmp_path: Path) -> None:
    """More than a process may have open."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.close(free := os.dup(0))  # the lowest number: tests before this one may have left many open
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 40, most))
    try:
        with together():
            for number in range(100):
                write_beside(tmp_path / f"{number}", "new")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (least, most))
    assert len([*tmp_path.iterdir()]) == 100


def test_one_that_cannot_take_its_place_brings_the_others_back(tmp_path: Path) -> None:
    (old := tmp_path / "old").write_text("old")
    old.chmod(0o640)
    (gone := tmp_path / "gone").write_text("gone")
    (folder := tmp_path / "folder").mkdir()

    def write_all() -> None:
        with together():
            write_beside(old, "new")
            write_beside(tmp_path / "new", "new")
            remove(gone)
            write_beside(folder / "last", "new")
            shutil.rmtree(folder)

    with pytest.raises(Stop):
        write_all()
    assert (old.read_text(), old.stat().st_mode & 0o777, gone.read_text()) == ("old", 0o640, "gone")
    assert sorted(tmp_path.iterdir()) == [gone, old]


@pytest.mark.parametrize("exchanges", [True, False])  # some file systems cannot
def test_finished_files_take_their_places_together(
    exchanges: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanges:
        monkeypatch.setattr(writing, "_exchanged", lambda one, other: False)
    (work := tmp_path / "work").mkdir()
    (old := tmp_path / "old").write_text("old")
    files = [old, tmp_path / "new", tmp_path / "last"]

    def put_all() -> None:
        with together():
            for file in files:
                (made := work / file.name).write_text("made")
                put(made, file)
            assert not files[1].exists()

    files[2].mkdir()  # others make things too
    (files[2] / "theirs").touch()
    with pytest.raises(Stop):
        put_all()
    assert (old.read_text(), files[1].exists()) == ("old", False)
    (files[2] / "theirs").unlink()
    files[2].rmdir()
    put_all()
    assert [file.read_text() for file in files] == ["made"] * 3
