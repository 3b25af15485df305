"""The comments of a document, each with the entry that it belongs to.

A comment at the end of a line belongs to what ends there. One on a line of its own belongs to the entry that follows,
or, where it is indented deeper than that one, to the end of the block before.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass

from cinecut.diagnostics import Span
from cinecut.language.document import Document, MapNode, Node, NodePath, Scalar, children, end_of, repeated
from cinecut.language.document.layout import Remark

_Place = tuple[int, int]  # line and column


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key with its value, or an item of a list. `one_line`: its value is no block."""

    path: NodePath
    start: _Place
    end: _Place
    one_line: bool


@dataclass(slots=True)
class _Comment:
    """A comment or an empty row (text ""), and where it stands."""

    place: _Place
    text: str


def remarks_of(document: Document) -> dict[NodePath, Remark]:
    """Every comment of a document, and its empty rows, by the path of its entry."""
    return _Collector(document).collect()


def comments_of(document: Document) -> Iterator[str]:
    """Every comment of a document."""
    for remark in remarks_of(document).values():
        yield from filter(None, (*remark.above, remark.beside, *remark.below))


def anchors_of(document: Document) -> dict[Span, str]:
    """The names of the nodes that stand in several places, by their span."""
    counts: Counter[Span] = Counter()

    def visit(node: Node) -> None:
        counts[node.span] += 1
        if counts[node.span] == 1:
            for _, child in children(node):
                visit(child)

    if document.root is not None:
        visit(document.root)
    names: dict[Span, str] = {}
    for span in (span for span, count in counts.items() if count > 1):
        mark = re.match(r"&([^\s,\[\]{}]+)", document.lines[span.line][span.column :])
        if mark is not None:
            taken = set(names.values())
            names[span] = next(n for n in (mark[1] + "_" * k for k in range(len(taken) + 1)) if n not in taken)
    return names


class _Collector:
    def __init__(self, document: Document) -> None:
        self.lines = document.lines
        self.blocks: dict[NodePath, int] = {}  # the column of each block's entries
        self.flows: dict[NodePath, tuple[_Place, _Place]] = {}
        self.hidden: dict[int, list[tuple[int, int]]] = {}  # columns of each line that texts take
        self.empty: set[NodePath] = set()  # the flows that hold nothing
        self.entries: list[_Entry] = []
        if document.root is not None:
            self.visit(document.root, ())
        self.entries.sort(key=lambda entry: (entry.start, len(entry.path)))
        self.starts = [entry.start for entry in self.entries]
        self.ends: dict[int, list[_Entry]] = {}
        for entry in self.entries:
            self.ends.setdefault(entry.end[0], []).append(entry)
        self.above: dict[NodePath, list[str]] = {}
        self.beside: dict[NodePath, str] = {}
        self.below: dict[NodePath, list[str]] = {}

    def visit(self, node: Node, path: NodePath) -> None:
        span = node.span
        if isinstance(node, Scalar):
            self.hide(span)
        elif node.flow:
            self.flows[path] = (span.line, span.column), (span.end_line, span.end_column)
            self.empty |= set() if children(node) else {path}
        elif isinstance(node, MapNode):
            self.blocks[path] = min((key.column for key in node.keys.values()), default=span.column)
        else:
            self.blocks[path] = span.column
        for (step, child), again in zip(children(node), repeated(node), strict=True):
            here = (*path, step)
            one_line = isinstance(child, Scalar) or child.flow or again
            if isinstance(node, MapNode):
                key = node.keys[str(step)]
                self.hide(key)
                end = (key.end_line, key.end_column) if again else end_of(child)
                self.entries.append(_Entry(here, (key.line, key.column), end, one_line))
            elif not again:
                self.entries.append(_Entry(here, self.start_of(node, child), end_of(child), one_line))
            if not again:
                self.visit(child, here)

    def start_of(self, items: Node, item: Node) -> _Place:
        """Where an item of a list begins: at its dash."""
        line, column = item.span.line, items.span.column
        while not items.flow and line > items.span.line and self.lines[line][column : column + 1] != "-":  # type: ignore
            line -= 1
        return (item.span.line, item.span.column) if items.flow else (line, column)  # type: ignore

    def hide(self, span: Span) -> None:
        first = span.line + (self.lines[span.line][span.column : span.column + 1] in ("|", ">"))
        for line in range(first, span.end_line + 1):
            begin = span.column if line == span.line else 0
            end = span.end_column if line == span.end_line else len(self.lines[line])
            self.hidden.setdefault(line, []).append((begin, end))

    def collect(self) -> dict[NodePath, Remark]:
        waiting: list[_Comment] = []
        for number, line in enumerate(self.lines):
            sign = self.comment_at(number, line)
            content = line[:sign].strip() if sign is not None else line.strip()
            inside = not content and number in self.hidden  # an empty row of a text
            if content in ("---", "...") or content.startswith("%") or inside:
                content, sign = "", None if inside or sign is None else sign
                if sign is None:
                    continue
            if content:
                self.settle(waiting, number)
                waiting = []
            if sign is not None:
                comment = _Comment((number, sign), line[sign:].rstrip())
                if not content or not self.put_beside(comment):
                    waiting.append(comment)
            elif not content and (waiting or number) and not (waiting and not waiting[-1].text):
                waiting.append(_Comment((number, 0), ""))
        while waiting and not waiting[-1].text:
            waiting.pop()
        self.settle(waiting, len(self.lines))
        paths = dict.fromkeys([*self.above, *self.beside, *self.below])
        rows = {p: (tuple(self.above.get(p, ())), self.beside.get(p, ""), tuple(self.below.get(p, ()))) for p in paths}
        return {path: Remark(*parts) for path, parts in rows.items() if any(parts)}

    def comment_at(self, number: int, line: str) -> int | None:
        """The column of the line's comment."""
        hidden = self.hidden.get(number, [])
        for match in re.finditer(r"(?:^|(?<=[ \t\]},'\"]))#", line):
            if not any(begin <= match.start() < end for begin, end in hidden):
                return match.start()
        return None

    def put_beside(self, comment: _Comment) -> bool:
        """Give a comment to the largest thing that ends on its line, else to the last key of the line."""
        line = comment.place[0]
        ended = [entry for entry in self.ends.get(line, ()) if entry.one_line]
        begun = self.entries[bisect_left(self.starts, (line, 0)) : bisect_left(self.starts, (line + 1, 0))]
        begun = [entry for entry in begun if isinstance(entry.path[-1], str) and entry.end[0] > line]
        best = max(ended, key=lambda entry: (-len(entry.path), entry.start), default=None)
        if best is None or (begun and begun[-1].start > best.start):
            best = begun[-1] if begun else None
        if best is None:
            return False
        self.beside[best.path] = " ".join(filter(None, (self.beside.get(best.path), comment.text)))
        return True

    def settle(self, waiting: list[_Comment], until: int) -> None:
        """Give comments on lines of their own to what follows, or to the end of a block before."""
        index = bisect_left(self.starts, (until, 0))
        follows = self.entries[index] if index < len(self.entries) else None
        rows: list[str] = []
        for comment in waiting:
            rows.append(comment.text)
            if comment.text and (block := self.ended(comment.place, follows)) is not None:
                (self.above if block in self.empty else self.below).setdefault(block, []).extend(rows)
                rows = []
        if rows and follows is not None and index == 0:
            rows = rows[1:] if not rows[0] else rows
            cut = self.head_of(rows)
            head, rows = rows[:cut], rows[cut:]
            self.above[()] = head[:-1] if head and not head[-1] else head
        if rows and follows is not None:
            above = self.above.setdefault(follows.path, [])
            above.extend(rows[1:] if above and not above[-1] and not rows[0] else rows)

    def ended(self, place: _Place, follows: _Entry | None) -> NodePath | None:
        """The collection at the end of which a comment stands; None where it belongs to what follows."""
        index = bisect_right(self.starts, place) - 1
        if index < 0:
            return None if follows is not None else ()
        before = self.entries[index].path
        for path in (before[:length] for length in range(len(before), 0, -1)):
            begin, end = self.flows.get(path, (place, place))
            if begin < place < end:
                return None if follows is not None and _holds(path, follows.path) else path
        inside = [before[:length] for length in range(len(before))]
        around = [p for p in inside if p in self.blocks and (follows is None or not _holds(p, follows.path))]
        fitting = [path for path in around if self.blocks[path] <= place[1]]
        if follows is None:
            return fitting[-1] if fitting else ()
        deeper = place[1] > self.blocks.get(follows.path[:-1], follows.start[1])
        return fitting[-1] if fitting and deeper else None

    def head_of(self, rows: list[str]) -> int:
        """How many of the rows before the first key belong to the whole file."""
        if "" in rows:
            return len(rows) - rows[::-1].index("")
        return max((n for n, row in enumerate(rows, 1) if "yaml-language-server" in row), default=0)


def _holds(outer: NodePath, inner: NodePath) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def swallowed(document: Document, keys: Container[str]) -> Iterator[tuple[Span, str]]:
    """Comments right after the unquoted words of such a key that look like more of these: `card: We are #1`."""
    lines = document.lines

    def visit(node: Node, key: str) -> Iterator[tuple[Span, str]]:
        if isinstance(node, Scalar):
            line, column = node.span.end_line, node.span.end_column
            if key in keys and node.plain and (more := _GLUED.match(lines[line], column)):
                yield Span(node.span.file, line, more.start(1), line, more.end(1)), more[1]
            return
        for step, child in children(node):
            yield from visit(child, step if isinstance(step, str) else key)

    if document.root is not None:
        yield from visit(document.root, "")


_GLUED = re.compile(r"[ \t]+(#[^\s#].*?)\s*$")
