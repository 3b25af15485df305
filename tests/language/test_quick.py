"""What is read quickly is the very tree that ruamel.yaml makes, place by place; all else is left to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from effort import rounds
from hypothesis import given, settings
from hypothesis import strategies as st
from random_specs import Messy, records
from test_write import NO_SHRINK, SLOW

from cinecut.diagnostics import LINE_BREAK, Report
from cinecut.language import document
from cinecut.language.document import MapNode, Node, Scalar, children, parse_document
from cinecut.language.document.quick import quick_tree
from cinecut.language.spec import Spec
from cinecut.language.write import spec_tree, write_spec

ROOT = Path(__file__).parents[2]
GIVEN = sorted([*ROOT.glob("specs/*.yaml"), *ROOT.glob("tests/golden/*.yaml"), *ROOT.glob("cinecut/vibes/*.yaml")])


def told(node: Node | None) -> Any:
    """A tree as plain values: kinds, places, texts."""
    if node is None or isinstance(node, Scalar):
        return node and (node.value, type(node.value), node.span, node.plain)
    keys = list(node.keys.items()) if isinstance(node, MapNode) else None
    return type(node), node.span, node.flow, keys, [(step, told(child)) for step, child in children(node)]


def both(text: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Compare both ways of reading; whether the quick one read it."""
    quick = quick_tree("a", text, LINE_BREAK.split(text), document.resolve, document.MAX_NODES)
    with monkeypatch.context() as patch:
        patch.setattr(document, "quick_tree", lambda *_: None)
        report = Report()
        slow = parse_document(Path("a"), text, report)
    if quick is not None:
        assert report.ok, text
        assert told(quick) == told(slow.root), text
    return quick is not None


@pytest.mark.parametrize("file", GIVEN, ids=lambda file: file.name)
def test_the_specs_that_there_are(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both(file.read_text(encoding="utf-8"), monkeypatch)


@pytest.mark.parametrize("file", sorted(ROOT.glob("specs/*.yaml")), ids=lambda file: file.name)
def test_what_people_write_is_read_quickly(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert both(file.read_text(encoding="utf-8"), monkeypatch)


@rounds
@given(records(Spec), st.randoms(use_true_random=False))
@settings(max_examples=9, suppress_health_check=SLOW, phases=NO_SHRINK)
def test_any_spec_in_any_manner(go: int, spec: Spec, random: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        both(Messy(random).text(spec_tree(spec, {})), patch)
        text = write_spec(replace(spec))
        both(text, patch)
        both(text.replace("\n", "\r\n"), patch)
        at = random.randrange(len(text))
        both(text[:at] + random.choice(ODD) + text[at + random.randrange(3) :], patch)


ODD = [
    " ",
    "\n",
    ": ",
    "#",
    " #",
    "- ",
    "-",
    ",",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "&a ",
    "*a",
    "!x ",
    "|",
    ">",
    "? ",
    "\t",
    "\r",
    "---\n",
    "\n...\n",
    "%",
    "@",
    "`",
    "~",
    "null",
    "\u2028",
    "\x85",
    "\ufeff",
    "\\",
    ":",
    "<<: ",
    "0x1F",
    "1e400",
    "\n  ",
    "\n\n# c\n",
    ": {",
    "!!str ",
]

CASES = [
    "a: 1\n",
    "a: 1",
    "a:\n- x\n- y\nb: 2\n",
    "a:\n  - x: 1\n    y: 2\n\n  # c\n  - z\n# end\n",
    "a: {b: 1, c: [1, 2,\n   3], d: 'it''s',}   # c\nb: \"x # y\" # z\n",
    "a: b c  # d\nb: c#d\nc: 0:16 - 0:20\nd: -3\ne: .5\nf: ~\ng: true\nh: http://x/y:z\n",
    "a:\n    b:\n      - {c: d}\n      - [e, f]\n    g: h\ni: j\n",
    "a: {b: c, # x\n  d: e}\n",
    "# only\n",
    "",
    "a:\n",
    "a:\n  {b: c,\n   d: [e]}\nf:\n  # c\n  [g]   # h\n",
    "a:\n- b:\n    {c: d}\n  e: f\n",
    "a:\n{b: c}\n",
    "a: b\n  c\n",
    "a: b: c\n",
    "a: {b}\n",
    "a: [b: c]\n",
    "a: {b:c}\n",
    "a: {b: }\n",
    "a: - b\n",
    "a: {b: c\nd: e}\n",
    "a: 1\na: 2\n",
    "- a\n- b\n",
    "a: [x\n  y]\n",
    "a: {b: x\n  y}\n",
    "a: 'x\n  y'\n",
    "a: |\n  x\n",
    "a:\n  b: |-\n    x # y\n    # z\n\n      w\n\n\n  c: d\n",
    "a: |\n  x\n\n# c\nb: c\n",
    "a: |\n  x",
    "a: |\n  x\n y\n",
    "a: |\n  x\n # y\n",
    "a: |\n\n  x\n",
    "a: |\n  x\n     \n  y\n",
    "a: |+\n  x\n\n",
    "a: |  # c\n  x\n",
    "- |\n x\n",
    "a:\n- |-\n  x\n- b: |\n    y\n  c: d\n",
    "a: |\nb: c\n",
    "a: &x 1\nb: *x\n",
    "a:\n  b: 1\n c: 2\n",
    "a:\n- b\n - c\n",
    "a: 1\n---\nb: 2\n",
    "a: x:\n",
    "a: 1e999999\nb: 99999999999999999999999999999999999999999999\n",
    "  a: 1\n  b: 2\n",
    'a: "x"y\n',
    "a: [1, 2] x\n",
    "a: {b: 1}\n  c: 2\n",
    "a: b   \n   # c\n   \nd: e   ",
    "a: {b: 1, # c\n# d\n  e: 2}\n",
    "-a: 1\n",
    "a: -\n",
    "a: [-, b]\n",
    "a: [b,, c]\n",
    "a: ${b}\n",
    "a: (b) [c] {d}\n",
    "a: [b c: d]\n",
]


@pytest.mark.parametrize("text", CASES)
def test_what_is_odd_is_left_alone_or_read_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    both(text, monkeypatch)
    both(text.replace("\n", "\r\n"), monkeypatch)


def test_an_escape_that_names_no_character_is_a_finding() -> None:
    report = Report()
    assert parse_document(Path("a"), 'a: 1\nb: ["x\\U00110000"]\n', report).root is None
    (found,) = report
    assert found.span is not None
    assert (found.code, found.span.line, found.span.column) == ("yaml", 1, 6)
