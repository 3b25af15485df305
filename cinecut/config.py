"""The user's own defaults, from TOML files, so that no command has to repeat them:

    option > environment > beside the spec (cinecut.toml, or [tool.cinecut] of a pyproject.toml) > the user's file

Beside the spec means its folder, or the nearest folder above it that has such a file. What is run, and where films are
sent, a spec's folder cannot choose: such a folder may come from anybody. Those keys are the user's file's alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinecut.diagnostics import LINE_BREAK, Report, Span, excerpt
from cinecut.files import open_file

FILE = "CINECUT_CONFIG"  # names another file than the user's usual one
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Key:
    """One default: its purpose, the environment variable, and the check that turns a value into text."""

    about: str
    variable: str
    check: Callable[[Any, Path | None], str]  # of a value and the folder of the file that says it; raises ValueError
    of_user: bool = False  # a spec's folder cannot set it


def _text(value: Any, folder: Path | None) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value


def _path(value: Any, folder: Path | None) -> str:
    """A path relative to the file that sets it."""
    path = os.path.expanduser(_text(value, folder))  # noqa: PTH111 - Path strips the ./ by which programs are meant
    return os.path.join(folder, path) if folder is not None else path  # noqa: PTH118


def _program(value: Any, folder: Path | None) -> str:
    """A path, or a name to be found on PATH."""
    return _path(value, folder) if "/" in _text(value, folder) else str(value)


def _vibe(value: Any, folder: Path | None) -> str:
    """A genre, or the user's own file."""
    return _path(value, folder) if _text(value, folder).endswith((".yaml", ".yml")) else str(value)


def _count(value: Any, folder: Path | None) -> str:
    number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 1000:
        raise ValueError("a whole number, 1 to 1000")
    return str(number)


KEYS: dict[str, Key] = {
    "vibe": Key("the genre that analyze cuts for", "CINECUT_VIBE", _vibe),
    "output": Key("the folder into which trailers are rendered", "CINECUT_OUTPUT", _path),
    "music": Key("the folder in which --music looks for a song that is not here", "CINECUT_MUSIC", _path),
    "jobs": Key("how many FFmpegs render at a time", "CINECUT_JOBS", _count),
    "language": Key("the language of the subtitles that are read", "CINECUT_LANGUAGE", _text),
    "ffmpeg": Key("another FFmpeg than the bundled one", "CINECUT_FFMPEG", _program, of_user=True),
    "models": Key("the folder of the models", "CINECUT_MODELS_DIR", _path, of_user=True),
}


_ROOM = 200  # characters


@dataclass(frozen=True, slots=True)
class Default:
    """A value that is set, and where: `cinecut.toml:3`, or the environment variable."""

    value: str
    where: str

    @property
    def shown(self) -> str:
        """The value as a person is shown it: a very long one shortened."""
        return self.value if len(self.value) <= _ROOM else excerpt(self.value, _ROOM)


def defaults(folder: Path | None) -> dict[str, Default]:
    """The defaults for specs in a folder; None: without a spec. Raises Stop with all mistakes in the files."""
    report = Report()
    found: dict[str, Default] = {}
    files = [(user_file(), "user"), *([(file, "spec")] if folder and (file := file_beside(folder)) else [])]
    for file, kind in files:
        if os.path.lexists(file):
            found |= _read(file, kind == "user", report)
    for name, key in KEYS.items():
        if value := os.environ.get(key.variable, "").strip():
            try:
                found[name] = Default(key.check(value, None), key.variable)
            except ValueError as error:
                report.add("option", f"{key.variable} is {excerpt(value)}, not {error}")
    report.stop_on_error()
    return {name: found[name] for name in KEYS if name in found}


def chosen(name: str, folder: Path | None = None) -> str | None:
    """The value of one default; None if it is not set. Raises Stop."""
    found = defaults(folder).get(name)
    return found.value if found is not None else None


def user_file() -> Path:
    import platformdirs

    return Path(os.environ.get(FILE) or platformdirs.user_config_path("cinecut") / "config.toml")


def file_beside(folder: Path) -> Path | None:
    """The file nearest to a folder's specs; a pyproject.toml counts only with a section for cinecut."""
    for place in (folder.absolute(), *folder.absolute().parents):
        for file in (place / "cinecut.toml", place / "pyproject.toml"):
            if file.name == "cinecut.toml":
                if os.path.lexists(file):
                    return file
            elif file.is_file() and b"[tool.cinecut" in _content(file):
                return file
    return None


def _content(file: Path) -> bytes:
    with open_file(file) as opened:
        return opened.read(_MOST_BYTES)


def _read(file: Path, of_user: bool, report: Report) -> dict[str, Default]:
    import tomllib

    found = dict[str, Default]()
    try:
        text = _content(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = error.object.count(b"\n", 0, error.start)
        message = f"byte {error.object[error.start]:02X} is not UTF-8 text"
        report.add("not-text", message, Span(str(file), row, 0, row, 1), "save the file as UTF-8")
        return {}
    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(place[1]) - 1, int(place[2]) - 1) if place else (len(LINE_BREAK.split(text)) - 1, 0)
        message = str(error).partition(" (at ")[0]
        report.add("option", f"this is not TOML: {message}", Span(str(file), line, column, line, column + 1))
        return {}
    if file.name == "pyproject.toml":
        table = table.get("tool", {}).get("cinecut", {})
    for name, value in table.items() if isinstance(table, Mapping) else ():
        span = _place(file, text, name)
        if name not in KEYS:
            report.add("unknown-key", f"`{name}` is no default", span, _near(name))
        elif KEYS[name].of_user and not of_user:
            hint = (
                f"it goes into {user_file()}: a spec's folder may come from anybody, so it chooses no programs to run"
            )
            report.add("option", f"`{name}` cannot be set beside a spec", span, hint)
        else:
            try:
                where = f"{file}:{span.line + 1}"
                found[name] = Default(KEYS[name].check(value, file.absolute().parent), where)
            except ValueError as error:
                report.add("wrong-value", f"`{name}` takes {error}, not {excerpt(value)}", span, KEYS[name].about)
    return found


def _place(file: Path, text: str, key: str) -> Span:
    """The place of a key, which TOML's reader does not report."""
    lines = LINE_BREAK.split(text)
    start = next((n for n, line in enumerate(lines) if line.strip().startswith("[tool.cinecut")), 0)
    pattern = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]|\s*\[(tool\.cinecut\.)?{re.escape(key)}\]")
    line = next((n for n in range(start, len(lines)) if pattern.match(lines[n])), start)
    return Span(str(file), line, 0, line, max(1, len(lines[line]) if lines else 1))


def _near(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, KEYS, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(KEYS)}"


def song_file(file: Path, folder: Path) -> Path:
    """The path of a song: as given, or in the folder for music if it exists only there."""
    music = chosen("music", folder)
    if music is None or file.exists() or file.is_absolute() or not (Path(music) / file).is_file():
        return file
    return Path(music) / file
