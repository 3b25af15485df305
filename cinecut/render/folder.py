"""The working folder: what a plan generates, and what its runs read."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Stop
from cinecut.files import disk_errors
from cinecut.fonts.glyphs import FOLDER as FONTS
from cinecut.graph.plan import SCRIPT, LutFile, Reel, UserFile
from cinecut.graph.script import Build
from cinecut.language.read import inside
from cinecut.render.pull import Pull, pull, write_luts

if TYPE_CHECKING:
    from cinecut.render.job import Job, Watch


def write_script(plan: RenderPlan, folder: Path) -> None:
    (folder / plan.render.name).write_text(plan.render.script, encoding="utf-8")


def write_generated(plan: RenderPlan, folder: Path) -> None:
    """What comes from the spec alone and needs no arrays: script, texts, fonts."""
    folder.mkdir(parents=True, exist_ok=True)
    write_script(plan, folder)
    for name, data in plan.files.items():
        (folder / name).write_bytes(data)
    if plan.files:
        fonts = folder / "fonts"
        fonts.mkdir(exist_ok=True)
        for font in FONTS.glob("*.ttf"):
            shutil.copyfile(font, fonts / font.name)


def fill(job: Job, folder: Path, watch: Watch, *, copy: bool) -> None:
    """All that the plan's runs read. The user's own files lie there under our names, linked unless `copy`."""
    write_generated(job.plan, folder)
    cubes = {item.name: inside(job.folder, item.file) for item in job.plan.inputs if isinstance(item, LutFile)}
    for item in job.plan.inputs:
        if isinstance(item, UserFile):
            _bring(inside(job.folder, item.file), folder / item.name, copy)
    reels = [item for item in job.plan.inputs if isinstance(item, Reel)]
    wanted = Pull(folder, job.film, job.plan.layout.trailer.film, reels, job.plan.luts, cubes)
    pull(wanted, lambda done: watch.stage("reels", done, len(reels), None))


def _bring(file: Path, target: Path, copy: bool) -> None:
    if copy:
        shutil.copyfile(file, target)
    else:
        target.symlink_to(file.absolute())


def write_compiled(plan: RenderPlan, folder: Path, build: Build) -> list[str]:
    """Write what comes from the spec alone; returns the names of the inputs that a run needs besides. What was compiled
    there before is replaced."""
    with disk_errors(folder):
        if folder.is_dir() and any(folder.iterdir()) and not (folder / SCRIPT).is_file():
            raise Stop("output", f"{folder} is there already, and holds no compiled trailer", "name another with -o")
        write_generated(plan, folder)
        write_luts(plan.luts, folder)
        outputs = [f"trailer{'_' * bool(t.name)}{t.name}{t.suffix}" for t in plan.targets]
        command = shlex.join(["ffmpeg", *plan.render.arguments(build, outputs)])
        (folder / "command.sh").write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    reels = [item for item in plan.inputs if isinstance(item, Reel) and item.audio is not None]
    return sorted({item.name for item in plan.inputs} | {reel.sound_name for reel in reels})
