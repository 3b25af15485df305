"""The command for editing programs: export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinecut.cli.parameters import (
    FFmpegOption,
    ForceOption,
    JsonOption,
    SpecArgument,
    argument,
    completing,
    flag,
    option,
)
from cinecut.cli.terminal import SPECS, may_replace, print_json, print_table, remark, say, watch
from cinecut.diagnostics import Stop, excerpt, harmless
from cinecut.files import open_file, refuse_existing, write_beside

if TYPE_CHECKING:
    from cinecut.interchange.export import Exported
    from cinecut.interchange.model import Unsupported
    from cinecut.interchange.tracks import Stems

app = typer.Typer()


@app.command()
def export(
    spec: SpecArgument,
    to: Annotated[
        str,
        option(
            "--to",
            "TARGET",
            "resolve, premiere, fcp, kdenlive, otio, edl, markers, or an exporter that a package provides.",
            autocompletion=completing("interchange.export:targets"),
        ),
    ],
    output: Annotated[Path | None, option("-o --output", "FILE", "Default: SPEC's name, in this folder.")] = None,
    start: Annotated[
        str | None, option("--start", "TIMECODE", "The timecode of the first frame. Default: 01:00:00:00.")
    ] = None,
    media_root: Annotated[
        str | None, option("--media-root", "DIR", "The folder with the media on the editor's machine: D:/films.")
    ] = None,
    handles: Annotated[
        int | None,
        option(
            "--handles", "FRAMES", "The length of the handles around each clip. Default: all that the film has.", min=0
        ),
    ] = None,
    stems: Annotated[
        bool, flag("--stems", "Render the sounds that editing programs cannot make (effects, pulse) as a sound track.")
    ] = False,
    force: ForceOption = False,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export the trailer as a project of an editing program, and list what that cannot represent.

    Works without the film. Looks are written beside the file, as .cube.

    Examples: cinecut export specs/film.yaml --to resolve    |    cinecut export film.yaml --to edl --start 10:00:00:00
    """
    from cinecut.interchange.build import ExportOptions
    from cinecut.interchange.export import check_to, default_path
    from cinecut.interchange.export import export as run

    check_to(to)
    target = output or default_path(spec, to)
    force = force or may_replace(target)
    refuse_existing([target], force)
    rendered = _stems(spec, target, ffmpeg, force) if stems else None
    done = run(spec, to, target, ExportOptions(spec.parent, start, media_root, handles, rendered), force=force)
    if as_json:
        print_json(_record(to, done))
        return
    for file in done.files:
        say(harmless(str(file)))
    if done.unsupported:
        say(f"{to} shows otherwise:")
        print_table(["event", "what", "shown instead"], _rows(done.unsupported))


def _rows(unsupported: Sequence[Unsupported]) -> list[list[str]]:
    """The table of losses; equal ones are one row: `shot 1 to 4, 6`."""
    events: dict[tuple[str, str], dict[str, list[int]]] = {}
    for each in unsupported:
        kind, _, number = each.event.rpartition(" ") if each.event[-1:].isdecimal() else (each.event, "", "")
        numbers = events.setdefault((each.what, each.instead), {}).setdefault(kind, [])
        numbers += [int(number)] if number else []
    return [
        ["; ".join(" ".join(filter(None, (kind, _spans(numbers)))) for kind, numbers in kinds.items()), *key]
        for key, kinds in events.items()
    ]


def _spans(numbers: Sequence[int]) -> str:
    """Ascending numbers with their runs shortened: `1 to 4, 6`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def _record(to: str, done: Exported) -> dict[str, object]:
    from cinecut.language.timebase import rate_text

    return {
        "to": to,
        "files": [str(file) for file in done.files],
        "frames": done.sequence.frames,
        "rate": rate_text(done.sequence.rate),
        "start": done.sequence.timecode(0),
        "unsupported": [asdict(each) for each in done.unsupported],
    }


def _stems(spec: Path, target: Path, ffmpeg: str | None, force: bool) -> Stems:
    """The stems of the mix, rendered into a folder beside the export."""
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.interchange.tracks import Stems
    from cinecut.render.job import prepare
    from cinecut.render.stems import render_stems

    build, job = find_ffmpeg(ffmpeg), prepare(spec)
    folder = target.with_name(target.stem + "_stems")
    if not {"effects", "music"} & set(job.plan.stem_names):
        raise Stop("option", "--stems: this trailer has no effects and no synthesized music", "leave it out")
    with watch("Rendering") as watching:
        files = render_stems(job, folder, build, watching, force=force)
    return Stems({file.stem: file for file in files}, job.plan.samples)


@app.command("import")
def import_(
    files: Annotated[
        list[Path], argument("[SPEC] FILE", "The spec, .yaml, and the .otio, .fcpxml, .xml or .edl of an editor.")
    ],
    into: Annotated[Path | None, option("--into", "SPEC", "The spec that it was exported from.")] = None,
    new: Annotated[Path | None, option("--new", "SPEC", "Create a new spec from the project.")] = None,
    film: Annotated[list[Path] | None, option("--film", "FILM", "With --new: the film; repeat for several.")] = None,
    dry_run: Annotated[bool, flag("--dry-run", "Change nothing; list the changes.")] = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import the changes from an editing program into the spec that was exported, or create a new spec.

    Comments, beats that still fit, and everything that editing programs do not know stay; changes that cannot be
    imported are listed.

    Examples: cinecut import a.yaml v2.fcpxml --dry-run    |    cinecut import v2.otio --new x.yaml --film x.mp4
    """
    file, into = _edited(files, into)
    if (into is None) == (new is None):
        raise Stop("option", "name the spec beside the file: cinecut import SPEC FILE; or begin one with --new")
    if (new is None) != (not film):
        raise Stop("option", "--new begins a spec of the film that --film names")
    said, by_hand = _bring(file, into, dry_run) if into is not None else ([], [])
    if new is not None and film:
        said, by_hand = _begin(file, new, film, force)
    if as_json:
        print_json({"changed": said, "by_hand": by_hand})
        return
    for each in said or ["nothing was changed"]:
        say(harmless(each))
    for each in by_hand:
        remark(f"by hand: {each}")


def _edited(files: list[Path], into: Path | None) -> tuple[Path, Path | None]:
    """The file of the editing program and the spec, told apart by their suffixes, or the spec of `--into`. Raises
    Stop."""
    specs = [file for file in files if file.suffix.lower() in SPECS]
    edited = [file for file in files if file not in specs]
    if len(edited) != 1 or len(specs) > (into is None):
        message = f"import takes one spec and one file of an editing program, not {excerpt(' '.join(map(str, files)))}"
        raise Stop("option", message, "cinecut import SPEC FILE: the spec ends in .yaml")
    return edited[0], specs[0] if specs else into


def _bring(file: Path, into: Path, dry_run: bool) -> tuple[list[str], list[str]]:
    from cinecut.edits.revise import rewrite
    from cinecut.interchange.back.bring import bring

    brought = bring(into, file)
    if brought.said and not dry_run:
        rewrite(into, brought.was, brought.text)
    return brought.said, brought.by_hand


def _begin(file: Path, new: Path, films: list[Path], force: bool) -> tuple[list[str], list[str]]:
    from cinecut.interchange.back.begin import begin
    from cinecut.media.link import name_from
    from cinecut.media.probe import film_facts

    refuse_existing([new], force)
    with open_file(file) as opened:
        named = [(name_from(new.parent, film), film_facts(film)) for film in films]
        begun = begin(file.name, opened.read(), new.parent, named)
    write_beside(new, begun.text, never=[file, *films])
    return [f"{new}: {begun.events} events"], begun.by_hand
