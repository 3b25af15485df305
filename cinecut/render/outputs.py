"""Checks before any work: whether the outputs can be written, and whether this FFmpeg can make them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from cinecut.compiler.encode import HARDWARE
from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Stop, as_word
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.files import check_no_source, check_writable, disk_errors, real_path, refuse_existing
from cinecut.graph.plan import Target
from cinecut.render.check import files_of
from cinecut.render.job import Job


def check_output(job: Job, output: Path, force: bool) -> None:
    """Raise Stop where an output cannot be written."""
    files = job.files(output)
    beside = [captions_beside(files[target.name]) for target in job.plan.targets if target.captions_file]
    for file in (*files.values(), *beside):
        with disk_errors(file):
            _check_file(job, file, force)


def _check_file(job: Job, output: Path, force: bool) -> None:
    if not output.parent.is_dir():
        raise Stop("output", f"there is no folder {output.parent}", "create it first, or choose another with -o")
    if output.is_dir():
        raise Stop("output", f"{output} is a folder", "name a file with -o")
    if output.exists() and not output.is_file():
        raise Stop("output", f"{output} is a device or a pipe", "name a file with -o")
    check_no_source(output, _sources(job))
    if os.path.lexists(output) and not force:
        raise Stop("output", f"{output} is there already", "--force replaces it, -o names another")
    check_writable(output)
    if not real_path(output).parent.is_dir():
        raise Stop("output", f"{output} is a link into a folder that is not there", "name another file with -o")


def _sources(job: Job) -> list[Path]:
    return [Path(job.spec.place.span.file), *files_of(job.spec, job.folder)]


def check_stems(job: Job, folder: Path, force: bool) -> list[Path]:
    """The files of the stems. Raises Stop where one cannot be written."""
    files = [folder / f"{name}.wav" for name in job.plan.stem_names]
    if not folder.parent.is_dir():
        raise Stop("output", f"there is no folder {folder.parent}", "create it first, or name another with --stems")
    if folder.exists() and not folder.is_dir():
        raise Stop("output", f"{folder} is no folder", "name another with --stems")
    with disk_errors(folder):
        check_beside(job, files, force)
    return files


def check_beside(job: Job, files: Iterable[Path], force: bool) -> None:
    """Raise Stop where one of the files that come with a trailer is there, unless `force`, or is read. Raises
    OSError."""
    for file in files:
        check_no_source(file, _sources(job))
        refuse_existing([file], force, "--force replaces it, -o names another")


def captions_beside(file: Path) -> Path:
    return file.with_suffix(".srt")


def check_filters(plan: RenderPlan, ffmpeg: FFmpeg) -> None:
    """Raise Stop if the FFmpeg lacks a filter of the graph."""
    missing = sorted((plan.render.filters | plan.sound.filters) - ffmpeg.filters)
    if missing:
        message = f"{ffmpeg.path} was built without {', '.join(missing)}, which this trailer needs"
        raise Stop("no-ffmpeg", message, "the bundled FFmpeg has them")


def check_target(target: Target, file: Path, ffmpeg: FFmpeg) -> None:
    """Raise Stop if a file has the wrong suffix, or the FFmpeg cannot encode it."""
    suffixes = {".mp4", ".mov", ".m4v"} if target.suffix == ".mp4" else {target.suffix}
    if file.suffix.lower() not in suffixes:
        named = as_word(file.with_suffix(target.suffix))
        hint = f"-o {named} fits; `output: {{codec: …}}` says what kind of file it is"
        raise Stop("option", f"this trailer is a {target.suffix} file; {file} ends otherwise", hint)
    missing = [encoder for encoder in target.encoders if encoder not in ffmpeg.encoders]
    if missing:
        hint = "`cinecut doctor` lists what this machine can encode"
        raise Stop("no-ffmpeg", f"{ffmpeg.path} has no encoder {' or '.join(missing)}", hint)
    for encoder in target.encoders:
        if encoder.endswith(HARDWARE) and not _encodes(ffmpeg, encoder):
            message = f"{encoder} does not work here: the hardware, its driver or the right to use it is missing"
            raise Stop("no-ffmpeg", message, "`hardware: none` encodes on the processor")


def _encodes(ffmpeg: FFmpeg, encoder: str) -> bool:
    """Whether an encoder of the build finds its hardware, by encoding a few plain frames."""
    trial = ["-f", "lavfi", "-i", "color=size=256x256:duration=0.2", "-c:v", encoder, "-f", "null", "-"]
    try:
        done = subprocess.run([ffmpeg.path, "-v", "quiet", "-nostdin", *trial], timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
