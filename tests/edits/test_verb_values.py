"""What a verb is given: each value is taken, or refused by its own name; none is passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from commandline import cinecut

from cinecut.api import edit
from cinecut.diagnostics import Stop
from cinecut.edits.verbs.actions import VERBS
from cinecut.edits.verbs.takes import TAKES

FACTS = "{fingerprint: 4-0, size: 640x360, rate: 24, duration: 600}"
TEXT = f"cinecut: 1\nfilm: {{file: film.mkv, facts: {FACTS}}}\ntimeline:\n  - shot: 0:10 - 0:12\n  - card: THE END\n"
EVERY = {name for names in TAKES.values() for name in names}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text(TEXT)
    return tmp_path / "a.yaml"


def refused(spec: Path, *words: Any, **values: Any) -> str:
    with pytest.raises(Stop) as stop:
        edit(spec, *words, **values)
    assert spec.read_text() == TEXT
    first = stop.value.diagnostics[0]
    return " ".join((first.message, *first.hints))


def test_each_verb_says_what_it_takes() -> None:
    assert TAKES.keys() == VERBS.keys()


@pytest.mark.parametrize("verb", VERBS)
def test_no_value_is_passed_over(verb: str, spec: Path) -> None:
    for other in {*EVERY, "byy"} - {*TAKES[verb]}:
        assert refused(spec, verb, **{f"{other}_" if other != "event" else other: 1}) == (
            f"{verb} takes no '{other}' it takes {', '.join(TAKES[verb])}"
        )
    if verb not in ("set", "insert"):
        assert refused(spec, verb) == "`event` takes a number, an id, or act 2/3"


@pytest.mark.parametrize(
    ("verb", "values", "said"),
    [
        ("slip", {"by": 1}, "such as 1.5s or -12f"),
        ("trim", {"in_": 2.5}, "`in` takes a time, such as '0:16.5', or the number of a frame"),
        ("trim", {"for_": 2}, "such as 1.5s or 4 beats"),
        ("sync", {}, "`at` takes a time, such as '0:16.5', or the number of a frame"),
        ("move", {}, "`to` takes a number, an id, or act 2/3"),
        ("replace", {"with_": "pilot 0:40"}, "there is no film pilot there is one, without name"),
        ("slpi", {"by": "1s"}, "there is no verb 'slpi' one of: swap, replace"),
    ],
)
def test_what_a_value_should_be_is_said(verb: str, values: dict[str, Any], said: str, spec: Path) -> None:
    assert said in refused(spec, verb, 1, **values)


def test_the_command_refuses_the_options_of_another_verb(spec: Path) -> None:
    done = cinecut("edit", "a.yaml", "slip", "1", "12f", "--out", "0:11", cwd=spec.parent)
    assert (done.returncode, "slip takes no 'out'" in done.stderr, spec.read_text()) == (1, True, TEXT)


FILMS = """cinecut: 1
films:
  pilot: {file: pilot.mkv, facts: {fingerprint: 4-0, size: 640x360, rate: 24, duration: 600}}
  second:
    file: second.mkv
    facts: {fingerprint: 4-1, size: 640x360, rate: 25, duration: 600, timecode: "01:00:00:00"}
timeline:
  - shot: pilot 0:10 - 0:12
  - shot: second 01:00:50:00 - 1:00:52:00
"""


def test_times_of_a_film_with_a_name_are_read_and_written_by_its_own_timecode(spec: Path) -> None:
    spec.write_text(FILMS)
    edit(spec, "trim", 2, in_="0:50.2")
    assert spec.read_text() == FILMS.replace("01:00:50:00", "01:00:50:05")


def test_a_film_that_is_not_there_is_told_from_those_that_are(spec: Path) -> None:
    spec.write_text(FILMS)
    with pytest.raises(Stop) as stop:
        edit(spec, "replace", 1, with_="third 0:40")
    assert [(each.message, each.hints) for each in stop.value.diagnostics] == [
        ("there is no film third", ("there are pilot, second",))
    ]
