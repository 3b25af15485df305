"""What the commands share: progress, tables, findings, a question, and the options that several of them take."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.diagnostics import Diagnostic, as_text, harmless

if TYPE_CHECKING:
    from cinecut.render.job import Watch

SpecArgument = Annotated[Path, typer.Argument(metavar="SPEC", help="The trailer spec, a YAML file.")]
FFmpegOption = Annotated[
    str | None,
    typer.Option("--ffmpeg", metavar="PATH", help="Another FFmpeg than the bundled one.", envvar="CINECUT_FFMPEG"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")]
ForceOption = Annotated[bool, typer.Option("--force", "-f", help="Replace an existing output.")]


def may_replace(target: Path) -> bool:
    """Ask on a terminal before an existing file is replaced."""
    if not target.is_file() or not sys.stdin.isatty() or not sys.stderr.isatty():
        return False
    return typer.confirm(f"{target} is there already. Replace it?", err=True)


@contextlib.contextmanager
def watch(title: str) -> Iterator[Watch]:
    """Progress with ETA and speed on a terminal; silence when piped."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from cinecut.render.job import Watch

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[speed]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def stage(name: str, done: int, total: int, speed: float | None) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total, speed="")
            bar.update(tasks[name], completed=done, speed=f"{speed:.1f}x" if speed else "")

        def waiting(holder: str) -> None:
            text = f"{title} waits for the GPU lock, held by {holder}"
            console.print(harmless(text), markup=False, highlight=False, soft_wrap=True)

        yield Watch(stage, waiting)


def print_table(head: list[str], body: list[list[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:  # for other programs: one row a line, tabs between, nothing cut off
        for row in [head, *body]:
            print("\t".join(harmless(cell.replace("\t", " ").replace("\n", " ")) for cell in row))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in head:
        table.add_column(name)
    for row in body:
        table.add_row(*[Text(harmless(cell)) for cell in row])
    console.print(table)


def print_diagnostics(diagnostics: list[Diagnostic]) -> None:
    sources: dict[str, list[str] | None] = {}
    for diagnostic in diagnostics:
        name = diagnostic.span.file if diagnostic.span else ""
        if name and name not in sources:
            sources[name] = _lines(Path(name))
        print(as_text(diagnostic, sources.get(name)), file=sys.stderr)


def _lines(path: Path) -> list[str] | None:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
