"""Runs one command of cinecut in a process of its own, and watches what it does."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import stat
import sys
import tempfile
import threading
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LONGEST = 60.0  # seconds; the bound of every command on the fuzzer's small files
MOST_MEMORY = 2 << 30  # bytes, of the command and all it started
_MOST_LINES = 12  # of one message
_LONGEST_LINE = 600  # characters


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one command did: its status, what it printed, its peak memory in bytes and what broke a rule."""

    status: int
    printed: str
    memory: int
    faults: tuple[str, ...] = field(default=())


Meanwhile = Callable[[int, Path], None]
"""What happens while a command runs: of its process and of the file with what it prints. It ends it by a signal."""


def run_watched(words: Sequence[str], folder: Path, own: Sequence[Path], meanwhile: Meanwhile | None = None) -> Outcome:
    """Run `cinecut WORDS` in `folder`. It may write below `folder` and `own` (its cache and runtime folders). As in a
    shell, NAME=value before the words is for the environment, and <file behind them what is read."""
    before, were = _listing(folder), _files(folder)
    log, audit = own[0] / "printed", own[0] / "audit"
    secrets = list(folder.glob("secret*"))
    for secret in secrets:
        os.utime(secret, (1, time.time()))  # the next read moves its time of access, also where mounts are lazy
    child = os.fork()
    if child == 0:
        _be_cinecut(words, folder, log, audit)
    beside = threading.Thread(target=meanwhile, args=(child, log)) if meanwhile is not None else None
    if beside is not None:
        beside.start()
    status, memory, slow = _wait(child, LONGEST if beside is None else 3 * LONGEST)
    if beside is not None:
        beside.join()
    left = _session(child)
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    printed = log.read_bytes().decode("utf-8", errors="replace")
    fine = (0, 1) if meanwhile is None else (1, 143)
    said = (2,) if printed.startswith("Usage: ") else ()  # words that are no command line
    faults = [*_judge_status(status, slow, (*fine, *said)), *_judge_words(printed)]
    if memory > MOST_MEMORY:
        faults.append(f"it took {memory >> 20} MB")
    if left:
        faults.append(f"{len(left)} processes were left running")
    new = _listing(folder) - before
    halves = {name for name in new if ".part" in name or Path(name).name.startswith(".")}
    kept = status != 1 or "index" in words  # a catalogue says why none of its films could be read
    faults += [f"left behind: {name}" for name in sorted(halves if kept else new)]
    if meanwhile is None:
        faults += _judge_files(were, _files(folder), status == 0 or "index" in words)
    faults += _judge_writes(audit, (folder, *own))
    faults += [f"read {secret.name}, which nobody named" for secret in secrets if secret.stat().st_atime != 1]
    return Outcome(status, printed, memory, tuple(faults))


def _be_cinecut(words: Sequence[str], folder: Path, log: Path, audit: Path) -> None:
    """The child: cinecut's own entry point, with every file that it opens for writing noted. Never returns."""
    os.setsid()
    os.chdir(folder)
    note = os.open(audit, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    words, tempfile.tempdir = _as_in_a_shell(words), None
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the process's own
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT

    def hook(event: str, details: tuple[object, ...]) -> None:
        path: object = None
        if event == "open":
            path = details[0] if isinstance(details[2], int) and details[2] & writing else None
        elif event in ("os.remove", "os.rmdir", "os.mkdir"):
            path = details[0]
        elif event == "os.rename":
            path = details[1]
        if isinstance(path, str | bytes):
            os.write(note, os.fsencode(os.path.abspath(path)) + b"\0")  # noqa: PTH100 - bytes may not decode

    sys.addaudithook(hook)
    status = 70
    try:
        sys.argv = ["cinecut", *words]
        from cinecut.cli import main

        main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # the one place that must see everything: it becomes a finding
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status & 255)


def _as_in_a_shell(words: Sequence[str]) -> list[str]:
    """The words of the command alone, once its environment and its input are as the others say."""
    plain, source = list(words), os.devnull
    while match := re.fullmatch(r"([A-Z_0-9]+)=(.*)", plain[0], re.DOTALL):
        os.environ[match[1]] = match[2]
        del plain[0]
    if plain[-1].startswith("<"):
        source = plain.pop()[1:]
    os.dup2(os.open(source, os.O_RDONLY), 0)
    return plain


def _wait(child: int, longest: float) -> tuple[int, int, bool]:
    """Status (negative: the signal that ended it), peak memory of its session in bytes, and whether it took more than
    `longest` seconds."""
    start, memory = time.monotonic(), 0
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), memory, False
        memory = max(memory, sum(_resident(process) for process in (child, *_session(child))))
        if memory > MOST_MEMORY or time.monotonic() - start > longest:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return -signal.SIGKILL, memory, time.monotonic() - start > longest
        time.sleep(0.02)


def _session(leader: int) -> list[int]:
    """The other processes of a session."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != leader:
            with contextlib.suppress(OSError, IndexError, ValueError):
                state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                if int(session) == leader and state != "Z":
                    members.append(int(entry.name))
    return members


def _resident(process: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _listing(folder: Path) -> set[str]:
    return {str(entry.relative_to(folder)) for entry in folder.rglob("*")}


def _files(folder: Path) -> dict[str, tuple[int, str]]:
    """The mode of each file, which says whether it is a link too, and a digest of its content."""
    found = dict[str, tuple[int, str]]()
    for entry in folder.rglob("*"):
        mode = entry.lstat().st_mode
        if not stat.S_ISDIR(mode) and not entry.name.startswith("secret"):  # whoever reads that is seen
            data = b""
            with contextlib.suppress(OSError):  # a link may lead to what cannot be read
                data = entry.read_bytes() if entry.is_file() else b""
            found[str(entry.relative_to(folder))] = mode, hashlib.sha256(data).hexdigest()
    return found


def _judge_files(were: dict[str, tuple[int, str]], are: dict[str, tuple[int, str]], done: bool) -> list[str]:
    """Faults of what was there: a file that is gone, has another mode, or was changed by a command that failed, or in
    spite of being read-only."""
    faults = [f"lost {name}" for name in sorted(were.keys() - are.keys())]
    for name in sorted(were.keys() & are.keys()):
        (mode, content), (now, later) = were[name], are[name]
        if mode != now:
            faults.append(f"gave {name} another mode: {mode:o}, {now:o}")
        if content != later and not (done and mode & 0o222):
            faults.append(f"changed {name}" + ("" if done else ", and failed"))
    return faults


def _judge_status(status: int, slow: bool, fine: Sequence[int]) -> list[str]:
    if slow:
        return [f"not done after {LONGEST:.0f} s"]
    return [] if status in fine else [f"status {status}"]


def _judge_words(printed: str) -> list[str]:
    faults = ["a traceback"] if "Traceback (most recent call last)" in printed else []
    if "this is a fault of its own" in printed:
        faults.append("an unforeseen error")
    bad = {c for c in printed if unicodedata.category(c) == "Cc" and c not in "\n\t"} | set(printed) & _TURNS
    faults += [f"printed {c!a}" for c in sorted(bad)]
    lines = printed.splitlines()
    if any(len(line) > _LONGEST_LINE and not line.startswith(("{", " ", "[")) for line in lines):
        faults.append(f"a line of {max(map(len, lines))} characters")
    block = 0
    for line in lines:
        block = 1 if re.search(r"\b(error|warning|note): ", line) else block + 1
        if block > _MOST_LINES and re.match(r"  hint:|\s*\d* \|", line):
            faults.append("a message of too many lines")
            break
    return faults


_TURNS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _judge_writes(audit: Path, allowed: Sequence[Path]) -> list[str]:
    written = {Path(os.fsdecode(name)) for name in audit.read_bytes().split(b"\0") if name}
    fine = (*allowed, Path("/dev"), Path("/proc"))
    odd = [path for path in written if not any(path.is_relative_to(folder) for folder in fine)]
    return [f"wrote {path}" for path in sorted(odd) if "__pycache__" not in path.parts]
