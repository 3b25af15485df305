"""The vibes: 18 data files that the schema checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinecut.diagnostics import Stop
from cinecut.language.schema import read_schema
from cinecut.vibes import DEFAULT, load_vibe, names, read_vibe


def test_there_are_the_eighteen_that_a_spec_may_name() -> None:
    assert len(names()) == 18
    choice = read_schema("trailer-1")["$defs"]["vibe"]
    said = (
        choice["anyOf"][1]["enum"],
        choice["properties"]["base"]["enum"],
        read_schema("vibe-1")["properties"]["base"]["enum"],
    )
    assert all(sorted(listed) == names() for listed in said)
    assert DEFAULT in names()


@pytest.mark.parametrize("name", names())
def test_each_is_consistent(name: str) -> None:
    vibe = load_vibe(name)
    assert (vibe.name, vibe.base) == (name, name)
    assert vibe.pace[0] >= vibe.pace[1] >= vibe.pace[2]
    assert vibe.tempo[0] < vibe.likely_tempo < vibe.tempo[1]
    assert vibe.shots[0] < vibe.shots[1]


def test_an_unknown_one_names_the_nearest() -> None:
    with pytest.raises(Stop) as caught:
        load_vibe("thriler")
    assert caught.value.diagnostics[0].hints == ("did you mean thriller?",)


def test_a_broken_file_is_refused_with_its_places(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("vibe: 1\nname: mine\nabout: x\npace: {act_1: 0, act_2: 4, act_3: 2}\nshot: {}\n", encoding="utf-8")
    with pytest.raises(Stop) as caught:
        read_vibe(file)
    found = {(d.code, d.span.line + 1) for d in caught.value.diagnostics if d.span}
    assert ("wrong-value", 4) in found
    assert ("unknown-key", 5) in found
