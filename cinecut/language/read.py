"""Reading: a YAML file becomes a Spec, or a report of everything that is wrong with it."""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import os
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from cinecut.diagnostics import Report, Span
from cinecut.language import schema as schemas
from cinecut.language.document import Document, Mapping, Node, Scalar, Sequence, head_span, plain, read_document
from cinecut.language.events import EVENTS, ActMarker, Clip, Entry, Place, Transition
from cinecut.language.facts import AudioFacts, Color, FilmFacts, LutFacts, SongFacts, StillFacts
from cinecut.language.rules import check_rules
from cinecut.language.spec import Part, Spec
from cinecut.language.timebase import SPAN_SIGN, BadTimeError, FilmTime, Length, parse_length, parse_seconds, parse_span

ANY_RATE = Fraction(1000)  # at which every timecode can be read, for whoever wants no times
ABSENT = "\0"  # the file of a film that a spec does not name


def load_spec(path: Path, report: Report, unmeasured: Fraction | None = None) -> tuple[Document, Spec | None]:
    """Read and check a spec. All mistakes go into the report. Where some parts have mistakes, the spec holds the rest,
    so that what can be said of the rest is said too; it is None where nothing is left to work with.

    `unmeasured` is the rate of timecodes in a film without facts; without it they are mistakes."""
    document = read_document(path, report)
    return document, fill_spec(document, report, unmeasured)


def fill_spec(document: Document, report: Report, unmeasured: Fraction | None = None) -> Spec | None:
    root = document.root
    if root is None:
        if report.ok:
            report.add("missing-key", "the spec is empty", Span(str(document.path), 0, 0, 0, 1), *_STARTER)
        return None
    rate = _film_rate(root) or unmeasured
    schemas.check_document(root, schemas.TRAILER, formats(rate), report)
    _check_kinds(root, report)
    whole = root if report.ok else _sound_parts(root, report)
    if whole is None:
        return None
    spec = _Filler(rate).fill(Spec, whole)
    check_rules(spec, report)
    return spec


_STARTER = ("the shortest spec: {cinecut: 1, film: film.mp4, timeline: [shot: 0:16 - 0:20]}",)


def _sound_parts(root: Node, report: Report) -> Mapping | None:
    """The spec without the parts that have mistakes; a broken event becomes black, for its neighbours' sake."""
    if not isinstance(root, Mapping):
        return None
    broken = [d.span for d in report if d.span is not None]
    entries: dict[str, Node] = {
        "cinecut": Scalar(1, root.span),
        "film": Scalar(ABSENT, root.span),
        "timeline": Sequence((), root.span),
    }
    for key, node in root.entries.items():
        if key == "timeline" and isinstance(node, Sequence):
            items = tuple(_BROKEN_EVENT if _holds(item, broken) else item for item in node.items)
            entries[key] = Sequence(items, node.span)
        elif not _holds(node, broken) and root.keys[key] not in broken:
            entries[key] = node
    return Mapping(entries, root.keys, root.span)


def _holds(node: Node, spans: list[Span]) -> bool:
    start, end = (node.span.line, node.span.column), (node.span.end_line, node.span.end_column)
    return any(start <= (span.line, span.column) < end for span in spans)


_BROKEN_EVENT = Mapping({"black": Scalar("60s", Span("", 0, 0, 0, 0))}, {}, Span("", 0, 0, 0, 0), flow=True)


def _check_kinds(root: Node, report: Report) -> None:
    """Every entry of the timeline is exactly one kind of event. The schema cannot say this at its exact place."""
    timeline = root.get("timeline") if isinstance(root, Mapping) else None
    for entry in timeline.items if isinstance(timeline, Sequence) else ():
        if not isinstance(entry, Mapping):
            continue
        kinds = [kind for kind in EVENTS if kind in entry.entries]
        if len(kinds) > 1:
            report.found = [d for d in report.found if d.code != "unknown-key" or d.span not in entry.keys.values()]
            text = f"one event cannot be both `{kinds[0]}` and `{kinds[1]}`"
            report.add("over-determined", text, entry.keys[kinds[1]], "start it with a dash of its own")
        elif not kinds and "act" not in entry.entries:
            _report_no_kind(entry, report)


def _report_no_kind(entry: Mapping, report: Report) -> None:
    known = schemas.definition(schemas.TRAILER, "shot")["properties"]
    for key in entry.entries:
        close = [] if key in known else get_close_matches(key, EVENTS, n=1)
        if close:
            report.add("unknown-key", f"`{key}` is no kind of event", entry.keys[key], f"did you mean `{close[0]}`?")
            return
    span = next(iter(entry.keys.values()), entry.span)
    hint = "it needs shot, black, card, still or act: shot: 0:16 - 0:20"
    report.add("missing-key", "this event says nothing of what is seen", span, hint)


def _film_rate(root: Node) -> Fraction | None:
    node = root
    for key in ("film", "facts", "rate"):
        found = node.get(key) if isinstance(node, Mapping) else None
        if found is None:
            return None
        node = found
    with contextlib.suppress(BadTimeError):
        return _positive(node.value) if isinstance(node, Scalar) else None
    return None


def _exact(value: object) -> Fraction:
    """An exact number: `24`, `24000/1001`, `62.5`. Raises BadTimeError."""
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise BadTimeError(f"{value!r} is no number such as 24, 62.5 or 24000/1001") from None


def _positive(value: object) -> Fraction:
    number = _exact(value)
    if number <= 0:
        raise BadTimeError(f"{value!r} is not above zero")
    return number


def parse_size(value: object) -> tuple[int, int]:
    """Width and height in pixels: `1920x1080`. Raises BadTimeError."""
    match = re.fullmatch(r"([1-9]\d{0,4})\s*x\s*([1-9]\d{0,4})", str(value))
    if match is None:
        raise BadTimeError(f"{value!r} is no size such as 1920x1080")
    return int(match[1]), int(match[2])


def parse_frame_size(value: object) -> tuple[int, int]:
    """The size of a trailer: what every encoder takes. Raises BadTimeError."""
    width, height = parse_size(value)
    if width % 2 or height % 2 or not (16 <= width <= 16384 and 16 <= height <= 16384):
        raise BadTimeError(f"both sides of {value!r} must be even, from 16 to 16384")
    return width, height


def _frame_rate(value: object) -> Fraction:
    rate = _positive(value)
    if not 1 <= rate <= 240:
        raise BadTimeError(f"{value!r} is not from 1 to 240 frames/s")
    return rate


def _file_name(value: object) -> str:
    name = str(value)
    if "\0" in name:
        raise BadTimeError("a file name cannot hold a NUL character")
    return name


def _transition(*kinds: str) -> Callable[[str | int | Fraction], Transition]:
    def parse(value: str | int | Fraction) -> Transition:
        transition = Transition.parse(str(value))
        if transition.kind not in kinds:
            raise BadTimeError(f"{transition.kind} stands in `{'to' if 'fade in' in kinds else 'from'}`, not here")
        return transition

    return parse


@cache
def formats(rate: Fraction | None) -> schemas.Formats:
    """The parsers of the schema's formats, for a film of a rate (None: not measured yet)."""
    return {
        "film-time": lambda value: parse_seconds(str(value), rate) if isinstance(value, str) else value,
        "film-span": lambda value: parse_span(str(value), rate),
        "trailer-length": lambda value: _length(value, least=True),
        "trailer-offset": lambda value: _length(value, least=False),
        "trailer-shift": _shift,
        "transition-from": _transition("cut", "crossfade", "dip to black", "dip to white", "fade in"),
        "transition-to": _transition("cut", "fade out"),
        "positive": _positive,
        "exact": _exact,
        "size": parse_size,
        "frame-size": parse_frame_size,
        "frame-rate": _frame_rate,
        "file-name": _file_name,
    }


def _length(value: str | int | Fraction, least: bool) -> Length:
    length = parse_length(value) if isinstance(value, str) else Length(Fraction(value), "s")
    if least and length.amount == 0:
        raise BadTimeError(f"{value!r} is no time at all")
    return length


def _shift(value: str | int | Fraction) -> Length:
    """A length that may be negative."""
    if not isinstance(value, str):
        return Length(Fraction(value), "s")
    text = value.strip()
    length = parse_length(text.removeprefix("-"))
    return Length(-length.amount, length.unit) if text.startswith("-") else length


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

    def __init__(self, rate: Fraction | None) -> None:
        self.rate = rate

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
    properties = properties_of(cls)
    found = []
    for item in dataclasses.fields(cls):
        if item.name == "place":
            continue
        key = item.name.rstrip("_")
        default = _default_node(_resolved(properties[key]), hints[item.name])
        found.append(_Field(item.name, key, _converter(hints[item.name]), default))
    return tuple(found)


def properties_of(cls: type) -> dict[str, Any]:
    """The schema's properties of a Spec dataclass."""
    name = _FACTS.get(cls) or cls.schema  # type: ignore[attr-defined]
    head, _, inner = name.partition(".")
    part = schemas.definition(schemas.TRAILER, head)
    for step in inner.split(".") if inner else ():
        part = _resolved(part["properties"][step])
        part = _resolved(part["items"]) if part.get("type") == "array" else part
    properties: dict[str, Any] = part["properties"]
    return properties


_FACTS: dict[type, str] = {
    FilmFacts: "film_facts",
    SongFacts: "song_facts",
    StillFacts: "picture.facts",
    LutFacts: ".lut.facts",
    AudioFacts: "film_facts.audio",
    Color: "film_facts.color",
}


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("$ref", "").startswith("#"):
        return {**schemas.definition(schemas.TRAILER, part["$ref"].rsplit("/", 1)[1]), **part}
    return part


_SCHEMA_PLACE = Span("<schema>", 0, 0, 0, 0)


def _default_node(part: dict[str, Any], hint: Any) -> Node | None:
    """The schema's default as a node, so that it is converted like a value that the user wrote."""
    if "default" in part:
        value = part["default"]
        if isinstance(value, list):
            return Sequence((), _SCHEMA_PLACE)
        return Scalar(Fraction(str(value)) if isinstance(value, float) else value, _SCHEMA_PLACE)
    if typing.get_origin(hint) is tuple and typing.get_args(hint)[1:] == (Ellipsis,):
        return Sequence((), _SCHEMA_PLACE)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and not part.get("required"):
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
    return FilmTime(parse_seconds(value, filler.rate) if isinstance(value, str) else Fraction(value))


_SIMPLE: dict[Any, _Convert] = {
    FilmTime: _film_time,
    Length: lambda filler, node: _shift(_value(node)),
    Transition: lambda filler, node: Transition.parse(str(_value(node))),
    Fraction: lambda filler, node: _exact(_value(node)),
}


def inside(folder: Path, name: str) -> Path:
    """The path of a file that a spec in `folder` names: relative to the spec, or absolute, or from the home folder."""
    return folder / os.path.expanduser(name)  # noqa: PTH111 - unlike Path's, it leaves a ~ that is nobody's home alone
