"""What a Dask worker costs over one process that looks at the same films, in processor time of all its processes.

A short film comes first in each, so that what is imported is imported: the films' own figure leaves that out, the
whole one has it, with Dask's own start. Rounds take turns, and the smallest figure of each counts: what a busy machine
adds is no cost of either.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import FFMPEG, Film
from cinecut.catalogue.store import CatalogueEntry
from cinecut.catalogue.task import Asked, look_into
from cinecut.catalogue.workers.cluster import Cluster
from cinecut.machine.cluster import Where, client_of

PARTS, SECONDS, FIRST = 3, 40, 3  # films, how long each is, and how long the one before them
_SCHEDULER = ("dask_scheduler", "--host", "127.0.0.1", "--no-dashboard", "--port", "0", "--scheduler-file")
_WORKER = ("dask_worker", "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--no-dashboard")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a processor: until the first film is done, and for those after it."""

    start: float
    films: float

    @property
    def whole(self) -> float:
        return self.start + self.films


def table(film: Film, runs: int) -> list[Figure]:
    try:
        import distributed  # noqa: F401
    except ImportError:
        return [Figure("a worker's overhead", None, 0.1, reason="Dask is not here", needed=False)]
    with TemporaryDirectory(dir=work_folder()) as place:
        parts = list(_parts(film, Path(place)))
        alone, shared = list[Cost](), list[Cost]()
        for number in range(runs):
            alone.append(_alone(parts, Path(place) / f"alone{number}"))
            shared.append(_shared(parts, Path(place) / f"shared{number}"))
    least = {name: Cost(min(c.start for c in costs), min(c.films for c in costs))
             for name, costs in (("one process", alone), ("a worker", shared))}  # fmt: skip
    rows = [(name, f"{each.start:.2f}", f"{each.films:.2f}", f"{each.whole:.2f}") for name, each in least.items()]
    print_rows((f"seconds of a processor, {PARTS} films of {SECONDS} s", "until the first", "the films", "all"), rows)
    one, worker = least.values()
    ten = 10 * one.films / PARTS  # what ten films of a minute or so cost
    return [
        Figure("a worker's overhead over one process", worker.films / one.films - 1, 0.1),
        Figure(
            "the same with its start, of ten films",
            (worker.start + ten * worker.films / one.films) / (one.start + ten) - 1,
            0.1,
        ),
    ]


def _parts(film: Film, folder: Path) -> Iterator[Path]:
    """Pieces of the film, packets as they are: a short one, and those that count."""
    whole = film.frames / film.rate
    for number in range(PARTS + 1):
        path = folder / f"{number}{film.path.suffix}"
        lasts = SECONDS if number else FIRST
        argv = [FFMPEG, "-nostdin", "-v", "error", "-y", "-ss", str(float(whole * (number + 1) / (PARTS + 3)))]
        subprocess.run(
            [*argv, "-i", str(film.path), "-t", str(lasts), "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", str(path)],
            check=True,
        )
        yield path


def look(films: Sequence[Path], folder: Path) -> Cost:
    """What a process does alone."""
    entries, marks = list[CatalogueEntry](), list[float]()
    for film in films:
        entries.append(look_into(film, folder, Asked(no_models=True), lambda stage, share: None))
        marks.append(sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, _WHO)))
    _check(entries)
    return Cost(marks[0], marks[-1] - marks[0])


_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _alone(films: Sequence[Path], folder: Path) -> Cost:
    argv = [sys.executable, "-m", "bench.film_analysis.cluster", str(folder), *map(str, films)]
    done = subprocess.run(argv, env=_environment(folder), capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMeasuredError(done.stderr.strip().splitlines()[-1])
    return Cost(*json.loads(done.stdout))


def _shared(films: Sequence[Path], folder: Path) -> Cost:
    with _worker(folder) as (address, process), client_of(Where(address), lambda said: None) as client:
        entries, marks = list[CatalogueEntry](), list[float]()
        for part in (films[:1], films[1:]):
            entries += Cluster(client, folder, Asked(no_models=True)).each(part)
            marks.append(_used(process.pid))
    _check(entries)
    return Cost(marks[0], marks[1] - marks[0])


def _used(process: int) -> float:
    """Seconds of a processor of a process, and of those that it started and waited for."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


@contextmanager
def _worker(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler's address, and its only worker."""
    folder.mkdir()
    file, running = folder / "scheduler.json", list[subprocess.Popen[bytes]]()

    def start(module: str, *options: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", f"distributed.cli.{module}", *options]
        quiet = subprocess.DEVNULL
        running.append(subprocess.Popen(argv, cwd=folder, env=_environment(folder), stdout=quiet, stderr=quiet))
        return running[-1]

    try:
        start(*_SCHEDULER, str(file))
        while not file.exists() or not file.read_text():
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        yield address, start(*_WORKER, address)
    finally:
        for process in running:
            process.kill()
            process.wait()


def _environment(folder: Path) -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"CINECUT_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": paths}


def _check(entries: Sequence[CatalogueEntry]) -> None:
    if failed := [entry.failed for entry in entries if entry.failed]:
        raise NotMeasuredError(failed[0])


if __name__ == "__main__":
    cost = look([Path(name) for name in sys.argv[2:]], Path(sys.argv[1]))
    print(json.dumps([cost.start, cost.films]))
