"""The signals that end a command: Ctrl-C, a request to end, the terminal's closing.

    signal ─► Interrupted in the main thread ─► what it was writing is deleted, its children end ─► status 128 + signal
       └ where a disk does not answer, so that the main thread never returns: the same from a thread beside it

A read from a network share that is gone cannot be interrupted: the kernel keeps the signal until the disk answers.
Where Python cannot pass an exception on (in `__del__`, in a callback of a C library), it is raised again soon after.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cinecut.files import discard_unfinished

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TICK = 1.0  # seconds from one look to the next
_TAKING = 2.0  # seconds after which the main thread should have taken a signal
_CLEANING = 5.0  # or should have ended, if it has: threads may still be at work
_AGAIN = 0.05  # seconds after which an exception that Python dropped is raised again
_DISCARDING = 2.0  # seconds for deleting what is half-written: it may lie on the very disk
_SHOW_CURSOR = "\x1b[?25h"


class Interrupted(BaseException):
    """A signal ends the command. Not KeyboardInterrupt, which Typer would swallow silently."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


_seen = list[int]()  # the signal that the main thread took
_dropped = list[int]()  # the signal whose exception came no further


def _raise(signum: int, frame: object) -> None:
    """A second Ctrl-C shall not cut the cleaning up short. SIG_IGN would not do: Python prints a traceback for a signal
    that arrives while it sets that."""
    if not _seen:
        _seen.append(signum)
        raise Interrupted(signum)


@contextmanager
def raised() -> Iterator[None]:
    """Have the signals raise Interrupted in the block, and end this process where it cannot."""
    for signum in _SIGNALS:
        if signal.getsignal(signum) != signal.SIG_IGN:  # nohup means it
            signal.signal(signum, _raise)
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    say_dropped = sys.unraisablehook

    def dropped(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, Interrupted):
            _dropped.append(unraisable.exc_value.signum)
            os.write(tell, b"\0")  # the thread sends it again: here it would be dropped again
        elif not _seen:  # what was being made as the signal came is deleted half-made, and may complain
            say_dropped(unraisable)

    sys.unraisablehook = dropped
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(told,), daemon=True).start()
    try:
        yield
    finally:
        if not _seen:
            sys.unraisablehook = say_dropped
        for signum in _SIGNALS:
            if signal.getsignal(signum) is _raise and not _seen:
                signal.signal(signum, signal.SIG_DFL)  # Python's own end would show the exception's traceback


def say(signum: int, left: str = "nothing was left behind") -> int:
    """Say on standard error that a signal ended the command; returns the status."""
    with suppress(OSError, ValueError):  # a terminal that was closed
        print(f"cinecut: interrupted; {left}", file=sys.stderr, flush=True)
    return 128 + signum


def _watch(pipe: int) -> None:
    """End the process if its main thread does not, after a signal: a byte from `pipe`, or one that the kernel holds
    back from all threads."""
    since = dict[int, float]()
    while True:
        arrived = os.read(pipe, 16) if select.select([pipe], [], [], _TICK)[0] else b""
        if _dropped:
            time.sleep(_AGAIN)
            _seen.clear()
            signal.pthread_kill(threading.main_thread().ident or 0, _dropped.pop())
        now = time.monotonic()
        for signum in {*arrived, *_pending()} & {*_SIGNALS}:
            since.setdefault(signum, now)
        for signum, when in since.items():
            if now - when > (_CLEANING if _seen else _TAKING):
                _end(signum)


def _pending() -> set[int]:
    """The signals that were sent to this process and that no thread could take yet; empty where /proc is missing."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        held = int(next(line for line in lines if line.startswith("ShdPnd:")).split()[1], 16)
        return {signum for signum in _SIGNALS if held >> (signum - 1) & 1}
    return set()


def _end(signum: int) -> None:
    """End this process and its children, whatever its threads wait for."""
    for child in _children():  # they would die with us, but the kernel may wait for the disk before it ends us
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)
    discarding = threading.Thread(target=discard_unfinished, daemon=True)
    discarding.start()
    discarding.join(_DISCARDING)
    if sys.stderr.isatty():
        print(_SHOW_CURSOR, end="", file=sys.stderr)
    left = "the next run deletes what is half-written" if discarding.is_alive() else "nothing was left behind"
    os._exit(say(signum, left if _seen else f"a disk does not answer; {left}"))


def _children() -> list[int]:
    with suppress(OSError, ValueError):
        lists = Path("/proc/self/task").glob("*/children")
        return [int(word) for each in lists for word in each.read_text(encoding="ascii").split()]
    return []
