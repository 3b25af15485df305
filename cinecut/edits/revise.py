"""One edit of a spec's file, from reading it to writing it.

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

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Diagnostic, Report, Stop
from cinecut.edits.changes.compare import Difference, comments_gone, differences
from cinecut.edits.journal import Journal, JournalEntry, journal_of, made_again, taken_back
from cinecut.edits.verbs.actions import edited
from cinecut.files import changed_meanwhile, open_file, write_beside
from cinecut.language.document import Document, parse_document, read_document
from cinecut.language.read import fill_spec
from cinecut.language.spec import Spec
from cinecut.render.check import layout_of

Guard = Callable[[Spec, Spec], None]
"""Is given a spec before and after an edit, before any file is read that it names; raises Stop to refuse the edit."""


@dataclass(frozen=True, slots=True)
class EditOptions:
    """How a spec is edited: the revision that it must have (None: any), whether nothing is written, who may refuse the
    edit, and whether media without facts are measured (so that a frame number can be converted to a time)."""

    revision: str | None = None
    dry_run: bool = False
    guard: Guard = lambda before, after: None
    measure: bool = False


USUAL = EditOptions()


@dataclass(frozen=True, slots=True)
class SpecState:
    """A spec's text without mistakes, and its layout. `found` holds warnings."""

    document: Document
    layout: Layout
    found: tuple[Diagnostic, ...]

    @property
    def text(self) -> str:
        """The text of the whole file."""
        return self.document.mark + self.document.text

    @property
    def revision(self) -> str:
        return revision_of(self.text)


@dataclass(frozen=True, slots=True)
class Edit:
    """The result of an edit, or of a dry run."""

    spec: Path
    before: SpecState
    after: SpecState
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
    """Sixteen hexadecimal digits of a spec's text; `--revision` names the one that an edit is meant for."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def state_of(spec: Path) -> SpecState:
    """The current state of a spec's file. Raises Stop with all of its mistakes."""
    report = Report()
    return _state(read_document(spec, report), report, USUAL)


def edit(spec: Path, action: Mapping[str, Any], terms: EditOptions = USUAL) -> Edit:
    """Do an action (`{"do": "trim", "event": 3, "out": "0:19"}`) and write the spec; a dry run only reports it. Raises
    Stop where it cannot be done, would make the spec wrong, or is refused."""

    def change(before: SpecState) -> str:
        return edited(before.document, before.layout, action)

    return _revised(spec, change, terms, _note)


def rewrite(spec: Path, was: str, text: str) -> Edit:
    """Replace the file's text, which must still be `was`; `undo` takes it back. Raises Stop as `edit` does."""

    def change(before: SpecState) -> str:
        if before.text != was:
            raise changed_meanwhile(spec)
        return text

    return _revised(spec, change, USUAL, _note)


def undo(spec: Path, terms: EditOptions = USUAL) -> Edit:
    """Undo the last edit; later changes elsewhere in the file stay. Raises Stop."""
    entry = next(iter(log(spec)[::-1]), None)
    if entry is None:
        raise Stop("option", f"there is no edit of {spec} to undo", "cinecut log SPEC lists the edits")
    return _revised(spec, lambda now: taken_back(entry, now.text), terms, lambda journal, _: journal.undoing(entry))


def redo(spec: Path, terms: EditOptions = USUAL) -> Edit:
    """Redo the edit that was undone last, if no other was made since then. Raises Stop."""
    entry = next(iter(journal_of(spec).undone()), None)
    if entry is None:
        raise Stop("option", f"there is no edit of {spec} to redo")
    return _revised(spec, lambda now: made_again(entry, now.text), terms, lambda journal, _: journal.redoing(entry))


def log(spec: Path) -> list[JournalEntry]:
    """The edits that can be undone, the first one first."""
    with open_file(spec):
        return journal_of(spec).done()


Note = Callable[[Journal, Edit], contextlib.AbstractContextManager[None]]
"""Notes in the journal what a block changes in a spec's file."""


def _note(journal: Journal, done: Edit) -> contextlib.AbstractContextManager[None]:
    if done.after is done.before:
        return contextlib.nullcontext()
    said = tuple(done.said) or ("other notes, names or spaces",)
    return journal.adding(said, done.before.text, done.after.text)


def _revised(spec: Path, change: Callable[[SpecState], str], terms: EditOptions, note: Note) -> Edit:
    """Every change of a spec's file goes through here."""
    journal = journal_of(spec)
    with contextlib.nullcontext() if terms.dry_run else journal.alone():
        report = Report()
        before = _state(read_document(spec, report), report, terms)
        if terms.revision not in (None, before.revision):
            raise changed_meanwhile(spec, f"it is revision {before.revision}, not {terms.revision}: look at it again")
        text = change(before)
        after = before if text == before.text else _checked(spec, text, before, terms)
        gone = comments_gone(before.document, after.document, before.layout.trailer.spec)
        done = Edit(spec, before, after, [*differences(before.layout, after.layout), *gone])
        if not terms.dry_run:
            with note(journal, done):
                if after is not before:
                    write_beside(spec, text, was=before.text)
    return done


def _checked(spec: Path, text: str, before: SpecState, terms: EditOptions) -> SpecState:
    """The state of a new text. Raises Stop with all of its mistakes."""
    report = Report()
    try:
        return _state(parse_document(spec, text, report), report, terms, before)
    except Stop as stop:
        first = Diagnostic("option", "the edit was refused, and nothing written: it would leave mistakes")
        raise Stop.of([first, *map(_unplaced, stop.diagnostics)]) from None


def _unplaced(mistake: Diagnostic) -> Diagnostic:
    """A finding without its place, since its text was never written."""
    where = f"line {mistake.span.line + 1} would say: " if mistake.span is not None else ""
    return Diagnostic(mistake.code, f"{where}{mistake.message}", None, mistake.hints)


def _state(document: Document, report: Report, terms: EditOptions, before: SpecState | None = None) -> SpecState:
    """The layout of a document; `before` is the state before an edit."""
    earlier = (before.document, before.layout.trailer.spec) if before is not None else None
    spec = fill_spec(document, report, known=earlier)
    if spec is None:
        raise Stop.of(list(report))
    if earlier is not None:
        terms.guard(earlier[1], spec)
    if terms.measure and report.ok:
        from cinecut.media.link import linked

        spec = linked(spec, document.path.parent)
    layout = layout_of(spec, report)
    report.stop_on_error()
    return SpecState(document, layout, tuple(report))
