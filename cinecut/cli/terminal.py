"""What all commands say and ask on the terminal: progress, tables, findings, and whether a file may be replaced."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cinecut.diagnostics import (
    LINE_BREAK,
    Diagnostic,
    Severity,
    Stop,
    as_text,
    as_word,
    condensed,
    harmless,
    json_text,
    width,
)
from cinecut.files import check_is_file, content_of

if TYPE_CHECKING:
    from cinecut.render.job import Watch


def may_replace(target: Path) -> bool:
    """Ask on a terminal before an existing file is replaced."""
    if not target.is_file() or not sys.stdin.isatty() or not sys.stderr.isatty():
        return False
    return typer.confirm(f"{target} is there already. Replace it?", err=True)


def check_free(target: Path | None, force: bool, hint: str = "--force replaces it") -> None:
    """Raise Stop if a file exists and neither --force nor an answer on the terminal allows replacing it, or if what is
    there is no file."""
    if target is not None:
        check_is_file(target)
        if not target.parent.is_dir():
            raise Stop(
                "missing-file", f"there is no folder {target.parent.absolute()}", "create it first, or name another"
            )
    if target is not None and os.path.lexists(target) and not force and not may_replace(target):
        raise Stop("output", f"{target} is there already", hint)


def check_film(film: Path) -> None:
    """Raise Stop for a spec in a film's place."""
    if film.suffix.lower() in SPECS and film.is_file():
        raise Stop("unreadable", f"{film} is a spec, and no film", f"cinecut render {as_word(film)} renders it")


SPECS = (".yaml", ".yml")


def check_ending(target: Path | None, what: str, *endings: str) -> None:
    """Raise Stop if a file's name has the wrong suffix: "a list of shots", ".csv", ".json"."""
    if target is not None and target.suffix.lower() not in endings:
        named = " or ".join(filter(None, (", ".join(endings[:-1]), endings[-1])))
        raise Stop("output", f"{target} is no name for {what}: it ends with {named}")


@dataclass(slots=True)
class Whole:
    """How much of the whole work is done. `shares`: the usual share of each stage, in order; without them each stage
    counts by itself."""

    shares: Mapping[str, float]
    done: float = 0.0

    def after(self, stage: str, done: float) -> float:
        """The share of the whole, 0..1, after a share of a stage; it never decreases. A stage out of order, or an
        unknown one, counts nothing."""
        if not self.shares:
            self.done = done
        elif stage in self.shares:
            names = list(self.shares)
            before = sum(self.shares[name] for name in names[: names.index(stage)])
            self.done = max(self.done, (before + self.shares[stage] * done) / sum(self.shares.values()))
        return self.done


@contextlib.contextmanager
def watch(title: str, shares: Mapping[str, float] | None = None) -> Iterator[Watch]:
    """One progress bar with the time left and the current stage, on a terminal; nothing if piped."""
    from cinecut.render.job import Watch

    with _bar(title) as (move, write):
        whole, began = Whole(shares or {}), dict[str, float]()

        def stage(name: str, done: int, total: int, speed: float | None) -> None:
            first = name not in began and not whole.shares
            start = began.setdefault(name, time.monotonic())
            share = done / total if total else 1.0
            move(whole.after(name, share), name + (f", {speed:.1f}x" if speed else ""), first)
            if LOUDNESS.verbose and done >= total and start >= 0:
                write(f"{name}: {time.monotonic() - start:.1f} s")
                began[name] = -1.0

        yield Watch(stage, lambda holder: write(harmless(f"{title} waits for the GPU lock, held by {holder}")))


@contextlib.contextmanager
def _bar(title: str) -> Iterator[tuple[Callable[[float, str, bool], None], Callable[[str], None]]]:
    """A function that moves the bar (share done, stage, whether it starts anew), and one that prints a line above it.
    Without a terminal the library that draws it is not loaded."""
    if LOUDNESS.quiet or not sys.stderr.isatty():
        yield lambda done, stage, anew: None, lambda line: print(line, file=sys.stderr, flush=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    text = TextColumn("{task.fields[stage]}", markup=False)
    columns = (TextColumn(title), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), text)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=1.0, stage="")

        def move(done: float, stage: str, anew: bool) -> None:
            if anew:
                bar.reset(task)
            bar.update(task, completed=done, stage=stage)

        yield move, lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True)


def print_table(head: list[str], body: list[list[str]]) -> None:
    """Print a table: on a terminal aligned, long texts folded, numbers and times whole; else a row a line with tabs."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:  # for other programs: one row a line, tabs between, nothing cut off
        for row in [head, *body]:
            print("\t".join(harmless(cell.replace("\t", " ").replace("\n", " ")) for cell in row))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    whole = [min(_WHOLE, max((width(row[place]) for row in body), default=0)) for place in range(len(head))]
    for name, least in zip(head, whole, strict=True):
        words = [width(word) for word in name.split()]
        one = least < _WHOLE and len(words) == 1
        table.add_column(name, overflow="fold", no_wrap=one, min_width=max(least, *words, 1))
    for row in body:
        table.add_row(*[Text(harmless(cell)) for cell in row])
    console.width = max(console.width, sum(column.min_width or 0 for column in table.columns) + 2 * len(head))
    console.print(table, crop=False)


_WHOLE = 16  # columns of a cell that are never folded


@dataclass(slots=True)
class Loudness:
    """How much is printed: -q only errors and results, -v each stage; and whether a program has its one JSON value."""

    quiet: bool = False
    verbose: bool = False
    answered: bool = False


LOUDNESS = Loudness()


def say(text: str) -> None:
    """Print what a command did, except with -q."""
    if not LOUDNESS.quiet:
        show(text)


def show(text: str) -> None:
    """Print a result. Names in it may hold any characters; tabs separate columns."""
    print("\t".join(map(harmless, text.split("\t"))))


def print_json(value: object, default: Callable[[Any], object] | None = None) -> None:
    """Print a result for a program."""
    LOUDNESS.answered = True
    print(json_text(value, default))


def answer(as_json: bool, record: object, text: str) -> None:
    """Print what a command did: a record for a program, or a text, except with -q."""
    if as_json:
        print_json(record)
    else:
        say(text)


def remark(text: str) -> None:
    """Print on standard error what a program that reads the results must not get."""
    print(harmless(text), file=sys.stderr)


def print_diagnostics(diagnostics: list[Diagnostic]) -> None:
    sources: dict[str, list[str] | None] = {}
    colors = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    for diagnostic in condensed(diagnostics):
        if LOUDNESS.quiet and diagnostic.severity is not Severity.ERROR:
            continue
        name = diagnostic.span.file if diagnostic.span else ""
        if name and name not in sources:
            sources[name] = _lines(Path(name))
        text = as_text(diagnostic, sources.get(name))
        print(_colored(text, diagnostic) if colors else text, file=sys.stderr)


_COLORS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}


def _colored(text: str, diagnostic: Diagnostic) -> str:
    """The severity and the caret in colour."""
    start, end = f"\x1b[1;{_COLORS[diagnostic.severity]}m", "\x1b[0m"
    text = text.replace(f"{diagnostic.severity}: ", f"{start}{diagnostic.severity}:{end} ", 1)
    return re.sub(r"^( *\| *)(\^~*)$", rf"\1{start}\2{end}", text, count=1, flags=re.M)


def _lines(path: Path) -> list[str] | None:
    try:
        return LINE_BREAK.split(content_of(path).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return None
