"""Child processes that never outlive cinecut, and that are never blocked by what they say."""

from __future__ import annotations

import collections
import ctypes
import os
import signal
from collections.abc import Callable
from typing import IO


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
