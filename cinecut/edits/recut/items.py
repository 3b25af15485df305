"""The timeline of a spec, entry by entry: its content, its text in the file, and its place; and the same with other
names of films, as a spec of another version has them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.diagnostics import Report
from cinecut.known.record import key_of
from cinecut.language.document import Document, ListNode, MapNode, parse_document, repeated
from cinecut.language.document.comments import remarks_of
from cinecut.language.document.edit import Edits
from cinecut.language.document.layout import Remark, print_flow, print_tree
from cinecut.language.events import ActMarker, Cue, Entry
from cinecut.language.spec import Spec
from cinecut.language.timebase import FilmRange
from cinecut.language.write import write_spec


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """An entry of a timeline. `key`: its content without alternatives, which analyze only offers. `rows`: its text in
    the file, with its comments, its dash in column 0."""

    entry: Entry
    key: str
    comments: tuple[str, ...]
    rows: str
    act: str
    placed: Placed | None  # None: an act begins here

    @property
    def marker(self) -> bool:
        return self.placed is None

    @property
    def kind(self) -> str:
        return type(self.entry).__name__.lower()

    @property
    def cue(self) -> Cue | None:
        """The song that begins with it, if any."""
        return None if isinstance(self.entry, ActMarker) else self.entry.cue

    @property
    def film(self) -> FilmRange | None:
        """The range of the film that it shows, if any."""
        return self.placed.film if isinstance(self.placed, PlacedShot) else None

    @property
    def seconds(self) -> Fraction:
        return self.placed.end - self.placed.start if self.placed is not None else Fraction(0)

    @property
    def middle(self) -> Fraction:
        """Trailer seconds."""
        return (self.placed.start + self.placed.end) / 2 if self.placed is not None else Fraction(0)


def items_of(document: Document, layout: Layout) -> list[Item]:
    """The entries of a timeline, in order. `document`: with its entries in rows."""
    assert isinstance(document.root, MapNode)
    edits, remarks = Edits(document), remarks_of(document)
    sequence = edits.sequence(("timeline",))
    comments: dict[int, list[str]] = {}
    for path, remark in remarks.items():
        if len(path) > 1 and path[0] == "timeline":
            comments.setdefault(int(path[1]), []).extend(_texts(remark))
    first = layout.trailer.spec.name_of("")
    plain = {first: None} if first is not None else {}
    placed, items, act, end = iter(layout.timeline.events), list[Item](), "", None
    for number, entry in enumerate(layout.trailer.spec.timeline):
        where = None if isinstance(entry, ActMarker) else next(placed)
        act = entry.act if isinstance(entry, ActMarker) else act
        rows, end = _rows(edits, sequence, number, end)
        said = tuple(comments.get(number, ()))
        key = key_of(renamed(entry, plain))
        items.append(Item(entry, key, said, rows, (where.act if where else act) or "", where))
    return items


def in_rows(document: Document) -> Document:
    """The document with each entry of its timeline written out in rows of its own, if one is repeated by an alias, or
    comments stand between entries in brackets."""
    timeline = document.root.get("timeline") if isinstance(document.root, MapNode) else None
    if not isinstance(timeline, ListNode):
        return document
    remarks = remarks_of(document).items() if timeline.flow else ()
    commented = any(path[:1] == ("timeline",) and (len(path) > 1 or remark.below) for path, remark in remarks)
    return written_out(document) if commented or any(repeated(timeline)) else document


def written_out(document: Document) -> Document:
    """The document without brackets around comments, and without anchors and aliases: each value stands where it is
    used."""
    assert isinstance(document.root, MapNode)
    text = print_tree(document.root, remarks_of(document))
    text = text.replace("\n", "\r\n") if "\r\n" in document.text else text
    return parse_document(document.path, document.mark + text, Report())


def _texts(remark: Remark) -> list[str]:
    return [text for text in (*remark.above, remark.beside, *remark.below) if text]


def _rows(edits: Edits, items: ListNode, number: int, before: int | None) -> tuple[str, int | None]:
    """An entry's text with the comments since the entry before it, which ends in row `before`; and its last row. In a
    list in brackets an entry stands alone."""
    if items.flow:
        return f"- {edits.text_of(items, number)}", None
    first, last = edits.rows_of(items, number)
    if before is not None:
        first = min(first, before + 1)
    rows = edits.lines[first : last + 1]
    while not rows[0].strip():
        rows.pop(0)
    column = items.span.column
    return "\n".join(row[column:] if not row[:column].strip() else row.lstrip() for row in rows), last


def with_items(document: Document, rows: Sequence[str]) -> str:
    """The document with these entries as its timeline; every byte outside stays."""
    edits = Edits(document)
    items = edits.sequence(("timeline",))
    if items.flow:
        edits.made[items.span] = "[\n    " + ",\n    ".join(map(_in_brackets, rows)) + "\n  ]"
        return edits.text()
    indent = " " * items.span.column
    text = "\n".join(textwrap.indent(each, indent) for each in rows)
    first, last = edits.rows_of(items, 0)[0], edits.rows_of(items, len(items.items) - 1)[1]
    edits.put(first, 0, last, len(edits.lines[last]), text)
    return edits.text()


def _in_brackets(rows: str) -> str:
    """An entry for a list in brackets, where rows cannot have comments."""
    if rows.lstrip().startswith("- {"):
        return rows.lstrip().removeprefix("- ")
    root = parse_document(Path("entry"), rows.strip("\n") + "\n", Report()).root
    assert isinstance(root, ListNode)
    return print_flow(root.items[0])


Part = TypeVar("Part")


def renamed(part: Part, names: Mapping[str, str | None]) -> Part:
    """A part of a spec with the films' new names; None stands for the first film, which need not be named."""
    if isinstance(part, tuple):
        return tuple(renamed(each, names) for each in part)  # type: ignore[return-value]
    if not is_dataclass(part) or isinstance(part, type):
        return part
    values = {item.name: getattr(part, item.name) for item in fields(part) if item.name != "place"}
    new = {
        key: names.get(value, value) if key == "film" and isinstance(value, str) else renamed(value, names)
        for key, value in values.items()
    }
    changed = {key: value for key, value in new.items() if value is not values[key]}
    return replace(part, **changed) if changed else part


def named_as(document: Document, spec: Spec, other: Spec) -> str:
    """The spec's text with the film names of another spec that starts with the same films in the same order."""
    if spec.films is None or other.films is None or list(spec.films) == list(other.films)[: len(spec.films)]:
        return document.text
    names = dict(zip(spec.films, other.films, strict=False))
    films = {names.get(name, name): film for name, film in spec.films.items()}
    return write_spec(replace(renamed(spec, names), films=films), remarks_of(document))
