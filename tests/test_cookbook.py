"""Every recipe of the cookbook compiles."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from compiling import plan_of

from cinecut.diagnostics import Report
from cinecut.language.events import ActMarker, Entry, Still
from cinecut.language.facts import AudioFacts, FilmFacts, LutFacts, SongFacts, StillFacts
from cinecut.language.read import load_spec
from cinecut.language.spec import Spec
from cinecut.vibes import load_vibe

COOKBOOK = Path(__file__).parent.parent / "docs" / "cookbook.md"
RECIPES = re.findall(r"^### (.+?)\n(?:(?!^###).)*?^```yaml\n(.+?)^```", COOKBOOK.read_text("utf-8"), re.M | re.S)
STEREO = AudioFacts(48000, 2, "stereo")
FILM = FilmFacts("1-00", (1920, 1080), Fraction(24), Fraction(7200), audio=(STEREO, STEREO))
SONG = SongFacts("2-00", Fraction(200), 44100, 2)
STILL = StillFacts("3-00", (400, 200), alpha=True)


def test_there_are_many_recipes() -> None:
    assert len(RECIPES) >= 20
    assert len({title for title, _ in RECIPES}) == len(RECIPES)


@pytest.mark.parametrize(("title", "text"), RECIPES, ids=[title for title, _ in RECIPES])
def test_a_recipe_compiles(title: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    if text.startswith("vibe:"):
        assert load_vibe(str(path)).name == "night-train"
        return
    report = Report()
    _, spec = load_spec(path, report, unmeasured=FILM.rate)
    assert spec is not None
    assert report.ok, list(report)
    plan = plan_of(_measured(spec), report)
    assert plan is not None, list(report)
    assert list(report) == []


def _measured(spec: Spec) -> Spec:
    """The spec as `link` leaves it beside media of usual kinds."""
    music = replace(spec.music, facts=SONG if spec.music.file else None) if spec.music else None
    rating = replace(spec.rating, still=replace(spec.rating.still, facts=STILL)) if spec.rating else None  # type: ignore[type-var]
    return replace(
        spec,
        film=replace(spec.film, facts=FILM),
        music=music,
        rating=rating,
        lut=replace(spec.lut, facts=LutFacts("4-00", "3d")) if spec.lut else None,
        timeline=tuple(_measured_entry(entry) for entry in spec.timeline),
    )


def _measured_entry(entry: Entry) -> Entry:
    if isinstance(entry, ActMarker):
        return entry
    if isinstance(entry, Still):
        entry = replace(entry, still=replace(entry.still, facts=STILL))
    if entry.cue is not None and not entry.cue.stops:
        entry = replace(entry, cue=replace(entry.cue, facts=SONG))
    return entry
