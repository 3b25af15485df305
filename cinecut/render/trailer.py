"""From a job to its finished files: checked, rendered under the lock, renamed when complete.

Job ─ outputs checked ─ lock ─ working folder ─ Studio ─► files under their own names
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cinecut.diagnostics import Diagnostic
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.ffmpeg.meter import Level
from cinecut.ffmpeg.run import Elsewhere, Running, Workplace
from cinecut.files import disk_errors, put, together, working_folder
from cinecut.machine.gpu import gpu_lock
from cinecut.render.folder import Materials
from cinecut.render.job import Job, Watch
from cinecut.render.outputs import captions_beside, check_filters, check_output, check_target
from cinecut.render.segments.studio import Studio
from cinecut.render.store import Store, usual_store


@dataclass(frozen=True, slots=True)
class Rendered:
    """The result of a render, by output name: `files`; `levels`, for outputs with a target loudness; `new`, the frames
    [start, end) rendered this time; `parts`, all frames in parts, each with a key that changes with its content."""

    files: dict[str, Path]
    levels: dict[str, Level]
    warnings: list[Diagnostic]
    new: list[tuple[str, int, int]]
    parts: list[tuple[str, int, int, str]]


@dataclass(frozen=True, slots=True)
class Effort:
    """How a render is done. `jobs`: FFmpegs at a time (None: as many as the machine serves). `store`: whether rendered
    parts are reused and stored. `accept`: gets the finished files by output name before they are put in place; raises
    Stop to refuse them. `running`: lets another thread end the render. `elsewhere`: runs FFmpeg on other machines."""

    jobs: int | None = None
    store: bool = True
    accept: Callable[[Mapping[str, Path]], None] = lambda files: None
    running: Running | None = None
    elsewhere: Elsewhere | None = None


USUAL = Effort()


def render(
    job: Job, output: Path, ffmpeg: FFmpeg, watch: Watch, *, force: bool = False, effort: Effort = USUAL
) -> Rendered:
    """Write the trailer. The output appears only when complete; besides it only the store's entries remain."""
    check_output(job, output, force)
    files, plan = job.files(output), job.plan
    check_filters(plan, ffmpeg)
    for target in plan.targets:
        check_target(target, files[target.name], ffmpeg)
    with (
        gpu_lock(f"rendering {output.name}", watch.waiting) as lock,
        disk_errors(output.parent),
        working_folder(output) as folder,
    ):
        check_output(job, output, force)  # another render may have held the lock till now
        store = usual_store() if effort.store else Store(None)
        place = Workplace(ffmpeg, folder, lock, plan.places, effort.running or Running(), effort.elsewhere)
        studio = Studio(plan, place, Materials(job, folder, watch, store), store, watch)
        made = studio.make(effort.jobs)
        effort.accept({name: folder / file for name, file in made.items()})
        check_output(job, output, force)  # rendering takes a while, and others write files too
        with together():
            for target in plan.targets:
                if target.captions_file:
                    (folder / target.dialogue).write_bytes(plan.files[target.dialogue])
                    put(folder / target.dialogue, captions_beside(files[target.name]))
                put(folder / made[target.name], files[target.name])
        store.prune()
    warnings = [*plan.diagnostics, *studio.warnings, *studio.materials.warnings, *store.warnings]
    new = [(each.output, each.start, each.end) for each in studio.new]
    parts = [(each.output, each.start, each.end, key) for each, key in studio.parts]
    return Rendered(files, studio.levels, warnings, new, parts)
