"""Child processes: they never outlive cinecut, and are never blocked because nobody reads their output."""

from __future__ import annotations

import collections
import contextlib
import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Self

PATIENCE = 60  # seconds without any work after which a child is killed
_IDLE = 0.01  # share of that time on a processor that is no work: repeating that there is no progress


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


def drain(stream: IO[bytes], last: collections.deque[str]) -> None:
    """Read a child's output to its end, in a thread of its own; `last` keeps as many lines as it has room for.

    Control characters are removed: texts from the film are in the output, and parts of it are shown on a terminal.
    """
    for line in stream:
        last.append("".join(char if char.isprintable() else " " for char in line.decode(errors="replace").rstrip()))


class Watchdog:
    """Kills a child that does nothing for `PATIENCE` seconds: its processor time does not grow, and `progress` is not
    called. `stuck` is True then. Time during which the child or cinecut is stopped by a signal does not count.

    Needs the processor time under /proc; on systems without it nothing is killed.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.stuck = False
        self._process, self._ended, self._moved = process, threading.Event(), False

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def progress(self) -> None:
        self._moved = True

    def _watch(self) -> None:
        idle, since = 0, 0.0
        while not self._ended.wait(1):
            used = _processor_seconds(self._process.pid)
            if used is None:
                continue
            if self._moved or idle == 0 or used - since > _IDLE * PATIENCE:
                self._moved, idle, since = False, 0, used
            idle += 1
            if idle > PATIENCE:
                self.stuck = True
                self._process.kill()
                return


def _processor_seconds(pid: int) -> float | None:
    """The processor time of a process; None if it is unknown, or the process is stopped."""
    with contextlib.suppress(OSError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        return None if state in "Tt" else (int(fields[10]) + int(fields[11])) / os.sysconf("SC_CLK_TCK")
    return None
