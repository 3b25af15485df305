"""What YAML 1.2 allows and ruamel.yaml does not, put so that it takes it, each sign at its old place: tabs as white
space between tokens, and the directive of another minor version.
"""

from __future__ import annotations

import re

_DIRECTIVE = re.compile(r"^%YAML[ \t]+1\.\d+", re.M)
_BLOCK_TEXT = re.compile(r"(?:^|[:\-\s])[|>][-+0-9]*[ \t]*(?:#.*)?$")
_WORDS = re.compile(r"""(?<![^\s,\[{])(?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|\#.*)|[\[\]{}]|[ \t]*\t[ \t]*""")


def as_ruamel_takes_it(text: str) -> str:
    """The text, as long as before, that means the same."""
    text = _DIRECTIVE.sub(lambda found: "#" * len(found[0]), text, count=1)
    return _without_tabs(text) if "\t" in text else text


def _without_tabs(text: str) -> str:
    """Tabs as spaces wherever they only part tokens: not in quotes, in blocks of text, or as indentation."""
    rows, depth, block = list[str](), 0, -1
    for row in text.split("\n"):
        indent = len(row) - len(row.lstrip(" "))
        if block >= 0 and (not row.strip() or indent > block):
            rows.append(row)  # of a block of text
            continue
        row, depth = _spaced(row, depth)
        block = indent if _BLOCK_TEXT.search(row) and not depth else -1
        rows.append(row)
    return "\n".join(rows)


def _spaced(row: str, depth: int) -> tuple[str, int]:
    """A row with spaces for tabs, and how many brackets are open after it."""

    def space(found: re.Match[str]) -> str:
        nonlocal depth
        depth += (found[0] in "[{") - (found[0] in "]}") if len(found[0]) == 1 else 0
        if found[0].strip():
            return found[0]
        before, after = row[: found.start()].rstrip("\r"), row[found.end() :].strip("\r")
        parts = not after or after[0] in "#,]}" or before[-1:] in tuple(":-?,[{") or (not before and depth > 0)
        return " " * len(found[0]) if parts else found[0]

    return _WORDS.sub(space, row), depth
