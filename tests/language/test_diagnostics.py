"""What is printed of others' words."""

from __future__ import annotations

from cinecut.diagnostics import Diagnostic, as_text


def test_others_words_do_not_rule_a_terminal() -> None:
    said = as_text(Diagnostic("unreadable", "\x1b[2Jfilm\u202e.mkv\x9b cannot be read", None, ("a\rb",)))
    assert said == "error: \ufffd[2Jfilm\ufffd.mkv\ufffd cannot be read [unreadable]\n  hint: a\ufffdb"
