"""What a child process says, and what becomes of one that does nothing."""

from __future__ import annotations

import collections
import io
import os
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
from cinecut.machine.child import Watchdog, drain
from cinecut.machine.gpu import gpu_lock


def test_the_last_lines_are_kept_without_what_controls_a_terminal() -> None:
    last: collections.deque[str] = collections.deque(maxlen=2)
    drain(io.BytesIO(b"gone\n  \x1b[31mT\xc3\xbcr\tauf \r\n\xff\n"), last)
    assert list(last) == ["   [31mT\u00fcr auf", "\ufffd"]


def test_an_ffmpeg_that_waits_for_ever_is_ended_in_one_message(
    ffmpeg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("CINECUT_FFMPEG", str(ffmpeg))
    monkeypatch.setattr(child, "PATIENCE", 2)
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


@pytest.mark.parametrize("busy", [True, False])
def test_only_a_child_that_does_nothing_is_killed(busy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "PATIENCE", 1)
    work = "while :; do :; done" if busy else "read never"
    with subprocess.Popen(["sh", "-c", work], stdin=subprocess.PIPE) as process:
        with Watchdog(process) as watchdog:
            if busy:
                time.sleep(3)
            else:
                process.wait(GIVE_UP)
            assert watchdog.stuck is not busy
        process.kill()
