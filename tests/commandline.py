"""cinecut as its users run it: a process of its own, here with a GPU lock of its own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import forked
import pytest
from effort import GIVE_UP

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
    """A whole run in `cwd`: its status, and all it printed. Forked, but where Python itself shall start otherwise."""
    env = environment(cwd, **changes)
    if _LIGHT and forked.serves(env):
        return forked.run([str(argument) for argument in arguments], cwd, env, seconds=GIVE_UP)
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=GIVE_UP,
        check=False,
    )


Running = subprocess.Popen[str] | forked.Process


def start(
    *words: str, cwd: Path, terminal: int | None = None, group: bool = False, changes: Mapping[str, str] | None = None
) -> Running:
    """A run that goes on beside the test: on a terminal, or with pipes for what it prints; `group`: in a process group
    of its own, as a shell starts it. Forked, but where Python itself shall start otherwise."""
    env = environment(cwd, **(changes or {}))
    if _LIGHT and forked.serves(env):
        return forked.Process(words, cwd, env, () if terminal is None else (terminal,) * 3, group)
    streams = (subprocess.DEVNULL, subprocess.PIPE, subprocess.PIPE) if terminal is None else (terminal,) * 3
    stdin, stdout, stderr = streams
    return subprocess.Popen(
        [*COMMAND, *words],
        cwd=cwd,
        env=env,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        encoding="utf-8",
        start_new_session=group,
    )


Answer = tuple[str, Callable[[], str]]
"""What a question says, and what is done and then typed when it is asked."""


def on_a_terminal(folder: Path, *words: str, answers: Sequence[Answer] = (), **changes: str) -> str:
    """All that is printed on a terminal of 80 columns."""
    master, slave = pty.openpty()
    shown = {"COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "", **changes}
    with start(*words, cwd=folder, terminal=slave, changes=shown) as process:
        os.close(slave)
        found, heard, waiting = b"", 0, list(answers)
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            found += part
            if waiting and waiting[0][0].encode() in found[heard:]:
                heard = len(found)
                os.write(master, waiting.pop(0)[1]().encode())
        process.wait()
    os.close(master)
    return found.decode().replace("\r\n", "\n")


def names(folder: Path) -> list[str]:
    """What lies in a folder, hidden files too, the lock's folder and the schema that specs name left out."""
    return sorted(entry.name for entry in folder.iterdir() if entry.name not in ("runtime", "trailer-1.schema.json"))


def needs_name(name: str) -> None:
    """Skip the test where no file can have this name: outside UTF-8 a locale has few signs."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        pytest.skip("files cannot have this name in this locale")
