"""Child processes that never outlive cinecut, and that are never blocked by what they say."""

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

PATIENCE = 60  # seconds that a child may do nothing
_IDLE = 0.01  # share of that time on a processor which is nothing: saying again and again that there is no progress


def die_with_parent() -> Callable[[], None]:
    """A `preexec_fn`: die when cinecut does, even of kill -9. Prepared here, since little is safe after the fork.

    The kernel watches the thread that forks, not its process: that thread must live as long as the child should.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux alone has it: elsewhere a child outlives a kill -9
    parent = os.getpid()
    set_death_signal = 1  # PR_SET_PDEATHSIG

    def prepare() -> None:
        if prctl is not None:
            prctl(set_death_signal, signal.SIGKILL)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return prepare


def drain(stream: IO[bytes], last: collections.deque[str]) -> None:
    """Read a child's words to their end, for a thread of its own; `last` keeps as many lines as it has room for.

    Without control signs: a film's own words are among them, and some of them are shown on a terminal.
    """
    for line in stream:
        words = line.decode(errors="replace").rstrip()
        last.append(words if words.isprintable() else "".join(s if s.isprintable() else " " for s in words))


class Watchdog:
    """Kills a child that does nothing for `PATIENCE` seconds: its time on the processors stands still, and nobody calls
    `progress`. `stuck` then says so. While it is stopped by a signal, or cinecut itself is, no time passes.

    Works where the kernel shows that time under /proc; elsewhere nothing is killed.
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
    """What a process has used so far; None where that is not known, and of one that is stopped."""
    with contextlib.suppress(OSError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        return None if state in "Tt" else (int(fields[10]) + int(fields[11])) / os.sysconf("SC_CLK_TCK")
    return None
