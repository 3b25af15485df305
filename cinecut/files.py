"""Files: telling one from another without reading all of it, and writing one so that it is whole or not there.

    content ─► .cinecut-PID-….part beside the target ─ rename ─► the target

Whoever reads the target sees the old content or the new. A symbolic link stays one, a mode is kept, and nothing is ever
written over a file that is being read.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cinecut.diagnostics import Stop

_SAMPLE = 1 << 20  # bytes of head and tail that a fingerprint covers
_PART = re.compile(r"\.cinecut-(\d+)-[0-9a-f]{8}\.part")


def fingerprint(path: Path) -> str:
    """Size and a hash of the head and the tail: changes with any new encode, costs nothing on a film of 40 GB."""
    with open_file(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        digest = hashlib.sha256(file.read(_SAMPLE))
        if size > _SAMPLE:
            file.seek(max(_SAMPLE, size - _SAMPLE))
            digest.update(file.read())
    return f"{size}-{digest.hexdigest()[:16]}"


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """A regular file for reading. Raises Stop: a pipe would wait for ever for somebody to write into it."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise Stop("unreadable", f"{path} is a folder, not a file")
        if not stat.S_ISREG(mode):
            raise Stop("unreadable", f"{path} is a device or a pipe, not a file")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise Stop("missing-file", f"there is no file {path}") from None
    except OSError as error:
        raise Stop("unreadable", f"{path} cannot be read: {error.strerror}") from None


def write_beside(path: Path, content: str | bytes, never: Iterable[Path] = ()) -> None:
    """Replace a file at once. Raises Stop where the disk refuses, or where it is one of `never`, which are read."""
    with disk_errors(path), beside(path, never) as part:
        part.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def beside(path: Path, never: Iterable[Path] = ()) -> Iterator[Path]:
    """A place beside `path` to write to, which takes the name of `path` when all went well, and else is gone.

    Raises OSError, and Stop where `path` is one of the files `never` to be replaced.
    """
    check_no_source(path, never)
    target = path.resolve()
    sweep(target.parent)
    part = target.with_name(f".cinecut-{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        yield part
        with contextlib.suppress(OSError):
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def check_no_source(path: Path, sources: Iterable[Path]) -> None:
    """Raise Stop where a file, by whatever path or link, is one of those that are read: no --force replaces these."""
    for source in sources:
        with contextlib.suppress(OSError):
            if path.samefile(source):
                message = f"{path} is {source} itself, which is read: nothing is written over it"
                raise Stop("output", message, "name another file")


def sweep(folder: Path) -> None:
    """Remove what processes that are gone left half-written in a folder."""
    with contextlib.suppress(OSError):
        for left in folder.iterdir():
            match = _PART.fullmatch(left.name)
            if match and not _lives(int(match[1])):
                left.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


@contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """What the disk refuses, in one clear message."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"the disk is full: {where} has {free_space(where)} MB left"
            raise Stop("disk-full", message, "free some space, or write elsewhere with -o") from None
        named = error.filename if error.filename and not _PART.fullmatch(Path(str(error.filename)).name) else where
        if error.errno == errno.ENOENT:
            raise Stop("missing-file", f"there is no {named} any more") from None
        raise Stop("output", f"{named} cannot be written: {error.strerror}") from None


def free_space(where: Path) -> int:
    """MB that are free where a file is to be written."""
    existing = next(folder for folder in (where, *where.absolute().parents) if folder.exists())
    return shutil.disk_usage(existing).free // 1_000_000


@contextmanager
def working_folder(output: Path) -> Iterator[Path]:
    """A folder beside the output, so that the finished file only needs a rename; gone afterwards, whatever happens.

    A run that was killed leaves its folder, and the next one replaces it; that of a run that lives is locked.
    """
    folder = output.parent / f".{output.name}.part"
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Stop("output", f"another cinecut is writing {output}", "wait for it, or name another with -o") from None
    try:
        for left in folder.iterdir():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)
