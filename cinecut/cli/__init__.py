"""The command line: arguments, printing and exit codes, nothing else."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import shlex
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from cinecut import __version__
from cinecut.diagnostics import Diagnostic, Report, Stop, as_json, as_text

if TYPE_CHECKING:
    from cinecut.render import Watch

app = typer.Typer(
    name="cinecut",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Cut trailers from a YAML spec: one editable file, one FFmpeg graph, exact frames.",
    epilog="Start with: cinecut check specs/big_buck_bunny.yaml, then cinecut render specs/big_buck_bunny.yaml",
)

SpecArgument = Annotated[Path, typer.Argument(metavar="SPEC", help="The trailer spec, a YAML file.")]
FFmpegOption = Annotated[
    str | None,
    typer.Option("--ffmpeg", metavar="PATH", help="Another FFmpeg than the bundled one.", envvar="CINECUT_FFMPEG"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")]
ForceOption = Annotated[bool, typer.Option("--force", "-f", help="Replace an existing output.")]


def main() -> None:
    """The entry point: every failure becomes one clear message and a status."""
    gc.set_threshold(500_000)  # a spec becomes many small values, and looking for cycles among them took a tenth
    for signum in _INTERRUPTS:
        if signal.getsignal(signum) != signal.SIG_IGN:  # nohup means it
            signal.signal(signum, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file name may hold any bytes
    try:
        app(standalone_mode=True)
    except Stop as stop:
        _print_diagnostics(stop.diagnostics)
        sys.exit(1)
    except _Interrupted as interrupted:
        print("cinecut: interrupted; nothing was left behind", file=sys.stderr)
        sys.exit(128 + interrupted.signum)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone: nobody is left to tell
        sys.exit(141)


_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Interrupted(BaseException):
    """A signal ends the command. No KeyboardInterrupt: Typer would swallow that without a word."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def _interrupt(signum: int, frame: object) -> NoReturn:
    for each in _INTERRUPTS:
        signal.signal(each, signal.SIG_IGN)  # a second Ctrl-C shall not cut the cleaning up short
    raise _Interrupted(signum)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"cinecut {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    pass


@app.command()
def check(
    spec: SpecArgument,
    format: Annotated[
        str, typer.Option("--format", metavar="text|json", help="text for people, json for programs.")
    ] = "text",
) -> None:
    """Find every mistake in a spec at once, each with its place and a hint.

    Needs neither the film nor FFmpeg, but says so when a file is missing or is not the one the spec was made for.

    Example: cinecut check specs/film.yaml
    """
    from cinecut.check import check_spec

    if format not in ("text", "json"):
        raise Stop("option", f"--format cannot be {format!r}", "text or json")
    report = check_spec(spec)
    if format == "json":
        print(as_json(report))
    else:
        _print_diagnostics(list(report))
        if report.ok:
            print(f"{spec}: no mistakes")
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def explain(
    spec: SpecArgument,
    as_json_: JsonOption = False,
    values: Annotated[bool, typer.Option("--values", help="Only who set each value.")] = False,
    timeline: Annotated[bool, typer.Option("--timeline", help="Only where each event falls.")] = False,
) -> None:
    """Say who set every value (user, vibe, film, schema) and where every event falls.

    The timeline gives film and trailer positions as clock and timecode, the beat, and the offset from it.

    Example: cinecut explain specs/film.yaml --timeline
    """
    from cinecut.compiler.timeline import build_timeline
    from cinecut.explain import rows, settings
    from cinecut.reading import load_spec

    report = Report()
    _, loaded = load_spec(spec, report)
    report.stop_on_error()
    assert loaded is not None
    built = build_timeline(loaded, report)
    report.stop_on_error()
    found, placed = settings(loaded), rows(loaded, built)
    if as_json_:
        parts: dict[str, Any] = {"settings": [asdict(s) for s in found], "timeline": [asdict(r) for r in placed]}
        print(json.dumps(parts, ensure_ascii=False, indent=2))
        return
    both = values == timeline
    if values or both:
        _table(["value", "", "set by"], [[s.path, s.value, s.by] for s in found])
    if timeline or both:
        _table(
            ["number", "event", "act", "film", "timecode", "trailer", "timecode", "frames", "beat", "offset", "enters"],
            [
                [
                    str(r.number), r.event, r.act, _pair(r.film_in, r.film_out),
                    _pair(r.film_in_timecode, r.film_out_timecode), _pair(r.trailer_in, r.trailer_out),
                    _pair(r.trailer_in_timecode, r.trailer_out_timecode), str(r.frames), r.beat,
                    "" if r.offset_ms is None else f"{r.offset_ms:+.1f} ms", r.enters,
                ]
                for r in placed
            ],
        )  # fmt: skip


def _pair(left: str, right: str) -> str:
    return f"{left} – {right}" if left else ""


@app.command("compile")
def compile_(
    spec: SpecArgument,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Default: SPEC's name.")] = None,
    syntax: Annotated[
        str, typer.Option(metavar="modern|classic", help="Spelled for FFmpeg 7 and later, or for earlier ones.")
    ] = "modern",
) -> None:
    """Write the filter script, the generated files and the command into a folder.

    Needs neither film nor FFmpeg: the spec carries the facts (see `cinecut link`).

    Example: cinecut compile specs/film.yaml -o build
    """
    from cinecut.compiler import compile_spec
    from cinecut.ffmpeg.script import BUILDS
    from cinecut.reading import load_spec
    from cinecut.render import write_compiled

    if syntax not in BUILDS:
        raise Stop("option", f"--syntax cannot be {syntax!r}", "modern or classic")
    report = Report()
    _, loaded = load_spec(spec, report)
    report.stop_on_error()
    assert loaded is not None
    plan = compile_spec(loaded, report)
    report.stop_on_error()
    assert plan is not None
    folder = output or Path(spec.stem + ".graph")
    needed = write_compiled(plan, folder, BUILDS[syntax])
    print(f"{folder}: {plan.script.count(chr(10))} filters, {plan.frames} frames, {len(needed)} inputs")


@app.command()
def render(
    spec: SpecArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: FILM_trailer_VIBE.mp4, here.")
    ] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Another size, such as 1280x720.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Small and fast, for looking at the cut.")] = False,
    force: ForceOption = False,
    ffmpeg: FFmpegOption = None,
    as_json_: JsonOption = False,
) -> None:
    """Render the trailer: one FFmpeg process for picture and sound.

    The same spec gives the same trailer, every time. The output appears only when it is complete.

    Examples: cinecut render specs/film.yaml    |    cinecut render specs/film.yaml --draft -f -o look.mp4
    """
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.render import check_output, prepare
    from cinecut.render import render as run

    build = find_ffmpeg(ffmpeg)
    job = prepare(spec, size=_size(size), small=draft)
    target = output or Path(job.default_name)
    force = force or _may_replace(target)
    check_output(job, target, force)
    with _watch("Rendering") as watch:
        warnings = run(job, target, build, watch, force=force)
    _print_diagnostics(warnings)
    seconds = float(job.plan.frames / job.plan.rate)
    if as_json_:
        print(json.dumps({"output": str(target), "frames": job.plan.frames, "seconds": round(seconds, 6)}))
    else:
        print(f"{target}: {job.plan.frames} frames, {seconds:.3f} s")


@app.command()
def link(
    spec: SpecArgument,
    film: Annotated[Path | None, typer.Argument(metavar="[FILM]", help="Where the film is now, if it moved.")] = None,
) -> None:
    """Measure the film and the other files a spec names, and write their facts into it.

    Comments and formatting stay as they are. With FILM, the spec is made to name that file.

    Example: cinecut link specs/film.yaml /archive/film.mkv
    """
    from cinecut.link import relink

    print(f"{spec}: {relink(spec, film)}")


@app.command()
def pack(
    spec: SpecArgument,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Default: SPEC's name.")] = None,
) -> None:
    """Leave one folder that renders the same bytes elsewhere, with FFmpeg alone and without the film.

    It holds the script, the shots' packets, music, fonts, generated files and render.sh.

    Example: cinecut pack specs/film.yaml -o trailer.pack && sh trailer.pack/render.sh
    """
    from cinecut.render import pack as run
    from cinecut.render import prepare

    job = prepare(spec)
    folder = output or Path(spec.stem + ".pack")
    with _watch("Packing") as watch:
        run(job, folder, watch)
    print(f"{folder}: sh {shlex.quote(str(folder / 'render.sh'))} renders it")


def _size(text: str | None) -> tuple[int, int] | None:
    from cinecut.reading import parse_frame_size

    if text is None:
        return None
    try:
        return parse_frame_size(text)
    except ValueError as error:
        raise Stop("option", f"--size: {error}") from None


def _may_replace(target: Path) -> bool:
    """Ask on a terminal before an existing file is replaced."""
    if not target.is_file() or not sys.stdin.isatty() or not sys.stderr.isatty():
        return False
    return typer.confirm(f"{target} is there already. Replace it?", err=True)


@contextlib.contextmanager
def _watch(title: str) -> Iterator[Watch]:
    """Progress with ETA and speed on a terminal; silence when piped."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from cinecut.render import Watch

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
            console.print(text, markup=False, highlight=False, soft_wrap=True)

        yield Watch(stage, waiting)


def _table(head: list[str], body: list[list[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:  # for other programs: one row a line, tabs between, nothing cut off
        for row in [head, *body]:
            print("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in head:
        table.add_column(name)
    from rich.text import Text

    for row in body:
        table.add_row(*[Text(cell) for cell in row])
    console.print(table)


def _print_diagnostics(diagnostics: list[Diagnostic]) -> None:
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
