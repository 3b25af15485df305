"""The index over all results of a catalogue: arrays of all shots and texts, and a database that describes them.

    each film's result ─► rows of looks, measures, meanings ─ beside them ─► index-…/, which `find` opens

A row of an array is a row of the database. The arrays are read where they lie, without loading them.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from cinecut.catalogue.look import LOOK_WIDTH, TEXT_WIDTH, FilmContents
from cinecut.catalogue.store import Catalogue, CatalogueEntry
from cinecut.catalogue.words import MEASURES
from cinecut.files import disk_errors, temporary_folder

_FORMAT = 1
_TABLES = """
create table films (id integer primary key, path text, title text);
create table shots (id integer primary key, film integer, number integer, place integer,
                    start text, end text, score real);
create table texts (id integer primary key, shot integer, kind text, by text, text text);
"""


def build(catalogue: Catalogue, progress: Callable[[float], None]) -> None:
    """Bring the index up to date; a film with a damaged result is marked as failed. Raises Stop."""
    with disk_errors(catalogue.folder), _database_errors(catalogue.folder):
        while True:
            entries, damaged = catalogue.whole, list[CatalogueEntry]()
            name = f"index-{_digest(entries)}"
            if (catalogue.folder / name).is_dir():
                break
            with temporary_folder("index-part-", catalogue.folder) as part:
                _fill(part, catalogue, entries, damaged, progress)
                if not damaged:
                    part.rename(catalogue.folder / name)
                    break
            for each in damaged:
                why = "its result is damaged: the next run looks at it again"
                catalogue.films[each.path] = CatalogueEntry(each.path, failed=why)
    catalogue.index = name


@contextmanager
def _database_errors(folder: Path) -> Iterator[None]:
    """Turn what SQLite says of the disk into an OSError."""
    try:
        yield
    except sqlite3.Error as error:
        full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error), str(folder)) from None


def _digest(entries: Iterable[CatalogueEntry]) -> str:
    named = [(each.path, each.fingerprint, each.key) for each in entries]
    return hashlib.sha256(json.dumps([_FORMAT, MEASURES, named]).encode()).hexdigest()[:16]


def _fill(
    folder: Path,
    catalogue: Catalogue,
    entries: list[CatalogueEntry],
    damaged: list[CatalogueEntry],
    progress: Callable[[float], None],
) -> None:
    shots, texts = sum(each.shots for each in entries), sum(each.texts for each in entries)
    with closing(create(folder)) as rows:
        writer = IndexWriter(rows, arrays(folder, shots, texts))
        for done, entry in enumerate(entries):
            progress(done / len(entries))
            try:
                film = catalogue.result(entry)
            except LookupError:
                damaged.append(entry)
                continue
            writer.add(entry, film)
        finish(rows)


def create(folder: Path) -> sqlite3.Connection:
    """The database of an index, without rows; it is read only when complete."""
    rows = sqlite3.connect(folder / "rows.sqlite")
    rows.executescript("pragma journal_mode = off; pragma synchronous = off;" + _TABLES)
    return rows


def finish(rows: sqlite3.Connection) -> None:
    rows.executescript("create index texts_of_shots on texts (shot);")
    rows.commit()


def arrays(folder: Path, shots: int, texts: int) -> dict[str, NDArray[Any]]:
    """The index's arrays as files to be filled."""
    kinds: dict[str, tuple[Any, tuple[int, ...]]] = {
        "looks": (np.float32, (shots, LOOK_WIDTH)),
        "measures": (np.float32, (shots, len(MEASURES))),
        "film_of_shot": (np.int32, (shots,)),
        "meanings": (np.float32, (texts, TEXT_WIDTH)),  # 0 where MiniLM was missing
        "shot_of_text": (np.int32, (texts,)),
    }
    return {name: _array(folder / f"{name}.npy", kind, shape) for name, (kind, shape) in kinds.items()}


def _array(file: Path, kind: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    if shape[0]:
        array = open_memmap(file, "w+", kind, shape)
        _claim(file)
        return array
    np.save(file, np.zeros(shape, kind), allow_pickle=False)  # nothing cannot be mapped
    return np.zeros(shape, kind)


def _claim(file: Path) -> None:
    """Take a file's room on the disk now: a write into a mapped file that finds none left would kill the process."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with file.open("r+b") as opened:
            os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)


def _storable(text: str) -> str:
    """Text without characters that UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


@dataclass(slots=True)
class IndexWriter:
    """Adds films to an index, row by row."""

    rows: sqlite3.Connection
    arrays: dict[str, NDArray[Any]]
    films: int = 0
    shots: int = 0
    texts: int = 0

    def add(self, entry: CatalogueEntry, film: FilmContents) -> None:
        first, count, first_text, said = self.shots, len(film.shots), self.texts, len(film.texts)
        mine, texts, held = slice(first, first + count), slice(first_text, first_text + said), self.arrays
        held["looks"][mine], held["measures"][mine], held["film_of_shot"][mine] = film.looks, film.measures, self.films
        held["shot_of_text"][texts] = [first + text.shot for text in film.texts]
        if len(film.meanings):
            held["meanings"][texts] = film.meanings
        named = (self.films, json.dumps(entry.path), _storable(entry.title))
        self.rows.execute("insert into films values (?, ?, ?)", named)
        each = zip(film.numbers, film.shots, film.scores, strict=True)
        self.rows.executemany(
            "insert into shots values (?, ?, ?, ?, ?, ?, ?)",
            (
                (first + place, self.films, number, place, str(shot.start.seconds), str(shot.end.seconds), score)
                for place, (number, shot, score) in enumerate(each)
            ),
        )
        self.rows.executemany(
            "insert into texts values (?, ?, ?, ?, ?)",
            (
                (first_text + place, first + text.shot, text.kind, film.described_by, _storable(text.text))
                for place, text in enumerate(film.texts)
            ),
        )
        self.films, self.shots, self.texts = self.films + 1, first + count, first_text + said
