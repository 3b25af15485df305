"""`cinecut edit`: each verb is one change of the file and of the trailer, taken back whole, or nothing at all."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import pytest
from commandline import cinecut

from cinecut.diagnostics import Report, Stop
from cinecut.edits.anew import new_segments
from cinecut.edits.revise import EditOptions, edit, log, redo, revision_of, state_of, undo
from cinecut.edits.verbs.actions import VERBS
from cinecut.language.document import parse_document
from cinecut.language.read import fill_spec
from cinecut.language.spec import Spec

SPEC = """# ours
cinecut: 1
film:
  file: film.mkv
  facts: {fingerprint: 4-0, size: 640x360, rate: 24, duration: 600, audio: [{rate: 48000, channels: 2, layout: stereo}]}
music: song.ogg   # loud
timeline:
  - act: one
  # the beginning
  - shot: 0:10 - 0:12   # the door
    titles: [One last chance]
  - {shot: {in: 0:20, for: 2s}, gain: -2, why: quiet}   # a look
  - black: 1s

  - act: two
  - {shot: 0:40 - 0:42, from: crossfade 0.5s, id: run}
  - shot: 00:00:50:00 - 00:00:52:00
    alternatives: [{in: 8s}]
    scene: x   # last
  - card: THE END
"""

DOOR = "  - shot: 0:10 - 0:12   # the door"
LOOK = "  - {shot: {in: 0:20, for: 2s}, gain: -2, why: quiet}   # a look"
RUN = "  - {shot: 0:40 - 0:42, from: crossfade 0.5s, id: run}"

# an action, the rows that it takes and puts, and what it says
Case = tuple[dict[str, Any], list[str], list[str], str]
CASES: list[Case] = [
    (
        {"do": "trim", "event": 1, "out": "0:11"},
        [DOOR],
        [DOOR.replace("0:12", "0:11")],
        "shot 1: trimmed, 48 → 24 frames",
    ),
    (
        {"do": "trim", "event": 1, "in": "0:11", "out": "0:11.5"},
        [DOOR],
        [DOOR.replace("0:10 - 0:12", "0:11 - 0:11.5")],
        "trimmed, in 0:10.000 → 0:11.000",
    ),
    ({"do": "trim", "event": "shot 2", "for": "12f"}, [LOOK], [LOOK.replace("2s", "12f")], "shot 2: trimmed"),
    ({"do": "trim", "event": "black 3", "for": "2s"}, ["  - black: 1s"], ["  - black: 2s"], "black 3: longer"),
    ({"do": "trim", "event": "card 6", "for": "1s"}, [], ["    for: 1s"], "card 6: trimmed"),
    ({"do": "slip", "event": "act 1/2", "by": "-12f"}, [LOOK], [LOOK.replace("0:20", "0:19.5")], "shot 2: slipped"),
    ({"do": "slip", "event": "run", "by": "1s"}, [RUN], [RUN.replace("0:40 - 0:42", "0:41 - 0:43")], "shot 4: slipped"),
    (
        {"do": "replace", "event": "two/2", "with": "1:00"},
        ["  - shot: 00:00:50:00 - 00:00:52:00", "    scene: x   # last"],
        ["  - shot: 00:01:00:00 - 00:01:02:00", "    by: user"],
        "shot 5: slipped",
    ),
    (
        {"do": "replace", "event": 1, "with": "1:00 - 1:01"},
        [DOOR],
        [DOOR.replace("0:10 - 0:12", "1:00 - 1:01"), "    by: user"],
        "shot 1: trimmed, in 0:10.000 → 1:00.000",
    ),
    (
        {"do": "swap", "event": 5},
        ["  - shot: 00:00:50:00 - 00:00:52:00", "    alternatives: [{in: 8s}]", "    scene: x   # last"],
        ["  - shot: 00:00:08:00 - 00:00:10:00", "    alternatives: [{in: 00:00:50:00}]", "    by: user"],
        "shot 5: slipped",
    ),
    ({"do": "move", "event": 6, "to": 1}, ["  - card: THE END"], ["  - card: THE END"], "card 6 (now 1): moved"),
    ({"do": "insert", "event": "end", "what": "shot: 1:00 - 1:01"}, [], ["  - shot: 1:00 - 1:01"], "shot 7 is new"),
    (
        {"do": "insert", "event": 2, "what": "{card: HELLO, for: 1s}"},
        [],
        ["  - {card: HELLO, for: 1s}"],
        "card 2 is new",
    ),
    (
        {"do": "insert", "event": 2, "what": "card: HELLO, for: 1s"},
        [],
        ["  - {card: HELLO, for: 1s}"],
        "card 2 is new",
    ),
    ({"do": "remove", "event": "black 3"}, ["  - black: 1s"], [], "black 3 is gone"),
    ({"do": "duplicate", "event": 2}, [], [LOOK], "shot 3 is new"),
    (
        {"do": "retitle", "event": 1, "text": "Run: now"},
        ["    titles: [One last chance]"],
        ['    titles: ["Run: now"]'],
        "shot 1: 'One last chance' → 'Run: now'",
    ),
    ({"do": "retitle", "event": 6, "text": "1984"}, ["  - card: THE END"], ['  - card: "1984"'], "'THE END' → '1984'"),
    ({"do": "retime", "event": 1, "speed": "0.5"}, [], ["    speed: 0.5"], "shot 1: speed 1 → 0.5"),
    ({"do": "sync", "event": 1, "at": "0:11"}, [], ["    sync: {at: 00:00:11:00}"], ""),
    ({"do": "set", "path": "mix.music", "value": "-3"}, [], ["mix: {music: -3}"], "mix: music 0 → -3 dB"),
    (
        {"do": "set", "path": "music.gain", "value": -3},
        ["music: song.ogg   # loud"],
        ["music:", "  file: song.ogg   # loud", "  gain: -3"],
        "music: gain -6 → -3 dB",
    ),
    (
        {"do": "set", "path": "run.gain", "value": "1.5"},
        [RUN],
        [RUN.replace("}", ", gain: 1.5}")],
        "shot 4: gain 0 → 1.5 dB",
    ),
    ({"do": "set", "path": "2.gain"}, [LOOK], [LOOK.replace(", gain: -2", "")], "shot 2: gain -2 → 0 dB"),
    (
        {"do": "set", "path": "1.titles[1].at", "value": "1s"},
        ["    titles: [One last chance]"],
        ["    titles: [{text: One last chance, at: 1s}]"],
        "at 0s → 1s",
    ),
    (
        {"do": "set", "path": "1.shot.in", "value": "0:11"},
        [DOOR],
        [DOOR.replace("0:10 - 0:12", "{in: 0:11, out: 0:12}")],
        "shot 1: trimmed",
    ),
    (
        {"do": "set", "path": "output.size", "value": "320x180"},
        [],
        ["output: {size: 320x180}"],
        "output: size none → 320x180",
    ),
    (
        {"do": "set", "path": "card 6.card", "value": "Run: now"},
        ["  - card: THE END"],
        ['  - card: "Run: now"'],
        "Run: now",
    ),
    ({"do": "set", "path": "2.id", "value": "look"}, [LOOK], [LOOK.replace("}   #", ", id: look}   #")], ""),
]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "film.yaml"
    file.write_text(SPEC, encoding="utf-8")
    return file


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]['do']}-{case[0].get('event', case[0].get('path'))}")
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_an_edit_is_what_it_says_and_is_taken_back(case: Case, line_end: str, spec: Path) -> None:
    action, taken, put, said = case
    text = SPEC if action["do"] != "sync" else SPEC.replace("song.ogg ", "{file: song.ogg, beats: {tempo: 120}} ")
    spec.write_bytes(text.replace("\n", line_end).encode())
    done = edit(spec, action)
    after = spec.read_bytes().decode()
    assert after.count("\n") == after.count(line_end)
    rows = list(difflib.ndiff(text.splitlines(), after.splitlines()))
    assert [row[2:] for row in rows if row.startswith("- ")] == taken
    assert [row[2:] for row in rows if row.startswith("+ ")] == put
    assert any(said in each for each in done.said) or not said
    assert done.after.revision == revision_of(after)
    undo(spec)
    assert spec.read_bytes().decode() == text.replace("\n", line_end)
    assert log(spec) == []
    assert redo(spec).after.text == after
    assert spec.read_bytes().decode() == after


def test_every_verb_is_tried() -> None:
    assert {case[0]["do"] for case in CASES} == set(VERBS)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"do": "trim", "event": 1, "out": "0:09"}, "after the in point"),
    ({"do": "trim", "event": 1, "out": "11:00"}, "past-end"),
    ({"do": "trim", "event": 1}, "give `in`"),
    ({"do": "trim", "event": 1, "in": "0:10", "out": "0:12", "for": "1s"}, "one too many"),
    ({"do": "trim", "event": 1, "out": "soon"}, "no time"),
    ({"do": "trim", "event": 9, "out": "0:11"}, "no event 9"),
    ({"do": "trim", "event": "card 1", "out": "0:11"}, "is shot 1"),
    ({"do": "trim", "event": "act 3/1", "out": "0:11"}, "no act 3"),
    ({"do": "trim", "event": "act 2/7", "out": "0:11"}, "no event 7"),
    ({"do": "trim", "event": "rum", "out": "0:11"}, "did you mean run?"),
    ({"do": "slip", "event": 1, "by": "-11s"}, "begins"),
    ({"do": "slip", "event": 1, "by": "1 beat"}, "seconds or frames"),
    ({"do": "slip", "event": 3, "by": "1s"}, "no shot"),
    ({"do": "swap", "event": 1}, "no alternatives cinecut sheet SPEC shows every shot"),
    ({"do": "swap", "event": 5, "number": 2}, "this event has 1 alternative: `number` takes 1"),
    ({"do": "insert", "event": 1, "what": "song: x"}, "no event"),
    ({"do": "insert", "event": 1, "what": "shot: 0:10"}, "would leave mistakes bad-time line 9 would say: "),
    ({"do": "insert", "event": 1, "what": "{shot: 0:10 - 0:11, id: run}"}, "two events have the id run"),
    ({"do": "duplicate", "event": "run"}, "with an id"),
    ({"do": "retitle", "event": 2, "text": "Hello"}, "no title"),
    ({"do": "retime", "event": 1, "speed": "fast"}, "must be a number"),
    ({"do": "set", "path": "mix.musik", "value": "1"}, "did you mean `music`"),
    ({"do": "set", "path": "1.nonsense.x", "value": "1"}, "is not known"),
    ({"do": "set", "path": "1.titles[4].at", "value": "1s"}, "nothing at"),
    ({"do": "set", "path": "mix..", "value": "1"}, "no path"),
    ({"do": "set", "path": "film"}, "`film` is missing"),
    ({"do": "fly", "event": 1}, "there is no verb 'fly'"),
]


@pytest.mark.parametrize(
    ("action", "words"),
    REFUSED,
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_refused_and_nothing_written(action: dict[str, Any], words: str, spec: Path) -> None:
    before = spec.read_bytes()
    with pytest.raises(Stop) as stop:
        edit(spec, action)
    said = " ".join(" ".join((each.code, each.message, *each.hints)) for each in stop.value.diagnostics)
    assert words in said
    assert spec.read_bytes() == before
    assert log(spec) == []


def test_an_id_that_follows_from_what_an_event_says_is_written_when_that_changes(spec: Path) -> None:
    name = state_of(spec).layout.timeline.events[0].label
    edit(spec, {"do": "slip", "event": name, "by": "1s"})
    assert f"    id: {name}\n" in spec.read_text()
    edit(spec, {"do": "slip", "event": name, "by": "1s"})
    edit(spec, {"do": "move", "event": name, "to": 4})
    assert [placed.event.id for placed in state_of(spec).layout.timeline.events].index(name) == 3


@pytest.mark.parametrize(
    ("action", "gone"),
    [
        ({"do": "replace", "event": "run", "with": "0:50"}, "'# own'"),
        ({"do": "swap", "event": "run"}, "'# own'"),
        ({"do": "set", "path": "4.why"}, "'# own'"),
        ({"do": "set", "path": "4.alternatives", "value": [{"in": 9}]}, "'# first'"),
        ({"do": "remove", "event": "run"}, "'# here', '# own', '# first'"),
        ({"do": "remove", "event": 1}, "'# the beginning', '# the door'"),
        ({"do": "move", "event": 1, "to": "run"}, ""),
        ({"do": "duplicate", "event": 1}, ""),
        ({"do": "slip", "event": "run", "by": "1s"}, ""),
    ],
    ids=lambda value: value.get("path", value["do"]) if isinstance(value, dict) else "",
)
def test_comments_that_go_with_what_they_stand_beside_are_said(action: dict[str, Any], gone: str, spec: Path) -> None:
    """A comment is lost with what it says something of, and never unsaid."""
    rows = "  - shot: 0:40 - 0:42\n    # here\n    why: loud   # own\n    id: run\n"
    rows += "    alternatives:\n      # first\n      - {in: 8s}"
    spec.write_text(SPEC.replace(RUN, rows))
    said = [text for text in edit(spec, action).said if text.startswith("comment")]
    assert said == ([f"comment{'s' * (', ' in gone)} gone with it: {gone}"] if gone else [])


def test_another_revision_is_refused(spec: Path) -> None:
    revision = state_of(spec).revision
    action = {"do": "trim", "event": 1, "out": "0:11"}
    assert edit(spec, action, EditOptions(revision)).before.revision == revision
    before = spec.read_bytes()
    with pytest.raises(Stop, match="changed meanwhile"):
        edit(spec, action, EditOptions(revision))
    assert spec.read_bytes() == before


def test_nothing_that_a_person_changed_meanwhile_is_lost(spec: Path) -> None:
    edit(spec, {"do": "trim", "event": 1, "out": "0:11"})
    edit(spec, {"do": "set", "path": "mix.music", "value": "-3"})
    spec.write_text(spec.read_text().replace("# a look", "# a longer look"))
    undo(spec)
    assert "mix" not in spec.read_text()
    undo(spec)
    assert spec.read_text() == SPEC.replace("# a look", "# a longer look")
    redo(spec)
    redo(spec)
    assert "0:10 - 0:11 " in spec.read_text()
    assert "mix" in spec.read_text()
    assert "# a longer look" in spec.read_text()
    with pytest.raises(Stop, match="to redo"):
        redo(spec)


def test_edits_go_with_a_spec_that_is_moved(spec: Path) -> None:
    """By its whole folder or by another name; a copy has none, and neither has another text."""
    edit(spec, {"do": "trim", "event": 1, "out": "0:11"})
    edit(spec, {"do": "set", "path": "mix.music", "value": "-3"})
    edited = spec.read_text()
    spec.with_name("copy.yaml").write_text(edited)
    assert log(spec.with_name("copy.yaml")) == []
    spec.rename(other := spec.with_name("other.yaml"))
    spec.with_name("later.yaml").write_text(edited.replace("# loud", "# soft"))
    assert log(spec.with_name("later.yaml")) == []
    undo(other)
    undo(other)
    assert other.read_text() == SPEC
    (folder := spec.parent / "moved").mkdir()
    other.rename(moved := folder / "film.yaml")
    redo(moved)
    redo(moved)
    assert moved.read_text() == edited
    assert len(log(moved)) == 2


def test_what_a_person_changed_in_an_edit_is_not_undone(spec: Path) -> None:
    edit(spec, {"do": "trim", "event": 1, "out": "0:11"})
    spec.write_text(changed := spec.read_text().replace("0:10 - 0:11", "0:10 - 0:11.5"))
    with pytest.raises(Stop, match="what it wrote has changed since"):
        undo(spec)
    assert spec.read_text() == changed
    assert len(log(spec)) == 1
    spec.write_text(changed.replace("0:11.5", "0:11"))
    undo(spec)
    spec.write_text(changed)
    with pytest.raises(Stop, match="what it changes has changed since"):
        redo(spec)
    assert spec.read_text() == changed
    edit(spec, {"do": "remove", "event": 2})  # from here on it goes another way
    with pytest.raises(Stop, match="there is no edit"):
        redo(spec)


def test_what_would_be_rendered_anew_is_said(spec: Path) -> None:
    spec.write_text(SPEC.replace("music: song.ogg   # loud\n", ""))
    done = edit(spec, {"do": "slip", "event": "run", "by": "1s"}, EditOptions(dry_run=True))
    anew = new_segments(done.before.layout, done.after.layout)
    assert anew is not None
    assert 0 < len(anew.segments) < anew.whole
    placed = done.after.layout.timeline.events[3]
    assert any(start <= placed.range.start.index < end for _, start, end in anew.segments)
    assert "film" in spec.read_text()
    assert "0:40 - 0:42" in spec.read_text()


def test_the_commands(spec: Path, tmp_path: Path) -> None:
    def run(*words: str) -> str:
        done = cinecut(*words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    dry = run("edit", "film.yaml", "slip", "run", "-12f", "--dry-run")
    assert "shot 4: slipped" in dry
    assert "measured" in dry  # the song is not
    assert spec.read_text() == SPEC
    made = json.loads(run("edit", "film.yaml", "set", "mix.music", "-3", "--json"))
    assert (made["changed"], made["differences"][0]["text"]) == (True, "mix: music 0 → -3 dB")
    assert "mix: music 0 → -3 dB" in run("log", "film.yaml")
    assert json.loads(run("log", "film.yaml", "--json"))["edits"][0]["after"] == made["revision"]
    assert "mix: music -3 → 0 dB" in run("undo", "film.yaml", "--revision", made["revision"])
    assert spec.read_text() == SPEC
    assert json.loads(run("redo", "film.yaml", "--json"))["revision"] == made["revision"]
    said = json.loads(run("edit", "film.yaml", "remove", "1", "--json"))["differences"]
    logged = [row.partition("  ")[2].strip() for row in run("log", "film.yaml").splitlines()]  # a row for each
    assert (logged[: len(said)], len(said) > 1) == ([each["text"] for each in said], True)
    wrong = cinecut("edit", "film.yaml", "trim", "1", "--out", "0:09", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "Traceback" not in wrong.stderr
    assert cinecut("edit", "film.yaml", "trim", "--sideways", "1", cwd=tmp_path).returncode == 1


def test_what_an_edit_knows_from_before_is_what_reading_anew_finds(spec: Path) -> None:
    """An edit reads only what changed anew: the same spec, place by place, comes of the file."""
    for case in CASES:
        if case[0]["do"] == "sync":
            continue
        done = edit(spec, case[0], EditOptions(dry_run=True))
        anew = fill_spec(parse_document(spec, done.after.text, Report()), Report())
        known = done.after.layout.trailer.spec
        assert anew is not None
        assert (known, places(known)) == (anew, places(anew))


def places(found: Spec) -> list[object]:
    return [entry.place for entry in found.timeline]


@pytest.mark.parametrize(
    ("acts", "event", "wanted"),
    [
        (("act 1", "beat drop", "act 2"), "act 2/1", 4),  # by its name, though it is the third
        (("act 1", "beat drop", "act 2"), "beat drop/1", 3),
        (("one", "two", "three"), "act 2/1", 3),
        (("1", "2", "3"), "act 3/1", 4),
    ],
)
def test_an_event_of_an_act(acts: tuple[str, ...], event: str, wanted: int, tmp_path: Path) -> None:
    """The act of that name comes before the one that is so many in order."""
    facts = SPEC[SPEC.index("film:") : SPEC.index("music:")]
    rows = [f"  - act: '{act}'\n  - shot: {10 * number} - {10 * number + 1}\n" for number, act in enumerate(acts)]
    spec = tmp_path / "a.yaml"
    spec.write_text(f"cinecut: 1\n{facts}timeline:\n  - black: 1s\n{''.join(rows)}")
    edit(spec, {"do": "remove", "event": event})
    assert f"shot: {10 * (wanted - 2)} -" not in spec.read_text()
    assert spec.read_text().count("shot:") == 2
