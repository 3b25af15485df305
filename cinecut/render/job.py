"""From a spec to a finished file: load, link, compile, pull the reels, run FFmpeg under the GPU lock, rename.

`render` and `pack` are the same line up to their end: one runs the working folder, the other leaves it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from cinecut.compiler import compile_spec
from cinecut.compiler.encode import HARDWARE, draft
from cinecut.compiler.picture.geometry import shown_size
from cinecut.compiler.sound.lower import Master
from cinecut.compiler.timeline import build_timeline
from cinecut.diagnostics import Diagnostic, Report, Stop
from cinecut.ffmpeg import run
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.files import check_no_source, disk_errors, working_folder
from cinecut.graph.plan import CAPTIONS, SCRIPT, Reel, RenderPlan, Target
from cinecut.graph.script import BUILDS, Build
from cinecut.language.read import inside, load_spec
from cinecut.language.rules import check_rules
from cinecut.language.spec import Output, Spec
from cinecut.machine.gpu import gpu_lock
from cinecut.media.link import assets_of, check_files, linked
from cinecut.render.check import check_texts
from cinecut.render.master import Desk, Level, Mastered
from cinecut.vibes import vibe_of


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
    warnings: tuple[Diagnostic, ...] = ()
    small: bool = False  # a draft, which takes no other file's name
    masters: Mapping[str, Master] = field(default_factory=dict)

    @property
    def film(self) -> Path:
        return inside(self.folder, self.spec.film.file)

    @property
    def default_name(self) -> str:
        vibe = f"_{self.spec.vibe.base}" if self.spec.vibe else ""
        name = f"_{self.plan.targets[0].name}" if self._alone and self.plan.targets[0].name else ""
        return f"{self.film.stem}_trailer{vibe}{name}{'_draft' if self.small else ''}{self.plan.suffix}"

    @property
    def _alone(self) -> bool:
        return len(self.plan.targets) == 1

    def files(self, output: Path) -> dict[str, Path]:
        """Where each of the trailer's files goes, by their names: of several, each has its name at the end."""
        if self._alone:
            return {self.plan.targets[0].name: output}
        return {t.name: output.with_name(f"{output.stem}_{t.name}{t.suffix}") for t in self.plan.targets}


def prepare(path: Path, *, size: tuple[int, int] | None = None, small: bool = False, only: Sequence[str] = ()) -> Job:
    """Load, check, link and compile a spec; `only` names the deliverables that are wanted. Raises Stop with everything
    that is wrong."""
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
    spec = _only(spec, only)
    if size is not None:
        spec = _changed(spec, lambda output: replace(output, size=size))
    if small:
        own = shown_size(spec.film, facts)
        spec = _changed(spec, lambda output: draft(output, own))
    check_texts(build_timeline(spec, Report()), vibe_of(spec.vibe), report)
    plan = compile_spec(spec, report)
    report.stop_on_error()
    assert plan is not None
    return Job(spec, plan, folder, tuple(report), small)


def _only(spec: Spec, names: Sequence[str]) -> Spec:
    known = [item.name for item in spec.deliverables]
    for name in names:
        if name not in known:
            hint = f"it has {', '.join(known)}" if known else "it has no `deliverables`"
            raise Stop("option", f"--only {name}: the spec has no deliverable of this name", hint)
    return replace(spec, deliverables=tuple(d for d in spec.deliverables if d.name in names)) if names else spec


def _changed(spec: Spec, change: Callable[[Output], Output]) -> Spec:
    """The spec with all of its outputs changed."""
    deliverables = []
    for item in spec.deliverables:
        output = change(item.over(spec.output))
        given = {f.name: getattr(output, f.name) for f in fields(item) if f.name not in ("name", "place")}
        deliverables.append(replace(item, **given))
    return replace(spec, output=change(spec.output), deliverables=tuple(deliverables))


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came of a render: its files by their names, how loud each is (of those that are not as they were mixed),
    and warnings."""

    files: dict[str, Path]
    levels: dict[str, Level]
    warnings: list[Diagnostic]


def render(job: Job, output: Path, ffmpeg: FFmpeg, watch: Watch, *, force: bool = False) -> Rendered:
    """Write the trailer. The output appears only when it is complete; nothing else stays."""
    check_output(job, output, force)
    files = job.files(output)
    _check_filters(job.plan, ffmpeg)
    for target in job.plan.targets:
        _check_target(target, files[target.name], ffmpeg)
    with (
        gpu_lock(f"rendering {output.name}", watch.waiting) as lock,
        disk_errors(output.parent),
        working_folder(output) as folder,
    ):
        check_output(job, output, force)  # another render may have held the lock till now
        _fill(job, folder, watch, copy=False)
        mastered = _measure(Desk(job.plan, ffmpeg, folder, lock), watch)
        sounds = [found.file if (found := mastered.get(target.name)) else None for target in job.plan.targets]
        if mastered and not all(sounds):
            job = _with(job, mastered)
        names = [f"trailer{number}{file.suffix.lower()}" for number, file in enumerate(files.values())]

        def progress(done: run.Progress) -> None:
            watch.stage("render", min(done.frames, job.plan.frames), job.plan.frames, done.speed)

        def trailer(job: Job) -> run.Finished:
            run.write_generated(job.plan, folder)
            graph = job.plan.render
            if all(sounds):  # made and encoded for measuring: the whole graph would make the same bytes again
                pairs = zip(job.plan.picture.targets, sounds, strict=True)
                graph = replace(job.plan.picture, targets=tuple(replace(t, sound_file=file) for t, file in pairs))
            return run.run_graph(graph, job.plan.places, ffmpeg, folder, names, lock, progress)

        done = trailer(job)
        if done.warnings or done.frames != job.plan.frames:
            # Pictures were lost that the film's packets promise: once more, holding the ones before them.
            done = trailer(_holding(job))
        if done.frames != job.plan.frames:
            message = f"FFmpeg wrote {done.frames} frames, not the {job.plan.frames} of this trailer"
            raise Stop("ffmpeg", message, *done.words)
        for name, target, file in zip(names, job.plan.targets, files.values(), strict=True):
            if target.captions_file:
                shutil.copyfile(folder / CAPTIONS, folder / f"{name}.srt")
                (folder / f"{name}.srt").replace(_captions_beside(file))
            (folder / name).replace(file)
        levels = {name: found.level for name, found in mastered.items()}
        return Rendered(files, levels, [*job.warnings, *done.warnings])


def _check_filters(plan: RenderPlan, ffmpeg: FFmpeg) -> None:
    missing = sorted((plan.render.filters | plan.sound.filters) - ffmpeg.filters)
    if missing:
        message = f"{ffmpeg.path} was built without {', '.join(missing)}, which this trailer needs"
        raise Stop("no-ffmpeg", message, "the bundled FFmpeg has them")


def _captions_beside(file: Path) -> Path:
    return file.with_suffix(".srt")


def _check_target(target: Target, file: Path, ffmpeg: FFmpeg) -> None:
    """Raise Stop where a file is named as another kind, or the FFmpeg cannot encode it."""
    suffixes = {".mp4", ".mov", ".m4v"} if target.suffix == ".mp4" else {target.suffix}
    if file.suffix.lower() not in suffixes:
        raise Stop("option", f"this trailer is a {target.suffix} file; {file.name} ends otherwise")
    missing = [encoder for encoder in target.encoders if encoder not in ffmpeg.encoders]
    if missing:
        hint = "`cinecut doctor` lists what this machine can encode"
        raise Stop("no-ffmpeg", f"{ffmpeg.path} has no encoder {' or '.join(missing)}", hint)
    for encoder in target.encoders:
        if encoder.endswith(HARDWARE) and not _encodes(ffmpeg, encoder):
            message = f"{encoder} does not work here: the hardware, its driver or the right to use it is missing"
            raise Stop("no-ffmpeg", message, "`hardware: none` encodes on the processor")


def _encodes(ffmpeg: FFmpeg, encoder: str) -> bool:
    """Whether an encoder that the build has finds its hardware: a few plain frames tell."""
    trial = ["-f", "lavfi", "-i", "color=size=256x256:duration=0.2", "-c:v", encoder, "-f", "null", "-"]
    try:
        done = subprocess.run([ffmpeg.path, "-v", "quiet", "-nostdin", *trial], timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def render_stems(job: Job, folder: Path, ffmpeg: FFmpeg, watch: Watch, *, force: bool = False) -> list[Path]:
    """Write each stem of the mix, before its master, as a file for a mixing desk; together they are the mix."""
    files = check_stems(job, folder, force)
    _check_filters(job.plan, ffmpeg)
    with (
        gpu_lock(f"rendering the stems in {folder}", watch.waiting) as lock,
        disk_errors(folder.parent),
        working_folder(folder) as work,
    ):
        _fill(job, work, watch, copy=False)
        names = [file.name for file in files]
        run.run_graph(job.plan.stems, job.plan.places, ffmpeg, work, names, lock, lambda _: None)
        folder.mkdir(exist_ok=True)
        for file in files:
            (work / file.name).replace(file)
    return files


def check_stems(job: Job, folder: Path, force: bool) -> list[Path]:
    """The files of the stems. Raises Stop where one cannot or may not be written, before any work is done."""
    files = [folder / f"{name}.wav" for name in job.plan.stem_names]
    if not folder.parent.is_dir():
        raise Stop("output", f"there is no folder {folder.parent}", "create it first, or name another with --stems")
    if folder.exists() and not folder.is_dir():
        raise Stop("output", f"{folder} is no folder", "name another with --stems")
    with disk_errors(folder):
        for file in files:
            check_no_source(file, _sources(job))
            if os.path.lexists(file) and not force:
                raise Stop("output", f"{file} is there already", "--force replaces it")
    return files


def _measure(desk: Desk, watch: Watch) -> dict[str, Mastered]:
    return desk.find_masters(lambda done: watch.stage("loudness", round(100 * done), 100, None))


def _with(job: Job, mastered: Mapping[str, Mastered]) -> Job:
    """The job with the masters that its outputs need."""
    masters = {name: found.master for name, found in mastered.items() if found.master is not None}
    return replace(_compiled(job, job.spec, masters), masters=masters)


def _holding(job: Job) -> Job:
    """The job for a film of which pictures are missing."""
    facts = job.spec.film.facts
    assert facts is not None
    spec = replace(job.spec, film=replace(job.spec.film, facts=replace(facts, gaps=True)))
    return _compiled(job, spec, job.masters)


def _compiled(job: Job, spec: Spec, masters: Mapping[str, Master]) -> Job:
    plan = compile_spec(spec, Report(), masters)
    assert plan is not None
    # The reels are those of the first plan, whatever the second one would pull.
    return replace(job, spec=spec, plan=replace(job.plan, render=plan.render, picture=plan.picture))


def check_output(job: Job, output: Path, force: bool) -> None:
    """Raise Stop where an output cannot or may not be written, before any work is done."""
    files = job.files(output)
    beside = [_captions_beside(files[target.name]) for target in job.plan.targets if target.captions_file]
    for file in (*files.values(), *beside):
        with disk_errors(file):
            _check_output(job, file, force)


def _check_output(job: Job, output: Path, force: bool) -> None:
    if not output.parent.is_dir():
        raise Stop("output", f"there is no folder {output.parent}", "create it first, or choose another with -o")
    if output.is_dir():
        raise Stop("output", f"{output} is a folder", "name a file with -o")
    if output.exists() and not output.is_file():
        raise Stop("output", f"{output} is a device or a pipe", "name a file with -o")
    check_no_source(output, _sources(job))
    if os.path.lexists(output) and not force:
        raise Stop("output", f"{output} is there already", "--force replaces it, -o names another")
    if not os.access(output.parent, os.W_OK):
        raise Stop("output", f"the folder {output.parent.absolute()} cannot be written", "choose another with -o")


def _sources(job: Job) -> list[Path]:
    return [asset.file for asset in assets_of(job.spec, job.folder)]


def pack(job: Job, folder: Path, ffmpeg: FFmpeg, watch: Watch) -> None:
    """Leave one folder that renders the same trailer anywhere with nothing but FFmpeg, without the film."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Stop("output", f"{folder} is there already", "name a new folder with -o")
    if not folder.parent.is_dir():
        raise Stop("output", f"there is no folder {folder.parent}", "create it first, or choose another with -o")
    _check_filters(job.plan, ffmpeg)
    with (
        gpu_lock(f"packing {folder.name}", watch.waiting) as lock,
        disk_errors(folder.parent),
        working_folder(folder) as work,
    ):
        _fill(job, work, watch, copy=True)
        before = set(work.iterdir())
        job = _with(job, _measure(Desk(job.plan, ffmpeg, work, lock), watch))
        for measured in set(work.iterdir()) - before:
            measured.unlink()
        run.write_generated(job.plan, work)
        script = work / "render.sh"
        script.write_text(shell_script(job.plan), encoding="utf-8")
        script.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        work.replace(folder)


def write_compiled(plan: RenderPlan, folder: Path, build: Build) -> list[str]:
    """Write what comes from the spec alone; returns the names of the inputs that a run needs besides. What was compiled
    there before is replaced."""
    with disk_errors(folder):
        if folder.is_dir() and any(folder.iterdir()) and not (folder / SCRIPT).is_file():
            raise Stop("output", f"{folder} is there already, and holds no compiled trailer", "name another with -o")
        run.write_generated(plan, folder)
        outputs = [f"trailer{'_' * bool(t.name)}{t.name}{t.suffix}" for t in plan.targets]
        command = shlex.join(["ffmpeg", *plan.render.arguments(build, outputs)])
        (folder / "command.sh").write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    return sorted({item.name for item in plan.inputs})


def shell_script(plan: RenderPlan) -> str:
    """The command as a POSIX shell script that asks the FFmpeg it finds how it wants the graph named."""
    mark, several = "GRAPH_OPTION", len(plan.targets) > 1
    marks = [f"OUTPUT_FILE_{number}_" for number in range(len(plan.targets))]
    arguments = shlex.join(plan.render.arguments(Build(mark), marks)).replace(mark, '"$graph"')
    names = [f"_{target.name}{target.suffix}" if several else target.suffix for target in plan.targets]
    for each, name in zip(marks, names, strict=True):
        arguments = arguments.replace(each, f'"$base.part{name}"')
    parts = " ".join(f'"$base.part{name}"' for name in names)
    moves = " && ".join(
        f'mv -f -- "$base.part{name}" ' + (f'"${{base}}{name}"' if several else '"$output"') for name in names
    )
    classic, modern = BUILDS["classic"].script_option, BUILDS["modern"].script_option
    return f"""#!/bin/sh
# Renders this trailer: sh render.sh [OUTPUT]. Nothing but FFmpeg is needed; FFMPEG names another than the one on PATH.
output=${{1:-trailer{plan.suffix}}}
case $output in /*) ;; *) output=$PWD/$output ;; esac
base=${{output%.*}}
ffmpeg=${{FFMPEG:-ffmpeg}}
case $ffmpeg in /*) ;; */*) ffmpeg=$PWD/$ffmpeg ;; esac
CDPATH= cd -- "$(dirname -- "$0")" || exit 1
trap 'rm -f -- {parts}' EXIT
trap 'exit 130' HUP INT TERM
if "$ffmpeg" -hide_banner -h full 2>/dev/null | grep -q -e {classic}; then graph={classic}; else graph={modern}; fi
"$ffmpeg" -v warning -stats {arguments} && {moves}
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
