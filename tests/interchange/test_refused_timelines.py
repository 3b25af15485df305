"""Timelines that cannot be read, or must not: refused in words, or read as far as they go."""

from __future__ import annotations

import contextlib
import json
import re
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from commandline import cinecut
from compiling import read_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_import import BEFORE, FORMATS, every_format, export

from cinecut.diagnostics import Report, Stop
from cinecut.interchange.back.bring import bring, read_cut
from cinecut.interchange.build import ExportOptions, sequence_of
from cinecut.interchange.readers import xml_tree
from cinecut.interchange.readers.cut import Media
from cinecut.render.check import layout_of


def test_a_file_of_another_film_is_refused(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(BEFORE)
    export(BEFORE.replace("film.mov", "other.mov"), tmp_path / "cut", "fcp")
    with pytest.raises(Stop, match=r"other\.mov, and nothing of film\.mov"):
        bring(spec, tmp_path / "cut.fcpxml")


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("bomb.xml", '<!DOCTYPE x [<!ENTITY a "b">]><xmeml>&a;</xmeml>', "defines XML entities"),
        ("file.xml", '<!DOCTYPE x SYSTEM "file:///etc/passwd" [ ]><xmeml/>', "defines XML entities"),
        ("half.fcpxml", "<fcpxml><resources>", "is no XML"),
        ("empty.fcpxml", "<fcpxml version='1.11'/>", "holds no project"),
        ("none.xml", "<xmeml version='5'><bin/></xmeml>", "holds no sequence"),
        ("deep.xml", "<xmeml>" + "<a>" * 5000, "nested more deeply"),
        ("odd.otio", '{"OTIO_SCHEMA": "Clip.1"}', "holds no timeline"),
        ("bad.otio", "{", "is no OpenTimelineIO file"),
        ("deep.otio", "[" * 100_000, "nested more deeply"),
        ("wide.otio", "{}".encode("utf-16"), "is not in UTF-8"),
        ("wide.edl", "001 A V C".encode("utf-16"), "is not in UTF-8"),
        ("words.edl", "dear editor\n" * 1000, "holds no event"),
        ("cut.aaf", "x", "is not a kind of file that can be imported"),
        ("cut.kdenlive", "<mlt/>", "is not a kind of file that can be imported"),
    ],
)
def test_what_is_no_timeline_is_refused_in_words(name: str, data: str | bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(BEFORE)
    (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    done = cinecut("import", name, "--into", "spec.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "spec.yaml").read_text() == BEFORE


@pytest.mark.parametrize(
    ("pattern", "value", "why"),
    [
        (r'"rate": [\d.]+', '"rate": 0.0', "a time or a rate that is none"),
        (r'"rate": [\d.]+', '"rate": NaN', "a time or a rate that is none"),
        (r'"value": [\d.]+', '"value": 1e309', "a time or a rate that is none"),
        (r'"value": [\d.]+', '"value": -5.0', "cut.otio shows nothing of film.mov"),
        (r"Track\.1", "Clap.1", "a value of another kind"),
    ],
)
def test_times_that_are_none_are_refused_in_our_words(pattern: str, value: str, why: str, tmp_path: Path) -> None:
    """Not in those of Python, or of the library; and a timeline in which nothing is left is no change of the spec."""
    (spec := tmp_path / "spec.yaml").write_text(text := BEFORE.replace("    titles: [One last chance]\n", ""))
    export(text, tmp_path / "cut", "otio")
    written = (path := tmp_path / "cut.otio").read_text()
    path.write_text(re.sub(pattern, value, written))
    assert path.read_text() != written
    with pytest.raises(Stop, match=why):
        bring(spec, path)


def test_a_mark_at_the_head_is_no_matter(tmp_path: Path) -> None:
    for kind in FORMATS:
        (spec := tmp_path / "spec.yaml").write_text(BEFORE)
        export(BEFORE, tmp_path / "cut", kind)
        path = tmp_path / f"cut{FORMATS[kind][0]}"
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        assert bring(spec, path).said == []


def test_a_timeline_that_is_no_json_never_reaches_the_library() -> None:
    """It ends the process by some of them, where a line is lost."""
    lines = _whole("otio").decode().splitlines()
    for number in range(len(lines)):
        text = "\n".join(lines[:number] + lines[number + 1 :])
        try:
            json.loads(text)
        except ValueError:
            with pytest.raises(Stop, match="is no OpenTimelineIO file"):
                read_cut("cut.otio", text.encode(), Fraction(24), Media())


def test_entities_are_refused_in_any_clothes() -> None:
    for data in (b"<!DOCTYPE a [\n<!ENTITY % x SYSTEM 'http://x'>]><a/>", b"<!doctype a [<!entity b 'c'>]><a/>"):
        with pytest.raises(Stop, match="entities"):
            xml_tree.root_of(data, "x")
    for data in ("<a/>".encode("utf-16"), b"<?xml version='1.0' encoding='latin-1'?><a/>"):
        with pytest.raises(Stop, match="UTF-8"):
            xml_tree.root_of(data, "x")


def test_an_edl_with_a_thousand_errors_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(BEFORE)
    export(BEFORE, tmp_path / "cut", "edl")
    text = (tmp_path / "cut.edl").read_text()
    (tmp_path / "cut.edl").write_text(text + "what is this\n" * 1000)
    found = bring(tmp_path / "spec.yaml", tmp_path / "cut.edl")
    assert found.said == []
    assert len(found.by_hand) == 11
    assert found.by_hand[-1] == "990 more rows are no events"


def test_what_is_not_understood_is_listed(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(BEFORE)
    export(BEFORE, tmp_path / "cut", "fcp")
    text = (tmp_path / "cut.fcpxml").read_text()
    ramp = re.sub(r'(<timept time="3600s".*?/>)', r'\1<timept time="3700s" value="3690s"/>', text, count=1)
    nested = text.replace('<asset-clip ref="r2" offset="3602s"', '<ref-clip ref="r2" offset="3602s"', 1)
    nested = nested.replace("</asset-clip>", "</ref-clip>", 2).replace("</ref-clip>", "</asset-clip>", 1)
    (tmp_path / "cut.fcpxml").write_text(ramp)
    assert any(
        "its speed changes within it" in each for each in bring(tmp_path / "spec.yaml", tmp_path / "cut.fcpxml").by_hand
    )
    added = text.replace(
        "</resources>",
        '<asset id="r99" name="b" hasVideo="1" duration="9s"><media-rep src="file:///b.mov"/></asset></resources>',
    )
    added = added.replace("</spine>", '<asset-clip ref="r99" offset="3611s" start="0s" duration="1s"/></spine>')
    (tmp_path / "cut.fcpxml").write_text(added)
    by_hand = bring(tmp_path / "spec.yaml", tmp_path / "cut.fcpxml").by_hand
    assert any("b.mov" in each and "no film of this spec" in each for each in by_hand)


ODD = (b"-", b"9999999999", b"0/0", b"nan", b"\0", b"<a>", b"1e400", b'"', b"")


@every_format
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 40), st.sampled_from(ODD)), min_size=1, max_size=5))
def test_a_damaged_file_is_read_or_refused(kind: str, damage: list[tuple[float, int, bytes]]) -> None:
    data = bytearray(_whole(kind))
    for share, gone, put in damage:
        at = int(share * len(data))
        data[at : at + gone] = put
    with contextlib.suppress(Stop):
        assert read_cut(f"cut{FORMATS[kind][0]}", bytes(data), Fraction(24), Media()).rate > 0


@every_format
@pytest.mark.parametrize("huge", ["1e99999999", "-1e400", "9" * 5000, "1e-99999999"])
def test_no_number_is_too_large_to_end(kind: str, huge: str) -> None:
    """An exponent of eight digits, counted out exactly, takes hours. Every seventh number of the file in turn."""
    data = _whole(kind)
    for number in list(re.finditer(rb"\d+", data))[:: 1 if kind == "edl" else 7]:
        damaged = data[: number.start()] + huge.encode() + data[number.end() :]
        with contextlib.suppress(Stop):
            read_cut(f"cut{FORMATS[kind][0]}", damaged, Fraction(24), Media())


@cache
def _whole(kind: str) -> bytes:
    report = Report()
    layout = layout_of(read_text(BEFORE), report)
    end, write = FORMATS[kind]
    made = write(sequence_of(layout, "cut", ExportOptions(Path("/work"))))
    return made.files[end]  # type: ignore[attr-defined, no-any-return]
