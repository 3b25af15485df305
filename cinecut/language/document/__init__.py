"""A YAML file as a tree in which every key and every value knows its place, and edits that touch nothing else.

Reading composes YAML 1.2 with ruamel.yaml (so `on` and `1:02` stay text) into MapNode, ListNode and Scalar. Numbers
are exact: `62.5` is Fraction(125, 2). Writing splices text at a node's place, so that every comment and every blank of
the rest survives.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from cinecut.diagnostics import LINE_BREAK, Report, Span, Stop, as_word
from cinecut.files import open_file
from cinecut.language.document.nodes import ListNode as ListNode
from cinecut.language.document.nodes import MapNode as MapNode
from cinecut.language.document.nodes import Node as Node
from cinecut.language.document.nodes import NodePath as NodePath
from cinecut.language.document.nodes import Scalar as Scalar
from cinecut.language.document.nodes import Value as Value
from cinecut.language.document.quick import quick_tree

STDIN = Path("-")
MAX_BYTES = 8_000_000
MAX_NODES = 400_000  # aliases can multiply; a trailer never needs this many


@dataclass(frozen=True, slots=True)
class Document:
    """A read file: its text after a byte order mark, and its tree (None where it has none that makes sense)."""

    path: Path
    text: str
    root: Node | None
    mark: str = ""

    @property
    def lines(self) -> list[str]:
        return LINE_BREAK.split(self.text)

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
    tree: Node | None = quick_tree(name, text, LINE_BREAK.split(text), resolve, MAX_NODES)
    if tree is None:
        from cinecut.language.document.composed import composed_tree  # ruamel.yaml takes a while to load

        tree = composed_tree(name, text, report)
    return Document(path, text, tree, mark)


def _read_text(path: Path) -> str:
    if path == STDIN and sys.stdin.closed:
        raise Stop("not-text", "standard input has been read: this needs a file", "save the spec, and name it")
    with sys.stdin.buffer if path == STDIN else open_file(path) as file:
        data = file.read(MAX_BYTES + 1)
    film = f"is this a film? cinecut trailer {as_word(path)} cuts a trailer of it"
    if len(data) > MAX_BYTES:
        raise Stop("not-text", f"{path} is larger than {MAX_BYTES // 1_000_000} MB: that is no spec", film)
    if data.startswith(_WIDE) or re.match(rb"(?:[^\0]\0|\0[^\0]){8}", data):  # with a mark, or words of plain letters
        raise Stop("not-text", f"{path} is UTF-16 text", "save it as UTF-8", span=_at(path, data, 0))
    text, wrong = _decoded(data)
    if b"\0" in data and (wrong is not None or data.count(b"\0") * 10 > len(data)):
        raise Stop("not-text", f"{path} is a binary file, not a YAML text", film, span=_at(path, data, 0))
    if wrong is not None:
        message = f"byte {data[wrong]:02X} is not UTF-8 text"
        raise Stop("not-text", message, "save the file as UTF-8", span=_at(path, data, wrong))
    return text


def _decoded(data: bytes) -> tuple[str, int | None]:
    """A UTF-8 text, and the place of the first byte that makes it none."""
    try:
        return data.decode(), None
    except UnicodeDecodeError as error:
        return "", error.start


_WIDE = (b"\xff\xfe", b"\xfe\xff")


def _at(path: Path, data: bytes, index: int) -> Span:
    """The place of a byte; all bytes before it are UTF-8."""
    line, start = data.count(b"\n", 0, index), data.rfind(b"\n", 0, index) + 1
    column = len(data[start:index].decode("utf-8-sig"))
    return Span(str(path), line, column, line, column + 1)


_ODD = re.compile(
    "[\u0085\u00a0\u00ad\u115f\u1160\u1680\u180e\u2000-\u200f\u2028\u2029\u202f\u205f-\u2064\u2800\u3000\u3164\ufeff\uffa0]"
)


def odd_spaces(text: str) -> str:
    """A hint that names the first sign in a text that looks like a space, or like nothing, and is neither."""
    odd = _ODD.search(text)
    if odd is None:
        return ""
    name = unicodedata.name(odd[0], "a sign").lower()
    return f"it holds U+{ord(odd[0]):04X} ({name}), which is no space to YAML: remove it, or type a plain one"


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


def plain(node: Node | None) -> Any:
    """The tree as dicts, lists and scalars, for the schema check."""
    if isinstance(node, MapNode):
        return {key: plain(value) for key, value in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else None


def children(node: Node) -> list[tuple[str | int, Node]]:
    """What a node holds, by key or number."""
    if isinstance(node, MapNode):
        return list(node.entries.items())
    return list(enumerate(node.items)) if isinstance(node, ListNode) else []


def repeated(node: Node) -> list[bool]:
    """Of each child whether it stands in another place, which `*name` repeats here."""
    if isinstance(node, MapNode):
        return [node.is_alias(key) for key in node.entries]
    again, last = [], (node.span.line, node.span.column - 1)
    for _, child in children(node):
        place = (child.span.line, child.span.column)
        again.append(place <= last)
        last = max(last, place)
    return again


def end_of(node: Node) -> tuple[int, int]:
    """Line and column where the node's own text ends; ruamel lets a block run on to the next token."""
    if isinstance(node, MapNode) and not node.flow and node.entries:
        keys = [(span.end_line, span.end_column) for span in node.keys.values()]
        return max(keys + [end_of(value) for key, value in node.entries.items() if not node.is_alias(key)])
    if isinstance(node, ListNode) and not node.flow and node.items:
        own = [end_of(item) for item, again in zip(node.items, repeated(node), strict=True) if not again]
        return max(own, default=(node.span.end_line, node.span.end_column))
    return node.span.end_line, node.span.end_column


def head_span(node: Node) -> Span:
    """The first line of a node: enough to point at a long mapping or text."""
    span = node.span
    if isinstance(node, MapNode) and node.keys and not node.flow:
        return next(iter(node.keys.values()))
    if span.end_line == span.line:
        return span
    return Span(span.file, span.line, span.column, span.line, span.column + 1)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for match in LINE_BREAK.finditer(text):
        starts.append(match.end())
    return starts
