"""The commands that prove what a trailer is: lock, why, verify, conform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.parameters import (
    FFmpegOption,
    ForceOption,
    JsonOption,
    ReadSpecArgument,
    SpecArgument,
    argument,
    option,
)
from cinecut.cli.specs.check import FormatOption, check_format, print_for_host
from cinecut.cli.specs.render import deliverables
from cinecut.cli.terminal import answer, check_film, check_free, print_diagnostics, print_json, say, show, watch
from cinecut.diagnostics import as_word

app = typer.Typer()

_SHARES = {"reels": 3, "render": 97}


@app.command()
def lock(
    spec: SpecArgument,
    output: Annotated[Path | None, option("-o --output", "FILE", "Also keep the rendered trailer.")] = None,
    force: ForceOption = False,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Render a trailer and write SPEC.lock: checksums of everything that it was made of, and of the results.

    It lists each medium, font and look, FFmpeg's build, each segment, and hashes of every decoded stream. `render
    --locked` makes exactly this or lists the differences; `cinecut why` shows what an edit changes.

    Examples: cinecut lock specs/film.yaml    |    cinecut lock specs/film.yaml -o trailer.mp4
    """
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.proof.lock import lock_file, write_lock
    from cinecut.render.job import prepare

    build, job, target = find_ffmpeg(ffmpeg), prepare(spec), lock_file(spec)
    with watch("Locking", _SHARES) as watching:
        done = write_lock(job, spec, output, build, watching, force=force)
    print_diagnostics(done.warnings)
    kept = [str(file) for file in done.files.values()] if output is not None else []
    record = {"lock": str(target), "frames": job.plan.frames, "files": kept}
    answer(as_json, record, f"{target}: `cinecut render {as_word(spec)} --locked` makes exactly this trailer")


@app.command()
def why(
    spec: Annotated[Path, argument("SPEC", "A spec that has a lock, or an older lock.")],
    other: Annotated[Path | None, argument("[LOCK]", "A newer lock, or a spec.")] = None,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which parts of a trailer would be rendered again, and why: a value, a medium, a font, FFmpeg.

    Without LOCK the spec is compared with its own lock. Nothing is rendered.

    Examples: cinecut why specs/film.yaml    |    cinecut why monday.lock friday.lock
    """
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.proof.why import locked_state, state_of
    from cinecut.proof.why import why as run

    build = find_ffmpeg(ffmpeg)
    old = locked_state(spec) if other is None else state_of(spec, build)
    new = state_of(spec if other is None else other, build)
    anew_runs = run(old, new)
    segments = sum(len(output.segments) for output in new.lock.outputs)
    if as_json:
        anew = sum(1 for each in anew_runs if each.events)
        print_json({"anew": [each.as_json() for each in anew_runs], "same": segments - anew})
        return
    if not anew_runs:
        say("nothing would be rendered again")
    for each in anew_runs:
        show(f"{each.what} again:")
        for cause in each.causes:
            span = cause.span
            show(f"  {cause.words}" + (f"  ({span.file}:{span.line + 1}:{span.column + 1})" if span else ""))


@app.command()
def verify(
    spec: ReadSpecArgument,
    file: Annotated[Path, argument("FILE", "A finished trailer, even if it was encoded again.")],
    only: Annotated[
        str | None, option("--only", "NAME", "Which deliverable of the spec the file is.", autocompletion=deliverables)
    ] = None,
    page: Annotated[Path | None, option("--page", "FILE", "Also write a page with the pictures side by side.")] = None,
    format: FormatOption = "text",
    force: ForceOption = False,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a finished file with its spec and list every difference; status 1 if there is any.

    Each frame is compared with the one that the spec has there, and the sound with the mix, so the file may have
    another size, rate or codec. Each finding has its place in the trailer and in the spec, and a remedy.

    Examples: cinecut verify specs/film.yaml upload.mp4    |    cinecut verify specs/film.yaml cut.mov --page look.html
    """
    check_format(format)
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.files import check_no_source
    from cinecut.proof.verify.judging import deliverable_of, summary
    from cinecut.proof.verify.judging import verify as run
    from cinecut.render.check import files_of

    check_free(page, force)
    build, job = find_ffmpeg(ffmpeg), deliverable_of(spec, file, only)
    read = [spec, file, *files_of(job.spec, job.folder)]
    if page is not None:
        check_no_source(page, read)
    with watch("Verifying") as watching:
        verified = run(job, file, build, watching.waiting)
    diagnostics = [each.diagnostic(verified.rate) for each in verified.findings]
    if format == "json" or as_json:
        rows = [each.as_json(verified.rate) for each in verified.findings]
        print_json({"diagnostics": rows, "file": summary(verified)})
    elif format != "text":
        print_for_host(format, diagnostics)
    else:
        print_diagnostics(diagnostics)
        if verified.ok:
            say(f"{file}: {verified.file.frames} frames, as {spec} says")
    if page is not None:
        from cinecut.proof.verify.page import write_page

        write_page(page, spec.name, file.name, verified, read)
    raise typer.Exit(0 if verified.ok else 1)


@app.command()
def conform(
    trailer: Annotated[Path, argument("TRAILER", "A finished trailer.")],
    films: Annotated[list[Path], argument("FILM...", "The films that the trailer may be cut from.")],
    output: Annotated[Path | None, option("-o --output", "SPEC", "Default: TRAILER's name, .yaml.")] = None,
    as_template: Annotated[
        Path | None, option("--as-template", "FILE", "Also write its rhythm, for `analyze --structure FILE`.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a spec from a finished trailer: the exact place in the film of each of its shots.

    The trailer's whole sound becomes the music. Parts that are in no film become clips of the trailer, and are
    marked; cards are read if the extra `ocr` is installed.

    Example: cinecut conform trailer.mp4 film.mkv -o specs/old_trailer.yaml
    """
    from cinecut.files import together, write_beside
    from cinecut.proof.conform.reading import conform as run

    target = output or trailer.with_suffix(".yaml")
    for film in (trailer, *films):
        check_film(film)
    for file in (target, as_template):
        check_free(file, force)
    with watch("Conforming", {"film": 1, "shots": 3}) as watching:
        conformed = run(trailer, films, target, watching.share)
    with together():
        write_beside(target, conformed.text, [trailer, *films])
        if as_template is not None:
            write_beside(as_template, conformed.template, [trailer, *films, target])
    shots = [piece for piece in conformed.pieces if piece.film is not None]
    frames, foreign, cards = conformed.frames, conformed.foreign, len(conformed.cards)
    record = {"spec": str(target), "frames": frames, "shots": len(shots), "foreign": foreign, "cards": cards}
    read = f", {cards} cards are read" if cards else ""
    answer(as_json, record, f"{target}: {len(shots)} shots, {foreign} of {frames} frames are of no film{read}")
