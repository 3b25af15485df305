"""Edits of a document: what they say is done, and everything else stays as it was written."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from effort import rounds
from hypothesis import given, settings
from hypothesis import strategies as st
from random_specs import Messy, nameless, records
from test_write import NO_SHRINK, SLOW, load, read

from cinecut.diagnostics import Stop
from cinecut.language.document.edit import Edits
from cinecut.language.events import Black, Card, Shot
from cinecut.language.spec import Spec
from cinecut.language.write import spec_tree, value_tree

SPECS = records(Spec).filter(lambda spec: len(spec.timeline) > 1)
EVENTS = (records(Shot) | records(Black) | records(Card)).map(nameless)


def messy(spec: Spec, random: Any) -> str:
    return Messy(random).text(spec_tree(spec, {}))


def comments(text: str) -> Counter[str]:
    return Counter(re.findall(r"# [ab]\d+;", text))


def taken_and_put(before: str, after: str) -> tuple[int, int]:
    """Rows that an edit took out, and that it put in."""
    rows = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return sum(row.startswith("- ") for row in rows), sum(row.startswith("+ ") for row in rows)


@rounds
@given(SPECS, st.randoms(use_true_random=False), EVENTS, st.integers(0, 2))
@settings(max_examples=6, suppress_health_check=SLOW, phases=NO_SHRINK)
def test_an_entry_is_inserted(go: int, spec: Spec, random: Any, event: Any, index: int) -> None:
    text = messy(spec, random)
    before, at = load(text), min(index, len(spec.timeline))
    edits = Edits(read(text))
    facts = before.main_film.facts  # of several films the text may name another first
    numbered = facts.timecodes if facts and not facts.variable else None
    edits.insert(("timeline",), at, value_tree(event, {"": numbered}))
    found = edits.text()
    wanted = replace(before, timeline=(*before.timeline[:at], event, *before.timeline[at:]))
    assert load(found) == wanted, f"{text}\n=====\n{found}"
    assert comments(found) == comments(text)
    assert taken_and_put(text, found)[0] <= 1  # a row at which a list in brackets grows


@rounds
@given(SPECS, st.randoms(use_true_random=False), st.integers(0, 2))
@settings(max_examples=6, suppress_health_check=SLOW, phases=NO_SHRINK)
def test_an_entry_is_taken_out(go: int, spec: Spec, random: Any, index: int) -> None:
    text = messy(spec, random)
    before, at = load(text), min(index, len(spec.timeline) - 1)
    edits = Edits(read(text))
    edits.take_out(("timeline",), at)
    found = edits.text()
    assert load(found) == replace(before, timeline=(*before.timeline[:at], *before.timeline[at + 1 :])), found
    assert taken_and_put(text, found)[1] <= 1


@rounds
@given(SPECS, st.randoms(use_true_random=False), st.integers(0, 2), st.integers(0, 2))
@settings(max_examples=6, suppress_health_check=SLOW, phases=NO_SHRINK)
def test_an_entry_is_moved(go: int, spec: Spec, random: Any, index: int, to: int) -> None:
    text = messy(spec, random)
    before, last = load(text), len(spec.timeline) - 1
    index, to = min(index, last), min(to, last)
    edits = Edits(read(text))
    edits.move(("timeline",), index, to)
    found, timeline = edits.text(), list(before.timeline)
    timeline.insert(to, timeline.pop(index))
    assert load(found) == replace(before, timeline=tuple(timeline)), f"{index} to {to}\n{text}\n=====\n{found}"
    assert comments(found) == comments(text) or "[" in text.partition("timeline:")[2][:30]


@rounds
@given(records(Spec), records(Spec), st.randoms(use_true_random=False))
@settings(max_examples=6, suppress_health_check=SLOW, phases=NO_SHRINK)
def test_a_value_is_set(go: int, spec: Spec, other: Spec, random: Any) -> None:
    """Of the whole spec's parts, whatever stood there."""
    text = messy(spec, random)
    before = load(text)
    names = [n for n in ("vibe", "music", "mix", "output", "lut", "rating") if getattr(other, n) is not None]
    chosen = random.sample(names, 2)
    edits = Edits(read(text))
    for name in chosen:
        edits.set((name,), value_tree(getattr(other, name)))
    found = edits.text()
    assert load(found) == replace(before, **{name: getattr(other, name) for name in chosen}), f"{text}\n=====\n{found}"


SPEC = """cinecut: 1   # one
film: film.mp4   # ours
timeline:
  # the opening
  - shot: 0:16 - 0:20   # of the woods
    from: fade in 1s
    gain: -3   # softer
    # - black: 1s

  # the bird
  - shot: {in: 0:30, for: 2s}   # above
  - card: THE END
"""


def edited(*steps: tuple[Any, ...]) -> str:
    edits = Edits(read(SPEC))
    for name, *arguments in steps:
        getattr(edits, name)(*arguments)
    return edits.text()


def changed(old: str, new: str) -> str:
    assert SPEC.count(old) == 1
    return SPEC.replace(old, new)


TIMELINE = ("timeline",)


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ([("set", (*TIMELINE, 0, "gain"), value_tree(2))], changed("gain: -3", "gain: 2")),
        ([("set", (*TIMELINE, 1, "mute"), value_tree(True))], changed("# above\n", "# above\n    mute: true\n")),
        ([("set", (*TIMELINE, 1, "shot", "for"), value_tree("1 bar"))], changed("for: 2s", "for: 1 bar")),
        ([("fill", ("film",), "file", {"audio": value_tree(2)})],
         changed("film: film.mp4   # ours\n", "film:\n  file: film.mp4   # ours\n  audio: 2\n")),
        ([("remove", (*TIMELINE, 0, "gain"))], changed("    gain: -3   # softer\n", "")),
        ([("remove", (*TIMELINE, 1, "shot", "for"))], changed(", for: 2s", "")),
        ([("take_out", TIMELINE, 0)], changed(SPEC[SPEC.index("  # the opening") : SPEC.index("\n  # the bird")], "")),
        ([("move", TIMELINE, 2, 1)],
         changed("  # the bird\n  - shot: {in: 0:30, for: 2s}   # above\n  - card: THE END\n",
                 "  # the bird\n  - shot: {in: 0:30, for: 2s}   # above\n").replace(
                     "    # - black: 1s\n", "    # - black: 1s\n  - card: THE END\n")),
    ],
)  # fmt: skip
def test_an_edit_is_no_more_than_it_says(steps: list[tuple[Any, ...]], wanted: str) -> None:
    assert edited(*steps) == wanted


@pytest.mark.parametrize(("index", "left"), [(0, "[b, c]"), (1, "[a, c]"), (2, "[a, b]")])
def test_an_item_between_brackets_is_taken_out_wherever_it_stands(index: int, left: str) -> None:
    text = "cinecut: 1\nfilm: film.mp4\ntimeline:\n  - {shot: 0:16 - 0:20, titles: [a, b, c]}   # ours\n"
    edits = Edits(read(text))
    edits.take_out((*TIMELINE, 0, "titles"), index)
    assert edits.text() == text.replace("[a, b, c]", left)
    two = Edits(read(text.replace("[a, b, c]", "[a, b]")))
    two.take_out((*TIMELINE, 0, "titles"), index % 2)
    assert two.text() == text.replace("[a, b, c]", "[b]" if index % 2 == 0 else "[a]")


@pytest.mark.parametrize(
    "step", [("take_out", TIMELINE, 0), ("remove", (*TIMELINE, 0, "black")), ("move", TIMELINE, 0, 1)]
)
def test_what_would_leave_nothing_or_break_an_alias_is_refused(step: tuple[Any, ...]) -> None:
    alone = "cinecut: 1\nfilm: film.mp4\ntimeline:\n  - black: 1s\n"
    text = alone if step[0] != "move" else alone.replace("- black: 1s", "- &b {black: 1s}\n  - *b")
    edits = Edits(read(text))
    with pytest.raises(Stop):
        getattr(edits, step[0])(*step[1:])


@pytest.mark.parametrize("below", ["      # deeper\n", "\n\n    # after a while\n", "# at the head\n", ""])
def test_a_comment_below_stays_a_comment(below: str) -> None:
    """A text of several lines is no block where what is indented below it would become a part of it."""
    text = f"cinecut: 1\nfilm: f.mkv\ntimeline:\n  - black: 1s\n{below}"
    edits = Edits(read(text))
    card = load("cinecut: 1\nfilm: f.mkv\ntimeline:\n  - card: x\n    line: \"-*\\n''%\"\n").timeline[0]
    edits.insert(("timeline",), 1, value_tree(card, {}))
    found = edits.text()
    assert load(found).timeline[1] == card, found
    assert found.count("#") == text.count("#")
