"""From a spec to a finished file: load, link, compile, pull the reels, run FFmpeg under the GPU lock, rename.

`render` and `pack` are the same line up to their end: one runs the working folder, the other leaves it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cinecut.compiler import compile_spec
from cinecut.compiler.encode import draft
from cinecut.compiler.geometry import shown_size
from cinecut.diagnostics import Diagnostic, Report, Stop
from cinecut.ffmpeg import run
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.ffmpeg.plan import Reel, RenderPlan
from cinecut.ffmpeg.script import BUILDS, Build
from cinecut.gpu import gpu_lock
from cinecut.link import assets_of, check_files, linked
from cinecut.reading import inside, load_spec
from cinecut.rules import check_rules
from cinecut.spec import Spec


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how the work goes: of each stage its name, what is done and what there is, and FFmpeg's speed."""

    stage: Callable[[str, int, int, float | None], None]
    waiting: Callable[[str], None]


SILENT = Watch(lambda name, done, total, speed: None, lambda holder: None)


@dataclass(frozen=True, slots=True)
class Job:
    """A spec that is ready to run: its media are there and are the ones it was made for."""

    spec: Spec
    plan: RenderPlan
    folder: Path  # of the spec: its file names are relative to it

    @property
    def film(self) -> Path:
        return inside(self.folder, self.spec.film.file)

    @property
    def default_name(self) -> str:
        vibe = f"_{self.spec.vibe}" if self.spec.vibe else ""
        return f"{self.film.stem}_trailer{vibe}{self.plan.suffix}"


def prepare(path: Path, *, size: tuple[int, int] | None = None, small: bool = False) -> Job:
    """Load, check, link and compile a spec. Raises Stop with everything that is wrong."""
    report = Report()
    _, spec = load_spec(path, report)
    report.stop_on_error()
    assert spec is not None
    folder = path.parent
    check_files(spec, folder, report)
    report.stop_on_error()
    spec = linked(spec, folder)
    check_rules(spec, report)  # once more, now that all is measured
    report.stop_on_error()
    facts = spec.film.facts
    assert facts is not None
    if size is not None:
        spec = replace(spec, output=replace(spec.output, size=size))
    if small:
        spec = replace(spec, output=draft(spec.output, shown_size(spec.film, facts)))
    plan = compile_spec(spec, report)
    report.stop_on_error()
    assert plan is not None
    return Job(spec, plan, folder)


def render(job: Job, output: Path, ffmpeg: FFmpeg, watch: Watch, *, force: bool = False) -> list[Diagnostic]:
    """Write the trailer; returns warnings. The output appears only when it is complete; nothing else stays."""
    check_output(job, output, force)
    if output.suffix.lower() not in _suffixes(job.plan):
        raise Stop("option", f"this trailer is a {job.plan.suffix} file; {output.name} ends otherwise")
    with (
        gpu_lock(f"rendering {output.name}", watch.waiting) as lock,
        run.disk_errors(output.parent),
        _working_folder(output) as folder,
    ):
        check_output(job, output, force)  # another render may have held the lock till now
        _fill(job, folder, watch, copy=False)
        name = "trailer" + output.suffix.lower()

        def progress(done: run.Progress) -> None:
            watch.stage("render", min(done.frames, job.plan.frames), job.plan.frames, done.speed)

        done = run.run_plan(job.plan, ffmpeg, folder, name, lock, progress)
        if done.warnings or done.frames != job.plan.frames:
            # Pictures were lost that the film's packets promise: once more, holding the ones before them.
            job = _holding(job)
            run.write_generated(job.plan, folder)
            done = run.run_plan(job.plan, ffmpeg, folder, name, lock, progress)
        if done.frames != job.plan.frames:
            message = f"FFmpeg wrote {done.frames} frames, not the {job.plan.frames} of this trailer"
            raise Stop("ffmpeg", message, *done.words)
        (folder / name).replace(output)
        return done.warnings


def _holding(job: Job) -> Job:
    """The job for a film of which pictures are missing."""
    facts = job.spec.film.facts
    assert facts is not None
    spec = replace(job.spec, film=replace(job.spec.film, facts=replace(facts, gaps=True)))
    plan = compile_spec(spec, Report())
    assert plan is not None
    return replace(job, spec=spec, plan=replace(job.plan, script=plan.script))


def _suffixes(plan: RenderPlan) -> set[str]:
    return {".mp4", ".mov", ".m4v"} if plan.suffix == ".mp4" else {plan.suffix}


def check_output(job: Job, output: Path, force: bool) -> None:
    """Raise Stop where an output cannot or may not be written, before any work is done."""
    with run.disk_errors(output):
        _check_output(job, output, force)


def _check_output(job: Job, output: Path, force: bool) -> None:
    if not output.parent.is_dir():
        raise Stop("output", f"there is no folder {output.parent}", "create it first, or choose another with -o")
    if output.is_dir():
        raise Stop("output", f"{output} is a folder", "name a file with -o")
    if output.exists() and not output.is_file():
        raise Stop("output", f"{output} is a device or a pipe", "name a file with -o")
    for asset in assets_of(job.spec, job.folder):
        if output.exists() and output.samefile(asset.file):
            raise Stop("output", f"{output} is a file that the trailer is made from", "name another with -o")
    if os.path.lexists(output) and not force:
        raise Stop("output", f"{output} is there already", "--force replaces it, -o names another")
    if not os.access(output.parent, os.W_OK):
        raise Stop("output", f"the folder {output.parent.absolute()} cannot be written", "choose another with -o")


def pack(job: Job, folder: Path, watch: Watch) -> None:
    """Leave one folder that renders the same trailer anywhere with nothing but FFmpeg, without the film."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Stop("output", f"{folder} is there already", "name a new folder with -o")
    if not folder.parent.is_dir():
        raise Stop("output", f"there is no folder {folder.parent}", "create it first, or choose another with -o")
    with run.disk_errors(folder.parent), _working_folder(folder) as work:
        _fill(job, work, watch, copy=True)
        script = work / "render.sh"
        script.write_text(shell_script(job.plan), encoding="utf-8")
        script.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        work.replace(folder)


def write_compiled(plan: RenderPlan, folder: Path, build: Build) -> list[str]:
    """Write what comes from the spec alone; returns the names of the inputs that a run needs besides."""
    with run.disk_errors(folder):
        run.write_generated(plan, folder)
        command = shlex.join(["ffmpeg", *plan.arguments(build, "trailer" + plan.suffix)])
        (folder / "command.sh").write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    return sorted({item.name for item in plan.inputs})


def shell_script(plan: RenderPlan) -> str:
    """The command as a POSIX shell script that asks the FFmpeg it finds how it wants the graph named."""
    mark = "GRAPH_OPTION"
    arguments = shlex.join(plan.arguments(Build(mark), "OUTPUT_FILE"))
    arguments = arguments.replace(mark, '"$graph"').replace("OUTPUT_FILE", '"$part"')
    classic, modern = BUILDS["classic"].script_option, BUILDS["modern"].script_option
    return f"""#!/bin/sh
# Renders this trailer: sh render.sh [OUTPUT]. Nothing but FFmpeg is needed; FFMPEG names another than the one on PATH.
output=${{1:-trailer{plan.suffix}}}
case $output in /*) ;; *) output=$PWD/$output ;; esac
part=$output.part{plan.suffix}
ffmpeg=${{FFMPEG:-ffmpeg}}
case $ffmpeg in /*) ;; */*) ffmpeg=$PWD/$ffmpeg ;; esac
CDPATH= cd -- "$(dirname -- "$0")" || exit 1
trap 'rm -f -- "$part"' EXIT
trap 'exit 130' HUP INT TERM
if "$ffmpeg" -hide_banner -h full 2>/dev/null | grep -q -e {classic}; then graph={classic}; else graph={modern}; fi
"$ffmpeg" {arguments} && mv -f -- "$part" "$output"
"""


def _fill(job: Job, folder: Path, watch: Watch, copy: bool) -> None:
    assert job.spec.film.facts is not None
    run.write_generated(job.plan, folder)
    total = sum(isinstance(item, Reel) for item in job.plan.inputs)
    run.write_inputs(
        job.plan,
        folder,
        job.film,
        job.spec.film.facts,
        lambda file: inside(job.folder, file),
        lambda done: watch.stage("reels", done, total, None),
        copy,
    )


@contextlib.contextmanager
def _working_folder(output: Path) -> Iterator[Path]:
    """A folder beside the output, so that the finished file only needs a rename; gone afterwards, whatever happens.

    A run that was killed leaves its folder, and the next one replaces it; that of a run that lives is locked.
    """
    folder = output.parent / f".{output.name}.part"
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Stop("output", f"another cinecut is writing {output}", "wait for it, or name another with -o") from None
    try:
        for left in folder.iterdir():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)
