"""The schema as editors use it: one file that resolves anywhere, enums that complete, mistakes flagged while typing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from commandline import cinecut
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from random_specs import FORMATS
from test_write import NO_SHRINK

from cinecut.language.events import Transition
from cinecut.language.schema import bundled, schema_file
from cinecut.language.timebase import FilmTime, Length
from cinecut.language.write import length_text, time_text, transition_text

SCHEMA = json.loads(bundled())
EDITOR = Draft202012Validator(SCHEMA)  # knows nothing of our formats


def flagged(**parts: Any) -> bool:
    spec = {"cinecut": 1, "film": "film.mp4", "timeline": [{"black": "1s"}], **parts}
    return not EDITOR.is_valid(spec)


@pytest.mark.parametrize(
    "event",
    [
        {"shot": "0:16 to"},
        {"shot": "16 - x"},
        {"shot": {"in": "1:2:3:4:5", "for": "1s"}},
        {"shot": {"in": "0:16", "for": "2 betas"}},
        {"black": "1 hour"},
        {"black": "1s", "from": "crossfad 1s"},
        {"black": "1s", "to": "fade in 1s"},
        {"black": "1s", "sound": "brahm"},
        {"black": "1s", "sound": ["braam", {"effect": "brahm"}]},
        {"black": "1s", "sound": {"effect": "braam", "at": "1 x"}},
    ],
    ids=str,
)
def test_mistakes_are_flagged_while_one_types(event: dict[str, Any]) -> None:
    assert flagged(timeline=[event])
    assert flagged(output={"size": "1280"})
    assert flagged(output={"rate": "24 fps"})
    assert flagged(vibe="thriler")


def written(value: Any) -> str:
    match value:
        case FilmTime():
            return time_text(value.seconds)
        case Length():
            return length_text(value)
        case Transition():
            return transition_text(value)
        case Fraction():
            return str(value)
        case _:
            return f"{value[0]}x{value[1]}"


SOURCE = schema_file("trailer-1").read_text(encoding="utf-8")
PATTERNS = {m[0]: json.loads(m[1]) for m in re.findall(r'"format": "([\w-]+)",\s*"pattern": ("[^\n]*?"),', SOURCE)}
SPELLED = {
    "film-time": ["1:02:11.5", "62.5s", "62.5", "01:02:11:12", "1m30s", "2h 3m", " 0:16 ", "100/3s"],
    "film-span": [
        "0:16 - 0:20",
        "0:16-0:20",
        "16 to 20",
        "0:16 – 1:02:11.5",
        "00:00:16:00 - 00:00:20:00",
        "1m — 2m",
        "making-of 0:16 - 0:20",
        "Größe_2.b  16 to 20",
    ],
    "song-span": ["0:16 - 0:20", "16 to 20"],
    "trailer-length": ["1.5s", "36f", "4 beats", "1/2 beat", "2bars", "1.5", "3 frames", "1 second", "1m30s"],
    "trailer-offset": ["0s", "0"],
    "trailer-shift": ["-0.5s", "-2 beats", "12f"],
    "transition-from": ["cut", "Cut", "crossfade 1.5s", "dip  to black", "DIP TO WHITE 12f", "fade in 1/2 beat"],
    "transition-to": ["cut", "fade out 2 beats"],
    "frame-size": ["1920x1080", "1920 x 1080"],
    "frame-rate": ["24", "23.976", "24000/1001"],
}


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_no_pattern_flags_what_is_right(name: str) -> None:
    assert set(PATTERNS) == set(SPELLED)
    for text in SPELLED[name]:
        assert re.search(PATTERNS[name], text), text

    @given(FORMATS[name] if name in FORMATS else st.just(FilmTime(Fraction(1))))
    @settings(max_examples=50, phases=NO_SHRINK)
    def check(value: Any) -> None:
        assert name in ("film-span", "song-span") or re.search(PATTERNS[name], written(value)), written(value)

    check()


def completions(part: dict[str, Any]) -> set[str]:
    """What an editor offers at a place: enums that stand in it, whatever the rest of it says."""
    if "$ref" in part:
        found: Any = SCHEMA
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    inner = [part, *part.get("anyOf", [])]
    return {str(word) for each in inner for word in each.get("enum", [])} | {
        word for each in part.get("anyOf", []) if "$ref" in each for word in completions(each)
    }


def test_enums_complete_where_a_word_may_stand() -> None:
    shot = SCHEMA["$defs"]["shot"]["properties"]
    assert {"thriller", "drama"} <= completions(SCHEMA["properties"]["vibe"])
    assert {"braam", "riser"} <= completions(shot["sound"])
    assert {"vibe", "none"} <= completions(SCHEMA["properties"]["effects"])


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema in a schema, as far as it names types, defaults or examples."""
    if isinstance(schema, dict):
        yield schema
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(inner)


def test_no_value_is_typed_for_anybody() -> None:
    """Editors insert a default, a single example and, without either, 0 for a number. Strict validators refuse words
    that they do not know."""
    for part in parts(SCHEMA):
        assert not {"default", "format"} & {key for key, value in part.items() if not isinstance(value, dict)}, part
        assert not any(key.startswith("x-") for key in part), part
        if part.get("type") in ("number", "integer") and "description" in part and "enum" not in part:
            assert len(part["examples"]) > 1, part
    preset = SCHEMA["$defs"]["output"]["properties"]["preset"]
    assert preset["description"].endswith("Default: medium.")


def test_the_schema_is_one_file_that_resolves_by_itself(tmp_path: Path) -> None:
    done = cinecut("schema", cwd=tmp_path)
    assert done.stdout == bundled()
    assert cinecut("schema", "-o", "here.json", cwd=tmp_path).returncode == 0
    assert json.loads((tmp_path / "here.json").read_text(encoding="utf-8")) == SCHEMA
    refs = set(re.findall(r'"\$ref": "([^"]+)"', bundled()))
    assert refs
    assert all(ref.startswith("#/") for ref in refs)
    assert flagged(vibe={"base": "thriller", "grade": {"exposure": 9}}), "what is taken from the vibe's counts too"
    assert not flagged(vibe={"base": "thriller", "grade": {"exposure": -0.4}, "titles": {"color": "#FFD23F"}})
    Draft202012Validator.check_schema(SCHEMA)
    assert schema_file("trailer-1").is_file()
