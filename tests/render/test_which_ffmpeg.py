"""Which FFmpeg renders, which is refused, and how many threads it takes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from commandline import cinecut
from oracle import Film, Sound

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg


@pytest.fixture
def folder(tmp_path: Path, films: Callable[[Film], Film]) -> Path:
    """A folder with a film of three seconds and a spec."""
    film = films(Film(Path("a.mkv"), rate=Fraction(24), frames=72, size=(320, 180), gop=12, sound=Sound()))
    shutil.copyfile(film.path, tmp_path / "film.mkv")
    (tmp_path / "spec.yaml").write_text("cinecut: 1\nfilm: film.mkv\ntimeline: [shot: 0:00.5 - 0:01]\n")
    return tmp_path


def fake(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def without(ffmpeg: Path, words: str) -> str:
    return f'#!/bin/sh\n"{ffmpeg}" "$@" | grep -v {words}\n'


def test_option_comes_before_environment(folder: Path, bundled: Path) -> None:
    log = folder / "log"
    spy = fake(folder / "spy", f'#!/bin/sh\necho "$0" >> "{log}"\nexec "{bundled}" "$@"\n')
    other = fake(folder / "other", f'#!/bin/sh\necho "$0" >> "{log}"\nexec "{bundled}" "$@"\n')
    done = cinecut("render", "spec.yaml", "-o", "a.mp4", cwd=folder, CINECUT_FFMPEG=str(spy))
    assert done.returncode == 0, done.stderr
    assert set(log.read_text(encoding="utf-8").split()) == {str(spy)}
    log.unlink()
    done = cinecut("render", "spec.yaml", "-o", "b.mp4", "--ffmpeg", "./other", cwd=folder, CINECUT_FFMPEG=str(spy))
    assert done.returncode == 0, done.stderr
    assert set(log.read_text(encoding="utf-8").split()) == {str(other)}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "there is no FFmpeg at"),
        ("just a text, not executable", "there is no FFmpeg at"),
        ("#!/bin/sh\necho hello\n", "does not answer as FFmpeg does"),
        ("#!/bin/sh\nexit 3\n", "does not answer as FFmpeg does"),
        ("#!/no/such/shell\n", "cannot be run"),
        ("\x7fELF not really", "cannot be run"),
        ("without libx264", "was built without libx264"),
        ("without overlay", "was built without overlay"),
    ],
)
def test_ffmpeg_that_is_none_or_lacks_something(folder: Path, bundled: Path, script: str | None, words: str) -> None:
    path = folder / "ffmpeg"
    if script is not None:
        fake(path, without(bundled, script.split()[1]) if script.startswith("without") else script)
        if script.startswith("just"):
            path.chmod(0o644)
    with pytest.raises(Stop) as stop:
        find_ffmpeg(str(path))
    assert stop.value.diagnostics[0].code == "no-ffmpeg"
    assert words in stop.value.diagnostics[0].message


@pytest.mark.parametrize("choice", ["no-such-name", ".", "~nobody-of-that-name/ffmpeg", "two words", "-h", "a\nb"])
def test_name_that_leads_to_no_ffmpeg(folder: Path, choice: str) -> None:
    done = cinecut("render", "spec.yaml", cwd=folder, CINECUT_FFMPEG=choice)
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no FFmpeg at ")


def test_systems_ffmpeg_where_none_is_bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CINECUT_FFMPEG", raising=False)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    system = shutil.which("ffmpeg")
    if system is None:
        with pytest.raises(Stop, match="no FFmpeg is installed"):
            find_ffmpeg()
    else:
        assert find_ffmpeg().path == str(Path(system).absolute())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Stop, match="no FFmpeg is installed"):
        find_ffmpeg()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_threads_for_many_shots(folder: Path, ffmpeg: Path) -> None:
    """A few for each shot's input (to read, to decode picture and sound), and those of one encoder."""
    shots = 40
    rows = "".join("  - shot: 0:01 - 0:02\n" for _ in range(shots))
    (folder / "spec.yaml").write_text(f"cinecut: 1\nfilm: film.mkv\ntimeline:\n{rows}", encoding="utf-8")
    most = folder / "most"
    watcher = fake(
        folder / "watched",
        f"#!{sys.executable}\nimport os, subprocess, sys, time\n"
        f'run = subprocess.Popen(["{ffmpeg}", *sys.argv[1:]])\n'
        "most = 0\n"
        "while run.poll() is None:\n"
        "    try:\n"
        '        most = max(most, len(os.listdir(f"/proc/{run.pid}/task")))\n'
        "    except FileNotFoundError:\n"
        "        break\n"
        "    time.sleep(0.005)\n"
        f'open("{most}", "a").write(f"{{most}} ")\n'
        "sys.exit(run.wait())\n",
    )
    done = cinecut("render", "spec.yaml", "--ffmpeg", watcher, cwd=folder)
    assert done.returncode == 0, done.stderr
    threads = max(int(number) for number in most.read_text(encoding="utf-8").split())
    assert shots / 2 < threads <= 4 * shots + 40
