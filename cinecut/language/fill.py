"""Filling the dataclasses of a Spec from a tree that conforms to the schema; missing values get the schema's
defaults."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar

from cinecut.diagnostics import Report, Span, excerpt
from cinecut.language.document import ListNode, MapNode, Node, Scalar, head_span, plain
from cinecut.language.events import EVENTS, ActMarker, Alternative, Clip, Entry, Place, Shot, Transition
from cinecut.language.formats import exact, parse_shift, parse_size, resolved, schema_of
from cinecut.language.spec import Anchor, Part
from cinecut.language.timebase import BadTimeError, FilmTime, Length, Numbering, parse_seconds, split_span

T = TypeVar("T")
_Convert = Callable[["Filler", Node], Any]


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    key: str
    convert: _Convert
    default: Node | None


class Filler:
    """Fills any dataclass from a checked document. Times are read by the numbering of `film`; what cannot be read, or
    names an unknown film, goes into the report."""

    def __init__(self, numbering: Numbering, known: dict[int, Entry] | None = None) -> None:
        self.numbering = numbering
        self.known = known or {}  # entries that need not be filled, by their nodes' identity
        self.report, self.film = Report(), ""

    def fill(self, cls: type[T], node: Node) -> T:
        if isinstance(node, Scalar):
            node = _expand(cls, node)
        assert isinstance(node, MapNode)
        values: dict[str, Any] = {}
        outside, self.film = self.film, self._film_in(cls, node)
        for item in _fields(typing.cast(typing.Hashable, cls)):
            child = node.entries.get(item.key, item.default)
            values[item.name] = None if child is None else item.convert(self, child)
        self.film = outside
        if "place" in cls.__dataclass_fields__:  # type: ignore[attr-defined]
            given = {key: value.span for key, value in node.entries.items()}
            values["place"] = Place(head_span(node), given)
        return cls(**values)

    def _film_in(self, cls: type, node: MapNode) -> str:
        """The film whose times a record holds; a shot's film also applies to its sync point and alternatives."""
        if cls is Shot:
            clip = node.entries["shot"]
            name = _text(clip.get("film")) if isinstance(clip, MapNode) else split_span(_text(clip))[0]
            return name or ""
        if cls not in (Clip, Alternative, Anchor):
            return self.film
        name = _text(node.get("film"))
        if name and name not in self.numbering:
            known = [each for each in self.numbering if each]
            close = get_close_matches(name.lower(), [each.lower() for each in known], n=1)
            meant = [each for each in known if each.lower() in close]
            hint = f"the films are {', '.join(known)}" if known else "name several: films: {main: film.mkv, …}"
            hint = f"did you mean `{meant[0]}`?" if meant else hint
            self.report.add("wrong-value", f"there is no film {excerpt(name)}", node.entries["film"].span, hint)
        return name or (self.film if cls is Alternative else "")

    def film_time(self, value: Any, span: Span) -> FilmTime:
        if not isinstance(value, str):
            return FilmTime(Fraction(value))
        try:
            return FilmTime(parse_seconds(value, self.numbering.get(self.film)))
        except BadTimeError as error:  # of several films one that is numbered otherwise
            self.report.add("bad-time", str(error), span)
            return FilmTime(Fraction(0))


def _text(node: Node | None) -> str:
    return str(node.value) if isinstance(node, Scalar) else ""


def _expand(cls: type, node: Scalar) -> MapNode:
    """The short form of a value as its long form, every part with its own place."""
    if cls in (Clip, Part):
        text = str(node.value)
        shift = node.span.column + (0 if node.plain else 1)
        name, parts = split_span(text)
        entries: dict[str, Node] = {}
        after = 0
        for key, part in zip(("film", "in", "out"), (name, *parts), strict=True):
            if part is None:
                continue
            column = shift + text.index(part, after)
            after = column - shift + len(part)
            span = Span(node.span.file, node.span.line, column, node.span.line, column + len(part))
            entries[key] = Scalar(part, span)
    else:
        entries = {cls.short: node}  # type: ignore[attr-defined]
    return MapNode(entries, {key: value.span for key, value in entries.items()}, node.span, flow=True)


@cache
def _fields(cls: Any) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(cls)
    schema = schema_of(cls)
    fields_read = []
    for item in dataclasses.fields(cls):
        if item.name == "place":
            continue
        key = item.name.rstrip("_")
        required = key in schema.get("required", ())
        default = None if required else _default_node(resolved(schema["properties"][key]), hints[item.name])
        fields_read.append(_Field(item.name, key, _converter(hints[item.name]), default))
    return tuple(fields_read)


def fill_list(cls: type[T], node: Node) -> tuple[T, ...]:
    """Records from a checked list, or from a single item that may stand for a list."""
    return tuple(Filler({}).fill(cls, item) for item in _items(node))


@cache
def defaults_of(cls: Any) -> dict[str, Any]:
    """The schema's defaults for a record's fields, by key."""
    filler = Filler({})
    return {item.key: item.convert(filler, item.default) for item in _fields(cls) if item.default is not None}


def make(cls: type[T], **values: Any) -> T:
    """A record with these values; the other fields have the schema's defaults."""
    defaults = defaults_of(typing.cast(typing.Hashable, cls))
    for item in _fields(typing.cast(typing.Hashable, cls)):
        values.setdefault(item.name, defaults.get(item.key))
    return cls(**values)


_SCHEMA_PLACE = Span("<schema>", 0, 0, 0, 0)


def _default_node(part: dict[str, Any], hint: Any) -> Node | None:
    """The schema's default as a node, so that it is converted like a value that the user wrote."""
    if "default" in part:
        value = part["default"]
        if isinstance(value, list):
            return ListNode((), _SCHEMA_PLACE)
        return Scalar(value, _SCHEMA_PLACE)
    if typing.get_origin(hint) is tuple and typing.get_args(hint)[1:] == (Ellipsis,):
        return ListNode((), _SCHEMA_PLACE)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint not in _SIMPLE:
        return MapNode({}, {}, _SCHEMA_PLACE, flow=True)
    return None


def _converter(hint: Any) -> _Convert:
    """The function that converts a node to a type."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        return _entry if len(options) > 1 else _converter(options[0])
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)
        if inner == (int, int):
            return lambda filler, node: parse_size(_value(node))
        each = _converter(inner[0])
        return lambda filler, node: tuple(each(filler, item) for item in _items(node))
    if typing.get_origin(hint) is collections.abc.Mapping:
        inner = typing.get_args(hint)[1:]
        if not dataclasses.is_dataclass(inner[0]):
            return lambda filler, node: plain(node)
        named = _converter(inner[0])
        return lambda filler, node: {key: named(filler, item) for key, item in _entries(node).items()}
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return lambda filler, node: filler.fill(hint, node)
    return lambda filler, node: _value(node)


def _items(node: Node) -> tuple[Node, ...]:
    """The items of a list; a single item that stands for a list."""
    return node.items if isinstance(node, ListNode) else (node,)


def _entries(node: Node) -> dict[str, Node]:
    assert isinstance(node, MapNode)
    return node.entries


def _entry(filler: Filler, node: Node) -> Entry:
    if id(node) in filler.known:
        return filler.known[id(node)]
    assert isinstance(node, MapNode)
    for kind, cls in EVENTS.items():
        if kind in node.entries:
            return filler.fill(cls, node)
    return filler.fill(ActMarker, node)


def _value(node: Node) -> Any:
    assert isinstance(node, Scalar)
    return node.value


_SIMPLE: dict[Any, _Convert] = {
    FilmTime: lambda filler, node: filler.film_time(_value(node), node.span),
    Length: lambda filler, node: parse_shift(_value(node)),
    Transition: lambda filler, node: Transition.parse(str(_value(node))),
    Fraction: lambda filler, node: exact(_value(node)),
}
