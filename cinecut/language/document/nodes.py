"""The tree of a YAML file: every key and every value knows its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from cinecut.diagnostics import Span

Value = str | int | Fraction | bool | None
NodePath = tuple[str | int, ...]  # ("timeline", 3, "shot")
_NOWHERE = Span("", 0, 0, 0, 0)  # of what is not read from a file, but made to be written


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    value: Value
    span: Span = _NOWHERE
    plain: bool = True  # written without quotes


@dataclass(frozen=True, slots=True, eq=False)
class ListNode:
    items: tuple[Node, ...]
    span: Span = _NOWHERE
    flow: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class MapNode:
    entries: dict[str, Node]
    keys: dict[str, Span]
    span: Span
    flow: bool = False

    @classmethod
    def of(cls, entries: Mapping[str, Node], flow: bool = True) -> MapNode:
        """A mapping that is made to be written."""
        return cls(dict(entries), dict.fromkeys(entries, _NOWHERE), _NOWHERE, flow)

    def get(self, key: str) -> Node | None:
        return self.entries.get(key)

    def is_alias(self, key: str) -> bool:
        """The value stands in another place, which `*name` repeats here."""
        value, place = self.entries[key].span, self.keys[key]
        return (value.line, value.column) < (place.line, place.column)


Node = Scalar | ListNode | MapNode
