"""What nobody foresaw ends in one sentence and a report, never in a traceback; and cinecut starts as a module too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cinecut import __version__

FAULTY = (
    "import cinecut.cli as cli\ndef fail(*_, **__): raise {error}\ncli.command_line = cli.listed = fail\ncli.main()\n"
)


def run(folder: Path, program: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    known = {**os.environ, "CINECUT_CACHE_DIR": str(folder / "cache"), **changes}
    return subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("error", ["KeyError('a\\x1b[2Jb')", "RecursionError('deep')", "AssertionError()"])
def test_one_sentence_says_where_the_report_is(error: str, tmp_path: Path) -> None:
    done = run(tmp_path, FAULTY.format(error=error))
    (report,) = (tmp_path / "cache" / "reports").iterdir()
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (70, "", 1)
    assert error.partition("(")[0] in done.stderr
    assert str(report) in done.stderr
    assert "\x1b" not in done.stderr
    text = report.read_text(encoding="utf-8")
    assert text.startswith(f"cinecut {__version__}, Python {sys.version.split()[0]}, ")
    assert "Traceback" in text
    assert "typer " in text, "the versions of the packages"


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    assert "Traceback" in run(tmp_path, FAULTY.format(error="KeyError()"), CINECUT_DEBUG="1").stderr


def test_a_report_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be", encoding="utf-8")
    done = run(tmp_path, FAULTY.format(error="KeyError()"))
    assert (done.returncode, done.stderr.count("\n")) == (70, 1)
    assert "CINECUT_DEBUG=1" in done.stderr


def test_cinecut_is_a_module_too() -> None:
    done = subprocess.run([sys.executable, "-m", "cinecut", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"cinecut {__version__}\n"


def test_another_system_is_refused_in_plain_words(tmp_path: Path) -> None:
    program = "import sys, os\nfrom cinecut.__main__ import main\nos.name = 'nt'\nmain()\n"
    done = run(tmp_path, program)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "WSL" in done.stderr
