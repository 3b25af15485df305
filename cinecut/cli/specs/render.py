"""The commands that make files of a spec: render, pack."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinecut.cli.parameters import (
    FFmpegOption,
    ForceOption,
    JsonOption,
    ReadSpecArgument,
    SchedulerOption,
    SpecArgument,
    flag,
    option,
)
from cinecut.cli.terminal import SPECS, answer, may_replace, print_diagnostics, print_json, remark, say, watch
from cinecut.diagnostics import Report, Stop, as_word
from cinecut.files import disk_errors

if TYPE_CHECKING:
    from cinecut.config import Default
    from cinecut.delivery.deliver import Delivered
    from cinecut.ffmpeg.meter import Level
    from cinecut.render.job import Job
    from cinecut.render.trailer import Effort

app = typer.Typer()


def deliverables(ctx: typer.Context, incomplete: str) -> list[str]:
    """The names of the deliverables in the spec on the command line."""
    from cinecut.language.read import load_spec

    words = [str(ctx.params.get("spec")), *ctx.args, *os.environ.get("COMP_WORDS", "").split()]
    with contextlib.suppress(Stop, OSError, StopIteration):
        file = next(word for word in words if word.endswith(SPECS))
        spec = load_spec(Path(file), Report())[1]
        offered = [item.name or item.kit or "" for item in spec.deliverables] if spec else []
        return [name for name in offered if name.startswith(incomplete)]
    return []


# About what each stage takes of a render's time; the sound is made beside them.
_SHARES = {"reels": 3, "render": 95, "measure": 2}


@app.command()
def render(
    spec: ReadSpecArgument,
    output: Annotated[
        Path | None, option("-o --output", "FILE", "Default: FILM_trailer_VIBE.mp4 in this folder.")
    ] = None,
    size: Annotated[str | None, option("--size", "WxH", "Another size, such as 1280x720.")] = None,
    draft: Annotated[bool, flag("--draft", "A small, fast version, to judge the cut.")] = False,
    stems: Annotated[
        Path | None, option("--stems", "DIR", "Also write each stem of the mix, for a mixing desk.")
    ] = None,
    only: Annotated[
        list[str] | None,
        option("--only", "NAME", "Render only this deliverable. Repeatable.", autocompletion=deliverables),
    ] = None,
    sheet: Annotated[bool, flag("--sheet", "Also write a contact sheet and the poster frame of each file.")] = False,
    jobs: Annotated[
        int | None,
        option("--jobs", "N", "The number of FFmpeg processes at a time. Default: one more than the cores.", min=1),
    ] = None,
    no_store: Annotated[
        bool, flag("--no-store", "Render everything again, and keep nothing for the next render.")
    ] = False,
    locked: Annotated[
        bool,
        flag(
            "--locked",
            "Render only if the result will be what SPEC.lock (`cinecut lock`) states; else list the differences.",
        ),
    ] = False,
    scheduler: SchedulerOption = None,
    force: ForceOption = False,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Render the trailer: its pictures in segments, its sound mixed and measured, joined into a file.

    The same spec always gives the same trailer. The output appears only when it is complete. Rendered segments are
    kept (`cinecut cache`): the next render makes only what has changed, and an interrupted one continues where it
    stopped. A file for a delivery kit is measured against it; if a figure is missed, the status is 1. On a cluster
    (the extra `cluster`) films, songs and the output must be on a disk that all workers share.

    Examples: cinecut render specs/film.yaml    |    cinecut render specs/film.yaml --draft -f -o look.mp4
    """
    from concurrent.futures import ThreadPoolExecutor

    from cinecut.ffmpeg.builds import find_ffmpeg

    with ThreadPoolExecutor(1) as beside:  # FFmpeg's answers are waited for while code is loaded and the spec compiled
        asked = beside.submit(find_ffmpeg, ffmpeg)
        from cinecut.config import defaults
        from cinecut.delivery.deliver import check_delivery, deliver
        from cinecut.render.job import prepare
        from cinecut.render.outputs import check_stems
        from cinecut.render.stems import render_stems
        from cinecut.render.trailer import Effort

        job = prepare(spec, size=_size(size), small=draft, only=only or ())
        build = asked.result()
    own = defaults(spec.parent)
    target = output or _into(own.get("output"), job.default_name)
    if jobs is None and "jobs" in own:
        jobs = int(own["jobs"].value)
    force = force or may_replace(target)
    check_delivery(job, target, force)
    if sheet:
        _check_pictures(job, target, force)
    if stems is not None:
        check_stems(job, stems, force)
    how = Effort(jobs, store=not no_store)
    if locked:
        from cinecut.proof.lock import only_as_locked

        how = replace(how, accept=only_as_locked(job, spec, build, only or ()))
    with watch("Rendering", _SHARES) as watching, _shared_out(scheduler, how) as how:
        delivered = deliver(job, target, build, watching, force=force, effort=how)
        done = delivered.rendered
        parts = render_stems(job, stems, build, watching, force=force) if stems is not None else []
    print_diagnostics(done.warnings)
    if sheet:
        _write_pictures(job, _shown(job, done.files))
    _tell(job, spec, delivered, parts, as_json)
    if delivered.missed:
        raise typer.Exit(1)


@contextlib.contextmanager
def _shared_out(scheduler: str | None, effort: Effort) -> Iterator[Effort]:
    """The effort, with a scheduler's workers if there is one."""
    if scheduler is None:
        yield effort
        return
    from cinecut.machine.cluster import Where, client_of
    from cinecut.render.segments.elsewhere import OnCluster

    with client_of(Where(scheduler), remark) as client:
        cluster = OnCluster(client)
        yield replace(effort, elsewhere=cluster, jobs=effort.jobs or cluster.places)


def _tell(job: Job, spec: Path, delivered: Delivered, stems: Sequence[Path], as_json: bool) -> None:
    """Print what came of a render."""
    done = delivered.rendered
    seconds = float(job.plan.frames / job.plan.rate)
    if as_json:
        report = {
            "spec": str(spec),
            "output": str(next(iter(done.files.values()))),
            "frames": job.plan.frames,
            "seconds": round(seconds, 6),
        }
        files = [_file_record(name, file, done.levels.get(name)) for name, file in done.files.items()]
        new = [{"name": name, "start": start, "end": end} for name, start, end in done.new]
        report |= {"files": files, "stems": [str(part) for part in stems], "new": new}
        report |= {"papers": [str(paper) for paper in delivered.papers], "kits": _kits_record(delivered)}
        print_json(report)
    else:
        for name, file in done.files.items():
            level = done.levels.get(name)
            say(f"{file}: {job.plan.frames} frames, {seconds:.3f} s" + (f", {level}" if level else ""))
        _say_kits(delivered)


def _kits_record(delivered: Delivered) -> list[dict[str, object]]:
    return [
        {"file": str(each.file), "kit": each.kit, "figures": [asdict(verdict) for verdict in each.verdicts]}
        for each in delivered.judged
    ]


def _say_kits(delivered: Delivered) -> None:
    """Print the papers, the result of each kit, and every missed figure."""
    for paper in delivered.papers:
        say(str(paper))
    for each in delivered.judged:
        kept = sum(verdict.kept for verdict in each.verdicts)
        say(f"{each.file}: {kept} of {len(each.verdicts)} figures as {each.kit} asks")
    for line in delivered.missed:
        remark(line)


def _shown(job: Job, files: Mapping[str, Path]) -> list[Path]:
    """The files that have a picture."""
    return [file for name, file in files.items() if name in job.plan.pictures]


def _into(folder: Default | None, name: str) -> Path:
    """The default place of a trailer: here, or the user's own output folder, which is created."""
    if folder is None:
        return Path(name)
    with disk_errors(Path(folder.value)):
        Path(folder.value).mkdir(parents=True, exist_ok=True)
    return Path(folder.value) / name


def _check_pictures(job: Job, target: Path, force: bool) -> None:
    """Raise Stop where a sheet or a poster would replace a file."""
    from cinecut.render.outputs import check_beside
    from cinecut.review.contact import picture_files

    shown = _shown(job, job.files(target))
    check_beside(job, (picture for file in shown for picture in picture_files(file)), force)


def _write_pictures(job: Job, files: Iterable[Path]) -> None:
    from cinecut.review.contact import write_pictures

    for file in files:
        pictures = write_pictures(file, job.plan.timeline, job.plan.opening)
        remark(", ".join(map(str, pictures)))


def _file_record(name: str, file: Path, level: Level | None) -> dict[str, object]:
    record: dict[str, object] = {"name": name, "file": str(file)}
    if level is not None and level.loudness is not None:
        record |= {"loudness": level.loudness, "peak": level.peak}
    return record


@app.command()
def pack(
    spec: SpecArgument,
    output: Annotated[Path | None, option("-o --output", "DIR", "Default: SPEC's name.")] = None,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a folder that renders the same trailer on any machine, with FFmpeg alone and without the film.

    It contains the script, the packets of the shots, music, fonts, generated files and render.sh.

    Example: cinecut pack specs/film.yaml -o trailer.pack && sh trailer.pack/render.sh
    """
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.render.job import prepare
    from cinecut.render.pack import pack as run

    build, job = find_ffmpeg(ffmpeg), prepare(spec)
    folder = output or Path(spec.stem + ".pack")
    with watch("Packing", {"reels": 1, "mix": 5}) as watching:
        run(job, folder, build, watching)
    script = folder / "render.sh"
    record = {"folder": str(folder), "script": str(script), "frames": job.plan.frames}
    answer(as_json, record, f"{folder}: sh {as_word(script)} renders it")


def _size(text: str | None) -> tuple[int, int] | None:
    from cinecut.language.formats import parse_frame_size

    if text is None:
        return None
    try:
        return parse_frame_size(text)
    except ValueError as error:
        raise Stop("option", f"--size: {error}") from None
