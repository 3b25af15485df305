"""Translating the names of films between two versions of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from cinecut.language.document import Document
from cinecut.language.document.comments import remarks_of
from cinecut.language.spec import Spec
from cinecut.language.write import write_spec

Part = TypeVar("Part")


def renamed(part: Part, names: Mapping[str, str | None]) -> Part:
    """A part of a spec with the films' new names; None stands for the first film, which need not be named."""
    if isinstance(part, tuple):
        return tuple(renamed(each, names) for each in part)  # type: ignore[return-value]
    if not is_dataclass(part) or isinstance(part, type):
        return part
    values = {item.name: getattr(part, item.name) for item in fields(part) if item.name != "place"}
    new = {
        key: names.get(value, value) if key == "film" and isinstance(value, str) else renamed(value, names)
        for key, value in values.items()
    }
    changed = {key: value for key, value in new.items() if value is not values[key]}
    return replace(part, **changed) if changed else part


def named_as(document: Document, spec: Spec, other: Spec) -> str:
    """The spec's text with the film names of another spec that starts with the same films in the same order."""
    if spec.films is None or other.films is None or list(spec.films) == list(other.films)[: len(spec.films)]:
        return document.text
    names = dict(zip(spec.films, other.films, strict=False))
    films = {names.get(name, name): film for name, film in spec.films.items()}
    return write_spec(replace(renamed(spec, names), films=films), remarks_of(document))
