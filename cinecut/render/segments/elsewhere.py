"""Running a render's FFmpegs on the workers of a Dask scheduler, which see the working folder and the media at the same
paths.

    run ─ command, folder ─► a task ─ the same FFmpeg in the same folder ─► its file there, and how it ended

What runs and what it writes is what would run here, so the trailer has the same bytes. A task whose worker dies is done
by another.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import FFmpeg, find_ffmpeg
from cinecut.ffmpeg.run import Ended, Progress, Running, run_command

_LOOK = 0.2  # seconds between two looks whether the render was ended


@dataclass(frozen=True, slots=True)
class OnCluster:
    """Runs FFmpeg by a scheduler's client."""

    client: Any  # distributed.Client, whose methods have no types

    @property
    def places(self) -> int:
        """How many FFmpegs the workers run at a time."""
        return max(1, sum(map(int, self.client.nthreads().values())))

    def __call__(self, command: Sequence[str], ffmpeg: FFmpeg, folder: Path, running: Running) -> Ended:
        """Raises Stop if a worker sees another folder or has another FFmpeg."""
        task = self.client.submit(_on_worker, list(command), ffmpeg.identity, str(folder.absolute()), pure=False)
        while not running.ended:
            try:
                ended = task.result(timeout=_LOOK)
            except TimeoutError:
                continue
            except Exception as error:  # the scheduler gave the task up: its workers died, say
                raise Stop("ffmpeg", f"the cluster gave a segment up: {str(error)[:300]}") from None
            if isinstance(ended, str):
                raise Stop("ffmpeg", ended)
            return Ended(*ended)
        task.cancel()
        return Ended(-signal.SIGKILL, 0, ())


def _on_worker(command: list[str], identity: str, folder: str) -> tuple[int, int, tuple[str, ...], str] | str:
    """How the FFmpeg ended, or why it did not run. It is ended when its folder disappears, since nobody waits then."""
    own = _same_ffmpeg(command[0], identity)
    if own is None:
        return "a worker has not this FFmpeg, and another one writes other bytes"
    if not Path(folder).is_dir():
        return f"a worker does not see {folder}: film, songs and output must be on storage that all share"
    running = Running()

    def watch(done: Progress) -> None:
        if not Path(folder).is_dir():
            running.end()

    ended = run_command([own, *command[1:]], Path(folder), running, watch)
    return ended.status, ended.frames, ended.lines, ended.stuck


def _same_ffmpeg(path: str, identity: str) -> str | None:
    """The path of this FFmpeg build on this machine: the same path, or the machine's own FFmpeg."""
    for choice in (path, None):
        with suppress(Stop):
            if (ffmpeg := find_ffmpeg(choice)).identity == identity:
                return ffmpeg.path
    return None
