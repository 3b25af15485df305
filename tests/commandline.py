"""cinecut as its users run it: a process of its own, here with a GPU lock of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cinecut.inference.models import find_onnx_minilm, is_installed
from cinecut.inference.server import find_server

# Where both of MiniLM's engines are there, the one that starts in a tenth of the time; torch has tests of its own.
_LIGHT = "sys.modules['sentence_transformers'] = None; " if find_onnx_minilm() and is_installed("onnxruntime") else ""
COMMAND = (sys.executable, "-c", f"import sys; {_LIGHT}sys.argv[0] = 'cinecut'; from cinecut.cli import main; main()")


def model_server() -> list[str]:
    """llama.cpp's server, or an empty list. Of one thread: several wait for each other on a busy machine, spinning."""
    found = find_server()
    return [*found, "--threads", "1"] if found else []


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """Of a run whose lock lies in `folder`; PATH finds the system's FFmpeg where there is one."""
    kept = {key: value for key, value in os.environ.items() if key != "CINECUT_FFMPEG"}
    return {**kept, "CINECUT_RUNTIME_DIR": str(folder / "runtime"), **changes}


def cinecut(*arguments: str | Path, cwd: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """A whole run in `cwd`: its status, and all it printed."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=environment(cwd, **changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=120,
        check=False,
    )


def names(folder: Path) -> list[str]:
    """What lies in a folder, hidden files too, the lock's folder and the schema that specs name left out."""
    return sorted(entry.name for entry in folder.iterdir() if entry.name not in ("runtime", "trailer-1.schema.json"))
