"""Files as they may be: what is none is neither waited for nor replaced."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import cinecut
from oracle import Film
from watching import SMALL, written

import cinecut as package
from cinecut.analysis.cache import Cache
from cinecut.diagnostics import Stop
from cinecut.files import (
    NotAFileError,
    check_is_file,
    content_of,
    json_of,
    open_file,
    real_path,
    working_folder,
    write_beside,
)
from cinecut.language.read import specs_in
from cinecut.render.store import Store

OTHERS: dict[str, Callable[[Path], object]] = {
    "a device or a pipe": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a link to itself": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_file_is_neither_read_nor_replaced(what: str, tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    OTHERS[what](path)
    before = path.lstat()
    with pytest.raises(OSError, match=what if what != "a link to itself" else "symbolic links"):
        content_of(path)
    with pytest.raises(Stop), open_file(path):
        pass
    with pytest.raises(Stop, match=what):
        check_is_file(path)
    with pytest.raises(Stop, match=what):
        write_beside(path, "new")
    assert path.lstat().st_ino == before.st_ino
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError, NotAFileError])
def test_what_is_wrong_with_another_file_is_not_said_of_the_one_that_is_read(
    error: type[OSError], tmp_path: Path
) -> None:
    (path := tmp_path / "a.yaml").touch()
    with pytest.raises(error) as raised, open_file(path):
        raise error(1, "no", str(tmp_path / "b"))
    assert raised.value.filename == str(tmp_path / "b")
    with pytest.raises(Stop, match=r"a\.yaml"), open_file(path):
        raise OSError(5, "no")


@pytest.mark.parametrize("text", ["[" * 5000, b"[" * 5000, "{", b"\xff"])
def test_json_that_cannot_be_read_is_one_kind_of_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"nested|Expecting|decode"):
        json_of(text)


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_file_in_a_cache_is_made_again(what: str, tmp_path: Path) -> None:
    (made := tmp_path / "made").write_text("it")
    store = Store(tmp_path / "store")
    store.keep("ab", made)
    (entry,) = store.entries()
    entry.unlink()
    OTHERS[what](entry)
    assert not store.take("ab", tmp_path / "taken")
    assert [warning.code for warning in store.warnings] == ["store"]
    store.keep("ab", made)
    assert store.take("ab", tmp_path / "taken")
    # A kept result of an analysis
    cache = Cache("film", tmp_path)
    assert cache.kept("stage", "1", int, lambda: 1) == 1
    (file,) = cache.folder.iterdir()
    file.unlink()
    OTHERS[what](file)
    assert cache.kept("stage", "1", int, lambda: 2) == 2


def test_a_device_is_no_output() -> None:
    with pytest.raises(Stop, match="a device or a pipe"):
        write_beside(Path(os.devnull), "new")
    assert not Path(os.devnull).is_file()


def test_paths_and_folders_with_links_to_themselves(tmp_path: Path) -> None:
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "a.yaml").write_text("cinecut: 1\n")
    assert real_path(loop) == loop
    assert [*specs_in(tmp_path)] == [tmp_path / "a.yaml"]


def test_a_working_folder_that_was_just_deleted_is_anothers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def deleted_meanwhile(path: Path, *arguments: int) -> int:
        descriptor = opened(path, *arguments)
        path.rmdir()
        return descriptor

    monkeypatch.setattr(os, "open", deleted_meanwhile)
    with pytest.raises(Stop, match="another cinecut"), working_folder(tmp_path / "a.mp4"):
        pass


def test_the_longest_names_are_written_too(tmp_path: Path) -> None:
    output = tmp_path / ("é" * 125 + ".mp4")
    with working_folder(output) as folder:
        assert folder.parent == tmp_path
        with pytest.raises(Stop, match="another cinecut"), working_folder(output):
            pass
    write_beside(output, "a name of any bytes: \udcff")
    assert output.read_text() == "a name of any bytes: \\udcff"
    assert [*tmp_path.iterdir()] == [output]


@pytest.mark.parametrize(
    ("pipe", "words", "status"),
    [
        ("a.known.json", "check a.yaml", 0),
        ("a.html", "sheet a.yaml", 1),
        ("a.html", "sheet a.yaml --force", 1),
        ("credits.txt", "analyze a.mp4 --credits credits.txt --no-models -o made.yaml", 1),
        ("b.yaml", "check .", 0),
        ("catalogue/catalogue.json", "find night", 1),
    ],
)
def test_no_command_waits_for_a_pipe(
    films: Callable[[Film], Film], pipe: str, words: str, status: int, tmp_path: Path
) -> None:
    spec = written(tmp_path, films(SMALL).path)
    assert cinecut("link", spec, cwd=tmp_path).returncode == 0
    (tmp_path / pipe).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / pipe)
    done = cinecut(*words.split(), cwd=tmp_path)
    assert (done.returncode, "fault of its own" in done.stderr) == (status, False), done.stderr
    assert (tmp_path / pipe).is_fifo()


@pytest.mark.parametrize("word", [".", "/", ""])
@pytest.mark.parametrize(
    "words",
    [
        "sheet {}", "why {}", "conform {} a.mp4", "transcribe {}", "export a.yaml --to edl -f -o {}", "lock {}",
        "analyze a.mp4 --no-models -o {}", "beats a.mp4 --click {}", "render a.yaml -o {}", "recut {}",
    ],
)  # fmt: skip
def test_a_path_without_a_name_is_no_file(words: str, word: str, tmp_path: Path) -> None:
    done = cinecut(*(word if each == "{}" else each for each in words.split()), cwd=tmp_path)
    assert done.returncode == 2
    assert "is a folder, not a file" in done.stderr or "the name of the file is empty" in done.stderr


def test_files_are_read_through_one_door() -> None:
    """A path that a user can name may be of a pipe, so that it is opened by `cinecut.files` alone; these read what
    they brought, wrote, or have from the kernel."""
    own = {
        "cli/__init__.py", "doctor.py", "files/reading.py", "files/unfinished.py", "fonts/glyphs.py",
        "inference/models.py", "inference/whisper.py",
        "language/schema.py", "machine/child.py", "machine/interrupts.py", "media/program_map.py",
        "proof/verify/reference.py", "render/segments/studio.py", "render/store.py", "watch/server.py",
        "analysis/stage.py",
    }  # fmt: skip
    base = Path(package.__file__).parent
    bypassing = {
        str(file.relative_to(base))
        for file in base.rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"\.read_(text|bytes)\(|\.open\(\"rb\"\)|\.open\((encoding|\))", line) and "__file__" not in line
    }
    assert bypassing - own == set()
