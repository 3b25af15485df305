"""Running FFmpeg: processes that hold the GPU lock, their progress, and their messages as diagnostics."""

from __future__ import annotations

import collections
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from cinecut.diagnostics import Diagnostic, Span, Stop
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.ffmpeg.decoders import NO_DECODER
from cinecut.files import disk_full
from cinecut.graph.plan import Run
from cinecut.machine.child import Watchdog, drain, start, stuck
from cinecut.machine.gpu import GpuLock


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: frames done, FFmpeg's speed relative to the trailer's time, and a number that grows with all
    that it gives out: frames, microseconds and bytes."""

    frames: int
    speed: float | None
    output: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """The result of a run: the number of written frames, warnings of damaged media, FFmpeg's first errors and the end
    of its log."""

    frames: int
    warnings: list[Diagnostic]
    errors: tuple[str, ...]
    log: tuple[str, ...] = ()


@dataclass(slots=True)
class Running:
    """The FFmpegs that are running. `end` ends them, and every later one."""

    processes: set[subprocess.Popen[bytes]] = field(default_factory=set)
    ended: bool = False
    guard: threading.Lock = field(default_factory=threading.Lock)

    def add(self, process: subprocess.Popen[bytes]) -> None:
        with self.guard:
            self.processes.add(process)
            if self.ended:
                process.kill()

    def remove(self, process: subprocess.Popen[bytes]) -> None:
        with self.guard:
            self.processes.remove(process)

    def end(self) -> None:
        with self.guard:
            self.ended = True
            for process in self.processes:
                process.kill()


@dataclass(frozen=True, slots=True)
class Ended:
    """How an FFmpeg ended: its status, the number of written frames, its last lines, and what it did if it
    stood still."""

    status: int
    frames: int
    lines: tuple[str, ...]
    stuck: str = ""


class Elsewhere(Protocol):
    """Runs FFmpeg on another machine, which sees the same folder."""

    def __call__(self, command: Sequence[str], ffmpeg: FFmpeg, folder: Path, running: Running) -> Ended: ...


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where graphs run: the FFmpeg, the folder with their inputs, the held lock; `places`: the spec's places for the
    graph's labels; the `running` processes; and what runs FFmpeg `elsewhere`."""

    ffmpeg: FFmpeg
    folder: Path
    lock: GpuLock
    places: Mapping[str, Span]
    running: Running = field(default_factory=Running)
    elsewhere: Elsewhere | None = None


def run_graph(
    run: Run,
    outputs: Sequence[str],
    place: Workplace,
    progress: Callable[[Progress], None] = lambda done: None,
    level: str = "warning",
) -> Finished:
    """Run a graph in its folder, where its script is written; `outputs`: the names of the files that it writes;
    `level`: FFmpeg's log level. Raises Stop with FFmpeg's error, at its place in the spec. Leaves no process."""
    (place.folder / run.name).write_text(run.script, encoding="utf-8")
    telling = ["-v", f"level+{level}", "-progress", "pipe:1", "-stats_period", "0.2"]
    command = [place.ffmpeg.path, *telling, *run.arguments(place.ffmpeg.script_option, outputs)]
    if place.elsewhere is None:
        ended = run_command(command, place.folder, place.running, progress, [place.lock.descriptor])
    else:
        ended = place.elsewhere(command, place.ffmpeg, place.folder, place.running)
        progress(Progress(ended.frames, None))
    if ended.stuck:
        raise stuck(f"FFmpeg {ended.stuck}, at frame {ended.frames}")
    log = ended.lines
    if ended.status != 0 or any(_INCOMPLETE.search(line) for line in log):
        raise _explain(place.places, place.folder, ended.status, log)
    return Finished(ended.frames, _damage(log), tuple(_errors(log)[:3]), log)


def run_command(
    command: Sequence[str],
    folder: Path,
    running: Running,
    progress: Callable[[Progress], None],
    held: Sequence[int] = (),
) -> Ended:
    """Run an FFmpeg in a folder to its end; it inherits the descriptors `held`. Leaves no process."""
    process = start(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=held,
        env={**os.environ, "AV_LOG_FORCE_NOCOLOR": "1"},
    )
    running.add(process)
    last: collections.deque[str] = collections.deque(maxlen=200)
    frames = output = 0
    assert process.stdout is not None
    assert process.stderr is not None
    reader = threading.Thread(target=drain, args=(process.stderr, last), daemon=True)
    reader.start()
    try:
        with Watchdog(process) as watchdog:
            for done in _read_progress(process.stdout):
                if done.output > output:
                    watchdog.progress()
                frames, output = done.frames, max(output, done.output)
                progress(done)
            status = process.wait()
    finally:
        _end(process)
        running.remove(process)
        reader.join(timeout=5)
    return Ended(status, frames, tuple(last), watchdog.stuck)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process if it still runs: a polite request would make it finish a useless file first."""
    if process.poll() is None:
        process.kill()
        process.wait()


def _read_progress(stream: IO[bytes]) -> Iterator[Progress]:
    frames, speed, output = 0, None, dict[str, int]()
    for line in stream:
        key, _, value = line.decode(errors="replace").strip().partition("=")
        if key in ("frame", "out_time_us", "total_size") and value.isdigit():
            output[key] = int(value)
            frames = output.get("frame", 0)
        elif key == "speed":
            match = re.match(r"\s*([0-9.]+)x", value)
            speed = float(match[1]) if match else None
        elif key == "progress":
            yield Progress(frames, speed, sum(output.values()))


def _explain(places: Mapping[str, Span], folder: Path, status: int, lines: Sequence[str]) -> Stop:
    """FFmpeg's failure as a diagnostic, at the event's place in the spec if FFmpeg names one of our labels."""
    text = "\n".join(lines)
    if "No space left on device" in text:
        return disk_full(folder)
    errors = _errors(lines) or list(lines)
    span = None
    for line in errors:
        match = re.search(r"@(\w+)[ @\]]", line)
        if match and match[1] in places:
            span = places[match[1]]
            break
    if status < 0:  # its messages are not the reason
        hint = "if nobody did that, the machine may have run out of memory" if status == -signal.SIGKILL else ""
        message = f"FFmpeg was ended from outside by {signal.Signals(-status).name}"
        return Stop("ffmpeg", message, *([hint] if hint else []), *errors[:3], span=span)
    if any(_NO_DECODER.search(line) for line in errors):
        message = f"this FFmpeg has no decoder for what it is to read: {_LEVEL.sub('', errors[0])}"
        return Stop("no-ffmpeg", message, NO_DECODER, span=span)
    first = _LEVEL.sub("", errors[0]) if errors else "it gave no reason"
    return Stop("ffmpeg", f"FFmpeg ended with status {status}: {first}", *errors[1:4], span=span)


# FFmpeg 5.1 says so when the file's end cannot be written, and then ends with status 0 all the same.
_INCOMPLETE = re.compile(r"Error writing trailer|Error closing file|av_interleaved_write_frame")
_NO_DECODER = re.compile(r"Decoder \(codec .*\) not found|no decoder found for|Decoder not found")
_LEVEL = re.compile(r"\[(error|fatal|warning)\]\s*")


def _errors(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if "[error]" in line or "[fatal]" in line]


# Decoders' messages about broken pictures and sound, without those that any open GOP causes where it is cut.
_DAMAGE = re.compile(r"corrupt|concealing|error while decoding|Invalid data found|Invalid NAL|Error splitting", re.I)


def _damage(lines: Iterable[str]) -> list[Diagnostic]:
    complaints = [_LEVEL.sub("", line) for line in lines if _DAMAGE.search(line)]
    if not complaints:
        return []
    message = "a part of the film that this trailer shows is damaged: look at the shots, and listen"
    return [Diagnostic("film", message, None, (complaints[0],))]
