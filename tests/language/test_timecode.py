"""A film's own timecode: read, written, shown, and what it makes of a time in a spec."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from oracle import Film
from rendering import render_text
from test_odd_films import BASE, made

from cinecut.language.timebase import BadTimeError, Timecodes, parse_seconds
from cinecut.media.link import relink
from cinecut.media.probe import film_facts

NTSC, DOUBLE = Fraction(30000, 1001), Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("rate", "text", "number"),
    [
        # SMPTE 12M: numbers 0 and 1 are left out at each minute, but not at each tenth
        (NTSC, "00:00:59;29", 1799),
        (NTSC, "00:01:00;02", 1800),
        (NTSC, "00:09:59;29", 17981),
        (NTSC, "00:10:00;00", 17982),
        (NTSC, "01:00:00;00", 107892),
        (DOUBLE, "00:01:00;04", 3600),
        (DOUBLE, "00:10:00;00", 35964),
        (NTSC, "01:00:00:00", 108000),
        (Fraction(25), "00:00:02:05", 55),
    ],
)
def test_numbers_of_pictures(rate: Fraction, text: str, number: int) -> None:
    numbered = Timecodes(rate, 0, ";" in text)
    assert numbered.seconds(text) * rate == number
    assert numbered.of(number / rate) == text


@pytest.mark.parametrize("rate", [NTSC, DOUBLE])
def test_every_number_of_an_hour_comes_back(rate: Fraction) -> None:
    numbered = Timecodes.starting(rate, "00:59:58;00")
    for frame in (*range(0, 4000), *range(17_900, 18_100), *range(100_000, 100_100)):
        assert numbered.seconds(numbered.of(frame / rate)) * rate == frame


def test_what_is_no_timecode_of_the_film() -> None:
    numbered = Timecodes.starting(Fraction(25), "01:00:00:00")
    assert numbered.seconds("01:00:04:00") == 4
    assert parse_seconds("0:04", numbered) == 4
    for text, word in (("00:00:04:00", "starts at 01:00:00:00"), ("01:00:04;00", "29.97"), ("01:00:04:25", "24")):
        with pytest.raises(BadTimeError, match=word):
            parse_seconds(text, numbered)


@pytest.mark.parametrize("start", ["00:00:02:00", "01:00:00:00"])
def test_times_count_as_the_film_does(films: Callable[[Film], Film], bundled: Path, tmp_path: Path, start: str) -> None:
    base = films(BASE)
    film = made(base.path, tmp_path / "film.mov", f"-c:v prores_ks -profile:v 0 -timecode {start} -c:a pcm_s16le")
    assert film_facts(film).timecode == start
    at = Timecodes(Fraction(25)).of(Timecodes(Fraction(25)).seconds(start) + 2)
    spec = tmp_path / "spec.yaml"
    head = "cinecut: 1\nfilm: film.mov\noutput: {codec: ffv1}\n"
    spec.write_text(f"{head}timeline:\n  - shot: {{in: '{at}', for: 5f}}\n")
    relink(spec, None)
    assert "timecode: " in spec.read_text()
    assert render_text(spec.read_text(), tmp_path, bundled).numbers == [50, 51, 52, 53, 54]


def test_a_spec_keeps_the_numbers_that_its_times_were_written_by(films: Callable[[Film], Film], tmp_path: Path) -> None:
    """Measured anew, or with another copy of the film, whatever timecode that has."""
    base = films(BASE)
    made(base.path, tmp_path / "one.mov", "-c:v copy -c:a pcm_s16le")
    made(base.path, tmp_path / "two.mov", "-c:v copy -c:a pcm_s16le -timecode 10:00:00:00")
    spec = tmp_path / "spec.yaml"
    spec.write_text("cinecut: 1\nfilm: one.mov\ntimeline:\n  - shot: {in: 0s, for: 5f}\n")
    relink(spec, None)
    relink(spec, tmp_path / "two.mov")
    assert "timecode" not in spec.read_text()


@pytest.mark.parametrize(
    ("rate", "start", "text", "frames"),
    [
        (Fraction(25), "23:59:58:00", "00:00:00:10", 60),
        (Fraction(30000, 1001), "23:59:58;00", "00:00:00;02", 62),
        (Fraction(24), "22:00:00:00", "00:30:00:00", 9000 * 24),
    ],
)
def test_a_timecode_goes_on_over_midnight(rate: Fraction, start: str, text: str, frames: int) -> None:
    numbered = Timecodes.starting(rate, start)
    assert numbered.seconds(text) == frames / rate
    assert numbered.of(frames / rate) == text


@pytest.mark.parametrize("start", ["24:00:00:00", "58:04:20:00", "00:61:00:00", "nonsense"])
def test_a_timecode_of_no_day_is_not_counted_from(start: str) -> None:
    numbered = Timecodes.starting(Fraction(25), start)
    assert numbered.seconds(numbered.of(Fraction(4))) == 4
    assert numbered.of(Fraction(4)) == "00:00:04:00"
