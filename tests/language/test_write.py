"""A spec comes back from its own YAML; and a document that is formatted says what it said, with all its comments."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from effort import rounds
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_specs import Messy, records
from test_linking import layouts

from cinecut.diagnostics import Report, as_text
from cinecut.language.document import Document, Node, children, parse_document, plain
from cinecut.language.document.comments import remarks_of
from cinecut.language.document.layout import Remark
from cinecut.language.events import Sync
from cinecut.language.formats import formats
from cinecut.language.read import ANY_RATE, fill_spec
from cinecut.language.schema import TRAILER, check_document
from cinecut.language.spec import Spec
from cinecut.language.timebase import FilmTime
from cinecut.language.write import format_document, spec_tree, value_text, write_spec

ROOT = Path(__file__).parents[2]


def read(text: str) -> Document:
    report = Report()
    document = parse_document(Path("spec.yaml"), text, report)
    assert report.ok, "\n".join(as_text(d, text.splitlines()) for d in report) + "\n" + text
    return document


def load(text: str) -> Spec:
    """The spec of a text; whether it also keeps the rules is none of the writer's business."""
    document, report = read(text), Report()
    assert document.root is not None
    check_document(document.root, TRAILER, formats(ANY_RATE), report)
    found = "\n".join(as_text(d, text.splitlines()) for d in report)
    assert report.ok, f"{found}\n{text}"
    spec = fill_spec(document, report, ANY_RATE)
    assert spec is not None
    return spec


SPECS = records(Spec)
SLOW = list(HealthCheck)
NO_SHRINK = [Phase.explicit, Phase.generate]  # a failing spec is large however long one shrinks it


@rounds
@given(SPECS)
@settings(max_examples=6, suppress_health_check=SLOW, phases=NO_SHRINK)
def test_a_written_spec_reads_back(go: int, spec: Spec) -> None:
    text = write_spec(spec)
    assert load(text) == spec, text
    assert format_document(read(text)) == text


@rounds
@given(SPECS, st.data())
@settings(max_examples=6, suppress_health_check=SLOW, phases=NO_SHRINK)
def test_remarks_stand_where_they_belong(go: int, spec: Spec, data: st.DataObject) -> None:
    """Also on what is as usual, which is written then."""
    paths = list(every_path(spec_tree(spec, {}), ()))
    chosen = data.draw(st.lists(st.sampled_from(paths), max_size=4, unique=True))
    remarks = {path: Remark((f"# above {n}",), f"# beside {n}") for n, path in enumerate(chosen)}
    remarks["output", "preset"] = Remark(beside="# of a default")
    text = write_spec(spec, remarks)
    assert load(text) == spec, text
    written = Counter(comments(read(text)))
    assert written == Counter(row for remark in remarks.values() for row in (*remark.above, remark.beside) if row)


def every_path(node: Node, path: tuple[str | int, ...]) -> Any:
    for step, child in children(node):
        yield (*path, step)
        yield from every_path(child, (*path, step))


def comments(document: Document) -> list[str]:
    found = remarks_of(document).values()
    rows = (row for remark in found for row in (*remark.above, remark.beside, *remark.below) if row)
    return [each for row in rows for each in re.split(r"(?<!^)(?=# [ab])", row) for each in [each.strip()]]


@rounds
@given(SPECS, st.randoms(use_true_random=False), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=6, suppress_health_check=SLOW, phases=NO_SHRINK)
def test_formatting_changes_no_meaning_and_loses_no_comment(go: int, spec: Spec, random: Any, end: str) -> None:
    """Whatever layout a person chose."""
    text = Messy(random).text(spec_tree(spec, {})).replace("\n", end)
    before = load(text)
    found = format_document(read(text))
    assert load(found) == before, f"{text}\n=====\n{found}"
    assert Counter(comments(read(found))) == Counter(re.findall(r"# [ab]\d+;", text))
    assert format_document(read(found)) == found, found
    assert ("\r\n" in found) == (end == "\r\n")


@given(layouts())
@settings(max_examples=30, phases=NO_SHRINK)
def test_formatting_keeps_anchors_and_every_layout(text: str) -> None:
    found = format_document(read(text))
    assert load(found) == load(text)
    assert format_document(read(found)) == found
    assert found.startswith("\ufeff") == text.startswith("\ufeff")


def test_formatting_names_only_what_is_shown_again() -> None:
    body = "cinecut: 1\nfilm: film.mp4\ntimeline:\n  - &a {shot: 0:10 - 0:12}\n  - &b {shot: 0:20 - 0:22}\n  - *b\n"
    found = format_document(read(body))
    assert ("&a" in found, "&b" in found) == (False, True)


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\u2029"])
def test_formatting_keeps_comments_after_what_other_formats_take_for_a_line_end(sign: str) -> None:
    text = f"cinecut: 1\nfilm: film.mp4   # a{sign}b\ntimeline:\n  - card: A{sign}B   # c\n    for: 1s   # d\n"
    assert comments(read(format_document(read(text)))) == comments(read(text)) == [f"# a{sign}b", "# c", "# d"]


@pytest.mark.parametrize("end", ["}# c", "} # c", ", sound: riser}# c", ', sound: "riser"}# c'])
def test_a_comment_right_behind_a_bracket_is_one(end: str) -> None:
    text = "cinecut: 1\nfilm: film.mp4\ntimeline:\n  - {black: 12f" + end + "\n"
    assert comments(read(format_document(read(text)))) == ["# c"]


@pytest.mark.parametrize(
    "wrong",
    ["  -", "  - ", "  -  # c", "  - black: {'': ''}", "  - black: [[[1]]]", "  - {shot: [[a]]}", "  - from: {a: b}"],
)
def test_what_is_no_spec_is_formatted_too(wrong: str) -> None:
    """Nothing of it gets lost, and once is enough."""
    document = read(f"cinecut: 1\nfilm: [[film.mp4]]\ntimeline:\n  - act: a\n{wrong}")
    found = format_document(document)
    assert plain(read(found).root) == plain(document.root)
    assert comments(read(found)) == comments(document)
    assert format_document(read(found)) == found


@pytest.mark.parametrize("file", sorted(ROOT.glob("specs/*.yaml")), ids=lambda file: file.name)
def test_the_shipped_specs_are_formatted(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert format_document(read(text)) == text


TIDY = """# Of the whole file.

# Of the version.
cinecut: 1
film: film.mp4   # the film
timeline:   # the cuts
  - shot: {in: 0:16, for: 2s}   # why
    from: fade in 1s
    # an event's end
  # another one:
  - shot: 1:00 - 1:02
  # - shot: 1:04 - 1:05
# The end.
"""


def test_comments_stay_with_what_they_are_about() -> None:
    """By their columns: of the next entry, of the end of a block, of the file."""
    messy = """# Of the whole file.

# Of the version.
"cinecut": 1
timeline: # the cuts
- from: fade in 1s
  shot: { in:  "0:16", for: 2s }     # why
  # an event's end
# another one:
- {shot: {out: 1:02, in: 1:00}}


# - shot: 1:04 - 1:05
film: {file: 'film.mp4'} # the film
# The end.
"""
    wanted = TIDY.replace("  # - shot", "\n  # - shot").replace("\n\n  # - shot: 1:04 - 1:05\n", "\n")
    wanted = wanted.replace("film: film.mp4", "\n# - shot: 1:04 - 1:05\nfilm: film.mp4")
    assert format_document(read(messy)) == wanted
    assert format_document(read(TIDY)) == TIDY


def test_the_sound_that_a_cut_has_anyway_is_named_in_a_list() -> None:
    """And older ways to say it are the same."""
    head = "cinecut: 1\nfilm: film.mkv\ntimeline:\n  - shot: 1s - 2s\n    sound: "
    spec = load(f"{head}[usual, {{effect: tick, gain: -6}}]\n")
    assert "sound: [usual, {effect: tick, gain: -6}]\n" in write_spec(spec)
    for older in ("{start: 0s}", "{gain: 0}", "{effect: usual}"):
        assert load(f"{head}[{older}, {{effect: tick, gain: -6}}]\n") == spec


def test_a_value_is_said_as_one_reads_a_clock() -> None:
    """Inside a record too: nobody reads 1067/3s."""
    third = FilmTime(Fraction(1067, 3))
    assert value_text(third) == "5:55.667"
    assert value_text(Sync(at=third, to="beat")) == "{at: 5:55.667}"
