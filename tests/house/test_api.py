"""The package as programs use it: from a film to a spec to a plan to a file, and what it costs to import."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from footage import make_film
from test_architecture import HEAVY

import cinecut

SPECS = Path(__file__).parents[2] / "specs"


def test_names_are_imported_when_they_are_asked_for() -> None:
    program = (
        "import json, sys, cinecut; print(json.dumps(sorted(sys.modules))); cinecut.load; print(cinecut.Spec.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules, name = done.stdout.splitlines()
    assert not {each for each in json.loads(modules) if each.startswith("cinecut.")}
    assert not HEAVY & set(json.loads(modules))
    assert name == "Spec"
    assert set(cinecut.__all__) <= {each for each in cinecut.__all__ if getattr(cinecut, each)}
    with pytest.raises(AttributeError, match="no nonsense"):
        cinecut.nonsense  # noqa: B018


def test_a_spec_is_loaded_and_compiled() -> None:
    spec = cinecut.load(SPECS / "beats.yaml")
    assert isinstance(spec, cinecut.Spec)
    plan = cinecut.compile(spec)
    assert plan.frames > 0
    assert cinecut.compile(spec).render.script == plan.render.script


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("cinecut: 1\nfilm: film.mp4\ntimeline: [shot: 0:16 - 0:2x, black: 0s]\n", encoding="utf-8")
    with pytest.raises(cinecut.Stop) as stop:
        cinecut.load(path)
    assert [found.code for found in stop.value.diagnostics] == ["bad-time", "bad-time"]
    assert [found.code for found in cinecut.check(path)] == ["missing-file", "bad-time", "bad-time"]
    assert all(isinstance(found, cinecut.Diagnostic) for found in cinecut.check(path))


def test_the_example_of_several_films_runs(analyses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands in docs/llms.md."""
    page = (Path(__file__).parents[2] / "docs" / "llms.md").read_text(encoding="utf-8")
    example = next(block for block in re.findall(r"```python\n(.+?)```", page, re.S) if "analyze(" in block)
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(analyses))
    monkeypatch.chdir(tmp_path)
    for name, count in (("one", 8), ("two", 10)):
        make_film(tmp_path / f"{name}.mkv", count)
    exec(example, known := {"cinecut": cinecut})
    assert list(known["found"].spec.films) == ["one", "two"]
    assert {event.act for event in known["found"].spec.timeline if hasattr(event, "card")} <= {"ONE", "TWO"}
    assert repr(known["found"]).startswith("<Analysis of one.mkv, two.mkv: ")
    for wrong in ({"subtitles": "one.srt"}, {"blocks": True, "structure": "teaser"}):
        with pytest.raises(cinecut.Stop, match="several"):
            cinecut.analyze("one.mkv", "two.mkv", **wrong)


def test_a_room_that_is_imported_hides_no_function() -> None:
    """`cinecut.render` is a package too, and every import of it would set that name."""
    program = "import cinecut, cinecut.render.check; cinecut.check('none.yaml'); print(cinecut.render.__module__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["cinecut.api"]


def test_a_length_that_is_none_is_said() -> None:
    for wrong in ("soon", float("nan"), float("inf"), -3, 0, "2s", 601):
        with pytest.raises(cinecut.Stop, match="`length` cannot be"):
            cinecut.analyze("none.mkv", length=wrong)
