"""What needs decoders and arrays in a working folder: reels and LUTs.

A process of its own writes them, so that the memory of those libraries is free again before FFmpeg starts. Where this
process has loaded them already it writes them itself: nothing would be saved.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cinecut.diagnostics import Diagnostic, Stop
from cinecut.files import disk_errors
from cinecut.grade import Grade
from cinecut.graph.plan import Reel, SoundReel
from cinecut.language.facts import FilmFacts
from cinecut.machine.child import die_with_parent

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Pull:
    """What is wanted in a folder: reels of a film, LUTs of grades, and the tables of a user's own .cube files."""

    folder: Path
    film: Path
    facts: FilmFacts
    reels: Sequence[Reel | SoundReel]
    luts: Mapping[str, Grade]
    cubes: Mapping[str, Path]


def pull(wanted: Pull, progress: Callable[[int], None]) -> None:
    """Write it all; `progress` is told the number of reels that are done. Raises Stop."""
    if "av" in sys.modules:
        with disk_errors(wanted.folder):
            _write(wanted, progress)
    else:
        pull_apart(wanted, progress)


def pull_apart(wanted: Pull, progress: Callable[[int], None]) -> None:
    """`pull` in a process of its own."""
    paths = [str(_ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    process = subprocess.Popen(
        [sys.executable, "-m", "cinecut.render.pull"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent(),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with contextlib.suppress(BrokenPipeError), process.stdin:  # it has ended: its words, or none, say why
            pickle.dump(wanted, process.stdin)
        told: int | list[Diagnostic] = 0
        while isinstance(told := _told(process.stdout), int):
            progress(told)
    finally:
        process.kill()
        process.wait()
    if told:
        raise Stop.of(told)


def _told(stream: IO[bytes]) -> int | list[Diagnostic]:
    """The next word of the process: how many reels are done, or at last what went wrong."""
    try:
        said: int | list[Diagnostic] = pickle.load(stream)
    except EOFError:
        return [Diagnostic("unreadable", "copying the shots out of the film ended without a word", None, _ENDED)]
    return said


_ENDED = ("the machine may have run out of memory",)


def main() -> None:
    """The process itself: what is wanted on its input, its words on its output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever waits for it ends it
    said, found = sys.stdout.buffer, list[Diagnostic]()
    sys.stdout = sys.stderr  # no library's words come between

    def tell(word: int | list[Diagnostic]) -> None:
        pickle.dump(word, said)
        said.flush()

    wanted: Pull = pickle.load(sys.stdin.buffer)
    try:
        with disk_errors(wanted.folder):
            _write(wanted, tell)
    except Stop as stop:
        found = stop.diagnostics
    tell(found)


def _write(wanted: Pull, progress: Callable[[int], None]) -> None:
    from cinecut.grade.cube import read_cube, stages
    from cinecut.media.reels import pull_reels

    write_luts(wanted.luts, wanted.folder)
    for name, file in wanted.cubes.items():
        for kind, data in stages(read_cube(file.read_bytes(), str(file))):
            (wanted.folder / f"{name}.{kind.removeprefix('lut')}.cube").write_bytes(data)
    pull_reels(wanted.film, wanted.facts, wanted.reels, wanted.folder, progress)


def write_luts(luts: Mapping[str, Grade], folder: Path) -> None:
    """The LUT files of grades, by their names."""
    if luts:
        from cinecut.grade.cube import cube_text
        from cinecut.grade.formula import lut

        for name, grade in luts.items():
            (folder / name).write_bytes(cube_text(lut([grade])))


if __name__ == "__main__":
    main()
