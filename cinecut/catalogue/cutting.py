"""A spec to cut on: the shots that were found, one event each."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from cinecut.catalogue.find import Hit
from cinecut.catalogue.store import Catalogue
from cinecut.diagnostics import Stop
from cinecut.language.document.layout import Path as Place
from cinecut.language.document.layout import Remark
from cinecut.language.events import Clip, Shot
from cinecut.language.facts import FilmFacts
from cinecut.language.read import make
from cinecut.language.schema import TRAILER
from cinecut.language.spec import Film, Spec
from cinecut.language.timebase import FilmTime, nearest
from cinecut.language.write import write_spec
from cinecut.media.link import name_from


def spec_of(hits: Sequence[Hit], catalogue: Catalogue, target: Path, query: str) -> str:
    """The text of a spec that shows the hits in the order of their film. Raises Stop where they are of several films,
    which a spec does not show yet, and where the catalogue has lost the film."""
    films = list(dict.fromkeys(hit.film for hit in hits))
    if len(films) > 1:
        hint = f"--films {films[0].stem!r} keeps to one of them; --json and --page take all"
        raise Stop("option", f"the shots are of {len(films)} films, and a spec is of one", hint)
    film = films[0]
    try:
        facts = catalogue.result(catalogue.films[str(film)]).facts
    except LookupError:
        raise Stop("no-material", f"the catalogue has lost {film}", "`cinecut index` looks at it again") from None
    ordered = sorted(hits, key=lambda hit: hit.range.start)
    remarks: dict[Place, Remark] = {
        (): Remark(above=(f"# yaml-language-server: $schema={TRAILER}.schema.json", f"# Found by: {_plain(query)}"))
    }
    for place, hit in enumerate(ordered):
        fits = ", ".join(f"{each.term} {each.score:.0%} by {each.by}" for each in hit.reasons if each.score)
        remarks["timeline", place, "shot"] = Remark(beside=f"# {_plain(fits)}")
    shown = tuple(
        make(Shot, shot=Clip(in_=_moment(hit.range.start, facts), out=_moment(hit.range.end, facts), for_=None))
        for hit in ordered
    )
    spec = make(
        Spec, cinecut=1, film=make(Film, file=name_from(target.absolute().parent, film), facts=facts), timeline=shown
    )
    return write_spec(spec, remarks)


def _moment(time: FilmTime, facts: FilmFacts) -> FilmTime:
    """The exact time of a picture at a constant frame rate, else to the microsecond."""
    return FilmTime(Fraction(nearest(time.seconds * 1_000_000), 1_000_000)) if facts.variable else time


def _plain(text: str) -> str:
    """Foreign text for a comment: on one line, without control characters."""
    return "".join(char if char.isprintable() else "?" for char in text)
