"""The YAML that nearly every spec is written in, read in a fifth of the time; any other is left to ruamel.yaml.

Plain keys, blocks of mappings, lists and texts, brackets, comments: of these the tree is the very one that ruamel makes
of them, place by place (`tests/language/test_quick.py` compares both on specs of all manners). At the first sign of
anything else (an anchor, a tag, a plain text over several lines, a key twice, a tab, an empty value, a mistake) nothing
is made of the file here. `python -m bench compile` measures an edit of 1,000 events.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from cinecut.diagnostics import Span
from cinecut.language.document.nodes import ListNode, MapNode, Node, Scalar, Value

_ODD = re.compile("[^\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)")
_MARKS = re.compile(r"^(---|\.\.\.|%)", re.M)
_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*):(?: +|$)")
_KEY_IN_FLOW = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*): +")
_DASH = re.compile(r"- +")
_QUOTED = re.compile(r'"([^"\\]*)"|\'((?:[^\']|\'\')*)\'')
_PLAIN = re.compile(r"(?:[\w./~+(]|-(?=[\w.]))(?:[^:#]|:(?! |$)|(?<! )#)*")
_PLAIN_IN_FLOW = re.compile(r"(?:[\w./~+(]|-(?=[\w.]))(?:[^:#,\[\]{}]|:(?! |$|[,\[\]{}])|(?<! )#)*")
_REST = re.compile(r" *(?:(?<= )#.*)?$")
_DEPTH = 40
_TINY, _HUGE = Fraction(1, 10**30), Fraction(10**30)


class _OddError(Exception):
    """Something that is not read here."""


def quick_tree(name: str, text: str, lines: list[str], resolve: Callable[[str], Value], most: int) -> MapNode | None:
    """The tree of a text; None where it is to be read by ruamel.yaml. `resolve` tells what an unquoted text means."""
    if _ODD.search(text) or _MARKS.search(text):
        return None
    reader = _Reader(name, lines, resolve, most)
    try:
        return reader.document()
    except (_OddError, IndexError):
        return None


class _Reader:
    """Reads rows: the lines that are neither empty nor a comment. `at` is the number of the row that comes next."""

    def __init__(self, name: str, lines: list[str], resolve: Callable[[str], Value], most: int) -> None:
        self.name, self.lines, self.resolve, self.left = name, lines, resolve, most
        self.rows = [
            (number, len(line) - len(bare))
            for number, line in enumerate(lines)
            if (bare := line.lstrip(" ")) and bare[0] != "#"
        ]
        self.at = 0
        self.depth = 0

    def document(self) -> MapNode:
        line, indent = self.rows[0]
        root = self.mapping(line, indent, indent)
        if self.at < len(self.rows):
            raise _OddError
        return root

    def end(self) -> tuple[int, int]:
        """Where what comes next begins: a block runs on to there."""
        if self.at < len(self.rows):
            return self.rows[self.at]
        return len(self.lines) - 1, len(self.lines[-1])

    def deeper(self) -> None:
        self.depth += 1
        self.left -= 1
        if self.depth > _DEPTH or self.left < 0:
            raise _OddError

    def mapping(self, line: int, column: int, indent: int) -> MapNode:
        """A block whose first key stands at this place, in the row that comes next; the others below it."""
        self.deeper()
        entries: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        here = column
        while True:
            number, _ = self.rows[self.at]
            match = _KEY.match(self.lines[number], here)
            if match is None or match[1] in keys:
                raise _OddError
            key = match[1]
            keys[key] = Span(self.name, number, here, number, here + len(key))
            entries[key] = self.value(number, match.end(), indent)
            if self.at >= len(self.rows) or self.rows[self.at][1] < indent:
                break
            here = self.rows[self.at][1]
            if here != indent:
                raise _OddError
        self.depth -= 1
        return MapNode(entries, keys, Span(self.name, line, column, *self.end()), False)

    def value(self, number: int, column: int, indent: int) -> Node:
        """What stands after a key, or in the rows below it."""
        if not _REST.match(self.lines[number], column):
            return self.inline(number, column, indent)
        self.at += 1
        below, at = self.rows[self.at]
        if self.lines[below][at] == "-" and at >= indent:
            return self.sequence(below, at)
        if at <= indent:
            raise _OddError
        if self.lines[below][at] in "{[":
            return self.inline(below, at, indent)
        return self.mapping(below, at, at)

    def sequence(self, line: int, indent: int) -> ListNode:
        self.deeper()
        items: list[Node] = []
        while self.at < len(self.rows):
            number, here = self.rows[self.at]
            if here != indent or self.lines[number][here] != "-":
                if here > indent:
                    raise _OddError
                break
            match = _DASH.match(self.lines[number], here)
            if match is None:
                raise _OddError
            column = match.end()
            if _KEY.match(self.lines[number], column):
                items.append(self.mapping(number, column, column))
            else:
                items.append(self.inline(number, column, indent))
        self.depth -= 1
        return ListNode(tuple(items), Span(self.name, line, indent, *self.end()), False)

    def inline(self, number: int, column: int, indent: int) -> Node:
        """A value on the line of its key or dash; brackets may run on over lines. What follows is the next row."""
        line = self.lines[number]
        sign = line[column]
        end, stop = number, column
        if sign == "|":
            return self.block_text(number, column, indent)
        if sign in "{[":
            node, end, stop = self.flow(number, column)
        elif sign in "\"'":
            node, stop = self.quoted(number, column)
        else:
            node, stop = self.plain(number, column, _PLAIN)
        if not _REST.match(self.lines[end], stop):
            raise _OddError
        while self.at < len(self.rows) and self.rows[self.at][0] <= end:
            self.at += 1
        if self.at < len(self.rows) and self.rows[self.at][1] > indent:
            raise _OddError  # a text that goes on, or a mistake
        return node

    def block_text(self, number: int, column: int, indent: int) -> Scalar:
        """The lines below `|` or `|-`, which are indented more than their key."""
        sign, last = self.lines[number][column:], number
        first = self.lines[number + 1]
        inner = len(first) - len(first.lstrip(" "))
        if sign not in ("|", "|-") or inner <= indent or inner == len(first):
            raise _OddError
        for line in range(number + 1, len(self.lines)):
            text = self.lines[line]
            if text.strip(" ") and not text.startswith(" " * inner):
                break
            if text.strip(" "):
                last = line
            elif len(text) > inner:
                raise _OddError  # spaces that belong to the text
        if last + 1 == len(self.lines):
            raise _OddError  # no line's end at the end of the file
        while self.at < len(self.rows) and self.rows[self.at][0] <= last:
            self.at += 1
        if self.at < len(self.rows) and self.rows[self.at][1] > indent:
            raise _OddError
        self.left -= 1
        rows = [line[inner:] for line in self.lines[number + 1 : last + 1]]
        span = Span(self.name, number, column, last, len(self.lines[last]))
        return Scalar("\n".join(rows) + ("\n" if sign == "|" else ""), span, False)

    def quoted(self, number: int, column: int) -> tuple[Scalar, int]:
        match = _QUOTED.match(self.lines[number], column)
        if match is None:
            raise _OddError
        self.left -= 1
        text = match[1] if match[1] is not None else match[2].replace("''", "'")
        return Scalar(text, Span(self.name, number, column, number, match.end()), False), match.end()

    def plain(self, number: int, column: int, pattern: re.Pattern[str]) -> tuple[Scalar, int]:
        match = pattern.match(self.lines[number], column)
        if match is None:
            raise _OddError
        self.left -= 1
        text = match[0].rstrip(" ")
        stop = column + len(text)
        value = self.resolve(text)
        if isinstance(value, int | Fraction) and value and not _TINY <= abs(Fraction(value)) <= _HUGE:
            raise _OddError
        return Scalar(value, Span(self.name, number, column, number, stop), True), stop

    # Brackets

    def flow(self, number: int, column: int) -> tuple[Node, int, int]:
        """What begins at a place, and where it ends."""
        sign = self.lines[number][column]
        if sign in "\"'":
            node, stop = self.quoted(number, column)
            return node, number, stop
        if sign not in "{[":
            node, stop = self.plain(number, column, _PLAIN_IN_FLOW)
            return node, number, stop
        self.deeper()
        line, here = number, column
        entries: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        items: list[Node] = []
        close = "}" if sign == "{" else "]"
        column += 1
        while True:
            number, column = self.token(number, column)
            if self.lines[number][column] == close:
                break
            if sign == "{":
                match = _KEY_IN_FLOW.match(self.lines[number], column)
                if match is None or match[1] in keys:
                    raise _OddError
                keys[match[1]] = Span(self.name, number, column, number, column + len(match[1]))
                entries[match[1]], number, column = self.flow(number, match.end())
            else:
                item, number, column = self.flow(number, column)
                items.append(item)
            number, column = self.token(number, column)
            if self.lines[number][column] == ",":
                column += 1
            elif self.lines[number][column] != close:
                raise _OddError
        self.depth -= 1
        span = Span(self.name, line, here, number, column + 1)
        made: Node = MapNode(entries, keys, span, True) if sign == "{" else ListNode(tuple(items), span, True)
        return made, number, column + 1

    def token(self, number: int, column: int) -> tuple[int, int]:
        """The place of the next sign that is no space, no comment and no line's end."""
        while True:
            line = self.lines[number]
            while column < len(line) and line[column] == " ":
                column += 1
            if column < len(line) and not (line[column] == "#" and (column == 0 or line[column - 1] == " ")):
                return number, column
            number, column = number + 1, 0
            bare = self.lines[number].lstrip(" ")
            if bare and bare[0] != "#" and len(bare) == len(self.lines[number]):
                raise _OddError  # at the line's start: a mistake
