"""The commands about a spec as a text: check, fmt."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinecut.cli.terminal import SpecArgument, print_diagnostics
from cinecut.diagnostics import Report, Stop, as_json, harmless

if TYPE_CHECKING:
    from cinecut.language.document import Document

app = typer.Typer()


@app.command()
def check(
    spec: SpecArgument,
    format: Annotated[
        str, typer.Option("--format", metavar="text|json", help="text for people, json for programs.")
    ] = "text",
) -> None:
    """Find every mistake in a spec at once, each with its place and a hint.

    Needs neither the film nor FFmpeg, but says so when a file is missing or is not the one the spec was made for.

    Example: cinecut check specs/film.yaml
    """
    from cinecut.render.check import check_spec

    if format not in ("text", "json"):
        raise Stop("option", f"--format cannot be {format!r}", "text or json")
    report = check_spec(spec)
    if format == "json":
        print(as_json(report))
    else:
        print_diagnostics(list(report))
        if report.ok:
            print(f"{spec}: no mistakes")
    raise typer.Exit(0 if report.ok else 1)


SpecsArgument = Annotated[list[Path], typer.Argument(metavar="SPEC...", help="Trailer specs; - reads one from stdin.")]


@app.command()
def fmt(
    specs: SpecsArgument,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; status 1 where something would change.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; print what would change.")] = False,
) -> None:
    """Bring specs into one form: the order of keys, spaces, quotes, short forms. Comments and meaning stay.

    A list or a mapping in brackets stays one as long as it fits on its line.

    Examples: cinecut fmt specs/film.yaml    |    cinecut fmt --check specs/*.yaml    |    cinecut fmt - < film.yaml
    """
    from cinecut.files import write_beside
    from cinecut.language.write import format_document

    others = 0
    for spec in specs:
        document = _document(spec)
        before, after = document.mark + document.text, format_document(document)
        others += before != after
        if diff:
            old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
            print(harmless("".join(difflib.unified_diff(old, new, str(spec), str(spec)))), end="")
        elif check and before != after:
            print(f"{spec}: not in form", file=sys.stderr)
        elif not check and str(spec) == "-":
            sys.stdout.write(after)
        elif not check and before != after:
            write_beside(spec, after)
            print(f"{spec}: brought into form")
    raise typer.Exit(1 if (check or diff) and others else 0)


def _document(spec: Path) -> Document:
    """A document that is YAML, and a mapping. Raises Stop."""
    from cinecut.language.document import Mapping, parse_document, read_document

    report = Report()
    document = (
        parse_document(Path("<stdin>"), sys.stdin.read(), report) if str(spec) == "-" else read_document(spec, report)
    )
    if report.ok and not isinstance(document.root, Mapping):
        report.add("wrong-type", f"{spec} is no spec: a spec is a mapping (key: value)")
    report.stop_on_error()
    return document
