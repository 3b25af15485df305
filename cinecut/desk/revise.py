"""One edit of a spec's file, from the text that is there to the text that is written.

    file ─ read, is it the expected revision? ─► Layout ─ action ─► new text ─ read, check ─► Layout ─ compare ─► words
         ◄─ write beside and rename, note in the journal ─────────────────────────────────────────────────────────┘

A text with mistakes is never written: the edit is refused with all that would be wrong.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinecut.changes.compare import Difference, differences
from cinecut.compiler.layout import Layout
from cinecut.desk.journal import Entry, journal_of, taken_back
from cinecut.diagnostics import Diagnostic, Report, Stop
from cinecut.edits.actions import edited
from cinecut.files import open_file, write_beside
from cinecut.language.document import MAX_BYTES, Document, parse_document, read_document
from cinecut.language.read import fill_spec
from cinecut.language.spec import Spec
from cinecut.render.check import layout_of

Guard = Callable[[Spec, Spec], None]
"""Sees a spec before and after an edit, before any file is read that it names, and raises Stop to refuse it."""


@dataclass(frozen=True, slots=True)
class State:
    """A spec's text without mistakes, and what it means. `found` are warnings."""

    document: Document
    layout: Layout
    found: tuple[Diagnostic, ...]

    @property
    def text(self) -> str:
        """The whole file's."""
        return self.document.mark + self.document.text

    @property
    def revision(self) -> str:
        return revision_of(self.text)


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit made of a spec, or would make of it."""

    spec: Path
    before: State
    after: State
    differences: list[Difference]

    @property
    def said(self) -> list[str]:
        return [each.text for each in self.differences]

    def as_json(self) -> dict[str, Any]:
        return {
            "spec": str(self.spec),
            "revision": self.after.revision,
            "changed": self.before.text != self.after.text,
            "differences": [each.as_json() for each in self.differences],
            "diagnostics": [each.as_json() for each in self.after.found],
        }


def revision_of(text: str) -> str:
    """Sixteen hexadecimal signs of a spec's text: `--revision` names the one that an edit is meant for."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def state_of(spec: Path) -> State:
    """What a spec's file says now. Raises Stop with all that is wrong with it."""
    report = Report()
    return _state(read_document(spec, report), report)


def edit(
    spec: Path,
    action: Mapping[str, Any],
    *,
    revision: str | None = None,
    dry_run: bool = False,
    guard: Guard = lambda before, after: None,
) -> Edit:
    """Do an action (`{"do": "trim", "event": 3, "out": "0:19"}`) and write the spec; with `dry_run` only say what it
    would do. Raises Stop where it cannot be done, would make the spec wrong, the file is not of this revision, or the
    `guard` refuses it."""

    def act(before: State) -> str:
        return edited(before.document, before.layout, action)

    return _revised(spec, act, revision, dry_run, guard)


def undo(spec: Path, *, revision: str | None = None, dry_run: bool = False) -> Edit:
    """Take the last edit back; what was changed elsewhere in the file since then stays. Raises Stop."""
    entry = next(iter(log(spec)[::-1]), None)
    if entry is None:
        raise Stop("option", f"there is no edit of {spec} to take back", "cinecut log SPEC lists those that there are")
    done = _revised(spec, lambda before: taken_back(entry, before.text), revision, dry_run)
    if not dry_run:
        journal_of(spec).drop(entry)
    return done


def rewrite(spec: Path, was: str, text: str) -> Edit:
    """Write another text in place of the one that was there; `undo` takes it back. Raises Stop as `edit` does."""

    def change(before: State) -> str:
        if before.text != was:
            raise Stop("option", f"{spec} was changed meanwhile: nothing was written", "look at it and try again")
        return text

    return _revised(spec, change, None, False, lambda before, after: None)


def log(spec: Path) -> list[Entry]:
    """The edits that can be taken back, the first one first."""
    with open_file(spec):
        return journal_of(spec).entries()


def _revised(
    spec: Path, change: Callable[[State], str], revision: str | None, dry_run: bool, guard: Guard | None = None
) -> Edit:
    """`guard` is that of an edit, which is noted in the journal; what is taken back has none."""
    journal = journal_of(spec)
    with contextlib.nullcontext() if dry_run else journal.alone():
        before = state_of(spec)
        if revision is not None and revision != before.revision:
            message = f"{spec} is revision {before.revision} by now, not {revision}: nothing was written"
            raise Stop("option", message, "look at it, and edit that")
        text = change(before)
        after = before if text == before.text else _checked(spec, text, before, guard)
        done = Edit(spec, before, after, differences(before.layout, after.layout))
        if not dry_run and text != before.text:
            if _content(spec) != before.text:  # an editor saved it just now
                raise Stop("option", f"{spec} was changed meanwhile: nothing was written", "look at it and try again")
            write_beside(spec, text)
            if guard is not None:
                journal.add(tuple(done.said) or ("other notes, names or spaces",), before.text, text)
    return done


def _checked(spec: Path, text: str, before: State, guard: Guard | None) -> State:
    """The state of a new text. Raises Stop with all that would be wrong."""
    report = Report()
    try:
        return _state(parse_document(spec, text, report), report, before, guard)
    except Stop as stop:
        first = Diagnostic("option", "the edit was refused, and nothing written: it would leave mistakes")
        raise Stop.of([first, *map(_unplaced, stop.diagnostics)]) from None


def _unplaced(found: Diagnostic) -> Diagnostic:
    """A finding in a text that is not in the file."""
    where = f"line {found.span.line + 1} would say: " if found.span is not None else ""
    return Diagnostic(found.code, f"{where}{found.message}", None, found.hints)


def _state(document: Document, report: Report, known: State | None = None, guard: Guard | None = None) -> State:
    """What a document means; `known` is the state before an edit, which its `guard` compares with it."""
    earlier = (known.document, known.layout.trailer.spec) if known is not None else None
    spec = fill_spec(document, report, known=earlier)
    if spec is None:
        raise Stop.of(list(report))
    if guard is not None and earlier is not None:
        guard(earlier[1], spec)
    layout = layout_of(spec, report)
    report.stop_on_error()
    return State(document, layout, tuple(report))


def _content(spec: Path) -> str:
    with open_file(spec) as file:
        return file.read(MAX_BYTES + 1).decode("utf-8", "replace")
