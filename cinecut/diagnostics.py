"""All possible findings as data: one table of codes; places, messages and hints.

Mistakes in a spec are collected in a Report, so that all are reported at once. What ends a command (an unreadable film,
a full disk) raises `Stop`, which carries the same Diagnostic. Only the command line prints either.
"""

from __future__ import annotations

import json
import re
import shlex
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import quote

T = TypeVar("T")
LINE_BREAK = re.compile(r"\r\n|[\n\r]")  # of a text that people edit, as YAML 1.2 and editors count lines


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A place in a text file: half-open, lines and columns from 0, columns in characters."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


_ERRORS = """
yaml not-text version duplicate-key unknown-key missing-key wrong-type wrong-value bad-time
over-determined under-determined empty-event order past-end no-handle transition no-grid sync
outside-frame title-outside sound-outside not-linked
missing-file unreadable no-video no-audio no-material other-file output disk-full
no-ffmpeg ffmpeg option download plugin locked kit
shifted-shot swapped-shot wrong-picture wrong-look wrong-crop wrong-speed wrong-transition flipped
black-frame stray-frame doubled-frame lost-frame frozen flashing
title-missing title-time title-wrong caption-missing
sound-late sound-extra line-missing effect-missing music-missing shot-silent stem-gain silent no-sound one-sided
loudness true-peak clipped file-length file-shape
"""
_WARNINGS = """
comment title-glyphs subtitles music film store model film-cut chopped-line off-grid no-music same-shot
title-short title-unsafe file-tags loud-seconds untranslated
"""
CODES: dict[str, Severity] = {  # what each one means: codes.yaml
    **dict.fromkeys(_ERRORS.split(), Severity.ERROR),
    **dict.fromkeys(_WARNINGS.split(), Severity.WARNING),
    "no-facts": Severity.NOTE,
    "no-side-file": Severity.NOTE,
    "segments": Severity.NOTE,
    "flashes": Severity.NOTE,
}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: what (code, message), where (span), what to do (hints)."""

    code: str
    message: str
    span: Span | None = None
    hints: tuple[str, ...] = ()
    fatal: bool = False  # it ended the command, even if its code is that of a warning

    @property
    def severity(self) -> Severity:
        return Severity.ERROR if self.fatal else CODES[self.code]

    def as_json(self) -> dict[str, object]:
        place = None
        if self.span is not None:
            place = {
                "file": self.span.file,
                "line": self.span.line + 1,
                "column": self.span.column + 1,
                "end_line": self.span.end_line + 1,
                "end_column": self.span.end_column + 1,
            }
        return {
            "code": self.code,
            "severity": str(self.severity),
            "message": self.message,
            "place": place,
            "hints": list(self.hints),
        }


class Stop(Exception):  # noqa: N818 - it ends a command, and nothing in the program need be wrong
    """A command cannot continue; the diagnostic says why. The command line prints it and exits with status 1."""

    def __init__(self, code: str, message: str, *hints: str, span: Span | None = None) -> None:
        super().__init__(message)
        self.diagnostics = [Diagnostic(code, message, span, hints)]

    @classmethod
    def of(cls, diagnostics: list[Diagnostic]) -> Stop:
        stop = cls(diagnostics[0].code, diagnostics[0].message)
        stop.diagnostics = diagnostics
        return stop

    @property
    def ending(self) -> list[Diagnostic]:
        """The diagnostics where they end a command: if all of them are warnings elsewhere, here they are errors."""
        mild = all(each.severity is not Severity.ERROR for each in self.diagnostics)
        return [replace(each, fatal=mild) for each in self.diagnostics]


def all_at_once(checks: Iterable[Callable[[], object]]) -> None:
    """Run all checks, and raise one Stop with whatever any of them says."""
    said = list[Diagnostic]()
    for check in checks:
        try:
            check()
        except Stop as stop:
            said += stop.ending
    if said:
        raise Stop.of(list(dict.fromkeys(said)))


@dataclass(slots=True)
class Report:
    """The findings about one spec, in the order of their places."""

    found: list[Diagnostic] = field(default_factory=list)

    def add(self, code: str, message: str, span: Span | None = None, *hints: str) -> None:
        self.found.append(Diagnostic(code, message, span, hints))

    @property
    def ok(self) -> bool:
        return not any(d.severity is Severity.ERROR for d in self.found)

    def __iter__(self) -> Iterator[Diagnostic]:
        """Each finding once; those without a place come last."""
        unique = dict.fromkeys(self.found)
        return iter(sorted(unique, key=lambda d: (d.span is None, d.span or _NOWHERE, d.code)))

    def stop_on_error(self) -> None:
        if not self.ok:
            raise Stop.of(list(self))

    def require(self, value: T | None) -> T:
        """The value, which exists unless there was an error. Raises Stop."""
        self.stop_on_error()
        assert value is not None
        return value


_NOWHERE = Span("", 0, 0, 0, 0)


def as_word(path: object) -> str:
    """A path as one word of a shell command, never read as an option."""
    name = str(path)
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


def width(text: str) -> int:
    """Columns that a text takes on a terminal: East Asian wide characters take two, combining ones none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def condensed(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """For people: equal findings at many places are shown once, with the lines of the others."""
    alike: dict[object, list[Diagnostic]] = {}
    for each in found:
        alike.setdefault(_words(each), []).append(each)
    shown: list[Diagnostic] = []
    for each in found:
        first, *others = alike[_words(each)]
        lines = [str(other.span.line + 1) for other in others if other.span is not None]
        if len(lines) < _MANY:
            shown.append(each)
        elif each is first:
            rest = f" and {len(lines) - _LINES} more" if len(lines) > _LINES else ""
            shown.append(replace(first, hints=(*first.hints, f"the same in lines {', '.join(lines[:_LINES])}{rest}")))
    return shown


def _words(each: Diagnostic) -> object:
    return each.code, each.message, each.hints, each.span and each.span.file


_MANY, _LINES = 3, 12  # so many more are not said one by one; so many of their lines are


def as_text(diagnostic: Diagnostic, source: list[str] | None = None) -> str:
    """`file:line:col: error: message [code]`, the line with a caret when `source` holds the file's lines, the hints."""
    span = diagnostic.span
    where = f"{span.file}:{span.line + 1}:{span.column + 1}: " if span else ""
    rows = [f"{where}{diagnostic.severity}: {diagnostic.message} [{diagnostic.code}]"]
    if span and source and span.line < len(source):
        rows += _caret(span, source[span.line])
    rows += [f"  hint: {hint}" for hint in diagnostic.hints]
    return harmless("\n".join(_ENDLESS.sub(r"\1…\2", row) for row in rows))


_ENDLESS = re.compile(r"(\S{200})\S{150,}(\S{50})")  # a word that nobody reads to its end


def excerpt(value: object, most: int = 60) -> str:
    """A value as Python writes it, for a message; a long one is shortened in the middle."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= most else f"{text[: most * 2 // 3]} … {text[-most // 4 :]}"


def harmless(text: str) -> str:
    """Foreign text (a file name, a server's reply) without characters that control the terminal."""
    if text.isprintable():
        return text
    return "".join("\ufffd" if _controls_terminal(char) else char for char in text)


def _controls_terminal(char: str) -> bool:
    """Control characters except the line break, and those that change the direction of writing."""
    return char != "\n" and (
        unicodedata.category(char) == "Cc" or "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069"
    )


def json_text(value: object, default: Callable[[Any], object] | None = None) -> str:
    """JSON that is shown: of the foreign text in it, characters that control the terminal are written as escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=default)
    return "".join(f"\\u{ord(char):04x}" if _controls_terminal(char) else char for char in text)


_ROOM = 100  # columns of a line that are shown


def _caret(span: Span, line: str) -> list[str]:
    line = line.rstrip("\r\n").replace("\t", " ")
    left = max(0, span.column - _ROOM // 2) if len(line) > _ROOM else 0
    shown = line[left : left + _ROOM]
    start = span.column - left
    end = len(shown) if span.end_line > span.line else min(span.end_column - left, len(shown))
    marks = max(1, width(shown[start:end]))
    gutter = f"{span.line + 1:>5} | "
    return [gutter + shown, " " * (len(gutter) - 2) + "| " + " " * width(shown[:start]) + "^" + "~" * (marks - 1)]


def as_json(diagnostics: Iterable[Diagnostic]) -> str:
    return json_text({"diagnostics": [d.as_json() for d in diagnostics]})


def as_github(diagnostic: Diagnostic) -> str:
    """A line of output that a GitHub workflow shows at its place in the file."""
    level = {Severity.NOTE: "notice"}.get(diagnostic.severity, str(diagnostic.severity))
    parts = {"title": f"cinecut: {diagnostic.code}"}
    if (span := diagnostic.span) is not None:
        parts = {"file": span.file, "line": str(span.line + 1), "col": str(span.column + 1), **parts}
    text = _percent("\n".join((diagnostic.message, *diagnostic.hints)), "%\r\n")
    return f"::{level} {','.join(f'{key}={_percent(value, _PARTED)}' for key, value in parts.items())}::{text}"


_PARTED = "%\r\n:,"


def _percent(text: str, escaped: str) -> str:
    return "".join(f"%{ord(char):02X}" if char in escaped else char for char in text)


def as_sarif(diagnostics: Iterable[Diagnostic], version: str) -> str:
    """The findings as SARIF 2.1.0, which code hosts and editors read."""
    findings = list(diagnostics)
    rules = [{"id": code} for code in sorted({d.code for d in findings})]
    run = {
        "tool": {"driver": {"name": "cinecut", "version": version, "rules": rules}},
        "results": list(map(_sarif, findings)),
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json_text({"$schema": schema, "version": "2.1.0", "runs": [run]})


def _sarif(diagnostic: Diagnostic) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "level": str(diagnostic.severity),
        "message": {"text": "\n".join((diagnostic.message, *diagnostic.hints))},
    }
    if (span := diagnostic.span) is not None:
        region = {"startLine": span.line + 1, "startColumn": span.column + 1}
        region |= {"endLine": span.end_line + 1, "endColumn": span.end_column + 1}
        place = {"artifactLocation": {"uri": quote(span.file)}, "region": region}
        result["locations"] = [{"physicalLocation": place}]
    return result
