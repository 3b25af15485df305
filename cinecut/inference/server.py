"""The servers that answer the questions of an analysis: llama.cpp's, started when needed, or one that already runs."""

from __future__ import annotations

import collections
import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import requests

from cinecut.diagnostics import Stop
from cinecut.files import content_of
from cinecut.inference.chat import Chat, NoAnswer, session
from cinecut.inference.models import ModelFiles, Part, find_model
from cinecut.inference.remote import Remote
from cinecut.machine.child import die_with_parent, drain
from cinecut.machine.gpu import LEAST, GpuLock, free_memory, gpu_lock, lacking_memory, least_memory

_PORT: dict[Part, int] = {"vision": 8089, "text": 8090}
_CONTEXT: dict[Part, int] = {"vision": 2048, "text": 8192}  # tokens: a picture takes 576, a chunk of dialogue thousands
_REQUEST_MIB = 256  # GPU memory that a request needs besides the loaded model
_PAUSE = 10.0  # seconds to wait for another program to release the memory that a request lacks
_GRACE = 5.0  # seconds from SIGTERM to SIGKILL
_LAST_LINES = 5.0  # seconds for which the output of a server that has ended is read; its children may hold it

# The chat format that LLaVA 1.5 was trained on, which its common files do not contain.
_VICUNA = (
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed,"
    " and polite answers to the human's questions.{% for message in messages %}"
    "{% if message.role == 'assistant' %} ASSISTANT: {{ message.content }}</s>"
    "{% else %} USER: {{ message.content }}{% endif %}{% endfor %} ASSISTANT:"
)


class Models(Protocol):
    """The models of one analysis, used one after the other."""

    def identity(self, part: Part) -> str | None:
        """The model's part of a cache key; None if there is no such model."""

    def name(self, part: Part) -> str | None:
        """The model's name for `by:` in a spec."""

    def open(self, part: Part) -> AbstractContextManager[Chat]:
        """A server with that model, which runs for as long as the block. Raises Stop("model", …)."""


def choose_models(llama_server: str | None, llm_url: str | None, waiting: Callable[[str], None]) -> Models | None:
    """The server that the user named (Stop if it is missing), else the one of this machine, or None."""
    if llama_server and llm_url:
        raise Stop("option", "--llama-server starts a server, --llm-url uses a running one: choose one of them")
    if llm_url:
        return _reached(Remote(llm_url))
    if llama_server:
        program = shutil.which(Path(llama_server).expanduser())
        if program is None:
            raise Stop("option", f"there is no program {llama_server}")
        return Local([program], waiting)
    command = find_server()
    if command is None or not (find_model("vision") or find_model("text")):
        return None
    return Local(command, waiting)


def _reached(remote: Remote) -> Remote:
    """The server that the user named. A missing one is an error at once, not a warning after an hour's work."""
    try:
        remote.name("text")
    except Stop as stop:
        reason = stop.diagnostics[0]
        raise Stop("option", reason.message, *reason.hints) from None
    return remote


def find_server() -> list[str] | None:
    """The command of this machine's llama.cpp server: an installed one, else the one in a Python package."""
    if program := shutil.which("llama-server"):
        return [program]
    if importlib.util.find_spec("xllamacpp"):
        return [sys.executable, "-P", str(Path(__file__).with_name("llama_server.py"))]
    program = shutil.which("llama-server-vulkan")  # does not run on every processor
    return [program] if program and _run(program, "--version") is not None else None


@dataclass(frozen=True, slots=True)
class Local:
    """llama.cpp's server on this machine, started for one model at a time. Times are seconds."""

    executable: list[str]
    waiting: Callable[[str], None]  # called with the holder of the GPU lock
    find: Callable[[Part], ModelFiles | None] = find_model
    healthy_within: float = 180
    memory_within: float = 30

    def identity(self, part: Part) -> str | None:
        files = self.find(part)
        return files.identity if files else None

    def name(self, part: Part) -> str | None:
        files = self.find(part)
        return files.name if files else None

    @contextlib.contextmanager
    def open(self, part: Part) -> Iterator[Chat]:
        """Hold the GPU lock and run the server. The server ends with the thread that starts it."""
        files = self.find(part)
        if files is None:
            raise Stop("model", f"there is no model for {part} on this disk", "cinecut models pull fetches one")
        files.verify()
        least = least_memory()
        accepted = _accepted(self.executable)
        with gpu_lock(f"asking the model {files.name}", self.waiting) as lock:
            free = lacking_memory(least, self.memory_within)
            if free is not None:
                message = f"the model {files.name} needs {least} MiB of GPU memory, and {free} MiB are free"
                raise Stop("model", message, "end what else uses the GPU", f"{LEAST} changes what must be free")
            with _free_port(_PORT[part]) as port:
                command = [*self.executable, *_arguments(files, part, port, accepted)]
                with _running(command, lock) as server:
                    url = f"http://127.0.0.1:{port}"
                    _await_health(server, url, files, self.healthy_within)
                    yield Chat(files.name, url, ready=lambda: _ready(server, min(least, _REQUEST_MIB)))


def _accepted(executable: list[str]) -> set[str]:
    """The options in the server's help text, since builds differ."""
    usage = _run(*executable, "--help", whatever_status=True)
    if usage is None:
        raise Stop("model", f"{executable[0]} does not run here", "--llama-server names another")
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", usage))


def _run(*command: str, whatever_status: bool = False) -> str | None:
    """The output of a short command; None if it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=30,
            preexec_fn=die_with_parent(),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    failed = done.returncode < 0 or (done.returncode > 0 and not whatever_status)
    return None if failed else done.stdout.decode(errors="replace")


def _arguments(files: ModelFiles, part: Part, port: int, accepted: set[str]) -> list[str]:
    arguments = ["--model", str(files.weights), "--host", "127.0.0.1", "--port", str(port)]
    if files.mmproj is not None:
        if "--mmproj" not in accepted:
            raise Stop(
                "model", "this llama-server cannot show pictures to a model", "a newer one can: May 2025 or later"
            )
        arguments += ["--mmproj", str(files.mmproj)]
    wanted = {"--ctx-size": str(_CONTEXT[part]), "--parallel": "1", "--cache-ram": "0", "--no-webui": None}
    if free_memory() is not None:
        wanted["--n-gpu-layers"] = "999"
    if files.mmproj is not None and not _has_template(files.weights):
        wanted |= {"--jinja": None, "--chat-template": _VICUNA}
    for option, value in wanted.items():
        if option in accepted:
            arguments += [option] if value is None else [option, value]
    return arguments


def _has_template(weights: Path) -> bool:
    """Whether the model's file contains its chat format: the key is searched in the bytes of its header."""
    return b"tokenizer.chat_template" in content_of(weights, 16 << 20)


@contextlib.contextmanager
def _free_port(wanted: int) -> Iterator[int]:
    """The wanted port, or another if it is taken: by a listening process, or by another cinecut that will soon listen.

    A cinecut claims a port by an abstract socket name, which the kernel releases when the process ends.
    """
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            claim.bind(f"\0cinecut-port-{wanted}")
            ports: tuple[int, ...] = (wanted, 0)
        except OSError:
            ports = (0,)
        yield _bindable(ports)


def _bindable(ports: Iterable[int]) -> int:
    for port in ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server that has just ended is no obstacle
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise Stop("model", "no port is free for the server")


@dataclass(frozen=True, slots=True)
class _Server:
    """A running server and the last lines of its output, which a thread reads."""

    process: subprocess.Popen[bytes]
    lines: collections.deque[str]
    reader: threading.Thread

    def ended(self) -> str | None:
        """How it ended, in words, when its last lines have been read; None while it runs."""
        status = self.process.poll()
        if status is None:
            return None
        self.reader.join(_LAST_LINES)
        return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"

    def error_lines(self) -> list[str]:
        """At most three of the last lines of output: those that name an error, in order, else the very last."""
        lines = [_STAMP.sub("", line)[:300] for line in list(self.lines)[-20:] if line]
        telling = [line for line in lines if _TELLING.search(line)]
        return list(dict.fromkeys(telling or lines[-3:]))[:3]


_TELLING = re.compile(
    r"error|fail|unable|cannot|can't|could not|invalid|mismatch|out of memory|not found", re.IGNORECASE
)
_STAMP = re.compile(r"^[\d.]+ [A-Z] ")  # llama.cpp's time and level


@contextlib.contextmanager
def _running(command: list[str], lock: GpuLock) -> Iterator[_Server]:
    """A server process that also holds the lock; it is ended after the block, and when cinecut ends."""
    environment = {key: value for key, value in os.environ.items() if key != "LLAMA_API_KEY"}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.descriptor],
            preexec_fn=die_with_parent(),
            start_new_session=True,  # Ctrl-C reaches only cinecut, which then ends the server and its children in order
            env=environment,
        )
    except OSError as error:
        raise Stop("model", f"{command[0]} cannot be started: {error.strerror}") from None
    assert process.stdout is not None
    lines = collections.deque[str](maxlen=200)
    reader = threading.Thread(target=drain, args=(process.stdout, lines), daemon=True)
    try:
        reader.start()
        yield _Server(process, lines, reader)
    finally:
        _end(process)
        reader.join(timeout=5)


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL, to the process and its children; only while it runs, since its number may be reused."""
    if process.poll() is not None:
        return
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        pass
    finally:  # also after a second Ctrl-C during the wait
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _await_health(server: _Server, url: str, files: ModelFiles, patience: float) -> None:
    """Wait until the server is ready. Raises Stop with its last lines if it ends, or is not ready in time."""
    end = time.monotonic() + patience
    while True:
        healthy = _healthy(url)
        if how := server.ended():
            message = f"the server of the model {files.name} {how} before it was ready"
            raise Stop("model", message, *server.error_lines())
        if healthy:
            return
        if time.monotonic() > end:
            message = f"the server of the model {files.name} was not ready within {patience:.0f} s"
            raise Stop("model", message, *server.error_lines())
        time.sleep(0.05)


def _healthy(url: str) -> bool:
    try:
        with session(url) as connection:
            return connection.get(f"{url}/health", timeout=2, allow_redirects=False).status_code == 200
    except requests.RequestException:
        return False


def _ready(server: _Server, least: int) -> None:
    """Raises NoAnswer if the server has ended, or the GPU has too little memory left for a question."""
    if how := server.ended():
        raise NoAnswer("; ".join([f"the server {how}", *server.error_lines()[-1:]]), gone=True)
    free = lacking_memory(least, _PAUSE)
    if free is not None:
        raise NoAnswer(f"a question needs {least} MiB of free GPU memory, and {free} MiB are free")
