"""The commands that make files of a spec: render, pack."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.terminal import (
    FFmpegOption,
    ForceOption,
    JsonOption,
    SpecArgument,
    may_replace,
    print_diagnostics,
    watch,
)
from cinecut.diagnostics import Stop

app = typer.Typer()


@app.command()
def render(
    spec: SpecArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: FILM_trailer_VIBE.mp4, here.")
    ] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Another size, such as 1280x720.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Small and fast, for looking at the cut.")] = False,
    force: ForceOption = False,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Render the trailer: one FFmpeg process for picture and sound.

    The same spec gives the same trailer, every time. The output appears only when it is complete.

    Examples: cinecut render specs/film.yaml    |    cinecut render specs/film.yaml --draft -f -o look.mp4
    """
    render_spec(spec, output, _size(size), draft, force, ffmpeg, as_json)


def render_spec(
    spec: Path,
    output: Path | None,
    size: tuple[int, int] | None,
    draft: bool,
    force: bool,
    ffmpeg: str | None,
    as_json: bool,
) -> None:
    """Render a spec and say what came of it."""
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.render import check_output, prepare
    from cinecut.render import render as run

    build = find_ffmpeg(ffmpeg)
    job = prepare(spec, size=size, small=draft)
    target = output or Path(job.default_name)
    force = force or may_replace(target)
    check_output(job, target, force)
    with watch("Rendering") as watching:
        warnings = run(job, target, build, watching, force=force)
    print_diagnostics(warnings)
    seconds = float(job.plan.frames / job.plan.rate)
    if as_json:
        print(json.dumps({"output": str(target), "frames": job.plan.frames, "seconds": round(seconds, 6)}))
    else:
        print(f"{target}: {job.plan.frames} frames, {seconds:.3f} s")


@app.command()
def pack(
    spec: SpecArgument,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Default: SPEC's name.")] = None,
) -> None:
    """Leave one folder that renders the same bytes elsewhere, with FFmpeg alone and without the film.

    It holds the script, the shots' packets, music, fonts, generated files and render.sh.

    Example: cinecut pack specs/film.yaml -o trailer.pack && sh trailer.pack/render.sh
    """
    from cinecut.render import pack as run
    from cinecut.render import prepare

    job = prepare(spec)
    folder = output or Path(spec.stem + ".pack")
    with watch("Packing") as watching:
        run(job, folder, watching)
    print(f"{folder}: sh {shlex.quote(str(folder / 'render.sh'))} renders it")


def _size(text: str | None) -> tuple[int, int] | None:
    from cinecut.reading import parse_frame_size

    if text is None:
        return None
    try:
        return parse_frame_size(text)
    except ValueError as error:
        raise Stop("option", f"--size: {error}") from None
