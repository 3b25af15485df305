"""The commands about one spec: explain, compile, link, swap."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.cli.terminal import JsonOption, SpecArgument, completing, print_diagnostics, print_table, say
from cinecut.diagnostics import Report, Stop, harmless

if TYPE_CHECKING:
    from cinecut.review.explain import Row

app = typer.Typer()


@app.command()
def explain(
    spec: SpecArgument,
    as_json_: JsonOption = False,
    values: Annotated[bool, typer.Option("--values", help="Only who set each value.")] = False,
    timeline: Annotated[bool, typer.Option("--timeline", help="Only where each event falls.")] = False,
) -> None:
    """Say who set every value (user, vibe, film, schema) and where every event falls.

    The timeline gives film and trailer positions as clock and timecode, the beat, and the offset from it.

    Example: cinecut explain specs/film.yaml --timeline
    """
    from cinecut.render.check import examine
    from cinecut.review.explain import rows, settings

    report = Report()
    layout = examine(spec, report)
    report.stop_on_error()
    assert layout is not None  # or there was an error
    found, placed = settings(layout.trailer), rows(layout)
    if as_json_:
        parts: dict[str, Any] = {"settings": [asdict(s) for s in found], "timeline": [asdict(r) for r in placed]}
        print(json.dumps(parts, ensure_ascii=False, indent=2))
        return
    both = values == timeline
    if values or both:
        print_table(["value", "", "set by"], [[s.path, s.value, s.by] for s in found])
    if timeline or both:
        _print_rows(placed)


def _print_rows(placed: list[Row]) -> None:
    """The timeline: on a terminal what fits on 80 columns, for programs all of it."""
    if sys.stdout.isatty():
        columns = "{:>3} {:>4}  {:<5} {:>11}  {:<24} {:>6}  {}"
        print(columns.format("#", "line", "event", "trailer", "film", "beat", "enters"))
        act = ""
        for row in placed:
            if row.act != act:
                print(harmless(f"\n{row.act or 'no act'}"))
            film, act = _pair(row.film_in, row.film_out), row.act
            print(columns.format(row.number, row.line, row.kind, row.trailer_in, film, row.beat, row.enters).rstrip())
        return
    head = ["number", "event", "act", "film", "timecode", "trailer", "timecode", "frames", "beat", "offset"]
    head += ["enters", "sounds", "line"]
    body = [
        [
            str(r.number), r.event, r.act, _pair(r.film_in, r.film_out),
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
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Default: SPEC's name.")] = None,
    syntax: Annotated[
        str,
        typer.Option(
            metavar="modern|classic",
            help="Spelled for FFmpeg 7 and later, or for earlier ones.",
            autocompletion=completing(lambda: ("modern", "classic")),
        ),
    ] = "modern",
    as_json: JsonOption = False,
) -> None:
    """Write the filter script, the generated files and the command into a folder.

    Needs neither film nor FFmpeg: the spec carries the facts (see `cinecut link`).

    Example: cinecut compile specs/film.yaml -o build
    """
    from cinecut.graph.script import BUILDS
    from cinecut.render.check import examine, plan_of
    from cinecut.render.folder import write_compiled

    if syntax not in BUILDS:
        raise Stop("option", f"--syntax cannot be {syntax!r}", "modern or classic")
    report = Report()
    layout = examine(spec, report)
    if layout is None:
        raise Stop.of(list(report))
    plan = plan_of(layout, report)
    print_diagnostics(list(plan.diagnostics))
    folder = output or Path(spec.stem + ".graph")
    needed = write_compiled(plan, folder, BUILDS[syntax])
    if as_json:
        seconds = round(float(plan.frames / plan.rate), 6)
        print(json.dumps({"folder": str(folder), "frames": plan.frames, "seconds": seconds, "inputs": needed}))
        return
    say(f"{folder}: {plan.render.script.count(chr(10))} filters, {plan.frames} frames, {len(needed)} inputs")


@app.command()
def link(
    spec: SpecArgument,
    film: Annotated[Path | None, typer.Argument(metavar="[FILM]", help="Where the film is now, if it moved.")] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Take FILM even if it is another film.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the film and the other files a spec names, and write their facts into it.

    Comments and formatting stay as they are. With FILM, the spec is made to name that file.

    Example: cinecut link specs/film.yaml /archive/film.mkv
    """
    from cinecut.media.link import relink

    measured = [str(file) for file in relink(spec, film, force)]
    if as_json:
        print(json.dumps({"spec": str(spec), "measured": measured}))
    else:
        say(f"{spec}: {len(measured)} file{'s' if len(measured) > 1 else ''} measured")


@app.command()
def swap(
    spec: SpecArgument,
    event: Annotated[
        int, typer.Argument(metavar="EVENT", min=1, help="Its number, as `cinecut explain` and sheets have it.")
    ],
    number: Annotated[int, typer.Argument(metavar="[N]", min=1, help="Which of its alternatives.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Put one of its `alternatives` into the place of a shot, which becomes one itself: doing it again undoes it.

    Example: cinecut swap specs/film.yaml 12 2
    """
    from cinecut.edits.actions import edited, entries_of
    from cinecut.files import write_beside
    from cinecut.language.document import read_document
    from cinecut.language.events import Shot
    from cinecut.render.check import examine

    report = Report()
    layout = examine(spec, report, files=True, link=True)
    report.stop_on_error()
    assert layout is not None  # or there was an error
    events = layout.timeline.events
    if event > len(events):
        raise Stop("option", f"{spec} has {len(events)} events; there is no event {event}")
    action = {"do": "swap", "entry": entries_of(layout)[event - 1], "number": number}
    shot = layout.timeline.events[event - 1].event
    text = edited(read_document(spec, report), layout, action)
    write_beside(spec, text)
    if as_json:
        other = shot.alternatives[number - 1] if isinstance(shot, Shot) else None  # or it was refused
        seconds = round(float(other.in_.seconds), 6) if other is not None else None
        print(json.dumps({"spec": str(spec), "event": event, "alternative": number, "in": seconds}))
        return
    say(f"{spec}: event {event} shows its alternative {number}")
