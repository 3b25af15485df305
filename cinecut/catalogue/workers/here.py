"""Films analysed on this machine, one after another, in a child process."""

from __future__ import annotations

import collections
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from cinecut.analysis.stage import Progress
from cinecut.catalogue.store import CatalogueEntry
from cinecut.catalogue.task import Asked
from cinecut.machine.child import die_with_parent, drain


class Here:
    """Analyses films for a catalogue. `progress` is called with a film's current stage."""

    def __init__(self, folder: Path, asked: Asked, progress: Progress) -> None:
        self._folder, self._asked, self._progress = folder.absolute(), asked, progress

    def each(self, films: Sequence[Path]) -> Iterator[CatalogueEntry]:
        """The entry of each film as it is done. If the process dies at a film, its entry says so."""
        waiting = collections.deque(films)
        while waiting:
            process = self._start()
            try:
                while waiting:
                    film = waiting.popleft()
                    entry = self._ask(process, film)
                    yield entry or CatalogueEntry(str(film), failed=f"looking at it {_end(process)}")
                    if entry is None:
                        break
            finally:
                process.kill()
                process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cinecut.catalogue.workers.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent(),
            start_new_session=True,  # Ctrl-C is for this process, which then ends that one
        )
        assert process.stderr is not None
        threading.Thread(target=drain, args=(process.stderr, collections.deque(maxlen=1)), daemon=True).start()
        return process

    def _ask(self, process: subprocess.Popen[bytes], film: Path) -> CatalogueEntry | None:
        """None if the process died."""
        assert process.stdin is not None
        assert process.stdout is not None
        task = {"film": str(film), "folder": str(self._folder), "asked": asdict(self._asked)}
        try:
            process.stdin.write(json.dumps(task).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            return None
        for line in process.stdout:
            if not line.endswith(b"\n"):
                return None  # it died while it answered
            answer = json.loads(line)
            if "entry" in answer:
                return CatalogueEntry(**{**answer["entry"], "warnings": tuple(answer["entry"]["warnings"])})
            self._progress(answer["stage"], answer["share"])
        return None


def _end(process: subprocess.Popen[bytes]) -> str:
    status = process.wait()
    if status < 0:
        hint = ": the machine may have run out of memory" if status == -signal.SIGKILL else ""
        return f"ended the process by {signal.Signals(-status).name}{hint}"
    return f"ended the process with status {status}"
