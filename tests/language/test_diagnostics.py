"""What is printed of others' words."""

from __future__ import annotations

import json
import shlex

from cinecut.diagnostics import Diagnostic, Span, as_text, as_word, condensed, json_text


def test_others_words_do_not_rule_a_terminal() -> None:
    said = as_text(Diagnostic("unreadable", "\x1b[2Jfilm\u202e.mkv\x9b cannot be read", None, ("a\rb",)))
    assert said == "error: \ufffd[2Jfilm\ufffd.mkv\ufffd cannot be read [unreadable]\n  hint: a\ufffdb"


def test_json_that_is_shown_keeps_all_and_does_not_rule_a_terminal() -> None:
    value = {"title": "\x1b[2Jfilm\u202e.mkv\x9b\x7f", "é": ["\u2066\n", 0.5]}
    said = json_text(value)
    assert said.replace("\n", "").isprintable()
    assert "é" in said
    assert json.loads(said) == value


def test_the_same_mistake_at_many_places_is_said_once() -> None:
    """Each of few is said; of many the first, with the lines of the others, in the order in which they stand."""
    alike = [Diagnostic("no-grid", "no beats", Span("a.yaml", line, 0, line, 1), ("add some",)) for line in range(20)]
    other = Diagnostic("order", "out before in", Span("a.yaml", 1, 0, 1, 1))
    assert condensed([alike[0], other, *alike[1:3]]) == [alike[0], other, *alike[1:3]]
    first, second = condensed([alike[0], other, *alike[1:]])
    assert second == other
    assert first.hints == ("add some", "the same in lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and 7 more")


def test_a_path_in_a_suggested_command_is_one_word_and_no_option() -> None:
    assert shlex.split(as_word("-o 'my' film.yaml")) == ["./-o 'my' film.yaml"]
    assert as_word("specs/film.yaml") == "specs/film.yaml"
