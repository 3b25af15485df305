"""Bringing a catalogue up to date: new and changed films of some folders are analysed, and all are listed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cinecut.analysis.stage import Progress
from cinecut.catalogue.build import build
from cinecut.catalogue.folders import absolute, films_in
from cinecut.catalogue.store import Catalogue, CatalogueEntry, locked
from cinecut.catalogue.task import Asked, key_of
from cinecut.diagnostics import Stop
from cinecut.files import fingerprint

_SAVE = 10.0  # seconds after which the list is written while films are looked at


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
    named: Sequence[Path],
    folder: Path,
    asked: Asked,
    workers: Callable[[Progress], Workers],
    progress: Progress,
) -> Indexed:
    """Index the films of the folders `named` into the catalogue `folder`. Raises Stop for what concerns all of them."""
    paths = [path for path in films_in(named) if not path.is_relative_to(absolute(folder))]
    catalogue = Catalogue.begin(folder)
    with locked(folder):
        catalogue = Catalogue.load(folder)
        _drop_gone(catalogue, named)
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


def _drop_gone(catalogue: Catalogue, named: Sequence[Path]) -> None:
    """Remove films below the named folders that no longer exist."""
    folders = [absolute(folder) for folder in named if folder.is_dir()]
    for path in [Path(path) for path in catalogue.films]:
        if not path.exists() and any(path.is_relative_to(folder) for folder in folders):
            del catalogue.films[str(path)]


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
