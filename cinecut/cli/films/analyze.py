"""The commands that look at a film: analyze, trailer."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinecut.cli.films.music import find_song
from cinecut.cli.films.options import FilmOptions, music_tempo, open_models, trailer_length, with_film_options
from cinecut.cli.films.report import review as pause
from cinecut.cli.films.report import tell
from cinecut.cli.films.speech import rate_of, shift_of
from cinecut.cli.parameters import FFmpegOption, ForceOption, JsonOption, flag, option
from cinecut.cli.specs.render import render
from cinecut.cli.terminal import SPECS, check_film, check_free, may_replace, print_diagnostics, remark, show, watch
from cinecut.diagnostics import Report, Stop, all_at_once, as_word

if TYPE_CHECKING:
    from cinecut.analysis.analyze import Analysis
    from cinecut.analysis.request import Request
    from cinecut.inference.server import Models

app = typer.Typer()


@app.command()
@with_film_options
def analyze(
    options: FilmOptions,
    output: Annotated[Path | None, option("-o --output", "SPEC", "Default: specs/FILM.yaml.")] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Analyse a film, and write a trailer as a spec to edit, with a contact sheet beside it.

    Needs no model, no GPU and no network. Installed models (`cinecut models list`) describe the scenes and choose
    the turning points; everything else is measured. A second run reuses the results of the first.

    Example: cinecut analyze film.mkv --vibe thriller --music song.ogg --length 90s -o specs/film.yaml
    """
    target = output or options.spec
    tell(_analyze(options, target, force), target, as_json, True)


@app.command()
@with_film_options
def trailer(
    options: FilmOptions,
    output: Annotated[
        Path | None, option("-o --output", "FILE", "Default: FILM_trailer_VIBE.mp4 in this folder.")
    ] = None,
    review: Annotated[
        bool, flag("--review", "Show the contact sheet, and wait for your edits before rendering.")
    ] = False,
    draft: Annotated[bool, flag("--draft", "A small, fast version, to judge the cut.")] = False,
    force: ForceOption = False,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Analyse a film and render its trailer in one step. The spec is kept, to be edited and rendered again.

    Example: cinecut trailer film.mkv --vibe comedy --review
    """
    from cinecut.ffmpeg.builds import find_ffmpeg

    if review and as_json:
        raise Stop("option", "--review, and --json for programs: choose one of them")
    find_ffmpeg(ffmpeg)  # what would end the render is said before the long work
    check_free(output, force, "--force replaces it, -o names another")
    replacing = force or (output is not None and os.path.lexists(output))  # what stands there was given up
    target = options.spec
    analysis = _analyze(options, target, force, ffmpeg)
    if not as_json:
        tell(analysis, target, False, False)
    if review:
        if not sys.stdin.isatty():
            command = ["cinecut", "render", *(["--draft"] if draft else []), "--", str(target)]
            show(f"edit {target}, then: {shlex.join(command)}")
            return
        pause(target)
    render(target, output, draft=draft, force=replacing, ffmpeg=ffmpeg, as_json=as_json)


# What the stages of an analysis take: about so many seconds of two cores for ten minutes of film.
SHARES = {"song": 5, "voices": 10, "speakers": 5, "words": 150, "beats": 5, "shots": 20, "loudness": 2, "looks": 20}
SHARES |= {"scenes": 600, "story": 60, "sheet": 4}
_OF_MODELS = ("scenes", "story")


def _analyze(options: FilmOptions, target: Path, force: bool, ffmpeg: str | None = None) -> Analysis:
    """Write the spec and the page beside it. Mistakes in the options are reported before any work."""
    from cinecut.files import claimed, disk_errors, held_by

    all_at_once([*options.checks(), lambda: _check_target(options, target, force)])
    with disk_errors(target):
        was = held_by(target)
    with claimed(target):
        return _analyzed(options, target, was, ffmpeg)


def _analyzed(options: FilmOptions, target: Path, was: bytes, ffmpeg: str | None) -> Analysis:
    """`was` is what the spec's file holds: only that is replaced."""
    seconds = trailer_length(options.length)
    shift, rate = shift_of(options.subtitles_shift), rate_of(options.subtitles_rate)
    tempo = music_tempo(options.tempo)
    plugins, skeleton, texts, vibe = options.plugins(), options.skeleton(), options.texts(), options.genre()
    from cinecut.analysis.analyze import analyze
    from cinecut.analysis.report.credits import write_credits
    from cinecut.analysis.request import Request
    from cinecut.ffmpeg.builds import path_of
    from cinecut.ffmpeg.decoders import check_decodes
    from cinecut.files import changed_meanwhile, disk_errors, held_by, together

    for film in options.films:
        check_decodes(film, path_of(ffmpeg))
    with watch("Analyzing", shares := dict(SHARES)) as watching:
        models = open_models(options.llama_server, options.llm_url, options.no_models, watching.waiting)
        leave_out(shares, models, options.no_models)
        song, credit, warnings = find_song(options.music, options.jamendo_id, vibe, watching)
        request = Request(
            options.film,
            target,
            vibe,
            options.subtitles,
            options.language,
            shift,
            rate,
            not options.no_models,
            options.audio,
            song,
            credit=credit,
            tempo=tempo,
            length=seconds,
            spoilers=options.spoilers,
            match_light=options.match_light,
            models=models,
            plugins=plugins,
            structure=skeleton,
            texts=texts,
            others=tuple(options.films[1:]),
            blocks=options.blocks,
        )
        analysis = analyze(request, watching.share)
        if analysis.seen.note:
            remark(analysis.seen.note)
        with disk_errors(target):
            if held_by(target) != was:
                raise changed_meanwhile(target, "its results are kept: the same command again is quick")
        with _folder_of(target), together():
            warnings += write_credits(target.with_suffix(".credits.txt"), analysis.credits)
            analysis = replace(analysis, diagnostics=(*warnings, *analysis.diagnostics))
            print_diagnostics(list(analysis.diagnostics))
            _keep(analysis, request, (options.sources, was), lambda done: watching.share("sheet", done))
    return analysis


def leave_out(shares: dict[str, int], models: Models | None, measure_only: bool) -> None:
    """Remove the stages from the shares that will not run."""
    from cinecut.analysis.dialogue.transcribe import usable_whisper

    absent = [*(_OF_MODELS if models is None else ()), *(("words",) if measure_only or not usable_whisper() else ())]
    for stage in absent:
        del shares[stage]


def _keep(
    analysis: Analysis, request: Request, safe: tuple[list[Path], bytes], progress: Callable[[float], None]
) -> None:
    """Write the sheet, the schema and the spec. `safe`: the files that stay as they are, and what the spec's file
    held."""
    from cinecut.analysis.analyze import known_about
    from cinecut.files import write_beside
    from cinecut.language.document import parse_document
    from cinecut.language.schema import TRAILER
    from cinecut.render.check import laid_out
    from cinecut.review.sheet import Subject, write_sheet

    layout = laid_out(document := parse_document(request.target, analysis.text, Report()))
    films = dict(zip(layout.trailer.footage, request.films, strict=True))
    subject = Subject(layout, document, films, known_about(analysis, request), analysis.diagnostics)
    write_sheet(subject, request.target.with_suffix(".html"), progress)
    _write_schema(request.target.parent / f"{TRAILER}.schema.json")
    write_beside(request.target, analysis.text, *safe)


def _write_schema(file: Path) -> None:
    """Write the schema that the spec's first line names; another file of that name stays."""
    from cinecut.files import content_of, write_beside
    from cinecut.language.schema import bundled

    with contextlib.suppress(OSError):
        known = content_of(file).decode("utf-8", "replace") if os.path.lexists(file) else None
        if known is None or ("cinecut trailer spec" in known and known != bundled()):
            write_beside(file, bundled())


def _check_target(options: FilmOptions, target: Path, force: bool) -> None:
    """Before any work: no file that is read may be overwritten."""
    from cinecut.files import check_no_source, check_writable, disk_errors

    for film in options.films:
        check_film(film)
    if len(options.films) > 1 and (options.subtitles or options.subtitles_shift or options.subtitles_rate):
        hint = "leave them out: subtitles are found beside each film by its name"
        raise Stop(
            "option", "--subtitles, --subtitles-shift and --subtitles-rate need one film, and there are several", hint
        )
    if options.blocks and len(options.films) < 2:
        raise Stop("option", "--blocks is for several films, and there is one", "name the others after it")
    if options.blocks and options.structure is not None:
        raise Stop("option", "--blocks and --structure exclude each other: choose one of them")
    sheet = target.with_suffix(".html")
    with disk_errors(target):
        _check_free(target, sheet, force)
    for file in (target, sheet):
        check_no_source(file, options.sources)
        check_writable(file)


def _check_free(target: Path, sheet: Path, force: bool) -> None:
    """Protect an existing spec, which may have been edited, and a page that is not a contact sheet."""
    if target.is_dir():
        raise Stop("output", f"{target} is a folder", "name a file with -o")
    if target.suffix.lower() not in SPECS:
        raise Stop("output", f"{target} is no name for a spec: it ends with .yaml", "name another with -o")
    folder = next(folder for folder in target.absolute().parents if os.path.lexists(folder))
    if not folder.is_dir():
        raise Stop("output", f"{folder} is no folder", "choose another with -o")
    with contextlib.suppress(FileNotFoundError):
        (folder / f"{target.stem}.credits.txt").lstat()  # of what will be written the longest name
    if target.exists() and not force and not may_replace(target):
        again = f"cinecut render {as_word(target)} renders it as it is"
        hints = (again, "cinecut analyze -o SPEC writes another beside it", "--force replaces it")
        raise Stop("output", f"{target} is there already, and may have been edited", *hints)
    if sheet.exists() and not force and not is_sheet(sheet):
        raise Stop("output", f"{sheet} is there already, and is no contact sheet", "--force replaces it")


@contextlib.contextmanager
def _folder_of(target: Path) -> Iterator[None]:
    """The folder of a file that the block writes. Raises Stop if it cannot be made."""
    from cinecut.files import disk_errors, new_folder

    with contextlib.ExitStack() as made:
        with disk_errors(target.parent):
            made.enter_context(new_folder(target.parent))
        yield


def is_sheet(page: Path) -> bool:
    from cinecut.files import content_of

    with contextlib.suppress(OSError):
        return b'name="generator" content="cinecut' in content_of(page, 2000)
    return False
