"""The films in folders: by file suffix, in a fixed order, none from outside the folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cinecut.diagnostics import Stop
from cinecut.files import real_path

_FILMS = """
3gp asf avi divx dv f4v flv m2ts m2v m4v mkv mov mp4 mpeg mpg mts mxf ogm ogv rm rmvb ts vob webm wmv y4m
"""
SUFFIXES = frozenset(f".{end}" for end in _FILMS.split())


def films_in(named: Iterable[Path]) -> Iterator[Path]:
    """The films in folders and below them, and the files that are named themselves; absolute, each once.

    Hidden files and folders are left out, and links that lead out of the named folder. A folder that cannot be entered
    comes as itself, so that it is not passed over in silence. Raises Stop for what is not there.
    """
    found = set[Path]()
    for each in named:
        if not each.exists():
            raise Stop("missing-file", f"there is no folder or film {each}")
        paths = _below(each) if each.is_dir() else [each]
        for path in paths:
            if (whole := absolute(path)) not in found:
                found.add(whole)
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
