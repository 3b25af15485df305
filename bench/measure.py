"""Meter a command: wall time, processor time and memory of all its processes together.

Memory is the sum of the resident sizes of the command's living processes, sampled twenty times a second: the peaks of
a parent and of its FFmpeg need not coincide, so the sum of peaks would say too much and the largest one too little.
Each process's own high-water mark (VmHWM), which the kernel keeps between the samples, is a lower bound of it. The
maxrss of `wait4` would not do: it counts one process, and a child inherits the mark of the benchmark that forked it.
Pages that two processes share count twice, which is a few MB of libraries here.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import NotMeasuredError

SAMPLE = 0.05  # seconds
LOOK_AROUND = 5  # samples between two looks for new processes, which read a file of each process of the machine
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Command:
    """What to run; `output` is removed before each run, so that no run finds the one before."""

    argv: tuple[str, ...]
    output: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meter:
    wall: float  # seconds
    cpu: float  # seconds of user and system time, of the command and of every descendant that was waited for
    peak: int  # bytes, all processes together


def run(command: Command) -> Meter:
    """Run and meter one command. Raises NotMeasuredError with its last words when it fails."""
    if command.output is not None:
        command.output.unlink(missing_ok=True)
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""} | dict(command.environment)  # as a user's programs start
    with tempfile.TemporaryFile() as log:
        started = time.monotonic()
        try:
            process = subprocess.Popen(
                command.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
            )
        except OSError as error:
            raise NotMeasuredError(f"{command.argv[0]} cannot be run: {error.strerror}") from error
        watch = _MemoryWatch(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.stop()
        if process.returncode != 0:
            log.seek(0)
            words = log.read().decode(errors="replace").strip().splitlines()[-4:]
            raise NotMeasuredError(f"{Path(command.argv[0]).name} exits {process.returncode}: {' / '.join(words)}")
    return Meter(wall, usage.ru_utime + usage.ru_stime, watch.peak)


def median_of(command: Command, times: int) -> Meter:
    """The median of each figure over `times` runs, after one that fills the caches of the disk."""
    run(command)
    return _median([run(command) for _ in range(times)])


def interleaved(commands: Mapping[str, Command], times: int) -> dict[str, Meter | NotMeasuredError]:
    """Medians over `times` rounds of all commands in turn, so that a slow minute of the machine hits each of them.

    A command that fails stays out of the later rounds and has its error instead of a meter.
    """
    meters: dict[str, list[Meter]] = {name: [] for name in commands}
    failed: dict[str, NotMeasuredError] = {}
    for _ in range(times):
        for name, command in commands.items():
            if name not in failed:
                try:
                    meters[name].append(run(command))
                except NotMeasuredError as error:
                    failed[name] = error
    return {name: failed.get(name) or _median(meters[name]) for name in commands}


def measured(commands: Mapping[str, Command], times: int) -> dict[str, Meter]:
    """The same, where no command may fail. Raises NotMeasuredError."""
    meters: dict[str, Meter] = {}
    for name, meter in interleaved(commands, times).items():
        if isinstance(meter, NotMeasuredError):
            raise meter
        meters[name] = meter
    return meters


def _median(meters: Sequence[Meter]) -> Meter:
    return Meter(
        statistics.median(meter.wall for meter in meters),
        statistics.median(meter.cpu for meter in meters),
        int(statistics.median(meter.peak for meter in meters)),
    )


class _MemoryWatch:
    """Samples the memory of a process and its descendants in a thread until `stop`."""

    def __init__(self, root: int) -> None:
        self.peak = 0  # bytes
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        pids: list[int] = []
        for count in itertools.count():
            if count % LOOK_AROUND == 0:
                pids = _tree(self._root)
            sizes = [_memory(pid) for pid in pids]
            self.peak = max(self.peak, sum(now for now, _ in sizes), *(highest for _, highest in sizes))
            if self._over.wait(SAMPLE):
                return


def _tree(root: int) -> list[int]:
    """The process ids of `root` and its descendants, by the parent that each process of the machine names.

    Nobody looks into /proc/PID/task: the kernel keeps what was looked up there, and the end of a process whose threads
    were looked at costs its parent milliseconds, up to a fifth of all that many short processes need.
    """
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            parent = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _memory(pid: int) -> tuple[int, int]:
    """Resident bytes of a process now and at its highest; zeros once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0, 0
    kilobytes = dict.fromkeys(("VmRSS", "VmHWM"), 0)
    for line in status.splitlines():
        key, _, value = line.partition(":")
        if key in kilobytes:
            kilobytes[key] = int(value.split()[0])
    return kilobytes["VmRSS"] * 1024, kilobytes["VmHWM"] * 1024
