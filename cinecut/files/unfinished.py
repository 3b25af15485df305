"""What is being made: folders for a while, the claims of processes to what they write, and what goes if they end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cinecut.diagnostics import Stop
from cinecut.files.disks import PART, cache_folder, disk_errors
from cinecut.files.reading import real_path

_LONGEST_NAME = 255  # bytes of a file's name

UNFINISHED = set[Path]()  # files and folders that this process writes at the moment


def discard_unfinished() -> None:
    """Delete all that is half-written, for a process that ends without leaving its blocks."""
    for path in [*UNFINISHED]:
        with contextlib.suppress(OSError):
            _delete(path)


@contextmanager
def temporary_folder(prefix: str = "cinecut-", where: Path | None = None) -> Iterator[Path]:
    """A folder for a while, where the system has such ones unless `where` is given; always deleted. Raises Stop."""
    import tempfile  # loading it takes a while

    with disk_errors(where or Path(os.environ.get("TMPDIR", "/tmp")), "TMPDIR names another folder"):
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=where))
    UNFINISHED.add(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        UNFINISHED.discard(folder)


@contextmanager
def locked_part(target: Path, *, folder: bool = False) -> Iterator[Path]:
    """An empty file beside `target`, or a folder, which is deleted if it is still there after the block. Its lock says
    that somebody writes it: the number of a process means nothing in another container. Raises OSError."""
    with contextlib.ExitStack() as held:
        while True:
            part = target.with_name(f".cinecut-{os.getpid()}-{os.urandom(4).hex()}.part")
            held.callback(_discard, part)
            UNFINISHED.add(part)
            if folder:
                part.mkdir()
            lock = os.open(part, os.O_RDONLY if folder else os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            held.callback(os.close, lock)
            with contextlib.suppress(OSError):  # some network file systems have no locks
                fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink > 0:  # otherwise it was swept before it was locked
                break
        yield part


def sweep(folder: Path) -> None:
    """Delete what is half-written in a folder and held by nobody."""
    with contextlib.suppress(OSError):
        for path in [path for path in folder.iterdir() if PART.fullmatch(path.name)]:
            with contextlib.suppress(OSError):
                _sweep(path)


def _sweep(path: Path) -> None:
    access = os.O_RDONLY if path.is_dir() else os.O_RDWR
    lock = os.open(path, access | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _delete(path)
    finally:
        os.close(lock)


def _discard(part: Path) -> None:
    with contextlib.suppress(OSError):
        _delete(part)
    UNFINISHED.discard(part)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def working_folder(output: Path) -> Iterator[Path]:
    """A folder beside the output, so that the finished file only needs a rename; always deleted afterwards.

    A killed run leaves its folder behind, and the next run empties it. The folder of a live run is locked.
    """
    folder = output.parent / f".{output.name}.part"
    if len(os.fsencode(folder.name)) > _LONGEST_NAME:
        folder = output.parent / f".{_digest(output.name)}.part"
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink == 0:  # whoever had it has just deleted it
            raise BlockingIOError
    except BlockingIOError:
        os.close(descriptor)
        raise _written_by_another(output) from None
    try:
        for old in folder.iterdir():
            _delete(old)
        UNFINISHED.add(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        UNFINISHED.discard(folder)
        os.close(descriptor)


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Keep other processes from working out what stands at `path`. Raises Stop where one does. Where no lock can be
    kept, nothing is claimed."""
    name = _digest(real_path(path))[:32]
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            cache_folder().mkdir(parents=True, exist_ok=True)
            held.enter_context(_locked(cache_folder() / f"{name}.lock", path))
        yield


@contextmanager
def _locked(file: Path, what: Path) -> Iterator[None]:
    """Hold the lock of a file, which is there for so long. Raises Stop where another has it."""
    with contextlib.ExitStack() as held:
        while True:
            lock = held.enter_context(file.open("a"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _written_by_another(what) from None
            if os.fstat(lock.fileno()).st_nlink > 0:  # otherwise whoever had it has just deleted it
                break
        UNFINISHED.add(file)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
            UNFINISHED.discard(file)


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Make a folder, and those that it lies in. Where the block fails, those of them that are empty go again. Raises
    OSError."""
    made = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for each in made:
            with contextlib.suppress(OSError):
                each.rmdir()
        raise


def _written_by_another(path: Path) -> Stop:
    return Stop("output", f"another cinecut is writing {path}", "wait for it, or name another with -o")


def _digest(name: str | Path) -> str:
    import hashlib  # loading it takes a while

    return hashlib.sha256(os.fsencode(name)).hexdigest()
