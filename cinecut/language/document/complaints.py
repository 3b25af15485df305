"""What ruamel.yaml finds wrong with a text, in the words of somebody who writes specs."""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError

from cinecut.diagnostics import LINE_BREAK, Span, excerpt
from cinecut.language.document import odd_spaces

Complaint = tuple[str, Span, str]  # a message, its place, a hint

_ANY = "every `key:` stands on its own line, indented by spaces; texts with signs go in quotes"
_QUOTES = "put quotes around a text that holds a colon and a space"
_BY_WORDS = (  # what ruamel says, what is meant, and what to do
    ("undefined alias", "", "*name repeats what &name marked before; a text that begins with * goes in quotes"),
    ("another document", "a second document begins here", "a spec is one document: remove the `---`"),
    ("cannot start any token", "no text begins with this sign", "put the text in quotes"),
    ("expected alphabetic or numeric", "& and * are signs of YAML here", "put the text in quotes"),
    ("escape", "a backslash in double quotes begins an escape", "in single quotes it is a backslash"),
    ("expected a comment or a line break", "a text after | or > begins in the next line", "or put it in quotes"),
    ("found '<scalar>'", "the quotes end before this", "a quote inside is written \\\" in \"…\", and '' in '…'"),
)


def complaint(name: str, text: str, error: MarkedYAMLError) -> Complaint:
    """A finding of ruamel's, at the place where somebody has to change something."""
    problem = " ".join(str(error.problem or error.context or "this is not YAML").split())
    mark, opened, lines = error.problem_mark or error.context_mark, error.context_mark, LINE_BREAK.split(text)
    span = _sign(name, mark.line, mark.column) if mark else _sign(name, 0, 0)
    line = lines[span.line] if span.line < len(lines) else ""
    if opened and ("but got" in problem or "unexpected end of stream" in problem):
        sign = lines[opened.line][opened.column : opened.column + 1]
        if sign in tuple("[{\"'"):
            unclosed = f"this {sign} is never closed, or something stands in it that needs quotes"
            return unclosed, _sign(name, opened.line, opened.column), _ANY
    if spaces := odd_spaces(line) or odd_spaces("".join(lines[max(0, span.line - 1) : span.line])):
        return problem, span, spaces
    if "\t" in line[: span.column + 1]:
        return "a tab stands where YAML takes only spaces", span, "indent by spaces"
    if "mapping values are not allowed" in problem:
        return _colon(name, lines, span)
    if "could not find expected ':'" in problem and opened:
        return _no_pair(name, lines, opened.line)
    for words, message, hint in _BY_WORDS:
        if words in problem:
            return message or problem, span, hint
    if "expected <block end>" in problem and line.startswith(",", span.column):
        return "no comma ends a line of YAML", span, "remove it"
    if "expected <block end>" in problem and opened:
        return _indented(name, lines, span, (opened.line, opened.column))
    return problem, span, _ANY


def _sign(name: str, line: int, column: int) -> Span:
    return Span(name, line, column, line, column + 1)


def _colon(name: str, lines: list[str], span: Span) -> Complaint:
    """A colon where none may stand: in a text, or in a line that is indented as if it went on with the one above."""
    line = lines[span.line]
    if ": " in line[: span.column]:
        curly = "“ and ” are no quotes to YAML: write \" or '" if re.search("[“”‘’„]", line) else _QUOTES
        return "a second `: ` in one value", span, curly
    above = _above(lines, span.line)
    if _indent(line) <= _indent(lines[above]):
        return _no_pair(name, lines, above)
    hint = f"if it belongs to line {above + 1}, it begins below the first letter there"
    place = _sign(name, span.line, _indent(line))
    return "this line is indented deeper than the one above, which ends with its value", place, hint


def _no_pair(name: str, lines: list[str], number: int) -> Complaint:
    """A line that is neither `key: value` nor an item of a list."""
    line, indent = lines[number], _indent(lines[number])
    span, body = Span(name, number, indent, number, max(indent + 1, len(line))), line.strip()
    if re.match("<{7}|={7}|>{7}|[|]{7}", body):
        hint = "keep one of the two versions, and remove the lines of <<<<<<<, ======= and >>>>>>>"
        return "two versions stand here, which a merge could not join", span, hint
    if match := re.fullmatch(r"(- +)?(\w[\w ]*):(\S.*)", body):
        return "no space after the colon", span, f"write {match[1] or ''}{match[2]}: {match[3]}"
    return f"{excerpt(body)} is no `key: value`", span, "a key, a colon, a space, its value"


def _indented(name: str, lines: list[str], span: Span, block: tuple[int, int]) -> Complaint:
    """A line whose place is not that of the block (its first line and column) in which it stands."""
    above = _above(lines, span.line)
    if re.match(r"\s*-[^\s-]", lines[above]):
        column = _indent(lines[above])
        return "no space after the dash", _sign(name, above, column), f"write - {lines[above].strip()[1:]}"
    line, column = block
    dash = lines[span.line].lstrip().startswith("- ")
    if dash and _indent(lines[above]) < span.column and not lines[above].lstrip().startswith("- "):
        return (
            "a list begins here, but the line above ends with its value",
            span,
            f"remove the value in line {above + 1}",
        )
    if dash:  # as the item before it
        items = (at for at in range(span.line - 1, -1, -1) if lines[at].lstrip().startswith("- "))
        line = next(items, line)
        column = _indent(lines[line])
    if span.column == column:
        message = f"a list (`- item`) and `key: value` stand in one column: here, and in line {line + 1}"
        return message, span, "the keys of a list's item begin below its first letter"
    message = f"this line begins in column {span.column + 1}, where no line above begins that it could belong to"
    return message, span, f"line {line + 1} begins in column {column + 1}"


def _above(lines: list[str], number: int) -> int:
    """The last line before this one that says something."""
    said = (at for at in range(number - 1, -1, -1) if lines[at].strip() and not lines[at].lstrip().startswith("#"))
    return next(said, 0)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
