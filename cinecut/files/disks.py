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


_ROOM = 200  # bytes of a name of 255, so that endings, and parts of the names of several files, have room


def short_stem(path: Path) -> str:
    """A file's name without its ending, cut where it is so long that no name made of it could be written.

    >>> len(short_stem(Path("x" * 250 + ".mkv")))
    200
    """
    name = os.fsencode(path.stem)
    return path.stem if len(name) <= _ROOM else name[:_ROOM].decode(errors="ignore").rstrip(" .")


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
            raise disk_full(where, hint) from None
        # A copy that is too large names its source.
        ours = error.errno == errno.EFBIG or _is_beside(Path(str(error.filename)), error.errno)
        named = where if ours or not error.filename else error.filename
        if error.errno == errno.ENOENT:
            folder = Path(str(named)).absolute().parent
            gone = f"{named} any more" if folder.is_dir() else f"folder {folder}"
            raise Stop("missing-file", f"there is no {gone}") from None
        hint = hint or _CURES.get(error.errno or 0, "")
        raise Stop("output", f"{named} cannot be written: {error.strerror}", *filter(None, [hint])) from None


_CURES = {
    errno.ENAMETOOLONG: "name a shorter one with -o",
    errno.EROFS: "write to another folder",
    errno.EACCES: "write to another folder",
}


def disk_full(where: Path, hint: str = "") -> Stop:
    """The mistake of a full disk; what lies in a temporary folder is said of the folder beside it."""
    message = f"the disk is full: {_visible(where)} has {free_bytes(where) // 1_000_000} MB left"
    return Stop("disk-full", message, hint or "free some space, or write to another disk")


def _visible(path: Path) -> Path:
    """A path, or the folder of the temporary one that it lies in."""
    ours = [place for place in (path, *path.parents) if _is_hidden(place.name)]
    return ours[-1].parent if ours else path


def _is_hidden(name: str) -> bool:
    return name.startswith(".") and name.endswith(".part")


def _is_beside(path: Path, reason: int | None) -> bool:
    """Whether it is a temporary file of `beside`."""
    closed = reason in (errno.EACCES, errno.EPERM, errno.EROFS)
    folders = closed and any(map(_is_hidden, path.parts))
    return folders or PART.fullmatch(path.name) is not None


def no_output(path: object, what: str) -> Stop:
    return Stop("output", f"{path} is {what}, not a file", "name another file")


def free_bytes(where: Path) -> int:
    existing = next(place for place in (where, *where.absolute().parents) if os.access(place, os.F_OK))
    return shutil.disk_usage(existing).free
