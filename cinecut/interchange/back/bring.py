"""A file that an editing program wrote, brought back as a change of the spec.

The straight line:

    spec ─ export ─► its cut today ─┐
    file ─ read ──► the cut there is┴─ compare ─► changes ─ amend ─► the spec's new text ─ export ─► is it that cut?

Both cuts come through the same reader, so what nobody changed is no change. What the new text does not make is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from operator import methodcaller
from pathlib import Path

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Report, Stop, excerpt
from cinecut.edits.changes.compare import comments_gone
from cinecut.edits.changes.matching import standing
from cinecut.edits.verbs.entries import Entries, entries_of
from cinecut.edits.verbs.values import set_title
from cinecut.files import open_file
from cinecut.interchange.back.amendments import Amended, Changes, New
from cinecut.interchange.back.changes import Comparison, FilmNamed
from cinecut.interchange.back.matching import as_they_stood
from cinecut.interchange.build import ExportOptions, Shelf, sequence_of
from cinecut.interchange.export import TARGETS, layout_for, written
from cinecut.interchange.readers.cut import EditorCut, Media
from cinecut.language.document import Document, ListNode, MapNode, parse_document, read_document
from cinecut.language.document.edit import Edits
from cinecut.language.events import Clip
from cinecut.language.timebase import FilmTime, Length, Numbering
from cinecut.language.write import set_clip, value_tree
from cinecut.render.check import laid_out

# the end of a file's name: the target that writes such files
_KINDS = {".otio": "otio", ".fcpxml": "fcp", ".edl": "edl", ".xml": "premiere"}


@dataclass(frozen=True, slots=True)
class Brought:
    """The spec's text before and after; what was changed, in words; and what is to be done by hand."""

    was: str
    text: str
    said: list[str]
    by_hand: list[str]


def bring(spec: Path, file: Path) -> Brought:
    """Bring the changes in a file back into a spec. Raises Stop where either cannot be read, or the film differs."""
    layout, document = layout_for(spec), read_document(spec, Report())
    was = document.mark + document.text
    with open_file(file) as opened:
        data = opened.read()
    target = kind_of(file.name, data)
    before = today(layout, spec.parent, target)
    after = _read(file.name, data, layout, before.known)
    _check_film(layout, file, before, after)
    after = as_they_stood(before, after)
    changes = compared(layout, spec.parent, before, after)
    if changes.none:
        return Brought(was, was, changes.said, changes.by_hand)
    text = amended(document, layout, changes)
    left = _differences(spec, text, target, after)
    gone = comments_gone(document, parse_document(spec, text, Report()), layout.trailer.spec)
    by_hand = [*changes.by_hand, *(each for each in left if each not in changes.by_hand)]
    return Brought(was, text, [*changes.said, *(each.text for each in gone)], by_hand)


def today(layout: Layout, folder: Path, target: str) -> EditorCut:
    """The cut that a target's reader reads from what the spec exports now."""
    wishes = ExportOptions(folder)
    sequence = sequence_of(layout, "cut", wishes)
    known = [*Shelf(wishes, layout.timeline.rate).films(layout.trailer).values(), *sequence.media]
    end = TARGETS[target][2]
    return _read(f"export{end}", written(target, sequence).files[end], layout, Media(tuple(dict.fromkeys(known))))


def compared(layout: Layout, folder: Path, before: EditorCut, after: EditorCut) -> Changes:
    """The changes from one cut to the other; names of media are relative to `folder`."""
    films = dict[str, FilmNamed]()
    for key, medium in Shelf(ExportOptions(folder), layout.timeline.rate).films(layout.trailer).items():
        first = medium.numbered.first / medium.numbered.rate
        named = FilmNamed(layout.trailer.spec.name_of(key), first)
        films.setdefault(before.known.called(medium.path, medium.reel), named)
    return Comparison(layout, before, after, films).changed()


def kind_of(name: str, data: bytes) -> str:
    """The target that writes files of this kind. Raises Stop where we have no reader for it."""
    head = data[:2000]
    if b"<xmeml" in head:
        return "premiere"
    if b"<fcpxml" in head:
        return "fcp"
    known = _KINDS.get(Path(name).suffix.lower())
    if known is None or b"<mlt" in head:
        hint = "what comes back is .otio, .fcpxml, .xml of Premiere Pro, or .edl"
        raise Stop("option", f"{name} is not a kind of file that can be imported", hint)
    return known


def read_cut(name: str, data: bytes, rate: Fraction, known: Media) -> EditorCut:
    """The cut in a file of any readable kind; `rate` is used if the file names none. Raises Stop."""
    reader = import_module(f"cinecut.interchange.readers.{TARGETS[kind_of(name, data)][0]}")
    try:
        cut: EditorCut = reader.read(data, name, rate, known)
    except (ArithmeticError, ValueError) as error:
        raise Stop("unreadable", f"{name} has a number that cannot be one of a timeline: {excerpt(error)}") from None
    return cut


def _read(name: str, data: bytes, layout: Layout, known: Media) -> EditorCut:
    cut = read_cut(name, data, layout.timeline.rate, known)
    if cut.rate != layout.timeline.rate:
        rates = f"{float(cut.rate):.6g} frames a second, not {float(layout.timeline.rate):.6g}"
        raise Stop("other-file", f"{name} has {rates}", "set the project to the trailer's rate, and export it again")
    return cut


def _check_film(layout: Layout, file: Path, before: EditorCut, after: EditorCut) -> None:
    own, theirs = ({piece.medium for piece in cut.pieces} for cut in (before, after))
    if own and not own & theirs and (theirs or not after.lines):
        raise shows_others(file.name, theirs, [film.file for film in layout.trailer.spec.every_film.values()])


def shows_others(name: str, shown: Collection[str], films: Iterable[str]) -> Stop:
    """The mistake of a timeline in which nothing of the films is shown."""
    others = f"{', '.join(sorted(shown)[:3])}, and " if shown else ""
    return Stop("other-file", f"{name} shows {others}nothing of {' or '.join(films)}", "is it the right timeline?")


def _differences(spec: Path, text: str, target: str, wanted: EditorCut) -> list[str]:
    """Where the new text still differs from the file. Raises Stop where the text is not a valid spec."""
    layout = laid_out(parse_document(spec, text, Report()))
    cut = today(layout, spec.parent, target)
    made = {(piece.medium, piece.start): piece for piece in cut.pieces}
    left = []
    for piece in wanted.pieces:
        other = made.get((piece.medium, piece.start))
        if other is None:
            left.append(f"{piece.medium} at frame {piece.start}: the spec shows something else there")
        elif (other.end, other.speed) != (piece.end, piece.speed):
            left.append(
                f"{piece.medium} at frame {piece.start}: it ends at {other.end} in the spec, not at {piece.end}"
            )
        elif abs(other.source - piece.source) * cut.known.rate(piece.medium, cut.rate) >= 1:
            left.append(f"{piece.medium} at frame {piece.start}: the spec shows another moment of it")
    return left


# The spec's text

_TIMELINE = ("timeline",)


def amended(document: Document, layout: Layout, changes: Changes) -> str:
    """The text of a spec with the changes: new values, then removals, then the order, then new events. Every other byte
    stays."""
    places = entries_of(layout)
    document = _with_values(document, layout, changes, places)
    ids = [*range(len(layout.trailer.spec.timeline))]  # of the entries as they stand now, by their first places
    for placed in reversed(changes.removed):
        at = ids.index(places[placed.number - 1])
        document = _edited(document, methodcaller("take_out", _TIMELINE, at))
        del ids[at]
    wanted = [each for each in changes.order if isinstance(each, Amended)]
    document, ids = _ordered(document, ids, [places[each.placed.number - 1] for each in wanted], places)
    return _with_new(document, changes, ids, places).text


def _edited(document: Document, edit: Callable[[Edits], None]) -> Document:
    edits = Edits(document)
    edit(edits)
    report = Report()
    edited = parse_document(document.path, edits.text(), report)
    report.stop_on_error()
    return edited


def _with_values(document: Document, layout: Layout, changes: Changes, places: list[int]) -> Document:
    numbering = Entries(Edits(document), layout).numbering

    def edit(edits: Edits) -> None:
        for event in changes.order:
            if isinstance(event, Amended):
                at = places[event.placed.number - 1]
                _values(edits, event, at, numbering)
                _remarks(edits, event, at)

    return _edited(document, edit)


def _values(edits: Edits, event: Amended, at: int, numbering: Numbering) -> None:
    entry = edits.node(("timeline", at))
    assert isinstance(entry, MapNode)
    for keys, value in event.values.items():
        path = ("timeline", at, *keys)
        if isinstance(value, Clip):
            set_clip(edits, path, value, numbering)
        elif isinstance(value, tuple):
            edits.set(path, ListNode(tuple(value_tree(title) for title in value)))
        elif keys[0] == "titles" and value is not None:
            set_title(edits, path[:-1], int(path[-1]), str(value))
        elif value is not None:
            edits.set(path, value_tree(value))
        elif keys[0] in entry.entries:
            edits.remove(path)


def _remarks(edits: Edits, event: Amended, at: int) -> None:
    items = edits.sequence(("timeline",))
    if event.remarks and not items.flow:
        row = edits.rows_of(items, at)[0]
        before = edits.lines[row - 1]
        rows = "".join(f"\n{' ' * items.span.column}# {remark}" for remark in event.remarks)
        edits.put(row - 1, len(before), row - 1, len(before), rows)


def _ordered(document: Document, ids: list[int], wanted: list[int], places: list[int]) -> tuple[Document, list[int]]:
    """The remaining entries in their new order. Act markers stay before the event that followed them."""
    target = _with_acts(ids, wanted, set(places))
    ranks = {entry: rank for rank, entry in enumerate(target)}
    still = standing([ranks[entry] for entry in ids])
    for rank, entry in enumerate(target):
        if rank in still:
            continue
        at = ids.index(entry)
        rest = [each for each in ids if each != entry]
        to = rest.index(target[rank - 1]) + 1 if rank else 0
        document = _edited(document, methodcaller("move", _TIMELINE, at, to))
        ids = [*rest[:to], entry, *rest[to:]]
    return document, ids


def _with_acts(ids: list[int], wanted: list[int], events: set[int]) -> list[int]:
    acts: dict[int | None, list[int]] = {}
    waiting: list[int] = []
    for entry in ids:
        if entry in events:
            acts[entry] = waiting
            waiting = []
        else:
            waiting.append(entry)
    return [each for entry in wanted for each in (*acts.get(entry, ()), entry)] + waiting


def _with_new(document: Document, changes: Changes, ids: list[int], places: list[int]) -> Document:
    """The text with the events that the file adds."""
    at = 0
    for event in changes.order:
        if isinstance(event, Amended):
            at = ids.index(places[event.placed.number - 1]) + 1
            continue
        document = _edited(document, methodcaller("insert", _TIMELINE, at, _entry(event)))
        ids = [*ids[:at], -1, *ids[at:]]
        at += 1
    return document


def _entry(event: New) -> MapNode:
    length = Length(Fraction(event.frames), "f")
    if event.source is None:
        entries = {"black": value_tree(f"{event.frames}f")}
    else:
        clip = Clip(film=event.film, in_=FilmTime(max(Fraction(0), event.source)), out=None, for_=length)
        entries = {"shot": value_tree(clip)}
        if event.speed != 1:
            entries["speed"] = value_tree(event.speed)
        entries["by"] = value_tree("user")
    return MapNode.of(entries, flow=False)
