"""Disks: the room on them, and what is said where they refuse."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cinecut.diagnostics import Stop
from cinecut.files.reading import NotAFileError

PART = re.compile(r"\.cinecut-(\d+)-[0-9a-f]{8}\.part")


def cache_folder() -> Path:
    """The folder for everything that can be computed again."""
    import platformdirs

    return Path(os.environ.get("CINECUT_CACHE_DIR") or platformdirs.user_cache_dir("cinecut"))


@contextmanager
def disk_errors(where: Path, hint: str = "") -> Iterator[None]:
    """Turn an OSError into a Stop with one clear message; `hint` says what to do about it."""
    try:
        yield
    except NotAFileError as error:
        raise no_output(error.filename, str(error.strerror)) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"the disk is full: {where} has {free_space(where)} MB left"
            raise Stop("disk-full", message, hint or "free some space, or write elsewhere with -o") from None
        # A copy that is too large names its source.
        ours = error.errno == errno.EFBIG or _is_beside(Path(str(error.filename)), error.errno)
        named = where if ours or not error.filename else error.filename
        if error.errno == errno.ENOENT:
            folder = Path(str(named)).absolute().parent
            gone = f"{named} any more" if folder.is_dir() else f"folder {folder}"
            raise Stop("missing-file", f"there is no {gone}") from None
        raise Stop("output", f"{named} cannot be written: {error.strerror}", *filter(None, [hint])) from None


def _is_beside(path: Path, reason: int | None) -> bool:
    """Whether it is a temporary file of `beside`."""
    closed = reason in (errno.EACCES, errno.EPERM, errno.EROFS)
    folders = closed and any(part.startswith(".") and part.endswith(".part") for part in path.parts)
    return folders or PART.fullmatch(path.name) is not None


def no_output(path: object, what: str) -> Stop:
    return Stop("output", f"{path} is {what}, not a file", "name another file")


def free_space(where: Path) -> int:
    """Free megabytes on the disk of a file or folder that need not exist yet."""
    return free_bytes(where) // 1_000_000


def free_bytes(where: Path) -> int:
    existing = next(place for place in (where, *where.absolute().parents) if os.access(place, os.F_OK))
    return shutil.disk_usage(existing).free
