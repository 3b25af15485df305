"""The working folder: the files that a plan generates and reads."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cinecut.compiler.picture.look import own_name
from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.files import content_of, disk_errors, fingerprint, new_folder, staying_same, working_folder
from cinecut.fonts.glyphs import FOLDER as FONTS
from cinecut.grade import Grade
from cinecut.graph.plan import SCRIPT, LutFile, Reel, SoundReel, UserFile
from cinecut.language.facts import SongFacts
from cinecut.language.read import inside
from cinecut.language.timebase import clock
from cinecut.render.job import Job, Watch
from cinecut.render.store import Store, code, key_of

if TYPE_CHECKING:
    from cinecut.media.reels import Reels


def write_script(plan: RenderPlan, folder: Path) -> None:
    (folder / plan.render.name).write_text(plan.render.script, encoding="utf-8")


def write_texts(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the texts and their fonts."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    fonts = folder / "fonts"
    if files and not fonts.exists():
        fonts.mkdir()
        for font in FONTS.glob("*.ttf"):
            shutil.copyfile(font, fonts / font.name)


def write_generated(plan: RenderPlan, folder: Path) -> None:
    """Write what the spec alone determines, without arrays: script, texts, fonts."""
    folder.mkdir(parents=True, exist_ok=True)
    write_script(plan, folder)
    write_texts(plan.files, folder)


@dataclass(frozen=True)
class Materials:
    """The media and tables that a plan's runs read, brought into their folder when needed: from the store, or made and
    stored. The user's own files get names of ours, as links unless `copy`; songs in Matroska are stored anew."""

    job: Job
    folder: Path
    watch: Watch
    store: Store
    copy: bool = False
    damaged: list[SoundReel] = field(default_factory=list)

    def bring(self, names: Iterable[str]) -> None:
        for _ in self.in_turn([set(names)]):
            pass

    def in_turn(self, groups: Sequence[set[str]]) -> Generator[None, None, None]:
        """Bring one group of files after another, so that a run can start while the next group is made."""
        missing = {name for name in set().union(*groups) if not (self.folder / name).exists()}
        for item in self.job.plan.inputs:
            if isinstance(item, UserFile) and item.name in missing:
                self._bring(inside(self.job.folder, item.file), item)
                missing.remove(item.name)
        missing -= self.store.take_all({name: self.keys[name] for name in missing}, self.folder)
        with closing(_Maker(self, len(self.reels(missing)))) as maker:
            for group in groups:
                maker.make(missing & group)
                missing -= group
                yield

    @property
    def warnings(self) -> list[Diagnostic]:
        """About each film of which some of the sound does not decode."""
        found = dict[str, list[str]]()
        for reel in sorted(self.damaged, key=lambda each: each.heard.start):
            found.setdefault(reel.film, []).append(" to ".join(clock(at.seconds) for at in reel.used))
        return [_silent(self.job.films[name], shots) for name, shots in found.items()]

    def _bring(self, file: Path, item: UserFile) -> None:
        target = self.folder / item.name
        if item.facts is not None and item.facts.fingerprint:
            from cinecut.media.link import check_facts

            check_facts(file, item.facts)
        if isinstance(item.facts, SongFacts) and _is_read_otherwise(content_of(file, _HEAD)):
            from cinecut.media.sound.uncompressed import write_uncompressed

            write_uncompressed(file, target)
        elif self.copy:
            shutil.copyfile(file, target)
        else:
            target.symlink_to(file.absolute())

    def reels(self, names: set[str]) -> list[Reel | SoundReel]:
        items = self.job.plan.inputs
        return [item for item in items if isinstance(item, Reel | SoundReel) and item.name in names]

    @cached_property
    def keys(self) -> dict[str, str]:
        """The key of each of these files, by name."""
        footage, keys = self.job.plan.layout.trailer.footage, dict[str, str]()
        # Missing pictures only say how the others are shown.
        films = {name: key_of(replace(each.facts, gaps=False)) for name, each in footage.items()}
        for item in self.job.plan.inputs:
            if isinstance(item, Reel | SoundReel):
                keys[item.name] = key_of(code(), films[item.film], item.content)
            else:
                content = fingerprint(inside(self.job.folder, item.file))
                names = self.tables() if isinstance(item, LutFile) else [item.name]
                keys |= {name: key_of(code(), name, content) for name in names}
        return keys | {name: key_of(code(), grade) for name, grade in self.job.plan.luts.items()}

    def tables(self) -> list[str]:
        """The files of the user's own LUT."""
        own = self.job.plan.layout.trailer.lut
        return [own_name(kind) for kind in own.facts.tables.split()] if own is not None else []


class _Maker:
    """Makes reels and tables; `reels` is the total number of reels. Films stay open until it is closed."""

    def __init__(self, materials: Materials, reels: int) -> None:
        self._materials, self._total, self._done = materials, reels, 0
        self._films: dict[str, Reels] = {}

    def make(self, names: set[str]) -> None:
        materials, plan = self._materials, self._materials.job.plan
        write_luts({name: grade for name, grade in plan.luts.items() if name in names}, materials.folder)
        for item in plan.inputs:
            if isinstance(item, LutFile) and names & set(materials.tables()):
                _write_tables(inside(materials.job.folder, item.file), materials.folder)
        if reels := materials.reels(names):
            self._pull(reels)
        damaged = [reel for film in self._films.values() for reel in film.damaged if reel.name in names]
        materials.damaged.extend(damaged)
        for name in names - {reel.name for reel in damaged}:  # what is stored is not spoken of again
            materials.store.keep(materials.keys[name], materials.folder / name)

    def _pull(self, reels: Sequence[Reel | SoundReel]) -> None:
        from cinecut.media.link import check_facts
        from cinecut.media.reels import Reels

        materials, job = self._materials, self._materials.job

        def tell(done: int) -> None:
            materials.watch.stage("reels", self._done + done, self._total, None)

        for name in sorted({reel.film for reel in reels}):
            film, facts = job.films[name], job.plan.layout.trailer.footage[name].facts
            own = [reel for reel in reels if reel.film == name]
            with staying_same(film, facts.fingerprint):  # before anything of it is stored
                if name not in self._films:
                    check_facts(film, facts)
                    self._films[name] = Reels(film, facts)
                self._films[name].write(own, materials.folder, tell)
            self._done += len(own)

    def close(self) -> None:
        for film in self._films.values():
            film.close()


def _silent(film: Path, shots: Sequence[str]) -> Diagnostic:
    said = ", ".join(shots[:_NAMED]) + (f" and {len(shots) - _NAMED} more" if len(shots) > _NAMED else "")
    message = f"some of the sound of {film} cannot be decoded: in what plays of {said} parts are silent"
    hint = "listen to it; the film may be damaged there, or joined of recordings that differ"
    return Diagnostic("film", message, None, (hint,))


_NAMED = 3  # shots in a message


def write_luts(luts: Mapping[str, Grade], folder: Path) -> None:
    """Write the LUT files of grades, by name."""
    if luts:
        from cinecut.grade.cube import ffmpeg_text
        from cinecut.grade.formula import lut

        for name, grade in luts.items():
            (folder / name).write_bytes(ffmpeg_text(lut([grade])))


def _write_tables(cube: Path, folder: Path) -> None:
    """Write a user's .cube as the tables that FFmpeg reads."""
    from cinecut.grade.cube import ffmpeg_text, read_cube, stages

    for kind, values in stages(read_cube(content_of(cube), str(cube))):
        (folder / own_name(kind.removeprefix("lut"))).write_bytes(ffmpeg_text(values))


def fill(job: Job, folder: Path, watch: Watch) -> None:
    """Bring everything that the plan's runs read, copying the user's files."""
    write_generated(job.plan, folder)
    Materials(job, folder, watch, Store(None), copy=True).bring(job.plan.render.reads)


def _is_read_otherwise(head: bytes) -> bool:
    """Whether a song that begins so is not to every FFmpeg what was measured: Matroska, FLAC of 32 bits (RFC 9639)."""
    deep = head.startswith(b"fLaC") and int.from_bytes(head[20:22], "big") >> 4 & 31 == 31
    return deep or head.startswith(b"\x1a\x45\xdf\xa3")


_HEAD = 32  # bytes


def write_compiled(plan: RenderPlan, folder: Path, script_option: str) -> list[str]:
    """Write what the spec alone determines, replacing earlier files; returns the names of the other inputs that a run
    needs."""
    with disk_errors(folder):
        if folder.is_dir() and any(folder.iterdir()) and not (folder / SCRIPT).is_file():
            raise Stop("output", f"{folder} is there already, and holds no compiled trailer", "name another with -o")
        with _whole(folder) as work:
            write_generated(plan, work)
            write_luts(plan.luts, work)
            outputs = [f"trailer{'_' * bool(t.name)}{t.name}{t.suffix}" for t in plan.targets]
            command = shlex.join(["ffmpeg", *plan.render.arguments(script_option, outputs)])
            (work / "command.sh").write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    return sorted({item.name for item in plan.inputs})


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A place for files that come into a folder together, once all are written; what else is in it stays."""
    with new_folder(folder), working_folder(folder / SCRIPT) as work:
        yield work
        for file in [file for file in work.rglob("*") if file.is_file()]:
            target = folder / file.relative_to(work)
            target.parent.mkdir(exist_ok=True)
            file.replace(target)
