"""The GPU lock: only one process at a time does heavy work, for each user and device.

It is a kernel lock on a file (flock), so it is released however its holder dies. A child process that inherits the
file's descriptor holds it too: a render keeps it while its FFmpeg runs.

How much of the GPU's memory is free nvidia-smi says. Without it that is unknown, and nothing is refused because of it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from cinecut.diagnostics import Stop
from cinecut.files import json_of

_GPU = "gpu0"  # the device of models and renders


@dataclass(frozen=True, slots=True)
class GpuLock:
    """A held lock; `descriptor` is for child processes to inherit."""

    descriptor: int


def lock_path() -> Path:
    """The lock's file, the same for all sessions and terminals of a user. Raises Stop."""
    path, descriptor = _opened(_GPU)
    os.close(descriptor)
    return path


def _opened(device: str) -> tuple[Path, int]:
    """The lock's file, open: where caches lie, or where running programs keep such files if nothing can be written
    there, as in containers without a home. Raises Stop."""
    chosen = os.environ.get("CINECUT_RUNTIME_DIR")
    usual = Path(chosen or platformdirs.user_cache_dir("cinecut"))
    refused = None
    for folder in [usual] if chosen else [usual, *_folders_of_the_user()]:
        try:
            folder.mkdir(mode=0o777 if folder == usual else 0o700, parents=True, exist_ok=True)
            if folder != usual:
                _check_ones_own(folder)
            path = folder / f"{device}.lock"
            return path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            refused = refused or error
    message = f"the lock in {usual} cannot be made: {refused.strerror if refused else 'unknown'}"
    raise Stop("output", message, "CINECUT_RUNTIME_DIR names another folder for it")


_TEMPORARY = Path("/tmp")


def _folders_of_the_user() -> list[Path]:
    """Not where TMPDIR says: it may differ from terminal to terminal."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return [*([Path(runtime) / "cinecut"] if runtime else []), _TEMPORARY / f"cinecut-{os.getuid()}"]


def _check_ones_own(folder: Path) -> None:
    """Raise OSError where others can change what lies in a folder, or it is theirs: /tmp is everybody's."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(errno.EACCES, "it belongs to others, too", str(folder))


@contextlib.contextmanager
def gpu_lock(what: str, waiting: Callable[[str], None], device: str = _GPU) -> Iterator[GpuLock]:
    """Hold the lock for `what`. While another process holds it, `waiting` is called with the holder, once for each."""
    path, descriptor = _opened(device)
    try:
        announced = ""
        while not _try(descriptor, path):
            holder = _holder(descriptor)
            if holder != announced:
                waiting(holder)
                announced = holder
            time.sleep(0.1)
        _write(descriptor, {"pid": os.getpid(), "what": what, "since": time.strftime("%H:%M:%S")})
        yield GpuLock(descriptor)
    finally:
        os.close(descriptor)  # a child that inherited it keeps the lock


def _try(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # some network file systems have no locks
        message = f"the lock {path} cannot be held: {error.strerror}"
        raise Stop("output", message, "CINECUT_RUNTIME_DIR names another folder for it") from None
    return True


def _write(descriptor: int, holder: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # on a full disk the lock still works; its holder is "another process" then
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        holder = json_of(os.pread(descriptor, 4096, 0))
        return f"process {holder['pid']}: {holder['what']}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"


# Memory

LEAST = "CINECUT_GPU_MEMORY_MIB"
_LEAST_MIB = 6144  # a 7B model of 4 bits, its projector and its context
_QUERY = ["--query-gpu=memory.free", "--format=csv,noheader,nounits"]


def least_memory() -> int:
    """MiB that must be free before a server starts; 0 skips the check. Raises Stop if the variable is no number."""
    chosen = os.environ.get(LEAST, "").strip() or str(_LEAST_MIB)
    if not chosen.isdecimal():
        raise Stop("option", f"{LEAST} is {chosen!r}, not a whole number of MiB")
    return int(chosen)


def free_memory() -> int | None:
    """MiB free on the GPU with the most free memory; None without an NVIDIA GPU that reports it."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    try:
        reply = subprocess.run([program, *_QUERY], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = reply.stdout.decode(errors="replace").split("\n") if reply.returncode == 0 else []
    return max((int(line) for line in lines if line.strip().isdecimal()), default=None)


def lacking_memory(least: int, patience: float) -> int | None:
    """Wait until `least` MiB are free, since a program that has just ended releases its memory a moment later.

    Returns None when they are free; after `patience` seconds, the MiB that are free.
    """
    end = time.monotonic() + patience
    while least:
        free = free_memory()
        if free is None or free >= least:
            break
        if time.monotonic() >= end:
            return free
        time.sleep(0.2)
    return None
