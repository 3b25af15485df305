"""A Dask scheduler and two workers, each a process of its own on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from commandline import environment

_HERE = ("--host", "127.0.0.1", "--no-dashboard")
_WORKER = ("--nthreads", "1", "--no-nanny", *_HERE)


@dataclass
class Cluster:
    """What was started, and where the scheduler listens."""

    folder: Path
    address: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    scheduler: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        return environment(self.folder)

    def start(self, module: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *options]
        with (self.folder / "cluster.log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=log, stderr=log)


@contextmanager
def cluster_in(folder: Path) -> Iterator[Cluster]:
    """All of it ends with the block; its words are in `cluster.log`."""
    made, file = Cluster(folder), folder / "scheduler.json"
    try:
        made.scheduler = made.start("dask_scheduler", *_HERE, "--port", "0", "--scheduler-file", str(file))
        while not file.exists() or not file.read_text():
            assert made.scheduler.poll() is None, (folder / "cluster.log").read_text()
            time.sleep(0.05)
        made.address = json.loads(file.read_text())["address"]
        made.workers = [made.start("dask_worker", made.address, *_WORKER) for _ in range(2)]
        yield made
    finally:
        for process in (*made.workers, *([made.scheduler] if made.scheduler else [])):
            process.kill()
            process.wait()
