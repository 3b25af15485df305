"""What the documents point to is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#)([^)#]+)[^)]*\)")
_ROOMS = "|".join(sorted(path.name for path in (ROOT / "cinecut").iterdir() if path.is_dir()))
_FILE = re.compile(rf"`((?:cinecut|tests|schemas|docs|tools|specs|{_ROOMS})/[\w./-]+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_files_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = [page.parent / link for link in _LINK.findall(text)]
    named += [ROOT / name if (ROOT / name).exists() else ROOT / "cinecut" / name for name in _FILE.findall(text)]
    assert [str(path) for path in named if not path.stem.isupper() and not path.exists()] == []


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this system")
def test_make_help_lists_every_target() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^make (\S+) +\S", told, re.M) == phony.split()
