"""Writing: a Spec becomes YAML in its shortest form; an existing document is brought into the same form.

What is as the schema has it anyway is left out, unless a remark stands there: `load(write(spec)) == spec`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any

from cinecut.diagnostics import Span
from cinecut.language.document import Document, ListNode, MapNode, Node, NodePath, Scalar
from cinecut.language.document.comments import anchors_of, remarks_of
from cinecut.language.document.edit import Edits
from cinecut.language.document.layout import Remark, Remarks, number_text, print_flow, print_tree
from cinecut.language.events import EVENTS, ActMarker, Alternative, Clip, Effect, Shot, Sync, Transition
from cinecut.language.facts import FilmFacts, LutFacts, SongFacts, StillFacts
from cinecut.language.formats import is_described, properties_of, resolved
from cinecut.language.read import defaults_of
from cinecut.language.spec import Anchor, Anchors, Film, Music, Part, Spec, VibeChoice
from cinecut.language.timebase import (
    BadTimeError,
    FilmTime,
    Length,
    Numbering,
    Timecodes,
    clock,
    parse_length,
    parse_seconds,
    parse_span,
    rate_text,
    split_span,
)

_BLOCKS: frozenset[type] = frozenset((Spec, Film, Music, VibeChoice, Anchors, ActMarker, *EVENTS.values())) | frozenset(
    (FilmFacts, SongFacts, StillFacts, LutFacts)
)


def write_spec(spec: Spec, remarks: Remarks | None = None) -> str:
    """The YAML of a spec, with comments at their places, and empty rows between its parts and acts."""
    remarks = _spaced(spec, remarks or {})
    return print_tree(spec_tree(spec, remarks), remarks)


def _spaced(spec: Spec, remarks: Remarks) -> Remarks:
    acts = [number for number, entry in enumerate(spec.timeline) if isinstance(entry, ActMarker) and number]
    parts = [key for key in ("music", "anchors", "timeline") if getattr(spec, key) is not None]
    changed = dict(remarks)
    for path in [*((key,) for key in parts), *(("timeline", number) for number in acts)]:
        remark = changed.get(path, Remark())
        changed[path] = dataclasses.replace(remark, above=("", *remark.above))
    return changed


def format_document(document: Document) -> str:
    """A document in canonical order, spacing and short forms. Comments, anchors and line ends stay."""
    assert isinstance(document.root, MapNode)
    remarks = remarks_of(document)
    tree = _Canonical(_holders(remarks), set(anchors_of(document))).record(document.root, Spec, ())
    assert isinstance(tree, MapNode)
    text = print_tree(tree, remarks, anchors_of(document))
    return document.mark + (text.replace("\n", "\r\n") if "\r\n" in document.text else text)


# A Spec as a tree


def spec_tree(spec: Spec, remarks: Remarks) -> MapNode:
    tree = _Trees(numbering_of(spec), frozenset(remarks), _holders(remarks)).record(spec, ())
    assert isinstance(tree, MapNode)
    return tree


def _holders(remarks: Remarks) -> frozenset[NodePath]:
    """What holds a remark somewhere inside."""
    return frozenset(path[:length] for path in remarks for length in range(len(path)))


def numbering_of(spec: Spec) -> Numbering:
    """The numbering of the films' pictures, for films of constant rate with facts."""
    known = {key: film.facts for key, film in spec.every_film.items()}
    timecodes = {key: None if facts is None or facts.variable else facts.timecodes for key, facts in known.items()}
    return {**timecodes, spec.name_of("") or "": timecodes[""]}


def value_tree(value: Any, numbering: Numbering = MappingProxyType({})) -> Node:
    """A record or plain value of a spec as a tree. `numbering`: the timecodes of the spec's films."""
    return (
        _Trees(numbering, frozenset(), frozenset()).record(value, ())
        if dataclasses.is_dataclass(value)
        else _plain_tree(value)
    )


@dataclass(frozen=True, slots=True)
class _Trees:
    numbering: Numbering
    remarked: frozenset[NodePath]
    holders: frozenset[NodePath]  # of remarks
    film: str = ""  # whose times they are that name none

    def record(self, record: Any, path: NodePath) -> Node:
        cls: Any = type(record)
        if cls is Shot:
            self = dataclasses.replace(self, film=record.shot.film or "")
        defaults = defaults_of(cls)
        names = {item.name.rstrip("_"): item.name for item in dataclasses.fields(record)}
        entries: dict[str, Node] = {}
        for key, part in properties_of(cls).items():
            value, here = getattr(record, names[key]), (*path, key)
            usual = key in defaults and value == defaults[key]
            if value is not None and (not usual or here in self.remarked or here in self.holders):
                entries[key] = self.value(value, resolved(part), here, record)
        seen = () if entries else [key for key in properties_of(cls) if key in defaults][:1]
        for key in seen:  # that the record is there says something
            entries[key] = self.value(defaults[key], resolved(properties_of(cls)[key]), (*path, key), record)
        tree = MapNode.of(entries, flow=cls not in _BLOCKS)
        return tree if path in self.holders else shortened(tree, cls)

    def value(self, value: Any, part: Mapping[str, Any], path: NodePath, owner: Any) -> Node:
        match value:
            case FilmTime():
                return Scalar(self.time(value, owner))
            case Length():
                return Scalar(length_text(value))
            case Transition():
                return Scalar(transition_text(value))
            case Fraction() if part.get("type") != "number" and value.denominator != 1:
                return Scalar(rate_text(value))
            case (int(width), int(height)) if "format" in part:
                return Scalar(f"{width}x{height}")
            case tuple():
                numbered = (*path, 0) in self.holders or (*path, 0) in self.remarked
                if len(value) == 1 and part.get("type") != "array" and not numbered:
                    return self.item(value[0], path)
                items = tuple(self.item(item, (*path, number)) for number, item in enumerate(value))
                return ListNode(items, flow=not value or isinstance(value[0], Effect | Fraction))
            case _ if dataclasses.is_dataclass(value):
                return self.record(value, path)
            case Mapping() if record_of_each(value):
                return MapNode.of({key: self.record(item, (*path, key)) for key, item in value.items()}, flow=False)
            case _:
                return _plain_tree(value)

    def item(self, item: Any, path: NodePath) -> Node:
        return self.record(item, path) if dataclasses.is_dataclass(item) else _plain_tree(item)

    def time(self, time: FilmTime, owner: Any) -> str:
        """A timecode if all times of the record fall on pictures of the film; else a clock time."""
        times = [getattr(owner, item.name) for item in dataclasses.fields(owner)]
        moments = [each.seconds for each in times if isinstance(each, FilmTime)]
        film = getattr(owner, "film", None) or ("" if isinstance(owner, Clip | Anchor) else self.film)
        numbered = self.numbering.get(film) if isinstance(owner, Clip | Sync | Anchor | Alternative) else None
        if numbered is not None and all((seconds * numbered.rate).denominator == 1 for seconds in moments):
            return numbered.of(time.seconds)
        span = isinstance(owner, Part) or (isinstance(owner, Clip) and owner.in_ and owner.out and not owner.for_)
        return time_text(time.seconds, always_clock=bool(span))


def set_clip(edits: Edits, path: NodePath, clip: Clip, numbering: Numbering) -> None:
    """Change a shot's times. Unchanged times stay as written, with their comments; new ones are written in the same
    style."""
    numbered = numbering.get(clip.film or "")
    node = edits.node(path)
    old = _clip_texts(node)
    plain = not any(text.count(":") > 2 for text in old.values())  # no timecodes
    exact = all((time.seconds * 1000).denominator == 1 for time in (clip.in_, clip.out) if time is not None)
    tree = value_tree(clip, {} if old and plain and exact else numbering)
    entries: dict[str, Node] = {key: Scalar(text) for key, text in _clip_texts(tree).items()}
    if plain and exact and any(":" in text for text in old.values()):
        times = {"in": clip.in_, "out": clip.out}
        entries |= {
            key: Scalar(time_text(time.seconds, always_clock=True)) for key, time in times.items() if time is not None
        }
    for key, text in old.items():
        if key in entries and _same_time(text, getattr(clip, f"{key}_" if key != "out" else key, None), numbered):
            entries[key] = Scalar(text)
    if not isinstance(node, MapNode) or (node.flow and node.entries.keys() != entries.keys()):
        edits.set(path, shortened(MapNode.of(entries, flow=True), Clip))
        return
    for key in node.entries:
        if key not in entries:
            edits.remove((*path, key))
    for key, value in entries.items():
        if not isinstance(value, Scalar) or old.get(key) != value.value:
            edits.set((*path, key), value)


def _clip_texts(node: Node) -> dict[str, str]:
    """The film and the times of a shot as written, by key."""
    if isinstance(node, Scalar):
        film, times = split_span(str(node.value))
        return {**({"film": film} if film else {}), **dict(zip(("in", "out"), times, strict=False))}
    entries = node.entries if isinstance(node, MapNode) else {}
    values = {key: node.value for key, node in entries.items() if isinstance(node, Scalar)}
    return {key: exact_text(value) if isinstance(value, Fraction) else str(value) for key, value in values.items()}


def _same_time(text: str, time: Any, numbered: Timecodes | None) -> bool:
    with contextlib.suppress(BadTimeError):
        if isinstance(time, Length):
            return parse_length(text) == time
        return isinstance(time, FilmTime) and parse_seconds(text, numbered) == time.seconds
    return False


def _plain_tree(value: Any) -> Node:
    if isinstance(value, Mapping):
        return MapNode.of({key: _plain_tree(item) for key, item in value.items()}, flow=True)
    if isinstance(value, list | tuple):
        return ListNode(tuple(map(_plain_tree, value)), flow=True)
    return Scalar(value)


def length_text(length: Length) -> str:
    """`1.5s`, `36f`, `1/2 beat`, `2 bars`, `-6f`."""
    unit = {"beats": " beat", "bars": " bar"}.get(length.unit, length.unit)
    return exact_text(length.amount) + unit + ("s" if len(unit) > 1 and abs(length.amount) > 1 else "")


def transition_text(transition: Transition) -> str:
    return "cut" if transition.kind == "cut" else f"{transition.kind} {length_text(transition.length)}"


def time_text(seconds: Fraction, always_clock: bool = False) -> str:
    """A time without a rate: `12.5s` within the first minute, then `1:02:11.5`; `100/3s` if decimals do not end."""
    try:
        text = number_text(seconds)
    except ValueError:
        return f"{rate_text(seconds)}s"
    if abs(seconds) < 60 and not always_clock:
        return f"{text}s"
    digits = len(text.partition(".")[2])
    return clock(seconds, digits)


def exact_text(number: Fraction) -> str:
    try:
        return number_text(number)
    except ValueError:
        return rate_text(number)


def value_text(value: Any) -> str:
    """Any value of a spec on one line, as a user would write it; `none` for nothing."""
    match value:
        case None | ():
            return "none"
        case FilmTime():
            return clock(value.seconds)
        case Length():
            return length_text(value)
        case Transition():
            return transition_text(value)
        case Fraction():
            return exact_text(value)
        case (int(width), int(height)):
            return f"{width}x{height}"
        case str():
            return value
        case tuple():
            return ", ".join(map(value_text, value))
        case _:
            return print_flow(value_tree(_rounded(value)))


def _rounded(value: Any) -> Any:
    """A record with its film times rounded to milliseconds, as a clock shows them."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    times = {item.name: getattr(value, item.name) for item in dataclasses.fields(value) if item.init}
    shown = {name: FilmTime(Fraction(round(each.seconds * 1000), 1000)) for name, each in times.items()
             if isinstance(each, FilmTime)}  # fmt: skip
    return dataclasses.replace(value, **shown)


# Canonical order and short forms


def shortened(tree: MapNode, cls: type) -> Node:
    """A record in its short form, if that says everything."""
    if cls in (Clip, Part):
        return _span(tree)
    short = getattr(cls, "short", None)
    inner = tree.entries.get(short) if short is not None and len(tree.entries) == 1 else None
    return inner if isinstance(inner, Scalar) and isinstance(inner.value, str) else tree


def _span(tree: MapNode) -> Node:
    """The form `0:16 - 0:20` for an in and an out point."""
    ends, film = [tree.entries.get("in"), tree.entries.get("out")], tree.entries.get("film")
    times = [exact_text(end.value) if isinstance(end.value, Fraction) else str(end.value)
             for end in ends if isinstance(end, Scalar) and not isinstance(end.value, bool)]  # fmt: skip
    if len(tree.entries) != 2 + (film is not None) or len(times) != 2:
        return tree
    text = " - ".join(times)
    text = f"{film.value} {text}" if isinstance(film, Scalar) else text
    try:
        parse_span(text, Timecodes(Fraction(1000)))
    except BadTimeError:
        return tree
    return Scalar(text)


@cache
def record_of(hint: Any) -> type | None:
    """The record type of a field that holds one or many; None if it holds none."""
    parts = [part for part in typing.get_args(hint) if part not in (type(None), Ellipsis)]
    if typing.get_origin(hint) is Mapping:
        return record_of(parts[1])
    if parts:
        return record_of(parts[0])
    return hint if isinstance(hint, type) and is_described(hint) else None


@dataclass(frozen=True, slots=True)
class _Canonical:
    holders: frozenset[NodePath]  # of remarks
    fixed: set[Span]  # what stands in several places

    def record(self, node: Node, cls: type, path: NodePath) -> Node:
        if isinstance(node, Scalar) and cls in (Clip, Part) and isinstance(node.value, str):
            film, ends = split_span(node.value)
            text = " - ".join(ends) if film is None else f"{film} {' - '.join(ends)}"
            return dataclasses.replace(node, value=text) if len(ends) == 2 else node
        if not isinstance(node, MapNode):
            return node
        if cls in EVENTS.values():
            cls = next((event for kind, event in EVENTS.items() if kind in node.entries), ActMarker)
        hints, properties = record_hints(cls), properties_of(cls)
        order = {key: number for number, key in enumerate(properties)}
        entries: dict[str, Node] = {}
        for key in sorted(node.entries, key=lambda key: order.get(key, len(order))):
            child = node.entries[key]
            inner = record_of(hints[key]) if key in hints else None
            if inner is not None:
                child = self.value(child, inner, resolved(properties[key]), (*path, key))
            entries[key] = child
        flow = node.flow and cls is not Spec and cls is not ActMarker and cls not in EVENTS.values()
        keys = {key: node.keys[key] for key in entries}
        tree = MapNode(entries, keys, node.span, flow)
        kept = path in self.holders or node.span in self.fixed
        return tree if kept or any(child.span in self.fixed for child in entries.values()) else shortened(tree, cls)

    def value(self, node: Node, cls: type, part: Mapping[str, Any], path: NodePath) -> Node:
        if path == ("films",) and isinstance(node, MapNode):
            films = {name: self.record(film, cls, (*path, name)) for name, film in node.entries.items()}
            return dataclasses.replace(node, entries=films)
        if not isinstance(node, ListNode):
            return self.record(node, cls, path)
        items = tuple(self.record(item, cls, (*path, number)) for number, item in enumerate(node.items))
        kept = path in self.holders or any(each.span in self.fixed for each in (node, *node.items))
        if len(items) == 1 and part.get("type") != "array" and not kept and not isinstance(items[0], ListNode):
            return items[0]
        return ListNode(items, node.span, node.flow and path != ("timeline",))


def record_of_each(values: Mapping[str, Any]) -> bool:
    """Whether a mapping holds records under names that the user chose."""
    return bool(values) and all(dataclasses.is_dataclass(value) for value in values.values())


@cache
def record_hints(cls: type) -> dict[str, Any]:
    return {name.rstrip("_"): hint for name, hint in typing.get_type_hints(cls).items() if name != "place"}
