"""Reading: a YAML file becomes a Spec, or a report of everything that is wrong with it."""

from __future__ import annotations

import contextlib
import os
import re
from bisect import bisect_left
from collections.abc import Container, Iterator
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Report, Span, excerpt
from cinecut.files import content_of
from cinecut.language import schema as schemas
from cinecut.language.document import (
    Document,
    ListNode,
    MapNode,
    Node,
    Scalar,
    head_span,
    odd_spaces,
    plain,
    read_document,
)
from cinecut.language.document.comments import swallowed
from cinecut.language.events import EVENTS, Entry
from cinecut.language.fill import Filler
from cinecut.language.fill import defaults_of as defaults_of
from cinecut.language.fill import fill_list as fill_list
from cinecut.language.fill import make as make
from cinecut.language.formats import formats, positive, resolved
from cinecut.language.rules import check_rules
from cinecut.language.spec import ABSENT as ABSENT
from cinecut.language.spec import Spec
from cinecut.language.timebase import FILM_NAME, BadTimeError, Numbering, Timecodes

# By which every timecode can be read, drop-frame too, for whoever wants no times.
ANY_RATE = Timecodes(Fraction(9_999_989, 1001))


def load_spec(path: Path, report: Report, unmeasured: Timecodes | None = None) -> tuple[Document, Spec | None]:
    """Read and check a spec. All mistakes go into the report. Parts with mistakes are left out, so that the rest can be
    checked too; the spec is None if nothing remains. `unmeasured` numbers the pictures of a film without facts; without
    it, timecodes of such a film are mistakes."""
    document = read_document(path, report)
    return document, fill_spec(document, report, unmeasured)


_SHOWN = {  # files of one's own beside specs, and what reads them
    "vibe": "`cinecut vibes FILE` shows it, `analyze --vibe FILE` cuts by it",
    "kit": "`cinecut kits FILE TRAILER` measures by it, a spec's `kit: FILE` delivers it",
    "skeleton": "`analyze --structure FILE` cuts by it",
}

KINDS = {"cinecut", "timeline", *_SHOWN}  # by which a file of the language is known


def _other_kind(root: Node) -> tuple[str, Span] | None:
    """The language of another kind of file, and the place where it says so: `vibe: 1`."""
    if not isinstance(root, MapNode) or "cinecut" in root.entries or "timeline" in root.entries:
        return None
    kinds = ((kind, root.entries[kind]) for kind in _SHOWN if kind in root.entries)
    return next(((kind, head_span(node)) for kind, node in kinds if plain(node) == 1), None)


def fill_spec(
    document: Document,
    report: Report,
    unmeasured: Timecodes | None = None,
    known: tuple[Document, Spec] | None = None,
) -> Spec | None:
    """A spec from its document. Entries that are unchanged since `known`, an earlier text without mistakes, are taken
    from there."""
    root = document.root
    if root is None:
        if report.ok:
            report.add("missing-key", "the spec is empty", Span(str(document.path), 0, 0, 0, 1), *_STARTER)
        return None
    if (other := _other_kind(root)) is not None:
        kind, place = other
        report.add("wrong-value", f"{document.path} is a {kind}, and no spec of a trailer", place, _SHOWN[kind])
        return None
    numbering = {name: found or unmeasured for name, found in numbering_in(root).items()}
    same = _same_entries(document, known, numbering, unmeasured) if known is not None else {}
    numbered = formats(numbering[""] if len(numbering) == 1 else ANY_RATE)  # of several each is read by its own below
    if not same or not schemas.keeps(plain(_without(root, same)), schemas.TRAILER, numbered):
        schemas.check_document(root, schemas.TRAILER, numbered, report)
    _check_films(root, report)
    _check_kinds(root, report)
    check_comments(document, _texts(), report)
    whole = root if report.ok else _sound_parts(root, report)
    if whole is None:
        return None
    filler = Filler(numbering, same if whole is root else {})
    spec = filler.fill(Spec, whole)
    if filler.report.found:
        report.found += filler.report.found
        spec = Filler(numbering).fill(Spec, _sound_parts(root, report) or whole)
    check_rules(spec, report)
    return spec


def check_comments(document: Document, keys: Container[str], report: Report) -> None:
    """Report comments that look like words of a text under one of the keys."""
    for span, words in swallowed(document, keys):
        message = f"{excerpt(words)[1:-1]} is a comment here, and no part of the text"
        report.add("comment", message, span, "put the whole text in quotes; or a space after the # of a comment")


def _same_entries(
    document: Document, known: tuple[Document, Spec], numbering: Numbering, unmeasured: Timecodes | None
) -> dict[int, Entry]:
    """The entries of the timeline that are unchanged in place and text, by the identity of their nodes."""
    earlier, spec = known
    if earlier.root is None or {n: t or unmeasured for n, t in numbering_in(earlier.root).items()} != numbering:
        return {}
    nodes = [_timeline(each.root) for each in (earlier, document)]
    if any(sign in each.text for each in (earlier, document) for sign in "&*"):
        return {}  # what an alias means stands elsewhere
    before, now = earlier.lines, document.lines
    entries = {node.span: entry for node, entry in zip(nodes[0], spec.timeline, strict=False)}
    read_before = {}
    for node in nodes[1]:
        span, entry = node.span, entries.get(node.span)
        if entry is not None and before[span.line : span.end_line + 1] == now[span.line : span.end_line + 1]:
            read_before[id(node)] = entry
    return read_before


def _timeline(root: Node | None) -> tuple[Node, ...]:
    timeline = root.get("timeline") if isinstance(root, MapNode) else None
    return timeline.items if isinstance(timeline, ListNode) else ()


def _without(root: Node, same: dict[int, Entry]) -> Node:
    """A spec without the entries that are known to be right, except one if no other is left."""
    assert isinstance(root, MapNode)  # or there were no entries
    items = _timeline(root)
    left = tuple(item for item in items if id(item) not in same)
    timeline = ListNode(left or items[:1], root.span)
    return MapNode({**root.entries, "timeline": timeline}, root.keys, root.span)


_STARTER = ("the shortest spec: {cinecut: 1, film: film.mp4, timeline: [shot: 0:16 - 0:20]}",)


@cache
def _texts() -> frozenset[str]:
    """The keys whose values are free text."""
    keys: set[str] = set()

    def visit(part: Any) -> None:
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            inner = resolved(value) if isinstance(value, dict) else {}
            each = resolved(inner["items"]) if isinstance(inner.get("items"), dict) else inner
            if isinstance(key, str) and "string" in each.get("type", ()) and "maxLength" in each:
                keys.add(key)
            if isinstance(value, dict | list):
                visit(value)

    visit(schemas.read_schema(schemas.TRAILER))
    return frozenset(keys)


def _sound_parts(root: Node, report: Report) -> MapNode | None:
    """The spec without the parts that have mistakes; a broken event becomes black, so that its neighbours can be
    checked."""
    if not isinstance(root, MapNode):
        return None
    broken, known = sorted(d.span for d in report if d.span is not None), dict[int, bool]()
    entries: dict[str, Node] = {
        "cinecut": Scalar(1, root.span),
        "film": Scalar(ABSENT, root.span),
        "timeline": ListNode((), root.span),
    }
    for key, node in root.entries.items():
        if key == "timeline" and isinstance(node, ListNode):
            items = tuple(_BROKEN_EVENT if _holds(item, broken, known) else item for item in node.items)
            entries[key] = ListNode(items, node.span)
        elif key == "films" and isinstance(node, MapNode):
            del entries["film"]
            films = {name: _LOST if _holds(film, broken, known) else film for name, film in node.entries.items()}
            entries[key] = MapNode(films or {"": _LOST}, node.keys, node.span)
        elif not _holds(node, broken, known) and root.keys[key] not in broken:
            entries[key] = node
    return MapNode(entries, root.keys, root.span)


def _holds(node: Node, spans: list[Span], known: dict[int, bool]) -> bool:
    """Whether one of the sorted spans begins inside a node, or inside what it repeats by an alias. `known` caches the
    answers by node identity."""
    if id(node) not in known:
        known[id(node)] = False
        first = bisect_left(spans, (node.span.line, node.span.column), key=lambda span: (span.line, span.column))
        end = (node.span.end_line, node.span.end_column)
        parts = node.entries.values() if isinstance(node, MapNode) else getattr(node, "items", ())
        begins = first < len(spans) and (spans[first].line, spans[first].column) < end
        known[id(node)] = begins or any(_holds(part, spans, known) for part in parts)
    return known[id(node)]


_LOST = Scalar(ABSENT)
_BROKEN_EVENT = MapNode.of({"black": Scalar("60s")})


def _check_films(root: Node, report: Report) -> None:
    """Check that there is either `film` or `films`, and that no film's name could be read as a time."""
    films = root.get("films") if isinstance(root, MapNode) else None
    if not isinstance(root, MapNode) or not isinstance(films, MapNode):
        return
    if "film" in root.entries:
        hint = "give it a name among the others: films: {main: film.mkv, …}"
        report.add("over-determined", "there are `film` and `films`: one of them says it all", root.keys["film"], hint)
    if not films.entries:
        report.add("wrong-value", "`films` is empty", films.span, "name them: films: {main: film.mkv, …}")
    for name, span in films.keys.items():
        if FILM_NAME.fullmatch(name) is None:
            message = f"{excerpt(name)} is no name of a film: shots could not begin with it"
            report.add("wrong-value", message, span, "a letter first, then letters, digits, -, _ and . (40 at most)")


def _check_kinds(root: Node, report: Report) -> None:
    """Check that every entry of the timeline is exactly one kind of event; the schema cannot report this at the exact
    place."""
    timeline, twice = root.get("timeline") if isinstance(root, MapNode) else None, set[Span]()
    for entry in timeline.items if isinstance(timeline, ListNode) else ():
        if not isinstance(entry, MapNode):
            continue
        kinds = [kind for kind in EVENTS if kind in entry.entries]
        if len(kinds) > 1:
            twice |= set(entry.keys.values())
            text = f"one event cannot be both `{kinds[0]}` and `{kinds[1]}`"
            report.add("over-determined", text, entry.keys[kinds[1]], "start it with a dash of its own")
        elif not kinds and "act" not in entry.entries:
            _report_no_kind(entry, report)
    report.found = [d for d in report.found if d.code != "unknown-key" or d.span not in twice]


def _report_no_kind(entry: MapNode, report: Report) -> None:
    known = schemas.definition(schemas.TRAILER, "shot")["properties"]
    for key in entry.entries:
        close = [] if key in known else get_close_matches(key, EVENTS, n=1)
        if close:
            hints = filter(None, (odd_spaces(key), f"did you mean `{close[0]}`?"))
            report.add("unknown-key", f"`{excerpt(key)[1:-1]}` is no kind of event", entry.keys[key], *hints)
            return
    span = next(iter(entry.keys.values()), entry.span)
    hint = "it needs shot, black, card, still or act: shot: 0:16 - 0:20"
    report.add("missing-key", "this event says nothing of what is seen", span, hint)


def numbering_in(root: Node) -> dict[str, Timecodes | None]:
    """The numbering of the films' pictures, from their facts; None if a film has none."""
    films = root.get("films") if isinstance(root, MapNode) else None
    if isinstance(films, MapNode) and films.entries:
        numbering = {name: _timecodes(film) for name, film in films.entries.items()}
        return {"": next(iter(numbering.values())), **numbering}
    return {"": _timecodes(root.get("film") if isinstance(root, MapNode) else None)}


def _timecodes(film: Node | None) -> Timecodes | None:
    facts = film.get("facts") if isinstance(film, MapNode) else None
    rate, start = (facts.get(key) if isinstance(facts, MapNode) else None for key in ("rate", "timecode"))
    with contextlib.suppress(BadTimeError):
        if isinstance(rate, Scalar):
            return Timecodes.starting(positive(rate.value), str(start.value) if isinstance(start, Scalar) else None)
    return None


def is_spec(file: Path) -> bool:
    """Whether a file names the language's version near its start, as every spec does."""
    try:
        text = content_of(file, 100_000).decode("utf-8", "replace")
        return re.search(r"^\W*cinecut\W", text, re.M) is not None
    except OSError:
        return False


def specs_in(folder: Path) -> Iterator[Path]:
    """The specs in a folder and in those below it, in order. What cannot be read or vanishes is left out."""
    named = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    yield from filter(is_spec, sorted(file for file in named if file.suffix.lower() in (".yaml", ".yml")))


def film_files(spec: Spec, folder: Path) -> dict[str, Path]:
    """The files of a spec's films, by their names in a `FilmRange`."""
    return {name: inside(folder, film.file) for name, film in spec.every_film.items()}


def inside(folder: Path, name: str) -> Path:
    """The path of a file that a spec in `folder` names: relative to the spec, absolute, or from the home folder."""
    return folder / os.path.expanduser(name)  # noqa: PTH111 - unlike Path's, it leaves a ~ that is nobody's home alone
