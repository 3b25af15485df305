"""A catalogue's folder: the list of its films, their results by content, and the index over all of them.

catalogue.json            the films, each with its result or why there is none; which index is the present one
analysis/FILM/*.msgpack   a film's result and its pictures, named by all that they depend on
index-…/                  made of the results, whole or not there
report.html               the same for people
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import NoReturn, TypeVar

from cinecut.analysis.cache import Cache
from cinecut.catalogue.look import FilmContents
from cinecut.diagnostics import Stop
from cinecut.files import content_of, disk_errors, json_of, new_folder, write_beside

_HEAD, _FORMAT, _FILE = "cinecut catalogue", 1, "catalogue.json"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A film of a catalogue: its path, and its result, or why there is none (`failed`)."""

    path: str
    fingerprint: str = ""
    key: str = ""  # of its result
    failed: str = ""
    title: str = ""
    seconds: float = 0.0  # for people; exact times are in the result
    shots: int = 0
    texts: int = 0
    worked: float = 0.0  # seconds that looking took when it was last done
    described_by: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Catalogue:
    """The folder, its films by path, and the name of the current index."""

    folder: Path
    films: dict[str, CatalogueEntry] = field(default_factory=dict)
    index: str = ""

    @classmethod
    def load(cls, folder: Path) -> Catalogue:
        """Raises Stop if there is no catalogue, or one of another version."""
        try:
            content = json_of(content_of(folder / _FILE))
            if content[_HEAD] != _FORMAT:
                raise Stop("other-file", f"{folder} is a catalogue of another version of cinecut", "index it again")
            films = {
                each["path"]: CatalogueEntry(**each | {"warnings": (*each["warnings"],)}) for each in content["films"]
            }
            return cls(folder, films, str(content["index"]))
        except FileNotFoundError:
            hint = "`cinecut index FOLDER --catalogue C` makes one"
            raise Stop("missing-file", f"there is no catalogue {folder}", hint) from None
        except OSError as error:
            raise Stop("unreadable", f"{folder / _FILE} cannot be read: {error.strerror}") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Stop("unreadable", f"{folder / _FILE} is damaged, or of another program") from None

    def write(self) -> None:
        """Raises Stop if the disk refuses it."""
        films = [asdict(each) for _, each in sorted(self.films.items())]
        content = {_HEAD: _FORMAT, "index": self.index, "films": films}
        write_beside(self.folder / _FILE, json.dumps(content, indent=0))

    @property
    def whole(self) -> list[CatalogueEntry]:
        """The films with a result, by path, so that the order of analysis does not matter."""
        return [each for _, each in sorted(self.films.items()) if not each.failed]

    def has(self, fingerprint: str, key: str) -> bool:
        """Whether a film's result and its pictures exist."""
        return all(_file(self.folder, fingerprint, name, key).is_file() for name in ("film", "pictures"))

    def result(self, entry: CatalogueEntry) -> FilmContents:
        """Raises LookupError if the file is missing or damaged."""
        return _read(self.folder, entry, "film", FilmContents)

    def pictures(self, entry: CatalogueEntry) -> Sequence[str | None]:
        """A small picture of each usable shot as a data URI. Raises LookupError."""
        return _read(self.folder, entry, "pictures", list[str | None])

    def sweep(self) -> None:
        """Delete results that are no longer listed, and older indexes."""
        with suppress(OSError):
            for folder in self.folder.glob("index-*"):
                if folder.name != self.index:
                    for file in folder.iterdir():
                        file.unlink()
                    folder.rmdir()
            named = {
                (_file(self.folder, each.fingerprint, "film", each.key).parent.name, each.key) for each in self.whole
            }
            for file in self.folder.glob("analysis/*/*-*.msgpack"):
                if (file.parent.name, file.stem.rpartition("-")[2]) not in named:
                    file.unlink()


def _file(folder: Path, fingerprint: str, name: str, key: str) -> Path:
    return Cache(fingerprint, folder).folder / f"{name}-{key}.msgpack"


def _read(folder: Path, entry: CatalogueEntry, name: str, kind: type[T]) -> T:
    def gone() -> NoReturn:
        raise LookupError

    return Cache(entry.fingerprint, folder).kept(name, entry.key, kind, gone)


@contextmanager
def begun(folder: Path) -> Iterator[None]:
    """Work in the folder of a catalogue, or in a new one, which goes again if the block fails before there is a result.
    Raises Stop if the folder holds another program's files."""
    with ExitStack() as made:
        with disk_errors(folder):
            if (folder / _FILE).exists():
                Catalogue.load(folder)
            elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                message = f"{folder} is there already, and is no catalogue"
                raise Stop("output", message, "name an empty or a new folder with --catalogue")
            else:
                made.enter_context(new_folder(folder))
                made.push(lambda error, *_: _forget(folder) if error else None)
                Catalogue(folder).write()
        yield


def _forget(folder: Path) -> None:
    """Delete the list of a catalogue without a result."""
    with suppress(OSError):
        if not any(folder.glob("analysis/*/*")):
            (folder / _FILE).unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a catalogue for writing. Raises Stop if another process has locked it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Stop(
            "output", f"another cinecut indexes into {folder}", "wait for it, or name another catalogue"
        ) from None
    finally:
        os.close(descriptor)


def is_named(path: Path, patterns: Sequence[str], title: str = "") -> bool:
    """Whether a pattern matches a film's path, file name or title; * matches anything, capitals do not count."""
    names = (str(path), path.name, path.stem, title)
    return any(fnmatch(name.casefold(), pattern.casefold()) for name in names for pattern in patterns)
