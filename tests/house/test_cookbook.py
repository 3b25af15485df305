"""Every recipe of the cookbook compiles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from compiling import FILM, measured, plan_of

from cinecut.diagnostics import Report
from cinecut.language.read import load_spec
from cinecut.vibes import load_vibe

COOKBOOK = Path(__file__).parents[2] / "docs" / "cookbook.md"
RECIPES = re.findall(r"^### (.+?)\n(?:(?!^###).)*?^```yaml\n(.+?)^```", COOKBOOK.read_text("utf-8"), re.M | re.S)
BESIDE = re.findall(r"^```yaml\n# (\S+\.yaml)\n(.+?)^```", COOKBOOK.read_text("utf-8"), re.M | re.S)  # other files


def test_there_are_many_recipes() -> None:
    assert len(RECIPES) >= 20
    assert len({title for title, _ in RECIPES}) == len(RECIPES)


@pytest.mark.parametrize(("title", "text"), RECIPES, ids=[title for title, _ in RECIPES])
def test_a_recipe_compiles(title: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    for name, words in BESIDE:
        (tmp_path / name).write_text(words, encoding="utf-8")
    if text.startswith("vibe:"):
        assert load_vibe(str(path)).name == "night-train"
        return
    report = Report()
    _, spec = load_spec(path, report, unmeasured=FILM.timecodes)
    assert spec is not None
    assert report.ok, list(report)
    plan = plan_of(measured(spec), report)
    assert plan is not None, list(report)
    assert list(report) == []
