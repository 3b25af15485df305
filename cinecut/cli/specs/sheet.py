"""The command that makes the contact sheet of a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.parameters import ForceOption, JsonOption, SpecArgument, flag, option
from cinecut.cli.terminal import answer, watch
from cinecut.diagnostics import Report, Stop

app = typer.Typer()


@app.command()
def sheet(
    spec: SpecArgument,
    output: Annotated[Path | None, option("-o --output", "PAGE", "Default: SPEC's name, .html.")] = None,
    known: Annotated[
        bool, flag("--known", "Also write SPEC.known.json, the results of analyze, to pass on with the spec.")
    ] = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the contact sheet of a spec: its events, their alternatives, every shot of the film.

    A click on a time copies it. The page is a single file and needs no network.

    Example: cinecut sheet specs/film.yaml
    """
    from cinecut.cli.films.analyze import is_sheet
    from cinecut.files import check_is_file, check_no_source, together, write_beside
    from cinecut.known.record import as_json as known_json
    from cinecut.language.document import read_document
    from cinecut.language.read import ABSENT, film_files
    from cinecut.language.spec import Film
    from cinecut.media.link import assets_of, is_there
    from cinecut.render.check import files_of, known_at, laid_out, warn
    from cinecut.review.sheet import Subject, write_sheet

    page = output or spec.with_suffix(".html")
    report = Report()
    document = read_document(spec, report)
    report.stop_on_error()
    layout = laid_out(document)
    films = film_files(layout.trailer.spec, spec.parent)
    knowledge = known_at(layout.trailer.spec, spec)
    check_no_source(page, [spec, *files_of(layout.trailer.spec, spec.parent)])
    check_is_file(page)
    if page.exists() and not force and not is_sheet(page):
        hint = "--force replaces it, -o names another"
        raise Stop("output", f"{page} is there already, and is no contact sheet", hint)
    for asset in assets_of(layout.trailer.spec, spec.parent):
        if isinstance(asset.owner, Film) and asset.owner.file != ABSENT:
            is_there(asset, report)
    report.stop_on_error()
    if known and knowledge is None:
        raise Stop(
            "option", "--known: the results of analyze for this film are not on this machine", "analyze the film first"
        )
    warn(layout, spec, report)
    files = [page]
    with watch("Sheet") as watching, together():
        subject = Subject(layout, document, films, knowledge, list(report))
        write_sheet(subject, page, lambda done: watching.share("stills", done))
        if known and knowledge is not None:
            files.append(spec.with_suffix(".known.json"))
            write_beside(files[1], known_json(knowledge), [spec, *films.values()])
    named = [str(file) for file in files]
    answer(as_json, {"spec": str(spec), "files": named}, ", ".join(named))
