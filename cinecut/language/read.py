"""Reading: a YAML file becomes a Spec, or a report of everything that is wrong with it."""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import os
import types
import typing
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from cinecut.diagnostics import Report, Span, excerpt
from cinecut.language import schema as schemas
from cinecut.language.document import (
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
    head_span,
    odd_spaces,
    plain,
    read_document,
)
from cinecut.language.document.comments import swallowed
from cinecut.language.events import EVENTS, ActMarker, Clip, Entry, Place, Transition
from cinecut.language.formats import exact, formats, parse_shift, parse_size, positive, resolved, schema_of
from cinecut.language.rules import check_rules
from cinecut.language.spec import Part, Spec
from cinecut.language.timebase import SPAN_SIGN, BadTimeError, FilmTime, Length, Timecodes, parse_seconds

ANY_RATE = Timecodes(Fraction(10_000))  # by which every timecode can be read, for whoever wants no times
ABSENT = "\0"  # the file of a film that a spec does not name


def load_spec(path: Path, report: Report, unmeasured: Timecodes | None = None) -> tuple[Document, Spec | None]:
    """Read and check a spec. All mistakes go into the report. Where some parts have mistakes, the spec holds the rest,
    so that what can be said of the rest is said too; it is None where nothing is left to work with.

    `unmeasured` numbers the pictures of a film without facts; without it they are mistakes."""
    document = read_document(path, report)
    return document, fill_spec(document, report, unmeasured)


def fill_spec(
    document: Document,
    report: Report,
    unmeasured: Timecodes | None = None,
    known: tuple[Document, Spec] | None = None,
) -> Spec | None:
    """A spec from its document. What `known`, an earlier text without mistakes, has at the very same place in the very
    same words is taken from there."""
    root = document.root
    if root is None:
        if report.ok:
            report.add("missing-key", "the spec is empty", Span(str(document.path), 0, 0, 0, 1), *_STARTER)
        return None
    numbered = _timecodes(root) or unmeasured
    same = _same_entries(document, known, numbered) if known is not None else {}
    if not same or not schemas.keeps(plain(_without(root, same)), schemas.TRAILER, formats(numbered)):
        schemas.check_document(root, schemas.TRAILER, formats(numbered), report)
    _check_kinds(root, report)
    for span, words in swallowed(document, _texts()):
        message = f"{excerpt(words)[1:-1]} is a comment here, and no part of the text"
        report.add("comment", message, span, "put the whole text in quotes; or a space after the # of a comment")
    whole = root if report.ok else _sound_parts(root, report)
    if whole is None:
        return None
    spec = _Filler(numbered, same if whole is root else {}).fill(Spec, whole)
    check_rules(spec, report)
    return spec


def _same_entries(document: Document, known: tuple[Document, Spec], numbered: Timecodes | None) -> dict[int, Entry]:
    """The entries of the timeline that stand where they stood, in the same words, by their nodes' identity."""
    earlier, spec = known
    if earlier.root is None or _timecodes(earlier.root) != numbered:
        return {}
    nodes = [_timeline(each.root) for each in (earlier, document)]
    if any(sign in each.text for each in (earlier, document) for sign in "&*"):
        return {}  # what an alias means stands elsewhere
    before, now = earlier.lines, document.lines
    entries = {node.span: entry for node, entry in zip(nodes[0], spec.timeline, strict=False)}
    found = {}
    for node in nodes[1]:
        span, entry = node.span, entries.get(node.span)
        if entry is not None and before[span.line : span.end_line + 1] == now[span.line : span.end_line + 1]:
            found[id(node)] = entry
    return found


def _timeline(root: Node | None) -> tuple[Node, ...]:
    timeline = root.get("timeline") if isinstance(root, Mapping) else None
    return timeline.items if isinstance(timeline, Sequence) else ()


def _without(root: Node, same: dict[int, Entry]) -> Node:
    """A spec with the entries alone that are not known to be right, and one more: none is a mistake."""
    assert isinstance(root, Mapping)  # or there were no entries
    items = _timeline(root)
    left = tuple(item for item in items if id(item) not in same)
    timeline = Sequence(left or items[:1], root.span)
    return Mapping({**root.entries, "timeline": timeline}, root.keys, root.span)


_STARTER = ("the shortest spec: {cinecut: 1, film: film.mp4, timeline: [shot: 0:16 - 0:20]}",)


@cache
def _texts() -> frozenset[str]:
    """The keys whose values are words of one's own."""
    keys: set[str] = set()

    def visit(part: Any) -> None:
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            inner = resolved(value) if isinstance(value, dict) else {}
            each = resolved(inner["items"]) if isinstance(inner.get("items"), dict) else inner
            if isinstance(key, str) and "string" in each.get("type", ()) and "maxLength" in each:
                keys.add(key)
            if isinstance(value, dict | list):
                visit(value)

    visit(schemas.read_schema(schemas.TRAILER))
    return frozenset(keys)


def _sound_parts(root: Node, report: Report) -> Mapping | None:
    """The spec without the parts that have mistakes; a broken event becomes black, for its neighbours' sake."""
    if not isinstance(root, Mapping):
        return None
    broken, known = sorted(d.span for d in report if d.span is not None), dict[int, bool]()
    entries: dict[str, Node] = {
        "cinecut": Scalar(1, root.span),
        "film": Scalar(ABSENT, root.span),
        "timeline": Sequence((), root.span),
    }
    for key, node in root.entries.items():
        if key == "timeline" and isinstance(node, Sequence):
            items = tuple(_BROKEN_EVENT if _holds(item, broken, known) else item for item in node.items)
            entries[key] = Sequence(items, node.span)
        elif not _holds(node, broken, known) and root.keys[key] not in broken:
            entries[key] = node
    return Mapping(entries, root.keys, root.span)


def _holds(node: Node, spans: list[Span], known: dict[int, bool]) -> bool:
    """Whether one of the spans, in their order, begins in a node or in what it repeats by an alias, which stands
    elsewhere. `known` are the answers so far, by the nodes' identity."""
    if id(node) not in known:
        known[id(node)] = False
        first = bisect_left(spans, (node.span.line, node.span.column), key=lambda span: (span.line, span.column))
        end = (node.span.end_line, node.span.end_column)
        parts = node.entries.values() if isinstance(node, Mapping) else getattr(node, "items", ())
        begins = first < len(spans) and (spans[first].line, spans[first].column) < end
        known[id(node)] = begins or any(_holds(part, spans, known) for part in parts)
    return known[id(node)]


_BROKEN_EVENT = Mapping({"black": Scalar("60s", Span("", 0, 0, 0, 0))}, {}, Span("", 0, 0, 0, 0), flow=True)


def _check_kinds(root: Node, report: Report) -> None:
    """Every entry of the timeline is exactly one kind of event. The schema cannot say this at its exact place."""
    timeline, twice = root.get("timeline") if isinstance(root, Mapping) else None, set[Span]()
    for entry in timeline.items if isinstance(timeline, Sequence) else ():
        if not isinstance(entry, Mapping):
            continue
        kinds = [kind for kind in EVENTS if kind in entry.entries]
        if len(kinds) > 1:
            twice |= set(entry.keys.values())
            text = f"one event cannot be both `{kinds[0]}` and `{kinds[1]}`"
            report.add("over-determined", text, entry.keys[kinds[1]], "start it with a dash of its own")
        elif not kinds and "act" not in entry.entries:
            _report_no_kind(entry, report)
    report.found = [d for d in report.found if d.code != "unknown-key" or d.span not in twice]


def _report_no_kind(entry: Mapping, report: Report) -> None:
    known = schemas.definition(schemas.TRAILER, "shot")["properties"]
    for key in entry.entries:
        close = [] if key in known else get_close_matches(key, EVENTS, n=1)
        if close:
            hints = filter(None, (odd_spaces(key), f"did you mean `{close[0]}`?"))
            report.add("unknown-key", f"`{excerpt(key)[1:-1]}` is no kind of event", entry.keys[key], *hints)
            return
    span = next(iter(entry.keys.values()), entry.span)
    hint = "it needs shot, black, card, still or act: shot: 0:16 - 0:20"
    report.add("missing-key", "this event says nothing of what is seen", span, hint)


def _timecodes(root: Node) -> Timecodes | None:
    """How the film's pictures are numbered, as its facts say; None where they do not."""
    node: Node | None = root
    for key in ("film", "facts"):
        node = node.get(key) if isinstance(node, Mapping) else None
    rate, start = (node.get(key) if isinstance(node, Mapping) else None for key in ("rate", "timecode"))
    with contextlib.suppress(BadTimeError):
        if isinstance(rate, Scalar):
            return Timecodes.starting(positive(rate.value), str(start.value) if isinstance(start, Scalar) else None)
    return None


T = TypeVar("T")
_Convert = Callable[["_Filler", Node], Any]


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    key: str
    convert: _Convert
    default: Node | None


class _Filler:
    """The one generic function that fills dataclasses from a checked document."""

    def __init__(self, numbered: Timecodes | None, known: dict[int, Entry] | None = None) -> None:
        self.numbered = numbered
        self.known = known or {}  # entries that need not be filled, by their nodes' identity

    def fill(self, cls: type[T], node: Node) -> T:
        if isinstance(node, Scalar):
            node = _expand(cls, node)
        assert isinstance(node, Mapping)
        values: dict[str, Any] = {}
        for item in _fields(typing.cast(typing.Hashable, cls)):
            child = node.entries.get(item.key, item.default)
            values[item.name] = None if child is None else item.convert(self, child)
        if "place" in cls.__dataclass_fields__:  # type: ignore[attr-defined]
            given = {key: value.span for key, value in node.entries.items()}
            values["place"] = Place(head_span(node), given)
        return cls(**values)


def _expand(cls: type, node: Scalar) -> Mapping:
    """The short form of a value as its long form, every part with its own place."""
    if cls in (Clip, Part):
        text = str(node.value)
        shift = node.span.column + (0 if node.plain else 1)
        parts = SPAN_SIGN.split(text.strip())
        entries: dict[str, Node] = {}
        for key, part in zip(("in", "out"), parts, strict=True):
            column = shift + text.index(part, 0 if key == "in" else len(parts[0]))
            span = Span(node.span.file, node.span.line, column, node.span.line, column + len(part))
            entries[key] = Scalar(part, span)
    else:
        entries = {cls.short: node}  # type: ignore[attr-defined]
    return Mapping(entries, {key: value.span for key, value in entries.items()}, node.span, flow=True)


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
    """Records from a checked list, or from one thing that may stand for a list."""
    return tuple(_Filler(None).fill(cls, item) for item in _items(node))


@cache
def defaults_of(cls: Any) -> dict[str, Any]:
    """The values of a record's fields that the schema has where a spec says nothing, by their keys."""
    filler = _Filler(None)
    return {item.key: item.convert(filler, item.default) for item in _fields(cls) if item.default is not None}


def make(cls: type[T], **values: Any) -> T:
    """A record with these values, by its fields' names, and of all others what the schema has."""
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
            return Sequence((), _SCHEMA_PLACE)
        return Scalar(value, _SCHEMA_PLACE)
    if typing.get_origin(hint) is tuple and typing.get_args(hint)[1:] == (Ellipsis,):
        return Sequence((), _SCHEMA_PLACE)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint not in _SIMPLE:
        return Mapping({}, {}, _SCHEMA_PLACE, flow=True)
    return None


def _converter(hint: Any) -> _Convert:
    """How a node becomes a value of a type."""
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
        return lambda filler, node: plain(node)
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return lambda filler, node: filler.fill(hint, node)
    return lambda filler, node: _value(node)


def _items(node: Node) -> tuple[Node, ...]:
    """The items of a list; of one thing that may stand for a list, the thing."""
    return node.items if isinstance(node, Sequence) else (node,)


def _entry(filler: _Filler, node: Node) -> Entry:
    if id(node) in filler.known:
        return filler.known[id(node)]
    assert isinstance(node, Mapping)
    for kind, cls in EVENTS.items():
        if kind in node.entries:
            return filler.fill(cls, node)
    return filler.fill(ActMarker, node)


def _value(node: Node) -> Any:
    assert isinstance(node, Scalar)
    return node.value


def _film_time(filler: _Filler, node: Node) -> FilmTime:
    value = _value(node)
    return FilmTime(parse_seconds(value, filler.numbered) if isinstance(value, str) else Fraction(value))


_SIMPLE: dict[Any, _Convert] = {
    FilmTime: _film_time,
    Length: lambda filler, node: parse_shift(_value(node)),
    Transition: lambda filler, node: Transition.parse(str(_value(node))),
    Fraction: lambda filler, node: exact(_value(node)),
}


def inside(folder: Path, name: str) -> Path:
    """The path of a file that a spec in `folder` names: relative to the spec, or absolute, or from the home folder."""
    return folder / os.path.expanduser(name)  # noqa: PTH111 - unlike Path's, it leaves a ~ that is nobody's home alone
