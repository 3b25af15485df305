"""Servers of models that do as they are told, and what is seen of a server from outside."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import model_server
from effort import GIVE_UP

from cinecut.diagnostics import Stop
from cinecut.inference.models import ModelFiles
from cinecut.inference.server import Local
from cinecut.machine.gpu import lock_path

MOOD = {
    "type": "object",
    "properties": {"mood": {"type": "string", "minLength": 1, "maxLength": 20}, "day": {"enum": ["day", "night"]}},
    "required": ["mood", "day"],
    "additionalProperties": False,
}


def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock of the test's own, and no GPU but the one that it makes."""
    monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(tmp_path / "runtime"))
    bare = tmp_path / "bin"
    bare.mkdir()
    monkeypatch.setenv("PATH", f"{bare}:/usr/bin:/bin")
    program(bare / "nvidia-smi", "#!/bin/sh\nexit 9\n")  # as where there is no driver


def program(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def local(files: ModelFiles, executable: list[str] | None = None, **limits: float) -> Local:
    return Local(executable or model_server(), lambda holder: None, lambda part: files, **limits)


def lock_is_free() -> bool:
    descriptor = os.open(lock_path(), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def listens(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "XZ"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(what: str, come_true: Callable[[], bool]) -> None:
    end = time.monotonic() + GIVE_UP
    while not come_true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


_SCRIPT = """#!{python}
import json, os, signal, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

if "--help" in sys.argv:
    sys.exit({help!r})  # as old builds: help on stderr, and a status that is not 0
Server, health, count, folder = ThreadingHTTPServer, 200, 0, {folder!r}
with open(folder + "/arguments", "w") as file:
    json.dump(sys.argv[1:], file)

def answer(body):
    return 200, json.dumps({{"mood": "calm", "day": "day"}})

{behaviour}

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(health if self.path == "/health" else 200, "{{}}")
    def do_POST(self):
        global count
        count += 1
        status, content = answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.reply(status, json.dumps({{"choices": [{{"message": {{"content": content}}}}]}}))
    def reply(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *arguments):
        pass

with open(folder + "/pid", "w") as file:
    file.write(str(os.getpid()))
Server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""
HELP = "--model --mmproj --host --port --ctx-size -ngl --n-gpu-layers --parallel"


class Scripted:
    """An executable that behaves as its lines of Python say; what it was started with, and its process."""

    def __init__(self, folder: Path, behaviour: str = "", options: str = HELP) -> None:
        text = _SCRIPT.format(python=sys.executable, help=options, folder=str(folder), behaviour=behaviour)
        self.folder, self.path = folder, program(folder / "llama-server", text)
        weights, mmproj = folder / "llava.gguf", folder / "mmproj.gguf"
        for path in (weights, mmproj):
            path.write_bytes(_GGUF)
        self.files = ModelFiles("llava", weights, mmproj)

    def models(self, **limits: float) -> Local:
        return local(self.files, [str(self.path)], **limits)

    @property
    def arguments(self) -> list[str]:
        return list(json.loads((self.folder / "arguments").read_text(encoding="utf-8")))

    @property
    def pid(self) -> int:
        return int((self.folder / "pid").read_text(encoding="utf-8"))


def gguf(**texts: str) -> bytes:
    """A model file with nothing in it but these texts."""
    whole = b"GGUF" + (3).to_bytes(4, "little") + (0).to_bytes(8, "little") + len(texts).to_bytes(8, "little")
    for key, value in texts.items():
        for number, text in ((None, key.replace("__", ".")), (8, value)):
            whole += b"" if number is None else number.to_bytes(4, "little")
            whole += len(text.encode()).to_bytes(8, "little") + text.encode()
    return whole + bytes(-len(whole) % 32)


_GGUF = gguf(general__architecture="clip", clip__projector_type="mlp")


def problem(models: Local) -> tuple[str, tuple[str, ...]]:
    """Message and hints of the Stop with which this opening ends."""
    with pytest.raises(Stop) as caught, models.open("vision"):
        pass
    assert lock_is_free()
    (found,) = caught.value.diagnostics
    assert found.code == "model"
    return found.message, found.hints
