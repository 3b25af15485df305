"""The command line: arguments, printing and exit codes, nothing else."""

from __future__ import annotations

import gc
import os

gc.set_threshold(500_000)  # imports and specs are many small values: looking for cycles among them took a tenth
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read by NumPy: its products are small, more threads only wait

import inspect
import io
import json
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from cinecut import __version__
from cinecut.cli.parameters import flag
from cinecut.cli.plain import read_plainly
from cinecut.cli.terminal import LOUDNESS, print_diagnostics, print_json, remark
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.files import parted
from cinecut.machine import interrupts

_MODULES = {
    "films.analyze": ("analyze", "trailer"),
    "films.recut": ("recut",),
    "films.beats": ("beats",),
    "films.shots": ("shots", "scenes"),
    "films.catalogue": ("index", "find"),
    "specs.vibes": ("vibes",),
    "specs.check": ("check", "fmt", "schema"),
    "specs.spec": ("explain", "compile", "link"),
    "specs.edit": ("edit", "swap", "undo", "redo", "log", "diff"),
    "specs.render": ("render", "pack"),
    "specs.export": ("export", "import"),
    "specs.kits": ("kits",),
    "specs.sheet": ("sheet",),
    "specs.watch": ("watch",),
    "specs.proof": ("lock", "why", "verify", "conform"),
    "specs.agents": ("mcp",),
    "machine.cache": ("cache",),
    "machine.config": ("config",),
    "machine.models": ("models", "doctor"),
    "films.music": ("music",),
    "films.speech": ("transcribe",),
}


def command_line(asked: str | None = None) -> typer.Typer:
    """All commands, or only those of the module with `asked`, since loading all takes time."""
    app = _without_commands()
    wanted = [module for module, names in _MODULES.items() if asked in names] or list(_MODULES)
    for module in wanted:
        commands = import_module(f"cinecut.cli.{module}").app
        for group in (commands, *(inner.typer_instance for inner in commands.registered_groups)):
            for each in group.registered_commands:
                each.help = _laid_out(each.callback.__doc__ or "")
        app.add_typer(commands)
    return app


def _laid_out(text: str) -> str:
    """A command's help: paragraphs fill the lines of any terminal; tables and examples keep their own lines."""
    blocks = []
    for block in inspect.cleandoc(text).split("\n\n"):
        head, _, examples = block.partition(": ")
        if head in ("Example", "Examples"):
            each = [" ".join(example.split()) for example in re.split(r"\s{4}\|\s+", examples)]
            blocks.append("\n".join([f"{head}:", *(f"  {example}" for example in each)]))
        else:
            blocks.append(block if "    " in block else " ".join(block.split()))
    return "\n\n".join(blocks)


def listed() -> typer.Typer:
    """The names of the commands, each with its help line: enough for `cinecut --help`, and to suggest a command for a
    mistyped one. `python -m tools.reference` collects the lines from the commands."""
    app = _without_commands()
    for name, line in json.loads((Path(__file__).parent / "commands.json").read_text(encoding="utf-8")).items():
        app.command(name, help=line)(lambda: None)
    return app


def _without_commands() -> typer.Typer:
    app = typer.Typer(
        name="cinecut",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Cut trailers from a YAML spec: one editable file, one FFmpeg graph, exact frames.",
        epilog="Start with: cinecut analyze film.mkv, which says what comes next; cinecut COMMAND --help has examples.",
    )
    app.callback()(_common)
    return app


def main() -> None:
    """The entry point: every failure becomes one clear message and a status."""
    try:
        with interrupts.raised():
            _run()
    except interrupts.Interrupted as interrupted:
        sys.exit(interrupts.say(interrupted.signum))


def _run() -> None:
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file name may hold any bytes
    for name in ("COLUMNS", "LINES"):  # libraries take any digits for a size, also those of no number
        if not re.fullmatch("[1-9][0-9]{0,4}", os.environ.get(name, "80")):
            del os.environ[name]
    try:
        words = _options_first(sys.argv[1:])
        asked = next((word for word in words if not word.startswith("-") or word in ("-h", "--help")), None)
        read_plainly()
        needed = "_CINECUT_COMPLETE" in os.environ or any(asked in names for names in _MODULES.values())
        _typed(command_line(asked) if needed else listed(), words)
    except Stop as stop:
        print_diagnostics(stop.ending)
        _end_output()
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone: nobody is left to tell
        _end_output()
        sys.exit(141)
    except OSError as error:  # what the machine refuses where no command foresaw it
        where = f"{error.filename}: " if error.filename else ""
        print_diagnostics([Diagnostic("output", f"{where}{error.strerror or error}")])
        _end_output()
        sys.exit(1)
    except Exception as error:
        from cinecut.cli import unforeseen

        unforeseen.say(error)
        sys.exit(70)  # "internal software error", of sysexits.h
    finally:
        for file in sorted(parted) if not LOUDNESS.quiet else ():
            remark(f"note: {file} had other names (hard links): they keep what it held before")


def _typed(commands: typer.Typer, words: list[str]) -> None:
    """Run a command. Typer and Rich give a reader that has gone the status of a failure: that is raised instead."""
    try:
        commands(words, standalone_mode=True)
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        sys.stdout.flush()  # a reader that has gone, or a full disk, is met here, not when Python ends
        raise
    except Stop as stop:
        if "--json" in words[: words.index("--") if "--" in words else None] and not LOUDNESS.answered:
            print_json({"diagnostics": [each.as_json() for each in stop.ending]})
            sys.stdout.flush()
        raise


def _end_output() -> None:
    """Write what is left for the standard output, or nowhere: else Python fails at its end, in its own words."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _open_closed_streams() -> None:
    """Connect closed standard streams to nothing; otherwise the next opened file would take their number."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("r+", encoding="utf-8")  # noqa: SIM115
            os.set_inheritable(nowhere.fileno(), True)
            setattr(sys, name, nowhere)


def _options_first(words: list[str]) -> list[str]:
    """Move -q and -v before the command, wherever they are."""
    end = words.index("--") if "--" in words else len(words)
    common = [word for word in words[:end] if word in ("-q", "--quiet", "-v", "--verbose")]
    return [*common, *(word for word in words[:end] if word not in common), *words[end:]]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"cinecut {__version__}")
        raise typer.Exit


def _common(
    quiet: Annotated[bool, flag("--quiet -q", "Print only errors and results.")] = False,
    verbose: Annotated[bool, flag("--verbose -v", "Print each stage.")] = False,
    version: Annotated[bool, flag("--version", "Print the version.", callback=_version, is_eager=True)] = False,
) -> None:
    LOUDNESS.quiet, LOUDNESS.verbose = quiet, verbose
