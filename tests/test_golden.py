"""Every spec of specs/ compiles to the text that golden/ keeps: a change of the compiler shows as a diff of them.

`pytest tests/test_golden.py --update-goldens` writes them anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from compiling import plan_of

from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Report, as_text
from cinecut.graph.script import BUILDS
from cinecut.language.read import load_spec
from cinecut.render.check import check_spec

ROOT = Path(__file__).parent.parent
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
GOLDEN = Path(__file__).parent / "golden"


def plan_at(path: Path) -> RenderPlan:
    report = Report()
    _, spec = load_spec(path, report)
    assert spec is not None
    plan = plan_of(spec, report)
    assert plan is not None, "\n".join(as_text(d) for d in report)
    return plan


def texts_of(plan: RenderPlan) -> dict[str, str]:
    """File names and texts: the trailer's graph and that of its sound alone, what is generated beside them, and
    FFmpeg's arguments for the trailer, one a line."""
    texts = {run.name: run.script for run in (plan.render, plan.sound)}
    texts |= {name: data.decode() for name, data in plan.files.items()}
    for syntax, build in BUILDS.items():
        outputs = [f"trailer{target.name}{target.suffix}" for target in plan.targets]
        texts[f"arguments.{syntax}"] = "\n".join(plan.render.arguments(build, outputs)) + "\n"
    return texts


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_golden(path: Path, request: pytest.FixtureRequest) -> None:
    folder, texts = GOLDEN / path.stem, texts_of(plan_at(path))
    if request.config.getoption("--update-goldens"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    kept = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
    assert texts == kept


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_no_paths(path: Path) -> None:
    """A plan names its files in its own folder only: it renders on any machine."""
    for name, text in texts_of(plan_at(path)).items():
        assert str(ROOT) not in text, name
        assert "../" not in text, name
        assert not [line for line in text.splitlines() if line.startswith("/")], name


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_specs_have_no_mistakes(path: Path) -> None:
    """Nothing to say about the specs that people learn from, but that the film may not be fetched yet."""
    film_is_here = (ROOT / "media" / "big_buck_bunny_720p24.mp4").exists()
    found = [d for d in check_spec(path) if film_is_here or d.code != "missing-file"]
    assert not found, "\n".join(as_text(d) for d in found)
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=../schemas/")


def test_every_golden_has_a_spec() -> None:
    assert {folder.name for folder in GOLDEN.iterdir()} == {path.stem for path in SPECS}
