"""YAML as people and programs write it: what the standard allows is read, and what looks right and is not is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinecut.diagnostics import Report, condensed
from cinecut.language.document import parse_document, plain
from cinecut.language.read import ANY_RATE, fill_spec

SPEC = "cinecut: 1\nfilm: film.mp4\ntimeline:\n  - shot: 0:16 - 0:20\n"


def tree(text: str) -> object:
    report = Report()
    document = parse_document(Path("spec.yaml"), text, report)
    assert [str(d) for d in report] == []
    return plain(document.root)


def found(text: str) -> list[tuple[int, str, str]]:
    """Line, message and hints of each finding."""
    report = Report()
    fill_spec(parse_document(Path("spec.yaml"), text, report), report, ANY_RATE)
    return [(d.span.line + 1 if d.span else 0, d.message, " ".join(d.hints)) for d in report]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("film.mp4", "film.mp4\t# the film"),
        ("film.mp4", "film.mp4\t"),
        ("timeline:", "timeline:\t# cuts"),
        ("film: ", "film:\t"),
        ("film: ", "film: \t "),
        ("- shot", "-\tshot"),
        ("\ntimeline", "\n\t\ntimeline"),
        ("0:16 - 0:20", "{in: 0:16,\tout: 0:20\t}"),
        ("0:16 - 0:20", "{\n\t\tin: 0:16,\n\tout: 0:20}"),
    ],
)
def test_tabs_part_words_wherever_yaml_says_so(old: str, new: str) -> None:
    assert SPEC.count(old) == 1
    assert tree(SPEC.replace(old, new)) == tree(SPEC.replace(old, new.replace("\t", " ")))


@pytest.mark.parametrize("text", ['"a\tb\t"', "'a\t#b'", "|\n  a\tb\n  c:\td", ">-\n  a\t#\n\n  b"])
def test_tabs_in_a_text_are_its_own(text: str) -> None:
    value = tree(f"card: {text}\n")
    assert isinstance(value, dict)
    assert value["card"].count("\t") == text.count("\t")


def test_a_tab_is_no_indentation() -> None:
    ((line, message, hint),) = found(SPEC.replace("  - shot", "\t- shot"))
    assert (line, hint) == (4, "indent by spaces")
    assert "tab" in message


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "1.12"])
def test_every_minor_version_of_yaml_is_read_alike(version: str) -> None:
    assert tree(f"%YAML {version}\n---\n{SPEC}on: 1:02\n") == tree(f"{SPEC}on: 1:02\n")


def test_another_yaml_is_refused() -> None:
    ((line, message, _),) = found(f"%YAML 2.0\n---\n{SPEC}")
    assert line == 1
    assert "YAML" in message


def test_two_halves_are_one_character_and_a_half_is_none() -> None:
    assert tree('{"card": "\\ud83c\\udfac now \\ud83c\\udfac"}') == {"card": "🎬 now 🎬"}
    for half in ("\\ud83c now", "\\udfac\\ud83c", "now \\udfac"):
        assert any("surrogate" in message for _, message, _ in found(f'{{"card": "{half}"}}'))


@pytest.mark.parametrize("sign", ["\u00a0", "\u200b", "\u3000", "\u2009", "\ufeff", "\u00ad", "\u2800", "\u3164"])
@pytest.mark.parametrize(
    ("old", "new"),
    [("shot: ", "shot:{} "), ("shot: ", "shot:{}"), ("film:", "film{}:"), ("timeline:\n", "timeline:{}\n")],
)
def test_what_only_looks_like_a_space_is_named(sign: str, old: str, new: str) -> None:
    assert any(f"U+{ord(sign):04X}" in hint for _, _, hint in found(SPEC.replace(old, new.format(sign))))


@pytest.mark.parametrize("sign", ["\u00a0", "\u202f"])
def test_in_a_text_they_are_fine(sign: str) -> None:
    assert tree(f"card: Qui{sign}?\n") == {"card": f"Qui{sign}?"}


@pytest.mark.parametrize("sign", ["\u0085", "\u2028", "\u2029"])
def test_what_breaks_lines_in_other_formats_alone_breaks_none(sign: str) -> None:
    """In words, quotes, comments and blocks of text; and what follows stands in the line that editors show."""
    texts = f"a: x{sign}y   # {sign}z\nb: 'x{sign}y'\nc: |\n  x{sign}y\n'k{sign}': [x{sign}y]\n"
    assert tree(texts) == {"a": f"x{sign}y", "b": f"x{sign}y", "c": f"x{sign}y\n", f"k{sign}": [f"x{sign}y"]}
    assert [line for line, _, _ in found(f"{SPEC}  - card: A{sign}B   # {sign}\n    for: 1s\n  - crd: C\n")] == [7]


def test_merge_keys_are_named() -> None:
    findings = found("cinecut: 1\nfilm: film.mp4\ntimeline:\n  - &a {black: 1s}\n  - {<<: *a, act: x}\n")
    assert any("merge keys" in hint for _, _, hint in findings)


LONG = "A" * 10_000


@pytest.mark.parametrize(
    "spec",
    [
        SPEC.replace("0:16 - 0:20", LONG),
        SPEC.replace("0:16 - 0:20", f"0:16 - {LONG}"),
        f"{SPEC}    from: {LONG}\n",
        f"{SPEC}    {LONG}: 1\n",
        f"{SPEC}    snap: {LONG}\n",
        f"{SPEC}    duck: {LONG}\n",
        f"{SPEC}    duck: {'9' * 39}\n",
        f"{SPEC}    crop: [{LONG}]\n",
        f"{SPEC}  - black: {LONG}\n",
        f"{SPEC}mix: {{splice: {LONG}}}\n",
        f"{SPEC}output: {{size: {LONG}}}\n",
        f"{SPEC}output: {{rate: {LONG}}}\n",
        f"{SPEC}vibe: {LONG}\n",
        f"{SPEC}{LONG}\n",
    ],
)
def test_a_message_shows_the_ends_of_what_is_long(spec: str) -> None:
    findings = found(spec)
    assert findings
    assert max(len(text) for _, message, hint in findings for text in (message, *hint.split(": "))) < 400


@pytest.mark.parametrize("what", ["{x: 0.1}", "[1, 2]", "yes", "1e309", "0:01"])
@pytest.mark.parametrize(
    "repeated",
    [
        "timeline: [{shot: 0:01 - 0:02, from: *a}]",
        "timeline: [{shot: 0:01 - 0:02, titles: [*a]}]",
        "timeline: [{shot: *a}]",
        "timeline: [{shot: 0:01 - 0:02}]\nvibe: {base: drama, titles: *a}",
        "timeline: [{shot: 0:01 - 0:02}]\nanchors: {climax: *a}",
        "timeline: [{shot: 0:01 - 0:02}]\nmusic: *a",
    ],
)
def test_what_is_repeated_in_a_wrong_place_is_wrong_there(what: str, repeated: str) -> None:
    """The mistake is reported where the text stands; what repeats it is left out as well."""
    text = f"cinecut: 1\nfilm: {{file: film.mp4, protagonist: &a {what}}}\n{repeated}\n"
    assert all(line >= 2 for line, _, _ in found(text))


SHOT = "timeline:\n  - shot: 0:16 - 0:20\n"


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        (SHOT + "    gain:6\n    mute: true\n", (3, 5), "no space after the colon", "write gain: 6"),
        (SHOT + "    gain:6\n", (3, 5), "no space after the colon", "write gain: 6"),
        ("timeline:\n  -shot: 0 - 1\n  - act: x\n", (2, 3), "no space after the dash", "write - shot: 0 - 1"),
        ("cinecut: 1\nfilm film.mkv\ntimeline: []\n", (2, 1), "'film film.mkv' is no `key: value`", "a colon"),
        ("<<<<<<< HEAD\ncinecut: 1\n", (1, 1), "two versions stand here", "one of the two"),
        (SHOT + "    gain: 1\n=======\n    gain: 2\n", (4, 1), "two versions stand here", "one of the two"),
        (SHOT + '    from: "cut",\n    gain: 1\n', (3, 16), "no comma ends a line", "remove it"),
        ("timeline: {}\n  - shot: 0 - 1\n", (2, 3), "the line above ends with its value", "in line 1"),
        ("a: b\nc: d\x01\n", (2, 5), "the control character U+0001", "remove it"),
        ("a: b\n# c \0\n", (2, 5), "the control character U+0000", "remove it"),
        ('a: "\\U00110000"\n', (1, 5), "an escape in quotes names no character", "the last one"),
        (SHOT + "      mute: true\n", (3, 7), "deeper than the one above", "line 2"),
        ("cinecut: 1\n film: a.mkv\n", (2, 2), "deeper than the one above", "line 1"),
        (SHOT + "   mute: true\n", (3, 4), "begins in column 4", "line 2 begins in column 3"),
        (SHOT + "    mute: true\n - act: x\n", (4, 2), "begins in column 2", "line 2 begins in column 3"),
        (SHOT + "    - act: x\n", (3, 5), "begins in column 5", "line 2 begins in column 3"),
        ("music:\n  - pulse: soft\n  gain: 1\n", (3, 3), "stand in one column: here, and in line 2", "below"),
        ("a: WAIT: NOW\n", (1, 8), "a second `: `", "quotes around"),
        ("a: “WAIT: NOW”\n", (1, 9), "a second `: `", "no quotes to YAML"),
        ('a: "He said "no""\n', (1, 14), "the quotes end before this", '\\"'),
        ("a: 'it's'\n", (1, 8), "the quotes end before this", "''"),
        ("a: %5\n", (1, 4), "no text begins with this sign", "in quotes"),
        ("a: @me\n", (1, 4), "no text begins with this sign", "in quotes"),
        ("a: !Now\n", (1, 4), "the tag !Now means nothing", "in quotes"),
        ("a: !now [b]\n", (1, 4), "the tag !now means nothing", "in quotes"),
        ("a: !!python/name:os.system {b: c}\n", (1, 4), "os.system means nothing", "in quotes"),
        ("a: & more\n", (1, 5), "signs of YAML", "in quotes"),
        ('a: "C:\\Users\\me"\n', (1, 9), "begins an escape", "single quotes"),
        ("a: | text\n", (1, 6), "begins in the next line", "in quotes"),
        ("a: {b: 1\nc: 2\n", (1, 4), "this { is never closed", ""),
    ],
    ids=str,
)
def test_a_text_that_is_no_yaml(text: str, place: tuple[int, int], message: str, hint: str) -> None:
    report = Report()
    parse_document(Path("a.yaml"), text, report)
    (found,) = report
    assert found.code == "yaml"
    assert message in found.message
    assert found.span is not None
    assert (found.span.line + 1, found.span.column + 1) == place
    assert hint in " ".join(found.hints)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("gain: -2,5", "write -2.5"),
        ("gain: -2 dB", "write -2"),
        ("gain: 3,5dB", "write 3.5"),
        ("gain: \u22122 dB", "write -2"),
        ("gain: 3,", "write 3"),
        ("mute: yes", "write true"),
        ("mute: 'Off'", "write false"),
        ("sound: usual, sub drop", "in brackets: [usual, sub drop]"),
        ("speed: 50%", "write 0.5"),
        ("speed: 50 %", "write 0.5"),
        ("from: fade-in 1s", "did you mean fade in 1s?"),
        ("from: crosfade 12f", "did you mean crossfade 12f?"),
        ("from: Dip_to_black", "did you mean dip to black?"),
        ("from: wipe", "write cut, crossfade 1.5s"),
    ],
)
def test_what_is_nearly_right_is_answered_by_what_is(line: str, hint: str) -> None:
    ((_, message, hints),) = found(f"{SPEC}    {line}\n")
    assert hint in f"{message} {hints}"


@pytest.mark.parametrize("value", ["1984", "true", "~", "1e3", "0:16"])
def test_what_is_said_to_be_a_text_is_one(value: str) -> None:
    assert tree(f"a: !!str {value}\nb: [!!str {value}]\n") == {"a": value, "b": [value]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SPEC.replace("0:16 - 0:20", "00:00:16:00 - 00:00:78:02"), "seconds run from 00 to 59"),
        (SPEC.replace("0:16 - 0:20", "00:00:16:00 - 00:61:18:02"), "minutes run from 00 to 59"),
        (SPEC.replace("0:16 - 0:20", "0:16 - 1:61:18.5"), "minutes run from 00 to 59"),
        (SPEC.replace("0:16 - 0:20", "0:16 - 0:78"), "seconds run from 00 to 59"),
        (SPEC + "output: {size: 1920}\n", "1920 is no size such as 1920x1080"),
        (SPEC.replace("cinecut: 1", "cinecut: '1'"), "write cinecut: 1"),
    ],
)
def test_one_mistake_is_said_once_by_what_is_wrong(text: str, message: str) -> None:
    ((_, said, hints),) = found(text)
    assert message in f"{said} {hints}"


def test_timecodes_of_an_unmeasured_film_are_one_finding_for_people() -> None:
    report = Report()
    spec = SPEC + "".join(f"  - shot: {{in: 00:00:{n}:00, for: 1s}}\n" for n in range(20, 50))
    fill_spec(parse_document(Path("spec.yaml"), spec, report), report)
    assert len(list(report)) == 30
    (shown,) = condensed(list(report))
    assert "cinecut link" in shown.message


@pytest.mark.parametrize("size", ["640x360", "640×360", "640 X 360"])
def test_a_size_is_read_as_people_write_it(size: str) -> None:
    assert found(SPEC + f"output: {{size: {size}}}\n") == []
