"""The commands about many films: index, find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.cli.films.options import NoModelsOption, ServerOption, UrlOption, open_models
from cinecut.cli.films.speech import LanguageOption
from cinecut.cli.parameters import ForceOption, JsonOption, SchedulerOption, argument, option
from cinecut.cli.terminal import (
    SPECS,
    answer,
    check_ending,
    check_free,
    print_diagnostics,
    print_json,
    print_table,
    remark,
    watch,
)
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.machine.cluster import Where, client_of

if TYPE_CHECKING:
    from cinecut.analysis.stage import Progress
    from cinecut.catalogue.find import Hit
    from cinecut.catalogue.index import Workers
    from cinecut.catalogue.task import Asked

app = typer.Typer()

CatalogueOption = Annotated[Path, option("--catalogue -C", "FOLDER", "The catalogue's folder.", show_default=True)]


@app.command()
def index(
    folders: Annotated[
        list[Path], argument("FOLDER…", "Films, or folders that are searched for films, subfolders too.")
    ],
    catalogue: CatalogueOption = Path("catalogue"),
    without: Annotated[
        list[str] | None,
        option("--without", "NAME", "Leave out films whose name matches; * matches anything. Repeatable."),
    ] = None,
    language: LanguageOption = None,
    llama_server: ServerOption = None,
    llm_url: UrlOption = None,
    no_models: NoModelsOption = False,
    scheduler: SchedulerOption = None,
    workers: Annotated[
        int | None, option("--workers", "N", "Workers of a local cluster. Default: one for two cores.", min=1)
    ] = None,
    memory: Annotated[
        str | None,
        option("--memory", "SIZE", "Memory limit of each worker, such as 4GB; a worker that exceeds it is stopped."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Analyse many films for `cinecut find`: their shots, signals, lines, scenes and pictures.

    Films in the catalogue are not analysed again, so an interrupted run continues where it stopped. A film that
    cannot be read is left out; the report, a page in the catalogue's folder, says why. Films are never changed. On
    a cluster (the extra `cluster`) films and catalogue must be on a disk that all workers share.

    Examples: cinecut index films --catalogue catalogue    |    cinecut index . --without "*_trailer_*"
    """
    from cinecut.catalogue.index import Named
    from cinecut.catalogue.index import index as run
    from cinecut.catalogue.look import LookOptions
    from cinecut.catalogue.page import write_report
    from cinecut.catalogue.store import Catalogue
    from cinecut.catalogue.task import Asked

    open_models(llama_server, llm_url, no_models, lambda holder: None)  # what is wrong with them is said at once
    asked = Asked(LookOptions(language, not no_models), llama_server, llm_url, no_models)
    where = Where(scheduler or "", workers, memory)
    with watch("Indexing") as watching, _workers(where, catalogue, asked) as work:
        done = run(Named(tuple(folders), tuple(without or ())), catalogue, asked, work, watching.share)
        report = write_report(Catalogue.load(catalogue))
    if not done.films:
        endings = "films are told by the ends of their names; what is hidden, and links that lead out, are left out"
        endings += ", and what --without names" if without else ""
        print_diagnostics([Diagnostic("film", "there is no film in these folders", None, (endings,))])
    failures = [each.failed if each.path in each.failed else f"{each.path}: {each.failed}" for each in done.failed]
    print_diagnostics([Diagnostic("film", message) for message in failures])
    record = {"report": str(report), "new": done.new, "films": [asdict(each) for each in done.films]}
    seen = f"{_counted(len(done.films), 'film')} with {_counted(sum(each.shots for each in done.films), 'shot')}"
    answer(as_json, record, f"{report}: {seen}, {done.new} of them new, {len(done.failed)} failed")
    if done.failed and len(done.failed) == len(done.films):
        raise Stop("unreadable", "no film could be indexed", f"{report} says why")


@contextmanager
def _workers(where: Where, catalogue: Path, asked: Asked) -> Iterator[Callable[[Progress], Workers]]:
    """Who looks at the films: the workers of a scheduler, or a process of this machine."""
    from cinecut.catalogue.workers.here import Here

    if not where.scheduler:
        if where.workers or where.memory:
            raise Stop("option", "--workers and --memory are for a cluster", "add --scheduler local")
        yield lambda tell: Here(catalogue, asked, tell)
        return
    from cinecut.catalogue.workers.cluster import Cluster

    with client_of(where, remark) as client:
        yield lambda tell: Cluster(client, catalogue, asked)


@app.command()
def find(
    query: Annotated[str, argument("WORDS", 'What is looked for, between commas: "close-up, night, rain".')] = "",
    catalogue: CatalogueOption = Path("catalogue"),
    films: Annotated[
        list[str] | None, option("--films", "NAME", "Only films whose name matches; * matches anything.")
    ] = None,
    like: Annotated[
        str | None, option("--like", "PICTURE", "Shots that look like a picture: an image file, or FILM@TIME.")
    ] = None,
    number: Annotated[int, option("-n --number", "N", "The maximum number of shots.", min=1)] = 20,
    page: Annotated[Path | None, option("--page", "FILE", "Write a page with pictures.")] = None,
    spec: Annotated[Path | None, option("--spec", "FILE", "Write a spec to cut on.")] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find shots in a catalogue by words, by look, or both; the best first, each with the reason.

    Words for measurements (close-up, wide, face, night, dark, bright, colourful, still, moving, loud, long,
    dialogue …) need no model. All others are searched in descriptions and lines, by meaning if MiniLM is installed.

    Example: cinecut find "close-up, night, rain" --page found.html
    """
    check_ending(page, "a page", ".html", ".htm")
    check_ending(spec, "a spec", *SPECS)
    for file in (page, spec):
        check_free(file, force)
    from cinecut.catalogue.find import FAIR, Index, unmet
    from cinecut.catalogue.store import Catalogue
    from cinecut.catalogue.words import terms_of

    terms = terms_of(query)
    if not terms and like is None:
        raise Stop("option", "nothing is looked for", "write words between commas, or --like a picture")
    opened, kept = Index.open(catalogue), Catalogue.load(catalogue)
    look = None
    if like is not None:
        from cinecut.catalogue.like import look_of

        look = look_of(like, [path for path, _ in opened.films])
    hits = opened.find(terms, look, films or [], number)
    asked = ", ".join([*terms, *([f"like {Path(like).name}"] if like is not None else [])])
    if not hits:
        raise Stop("no-material", f"no shot fits {asked}", *opened.lacks(terms))
    if nowhere := unmet(hits):
        message = f"none of these shots fits {', '.join(nowhere)}"
        print_diagnostics([Diagnostic("film", message, None, tuple(opened.lacks(nowhere)))])
    elif hits[0].score < FAIR:
        print_diagnostics([Diagnostic("film", f"no shot fits well: the best by {hits[0].score:.0%}")])
    from cinecut.files import together, write_beside

    with together():
        if page is not None:
            from cinecut.catalogue.page import write_hits

            write_hits(hits, kept, asked, page)
        if spec is not None:
            from cinecut.catalogue.cutting import spec_of

            write_beside(spec, spec_of(hits, kept, spec, asked), [hit.film for hit in hits])
    _print(hits, as_json)
    for file in (page, spec):
        if file is not None:
            remark(f"{file}: {len(hits)} shots")


def _print(hits: list[Hit], as_json: bool) -> None:
    from cinecut.language.timebase import clock

    def row(hit: Hit) -> dict[str, Any]:
        return {
            "film": str(hit.film),
            "title": hit.title,
            "shot": hit.number,
            "in": clock(hit.range.start.seconds),
            "out": clock(hit.range.end.seconds),
            "score": hit.score,
            "looks": list(hit.looks),
            "reasons": [asdict(reason) for reason in hit.reasons],
        }

    rows = [row(hit) for hit in hits]
    if as_json:
        print_json(rows)
        return
    body = [
        [Path(each["film"]).name, str(each["shot"]), each["in"], each["out"], f"{each['score']:.0%}", _why(each)]
        for each in rows
    ]
    print_table(["film", "shot", "in", "out", "fits", "by"], body)


def _why(row: dict[str, Any]) -> str:
    fits = [each for each in row["reasons"] if each["score"]]
    return "; ".join(f"{each['term']} {each['score']:.0%} by {each['by']}" for each in fits)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
