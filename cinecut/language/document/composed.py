"""A tree from ruamel.yaml, which reads all of YAML 1.2, and its findings in plainer words."""

from __future__ import annotations

import re
import warnings
from fractions import Fraction
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from cinecut.diagnostics import LINE_BREAK, Report, Span, excerpt
from cinecut.language.document import MAX_NODES, resolve
from cinecut.language.document.complaints import complaint
from cinecut.language.document.nodes import ListNode, MapNode, Node, Scalar, Value


def composed_tree(name: str, text: str, report: Report) -> Node | None:
    """The tree of a text; None where it is empty, or no YAML, which the report then says."""
    try:
        with warnings.catch_warnings(action="ignore", category=ReusedAnchorWarning):  # YAML 1.2 allows it
            root = YAML(typ="safe", pure=True).compose(as_ruamel_takes_it(text))  # leaves comments: edits splice text
        return None if root is None else _Tree(name, text, report).convert(root)
    except MarkedYAMLError as error:
        report.add("yaml", *complaint(name, text, error))
    except YAMLError:  # a control character, without a mark
        sign, place = _first(_FORBIDDEN, name, text)
        report.add("yaml", f"the control character U+{ord(sign):04X}, which no YAML may hold", place, "remove it")
    except ValueError:  # the one that ruamel.yaml lets through
        _, place = _first(_BEYOND, name, text)
        report.add("yaml", "an escape in quotes names no character", place, "\\U0010FFFF is the last one")
    except RecursionError:
        report.add("yaml", "the file nests deeper than any trailer does", Span(name, 0, 0, 0, 1))
    except _EndlessError as error:
        report.add("yaml", error.message, error.span, "write it out instead of repeating it with *")
    return None


_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BEYOND = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")  # an escape of no character


def _first(wrong: re.Pattern[str], name: str, text: str) -> tuple[str, Span]:
    """What is wrong in a text, where it is for the first time."""
    for number, line in enumerate(LINE_BREAK.split(text)):
        if match := wrong.search(line):
            return match[0], Span(name, number, match.start(), number, match.end())
    return "\0", Span(name, 0, 0, 0, 1)


class _EndlessError(Exception):
    """Aliases that make the tree endless, or as good as."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message = message
        self.span = span


_SURROGATE = re.compile(r"[\ud800-\udfff]")
_PAIR = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")  # how JSON writes one character beyond 16 bits
_TINY = Fraction(1, 10**30)
_YAML = "tag:yaml.org,2002:"
_TAGS = {
    f"{_YAML}{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map", "timestamp", "merge", "value")
}


class _Tree:
    """Converts ruamel's nodes; counts them, since aliases can make a small file huge."""

    def __init__(self, name: str, text: str, report: Report) -> None:
        self.name = name
        self.lines = LINE_BREAK.split(text)
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
        if (tag := str(node.tag)) not in _TAGS:
            hint = "a text that begins with ! goes in quotes"
            self.report.add("yaml", f"the tag {tag} means nothing here", self.span(node), hint)
        if isinstance(node, ScalarNode):
            return self.scalar(node)
        self.open.add(id(node))
        try:
            return self.mapping(node) if isinstance(node, MappingNode) else self.sequence(node)
        finally:
            self.open.discard(id(node))

    def scalar(self, node: Any) -> Scalar:
        told = self.lines[node.start_mark.line].startswith("!", node.start_mark.column)
        plain = not node.style and not (told and node.tag == f"{_YAML}str")
        value = _as_typed(node.value)
        value = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), value)
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

    def sequence(self, node: SequenceNode) -> ListNode:
        items = tuple(self.item(item) for item in node.value)
        return ListNode(items, self.span(node), bool(node.flow_style))

    def item(self, node: Any) -> Node:
        converted = self.convert(node)
        if (
            not isinstance(converted, Scalar)
            or converted.value is not None
            or (span := converted.span).column < span.end_column
        ):
            return converted
        line, column = (span.line + 1, 0) if self.is_empty(span.line + 1) else (span.line, span.column - 1)
        return Scalar(None, Span(self.name, line, column, line, column + 1))  # where it is waited for

    def is_empty(self, line: int) -> bool:
        return line < len(self.lines) and not self.lines[line].strip()

    def mapping(self, node: MappingNode) -> MapNode:
        entries: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        for key_node, value_node in node.value:
            place = self.span(key_node)
            if not isinstance(key_node, ScalarNode):
                self.report.add("wrong-type", "a key must be a word", place)
                continue
            key = _as_typed(str(key_node.value))
            if key in keys:
                first = keys[key].line + 1
                self.report.add("duplicate-key", f"`{key}` stands here twice (first in line {first})", place)
                continue
            value = self.convert(value_node)
            if isinstance(value, Scalar) and value.value is None and value.span.column == value.span.end_column:
                after = Span(self.name, place.line, place.end_column, place.line, place.end_column + 1)
                value = Scalar(None, after)  # nothing is written; ruamel says that it is where the next token is
            entries[key], keys[key] = value, place
        return MapNode(entries, keys, self.span(node), bool(node.flow_style))


# What ruamel.yaml does not take

_DIRECTIVE = re.compile(r"^%YAML[ \t]+1\.\d+", re.M)
# Line breaks of YAML 1.1 alone, which ruamel.yaml still takes for some. The stand-ins are no characters of any text.
_NO_BREAKS = {0x85: 0xFDD0, 0x2028: 0xFDD1, 0x2029: 0xFDD2}
_AS_TYPED = {stand_in: sign for sign, stand_in in _NO_BREAKS.items()}
_BLOCK_TEXT = re.compile(r"(?:^|[:\-\s])[|>][-+0-9]*[ \t]*(?:#.*)?$")
_WORDS = re.compile(r"""(?<![^\s,\[{])(?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|\#.*)|[\[\]{}]|[ \t]*\t[ \t]*""")


def as_ruamel_takes_it(text: str) -> str:
    """The text with what YAML 1.2 allows and ruamel.yaml does not, put so that it takes it, each sign at its old place:
    tabs as white space between tokens, the directive of another minor version, and the line breaks of YAML 1.1."""
    text = _DIRECTIVE.sub(lambda found: "#" * len(found[0]), text, count=1).translate(_NO_BREAKS)
    return _without_tabs(text) if "\t" in text else text


def _as_typed(text: str) -> str:
    return text.translate(_AS_TYPED)


def _without_tabs(text: str) -> str:
    """Tabs as spaces wherever they only part tokens: not in quotes, in blocks of text, or as indentation."""
    rows, depth, block = list[str](), 0, -1
    for row in text.split("\n"):
        indent = len(row) - len(row.lstrip(" "))
        if block >= 0 and (not row.strip() or indent > block):
            rows.append(row)  # of a block of text
            continue
        row, depth = _spaced(row, depth)
        block = indent if _BLOCK_TEXT.search(row) and not depth else -1
        rows.append(row)
    return "\n".join(rows)


def _spaced(row: str, depth: int) -> tuple[str, int]:
    """A row with spaces for tabs, and how many brackets are open after it."""

    def space(match: re.Match[str]) -> str:
        nonlocal depth
        depth += (match[0] in "[{") - (match[0] in "]}") if len(match[0]) == 1 else 0
        if match[0].strip():
            return match[0]
        before, after = row[: match.start()].rstrip("\r"), row[match.end() :].strip("\r")
        parts = not after or after[0] in "#,]}" or before[-1:] in tuple(":-?,[{") or (not before and depth > 0)
        return " " * len(match[0]) if parts else match[0]

    return _WORDS.sub(space, row), depth
