"""How a command declares its parameters: `option`, `flag`, `argument`, what a shell offers for them, and those of many
commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer


def option(names: str, metavar: str, help: str, **more: Any) -> Any:
    """An option with a value. `names`: all of its names, such as "-o --output"; `more`: other arguments of Typer's."""
    return typer.Option(*names.split(), metavar=metavar, help=help, **more)


def flag(names: str, help: str, **more: Any) -> Any:
    """An option without a value. `names`: all of its names, such as "--force -f"."""
    return typer.Option(*names.split(), help=help, **more)


def argument(metavar: str, help: str, **more: Any) -> Any:
    """A word without a name before it."""
    return typer.Argument(metavar=metavar, help=help, **more)


def completing(words: Iterable[str] | str, *values: str) -> Callable[[str], list[str]]:
    """What a shell offers for a value that is one of these words, or of those that `module:name` gives for values."""

    def offered(incomplete: str) -> list[str]:
        source = words
        if isinstance(source, str):
            module, _, name = source.partition(":")
            given = getattr(import_module(f"cinecut.{module}"), name)
            source = given(*values) if callable(given) else sorted(given)
        return [word for word in source if word.startswith(incomplete)]

    return offered


SpecArgument = Annotated[Path, argument("SPEC", "The trailer spec, a YAML file.")]
ReadSpecArgument = Annotated[Path, argument("SPEC|-", "The trailer spec, a YAML file; - is stdin.")]
FFmpegOption = Annotated[
    str | None, option("--ffmpeg", "PATH", "An FFmpeg to use instead of the bundled one.", envvar="CINECUT_FFMPEG")
]
JsonOption = Annotated[bool, flag("--json", "Print the result as JSON, for programs.")]
ForceOption = Annotated[bool, flag("--force -f", "Replace an existing output.")]
SchedulerOption = Annotated[
    str | None,
    option("--scheduler", "ADDRESS", "A Dask scheduler such as tcp://host:8786; `local` starts one on this machine."),
]
