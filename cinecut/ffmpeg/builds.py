"""The FFmpeg to run, and what it can do: asked of the build, never guessed from its version."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cinecut.config import chosen
from cinecut.diagnostics import Stop
from cinecut.files import fingerprint
from cinecut.graph.script import SCRIPT_OPTIONS


@dataclass(frozen=True, slots=True)
class FFmpeg:
    """An FFmpeg on this machine."""

    path: str
    script_option: str
    encoders: frozenset[str]
    filters: frozenset[str]
    identity: str  # differs between any two builds


def find_ffmpeg(choice: str | None = None) -> FFmpeg:
    """The chosen FFmpeg (a path or a name on PATH; else the user's default), else the bundled one, else the system's.
    Raises Stop if there is none, or if it lacks what every trailer needs."""
    return _ask(path_of(choice))


def path_of(choice: str | None = None) -> str:
    """The path of that FFmpeg, which is not run. Raises Stop if there is none."""
    choice = os.path.expanduser(choice or chosen("ffmpeg") or "")  # noqa: PTH111 - Path strips the ./
    path = shutil.which(choice) if choice else _bundled() or shutil.which("ffmpeg")
    if path is None:
        if choice:
            raise Stop("no-ffmpeg", f"there is no FFmpeg at {choice!r}", "give a path, or a name that is on PATH")
        raise Stop("no-ffmpeg", "no FFmpeg is installed", "python -m pip install imageio-ffmpeg")
    return str(Path(path).absolute())


def _bundled() -> str | None:
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


@cache
def _ask(path: str) -> FFmpeg:
    questions = (("-h", "long"), ("-encoders",), ("-filters",), ("-version",))
    with ThreadPoolExecutor(len(questions)) as pool:
        options, listed, filtering, version = pool.map(lambda words: _output(path, *words), questions)
    encoders, filters = frozenset(_names(listed)), frozenset(_names(filtering))
    if "-filter_complex_script" in options:
        script_option = SCRIPT_OPTIONS["classic"]
    elif "filter_complex" in options:
        script_option = SCRIPT_OPTIONS["modern"]
    else:
        raise Stop("no-ffmpeg", f"{path} does not answer as FFmpeg does")
    missing = sorted({"overlay", "blend", "ass", "amix", "aresample"} - filters | {"libx264", "aac"} - encoders)
    if missing:
        raise Stop("no-ffmpeg", f"{path} was built without {', '.join(missing)}", "the bundled FFmpeg has them")
    return FFmpeg(path, script_option, encoders, filters, f"{fingerprint(Path(path))} {version}")


def _output(path: str, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [path, "-hide_banner", *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Stop("no-ffmpeg", f"{path} cannot be run: {error}") from None
    return done.stdout.decode(errors="replace")


def _names(listing: str) -> list[str]:
    return [words[1] for line in listing.splitlines() if len(words := line.split()) > 2]
