"""Several films by names: how they are written, read and printed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from compiling import laid_out, measured, read_text

from cinecut.diagnostics import Report
from cinecut.language.document import parse_document
from cinecut.language.events import Shot
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.language.write import format_document, write_spec

FACTS = "{fingerprint: 4-%d, size: 640x360, rate: %d, duration: 600, timecode: %s}"
TEXT = f"""\
cinecut: 1
films:
  main: {{file: film.mkv, facts: {FACTS % (0, 24, '"00:00:00:00"')}}}
  making-of: {{file: extra.mov, facts: {FACTS % (1, 25, '"10:00:00:00"')}}}
anchors: {{climax: {{film: making-of, at: "10:00:30:05"}}}}
timeline:
  - shot:  making-of  10:00:10:12 – 10:00:12:00
    sync: {{at: 10:00:11:00}}
    alternatives: [{{in: 10:00:20:06}}, {{film: main, in: 00:00:20:06}}]
  - shot: {{for: 1s, in: 0:20, film: making-of}}
  - shot: 00:00:10:12 - 00:00:12:00
    voice: making-of 0:10 to 0:11
"""


def test_each_time_is_of_the_film_that_it_names() -> None:
    spec = read_text(TEXT)
    first, second, third = (entry for entry in spec.timeline if isinstance(entry, Shot))
    assert (first.shot.film, first.shot.in_) == ("making-of", FilmTime(Fraction(1012, 100) + Fraction(36, 100)))
    assert first.sync is not None
    assert first.sync.at.seconds == 11
    assert [other.in_.seconds for other in first.alternatives] == [20 + Fraction(6, 25), 20 + Fraction(6, 24)]
    assert third.voice[0].take is not None
    assert (second.shot.film, third.shot.film, third.voice[0].take.film) == ("making-of", None, "making-of")
    assert third.shot.in_ == FilmTime(Fraction(21, 2))
    assert spec.anchors is not None
    assert spec.anchors.climax is not None
    assert spec.anchors.climax.at.seconds == 30 + Fraction(1, 5)


def test_it_is_printed_as_it_is_read() -> None:
    spec = read_text(TEXT)
    text = write_spec(spec)
    assert "making-of 10:00:10:12 - 10:00:12:00" in text
    assert read_text(text) == spec
    found = format_document(parse_document(Path("spec.yaml"), TEXT, Report()))
    assert "  - shot: making-of 10:00:10:12 - 10:00:12:00\n" in found
    assert "{film: making-of, in: 0:20, for: 1s}" in found
    assert read_text(found) == spec


def test_ranges_of_two_films_share_nothing() -> None:
    one, other = (FilmRange(FilmTime(Fraction(a)), FilmTime(Fraction(b))) for a, b in ((1, 3), (2, 9)))
    assert one.shared(other) == 1
    assert one.shared(FilmRange(other.start, other.end, "extra")) == 0


def test_the_first_film_need_not_be_named() -> None:
    events = "".join(f"  - shot: {text}\n" for text in ("a 0:10 - 0:12", "b 0:10 - 0:12", "0:14 - 0:15"))
    spec = measured(read_text("cinecut: 1\nfilms: {a: a.mkv, b: b.mkv}\ntimeline:\n" + events))
    shots = laid_out(write_spec(spec)).timeline.shots
    assert [placed.film.film for placed in shots] == ["", "b", ""]
    assert shots[0].label.rpartition("_")[0] == shots[1].label.rpartition("_")[0]
    assert shots[0].label != shots[1].label
