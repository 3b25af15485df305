"""Unexpected errors: one sentence for the user, and a report for a maintainer."""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from importlib import metadata
from pathlib import Path

from cinecut import __version__
from cinecut.cli.terminal import remark
from cinecut.files import cache_folder

_WANTED = "CINECUT_DEBUG"


def say(error: Exception) -> None:
    """Print that cinecut failed and where the report is; with CINECUT_DEBUG=1 also the traceback."""
    if os.environ.get(_WANTED, "") not in ("", "0"):
        traceback.print_exception(error)
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    try:
        where = f"the report is in {_written(_report(error))}"
    except OSError as refused:
        where = f"no report could be written ({refused.strerror}); {_WANTED}=1 prints it"
    remark(f"error: cinecut failed, and this is a fault of its own: {reason}; {where}")


def _report(error: Exception) -> str:
    """Everything that may matter on this machine, including the arguments; users should read it before they send it."""
    packages = sorted({f"{each.name} {each.version}" for each in metadata.distributions() if each.name}, key=str.lower)
    rows = [
        f"cinecut {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"arguments: {sys.argv[1:]}",
        "",
        "".join(traceback.format_exception(error)),
        *packages,
    ]
    return "\n".join(rows) + "\n"


def _written(report: str) -> Path:
    base = cache_folder()
    path = base / "reports" / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{os.getpid()}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report, encoding="utf-8", errors="backslashreplace")
    return path
