"""The GPU lock: one heavy job at a time, between processes, for each user and device.

It is a lock of the kernel on a file (flock), so that the death of its holder, however sudden, frees it. A child that
inherits the file's descriptor holds it too: a render keeps it while its FFmpeg lives.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from cinecut.diagnostics import Stop


@dataclass(frozen=True, slots=True)
class Lock:
    """A held lock; `descriptor` is for children to inherit."""

    descriptor: int


def lock_path(device: str = "gpu0") -> Path:
    """Where the lock lies: one place for a user, whatever session or terminal they come from."""
    folder = Path(os.environ.get("CINECUT_RUNTIME_DIR") or platformdirs.user_cache_dir("cinecut"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the lock's folder {folder} cannot be made: {error.strerror}"
        raise Stop("output", message, "CINECUT_RUNTIME_DIR names another") from None
    return folder / f"{device}.lock"


@contextlib.contextmanager
def gpu_lock(what: str, waiting: Callable[[str], None], device: str = "gpu0") -> Iterator[Lock]:
    """Hold the lock for `what`. While another process holds it, `waiting` is told who, whenever that changes."""
    path = lock_path(device)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"the lock {path} cannot be opened: {error.strerror}"
        raise Stop("output", message, "CINECUT_RUNTIME_DIR names another folder for it") from None
    try:
        told = ""
        while not _try(descriptor, path):
            holder = _holder(descriptor)
            if holder != told:
                waiting(holder)
                told = holder
            time.sleep(0.1)
        _write(descriptor, {"pid": os.getpid(), "what": what, "since": time.strftime("%H:%M:%S")})
        yield Lock(descriptor)
    finally:
        os.close(descriptor)  # a child that inherited it keeps the lock


def _try(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # some file systems of a network have no locks
        message = f"the lock {path} cannot be held: {error.strerror}"
        raise Stop("output", message, "CINECUT_RUNTIME_DIR names another folder for it") from None
    return True


def _write(descriptor: int, holder: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # on a full disk the lock holds all the same, of "another process"
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {holder['pid']}: {holder['what']}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
