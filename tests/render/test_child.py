"""What a child process says, and what becomes of one that does nothing."""

from __future__ import annotations

import collections
import io
import os
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from effort import GIVE_UP

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.ffmpeg.run import Workplace, run_graph
from cinecut.machine import child
from cinecut.machine.child import Watchdog, drain, run_watched
from cinecut.machine.gpu import gpu_lock


def test_the_last_lines_are_kept_without_what_controls_a_terminal() -> None:
    last: collections.deque[str] = collections.deque(maxlen=2)
    drain(io.BytesIO(b"gone\n  \x1b[31mT\xc3\xbcr\tauf \r\n\xff\n"), last)
    assert list(last) == ["   [31mT\u00fcr auf", "\ufffd"]


@pytest.mark.usefixtures("impatient")
def test_an_ffmpeg_that_waits_for_ever_is_ended_in_one_message(
    ffmpeg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("CINECUT_FFMPEG", str(ffmpeg))
    monkeypatch.setenv(child.PATIENCE, "2")
    os.mkfifo(tmp_path / "never")
    writer = os.open(tmp_path / "never", os.O_RDWR)  # nothing ever comes
    reading = ["-nostdin", "-f", "u8", "-i", "never", "-y", "out.wav"]
    run: Any = SimpleNamespace(name="graph", script="", arguments=lambda build, outputs: reading)
    try:
        with gpu_lock("a test", print) as lock, pytest.raises(Stop, match="did nothing for 2 seconds, at frame 0"):
            run_graph(run, ["out.wav"], Workplace(find_ffmpeg(), tmp_path, lock, {}))
    finally:
        os.close(writer)
    assert not any(str(tmp_path) in found for found in _commands())


def _commands() -> list[str]:
    """The folders in which processes work."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cwd"):
        try:
            found.append(str(process.readlink()))
        except OSError:
            continue
    return found


_WORK = {
    "waits": ("read never", "did nothing for 1 seconds"),
    "computes": ("while :; do :; done", "computed for 1 seconds and gave out nothing"),
    "computes, and gives out": ("while :; do :; done", ""),
    "computes, and there is time": ("while :; do :; done", ""),
    "reads": ("while :; do read line < /proc/self/stat; sleep 0.1; done", ""),
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child may stand still for one second, and is looked at often."""
    monkeypatch.setenv(child.PATIENCE, "1")
    monkeypatch.setattr(child, "_TICK", 0.1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", _WORK)
def test_only_a_child_that_stands_still_is_killed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, why = _WORK[name]
    monkeypatch.setattr(child, "_BUSY", 60 if "time" in name else 1)
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE) as process:
        with Watchdog(process) as watchdog:
            for _ in range(10 * GIVE_UP if why else 20):
                if "gives out" in name:
                    watchdog.progress()
                if process.poll() is not None:
                    break
                time.sleep(0.1)
        process.kill()
    assert watchdog.stuck == why


@pytest.mark.usefixtures("impatient")
def test_a_child_that_is_stopped_is_waited_for() -> None:
    with subprocess.Popen(["sh", "-c", "read line"], stdin=subprocess.PIPE) as process:
        process.send_signal(signal.SIGSTOP)
        with Watchdog(process) as watchdog:
            time.sleep(2)
        assert process.poll() is None
        process.kill()
    assert not watchdog.stuck


def test_a_child_lives_that_others_keep_from_a_processor_or_that_reads_slowly() -> None:
    begun = child._Work(1, 1, 0)
    assert not child._Work(1.5, 10, 0).lives(begun, 60, 60)
    assert child._Work(1.7, 1, 0).lives(begun, 60, 60)
    assert child._Work(1, 1, 1).lives(begun, 60, 60)
    assert child._Work(1, 32, 0).lives(begun, 60, 60)


@pytest.mark.parametrize(("text", "seconds"), [("", 60), ("0", 0), (" 90 ", 90)])
def test_the_patience_is_the_users(text: str, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(child.PATIENCE, text)
    assert child.patience() == seconds


@pytest.mark.parametrize("text", ["long", "-1", "1.5", "²"])
def test_a_patience_that_is_no_number_is_said(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(child.PATIENCE, text)
    with pytest.raises(Stop, match=child.PATIENCE):
        child.patience()


@pytest.mark.usefixtures("impatient")
def test_a_command_whose_output_is_kept_is_watched(tmp_path: Path) -> None:
    assert run_watched(["sh", "-c", "echo said; echo wrong >&2; exit 3"], "film.mkv").stdout == b"said\n"
    os.mkfifo(tmp_path / "never")
    with pytest.raises(Stop, match=r"film\.mkv: FFmpeg did nothing for 1 seconds, and was ended"):
        run_watched(["cat", str(tmp_path / "never")], "film.mkv")
