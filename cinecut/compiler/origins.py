"""The origin of every value of a trailer: the user, the vibe, the film, the kit, or the language's defaults."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cinecut.compiler.picture.geometry import shown_size
from cinecut.compiler.resolve import Trailer
from cinecut.grade import NEUTRAL
from cinecut.language.events import NOWHERE, Place, Transition
from cinecut.language.timebase import FilmTime, Length, rate_text
from cinecut.vibes import PLAIN

UNMEASURED = "the film's own, not measured yet"


@dataclass(frozen=True, slots=True)
class Origin:
    """One value, its path in the spec (`output.size`, `timeline[3].speed`), and who set it."""

    path: str
    value: Any
    by: str  # user, vibe, film, kit, schema


def origins(trailer: Trailer) -> Iterator[Origin]:
    """Every value in the order of the spec, and what the vibe adds. Facts are measurements, not settings."""
    film = {"output.size": shown_size(trailer.spec.main_film, trailer.film), "output.rate": rate_text(trailer.rate)}
    for origin in _walk(trailer.spec, ""):
        if origin.by == "film":
            by = "kit" if origin.path == "output.rate" and trailer.rate != trailer.film.rate else "film"
            origin = dataclasses.replace(origin, value=film[origin.path] if trailer.measured else UNMEASURED, by=by)
        yield origin
    yield from _from_vibe(trailer)


def _walk(record: Any, path: str) -> Iterator[Origin]:
    place: Place = getattr(record, "place", NOWHERE)
    for item in dataclasses.fields(record):
        if item.name in ("place", "facts"):
            continue
        key, value = item.name.rstrip("_"), getattr(record, item.name)
        name = f"{path}.{key}" if path else key
        by = "user" if key in place.given else "schema"
        if dataclasses.is_dataclass(value) and not isinstance(value, FilmTime | Length | Transition):
            yield from _walk(value, name)
        elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            for number, entry in enumerate(value, 1):
                yield from _walk(entry, f"{name}[{number}]")
        elif isinstance(value, Mapping) and any(map(dataclasses.is_dataclass, value.values())):
            for part, inner in value.items():
                yield from _walk(inner, f"{name}.{part}")
        elif isinstance(value, Mapping):
            yield from (Origin(f"{name}.{part}", figure, "user") for part, figure in value.items())
        elif value is not None and (value != () or by == "user"):
            yield Origin(name, value, by)
        elif name in ("output.size", "output.rate"):
            yield Origin(name, None, "film")


def _from_vibe(trailer: Trailer) -> Iterator[Origin]:
    """What the vibe sets where the spec leaves it open: effects, loudness, look."""
    vibe, choice = trailer.vibe, trailer.spec.vibe
    if vibe is None or choice is None:
        return
    for kind, effect in trailer.effects.items():
        if getattr(trailer.spec.effects, kind) is None and trailer.spec.effects.usual == "vibe":
            yield Origin(f"effects.{kind}", effect, "vibe")
    if choice.loudness is None:
        yield Origin("vibe.loudness", vibe.loudness, "vibe")
    for part, own, plain in (("titles", choice.titles, PLAIN), ("grade", choice.grade, NEUTRAL)):
        look: Any = getattr(vibe, part)
        for item in dataclasses.fields(look):
            value = getattr(look, item.name)
            if item.name not in (own or {}) and value != getattr(plain, item.name):
                yield Origin(f"vibe.{part}.{item.name}", value, "vibe")
