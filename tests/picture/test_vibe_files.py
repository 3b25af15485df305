"""Vibes of one's own: what a file leaves out its base has, mistakes have places, and a spec says it all by itself."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from commandline import cinecut
from footage import make_film

from cinecut.diagnostics import Report, Stop
from cinecut.grade import Tone
from cinecut.language.read import load_spec
from cinecut.vibes import DEFAULT, Vibe, differences, load_vibe, names, vibe_of

MINE = """
vibe: 1
base: thriller
pace: {act_1: 6}
tempo: {likely: 100}
loudness: -18
effects: {cut: none, act: braam}
titles: {face: Roboto Mono, color: "#FFD23F", tracking: 0.05}
grade:
  saturation: 0.5
  lift: [0, 0.02, 0.1]
  gamma: 1.1
  shadows: {hue: 180}
"""
WHOLE = """
vibe: 1
name: slow-burn
about: Nothing happens, and then it does.
pace: {act_1: 12, act_2: 8, act_3: 4}
shots: {least: 10, most: 14}
dialogue: 0.5
transitions: {usual: crossfade, acts: dip to white}
tempo: {likely: 70, least: 50, most: 90}
loudness: -20
music: [ambient]
effects: {cut: none, beat_cut: none, crossfade: none, dip_to_black: none, dip_to_white: none, act: tick}
pulse: soft
"""


def read(folder: Path, text: str, name: str = "mine.yaml") -> Vibe:
    (folder / name).write_text(text, encoding="utf-8")
    return load_vibe(str(folder / name))


def test_a_file_says_only_what_it_has_otherwise(tmp_path: Path) -> None:
    mine, base = read(tmp_path, MINE), load_vibe("thriller")
    assert (mine.name, mine.base, mine.loudness) == ("mine", "thriller", -18)
    assert mine.pace == (6, *base.pace[1:])
    assert (mine.likely_tempo, mine.tempo) == (100, base.tempo)
    assert mine.effects == {**base.effects, "cut": "none", "act": "braam"}
    assert (mine.titles.face, mine.titles.animation) == ("Roboto Mono", base.titles.animation)
    assert (mine.grade.contrast, mine.grade.saturation) == (base.grade.contrast, Fraction(1, 2))
    assert mine.grade.shadows == Tone(Fraction(180), base.grade.shadows.amount)
    assert (mine.music, mine.shots, mine.usual, mine.acts) == (base.music, base.shots, base.usual, base.acts)


def test_a_file_without_a_base_says_everything(tmp_path: Path) -> None:
    vibe = read(tmp_path, WHOLE)
    assert (vibe.name, vibe.base, vibe.acts, vibe.grade.neutral) == ("slow-burn", DEFAULT, "dip to white", True)
    with pytest.raises(Stop) as caught:
        read(tmp_path, WHOLE.replace("pulse: soft\n", "").replace("act_2: 8, ", ""))
    assert {d.message for d in caught.value.diagnostics} == {
        "`pulse` is missing in this file",
        "`act_2` is missing in `pace`",
    }


@pytest.mark.parametrize(
    ("text", "place", "code", "said"),
    [
        ("vibe: 1\nbase: thriler\n", (2, 7), "wrong-value", "`base` cannot be 'thriler'"),
        ("vibe: 1\nbase: drama\ngrade:\n  saturation: 5\n", (4, 15), "wrong-value", "`saturation` must be at most 2"),
        ("vibe: 1\nbase: drama\ngrade:\n  shadow: {hue: 1}\n", (4, 3), "unknown-key", "`shadow` is not known here"),
        ("vibe: 1\nbase: drama\npace: fast\n", (3, 7), "wrong-type", "`pace` must be a mapping"),
        ("vibe: 1\nbase: drama\ntempo: {likely: 200}\n", (3, 1), "wrong-value", "least 60, likely 200, most 110"),
        ("vibe: 1\nbase: drama\nshots: {least: 60}\n", (3, 1), "wrong-value", "least 60, most 20"),
        ("base: drama\n", (1, 1), "missing-key", "`vibe` is missing"),
        ("vibe: 1\nbase: drama\ntitles: {face: Comic Sans}\n", (3, 16), "wrong-value", "`face` cannot be 'Comic Sans'"),
        ("[1, 2]\n", (1, 1), "wrong-type", "must be a mapping"),
        ("", (1, 1), "missing-key", "the vibe is empty"),
        ("vibe: 1\nbase: *drama\n", (2, 7), "yaml", "undefined alias"),
    ],
)
def test_mistakes_have_their_places(tmp_path: Path, text: str, place: tuple[int, int], code: str, said: str) -> None:
    with pytest.raises(Stop) as caught:
        read(tmp_path, text)
    first = caught.value.diagnostics[0]
    assert first.span is not None
    assert ((first.span.line + 1, first.span.column + 1), first.code) == (place, code)
    assert said in first.message
    assert first.span.file == str(tmp_path / "mine.yaml")


def test_a_file_that_is_not_there_and_a_name_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(Stop) as caught:
        load_vibe(str(tmp_path / "none.yml"))
    assert caught.value.diagnostics[0].code == "missing-file"
    with pytest.raises(Stop) as caught:
        load_vibe("mine")
    assert caught.value.diagnostics[0].hints[0].endswith("a file of your own ends with .yaml")


@pytest.mark.parametrize("name", names())
def test_a_genre_has_nothing_otherwise_than_itself(name: str) -> None:
    assert differences(load_vibe(name)) == {}


@pytest.mark.parametrize("text", [MINE, WHOLE], ids=["upon a base", "whole"])
def test_the_spec_of_an_analysis_needs_the_file_no_more(tmp_path: Path, analyses: Path, text: str) -> None:
    film = make_film(tmp_path / "film.mkv", count=8, spoken=False)
    vibe = read(tmp_path, text)
    options = ("--vibe", "mine.yaml", "--no-models", "--length", "8", "-o", "spec.yaml")
    done = cinecut("analyze", film.path, *options, cwd=tmp_path, CINECUT_CACHE_DIR=str(analyses))
    assert done.returncode == 0, done.stderr
    (tmp_path / "mine.yaml").unlink()
    report = Report()
    _, spec = load_spec(tmp_path / "spec.yaml", report)
    assert list(report) == []
    assert spec is not None
    seen = vibe_of(spec.vibe)
    assert seen is not None
    assert (seen.grade, seen.titles, seen.loudness) == (vibe.grade, vibe.titles, vibe.loudness)
    base = load_vibe(vibe.base).effects
    assert {kind: getattr(spec.effects, kind) or base[kind] for kind in base} == vibe.effects


def test_a_file_is_shown_like_a_genre(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE, encoding="utf-8")
    shown = json.loads(cinecut("vibes", "mine.yaml", "--json", cwd=tmp_path).stdout)[0]
    assert (shown["name"], shown["base"], shown["grade"]["saturation"]) == ("mine", "thriller", 0.5)
    rows = dict(row.split("\t") for row in cinecut("vibes", "mine.yaml", cwd=tmp_path).stdout.splitlines())
    assert rows["effects"].startswith("cut none, beat_cut punch")
    (tmp_path / "bad.yaml").write_text("vibe: 1\nbase: drama\npulse: soft, but firm\n", encoding="utf-8")
    bad = cinecut("vibes", "bad.yaml", cwd=tmp_path)
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("bad.yaml:3:8: error: `pulse` cannot be")
