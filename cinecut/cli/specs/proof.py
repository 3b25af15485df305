"""The commands that prove what a trailer is: lock, why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.terminal import FFmpegOption, ForceOption, JsonOption, SpecArgument, print_diagnostics, say, watch

app = typer.Typer()

_SHARES = {"reels": 3, "render": 97}


@app.command()
def lock(
    spec: SpecArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Also keep the trailer that is rendered.")
    ] = None,
    force: ForceOption = False,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Render a trailer and write SPEC.lock: what it was made of, and what came of it, by content.

    It names each medium, font and look, FFmpeg's build, each segment, and hashes of what every stream decodes to.
    `render --locked` makes exactly that or says what differs; `cinecut why` says what an edit changes.

    Examples: cinecut lock specs/film.yaml    |    cinecut lock specs/film.yaml -o trailer.mp4
    """
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.proof.lock import lock_file
    from cinecut.proof.locking import write_lock
    from cinecut.render.job import prepare

    build, job, target = find_ffmpeg(ffmpeg), prepare(spec), lock_file(spec)
    with watch("Locking", _SHARES) as watching:
        done = write_lock(job, spec, output, build, watching, force=force)
    print_diagnostics(done.warnings)
    if as_json:
        kept = [str(file) for file in done.files.values()] if output is not None else []
        print(json.dumps({"lock": str(target), "frames": job.plan.frames, "files": kept}))
    else:
        say(f"{target}: `cinecut render {spec} --locked` makes exactly this trailer")


@app.command()
def why(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="A spec that has a lock, or an older lock.")],
    other: Annotated[Path | None, typer.Argument(metavar="[LOCK]", help="A newer lock, or a spec.")] = None,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what of a trailer would be rendered anew, and because of what: a value, a medium, a font, FFmpeg.

    Without LOCK the spec is compared with its own lock. Nothing is rendered.

    Examples: cinecut why specs/film.yaml    |    cinecut why monday.lock friday.lock
    """
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.proof.why import locked_state, state_of
    from cinecut.proof.why import why as run

    build = find_ffmpeg(ffmpeg)
    old = locked_state(spec) if other is None else state_of(spec, build)
    new = state_of(spec if other is None else other, build)
    found = run(old, new)
    segments = sum(len(output.segments) for output in new.lock.outputs)
    if as_json:
        anew = sum(1 for each in found if each.events)
        print(json.dumps({"anew": [each.as_json() for each in found], "same": segments - anew}, ensure_ascii=False))
        return
    if not found:
        say("nothing would be rendered anew")
    for each in found:
        print(f"{each.what} anew:")
        for cause in each.causes:
            span = cause.span
            print(f"  {cause.words}" + (f"  ({span.file}:{span.line + 1}:{span.column + 1})" if span else ""))
