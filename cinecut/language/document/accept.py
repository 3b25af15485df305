"""Whether a tree keeps to a schema: a quick yes or no. What is wrong, where and why is jsonschema's to say, which need
not even be loaded for a spec without mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Formats = Mapping[str, Callable[[Any], object]]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A schema, with those that it refers to by their names, and the parsers of its formats."""

    schemas: Mapping[str, Any]
    formats: Formats

    def keeps(self, value: Any, part: Mapping[str, Any], home: str) -> bool:
        """Whether a value keeps to a part of the schema `home`. Raises KeyError for a keyword that is unknown here."""
        for key, wanted in part.items():
            if key not in _NOTES and not _KEYWORDS[key](self, value, wanted, part, home):
                return False
        return True

    def ref(self, value: Any, wanted: str, part: Any, home: str) -> bool:
        file, _, pointer = wanted.partition("#/")
        home = file.removesuffix(".schema.json") or home
        schema = self.schemas[home]
        for step in pointer.split("/"):
            schema = schema[step]
        return self.keeps(value, schema, home)

    def properties(self, value: Any, wanted: Mapping[str, Any], part: Any, home: str) -> bool:
        if not isinstance(value, dict):
            return True
        return all(self.keeps(value[key], inner, home) for key, inner in wanted.items() if key in value)

    def branch(self, value: Any, wanted: Any, part: Mapping[str, Any], home: str) -> bool:
        way = part.get("then" if self.keeps(value, wanted, home) else "else")
        return way is None or self.keeps(value, way, home)

    def format(self, value: Any, wanted: str, part: Any, home: str) -> bool:
        if isinstance(value, str | int | Fraction) and not isinstance(value, bool) and wanted in self.formats:
            try:
                self.formats[wanted](value)
            except ValueError:
                return False
        return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def _same(value: Any, other: Any) -> bool:
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _only_known(of: Acceptance, value: Any, wanted: Any, part: Mapping[str, Any], home: str) -> bool:
    if not isinstance(value, dict):
        return True
    others = [inner for key, inner in value.items() if key not in part.get("properties", {})]
    return not others if wanted is False else wanted is True or all(of.keeps(inner, wanted, home) for inner in others)


def _bound(kind: type | tuple[type, ...], right: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    """A keyword that says something only of values of a kind."""
    return lambda of, value, wanted, part, home: (
        not isinstance(value, kind) or isinstance(value, bool) or right(value, wanted)
    )


_NUMBER = (int, Fraction)
_NOTES = {"description", "default", "examples", "x-elsewhere", "title", "$schema", "$id", "$defs", "then", "else"}
_KEYWORDS: dict[str, Callable[..., bool]] = {
    "type": lambda of, value, wanted, part, home: any(
        _TYPES[name](value) for name in ([wanted] if isinstance(wanted, str) else wanted)
    ),
    "$ref": Acceptance.ref,
    "properties": Acceptance.properties,
    "additionalProperties": _only_known,
    "required": _bound(dict, lambda value, wanted: all(key in value for key in wanted)),
    "items": lambda of, value, wanted, part, home: (
        not isinstance(value, list) or all(of.keeps(item, wanted, home) for item in value)
    ),
    "if": Acceptance.branch,
    "allOf": lambda of, value, wanted, part, home: all(of.keeps(value, each, home) for each in wanted),
    "anyOf": lambda of, value, wanted, part, home: any(of.keeps(value, each, home) for each in wanted),
    "not": lambda of, value, wanted, part, home: not of.keeps(value, wanted, home),
    "enum": lambda of, value, wanted, part, home: any(_same(value, each) for each in wanted),
    "const": lambda of, value, wanted, part, home: _same(value, wanted),
    "format": Acceptance.format,
    "minimum": _bound(_NUMBER, lambda value, wanted: value >= wanted),
    "maximum": _bound(_NUMBER, lambda value, wanted: value <= wanted),
    "exclusiveMinimum": _bound(_NUMBER, lambda value, wanted: value > wanted),
    "exclusiveMaximum": _bound(_NUMBER, lambda value, wanted: value < wanted),
    "minLength": _bound(str, lambda value, wanted: len(value) >= wanted),
    "maxLength": _bound(str, lambda value, wanted: len(value) <= wanted),
    "minItems": _bound(list, lambda value, wanted: len(value) >= wanted),
    "maxItems": _bound(list, lambda value, wanted: len(value) <= wanted),
    "pattern": _bound(str, lambda value, wanted: re.search(wanted, value) is not None),
}
