"""Stages as data: the steps of the analysis that take long, each kept by what it was worked out from.

A stage's key is derived: its name, the source of the modules that its work is made of, and the content of what it
depends on. Whatever changes one of them works it out anew; nobody counts versions by hand.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import cinecut
from cinecut.analysis.cache import Cache, packed
from cinecut.files import fingerprint

T = TypeVar("T")
Progress = Callable[[str, float], None]  # a stage's name and its share done


@dataclass(frozen=True, slots=True)
class Stage(Generic[T]):
    """One step: its name, the kind of its result, and its work on what it depends on.

    `work` may ask for `progress`, which hears the share done. `by` names a plug-in with its version.
    """

    name: str
    kind: Any
    work: Callable[..., T]
    by: str = ""

    @property
    def depends_on(self) -> tuple[str, ...]:
        return tuple(name for name in inspect.signature(self.work).parameters if name != "progress")

    def key(self, inputs: Iterable[object]) -> str:
        parts = (self.name, self.by, code_of(self.work.__module__), *map(content_of, inputs))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Line:
    """Runs stages one after another, and keeps their results in the film's cache."""

    cache: Cache
    progress: Progress

    def run(self, stage: Stage[T], *inputs: object) -> T:
        """The result of a stage: from the cache, or worked out and kept."""
        work = partial(stage.work, *inputs)
        if "progress" in inspect.signature(stage.work).parameters:
            work = partial(work, progress=partial(self.progress, stage.name))
        result: T = self.cache.kept(stage.name, stage.key(inputs), stage.kind, work)
        return result


def content_of(value: object) -> str:
    """A digest of an input: of a file its fingerprint, of all else what it holds."""
    return fingerprint(value) if isinstance(value, Path) else hashlib.sha256(packed(value)).hexdigest()


_PACKAGE = Path(cinecut.__file__).parent
_ROOMS = ("analysis", "media")  # that measure; the others hold words, times and files
_IMPORT = re.compile(r"^\s*from cinecut\.([\w.]+) import (\([^)]*\)|[^\n]*)", re.M)


@cache
def code_of(module: str) -> str:
    """A digest of the source of a module and of the measuring modules that it imports, directly or not."""
    digest, seen, waiting = hashlib.sha256(), set[str](), [module.removeprefix("cinecut.")]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        source = source_of(name)
        digest.update(f"{name}\n{source}\n".encode())
        for found in _IMPORT.finditer(source):
            inner = [f"{found[1]}.{word}" for word in re.findall(r"\w+", found[2])]
            waiting += sorted(each for each in (found[1], *inner) if each.split(".")[0] in _ROOMS and "." in each)
    return digest.hexdigest()


def source_of(name: str) -> str:
    """The source of a module of this package; empty for what is none."""
    path = _PACKAGE.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return ""
