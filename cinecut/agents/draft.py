"""A draft of a spec, rendered in this process for a server that may end it: `python -m cinecut.agents.draft SPEC FILE`.

Prints how far it is as JSON, one object a line, and last the file or the findings.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import NoReturn

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.render.job import Watch, prepare
from cinecut.render.trailer import render


def _end(signum: int, frame: object) -> NoReturn:
    signal.signal(signum, lambda *_: None)  # not SIG_IGN: Python prints a traceback for a signal that meets it
    raise SystemExit(128 + signum)  # unwinds: FFmpegs are ended, and folders removed


def _say(**record: object) -> None:
    sys.stdout.write(json.dumps(record) + "\n")  # at once: several threads report
    sys.stdout.flush()


def main(spec: Path, target: Path) -> int:
    signal.signal(signal.SIGTERM, _end)

    def stage(name: str, done: int, total: int, speed: float | None) -> None:
        _say(stage=name, done=done, total=total)

    try:
        job = prepare(spec, small=True)
        if len(job.plan.targets) > 1:
            job = prepare(spec, small=True, only=[job.plan.targets[0].name])
        watch = Watch(stage, lambda holder: _say(stage=f"waiting for the GPU lock, held by {holder}", done=0, total=1))
        done = render(job, target, find_ffmpeg(), watch, force=True)
        _say(file=str(next(iter(done.files.values()))), frames=job.plan.frames)
    except Stop as stop:
        _say(findings=[each.message for each in stop.diagnostics])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
