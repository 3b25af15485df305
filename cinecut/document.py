"""A YAML file as a tree in which every key and every value knows its place, and edits that touch nothing else.

Reading composes YAML 1.2 with ruamel.yaml (so `on` and `1:02` stay text) into Mapping, Sequence and Scalar. Numbers
are exact: `62.5` is Fraction(125, 2). Writing splices text at a node's place, so that every comment and every blank of
the rest survives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from cinecut.diagnostics import Report, Span, Stop

MAX_BYTES = 8_000_000
MAX_NODES = 400_000  # aliases can multiply; a trailer never needs this many

_LINE_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")  # as YAML counts them

Value = str | int | Fraction | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    value: Value
    span: Span
    plain: bool = True  # written without quotes


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    entries: dict[str, Node]
    keys: dict[str, Span]
    span: Span
    flow: bool = False

    def get(self, key: str) -> Node | None:
        return self.entries.get(key)


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Document:
    """A read file: its text, and its tree (None where it has none that makes sense)."""

    path: Path
    text: str
    root: Node | None

    @property
    def lines(self) -> list[str]:
        return _LINE_BREAK.split(self.text)

    def replaced(self, edits: list[tuple[Span, str]]) -> str:
        """The text with each span replaced; spans must not overlap."""
        starts = _line_starts(self.text)
        text = self.text
        for span, new in sorted(edits, key=lambda edit: edit[0], reverse=True):
            begin, end = starts[span.line] + span.column, starts[span.end_line] + span.end_column
            text = text[:begin] + new + text[end:]
        return text


def read_document(path: Path, report: Report) -> Document:
    """Read a spec or vibe file. What is wrong with its YAML goes into the report; no readable file is a Stop."""
    text = _read_text(path)
    return parse_document(path, text, report)


def parse_document(path: Path, text: str, report: Report) -> Document:
    name = str(path)
    try:
        yaml = YAML()
        root = yaml.compose(text)
        tree = None if root is None else _Tree(name, report).convert(root)
    except MarkedYAMLError as error:
        report.add("yaml", *_explain_yaml(name, text, error))
        tree = None
    except YAMLError as error:  # a forbidden control character has no mark
        report.add("yaml", " ".join(str(error).split()), Span(name, 0, 0, 0, 1))
        tree = None
    except RecursionError:
        report.add("yaml", "the file nests deeper than any trailer does", Span(name, 0, 0, 0, 1))
        tree = None
    except _TooLargeError as error:
        report.add("yaml", str(error), Span(name, 0, 0, 0, 1))
        tree = None
    return Document(path, text, tree)


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Stop("not-text", f"{path} is larger than {MAX_BYTES // 1_000_000} MB: that is no spec")
        data = path.read_bytes()
    except FileNotFoundError:
        raise Stop("missing-file", f"there is no file {path}", *_near(path)) from None
    except IsADirectoryError:
        raise Stop("unreadable", f"{path} is a folder, not a spec") from None
    except OSError as error:
        raise Stop("unreadable", f"{path} cannot be read: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "save it as UTF-8" if b"\0" not in data else "a spec is a YAML text; is this a film or a picture?"
        raise Stop("not-text", f"{path} is not UTF-8 text (byte {error.start}, line {line})", hint) from None
    if "\0" in text:
        raise Stop("not-text", f"{path} is a binary file", "a spec is a YAML text; is this a film or a picture?")
    return text


def _near(path: Path) -> list[str]:
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return [f"there is no folder {path.parent} either"]
    names = [p.name for p in path.parent.iterdir()][:2000]
    close = get_close_matches(path.name, names, n=1)
    return [f"did you mean {path.parent / close[0]}?"] if close else []


def _explain_yaml(name: str, text: str, error: MarkedYAMLError) -> tuple[str, Span, str]:
    mark = error.problem_mark or error.context_mark
    span = Span(name, mark.line, mark.column, mark.line, mark.column + 1) if mark else Span(name, 0, 0, 0, 1)
    problem = " ".join(str(error.problem or error.context or "this is not YAML").split())
    line = text.splitlines()[span.line] if span.line < len(text.splitlines()) else ""
    if "\t" in line[: span.column + 1]:
        return "a tab cannot indent YAML", span, "use spaces"
    if ": " in line and "mapping values are not allowed" in problem:
        return "a second `: ` in one value", span, "put quotes around a text that holds a colon and a space"
    return problem, span, "every `key:` stands on its own line, indented by spaces; texts with signs go in quotes"


class _TooLargeError(Exception):
    pass


_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def resolve(text: str) -> Value:
    """What an unquoted scalar means by YAML 1.2's core schema, numbers exact.

    >>> resolve("62.5"), resolve("on"), resolve("1:02"), resolve("true")
    (Fraction(125, 2), 'on', '1:02', True)
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) < 40:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text) and len(text) < 40:
        return Fraction(text)
    return text


class _Tree:
    """Converts ruamel's nodes; counts them, since aliases can make a small file huge."""

    def __init__(self, name: str, report: Report) -> None:
        self.name = name
        self.report = report
        self.left = MAX_NODES
        self.open: set[int] = set()

    def span(self, node: Any) -> Span:
        start, end = node.start_mark, node.end_mark
        return Span(self.name, start.line, start.column, end.line, end.column)

    def convert(self, node: Any) -> Node:
        self.left -= 1
        if self.left < 0:
            raise _TooLargeError("aliases make this file larger than any trailer")
        if id(node) in self.open:
            raise _TooLargeError("an alias holds itself")
        if isinstance(node, ScalarNode):
            return self.scalar(node)
        self.open.add(id(node))
        try:
            return self.mapping(node) if isinstance(node, MappingNode) else self.sequence(node)
        finally:
            self.open.discard(id(node))

    def scalar(self, node: Any) -> Scalar:
        plain = not node.style
        tag = str(node.tag)
        if not tag.startswith("tag:yaml.org,2002:"):
            self.report.add("yaml", f"the tag {tag} means nothing here", self.span(node))
        return Scalar(resolve(node.value) if plain else node.value, self.span(node), plain)

    def sequence(self, node: SequenceNode) -> Sequence:
        return Sequence(tuple(self.convert(item) for item in node.value), self.span(node))

    def mapping(self, node: MappingNode) -> Mapping:
        entries: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        for key_node, value_node in node.value:
            place = self.span(key_node)
            if not isinstance(key_node, ScalarNode):
                self.report.add("wrong-type", "a key must be a word", place)
                continue
            key = str(key_node.value)
            if key in keys:
                first = keys[key].line + 1
                self.report.add("duplicate-key", f"`{key}` stands here twice (first in line {first})", place)
                continue
            entries[key], keys[key] = self.convert(value_node), place
        return Mapping(entries, keys, self.span(node), bool(node.flow_style))


def plain(node: Node | None) -> Any:
    """The tree as dicts, lists and scalars, for the schema check."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else None


def walk(node: Node, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Every node of the tree with its path, parents first."""
    yield path, node
    if isinstance(node, Mapping):
        for key, value in node.entries.items():
            yield from walk(value, (*path, key))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from walk(item, (*path, index))


def end_of(node: Node) -> tuple[int, int]:
    """Line and column where the node's own text ends; ruamel lets a block run on to the next token."""
    if isinstance(node, Mapping) and not node.flow and node.entries:
        return max(end_of(value) for value in node.entries.values())
    if isinstance(node, Sequence) and node.items and node.span.end_column == 0:
        return max(end_of(item) for item in node.items)
    return node.span.end_line, node.span.end_column


def head_span(node: Node) -> Span:
    """The first line of a node: enough to point at a long mapping or text."""
    span = node.span
    if isinstance(node, Mapping) and node.keys and not node.flow:
        return next(iter(node.keys.values()))
    if span.end_line == span.line:
        return span
    return Span(span.file, span.line, span.column, span.line, span.column + 1)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for match in _LINE_BREAK.finditer(text):
        starts.append(match.end())
    return starts
