"""A tree as YAML text: one order of spaces, quotes and line breaks, with every comment at its place.

A block stays a block. A flow collection stays one as long as it fits on its line and holds no comments.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import dropwhile

from cinecut.diagnostics import Span
from cinecut.language.document import ListNode, MapNode, Node, NodePath, Scalar, Value, children, resolve

WIDTH = 120  # columns that a flow collection may take up to


@dataclass(frozen=True, slots=True)
class Remark:
    """The comments of an entry, each with its #: in rows before it ("" is an empty row), on its line, and at the end
    of its block."""

    above: tuple[str, ...] = ()
    beside: str = ""
    below: tuple[str, ...] = ()


def comment(text: str) -> str:
    """A comment of foreign text: on one line, without control characters."""
    return "# " + "".join(char if char.isprintable() else "?" for char in text)


Remarks = Mapping[NodePath, Remark]
_NONE = Remark()


def print_tree(root: MapNode, remarks: Remarks, anchors: Mapping[Span, str] | None = None) -> str:
    """The text of a file. The remark of the path () holds the comments at its head and at its end.

    `anchors` are the names of nodes that stand in several places, by their span."""
    whole = remarks.get((), _NONE)
    head = [*whole.above, ""] if whole.above else []
    rows = _Printer(remarks, anchors or {}).block(root, (), "")
    return "\n".join([*head, *rows]) + "\n"


def print_value(node: Node, indent: str = "", head: str = "", literal: bool = True) -> str:
    """The value of a key, or an item, from its colon or dash (`head`) on; both stand so far from the line's start.
    Without `literal` a text of several lines is put in quotes, for a block would take in what is indented below it."""
    return "\n".join(_Printer({}, {}, literal).entry(head, node, (), indent))


def print_flow(node: Node) -> str:
    """A value on one line, whatever its width."""
    line = _Printer({}, {}).flow(_flowing(node), ())
    assert line is not None
    return line


def _flowing(node: Node) -> Node:
    if isinstance(node, MapNode):
        return MapNode({k: _flowing(v) for k, v in node.entries.items()}, node.keys, node.span, flow=True)
    return ListNode(tuple(map(_flowing, node.items)), node.span, flow=True) if isinstance(node, ListNode) else node


@dataclass(slots=True)
class _Printer:
    remarks: Remarks
    anchors: Mapping[Span, str]
    literal: bool = True
    commented: set[NodePath] = field(init=False)  # what holds a remark inside
    printed: set[Span] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.commented = {path[:length] for path in self.remarks for length in range(len(path))}
        self.commented |= {path for path, remark in self.remarks.items() if remark.below}

    def block(self, node: Node, path: NodePath, indent: str) -> Iterator[str]:
        """The rows of a mapping or a sequence."""
        for number, (step, child) in enumerate(children(node)):
            here = (*path, step)
            remark = self.remarks.get(here, _NONE)
            yield from _indented(remark.above if number else dropwhile(lambda row: not row, remark.above), indent)
            head = f"{indent}{scalar_text(step)}:" if isinstance(step, str) else f"{indent}-"
            yield from self.entry(head, child, here, indent)
        yield from _indented(self.remarks.get(path, _NONE).below, indent)

    def entry(self, head: str, node: Node, path: NodePath, indent: str) -> Iterator[str]:
        beside = self.remarks.get(path, _NONE).beside
        note = f"   {beside}" if beside else ""
        if (name := self.anchors.get(node.span)) is not None:
            if node.span in self.printed:
                yield f"{head} *{name}{note}"
                return
            self.printed.add(node.span)
            head += f" &{name}"
        line = self.inline(node, path, len(head) + 1)
        if line is not None:
            yield f"{head} {line}{note}"
        elif isinstance(node, Scalar):
            text = str(node.value)
            yield f"{head} |{'' if text.endswith(chr(10)) else '-'}{note}"
            yield from _indented(text.removesuffix("\n").split("\n"), indent + "  ")
        elif (
            isinstance(node, ListNode)
            and path not in self.commented
            and all(isinstance(getattr(item, "value", ""), int | Fraction) for item in node.items)
        ):
            yield f"{head} [{note}" if note else f"{head} ["
            yield from _wrapped(node, indent + "  ")
            yield f"{indent}]"
        elif head.endswith("-") and isinstance(node, MapNode):
            yield from self.dashed(node, path, indent, beside)
        else:
            yield f"{head}{note}"
            yield from self.block(node, path, indent + "  ")

    def dashed(self, node: MapNode, path: NodePath, indent: str, beside: str) -> Iterator[str]:
        """A mapping that begins right after its dash; comments before its first key stand before the dash."""
        rows = list(self.block(node, path, indent + "  "))
        first = next(number for number, row in enumerate(rows) if row and not row.lstrip().startswith("#"))
        yield from _indented([*([beside] if beside else []), *(row.lstrip() for row in rows[:first])], indent)
        yield f"{indent}- {rows[first].lstrip()}"
        yield from rows[first + 1 :]

    def inline(self, node: Node, path: NodePath, room: int) -> str | None:
        """The node on the rest of a line of which `room` is taken; None where it does not fit."""
        if isinstance(node, Scalar):
            return None if self.literal and _is_literal(node.value) else scalar_text(node.value)
        text = self.flow(node, path)
        return text if text is not None and room + len(text) <= WIDTH else None

    def flow(self, node: Node, path: NodePath) -> str | None:
        """The node as one line of any width; None where it is a block or holds comments."""
        if isinstance(node, Scalar):
            return scalar_text(node.value, flow=True)
        steps = children(node)
        if path in self.commented or (steps and not node.flow):
            return None
        parts = []
        for step, child in steps:
            text = f"*{self.anchors[child.span]}" if child.span in self.printed else None
            if text is None and child.span in self.anchors:
                return None  # an anchor gets a line of its own
            text = text or self.flow(child, (*path, step))
            if text is None:
                return None
            parts.append(f"{scalar_text(step, flow=True)}: {text}" if isinstance(step, str) else text)
        return ("{%s}" if isinstance(node, MapNode) else "[%s]") % ", ".join(parts)


def _indented(rows: Iterator[str] | Sequence[str] | dropwhile[str], indent: str) -> Iterator[str]:
    yield from (f"{indent}{row}" if row else "" for row in rows)


def _wrapped(node: ListNode, indent: str) -> list[str]:
    """Numbers, as many on each row as fit."""
    text = ", ".join(scalar_text(item.value) for item in node.items if isinstance(item, Scalar))
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


_LITERAL = re.compile(r"(?! )[^\n]+(\n[^\n]*)*?[^\n]\n?")


def _is_literal(value: Value) -> bool:
    """A text of several lines that reads the same as a block below `|`."""
    if not isinstance(value, str) or "\n" not in value.rstrip("\n") or not _LITERAL.fullmatch(value):
        return False
    return all(line.isprintable() and line == line.rstrip() for line in value.split("\n"))


_UNSAFE = re.compile(r"""[,\[\]{}#&*!|>'"%@`?:]|-(\s|$|--)|\.\.\.|.*(:(\s|$)|\s\#)""", re.S)
_OTHER_YAML = frozenset(("yes", "no", "on", "off", "<<", "="))  # no texts to older readers
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def scalar_text(value: Value, flow: bool = False) -> str:
    """A value as a YAML scalar; a text plain where that is safe (in a `flow` collection, too), else in quotes."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Fraction():
            return number_text(value)
    plain = value.isprintable() and value == value.strip() and not _UNSAFE.match(value)
    plain = plain and not (flow and re.search(r"[,\[\]{}]", value)) and value.lower() not in _OTHER_YAML
    if plain and isinstance(resolve(value), str):
        return value
    return '"' + "".join(_ESCAPES.get(c, c if c.isprintable() else _escaped(c)) for c in value) + '"'


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04X}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08X}"


def number_text(value: Fraction) -> str:
    """A number with all its decimals and no more. Raises ValueError where it has no end of them."""
    digits, rest = 0, value.denominator
    while rest % 10 == 0:
        digits, rest = digits + 1, rest // 10
    for factor in (2, 5):
        while rest % factor == 0:
            digits, rest = digits + 1, rest // factor
    if rest != 1:
        raise ValueError(f"{value} has no end of decimals")
    whole = abs(value.numerator) * 10**digits // value.denominator
    text = str(whole).rjust(digits + 1, "0")
    text = f"{text[: len(text) - digits]}.{text[len(text) - digits :]}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 else text
