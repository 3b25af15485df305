"""The commands about a spec as a text: check, fmt."""

from __future__ import annotations

import difflib
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinecut import __version__
from cinecut.cli.parameters import argument, completing, flag, option
from cinecut.cli.terminal import LOUDNESS, print_diagnostics, remark, say, show
from cinecut.diagnostics import CODES, Diagnostic, Report, Severity, Stop, as_github, as_json, as_sarif, harmless

if TYPE_CHECKING:
    from cinecut.language.document import Document

app = typer.Typer()


SpecsArgument = Annotated[
    list[Path], argument("SPEC|FOLDER|-...", "Trailer specs, or folders of them; - reads one from stdin.")
]
FORMATS = ("text", "json", "github", "sarif")
FormatOption = Annotated[
    str,
    option(
        "--format",
        "|".join(FORMATS),
        "text for people, json for programs, github and sarif for code hosts.",
        autocompletion=completing(FORMATS),
    ),
]


@app.command()
def check(
    specs: Annotated[
        list[Path] | None, argument("SPEC|FOLDER|-...", "Trailer specs, or folders of them; - is stdin.")
    ] = None,
    format: FormatOption = "text",
    code: Annotated[
        str | None,
        option(
            "--explain",
            "CODE",
            "Explain a finding: its cause and how to fix it.",
            autocompletion=completing(sorted(CODES)),
        ),
    ] = None,
    strict: Annotated[bool, flag("--strict", "Exit with status 1 for warnings too.")] = False,
    as_json_: Annotated[bool, flag("--json", "The same as --format json.")] = False,
) -> None:
    """Find all mistakes in specs, each with its place and a hint.

    Needs neither the film nor FFmpeg, but reports a file that is missing or is not the one the spec was made for.

    Examples: cinecut check specs/film.yaml    |    cinecut check specs    |    cinecut check --explain no-handle
    """
    if code is not None:
        _explain(code)
        return
    if not specs:
        raise Stop("option", "there is no spec to check", "cinecut check specs/film.yaml")
    check_format(format)
    from cinecut.render.check import check_spec

    reports = {spec: check_spec(spec) for spec in _found(specs)}
    findings = [finding for report in reports.values() for finding in report]
    if format == "json" or as_json_:
        print(as_json(findings))
    elif format != "text":
        print_for_host(format, findings)
    else:
        for spec, report in reports.items():
            known = LOUDNESS.verbose or not any(finding.code == "no-side-file" for finding in report)
            print_diagnostics([finding for finding in report if known or finding.code != "no-side-file"])
            if report.ok:
                say(
                    f"{spec}: no mistakes"
                    + ("" if known else "; the film's cuts and lines are unchecked (-v says why)")
                )
    failing = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    raise typer.Exit(1 if any(finding.severity in failing for finding in findings) else 0)


def check_format(format: str) -> None:
    if format not in FORMATS:
        raise Stop("option", f"--format cannot be {format!r}", f"one of: {', '.join(FORMATS)}")


def print_for_host(format: str, findings: Sequence[Diagnostic]) -> None:
    """Findings as a code host shows them."""
    if format == "sarif":
        print(as_sarif(findings, __version__))
    else:
        print("".join(f"{harmless(as_github(finding))}\n" for finding in findings), end="")


def _explain(code: str) -> None:
    if code not in CODES:
        close = difflib.get_close_matches(code, CODES, n=1)
        hint = f"did you mean {close[0]}?" if close else f"one of: {', '.join(sorted(CODES))}"
        raise Stop("option", f"no finding has the code {code!r}", hint)
    about = explanations()[code]
    show(f"{code} ({CODES[code]})\n\n{about['cause']}\n\nCure: {about['cure']}")


def explanations() -> dict[str, dict[str, str]]:
    """The `cause` and the `cure` of each code of a finding."""
    from cinecut.language.document import plain, read_document

    file = Path(__file__).parent.parent.parent / "codes.yaml"
    codes: dict[str, dict[str, str]] = plain(read_document(file, Report()).root)
    return codes


def _found(specs: Sequence[Path]) -> Iterator[Path]:
    """The specs that are named, and those in the folders that are: YAML files that name the language's version."""
    from cinecut.language.read import specs_in

    for spec in specs:
        if not spec.is_dir():
            yield spec
            continue
        inside = list(specs_in(spec))
        if not inside:
            hint = "a spec is a .yaml file that begins with cinecut: 1"
            raise Stop("missing-file", f"there is no spec in {spec}", hint)
        yield from inside


@app.command()
def fmt(
    specs: SpecsArgument,
    check: Annotated[bool, flag("--check", "Write nothing; exit with status 1 if something would change.")] = False,
    diff: Annotated[bool, flag("--diff", "Write nothing; print what would change.")] = False,
) -> None:
    """Format specs: the order of keys, spaces, quotes, short forms. Comments and meaning stay.

    A list or a mapping in brackets stays in brackets if it fits on its line.

    Examples: cinecut fmt specs/film.yaml    |    cinecut fmt --check specs/*.yaml    |    cinecut fmt - < film.yaml
    """
    from cinecut.files import write_beside
    from cinecut.language.write import format_document

    others = 0
    for spec in _found(specs):
        document = _document(spec)
        before, after = document.mark + document.text, format_document(document)
        others += before != after
        if diff:
            old, new = io.StringIO(before).readlines(), io.StringIO(after).readlines()
            print(harmless("".join(difflib.unified_diff(old, new, str(spec), str(spec)))), end="")
        elif check and before != after:
            remark(f"{spec}: not in form")
        elif not check and str(spec) == "-":
            sys.stdout.write(after)
        elif not check and before != after:
            write_beside(spec, after, was=before)
            say(f"{spec}: brought into form")
    raise typer.Exit(1 if (check or diff) and others else 0)


def _document(spec: Path) -> Document:
    """A document that is in the language of specs, vibes, kits or skeletons. Raises Stop."""
    from cinecut.language.document import MapNode, read_document
    from cinecut.language.read import KINDS

    report = Report()
    document = read_document(spec, report)
    if report.ok and not (isinstance(document.root, MapNode) and KINDS & document.root.entries.keys()):
        report.add("wrong-type", f"{spec} is no spec", None, "a spec begins with cinecut: 1")
    report.stop_on_error()
    return document


@app.command()
def schema(
    output: Annotated[Path | None, option("-o --output", "FILE", "Where to write it. Default: print it.")] = None,
) -> None:
    """Print the language's JSON Schema as one file, with which an editor completes and explains every key.

    `analyze` writes it beside its specs, which refer to it in their first line.

    Example: cinecut schema -o trailer-1.schema.json
    """
    from cinecut.files import open_file, write_beside
    from cinecut.language.schema import bundled

    if output is None:
        print(bundled(), end="")
        return
    if output.exists():
        with open_file(output) as file:
            if b'"$schema"' not in file.read(200):
                raise Stop("output", f"{output} is there already, and is no schema", "name another file with -o")
    write_beside(output, bundled())
    say(str(output))
