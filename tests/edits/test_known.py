"""The side file: found by content, whatever a spec is called; damaged or foreign, it is done without."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from io import StringIO
from pathlib import Path

import pytest
from commandline import cinecut
from ruamel.yaml import YAML

from cinecut.api import load
from cinecut.diagnostics import as_text
from cinecut.edits.revise import edit
from cinecut.known.record import Known, KnownLine, KnownShot, KnownSong, as_json, keep, known_of, written_before
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.render.check import check_spec

BAD = Path(__file__).parents[1] / "bad_specs"


def between(start: Fraction | int, end: Fraction | int) -> FilmRange:
    return FilmRange(FilmTime(Fraction(start)), FilmTime(Fraction(end)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "film.mp4").write_bytes(b"film")
    (tmp_path / "song.ogg").write_bytes(b"song")
    shutil.copy(BAD / "film_cut.yaml", "spec.yaml")
    return tmp_path


def known(text: str = "") -> Known:
    facts = load(BAD / "film_cut.yaml").main_film.facts
    assert facts is not None
    shots = (KnownShot(between(0, Fraction(240240, 24001))), KnownShot(between(20, 100), "credits"))
    song = KnownSong("4-00", None, Fraction(1, 3), 3, (Fraction(1, 3), Fraction(5, 6)))
    lines = (KnownLine(between(50, 52), "“Quoted”\n\u2028 line"),)
    return Known(facts.fingerprint, shots, lines, song, ("act 1",), True, text, "digest", {"subtitles": "a b.srt"})


def dump(tree: object) -> str:
    """As a program writes YAML that keeps nothing of its form."""
    stream = StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(tree, stream)
    return stream.getvalue()


def codes(path: str) -> list[str]:
    return [finding.code for finding in check_spec(Path(path))]


def test_it_comes_back_as_it_was_kept(folder: Path) -> None:
    keep(known("spec"))
    assert known_of(load("spec.yaml"), "", Path("spec.yaml")) == known("spec")


def test_the_analysis_of_this_spec_is_preferred(folder: Path) -> None:
    text = Path("spec.yaml").read_text(encoding="utf-8")
    for wrote in (text[:300], text, "cinecut: 1\n"):
        keep(known(wrote))
    for name in ("spec.yaml", "copy.yaml"):
        found = known_of(load("spec.yaml"), text.replace("0:09", "0:08"), Path(name))
        assert found is not None
        assert found.wrote == text


def test_a_longer_analysis_that_shares_more_rows_is_not_preferred(folder: Path) -> None:
    """What the hand had done when recut wrote the file counts too."""
    text = Path("spec.yaml").read_text(encoding="utf-8")
    mine = text + "  - card: MINE\n    for: 2s\n"
    keep(replace(known(text), text=mine))
    keep(known(mine + "  - card: OF ANOTHER\n    for: 3s\n" * 9))
    found = known_of(load("spec.yaml"), mine, Path("spec.yaml"))
    assert found is not None
    assert found.wrote == text


@pytest.mark.parametrize("program", [dump, json.dumps])
def test_a_spec_that_another_program_laid_out_anew_is_found(program: Callable[[object], str], folder: Path) -> None:
    text = Path("spec.yaml").read_text(encoding="utf-8")
    keep(known(text))
    keep(known(text.replace("in: 0:09", "in: 0:07").replace("cinecut: 1", "cinecut: 1\nvibe: drama")))
    found = known_of(load("spec.yaml"), program(YAML(typ="safe").load(text)), Path("spec.yaml"))
    assert found is not None
    assert found.wrote == text


def test_the_same_film_in_another_file_has_the_same_base(folder: Path) -> None:
    text = Path("spec.yaml").read_text(encoding="utf-8")
    keep(known(text))
    spec = load("spec.yaml")
    facts = spec.main_film.facts
    assert facts is not None
    anew = replace(spec, film=replace(spec.main_film, facts=replace(facts, fingerprint="7-other")))
    assert known_of(anew, text, Path("spec.yaml")) is None, "its cuts may lie elsewhere"
    found = written_before(anew, text, Path("spec.yaml"))
    assert found is not None
    assert found.wrote == text
    other = "cinecut: 1\nfilm: other.mp4\ntimeline:\n  - shot: 1:00 - 1:03\n  - shot: 2:00 - 2:03\n"
    assert written_before(anew, other, Path("spec.yaml")) is None


def test_a_file_beside_the_spec_will_do(folder: Path) -> None:
    assert codes("spec.yaml") == []
    shutil.copy(BAD / "film_cut.known.json", "spec.known.json")
    assert codes("spec.yaml") == ["film-cut"] * 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b"[]",
        b"null",
        b'{"cinecut_known": 2}',
        b'{"cinecut_known": 1, "film": 7}',
        b"[" * 100_000,
        *[
            json.dumps({**whole, key: value}).encode()
            for whole in [json.loads(as_json(known()))]
            for key in ("shots", "lines", "song", "scored", "asked")
            for value in (7, "text", [["a", "b", "c"]], [["1/0", "1", ""]], [["2", "1", ""]], {"tempo": "x"})
        ],
    ],
)
def test_a_damaged_or_foreign_file_is_done_without(content: bytes, folder: Path) -> None:
    """Where a value can be taken for one of ours it does no harm; a traceback is a failure here."""
    (folder / "spec.known.json").write_bytes(content)
    check_spec(Path("spec.yaml"))
    keep(known())
    assert known_of(load("spec.yaml"), "", Path("spec.yaml")) is not None


@pytest.mark.parametrize(
    ("shot", "cure"),
    [
        ("0:08 - 0:11", "end at 00:00:10:00 or earlier"),
        ("0:09 - 0:12", "begin at 00:00:10:00 or later"),
        ("0:09 - 0:22", "begin at 00:00:10:00 or later and end at 00:00:20:00 or earlier"),
        ("0:20.5 - 0:23", "begin at 00:00:21:00 or later"),  # begins inside the dissolve
        ("0:18 - 0:20.5", "end at 00:00:20:00 or earlier"),
        ("0:20.25 - 0:20.75", "choose another moment"),
    ],
)
def test_the_cure_keeps_the_longest_part_between_two_cuts(shot: str, cure: str, folder: Path) -> None:
    shutil.copy(BAD / "film_cut.known.json", "spec.known.json")
    head, _, _ = Path("spec.yaml").read_text(encoding="utf-8").partition("timeline:\n")
    Path("spec.yaml").write_text(f"{head}timeline:\n  - shot: {shot}\n", encoding="utf-8")
    (found,) = (each for each in check_spec(Path("spec.yaml")) if each.code == "film-cut")
    assert found.hints[0] == cure


@pytest.mark.parametrize(
    ("event", "cure"),
    [
        ("shot: {in: 0:22, for: 0.6s}", "for: 1 beat"),
        ("shot: {in: 0:22, for: 1.3s}", "for: 3 beats"),
        ("card: THE END\n    for: 0.6s", "for: 1 beat"),
        ("black: 0.6s", "black: 1 beat"),
        ("black: 1.3s", "black: 3 beats"),
    ],
)
def test_the_cure_is_the_length_in_beats_by_its_key(event: str, cure: str, folder: Path) -> None:
    shutil.copy(BAD / "off_grid.known.json", "spec.known.json")
    head, _, _ = (BAD / "off_grid.yaml").read_text(encoding="utf-8").partition("timeline:\n")
    rows = f"  - shot: {{in: 0:11, for: 4 beats}}\n  - {event}\n  - shot: {{in: 0:25, for: 4 beats}}\n"
    Path("spec.yaml").write_text(f"{head}timeline:\n{rows}", encoding="utf-8")
    (found,) = (each for each in check_spec(Path("spec.yaml")) if each.code == "off-grid")
    assert found.hints[0] == f"`{cure}`, or `snap: beat`"


def test_another_film_is_not_this_one(folder: Path) -> None:
    keep(replace(known(), film="4-00"))
    (folder / "spec.known.json").write_text(as_json(replace(known(), film="4-00")), encoding="utf-8")
    assert known_of(load("spec.yaml"), "", Path("spec.yaml")) is None


def test_a_cache_that_cannot_be_written_is_no_matter(folder: Path) -> None:
    (folder / "cache").write_text("in the way", encoding="utf-8")
    keep(known())
    assert known_of(load("spec.yaml"), "", Path("spec.yaml")) is None


def test_warnings_do_not_fail_unless_they_are_to(folder: Path) -> None:
    shutil.copy(BAD / "film_cut.known.json", "spec.known.json")
    plain, strict = (cinecut("check", "spec.yaml", *more, cwd=folder) for more in ((), ("--strict",)))
    assert (plain.returncode, strict.returncode) == (0, 1)
    assert "spec.yaml:16:16: warning: shot 1 crosses the film's cut at 0:10.000" in plain.stderr
    [first, *_] = check_spec(Path("spec.yaml"))
    assert as_text(first, Path("spec.yaml").read_text(encoding="utf-8").splitlines()) in plain.stderr


def test_that_nothing_is_at_hand_is_one_line_unless_more_is_asked(folder: Path) -> None:
    shutil.copy(BAD / "no_side_file.yaml", "spec.yaml")
    plain, verbose, program = (cinecut(*words, cwd=folder) for words in (
        ("check", "spec.yaml"), ("check", "spec.yaml", "-v"), ("check", "spec.yaml", "--json"),
    ))  # fmt: skip
    assert (plain.stderr, plain.stdout.count("\n")) == ("", 1)
    assert "unchecked (-v says why)" in plain.stdout
    assert "[no-side-file]" in verbose.stderr
    assert "unchecked" not in verbose.stdout
    assert "no-side-file" in program.stdout


REASONED = """  - shot: 0:30 - 0:32   # a question: dark
    by: signals
    alternatives:
      - {in: 0:40, why: louder}
      - {in: 0:50}   # mine
"""


@pytest.mark.parametrize(
    ("action", "beside", "said"),
    [
        ({"do": "swap"}, ["shot: 0:40 - 0:42", "{in: 00:00:30:00}   # a question: dark", "{in: 0:50}   # mine"], []),
        ({"do": "swap", "number": 2}, ["shot: 0:50 - 0:52   # mine", "{in: 00:00:30:00}   # a question: dark"], []),
        ({"do": "replace", "with": "1:00"}, ["shot: 1:00 - 1:02"], []),
        ({"do": "slip", "by": "1s"}, ["shot: 0:31 - 0:33   # a question: dark"], []),
        (
            {"do": "set", "path": "1.alternatives"},
            ["shot: 0:30 - 0:32   # a question: dark"],
            ["comment gone with it: '# mine'"],
        ),
        ({"do": "remove"}, [], ["comment gone with it: '# mine'"]),
    ],
    ids=lambda value: value.get("do") if isinstance(value, dict) else "",
)
def test_a_reason_goes_with_the_shot_that_it_is_of(
    action: dict[str, object], beside: list[str], said: list[str], folder: Path
) -> None:
    """A comment beside a shot says why that one was taken: beside another it would be untrue. What analyze wrote may go
    unsaid, what a person wrote may not."""
    head = Path("spec.yaml").read_text(encoding="utf-8").partition("timeline:\n")[0]
    Path("spec.yaml").write_text(f"{head}timeline:\n{REASONED}  - black: 1s\n", encoding="utf-8")
    keep(known(Path("spec.yaml").read_text(encoding="utf-8").replace("   # mine", "")))
    done = edit(Path("spec.yaml"), action if "path" in action else {"event": 1, **action})
    assert [text for text in done.said if text.startswith("comment")] == said
    assert [row for row in beside if row not in done.after.text] == []
    assert ("# a question: dark" in done.after.text) == any("question" in row for row in beside)


def test_a_comment_of_ones_own_stays_where_a_shot_is_replaced(folder: Path) -> None:
    text = Path("spec.yaml").read_text(encoding="utf-8").partition("timeline:\n")[0]
    Path("spec.yaml").write_text(f"{text}timeline:\n{REASONED}", encoding="utf-8")
    done = edit(Path("spec.yaml"), {"do": "replace", "event": 1, "with": "1:00"})
    assert "shot: 1:00 - 1:02   # a question: dark\n" in done.after.text
