"""The command about a film's shots: shots."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.cli.films.options import FilmArgument
from cinecut.cli.terminal import completing, print_diagnostics, print_table, watch
from cinecut.diagnostics import Stop

if TYPE_CHECKING:
    from cinecut.analysis.film.shots import ShotList
    from cinecut.language.facts import FilmFacts

app = typer.Typer()

FORMATS = ("table", "csv", "json")


@app.command()
def shots(
    film: FilmArgument,
    format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            help="For people, for spreadsheets, for programs.",
            autocompletion=completing(lambda: FORMATS),
        ),
    ] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """List a film's shots, to the frame: where each begins and ends, how it begins, and what no trailer should use.

    What was found is kept; analyze takes it from there.

    Example: cinecut shots film.mkv --format csv > shots.csv
    """
    if format not in FORMATS:
        raise Stop("option", f"--format cannot be {format!r}", f"one of: {', '.join(FORMATS)}")
    facts, found = _found(film)
    print_diagnostics(list(found.diagnostics))
    rows = _rows(facts, found)
    if format == "json" or as_json:
        print(json.dumps({"film": str(film), "rate": str(facts.rate), "shots": rows}, ensure_ascii=False, indent=2))
        return
    body = [["" if value is None else str(value) for value in row.values()] for row in rows]
    if format == "csv":
        csv.writer(sys.stdout).writerows([list(rows[0]) if rows else [], *body])
    else:
        print_table(list(rows[0]) if rows else [], body)


def _found(film: Path) -> tuple[FilmFacts, ShotList]:
    from cinecut.analysis import FACTS
    from cinecut.analysis.cache import Cache
    from cinecut.analysis.plugged import shots_stage
    from cinecut.analysis.stage import Line
    from cinecut.files import fingerprint

    with watch("Looking") as watching:
        line = Line(Cache(fingerprint(film)), lambda name, done: watching.stage(name, round(100 * done), 100, None))
        facts: FilmFacts = line.run(FACTS, film)
        shots: ShotList = line.run(shots_stage(None), film, facts)
    return facts, shots


def _rows(facts: FilmFacts, found: ShotList) -> list[dict[str, Any]]:
    """A row for each shot; frames count from the film's first picture, and `out` is the first one after the shot."""
    from cinecut.language.timebase import clock, nearest

    rows = []
    for shot in found.shots:
        ends = (shot.range.start.seconds, shot.range.end.seconds)
        first, last = (nearest(seconds * facts.rate) for seconds in ends)
        rows.append(
            {
                "number": shot.index + 1,
                "in": clock(ends[0]),
                "out": clock(ends[1]),
                "in timecode": facts.timecodes.of(ends[0]),
                "out timecode": facts.timecodes.of(ends[1]),
                "first frame": first,
                "frames": last - first,
                "begins by": str(getattr(shot.begins, "kind", shot.begins)),
                "not for trailers": shot.why_not,
            }
        )
    return rows
