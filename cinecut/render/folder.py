"""The working folder: what a plan generates, and what its runs read.

What needs arrays and decoders is written by a process of its own: this one stays small while FFmpeg runs.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Stop
from cinecut.files import disk_errors
from cinecut.fonts.glyphs import FOLDER as FONTS
from cinecut.grade import Grade
from cinecut.graph.plan import SCRIPT, LutFile, Reel, UserFile
from cinecut.graph.script import Build
from cinecut.language.read import inside

if TYPE_CHECKING:
    from cinecut.render.job import Job, Watch


def write_script(plan: RenderPlan, folder: Path) -> None:
    (folder / plan.render.name).write_text(plan.render.script, encoding="utf-8")


def write_generated(plan: RenderPlan, folder: Path) -> None:
    """What comes from the spec alone: script, texts, LUTs, fonts."""
    folder.mkdir(parents=True, exist_ok=True)
    write_script(plan, folder)
    for name, data in plan.files.items():
        (folder / name).write_bytes(data)
    for name, grade in plan.luts.items():
        (folder / name).write_bytes(_lut(grade))
    if plan.files:
        fonts = folder / "fonts"
        fonts.mkdir(exist_ok=True)
        for font in FONTS.glob("*.ttf"):
            shutil.copyfile(font, fonts / font.name)


def fill(job: Job, folder: Path, watch: Watch, *, copy: bool) -> None:
    """All that the plan's runs read. The user's own files lie there under our names, linked unless `copy`."""
    write_generated(job.plan, folder)
    for item in job.plan.inputs:
        if isinstance(item, LutFile):
            _write_tables(inside(job.folder, item.file), folder, item.name)
        elif isinstance(item, UserFile):
            _bring(inside(job.folder, item.file), folder / item.name, copy)
    reels = [item for item in job.plan.inputs if isinstance(item, Reel)]
    _pull(job, reels, folder, lambda done: watch.stage("reels", done, len(reels), None))


def _bring(file: Path, target: Path, copy: bool) -> None:
    if copy:
        shutil.copyfile(file, target)
    else:
        target.symlink_to(file.absolute())


def _pull(job: Job, reels: list[Reel], folder: Path, progress: Callable[[int], None]) -> None:
    from cinecut.media.reels import pull_reels

    pull_reels(job.film, job.plan.layout.trailer.film, reels, folder, progress)


@cache
def _lut(grade: Grade) -> bytes:
    """The LUT file of a grade: the same grade, the same bytes."""
    from cinecut.grade.cube import cube_text
    from cinecut.grade.formula import lut

    return cube_text(lut([grade]))


def _write_tables(file: Path, folder: Path, name: str) -> None:
    from cinecut.grade.cube import read_cube, stages

    for kind, data in stages(read_cube(file.read_bytes(), str(file))):
        (folder / f"{name}.{kind.removeprefix('lut')}.cube").write_bytes(data)


def write_compiled(plan: RenderPlan, folder: Path, build: Build) -> list[str]:
    """Write what comes from the spec alone; returns the names of the inputs that a run needs besides. What was compiled
    there before is replaced."""
    with disk_errors(folder):
        if folder.is_dir() and any(folder.iterdir()) and not (folder / SCRIPT).is_file():
            raise Stop("output", f"{folder} is there already, and holds no compiled trailer", "name another with -o")
        write_generated(plan, folder)
        outputs = [f"trailer{'_' * bool(t.name)}{t.name}{t.suffix}" for t in plan.targets]
        command = shlex.join(["ffmpeg", *plan.render.arguments(build, outputs)])
        (folder / "command.sh").write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    reels = [item for item in plan.inputs if isinstance(item, Reel) and item.audio is not None]
    return sorted({item.name for item in plan.inputs} | {reel.sound_name for reel in reels})
