"""Edits of a document that leave every other byte as it is: values set; list entries put in, taken out and moved."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cinecut.diagnostics import Span, Stop
from cinecut.language.document import Document, ListNode, MapNode, Node, NodePath, Scalar, end_of, repeated
from cinecut.language.document.layout import print_flow, print_value


class Edits:
    """Edits of one document, collected, then made at once. They must not overlap."""

    def __init__(self, document: Document) -> None:
        self.document, self.lines = document, document.lines
        self.made: dict[Span, str] = {}

    def text(self) -> str:
        """The whole text with all edits made."""
        return self.document.replaced(list(self.made.items()))

    def set(self, path: NodePath, value: Node) -> None:
        """Give a key its value, instead of the one that it has or after the last key. Raises Stop on an alias."""
        parent, key = self.node(path[:-1]), str(path[-1])
        assert isinstance(parent, MapNode)
        if key not in parent.entries:
            self.append(parent, key, value)
        elif parent.is_alias(key):
            raise Stop("yaml", f"`{key}` is an alias here: write it out", span=parent.keys[key])
        else:
            self.replace(parent, key, value)

    def fill(self, path: NodePath, short: str, values: Mapping[str, Node]) -> None:
        """Give a record values. One that stands in its short form, the value of `short` alone, gets its long one.
        Raises Stop on an alias."""
        record, parent = self.node(path), self.node(path[:-1])
        if isinstance(parent, MapNode) and parent.is_alias(str(path[-1])):
            place = parent.keys[str(path[-1])]
            raise Stop("yaml", "nothing has a place below an alias: write it out", span=place)
        if isinstance(record, Scalar):
            self.lengthen(path, record, short, values)
        else:
            for key, value in values.items():
                self.set((*path, key), value)

    def remove(self, path: NodePath) -> None:
        """Take a key with its value out of a mapping. Raises Stop where it is the only one, or an alias."""
        parent, key = self.node(path[:-1]), str(path[-1])
        assert isinstance(parent, MapNode)
        if len(parent.entries) == 1 or parent.is_alias(key):
            raise Stop("yaml", f"`{key}` cannot be removed: it is the only key here", span=parent.keys[key])
        keys, place = list(parent.keys), parent.keys[key]
        number = keys.index(key)
        if number + 1 < len(keys) and (parent.flow or self.lines[place.line][: place.column].strip()):
            after = parent.keys[keys[number + 1]]
            self.put(place.line, place.column, after.line, after.column, "")
        elif parent.flow:
            self.put(*self.end(parent, keys[number - 1]), *self.end(parent, key), "")
        else:
            self.drop_rows(place.line, self.end(parent, key)[0])

    def insert(self, path: NodePath, index: int, item: Node) -> None:
        """Put an item into a list, before the one that has the index now."""
        items = self.sequence(path)
        self.put_item(items, index, print_flow(item) if items.flow else None, item)

    def take_out(self, path: NodePath, index: int) -> None:
        """Take an item out of a list, with the comments on it. Raises Stop where it is the only one."""
        items = self.sequence(path)
        if len(items.items) == 1:
            raise Stop("yaml", "the only entry cannot be removed", span=items.items[0].span)
        self.drop_item(items, index)

    def set_item(self, path: NodePath, value: Node) -> None:
        """Put a value into the place of an item of a list."""
        self.made[self.node(path).span] = print_flow(value)

    def copy(self, path: NodePath, index: int) -> None:
        """Put an item into its list once more, after itself, with the comments on it."""
        items = self.sequence(path)
        self.put_item(items, index + 1, self.text_of(items, index), None)

    def move(self, path: NodePath, index: int, to: int) -> None:
        """Take an item, with the comments on it, to where another stands: to the place that it has afterwards."""
        items = self.sequence(path)
        if index == to:
            return
        before = to + 1 if to > index else to
        text = self.text_of(items, index)
        self.drop_item(items, index)
        self.put_item(items, before, text, None)

    def exchange_comments(self, one: NodePath, other: NodePath) -> None:
        """Give two values each other's comment. Nothing is done where one of them can have none of its own."""
        here, there = self._beside(one), self._beside(other)
        if here is not None and there is not None:
            self.made[here[0]], self.made[there[0]] = there[1], here[1]

    def comment(self, path: NodePath) -> str:
        """The comment beside a value; "" where there is none."""
        here = self._beside(path)
        return here[1].strip() if here is not None else ""

    def drop_comment(self, path: NodePath) -> None:
        """Take away the comment beside a value."""
        if (here := self._beside(path)) is not None:
            self.made[here[0]] = ""

    def _beside(self, path: NodePath) -> tuple[Span, str] | None:
        """The rest of a value's line, and the comment in it; None in brackets, and beside a block or an alias."""
        parent, node = self.node(path[:-1]), self.node(path)
        again = isinstance(parent, MapNode) and parent.is_alias(str(path[-1]))
        if isinstance(parent, Scalar) or parent.flow or again or not (isinstance(node, Scalar) or node.flow):
            return None
        line, column = end_of(node)
        end = len(self.lines[line])
        return Span(str(self.document.path), line, column, line, end), self.lines[line][column:].rstrip()

    # The places

    def node(self, path: NodePath) -> Node:
        node = self.document.root
        for step in path:
            node = node.entries[str(step)] if isinstance(node, MapNode) else node.items[int(step)]  # type: ignore
        assert node is not None
        return node

    def sequence(self, path: NodePath) -> ListNode:
        """A list, the items of which all stand where they are written."""
        items = self.node(path)
        assert isinstance(items, ListNode)
        for item, again in zip(items.items, repeated(items), strict=True):
            if again:
                raise Stop("yaml", "this list repeats an entry by *: write it out", span=item.span)
        return items

    def put(self, line: int, column: int, end_line: int, end_column: int, text: str) -> None:
        span = Span(str(self.document.path), line, column, end_line, end_column)
        self.made[span] = self.made.get(span, "") + text

    def printed(self, value: Node, indent: str, head: str, row: int) -> str:
        """A value as it is printed after a row: an indented comment below must not become a part of its text."""
        below = next((line for line in self.lines[row + 1 :] if line.strip()), "")
        return print_value(value, indent, head, literal=not below.lstrip(" ").startswith("#") or below.startswith("#"))

    def end(self, parent: MapNode, key: str) -> tuple[int, int]:
        if parent.is_alias(key):
            place = parent.keys[key]
            alias = re.match(r":\s*\*[^\s,\[\]{}]+", self.lines[place.end_line][place.end_column :])
            return place.end_line, place.end_column + (len(alias[0]) if alias else 0)
        return end_of(parent.entries[key])

    # Keys

    def replace(self, parent: MapNode, key: str, value: Node) -> None:
        old, place = parent.entries[key], parent.keys[key]
        if parent.flow:
            self.made[old.span] = print_flow(value)
            return
        indent, head = " " * place.column, self.lines[place.line][place.end_column :]
        text = self.printed(value, indent, "", end_of(old)[0])
        if (isinstance(old, Scalar) or old.flow) and text.startswith(" "):
            self.made[old.span] = text[1:]
            return
        first, _, rest = text.partition("\n")
        note = f"   {head[1:].strip()}" if head[1:].strip().startswith("#") else ""
        rest = f"\n{rest}" if rest else ""
        line, column = end_of(old)
        after = self.lines[line][column:] if isinstance(old, Scalar) or old.flow else ""
        end = len(self.lines[line]) if rest else column
        self.put(place.line, place.end_column, line, end, f":{first}{note}{after if rest else ''}{rest}")

    def append(self, parent: MapNode, key: str, value: Node) -> None:
        """After the last key that stands there."""
        if not parent.keys:
            self.made[parent.span] = print_flow(MapNode.of({key: value}))
            return
        line, column = self.end(parent, list(parent.keys)[-1])
        if parent.flow:
            self.put(line, column, line, column, f", {key}: {print_flow(value)}")
            return
        indent = " " * min(place.column for place in parent.keys.values())
        end = len(self.lines[line])
        self.put(line, end, line, end, f"\n{indent}{key}:{self.printed(value, indent, '', line)}")

    def lengthen(self, path: NodePath, node: Scalar, short: str, values: Mapping[str, Node]) -> None:
        """`film: film.mp4` becomes `file` and what else there is below `film`. A comment stays with the name, an anchor
        above."""
        parent, key, span = self.node(path[:-1]), str(path[-1]), node.span
        assert isinstance(parent, MapNode)
        line = self.lines[span.line]
        own = line[span.column : span.end_column] if span.end_line == span.line else print_flow(node)
        anchor = re.match(r"&\S+", line[span.column :])
        mark = anchor[0] if anchor else ""
        name = print_flow(values[short]) if short in values else own.removeprefix(mark).lstrip()
        more = {key: value for key, value in values.items() if key != short}
        if parent.flow:
            parts = [f"{short}: {name}", *(f"{key}: {print_flow(value)}" for key, value in more.items())]
            self.made[span] = f"{mark} {{{', '.join(parts)}}}".lstrip()
            return
        last, before = self.lines[span.end_line], line[: span.column]
        if before.strip():
            indent = " " * (parent.keys[key].column + 2)
            start, head = len(before.rstrip()), f" {mark}".rstrip() + f"\n{indent}"  # right after the colon
        else:  # the name stands below its key already
            indent, start, head = before, span.column, f"{mark}\n{before}" if mark else ""
        rows = "".join(
            f"\n{indent}{key}:{self.printed(value, indent, '', span.end_line)}" for key, value in more.items()
        )
        text = f"{head}{short}: {name}{last[span.end_column :]}{rows}"
        self.put(span.line, start, span.end_line, len(last), text)

    # Items

    def rows_of(self, items: ListNode, index: int) -> tuple[int, int]:
        """The first and the last row of an item of a block, with the comments that stand right on and in it."""
        column, first = items.span.column, items.items[index].span.line
        while self.lines[first][column : column + 1] != "-" or self.lines[first][:column].strip():
            first -= 1
        while first > items.span.line - 1 and re.match(rf" {{{column}}}#", self.lines[first - 1]):
            first -= 1
        last = end_of(items.items[index])[0]
        while last + 1 < len(self.lines) and re.match(rf" {{{column + 1},}}#", self.lines[last + 1]):
            last += 1
        return first, last

    def text_of(self, items: ListNode, index: int) -> str:
        """An item as it stands there, with the comments on it."""
        if items.flow:
            span = items.items[index].span
            return self.document.between((span.line, span.column), (span.end_line, span.end_column))
        first, last = self.rows_of(items, index)
        return "\n".join(self.lines[first : last + 1])

    def drop_rows(self, first: int, last: int) -> None:
        """Rows with the line end before them, or after them at the head of the file, which has other rows."""
        if first == 0:
            self.put(0, 0, last + 1, 0, "")
        else:
            self.put(first - 1, len(self.lines[first - 1]), last, len(self.lines[last]), "")

    def drop_item(self, items: ListNode, index: int) -> None:
        if not items.flow:
            self.drop_rows(*self.rows_of(items, index))
            return
        span = items.items[index].span
        if index + 1 < len(items.items):
            after = items.items[index + 1].span
            self.put(span.line, span.column, after.line, after.column, "")
        else:
            before = items.items[index - 1].span
            self.put(before.end_line, before.end_column, span.end_line, span.end_column, "")

    def put_item(self, items: ListNode, index: int, text: str | None, item: Node | None) -> None:
        """`text` as it stands there, or an item to be printed."""
        if items.flow:
            at = items.items[min(index, len(items.items) - 1)].span
            if index < len(items.items):
                self.put(at.line, at.column, at.line, at.column, f"{text}, ")
            else:
                self.put(at.end_line, at.end_column, at.end_line, at.end_column, f", {text}")
            return
        row = self.rows_of(items, index - 1)[1] if index else self.rows_of(items, 0)[0] - 1
        if text is None and item is not None:
            indent = " " * items.span.column
            text = self.printed(item, indent, f"{indent}-", row)
        end = len(self.lines[row])
        self.put(row, end, row, end, f"\n{text}")
