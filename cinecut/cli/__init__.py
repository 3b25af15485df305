"""The command line: arguments, printing and exit codes, nothing else."""

from __future__ import annotations

import gc
import io
import signal
import sys
from typing import Annotated, NoReturn

import typer

from cinecut import __version__
from cinecut.cli import (
    beat_commands,
    check_commands,
    film_commands,
    model_commands,
    music_commands,
    render_commands,
    spec_commands,
    speech_commands,
    vibe_commands,
)
from cinecut.cli.terminal import LOUDNESS, print_diagnostics
from cinecut.diagnostics import Diagnostic, Stop

app = typer.Typer(
    name="cinecut",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Cut trailers from a YAML spec: one editable file, one FFmpeg graph, exact frames.",
    epilog="Start with: cinecut check specs/big_buck_bunny.yaml, then cinecut render specs/big_buck_bunny.yaml",
)

for commands in (
    film_commands,
    beat_commands,
    vibe_commands,
    check_commands,
    spec_commands,
    render_commands,
    model_commands,
    music_commands,
    speech_commands,
):
    app.add_typer(commands.app)


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
        app(_options_first(sys.argv[1:]), standalone_mode=True)
    except Stop as stop:
        print_diagnostics(stop.diagnostics)
        sys.exit(1)
    except _Interrupted as interrupted:
        print("cinecut: interrupted; nothing was left behind", file=sys.stderr)
        sys.exit(128 + interrupted.signum)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone: nobody is left to tell
        sys.exit(141)
    except OSError as error:  # what the machine refuses where no command foresaw it
        where = f"{error.filename}: " if error.filename else ""
        print_diagnostics([Diagnostic("output", f"{where}{error.strerror or error}")])
        sys.exit(1)
    except Exception as error:
        from cinecut.cli import unforeseen

        unforeseen.say(error)
        sys.exit(70)  # "internal software error", of sysexits.h


def _options_first(words: list[str]) -> list[str]:
    """The words of a command line with -q and -v before the command, wherever they stand."""
    end = words.index("--") if "--" in words else len(words)
    common = [word for word in words[:end] if word in ("-q", "--quiet", "-v", "--verbose")]
    return [*common, *(word for word in words[:end] if word not in common), *words[end:]]


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
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say errors and results only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell of each stage.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    LOUDNESS.quiet, LOUDNESS.verbose = quiet, verbose
