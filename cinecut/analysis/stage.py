"""Stages: the slow steps of the analysis, whose results are cached by their inputs.

A stage's key is derived from its name, the source code of its modules, and the content of its inputs. If one of them
changes, the stage runs again, so that no version number is needed.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from threading import Event, Lock
from typing import Any, Generic, TypeVar

from threadpoolctl import threadpool_limits

import cinecut
from cinecut.analysis.cache import Cache, packed
from cinecut.files import check_same, fingerprint, staying_same

T = TypeVar("T")
Part = TypeVar("Part")
Progress = Callable[[str, float], None]  # called with a stage's name and the share done, 0..1
Advance = Callable[[float], None]  # the same for one stage, without its name


@dataclass(frozen=True, slots=True)
class Stage(Generic[T]):
    """One step: its name, the type of its result, and the function that does the work.

    If `work` has a parameter `progress`, it gets an `Advance`. `by` is a plug-in's name and version.
    """

    name: str
    kind: Any
    work: Callable[..., T]
    by: str = ""

    def key(self, inputs: Iterable[object]) -> str:
        parts = (self.name, self.by, code_of(self.work.__module__), *map(content_of, inputs))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class StageRunner:
    """Runs stages one after another, and caches their results. `seen`: the fingerprints of the files that they read."""

    cache: Cache
    progress: Progress
    seen: dict[Path, str] = field(default_factory=dict)

    def run(self, stage: Stage[T], *inputs: object) -> T:
        """The result of a stage: from the cache, or computed and then cached. Raises Stop where a file is not what an
        earlier stage read, or becomes another: nothing of both may be cached as one's."""
        read = {file: self.seen.setdefault(file, fingerprint(file)) for file in inputs if isinstance(file, Path)}
        for file, known in read.items():
            check_same(file, known)
        work = partial(stage.work, *inputs)
        if "progress" in inspect.signature(stage.work).parameters:
            work = partial(work, progress=partial(self.progress, stage.name))
        # Of a library's threads only those of matrix products: models have threads of their own, and use them well.
        work = threadpool_limits.wrap(limits=1, user_api="blas")(work)

        def whole() -> T:
            with ExitStack() as files:
                for file, known in read.items():
                    files.enter_context(staying_same(file, known))
                done: T = work()
                return done

        result: T = self.cache.kept(stage.name, stage.key(inputs), stage.kind, whole)
        return result


def by_halves(parts: Sequence[Part], work: Callable[[Sequence[Part], Advance], T], progress: Advance) -> list[T]:
    """What `work` finds in the first half of a film's parts, and in the second. It must say what share of its half is
    done: this ends it early where the other half failed or the user interrupts."""
    middle = len(parts) // 2
    halves = [half for half in (parts[:middle], parts[middle:]) if half]
    done, stopped, telling = [0.0] * len(halves), Event(), Lock()

    def worked(number: int) -> T:
        def report(share: float) -> None:
            if stopped.is_set():
                raise CancelledError
            with telling:  # one after the other, so that what is said rises
                done[number] = share
                progress(sum(done) / len(done))

        return work(halves[number], report)

    with ThreadPoolExecutor(2) as pool:
        try:
            return list(pool.map(worked, range(len(halves))))
        except BaseException:  # such as an interrupt, which must not wait for the threads to finish
            stopped.set()
            raise


def content_of(value: object) -> str:
    """A digest of an input: a file's fingerprint, or the hash of any other value."""
    return fingerprint(value) if isinstance(value, Path) else hashlib.sha256(packed(value)).hexdigest()


_PACKAGE = Path(cinecut.__file__).parent
_ROOMS = ("analysis", "media")  # the packages that measure; no others affect a result
_IMPORT = re.compile(r"^\s*from cinecut\.([\w.]+) import (\([^)]*\)|[^\n]*)", re.M)


@cache
def code_of(module: str) -> str:
    """A digest of the source of a module and of the measuring modules that it imports, directly or indirectly."""
    digest, done, waiting = hashlib.sha256(), set[str](), [module.removeprefix("cinecut.")]
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        source = source_of(name)
        digest.update(f"{name}\n{source}\n".encode())
        for match in _IMPORT.finditer(source):
            inner = [f"{match[1]}.{word}" for word in re.findall(r"\w+", match[2])]
            waiting += sorted(name for name in (match[1], *inner) if name.split(".")[0] in _ROOMS and "." in name)
    return digest.hexdigest()


@cache
def source_of(name: str) -> str:
    """The source of a module of this package; empty if there is no such module."""
    path = _PACKAGE.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return ""
