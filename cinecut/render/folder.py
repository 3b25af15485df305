"""The working folder: what a plan generates, and what its runs read."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Stop
from cinecut.files import disk_errors, fingerprint
from cinecut.fonts.glyphs import FOLDER as FONTS
from cinecut.graph.plan import SCRIPT, LutFile, Reel, SoundReel, UserFile
from cinecut.graph.script import Build
from cinecut.language.read import inside
from cinecut.render.pull import Pull, pull, write_luts
from cinecut.render.segments.store import Store, code, key_of

if TYPE_CHECKING:
    from cinecut.render.job import Job, Watch


def write_script(plan: RenderPlan, folder: Path) -> None:
    (folder / plan.render.name).write_text(plan.render.script, encoding="utf-8")


def write_texts(files: Mapping[str, bytes], folder: Path) -> None:
    """Texts, and the fonts that they are set in."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    fonts = folder / "fonts"
    if files and not fonts.exists():
        fonts.mkdir()
        for font in FONTS.glob("*.ttf"):
            shutil.copyfile(font, fonts / font.name)


def write_generated(plan: RenderPlan, folder: Path) -> None:
    """What comes from the spec alone and needs no arrays: script, texts, fonts."""
    folder.mkdir(parents=True, exist_ok=True)
    write_script(plan, folder)
    write_texts(plan.files, folder)


@dataclass(frozen=True)
class Materials:
    """The media and tables that a plan's runs read, brought into their folder when they are needed: from the store, or
    made anew and kept there. The user's own files lie there under our names, linked unless `copy`."""

    job: Job
    folder: Path
    watch: Watch
    store: Store
    copy: bool = False

    def bring(self, names: Iterable[str]) -> None:
        missing = {name for name in names if not (self.folder / name).exists()}
        for item in self.job.plan.inputs:
            if isinstance(item, UserFile) and item.name in missing:
                _bring(inside(self.job.folder, item.file), self.folder / item.name, self.copy)
                missing.remove(item.name)
        missing = {name for name in missing if not self.store.take(self.keys[name], self.folder / name)}
        if missing:
            self._make(missing)
        for name in missing:
            self.store.keep(self.keys[name], self.folder / name)

    def _make(self, names: set[str]) -> None:
        plan = self.job.plan
        reels = [item for item in plan.inputs if isinstance(item, Reel | SoundReel) and item.name in names]
        luts = {name: grade for name, grade in plan.luts.items() if name in names}
        tables = [item for item in plan.inputs if isinstance(item, LutFile) and names & set(self._tables(item))]
        cubes = {item.name: inside(self.job.folder, item.file) for item in tables}
        wanted = Pull(self.folder, self.job.film, plan.layout.trailer.film, reels, luts, cubes)
        pull(wanted, lambda done: self.watch.stage("reels", done, len(reels), None))

    @cached_property
    def keys(self) -> dict[str, str]:
        """What each of these files is made of, by its name."""
        trailer, found = self.job.plan.layout.trailer, dict[str, str]()
        film = replace(trailer.film, gaps=False)  # which only says how its pictures are shown
        for item in self.job.plan.inputs:
            if isinstance(item, Reel | SoundReel):
                found[item.name] = key_of(code(), film, replace(item, name=""))
            else:
                content = fingerprint(inside(self.job.folder, item.file))
                names = self._tables(item) if isinstance(item, LutFile) else [item.name]
                found |= {name: key_of(code(), name, content) for name in names}
        return found | {name: key_of(code(), grade) for name, grade in self.job.plan.luts.items()}

    def _tables(self, lut: LutFile) -> list[str]:
        own = self.job.plan.layout.trailer.lut
        return [f"{lut.name}.{kind}.cube" for kind in own.facts.tables.split()] if own is not None else []


def fill(job: Job, folder: Path, watch: Watch) -> None:
    """All that any of the plan's runs reads, the user's own files as copies."""
    write_generated(job.plan, folder)
    Materials(job, folder, watch, Store(None), copy=True).bring(job.plan.render.reads)


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
    return sorted({item.name for item in plan.inputs})
