"""Making a lock, and rendering exactly what a lock says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.files import disk_errors, working_folder, write_beside
from cinecut.proof.lock import (
    TrailerLock,
    lock_file,
    made_of,
    other_than,
    own_lock,
    print_lock,
    read_lock,
    with_results,
)
from cinecut.render.job import Job, Watch
from cinecut.render.trailer import Effort, Rendered, render

_NAMED = 12  # differences


def write_lock(job: Job, spec: Path, output: Path | None, ffmpeg: FFmpeg, watch: Watch, *, force: bool) -> Rendered:
    """Render a job and write the spec's lock beside it. Without `output` only the lock stays. Raises Stop."""
    lock = made_of(job, ffmpeg)
    target, found = lock_file(spec), lock

    def note(files: Mapping[str, Path]) -> None:
        nonlocal found
        found = with_results(lock, files, ffmpeg)

    effort = Effort(accept=note)
    if output is not None:
        done = render(job, output, ffmpeg, watch, force=force, effort=effort)
    else:
        with disk_errors(target), working_folder(target) as folder:
            done = render(job, folder / f"trailer{job.plan.suffix}", ffmpeg, watch, effort=effort)
    write_beside(target, print_lock(found, spec.name), [spec])
    return done


def only_as_locked(job: Job, spec: Path, ffmpeg: FFmpeg, only: Sequence[str]) -> Callable[[Mapping[str, Path]], None]:
    """Raises Stop if a job differs from its lock. Returns a check for `Effort.accept`, which refuses files that still
    came out differently."""
    path = own_lock(spec)
    locked = _only(read_lock(path), [target.name for target in job.plan.targets] if only else ())
    now = made_of(job, ffmpeg)
    _refuse(path, list(other_than(locked, now)))

    def accept(files: Mapping[str, Path]) -> None:
        _refuse(path, list(other_than(locked, with_results(now, files, ffmpeg))))

    return accept


def _only(lock: TrailerLock, names: Sequence[str]) -> TrailerLock:
    return replace(lock, outputs=tuple(o for o in lock.outputs if o.name in names)) if names else lock


def _refuse(path: Path, differences: Sequence[str]) -> None:
    if differences:
        more = [f"and {len(differences) - _NAMED} more"] if len(differences) > _NAMED else []
        hint = f"`cinecut why` says what changes; `cinecut lock` accepts it: {path}"
        raise Stop("locked", "the result would differ from the locked trailer", *differences[:_NAMED], *more, hint)
