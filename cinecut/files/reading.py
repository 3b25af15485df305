"""Reading files that anybody may have put there: regular ones only, and identified without reading all of them."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from cinecut.diagnostics import Stop

_TEXTS = re.compile(r"\.(csv|cube|edl|fcpxml|html|json|kdenlive|lock|otio|srt|txt|xml|ya?ml)", re.I)  # are no media
_SAMPLE = 1 << 20  # bytes of head and tail that a fingerprint covers


def fingerprint(path: Path) -> str:
    """The size and a hash of the first and last megabyte: any new encode changes it, and it is quick on 40 GB too."""
    import hashlib  # loading it takes a while

    with open_file(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        digest = hashlib.sha256(file.read(_SAMPLE))
        if size > _SAMPLE:
            file.seek(max(_SAMPLE, size - _SAMPLE))
            digest.update(file.read())
    return f"{size}-{digest.hexdigest()[:16]}"


def check_same(path: Path, known: str) -> None:
    """Raise Stop if a file has another fingerprint than when reading it began: what was read is of neither."""
    if fingerprint(path) != known:
        hint = "run this again when it is complete: a copy or a download may go on"
        raise Stop("unreadable", f"{path} was changed while it was read", hint)


@contextmanager
def staying_same(path: Path, known: str) -> Iterator[None]:
    """Raise Stop if a file has another fingerprint after the block: also where that fails, since this is then why."""
    try:
        yield
    except Exception:
        check_same(path, known)
        raise
    check_same(path, known)


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading. Raises Stop for anything else: reading a pipe could wait for ever. What the
    block says of other files is passed on."""
    try:
        with open_regular(path) as file:
            yield file
    except OSError as error:
        if error.filename not in (None, str(path), path):
            raise
        if isinstance(error, FileNotFoundError):
            raise Stop("missing-file", f"there is no file {path}", *near(path)) from None
        if isinstance(error, NotAFileError):
            raise Stop("unreadable", f"{path} is {error.strerror}, not a file") from None
        raise Stop("unreadable", f"{path} cannot be read: {error.strerror}") from None


def near(path: Path) -> list[str]:
    """A hint for a file that is not there: one beside it of the same kind and with a name much like it, or where a dead
    link leads."""
    from difflib import get_close_matches

    if os.path.islink(path):  # noqa: PTH114 - Path's own raises where a name is too long
        return [f"{path.name} is a link to {os.readlink(path)}, which is not there"]  # noqa: PTH115
    if re.match(r"[a-z][a-z0-9+.-]+:/", str(path)):
        return ["this is an address, and cinecut reads files: fetch it first"]
    if not os.path.isdir(path.parent):  # noqa: PTH112 - Path's own raises where a name is too long
        return [f"there is no folder {path.parent} either"]
    try:
        alike = (file for file in path.parent.iterdir() if not path.suffix or _is_text(file) == _is_text(path))
        names = [file.name for file in alike if file.is_file()]
    except OSError:
        return []
    close = get_close_matches(path.name, names, n=1)
    return [f"did you mean {path.parent / close[0]}?"] if close else []


def _is_text(path: Path) -> bool:
    return _TEXTS.fullmatch(path.suffix) is not None


def content_of(path: Path, most: int = -1) -> bytes:
    """A regular file's content, or its first `most` bytes. Raises OSError, for a folder, a device and a pipe too."""
    with open_regular(path) as file:
        return file.read(most)


def held_by(path: Path) -> bytes:
    """A file's content; nothing where there is none. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        return content_of(path)
    return b""


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading. Raises OSError for anything else: reading a pipe could wait for ever."""
    return open(path, "rb", opener=_open_regular)


def json_of(text: str | bytes) -> Any:
    """The value of a JSON text that anybody may have written. Raises ValueError, where it is nested too deeply too."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


class NotAFileError(OSError):
    """A path is of a folder, a device or a pipe."""


def _open_regular(path: str, flags: int) -> int:
    """Open without waiting for the writer of a pipe. Raises NotAFileError for all but regular files."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if what := _other_than_file(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFileError(errno.EINVAL, what, path)
    return descriptor


def _other_than_file(mode: int) -> str:
    others = {stat.S_IFREG: "", stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link to itself"}
    return others.get(stat.S_IFMT(mode), "a device or a pipe")


def other_than_file_at(path: Path) -> str:
    """What is at a path, if it is something else than a file; a path without links."""
    return _other_than_file(path.lstat().st_mode) if os.path.lexists(path) else ""


def real_path(path: Path) -> Path:
    """The path without links; a link that leads to itself stays, for which Path's own raises RuntimeError."""
    return Path(os.path.realpath(path))
