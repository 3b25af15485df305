"""The tour says what one sees."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer

from cinecut.cli import command_line
from tools.demo_film import TUTORIAL
from tools.tour import BLOCK, PAGE, PICTURES, ROOT, retold

TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = [line[2:] for _, text in BLOCK.findall(TEXT) for line in text.splitlines() if line.startswith("$ ")]


def test_its_pictures_are_small_and_all_are_shown() -> None:
    shown = set(re.findall(r"!\[[^\]]+\]\(pictures/([\w.]+)\)", TEXT))
    assert shown == {file.name for file in PICTURES.iterdir()}
    assert sum(file.stat().st_size for file in PICTURES.iterdir()) < 1_500_000


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_its_commands_are_commands(command: str) -> None:
    group: Any = typer.main.get_command(command_line())
    name, *words = shlex.split(command)[1:]
    assert group.commands[name].make_context(name, words)


@pytest.mark.slow
def test_it_goes_as_it_says(tmp_path: Path) -> None:
    film = ROOT / "media" / TUTORIAL.name
    if not film.is_file():
        pytest.skip(f"{TUTORIAL.name} is not in media/; `make demo` fetches it")
    shutil.copy(film, tmp_path / "bunny.mp4")
    assert retold(TEXT, tmp_path) == TEXT, "run: python -m tools.tour"
