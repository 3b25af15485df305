"""Reading the values of the command line (texts, paths, whole numbers, switches) without Pydantic.

Typer makes an adapter of Pydantic's for each parameter, and loading that takes longer than all the rest of `check`. A
Typer that makes them elsewhere, or none, is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin

import typer
import typer.core

_KINDS: dict[Any, Callable[[Any], Any]] = {str: str, Path: Path, int: int, bool: lambda value: value}


def read_plainly() -> None:
    """From now on Typer reads parameters of these types by `_Plain`."""
    usual: Any = getattr(typer.core, "build_runtime_param", None)

    def reader(described: Any) -> Any:
        many = get_origin(described.annotation) is list
        kind = get_args(described.annotation)[0] if many else described.annotation
        if kind not in _KINDS:
            return usual(described)
        info = described.parameter_info
        return _Plain(_reader(kind, info.metavar or ""), many, info.min, info.max)

    if usual is not None and hasattr(getattr(typer.core, "RuntimeParam", None), "coerce"):
        setattr(typer.core, "build_runtime_param", reader)  # noqa: B010 - it is no public name


def _reader(kind: type, metavar: str) -> Callable[[Any], Any]:
    """What reads a word of this type; its metavar tells of a folder (SPEC|FOLDER) and of standard input (SPEC|-)."""
    folder = any(word in metavar for word in ("FOLDER", "DIR"))

    def path(word: str) -> Path | str:
        if not word:
            raise ValueError("the name of the file is empty")
        if word == "-" and "|-" not in metavar:
            raise ValueError("- is no file, and no pipe is read or written here")
        named = Path(word).name and (not str(word).endswith("/") or Path(word).is_dir())
        if not named and not folder:  # other files are named after it
            raise ValueError(f"{word!r} is a folder, not a file")
        return Path(word) if kind is Path else word

    return path if kind is Path or "FILE" in metavar else _KINDS[kind]


class _Plain:
    """Reads the words of one parameter."""

    def __init__(self, kind: Callable[[Any], Any], many: bool, least: float | None, most: float | None) -> None:
        self.kind, self.many, self.least, self.most = kind, many, least, most

    def coerce(self, value: Any, param: Any = None, ctx: Any = None, **_: Any) -> Any:
        """Typer calls this. Raises BadParameter, which ends the command with status 2."""
        if value is None:
            return () if self.many else None
        read = [self._read(word, param, ctx) for word in (value if self.many else [value])]
        return read if self.many else read[0]

    def _read(self, word: Any, param: Any, ctx: Any) -> Any:
        try:
            value = self.kind(word)
        except ValueError as error:
            why = f"{word!r} is no whole number" if self.kind is int else str(error)
            raise typer.BadParameter(why, ctx, param) from None
        if (self.least is not None and value < self.least) or (self.most is not None and value > self.most):
            ends = "at least {:.0f}" if self.most is None else "{:.0f} to {:.0f}"
            raise typer.BadParameter(f"{value} is not {ends.format(self.least, self.most)}", ctx, param)
        return value
