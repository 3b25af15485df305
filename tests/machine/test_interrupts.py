"""Signals that end a command: at its very start, and while the main thread waits for what never comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commandline import names
from effort import GIVE_UP

# A mutex that is locked twice stands for a disk that does not answer: the thread takes no exception, whatever is sent.
NEVER = "mutex = ctypes.create_string_buffer(64); libc.pthread_mutex_lock(mutex); libc.pthread_mutex_lock(mutex)"
# The kernel keeps a signal that no thread can take.
KEPT = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])"
# A thread that is waited for when Python ends.
JOINED = "threading.Thread(target=lambda: libc.pause()).start(); time.sleep(1000)"
STUCK = """
import ctypes, signal, sys, threading, time
from pathlib import Path
from cinecut.files import beside, temporary_folder, working_folder
from cinecut.machine import interrupts
from cinecut.machine.child import start

libc = ctypes.CDLL(None)
{before}
start(["sleep", "1000"])
target = Path(sys.argv[1])
try:
    with interrupts.raised(), beside(target / "a") as part, working_folder(target / "b"), temporary_folder("c", target):
        part.write_text("half")
        print("begun", flush=True)
        {waits}
except interrupts.Interrupted as interrupted:
    sys.exit(interrupts.say(interrupted.signum))
"""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("before", "waits"), [("", NEVER), (KEPT, "time.sleep(1000)"), ("", JOINED)], ids=["never", "kept", "joined"]
)
@pytest.mark.matrix
def test_a_disk_that_does_not_answer_keeps_nobody(
    before: str, waits: str, signum: signal.Signals, tmp_path: Path
) -> None:
    program = STUCK.format(before=before, waits=waits)
    heard = lambda: [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)]  # noqa: E731
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heard,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signum)
        process.send_signal(signum)
        _, said = process.communicate(timeout=GIVE_UP)  # the child has the same output: it has ended, too
    assert process.returncode == 128 + signum
    assert said.splitlines()[-1].startswith("cinecut: interrupted; ")
    assert "nothing was left behind" in said
    assert names(tmp_path) == []


def test_ctrl_c_while_python_still_loads(tmp_path: Path) -> None:
    """A module in the place of one that the command line loads sends it."""
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program += "from cinecut.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


AGAIN = """
import signal, sys, time
from cinecut.machine import interrupts

signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with interrupts.raised():
        signal.raise_signal(signal.SIGINT)
        time.sleep(1000)
except interrupts.Interrupted as interrupted:
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.raise_signal(each)
    sys.exit(interrupts.say(interrupted.signum) if all(map(callable, handlers)) else str(handlers))
"""


def test_further_signals_meet_a_function() -> None:
    """SIG_IGN, set while one arrives, prints a traceback of Python's own."""
    done = subprocess.run([sys.executable, "-c", AGAIN], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "cinecut: interrupted; nothing was left behind\n")


DROPPING = """
import ctypes, gc, signal, sys, time, weakref
from pathlib import Path
from cinecut.files import beside
from cinecut.machine import interrupts

class Dying:
    def __del__(self):
        send()

class Plain:
    pass

def send(*_):
    for _ in range(3):
        signal.raise_signal({signum})
        time.sleep(0.01)

def deleted():
    Dying()

def in_a_weak_reference():
    plain = Plain()
    kept = weakref.ref(plain, send)
    del plain

def called_from_c():
    ctypes.CFUNCTYPE(None)(send)()

def half_made():
    class Half:
        def __init__(self):
            send()
            self.made = True

        def __del__(self):
            self.made

    Half()

def collecting():
    gc.callbacks.append(send)
    gc.collect()
    gc.callbacks.clear()

try:
    with interrupts.raised(), beside(Path(sys.argv[1]) / "a") as part:
        part.write_text("half")
        {how}()
        time.sleep(1000)
except interrupts.Interrupted as interrupted:
    sys.exit(interrupts.say(interrupted.signum))
"""


@pytest.mark.parametrize("how", ["deleted", "in_a_weak_reference", "called_from_c", "collecting", "half_made"])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.matrix
def test_a_signal_is_not_lost_where_python_drops_exceptions(how: str, signum: signal.Signals, tmp_path: Path) -> None:
    program = DROPPING.format(how=how, signum=int(signum))
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=GIVE_UP)
    assert (done.returncode, done.stderr) == (128 + signum, "cinecut: interrupted; nothing was left behind\n")
    assert names(tmp_path) == []


def test_what_else_python_drops_is_said() -> None:
    program = "from cinecut.machine import interrupts; x = type('X', (), {'__del__': lambda self: 1 / 0})\n"
    program += "with interrupts.raised(): x()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "ZeroDivisionError" in done.stderr
