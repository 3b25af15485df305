"""The GPU lock between processes, and what is left when one of them dies in the middle: nothing."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest
from commandline import Running, cinecut, names, start
from effort import GIVE_UP
from oracle import Film, read_frames

from cinecut.diagnostics import Stop
from cinecut.machine import gpu
from cinecut.machine.gpu import gpu_lock, lock_path

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are watched through /proc")

_LONG = "output: {size: 640x360, preset: veryslow}\ntimeline: [black: 3600s]\n"
_SHORT = "timeline: [shot: 0:00 - 0:01]\n"


@pytest.fixture
def folder(tmp_path: Path, films: Callable[[Film], Film]) -> Path:
    """A folder with a small film, a spec whose render takes minutes, and one whose render takes an instant."""
    film = films(Film(Path("a.mkv"), rate=Fraction(24), frames=48, size=(160, 90)))
    (tmp_path / "film.mkv").symlink_to(film.path)
    for name, rest in (("long", _LONG), ("short", _SHORT)):
        (tmp_path / f"{name}.yaml").write_text(f"cinecut: 1\nfilm: film.mkv\n{rest}", encoding="utf-8")
    return tmp_path


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Running]:
    """cinecut in a process group of its own, as a shell starts it."""
    process = start(*arguments, cwd=folder, group=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def state(pid: int) -> str:
    """A process's state letter; Z where it is gone but for its parent's notice, X where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def until(what: str, found: Callable[[], int | None]) -> int:
    """Wait for a fact to come true; its number. There is no time in which it must."""
    end = time.monotonic() + GIVE_UP
    while time.monotonic() < end:
        number = found()
        if number is not None:
            return number
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


def encoding_child(pid: int, part: Path) -> int:
    """The FFmpeg that a cinecut runs, once it has begun to write."""

    def find() -> int | None:
        if not part.exists() or not part.stat().st_size:
            return None
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == pid and part.name.encode() in (entry / "cmdline").read_bytes():
                return int(entry.name)
        return None

    return until("FFmpeg to write", find)


def ended(pid: int) -> None:
    until(f"process {pid} to end", lambda: 0 if state(pid) in "XZ" else None)


def test_second_render_waits_says_for_whom_and_goes_on_when_that_one_is_killed(folder: Path) -> None:
    with running(folder, "render", "long.yaml", "-o", "a.mp4") as holder:
        ffmpeg = encoding_child(holder.pid, folder / ".a.mp4.part" / "segment_0.mp4")
        with running(folder, "render", "short.yaml", "-o", "b.mp4") as waiting:
            assert waiting.stderr is not None
            said = waiting.stderr.readline()
            assert f"waits for the GPU lock, held by process {holder.pid}: rendering a.mp4, since " in said
            assert waiting.poll() is None
            assert state(ffmpeg) not in "XZ"

            holder.kill()  # -9: no chance to say or to clean anything
            ended(ffmpeg)  # its FFmpeg goes with it, and so the lock is free
            out, err = waiting.communicate(timeout=GIVE_UP)
        assert (waiting.returncode, out, err) == (0, "b.mp4: 24 frames, 1.000 s\n", "")
    assert len(read_frames(folder / "b.mp4")) == 24
    assert ".a.mp4.part" in names(folder)  # what a kill -9 leaves
    assert not (folder / "a.mp4").exists()

    again = cinecut("render", "short.yaml", "-o", "a.mp4", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert names(folder) == ["a.mp4", "b.mp4", "film.mkv", "long.yaml", "short.yaml"]


@pytest.mark.parametrize(
    ("signals", "to_group", "status"),
    [
        pytest.param([signal.SIGINT, signal.SIGINT], True, 130, id="Ctrl-C twice"),
        pytest.param([signal.SIGINT] * 30, True, 130, id="Ctrl-C held down"),
        pytest.param([signal.SIGINT], False, 130, id="SIGINT to cinecut alone"),
        pytest.param([signal.SIGTERM], False, 143, id="SIGTERM"),
        pytest.param([signal.SIGHUP], True, 129, id="the terminal closed"),
    ],
)
def test_interrupted_in_the_middle_leaves_nothing(
    folder: Path, signals: list[signal.Signals], to_group: bool, status: int
) -> None:
    before = names(folder)
    with running(folder, "render", "long.yaml", "-o", "a.mp4") as process:
        ffmpeg = encoding_child(process.pid, folder / ".a.mp4.part" / "segment_0.mp4")
        for each in signals:
            with contextlib.suppress(ProcessLookupError):  # the first may have ended it by now
                (os.killpg if to_group else os.kill)(process.pid, each)
        out, err = process.communicate(timeout=GIVE_UP)
    assert process.returncode == status
    assert (out, err) == ("", "cinecut: interrupted; nothing was left behind\n")
    assert state(ffmpeg) in "XZ"
    assert names(folder) == before
    until("the lock to be free", lambda: 0 if is_free(folder / "runtime" / "gpu0.lock") else None)


def is_free(lock: Path) -> bool:
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_interrupted_while_it_waits(folder: Path) -> None:
    before = names(folder)
    with gpu_lock_in(folder), running(folder, "render", "short.yaml", "-o", "b.mp4") as process:
        assert process.stderr is not None
        assert f"held by process {os.getpid()}: a test" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=GIVE_UP) == ("", "cinecut: interrupted; nothing was left behind\n")
    assert process.returncode == 130
    assert names(folder) == before


def test_ffmpeg_killed_from_outside(folder: Path) -> None:
    before = names(folder)
    with running(folder, "render", "long.yaml", "-o", "a.mp4") as process:
        os.kill(encoding_child(process.pid, folder / ".a.mp4.part" / "segment_0.mp4"), signal.SIGKILL)
        out, err = process.communicate(timeout=GIVE_UP)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith("error: FFmpeg was ended from outside by SIGKILL [ffmpeg]\n  hint: ")
    assert "memory" in err
    assert names(folder) == before


@contextmanager
def gpu_lock_in(folder: Path, waiting: Callable[[str], None] = pytest.fail) -> Iterator[int]:
    """The lock of the runs in a folder, held by this process; `waiting` is told when it isn't free at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_RUNTIME_DIR", str(folder / "runtime"))
        with gpu_lock("a test", waiting) as lock:
            yield lock.descriptor


def test_child_that_inherited_the_lock_keeps_it(tmp_path: Path) -> None:
    with gpu_lock_in(tmp_path) as descriptor:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[descriptor])
    told: list[str] = []

    def waiting(holder: str) -> None:
        told.append(holder)
        child.kill()

    with gpu_lock_in(tmp_path, waiting):
        assert len(told) == 1
        assert told[0].startswith(f"process {os.getpid()}: a test, since ")
    child.communicate()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b'{"pid": 1}', b"0" * 10_000])
def test_holder_that_has_not_said_who_it_is(tmp_path: Path, content: bytes) -> None:
    """It has only just taken the lock, or is of another version."""
    (tmp_path / "runtime").mkdir()
    path = tmp_path / "runtime" / "gpu0.lock"
    path.write_bytes(content)
    told: list[str] = []
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def waiting(holder: str) -> None:
            told.append(holder)
            fcntl.flock(other, fcntl.LOCK_UN)

        with gpu_lock_in(tmp_path, waiting):
            assert b'"what": "a test"' in path.read_bytes()
    assert told == ["another process"]


def test_a_disk_without_room_for_the_holders_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(tmp_path))
    least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
    try:
        with gpu_lock("a test", pytest.fail):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))
    assert lock_path().read_bytes() == b""


def test_no_place_for_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "gpu0.lock").mkdir()
    for place in (tmp_path / "file", tmp_path):
        monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(place))
        with pytest.raises(Stop) as stop, gpu_lock("a test", pytest.fail):
            pass
        assert stop.value.diagnostics[0].code == "output"
        assert "CINECUT_RUNTIME_DIR" in stop.value.diagnostics[0].hints[0]


@pytest.mark.parametrize(
    ("session", "kept"), [(0o700, "session"), (0o777, "tmp/cinecut-{user}"), (None, "tmp/cinecut-{user}")]
)
def test_a_home_in_which_nothing_can_be_written(
    session: int | None, kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock lies in a folder that is the user's alone."""
    (tmp_path / "home").touch()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(gpu, "_TEMPORARY", tmp_path / "tmp")
    for name in ("CINECUT_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if session is not None:
        (tmp_path / "session" / "cinecut").mkdir(parents=True)
        (tmp_path / "session" / "cinecut").chmod(session)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "session"))
        kept = kept.replace("session", "session/cinecut")
    with gpu_lock("a test", pytest.fail):
        assert lock_path() == tmp_path / kept.format(user=os.getuid()) / "gpu0.lock"
        assert lock_path().parent.stat().st_mode & 0o777 == 0o700
