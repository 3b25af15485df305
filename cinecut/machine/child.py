"""Child processes: they never outlive cinecut, and are never blocked because nobody reads their output."""

from __future__ import annotations

import collections
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, Self

from cinecut.diagnostics import Stop, excerpt

PATIENCE = "CINECUT_PATIENCE"  # seconds for which a child may do nothing; 0: for ever
_USUAL_PATIENCE = 60
_TICK = 1.0  # seconds from one look at a child to the next
_BUSY = 60  # so many times as long it may compute without giving out anything
_SLOWER = 20  # or so many times as long as it has needed before
_IDLE = 0.01  # share of the time on a processor that is no work: repeating that there is no progress
_STARVED = 0.5  # share of the time in which it waits for a processor that others use


def die_with_parent() -> Callable[[], None]:
    """A `preexec_fn` with which a child dies when cinecut does, even by kill -9. All is prepared before the fork, since
    little is safe after it.

    The kernel watches the thread that forks, not its process: that thread must live as long as the child.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)  # only on Linux: elsewhere a child outlives a kill -9
    parent = os.getpid()
    set_death_signal = 1  # PR_SET_PDEATHSIG

    def prepare() -> None:
        if prctl is not None:
            prctl(set_death_signal, signal.SIGKILL)
        if os.getppid() != parent:  # cinecut has died since
            os._exit(1)

    return prepare


@cache
def _starter() -> tuple[str, ...]:
    """The command of util-linux that starts another one so that it dies with us; empty where there is none that can.

    With it Python forks no copy of itself, which takes 7 ms of a process of 100 MB for each FFmpeg. Only in the
    millisecond before it asks the kernel can a kill -9 of cinecut leave a child, which runs to its end.
    """
    command = (shutil.which("setpriv") or "", "--pdeathsig", "KILL")
    with contextlib.suppress(OSError):
        if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return command
    return ()


def start(command: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:
    """Start a child that dies when cinecut does, even by kill -9; `how` as `Popen` takes it."""
    if _starter():
        return subprocess.Popen([*_starter(), *command], **how)
    return subprocess.Popen(command, preexec_fn=die_with_parent(), **how)


def drain(stream: IO[bytes], last: collections.deque[str]) -> None:
    """Read a child's output to its end, in a thread of its own; `last` keeps as many lines as it has room for.

    Control characters are removed: texts from the film are in the output, and parts of it are shown on a terminal.
    """
    for line in stream:
        last.append("".join(char if char.isprintable() else " " for char in line.decode(errors="replace").rstrip()))


class Watchdog:
    """Kills a child that stands still, and says in `stuck` what it did: "did nothing for 60 seconds".

    It stands still if for `CINECUT_PATIENCE` seconds its processor time does not grow, it reads nothing, it does not
    wait for a processor, and `progress` is not called. It also does if it computes for 60 times as long, or for 20
    times as long as it has needed before, and `progress` is not called. Time during which the child or cinecut is
    stopped by a signal, or the machine sleeps, does not count.

    Needs the processor time under /proc; on systems without it nothing is killed. Raises Stop if the patience is no
    number.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.stuck = ""
        self._patience = patience()
        self._process, self._ended, self._moved = process, threading.Event(), False

    def __enter__(self) -> Self:
        if self._patience:
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def progress(self) -> None:
        self._moved = True

    def _watch(self) -> None:
        since = before = None  # the work at the last sign of life, and at the last look
        idle, busy, longest = 0.0, 0.0, 0.0  # seconds
        while not self._ended.wait(_TICK):
            if self._moved:  # no look then: the kernel spins when a process ends whose threads somebody has looked at
                self._moved, since, before = False, None, None
                longest, idle, busy = max(longest, busy), 0.0, 0.0
                continue
            now = _work_of(self._process.pid)
            if now is None:
                continue
            busy += min(_TICK, now.processor - before.processor) if before else 0
            before = now
            if since is None or now.lives(since, self._patience, idle):
                since, idle = now, 0
            idle += _TICK
            if idle > self._patience:
                self._kill(f"did nothing for {self._patience} seconds")
            elif busy > (allowed := max(_BUSY * self._patience, _SLOWER * longest)):
                self._kill(f"computed for {allowed:.0f} seconds and gave out nothing")

    def _kill(self, why: str) -> None:
        self.stuck = why
        self._process.kill()
        self._ended.set()


def patience() -> int:
    """The seconds of `CINECUT_PATIENCE`, 60 unless set; 0: without end. Raises Stop if it is no number."""
    text = os.environ.get(PATIENCE, "").strip() or str(_USUAL_PATIENCE)
    if not (text.isascii() and text.isdecimal()):
        raise Stop("option", f"{PATIENCE} is {excerpt(text)}, not a number of seconds", "0 waits without end")
    return int(text)


def run_watched(command: Sequence[str], what: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end and keep its output. Raises Stop if it stands still; `what` begins the message."""
    with (
        start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        Watchdog(process) as watchdog,
    ):
        try:
            output, errors = process.communicate()
        except BaseException:
            process.kill()
            raise
    if watchdog.stuck:
        raise stuck(f"{what}: FFmpeg {watchdog.stuck}")
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def stuck(message: str) -> Stop:
    """What to say of a child that stood still."""
    hint = "a disk that does not answer, or a fault of FFmpeg: try again, or another FFmpeg"
    return Stop("ffmpeg", f"{message}, and was ended", hint, f"{PATIENCE}=600 has more patience, 0 waits without end")


@dataclass(frozen=True, slots=True)
class _Work:
    """What a process has done: seconds on a processor, seconds of waiting for one, and bytes that it has read."""

    processor: float
    waiting: float
    read: int

    def lives(self, since: _Work, patience: int, seconds: float) -> bool:
        """Whether it has worked or read since then, or was kept from it by others for most of these seconds."""
        starved = self.waiting - since.waiting > max(1, _STARVED * seconds)
        return self.processor - since.processor > _IDLE * patience or self.read != since.read or starved


def _work_of(pid: int) -> _Work | None:
    """What a process has done; None if that is unknown, or the process is stopped."""
    folder = Path(f"/proc/{pid}")
    with contextlib.suppress(OSError):
        state, *fields = (folder / "stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        used = (int(fields[10]) + int(fields[11])) / os.sysconf("SC_CLK_TCK")
        return None if state in "Tt" else _Work(used, _waited(folder), _bytes_read(folder))
    return None


def _waited(folder: Path) -> float:
    """The seconds for which a process's threads waited for a processor; 0 where the kernel does not count them."""
    seconds = 0.0
    for thread in folder.glob("task/*/schedstat"):
        with contextlib.suppress(OSError, IndexError):
            seconds += int(thread.read_text(encoding="utf-8").split()[1]) / 10**9
    return seconds


def _bytes_read(folder: Path) -> int:
    """The bytes that a process has read; 0 where the kernel does not say."""
    with contextlib.suppress(OSError):
        return int((folder / "io").read_text(encoding="utf-8").split()[1])
    return 0
