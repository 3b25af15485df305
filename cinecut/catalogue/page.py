"""A catalogue's pages for people: all its films, and the shots that were found. Each page is one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from cinecut import __version__
from cinecut.catalogue.find import Hit
from cinecut.catalogue.store import Catalogue, CatalogueEntry
from cinecut.files import write_beside
from cinecut.language.timebase import clock
from cinecut.review.page import COPYING, environment

_STRIP = 8  # pictures of a film on the report
_PICTURED = 300  # films of a report that have pictures: more make a page that no browser likes


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A film on the report, its length, and pictures from all of it."""

    entry: CatalogueEntry
    length: str
    pictures: Sequence[str]


def write_report(catalogue: Catalogue) -> Path:
    """Write the page of all films, failed ones first, into the catalogue; returns its file. Raises Stop."""
    target = catalogue.folder / "report.html"
    ordered = sorted(catalogue.films.values(), key=lambda each: (not each.failed, each.path))
    rows = [
        ReportRow(each, clock(Fraction(each.seconds), 0), _strip(catalogue, each) if place < _PICTURED else ())
        for place, each in enumerate(ordered)
    ]
    write_beside(target, _page("report.html.j2", rows=rows, catalogue=catalogue.folder))
    return target


def write_hits(hits: Sequence[Hit], catalogue: Catalogue, query: str, target: Path) -> None:
    """Write the page of what was found. Raises Stop."""
    kept = {str(film): _pictures(catalogue, catalogue.films.get(str(film))) for film in {hit.film for hit in hits}}
    shown = [(hit, next(iter(kept[str(hit.film)][hit.place :]), None)) for hit in hits]
    page = _page("hits.html.j2", hits=shown, query=query, catalogue=catalogue.folder)
    write_beside(target, page, [hit.film for hit in hits])


def _page(template: str, **values: Any) -> str:
    return environment(Path(__file__).parent).get_template(template).render(**values, **COPYING, version=__version__)


def _strip(catalogue: Catalogue, entry: CatalogueEntry) -> list[str]:
    pictures = [each for each in _pictures(catalogue, entry) if each is not None]
    return (
        [pictures[place * len(pictures) // _STRIP] for place in range(_STRIP)] if len(pictures) > _STRIP else pictures
    )


def _pictures(catalogue: Catalogue, entry: CatalogueEntry | None) -> Sequence[str | None]:
    """Empty if the file is missing or damaged; then the page only lacks these pictures."""
    try:
        return catalogue.pictures(entry) if entry is not None and not entry.failed else []
    except LookupError:
        return []
