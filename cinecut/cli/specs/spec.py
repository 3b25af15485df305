"""The commands about one spec: explain, compile, link."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.cli.parameters import JsonOption, ReadSpecArgument, SpecArgument, argument, completing, flag, option
from cinecut.cli.terminal import answer, print_diagnostics, print_json, print_table, show
from cinecut.diagnostics import Report, Stop

if TYPE_CHECKING:
    from cinecut.media.link import NamedMedium
    from cinecut.review.explain import EventRow, Setting

app = typer.Typer()


@app.command()
def explain(
    spec: ReadSpecArgument,
    as_json_: JsonOption = False,
    values: Annotated[bool, flag("--values", "Show only where each value comes from.")] = False,
    timeline: Annotated[bool, flag("--timeline", "Show only the timeline.")] = False,
) -> None:
    """Show where every value comes from (user, vibe, film, schema), and when every event plays.

    The timeline shows film and trailer positions as clock and timecode, the beat, and the offset from it.

    Example: cinecut explain specs/film.yaml --timeline
    """
    from cinecut.render.check import layout_at
    from cinecut.review.explain import rows, settings

    layout = layout_at(spec)
    shown, placed = [*settings(layout.trailer), *_own_defaults(spec, whole=as_json_)], rows(layout)
    if as_json_:
        parts: dict[str, Any] = {"settings": [asdict(s) for s in shown], "timeline": [asdict(r) for r in placed]}
        print_json(parts)
        return
    both = values == timeline
    if values or both:
        print_table(["value", "", "set by"], [[s.path, s.value, s.by] for s in shown])
    if timeline or both:
        _print_rows(placed)


def _own_defaults(spec: Path, whole: bool) -> list[Setting]:
    """What a render of the spec does otherwise than usual because a configuration says so; `whole`: however long."""
    from cinecut.config import defaults
    from cinecut.review.explain import Setting

    of_render = ("output", "jobs", "ffmpeg")
    own = defaults(spec.parent)
    found = {key: own[key] for key in of_render if key in own}
    return [Setting(f"render: {key}", one.value if whole else one.shown, one.where) for key, one in found.items()]


def _print_rows(placed: list[EventRow]) -> None:
    """The timeline: on a terminal what fits on 80 columns, for programs all of it."""
    if sys.stdout.isatty():
        columns = "{:>3} {:>4}  {:<5} {:>11}  {:<24} {:>6}  {}"
        show(columns.format("#", "line", "event", "trailer", "film", "beat", "enters"))
        act = ""
        for row in placed:
            if row.act != act:
                show(f"\n{row.act or 'no act'}")
            film, act = f"{row.film} {_pair(row.film_in, row.film_out)}".lstrip(), row.act
            show(columns.format(row.number, row.line, row.kind, row.trailer_in, film, row.beat, row.enters).rstrip())
        return
    head = ["number", "event", "act", "film", "timecode", "trailer", "timecode", "frames", "beat", "offset"]
    head += ["enters", "sounds", "line"]
    body = [
        [
            str(r.number), r.id, r.act, f"{r.film} {_pair(r.film_in, r.film_out)}".lstrip(),
            _pair(r.film_in_timecode, r.film_out_timecode), _pair(r.trailer_in, r.trailer_out),
            _pair(r.trailer_in_timecode, r.trailer_out_timecode), str(r.frames), r.beat,
            "" if r.offset_ms is None else f"{r.offset_ms:+.1f} ms", r.enters, r.sounds, str(r.line),
        ]
        for r in placed
    ]  # fmt: skip
    print_table(head, body)


def _pair(left: str, right: str) -> str:
    return f"{left} – {right}" if left else ""


@app.command("compile")
def compile_(
    spec: SpecArgument,
    output: Annotated[Path | None, option("-o --output", "DIR", "Default: SPEC's name.")] = None,
    syntax: Annotated[
        str,
        option(
            "--syntax",
            "modern|classic",
            "For which FFmpeg: 7 and later, or earlier.",
            autocompletion=completing(("modern", "classic")),
        ),
    ] = "modern",
    as_json: JsonOption = False,
) -> None:
    """Write the filter script, the generated files and the command into a folder.

    Needs neither film nor FFmpeg: the spec contains the facts (see `cinecut link`).

    Example: cinecut compile specs/film.yaml -o build
    """
    from cinecut.graph.script import SCRIPT_OPTIONS
    from cinecut.render.check import examine, plan_of
    from cinecut.render.folder import write_compiled

    if syntax not in SCRIPT_OPTIONS:
        raise Stop("option", f"--syntax cannot be {syntax!r}", "modern or classic")
    report = Report()
    layout = examine(spec, report)
    if layout is None:
        raise Stop.of(list(report))
    plan = plan_of(layout, report)
    print_diagnostics(list(plan.diagnostics))
    folder = output or Path(spec.stem + ".graph")
    needed = write_compiled(plan, folder, SCRIPT_OPTIONS[syntax])
    seconds = round(float(plan.frames / plan.rate), 6)
    record = {"folder": str(folder), "frames": plan.frames, "seconds": seconds, "inputs": needed}
    filters = plan.render.script.count("\n")
    answer(as_json, record, f"{folder}: {filters} filters, {plan.frames} frames, {len(needed)} inputs")


@app.command()
def link(
    spec: SpecArgument,
    film: Annotated[Path | None, argument("[FILM]", "The film's new path, if it was moved.")] = None,
    force: Annotated[bool, flag("--force -f", "Use FILM even if it is a different film.")] = False,
    name: Annotated[
        str | None, option("--name", "NAME", "If the spec has several films, the name of the one that FILM is.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the film and the other files a spec names, and write their facts into it.

    Comments and formatting stay. With FILM, the spec is changed to use that file. The beats of a new song are
    measured too, and compared with those in the spec.

    Example: cinecut link specs/film.yaml /archive/film.mkv
    """
    from cinecut.language.read import ANY_RATE, inside, load_spec
    from cinecut.media.link import relink

    before = load_spec(spec, Report(), unmeasured=ANY_RATE)[1]
    measured = [str(file) for file in relink(spec, film, force, name, _check_decodes)]
    now = load_spec(spec, Report(), unmeasured=ANY_RATE)[1]
    music = now.music if now else None
    if music and music.file and music.facts and music.facts != (before and before.music and before.music.facts):
        from cinecut.analysis.song.compare import other_beats

        print_diagnostics(list(filter(None, [other_beats(music, inside(spec.parent, music.file))])))
    text = f"{spec}: {len(measured)} file{'s' if len(measured) > 1 else ''} measured"
    answer(as_json, {"spec": str(spec), "measured": measured}, text)


def _check_decodes(asset: NamedMedium) -> None:
    """Raise Stop if the FFmpeg that renders cannot decode a medium."""
    from cinecut.ffmpeg.builds import path_of
    from cinecut.ffmpeg.decoders import check_decodes
    from cinecut.language.events import Cue, Picture, Recorded
    from cinecut.language.spec import Lut, Music

    if not isinstance(asset.owner, Lut):
        heard = isinstance(asset.owner, Music | Cue | Recorded)
        what = "song" if heard else "picture" if isinstance(asset.owner, Picture) else "film"
        check_decodes(asset.file, path_of(), what)
