"""The workers of a render, and how many run at a time.

Tasks, each of which runs one FFmpeg, are done by threads of this machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from cinecut.graph.nodes import Video, nodes_of
from cinecut.graph.plan import Run

Task = Callable[[], None]

_SHARE = 2  # the machine's memory divided by this is what the workers may take
_PROCESS = 60_000_000  # bytes of an idle FFmpeg
_DECODED = 24  # pictures that a decoder and the filters behind it hold
_ENCODED = 60  # pictures that an encoder looks ahead


def run_all(tasks: Iterable[Task], workers: int, end: Callable[[], None]) -> None:
    """Run tasks in order, up to `workers` at a time. They are taken from the iterable one by one, since a task's inputs
    may be made while earlier ones run. After a failure no further task starts, `end` is called to stop the running
    ones, and the exception is raised when none is running."""
    futures = list[Future[None]]()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for task in tasks:
                for failed in [each for each in futures if each.done() and each.exception() is not None]:
                    failed.result()
                futures.append(pool.submit(task))
            for future in as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            end()
            raise


def workers_for(runs: Sequence[Run], asked: int | None) -> int:
    """How many runs at a time: as requested, else one more than the cores, which keeps them busy while an FFmpeg starts
    or ends; but only as many as half of the machine's memory holds."""
    if asked is not None:
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _SHARE
    return max(1, min(cores + 1, memory // max(map(need_of, runs), default=1)))


def need_of(run: Run) -> int:
    """A generous estimate of a run's memory in bytes, from the number and size of the pictures in its decoders and
    encoders."""
    read = [pad for node in nodes_of(list(run.sinks.values())) if node.filter == "input" for pad in node.outs]
    held = sum(_DECODED * _bytes(format) for format in read)
    return _PROCESS + held + sum(_ENCODED * _bytes(pad.format) for pad in run.sinks.values())


def _bytes(format: object) -> int:
    """The bytes of one picture; almost none for sound."""
    if not isinstance(format, Video):
        return 0
    name = format.pix_fmt
    planes = 1.5 if "420" in name else 2.0 if "422" in name else 3.0 if "a" not in name else 4.0
    deep = 2 if any(depth in name for depth in ("p10", "p12", "p16")) else 1
    return int(format.width * format.height * planes * deep)
