"""Files: identify one without reading all of it, and write one so that it is complete or not there at all.

    content ─► .cinecut-PID-….part beside the target ─ rename ─► the target

Readers of the target see the old content or the new, never a part. A symbolic link stays a link, the file's mode and
owner are kept, and a file that is read-only, or being read, is never overwritten.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from cinecut.diagnostics import Stop, as_word

_SAMPLE = 1 << 20  # bytes of head and tail that a fingerprint covers
_LONGEST_NAME = 255  # bytes of a file's name
_PART = re.compile(r"\.cinecut-(\d+)-[0-9a-f]{8}\.part")


def cache_folder() -> Path:
    """The folder for everything that can be computed again."""
    import platformdirs

    return Path(os.environ.get("CINECUT_CACHE_DIR") or platformdirs.user_cache_dir("cinecut"))


def fingerprint(path: Path) -> str:
    """The size and a hash of the first and last megabyte: any new encode changes it, and it is quick on 40 GB too."""
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
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading. Raises Stop for anything else: reading a pipe could wait for ever."""
    try:
        with open_regular(path) as file:
            yield file
    except FileNotFoundError:
        raise Stop("missing-file", f"there is no file {path}", *near(path)) from None
    except NotAFileError as error:
        raise Stop("unreadable", f"{path} is {error.strerror}, not a file") from None
    except OSError as error:
        raise Stop("unreadable", f"{path} cannot be read: {error.strerror}") from None


def near(path: Path) -> list[str]:
    """A hint for a file that is not there: one beside it with a name much like it, or where a dead link leads."""
    from difflib import get_close_matches

    if os.path.islink(path):  # noqa: PTH114 - Path's own raises where a name is too long
        return [f"{path.name} is a link to {os.readlink(path)}, which is not there"]  # noqa: PTH115
    if not os.path.isdir(path.parent):  # noqa: PTH112 - Path's own raises where a name is too long
        return [f"there is no folder {path.parent} either"]
    try:
        names = [file.name for file in path.parent.iterdir()]
    except OSError:
        return []
    close = get_close_matches(path.name, names, n=1)
    return [f"did you mean {path.parent / close[0]}?"] if close else []


def content_of(path: Path, most: int = -1) -> bytes:
    """A regular file's content, or its first `most` bytes. Raises OSError, for a folder, a device and a pipe too."""
    with open_regular(path) as file:
        return file.read(most)


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


def _other_than_file_at(path: Path) -> str:
    """What is at a path, if it is something else than a file; a path without links."""
    return _other_than_file(path.lstat().st_mode) if os.path.lexists(path) else ""


def real_path(path: Path) -> Path:
    """The path without links; a link that leads to itself stays, for which Path's own raises RuntimeError."""
    return Path(os.path.realpath(path))


def write_beside(path: Path, content: str | bytes, never: Iterable[Path] = (), was: bytes | str | None = None) -> None:
    """Replace a file's content in one step. Raises Stop if the disk fails, the file is one of `never`, or it no longer
    holds what it held (`was`, see `held_by`) when the content was made."""
    with disk_errors(path), beside(path, never, was) as part:
        part.write_bytes(_bytes(content))


def _bytes(content: str | bytes) -> bytes:
    """A text as UTF-8; a name in it may hold any bytes."""
    return content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content


def held_by(path: Path) -> bytes:
    """A file's content; nothing where there is none. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        return content_of(path)
    return b""


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Keep other processes from working out what stands at `path`. Raises Stop where one does. Where no lock can be
    kept, nothing is claimed."""
    name = hashlib.sha256(os.fsencode(real_path(path))).hexdigest()[:32]
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            folder = cache_folder() / "claims"
            folder.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context((folder / f"{name}.lock").open("a"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _written_by_another(path) from None
        yield


def _written_by_another(path: Path) -> Stop:
    return Stop("output", f"another cinecut is writing {path}", "wait for it, or name another with -o")


def changed_meanwhile(path: Path, hint: str = "look at it and try again") -> Stop:
    """What is said where somebody else has saved a file since it was read."""
    return Stop("option", f"{path} was changed meanwhile: nothing was written", hint)


@contextmanager
def beside(path: Path, never: Iterable[Path] = (), was: bytes | str | None = None) -> Iterator[Path]:
    """A path beside `path` to write to: renamed to `path` when the block succeeds, deleted when it fails.

    Raises OSError, for a folder, a device or a pipe too, and Stop if `path` is one of the files `never` to be replaced,
    is read-only, or no longer holds what it held (`was`).
    """
    check_no_source(path, never)
    target = real_path(path)
    if what := _other_than_file_at(target):
        raise NotAFileError(errno.EINVAL, what, str(path))
    check_writable(path)
    sweep(target.parent)
    part = target.with_name(f".cinecut-{os.getpid()}-{secrets.token_hex(4)}.part")
    _unfinished.add(part)
    try:
        yield part
        _belong_as(target, part)
        if was is not None and held_by(target) != _bytes(was):
            raise changed_meanwhile(path)
        if was is None or not _exchanged(part, target):
            part.replace(target)
        elif held_by(part) != _bytes(was):  # saved in this very moment: it goes back where it was
            _exchanged(part, target)
            raise changed_meanwhile(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        _unfinished.discard(part)


def _exchanged(one: Path, other: Path) -> bool:
    """Give two files each other's name in one step. False where the system cannot, or one of them is not there."""
    import ctypes  # loading it takes a while

    rename = getattr(ctypes.CDLL(None), "renameat2", None)  # Linux
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return rename is not None and rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def put(made: Path, path: Path) -> None:
    """Move a finished file to `path`, as `beside` does: through a link, also to another disk. Raises OSError, Stop."""
    check_writable(path)
    target = real_path(path)
    _belong_as(target, made)
    try:
        made.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with beside(target) as part:
            shutil.copyfile(made, part)


def check_writable(path: Path) -> None:
    """Raise Stop if a file is read-only: a rename would replace it all the same. Root is asked by the mode."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        locked = not stat.S_IMODE(path.stat().st_mode) & 0o222
        if locked or not os.access(path, os.W_OK):
            raise Stop("output", f"{path} is read-only: nothing is written over it", f"chmod u+w {as_word(path)}")


def _belong_as(old: Path, new: Path) -> None:
    """Give a new file the owner and the mode of the one that it replaces, as far as one may."""
    with contextlib.suppress(OSError):
        status = old.stat()
        now = new.stat()
        if (now.st_uid, now.st_gid) != (status.st_uid, status.st_gid):
            with contextlib.suppress(OSError):
                os.chown(new, -1, status.st_gid)
                os.chown(new, status.st_uid, -1)
        shutil.copymode(old, new)


_unfinished = set[Path]()  # files and folders that this process writes at the moment


def discard_unfinished() -> None:
    """Delete all that is half-written, for a process that ends without leaving its blocks."""
    for path in [*_unfinished]:
        with contextlib.suppress(OSError):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


@contextmanager
def temporary_folder(prefix: str = "cinecut-", where: Path | None = None) -> Iterator[Path]:
    """A folder for a while, where the system has such ones unless `where` is given; always deleted. Raises Stop."""
    with disk_errors(where or Path(os.environ.get("TMPDIR", "/tmp")), "TMPDIR names another folder"):
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=where))
    _unfinished.add(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unfinished.discard(folder)


def check_is_file(path: Path) -> None:
    """Raise Stop if something else than a file, or a read-only one, is at `path`, where a file is to be written. Raises
    OSError."""
    if what := _other_than_file_at(real_path(path)):
        raise _no_output(path, what)
    check_writable(path)


def refuse_existing(files: Iterable[Path], force: bool) -> None:
    """Raise Stop where one of the files exists, unless `force`, or where something else than a file does. Raises
    OSError."""
    for file in files:
        check_is_file(file)
        if os.path.lexists(file) and not force:
            raise Stop("output", f"{file} is there already", "--force replaces it")


def _no_output(path: object, what: str) -> Stop:
    return Stop("output", f"{path} is {what}, not a file", "name another file")


def check_no_source(path: Path, sources: Iterable[Path]) -> None:
    """Raise Stop if `path`, also through a link, is one of the files that are read: even --force replaces none."""
    for source in sources:
        with contextlib.suppress(OSError):
            if path.samefile(source):
                message = f"{path} is {source} itself, which is read: nothing is written over it"
                raise Stop("output", message, "name another file")


def sweep(folder: Path) -> None:
    """Delete the half-written files that ended processes left in a folder."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            match = _PART.fullmatch(path.name)
            if match and not _is_running(int(match[1])):
                path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


@contextmanager
def disk_errors(where: Path, hint: str = "") -> Iterator[None]:
    """Turn an OSError into a Stop with one clear message; `hint` says what to do about it."""
    try:
        yield
    except NotAFileError as error:
        raise _no_output(error.filename, str(error.strerror)) from None
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
    return folders or _PART.fullmatch(path.name) is not None


def free_space(where: Path) -> int:
    """Free megabytes on the disk of a file or folder that need not exist yet."""
    return free_bytes(where) // 1_000_000


def free_bytes(where: Path) -> int:
    existing = next(place for place in (where, *where.absolute().parents) if os.access(place, os.F_OK))
    return shutil.disk_usage(existing).free


@contextmanager
def working_folder(output: Path) -> Iterator[Path]:
    """A folder beside the output, so that the finished file only needs a rename; always deleted afterwards.

    A killed run leaves its folder behind, and the next run empties it. The folder of a live run is locked.
    """
    folder = output.parent / f".{output.name}.part"
    if len(os.fsencode(folder.name)) > _LONGEST_NAME:
        folder = output.parent / f".{hashlib.sha256(os.fsencode(output.name)).hexdigest()}.part"
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
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        _unfinished.add(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unfinished.discard(folder)
        os.close(descriptor)
