"""Bringing a catalogue up to date: the films in folders are found, the new and changed ones looked at, all listed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cinecut.analysis.stage import Progress
from cinecut.catalogue.build import build
from cinecut.catalogue.store import Catalogue, CatalogueEntry, begun, is_named, locked
from cinecut.catalogue.task import Asked, key_of
from cinecut.diagnostics import Stop
from cinecut.files import fingerprint, real_path

_SAVE = 10.0  # seconds after which the list is written while films are looked at


@dataclass(frozen=True, slots=True)
class Named:
    """Which films a run is for: those in folders and below them, or named themselves, but for names that match."""

    paths: Sequence[Path]
    without: Sequence[str] = ()  # patterns, as of `is_named`

    def films(self) -> Iterator[Path]:
        """Raises Stop for what is not there."""
        return (path for path in films_in(self.paths) if not is_named(path, self.without))

    def dropped(self, path: Path) -> bool:
        """Whether a film of the catalogue is gone from a named folder, or no longer wanted."""
        below = any(path.is_relative_to(absolute(each)) for each in self.paths)
        return below and (is_named(path, self.without) or not path.exists())


class Workers(Protocol):
    def each(self, films: Sequence[Path]) -> Iterator[CatalogueEntry]:
        """The entry of each film as it is done, in any order."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """The result of a run: the requested films, and how many of them were analysed."""

    films: tuple[CatalogueEntry, ...]
    new: int

    @property
    def failed(self) -> list[CatalogueEntry]:
        return [each for each in self.films if each.failed]


def index(
    named: Named,
    folder: Path,
    asked: Asked,
    workers: Callable[[Progress], Workers],
    progress: Progress,
) -> Indexed:
    """Index the films of the folders `named` into the catalogue `folder`. Raises Stop for what concerns all of them."""
    paths = [path for path in named.films() if not path.is_relative_to(absolute(folder))]
    with begun(folder), locked(folder):
        catalogue = Catalogue.load(folder)
        for path in [path for path in catalogue.films if named.dropped(Path(path))]:
            del catalogue.films[path]
        models = asked.models()
        todo = [path for path in paths if not _is_done(catalogue, path, lambda p: key_of(p, asked.wish, models))]
        done = 0

        def tell(stage: str, share: float) -> None:
            progress(f"{done + 1} of {len(todo)}: {stage}", (done + share) / max(1, len(todo)))

        written = time.monotonic()
        for entry in workers(tell).each(todo):
            catalogue.films[entry.path] = entry
            done += 1
            progress(f"{done} of {len(todo)}", done / len(todo))
            if time.monotonic() - written > _SAVE:
                catalogue.write()
                written = time.monotonic()
        build(catalogue, lambda share: progress("index", share))
        catalogue.write()
        catalogue.sweep()
    return Indexed(tuple(catalogue.films[str(path)] for path in paths), len(todo))


def _is_done(catalogue: Catalogue, path: Path, key: Callable[[Path], str]) -> bool:
    """Whether the catalogue has an up-to-date result for a film."""
    entry = catalogue.films.get(str(path))
    if entry is None or entry.failed:
        return False
    try:
        identity, now = fingerprint(path), key(path)
    except Stop:
        return False
    return (entry.fingerprint, entry.key) == (identity, now) and catalogue.has(identity, now)


_FILMS = """
3gp asf avi divx dv f4v flv m2ts m2v m4v mkv mov mp4 mpeg mpg mts mxf ogm ogv rm rmvb ts vob webm wmv y4m
"""
SUFFIXES = frozenset(f".{end}" for end in _FILMS.split())


def films_in(named: Iterable[Path]) -> Iterator[Path]:
    """The films in folders and below them, and the files that are named themselves; absolute, each once.

    Hidden files and folders are left out, and links that lead out of the named folder. A folder that cannot be entered
    comes as itself, so that it is not passed over in silence. Raises Stop for what is not there.
    """
    films = set[Path]()
    for each in named:
        if not each.exists():
            raise Stop("missing-file", f"there is no folder or film {each}")
        paths = _below(each) if each.is_dir() else [each]
        for path in paths:
            if (whole := absolute(path)) not in films:
                films.add(whole)
                yield whole


def absolute(path: Path) -> Path:
    """An absolute path without `..`; links are not followed."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow links


def _below(folder: Path) -> Iterator[Path]:
    inside, closed = real_path(folder), list[Path]()
    for place, folders, files in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(place, name)
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            if real_path(path).is_relative_to(inside) and path.is_file():
                yield path
    yield from closed
