"""Rendered parts, stored under keys of everything they are made of: an edit renders only what is new, and a killed
render continues.

    KEY, a digest of all that a file depends on ─► KEY.SUM, the file; SUM is a digest of what it holds

An entry is written beside and renamed, and its content is checked whenever it is taken; one that is damaged is made
again. Several processes may use one store, and it may be cleared at any time: what is taken is linked or copied into
the working folder. Where it has grown too large, what was used least recently goes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cinecut
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.files import beside, cache_folder, new_folder, open_regular, sweep

LIMIT = "CINECUT_STORE_GB"
_USUAL_LIMIT = 10  # GB
_READERS = 4  # files that are checked at a time


def key_of(*parts: object) -> str:
    """Forty hexadecimal digits of values that `repr` shows completely."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:40]


@cache
def code() -> str:
    """A digest of the code that makes files from media, and of the decoder's version: neither is in a graph."""
    decoder = find_spec("av")  # which need not be loaded for that
    assert decoder is not None
    assert decoder.origin is not None
    digest = hashlib.sha256(Path(decoder.origin).with_name("about.py").read_bytes())
    for room in ("fonts", "grade", "media", "render"):
        for file in sorted((Path(cinecut.__file__).parent / room).rglob("*")):
            if file.suffix in (".py", ".ttf"):
                digest.update(file.read_bytes())
    return digest.hexdigest()[:40]


@dataclass(slots=True)
class Store:
    """A folder of entries, or None, which stores nothing; `warnings` report damaged entries."""

    folder: Path | None
    warnings: list[Diagnostic] = field(default_factory=list)

    def take(self, key: str, target: Path) -> bool:
        """Copy an entry's file to `target`; False if there is none."""
        for entry in self.folder.glob(f"{key[:2]}/{key}.*") if self.folder else ():
            with contextlib.suppress(OSError):
                target.parent.mkdir(parents=True, exist_ok=True)
                if entry.is_file():
                    _link(entry, target)
                    if _sum(target) == entry.suffix[1:]:
                        os.utime(entry)  # it was used just now
                        return True
                    target.unlink()
                _remove(entry)
                self.warnings.append(Diagnostic("store", f"{entry} is damaged, and is made again", None))
        return False

    def take_all(self, keys: Mapping[str, str], folder: Path) -> set[str]:
        """Copy files into a folder in parallel, each by name and key; returns the names of those that the store has."""
        with ThreadPoolExecutor(_READERS) as pool:
            taken = pool.map(lambda name: self.take(keys[name], folder / name), keys)
            return {name for name, has in zip(keys, taken, strict=True) if has}

    def keep(self, key: str, file: Path) -> None:
        """Add a finished file. If the disk refuses, it is simply not stored."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError):
            entry = self.folder / key[:2] / f"{key}.{_sum(file)}"
            with new_folder(entry.parent), beside(entry) as part:
                part.unlink()  # no link is made over a file
                _link(file, part)

    def prune(self) -> None:
        """Remove the least recently used entries, down to the limit."""
        for shelf in self.folder.glob("??") if self.folder else ():
            sweep(shelf)
        with contextlib.suppress(OSError):  # another process prunes, too
            used = sorted((status.st_mtime, status.st_size, file) for file, status in self.entries().items())
            excess = sum(size for _, size, _ in used) - limit()
            for _, size, file in used:
                if excess > 0:
                    file.unlink(missing_ok=True)
                    excess -= size

    def entries(self) -> dict[Path, os.stat_result]:
        """The files, and their facts."""
        files = self.folder.glob("??/[!.]*") if self.folder else ()
        return {file: file.stat() for file in files if file.is_file()}


def usual_store() -> Store:
    """The user's store; without a limit above 0 it stores nothing."""
    return Store(cache_folder() / "render" if limit() else None)


def limit() -> int:
    """The most bytes in a store. Raises Stop if the environment variable is not a number."""
    chosen = os.environ.get(LIMIT, "").strip() or str(_USUAL_LIMIT)
    if not chosen.isdecimal():
        raise Stop("option", f"{LIMIT} is {chosen!r}, not a whole number of GB")
    return int(chosen) * 1_000_000_000


def _sum(file: Path) -> str:
    with open_regular(file) as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:40]


def _remove(entry: Path) -> None:
    """Remove a damaged entry, a folder in its place too. Raises OSError where another process has removed it."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def _link(file: Path, target: Path) -> None:
    """Link a finished file; copy it where links are not possible."""
    try:
        target.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, target)
