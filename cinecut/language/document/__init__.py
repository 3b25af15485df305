"""A YAML file as a tree in which every key and every value knows its place, and edits that touch nothing else.

Reading composes YAML 1.2 with ruamel.yaml (so `on` and `1:02` stay text) into Mapping, Sequence and Scalar. Numbers
are exact: `62.5` is Fraction(125, 2). Writing splices text at a node's place, so that every comment and every blank of
the rest survives.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import unicodedata
import warnings
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from cinecut.diagnostics import Report, Span, Stop, excerpt
from cinecut.files import open_file
from cinecut.language.document.leniency import as_ruamel_takes_it

STDIN = Path("-")
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
    flow: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    entries: dict[str, Node]
    keys: dict[str, Span]
    span: Span
    flow: bool = False

    def get(self, key: str) -> Node | None:
        return self.entries.get(key)

    def is_alias(self, key: str) -> bool:
        """The value stands in another place, which `*name` repeats here."""
        value, place = self.entries[key].span, self.keys[key]
        return (value.line, value.column) < (place.line, place.column)


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Document:
    """A read file: its text after a byte order mark, and its tree (None where it has none that makes sense)."""

    path: Path
    text: str
    root: Node | None
    mark: str = ""

    @property
    def lines(self) -> list[str]:
        return _LINE_BREAK.split(self.text)

    def between(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        """The text from one line and column to another."""
        starts = _line_starts(self.text)
        return self.text[starts[start[0]] + start[1] : starts[end[0]] + end[1]]

    def replaced(self, edits: list[tuple[Span, str]]) -> str:
        """The whole text with each span replaced, in the file's own line ends; spans must not overlap."""
        starts = _line_starts(self.text)
        line_end = "\r\n" if "\r\n" in self.text else "\n"
        text = self.text
        for span, new in sorted(edits, key=lambda edit: edit[0], reverse=True):
            begin, end = starts[span.line] + span.column, starts[span.end_line] + span.end_column
            text = text[:begin] + new.replace("\n", line_end) + text[end:]
        return self.mark + text


def read_document(path: Path, report: Report) -> Document:
    """Read a spec or vibe file. What is wrong with its YAML goes into the report; no readable file is a Stop."""
    text = _read_text(path)
    return parse_document(path, text, report)


def parse_document(path: Path, text: str, report: Report) -> Document:
    name = str(path)
    mark, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    try:
        with warnings.catch_warnings(action="ignore", category=ReusedAnchorWarning):  # YAML 1.2 allows it
            root = YAML(typ="safe", pure=True).compose(as_ruamel_takes_it(text))  # leaves comments: edits splice text
        tree = None if root is None else _Tree(name, text, report).convert(root)
    except MarkedYAMLError as error:
        report.add("yaml", *_explain_yaml(name, text, error))
        tree = None
    except YAMLError as error:  # a forbidden control character has no mark
        report.add("yaml", " ".join(str(error).split()), Span(name, 0, 0, 0, 1))
        tree = None
    except RecursionError:
        report.add("yaml", "the file nests deeper than any trailer does", Span(name, 0, 0, 0, 1))
        tree = None
    except _EndlessError as error:
        report.add("yaml", error.message, error.span, "write it out instead of repeating it with *")
        tree = None
    return Document(path, text, tree, mark)


def _read_text(path: Path) -> str:
    try:
        with sys.stdin.buffer if path == STDIN else open_file(path) as file:
            data = file.read(MAX_BYTES + 1)
    except Stop as stop:
        if stop.diagnostics[0].code == "missing-file":
            raise Stop("missing-file", f"there is no file {path}", *near(path)) from None
        raise
    film = f"is this a film? cinecut trailer {shlex.quote(str(path))} cuts a trailer of it"
    if len(data) > MAX_BYTES:
        raise Stop("not-text", f"{path} is larger than {MAX_BYTES // 1_000_000} MB: that is no spec", film)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Stop("not-text", f"{path} is UTF-16 text", "save it as UTF-8", span=_at(path, data, 0))
    if b"\0" in data:
        raise Stop("not-text", f"{path} is a binary file, not a YAML text", film, span=_at(path, data, 0))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        message = f"byte {data[error.start]:02X} is not UTF-8 text"
        raise Stop("not-text", message, "save the file as UTF-8", span=_at(path, data, error.start)) from None


def _at(path: Path, data: bytes, index: int) -> Span:
    """The place of a byte; all bytes before it are UTF-8."""
    line, start = data.count(b"\n", 0, index), data.rfind(b"\n", 0, index) + 1
    column = len(data[start:index].decode("utf-8-sig"))
    return Span(str(path), line, column, line, column + 1)


def near(path: Path) -> list[str]:
    """A hint for a file that is not there: one beside it with a name much like it."""
    from difflib import get_close_matches

    if not os.path.isdir(path.parent):  # noqa: PTH112 - Path's own raises where a name is too long
        return [f"there is no folder {path.parent} either"]
    try:
        names = [file.name for file in path.parent.iterdir()]
    except OSError:
        return []
    close = get_close_matches(path.name, names, n=1)
    return [f"did you mean {path.parent / close[0]}?"] if close else []


def _explain_yaml(name: str, text: str, error: MarkedYAMLError) -> tuple[str, Span, str]:
    """ruamel's finding in plainer words, where it has some that people meet often."""
    problem = " ".join(str(error.problem or error.context or "this is not YAML").split())
    mark = error.problem_mark or error.context_mark
    lines = _LINE_BREAK.split(text)
    if error.context_mark and ("but got" in problem or "unexpected end of stream" in problem):
        opened = error.context_mark
        sign = lines[opened.line][opened.column : opened.column + 1]
        if sign in tuple("[{\"'"):
            span = Span(name, opened.line, opened.column, opened.line, opened.column + 1)
            return f"this {sign} is never closed, or something stands in it that needs quotes", span, _YAML_HINT
    span = Span(name, mark.line, mark.column, mark.line, mark.column + 1) if mark else Span(name, 0, 0, 0, 1)
    line = lines[span.line] if span.line < len(lines) else ""
    if spaces := odd_spaces(line) or odd_spaces("".join(lines[max(0, span.line - 1) : span.line])):
        return problem, span, spaces
    if "\t" in line[: span.column + 1]:
        return "a tab stands where YAML takes only spaces", span, "indent by spaces"
    if ": " in line and "mapping values are not allowed" in problem:
        return "a second `: ` in one value", span, "put quotes around a text that holds a colon and a space"
    if "undefined alias" in problem:
        return problem, span, "*name repeats what &name marked before; a text that begins with * goes in quotes"
    if "another document" in problem:
        return "a second document begins here", span, "a spec is one document: remove the `---`"
    return problem, span, _YAML_HINT


_ODD = re.compile(
    "[\u0085\u00a0\u00ad\u115f\u1160\u1680\u180e\u2000-\u200f\u2028\u2029\u202f\u205f-\u2064\u2800\u3000\u3164\ufeff\uffa0]"
)


def odd_spaces(text: str) -> str:
    """A hint that names the first sign in a text that looks like a space, or like nothing, and is neither."""
    found = _ODD.search(text)
    if found is None:
        return ""
    name = unicodedata.name(found[0], "a sign").lower()
    return f"it holds U+{ord(found[0]):04X} ({name}), which is no space to YAML: remove it, or type a plain one"


_YAML_HINT = "every `key:` stands on its own line, indented by spaces; texts with signs go in quotes"


class _EndlessError(Exception):
    """Aliases that make the tree endless, or as good as."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message = message
        self.span = span


_SURROGATE = re.compile(r"[\ud800-\udfff]")
_PAIR = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")  # how JSON writes one character beyond 16 bits
_TINY = Fraction(1, 10**30)
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

    def __init__(self, name: str, text: str, report: Report) -> None:
        self.name = name
        self.lines = _LINE_BREAK.split(text)
        self.report = report
        self.left = MAX_NODES
        self.open: set[int] = set()

    def span(self, node: Any) -> Span:
        start, end = node.start_mark, node.end_mark
        line, column = end.line, end.column
        # ruamel lets a block of text run on to the next token.
        while isinstance(node, ScalarNode) and line > start.line and not self.lines[line][:column].strip():
            line, column = line - 1, len(self.lines[line - 1])
        return Span(self.name, start.line, start.column, line, column)

    def convert(self, node: Any) -> Node:
        self.left -= 1
        if self.left < 0:
            raise _EndlessError("aliases make this file larger than any trailer", self.span(node))
        if id(node) in self.open:
            raise _EndlessError("this holds itself by an alias", self.span(node))
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
        value = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), node.value)
        if _SURROGATE.search(value):
            self.report.add("yaml", "half a surrogate pair is no character", self.span(node), "write the sign itself")
        return Scalar(self.number(resolve(value), node) if plain else value, self.span(node), plain)

    def number(self, value: Value, node: Any) -> Value:
        size = abs(Fraction(value)) if isinstance(value, int | Fraction) else Fraction(0)
        if not size or _TINY <= size <= 1 / _TINY:
            return value
        what = "large" if size > 1 else "small"
        self.report.add("wrong-value", f"{excerpt(node.value)[1:-1]} is too {what} a number", self.span(node))
        return 1

    def sequence(self, node: SequenceNode) -> Sequence:
        items = tuple(self.item(item) for item in node.value)
        return Sequence(items, self.span(node), bool(node.flow_style))

    def item(self, node: Any) -> Node:
        found = self.convert(node)
        if not isinstance(found, Scalar) or found.value is not None or (span := found.span).column < span.end_column:
            return found
        line, column = (span.line + 1, 0) if self.is_empty(span.line + 1) else (span.line, span.column - 1)
        return Scalar(None, Span(self.name, line, column, line, column + 1))  # where it is waited for

    def is_empty(self, line: int) -> bool:
        return line >= len(self.lines) or not self.lines[line].strip()

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
            value = self.convert(value_node)
            if isinstance(value, Scalar) and value.value is None and value.span.column == value.span.end_column:
                after = Span(self.name, place.line, place.end_column, place.line, place.end_column + 1)
                value = Scalar(None, after)  # nothing is written; ruamel says that it is where the next token is
            entries[key], keys[key] = value, place
        return Mapping(entries, keys, self.span(node), bool(node.flow_style))


def plain(node: Node | None) -> Any:
    """The tree as dicts, lists and scalars, for the schema check."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else None


def children(node: Node) -> list[tuple[str | int, Node]]:
    """What a node holds, by key or number."""
    if isinstance(node, Mapping):
        return list(node.entries.items())
    return list(enumerate(node.items)) if isinstance(node, Sequence) else []


def repeated(node: Node) -> list[bool]:
    """Of each child whether it stands in another place, which `*name` repeats here."""
    if isinstance(node, Mapping):
        return [node.is_alias(key) for key in node.entries]
    found, last = [], (node.span.line, node.span.column - 1)
    for _, child in children(node):
        place = (child.span.line, child.span.column)
        found.append(place <= last)
        last = max(last, place)
    return found


def end_of(node: Node) -> tuple[int, int]:
    """Line and column where the node's own text ends; ruamel lets a block run on to the next token."""
    if isinstance(node, Mapping) and not node.flow and node.entries:
        keys = [(span.end_line, span.end_column) for span in node.keys.values()]
        return max(keys + [end_of(value) for key, value in node.entries.items() if not node.is_alias(key)])
    if isinstance(node, Sequence) and not node.flow and node.items:
        own = [end_of(item) for item, again in zip(node.items, repeated(node), strict=True) if not again]
        return max(own, default=(node.span.end_line, node.span.end_column))
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
