"""Writing files so that they are complete or not there at all, one by one or several together."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from itertools import count
from pathlib import Path

from cinecut.diagnostics import Stop, as_word
from cinecut.files.disks import cache_folder, disk_errors, no_output
from cinecut.files.reading import NotAFileError, held_by, other_than_file_at, real_path
from cinecut.files.unfinished import locked_part, sweep


def write_beside(path: Path, content: str | bytes, never: Iterable[Path] = (), was: bytes | str | None = None) -> None:
    """Replace a file's content in one step. Raises Stop if the disk fails, the file is one of `never`, or it no longer
    holds what it held (`was`, see `held_by`) when the content was made."""
    with disk_errors(path), beside(path, never, was) as part:
        part.write_bytes(_bytes(content))


def _bytes(content: str | bytes) -> bytes:
    """A text as UTF-8; a name in it may hold any bytes."""
    return content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content


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
    if what := other_than_file_at(target):
        raise NotAFileError(errno.EINVAL, what, str(path))
    check_writable(path)
    sweep(target.parent)
    waiting = _waiting.get()
    with ExitStack() as made:
        part = made.enter_context(locked_part(target)) if waiting is None else waiting.part(target)
        yield part
        _belong_as(target, part)
        move = partial(_take_place, part, target, path, was)
        if waiting is None:
            move()
        else:
            waiting.moves.append((path, partial(_undoable, target, move)))


class _Waiting:
    """Files that are written together: each waits in a folder beside the place that it is to take."""

    def __init__(self) -> None:
        self.moves = list[tuple[Path, Callable[[], Callable[[], object]]]]()  # each gives what undoes it
        self._folders, self._names = dict[Path, Path](), count()
        self._made = ExitStack()

    def part(self, target: Path) -> Path:
        """A path to write to. Raises OSError."""
        if target.parent not in self._folders:
            self._folders[target.parent] = self._made.enter_context(locked_part(target, folder=True))
        return self._folders[target.parent] / str(next(self._names))

    def move(self) -> None:
        """All take their places, or none. Raises Stop, OSError."""
        formers = list[Callable[[], object]]()
        try:
            for path, move in self.moves:
                with disk_errors(path):
                    formers.append(move())
        except BaseException:
            for former in reversed(formers):
                with contextlib.suppress(OSError):
                    former()
            raise

    def close(self) -> None:
        self._made.close()


_waiting = ContextVar[_Waiting | None]("_waiting", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Files that are written in the block take their places when it ends; where it fails, or one of them cannot, none
    of them does. Raises Stop."""
    with contextlib.closing(_Waiting()) as waiting:
        outer = _waiting.set(waiting)
        try:
            yield
        finally:
            _waiting.reset(outer)
        waiting.move()


def remove(path: Path) -> None:
    """Delete a file; with `together`, when the block ends. Raises OSError."""
    waiting = _waiting.get()
    if waiting is None:
        path.unlink()
    else:
        waiting.moves.append((path, partial(_undoable, real_path(path), path.unlink)))


def _undoable(target: Path, move: Callable[[], object]) -> Callable[[], None]:
    """Do a move; gives what undoes it."""
    former = _former(target)
    move()
    return former


def _former(target: Path) -> Callable[[], None]:
    """What brings back what is at a path now: its content and mode, or nothing. Raises OSError."""
    if not os.path.lexists(target):
        return partial(target.unlink, missing_ok=True)
    content, mode = held_by(target), stat.S_IMODE(target.stat().st_mode)

    def bring_back() -> None:
        with locked_part(target) as part:
            part.write_bytes(content)
            part.chmod(mode)
            _belong_as(target, part)
            part.replace(target)

    return bring_back


parted = set[Path]()  # files that had other names, too (hard links): those keep what they held


@contextmanager
def _parting(path: Path) -> Iterator[None]:
    """A rename cannot keep hard links, and what could, writing into the file, may leave half of it."""
    linked = False
    with contextlib.suppress(OSError):
        linked = path.stat().st_nlink > 1 and not path.is_relative_to(cache_folder())
    yield
    if linked:
        parted.add(path)


def _take_place(part: Path, target: Path, path: Path, was: bytes | str | None) -> None:
    if was is not None and held_by(target) != _bytes(was):
        raise changed_meanwhile(path)
    with _parting(path):
        if was is None or not _exchanged(part, target):
            part.replace(target)
        elif held_by(part) != _bytes(was):  # saved in this very moment: it goes back where it was
            _exchanged(part, target)
            raise changed_meanwhile(path)


def _exchanged(one: Path, other: Path) -> bool:
    """Give two files each other's name in one step. False where the system cannot, or one of them is not there."""
    import ctypes  # loading it takes a while

    rename = getattr(ctypes.CDLL(None), "renameat2", None)  # Linux
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return rename is not None and rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def put(made: Path, path: Path) -> None:
    """Move a finished file to `path` when the block of `together` ends, until which it is to stay where it is: through
    a link, also to another disk. Raises Stop."""
    check_writable(path)
    _belong_as(real_path(path), made)
    waiting = _waiting.get()
    assert waiting is not None
    waiting.moves.append((path, partial(_put_in_place, made, path)))


def _put_in_place(made: Path, path: Path) -> Callable[[], object]:
    """Gives what undoes it."""
    target = real_path(path)
    if what := other_than_file_at(target):
        raise NotAFileError(errno.EINVAL, what, str(path))
    with _parting(path):
        try:
            return _swapped(made, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        with locked_part(target) as part:
            shutil.copyfile(made, part)
            _belong_as(target, part)
            return _undoable(target, partial(part.replace, target))


def _swapped(made: Path, target: Path) -> Callable[[], object]:
    """Gives what undoes it: the former file, which may be large, stays where the finished one was."""
    if not os.path.lexists(target):
        made.replace(target)
        return partial(target.unlink, missing_ok=True)
    if _exchanged(made, target):
        return partial(_exchanged, made, target)
    target.replace(former := made.with_name(f"{made.name}.former"))
    try:
        made.replace(target)
    except OSError:
        former.replace(target)
        raise
    return partial(former.replace, target)


def check_writable(path: Path) -> None:
    """Raise Stop if a file is read-only, for a rename would replace it all the same, or if nothing can be written into
    its folder, or into the one in which that would be made. Root is asked by the mode."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        hint = "" if stat.S_IMODE(path.stat().st_mode) & 0o222 else f"chmod u+w {as_word(path)}"
        if hint or not os.access(path, os.W_OK):
            hint = hint or "its disk or its owner keeps it so: copy it elsewhere"
            raise Stop("output", f"{path} is read-only: nothing is written over it", hint)
    folder = next(place for place in real_path(path).parents if os.path.lexists(place))
    if not os.access(folder, os.W_OK):
        raise Stop("output", f"the folder {folder} cannot be written", "write to another folder")


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


def check_is_file(path: Path) -> None:
    """Raise Stop if something else than a file, or a read-only one, is at `path`, where a file is to be written. Raises
    OSError."""
    if what := other_than_file_at(real_path(path)):
        raise no_output(path, what)
    check_writable(path)


def refuse_existing(files: Iterable[Path], force: bool, hint: str = "--force replaces it") -> None:
    """Raise Stop where one of the files exists, unless `force`, or where something else than a file does. Raises
    OSError."""
    for file in files:
        check_is_file(file)
        if os.path.lexists(file) and not force:
            raise Stop("output", f"{file} is there already", hint)


def check_no_source(path: Path, sources: Iterable[Path]) -> None:
    """Raise Stop if `path`, also through a link, is one of the files that are read: even --force replaces none."""
    for source in sources:
        with contextlib.suppress(OSError):
            if path.samefile(source):
                message = f"{path} is {source} itself, which is read: nothing is written over it"
                raise Stop("output", message, "name another file")
