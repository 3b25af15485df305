"""The examples in docstrings are right."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    path.relative_to(ROOT) for path in (ROOT / "cinecut").rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")
]
MODULES = ["oracle", *sorted(".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in FILES)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_right(name: str) -> None:
    done = doctest.testmod(import_module(name))
    assert done.attempted
    assert not done.failed
