"""A spec made from the shots that were found, one event each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from cinecut.catalogue.find import Hit
from cinecut.catalogue.store import Catalogue
from cinecut.diagnostics import Stop
from cinecut.language.document import NodePath
from cinecut.language.document.layout import Remark, comment
from cinecut.language.events import Clip, Shot
from cinecut.language.facts import FilmFacts
from cinecut.language.read import make
from cinecut.language.schema import TRAILER
from cinecut.language.spec import Film, Spec
from cinecut.language.timebase import FilmTime, rounded
from cinecut.language.write import write_spec
from cinecut.media.link import name_from


def spec_of(hits: Sequence[Hit], catalogue: Catalogue, target: Path, query: str) -> str:
    """The text of a spec with the hits: films in the order of their best hits, each film's hits in its own order.
    Raises Stop if the catalogue has lost a film."""
    names = _names(list(dict.fromkeys(hit.film for hit in hits)))
    films = {film: _film(film, catalogue, target) for film in names}
    ordered = sorted(hits, key=lambda hit: (list(names).index(hit.film), hit.range.start))
    remarks: dict[NodePath, Remark] = {
        (): Remark(
            above=(comment(f"yaml-language-server: $schema={TRAILER}.schema.json"), comment(f"Found by: {query}"))
        )
    }
    for place, hit in enumerate(ordered):
        fits = ", ".join(f"{each.term} {each.score:.0%} by {each.by}" for each in hit.reasons if each.score)
        remarks["timeline", place, "shot"] = Remark(beside=comment(fits))
    several = len(names) > 1
    named = {"films": {names[film]: each for film, each in films.items()}} if several else {"film": films[hits[0].film]}
    shown = tuple(_shot(hit, films[hit.film].facts, names[hit.film] if several else None) for hit in ordered)
    return write_spec(make(Spec, cinecut=1, timeline=shown, **named), remarks)


def _film(path: Path, catalogue: Catalogue, target: Path) -> Film:
    try:
        facts = catalogue.result(catalogue.films[str(path)]).facts
    except LookupError:
        raise Stop(
            "no-material", f"{path} is missing from the catalogue", "`cinecut index` looks at it again"
        ) from None
    return make(Film, file=name_from(target.absolute().parent, path), facts=facts)


def _shot(hit: Hit, facts: FilmFacts | None, film: str | None) -> Shot:
    assert facts is not None  # `_film` has them
    return make(
        Shot, shot=Clip(film=film, in_=_moment(hit.range.start, facts), out=_moment(hit.range.end, facts), for_=None)
    )


def _names(films: Sequence[Path]) -> dict[Path, str]:
    """A name for each film that a spec accepts: its file's, in letters and digits, with a number if it is taken."""
    names = dict[Path, str]()
    for film in films:
        plain = re.sub(r"[^a-z0-9]+", "-", film.stem.lower()).strip("-")
        plain = plain if plain[:1].isalpha() else f"film-{plain}".strip("-")
        tried = (plain[:40] if number == 1 else f"{plain[:36]}-{number}" for number in count(1))
        names[film] = next(name for name in tried if name not in names.values())
    return names


def _moment(time: FilmTime, facts: FilmFacts) -> FilmTime:
    """The exact time of a picture at a constant frame rate, else to the microsecond."""
    return FilmTime(rounded(time.seconds)) if facts.variable else time
