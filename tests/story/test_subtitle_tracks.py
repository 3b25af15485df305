"""Which subtitles are the film's: those beside it, named by the user, or inside it."""

from __future__ import annotations

import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import pytest
from footage import dialogue_in
from subtitled import MINUTE, SAMPLES, read_with_warnings, span, srt, texts

from cinecut.analysis.dialogue.lines import Dialogue
from cinecut.analysis.dialogue.subtitles import tracks
from cinecut.analysis.dialogue.subtitles.tracks import find_tracks, preferred
from cinecut.diagnostics import Diagnostic, Stop

# --- whose subtitles ----------------------------------------------------------------------------------------------


def test_another_films_subtitles_are_not_used(tmp_path: Path) -> None:
    found, warnings = read_with_warnings(
        tmp_path, srt(*(f"Line number {i} is here." for i in range(40))), duration=MINUTE
    )
    assert found == Dialogue()
    assert "another film" in warnings[0].message
    assert {warning.code for warning in warnings} == {"subtitles"}


def test_one_cue_after_the_end_costs_only_itself(tmp_path: Path) -> None:
    data = srt(*(f"Line number {i} is here." for i in range(10))) + "99\n01:59:00,000 --> 01:59:05,000\nThe late one.\n"
    found, warnings = read_with_warnings(tmp_path, data, duration=MINUTE)
    assert len(found.lines) == 10
    assert len(warnings) == 1
    assert "1 cue lies after" in warnings[0].message


def test_a_film_without_subtitles_says_so(tmp_path: Path) -> None:
    found, warnings = dialogue_in(tmp_path / "film.mkv", MINUTE, Fraction(0), None, None)
    assert found == Dialogue()
    assert [warning.code for warning in warnings] == ["subtitles"]


def test_bitmap_subtitles_are_of_no_use(tmp_path: Path) -> None:
    _, warnings = read_with_warnings(tmp_path, "# VobSub index file, v7", "film.idx")
    assert "film.idx are pictures of text" in warnings[0].message


def beside(folder: Path, *names: str, language: str | None = None) -> list[str]:
    for name in names:
        (folder / name).write_text(srt(f"This was read from {name}."), encoding="utf-8")
    return [track.source for track in preferred(find_tracks(folder / "Film.mkv").tracks, language)]


def test_the_full_dialogue_comes_before_its_relatives(tmp_path: Path) -> None:
    names = ["film.en.commentary.srt", "film.en.forced.srt", "film.en.sdh.srt", "FILM.EN.SRT", "film.pl.Srt"]
    best = ["FILM.EN.SRT", "film.pl.Srt", "film.en.sdh.srt", "film.en.forced.srt", "film.en.commentary.srt"]
    assert beside(tmp_path, *names) == best


def test_hi_is_hindi_alone_and_for_the_hard_of_hearing_after_a_language(tmp_path: Path) -> None:
    for name in ("film.hi.srt", "film.en.hi.srt"):
        (tmp_path / name).write_text(srt("A line."), encoding="utf-8")
    roles = {(track.language, track.role) for track in find_tracks(tmp_path / "film.mkv").tracks}
    assert roles == {("hi", "full"), ("en", "sdh")}


def test_the_language_asked_for_comes_first(tmp_path: Path) -> None:
    names = ["film.srt", "film.en.srt", "film.pol.srt", "film.pt-BR.vtt"]
    for language, best in [("pl", "film.pol.srt"), ("Portuguese", "film.pt-BR.vtt"), ("eng", "film.en.srt")]:
        assert beside(tmp_path, *names, language=language)[0] == best


def test_other_films_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "film.en.srt").mkdir()
    assert beside(tmp_path, "film2.srt", "film.extended.srt", "film.txt", "other.srt", "film.en.srt.bak") == []


def test_a_broken_side_car_gives_way_to_the_next(tmp_path: Path) -> None:
    (tmp_path / "film.ass").write_bytes(b"\x00\x01\x02" * 500)
    found, warnings = read_with_warnings(tmp_path, srt("This one is fine."), "film.en.srt")
    assert (texts(found), found.source) == (["This one is fine."], "film.en.srt")
    assert [warning.code for warning in warnings] == ["subtitles"]


@pytest.mark.parametrize(
    ("leads", "said"), [("gone.srt", "is a link to gone.srt"), ("film.srt", "symbolic links"), ("/dev/zero", "device")]
)
def test_a_side_car_that_leads_nowhere_is_said(leads: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "film.srt").symlink_to(leads)
    found, warnings = read_with_warnings(tmp_path, srt("This one is fine."), "film.en.forced.srt")
    assert found.source == "film.en.forced.srt"
    assert any(said in " ".join((warning.message, *warning.hints)) for warning in warnings)


def test_a_language_that_is_missing_is_said(tmp_path: Path) -> None:
    (tmp_path / "film.srt").write_text(srt(*SAMPLES["de"]), encoding="utf-8")
    found, warnings = dialogue_in(tmp_path / "film.mkv", MINUTE, Fraction(0), None, "fr")
    assert found.language == "de"
    assert "no usable subtitles in 'fr'" in warnings[0].message


def test_a_commentary_is_not_the_films_dialogue(tmp_path: Path) -> None:
    found, warnings = read_with_warnings(tmp_path, srt("We shot this in June."), "film.commentary.srt")
    assert found == Dialogue()
    assert "commentary" in warnings[0].message


# --- given by name ------------------------------------------------------------------------------------------------


def refused(path: Path) -> Diagnostic:
    with pytest.raises(Stop) as stop:
        dialogue_in(path.parent / "film.mkv", MINUTE, Fraction(0), path, None)
    (only,) = stop.value.diagnostics
    return only


def test_unusable_given_subtitles_stop_with_one_message(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.srt").code == "missing-file"
    assert refused(tmp_path).code == "unreadable"
    for name, data in {"empty.srt": b"", "zip.srt": b"PK\x03\x04" + bytes(900), "prose.srt": b"Just prose.\n"}.items():
        (tmp_path / name).write_bytes(data)
        assert refused(tmp_path / name).code == "unreadable"
    (tmp_path / "huge.srt").write_bytes(b" " * (tracks.MAX_BYTES + 1))
    assert "larger than 20 MB" in refused(tmp_path / "huge.srt").message


def test_given_subtitles_win_over_those_beside_the_film(tmp_path: Path) -> None:
    (tmp_path / "film.srt").write_text(srt("This lies beside the film."), encoding="utf-8")
    (tmp_path / "mine.txt").write_text(srt("This was given."), encoding="utf-8")
    found, _ = dialogue_in(tmp_path / "film.mkv", MINUTE, Fraction(0), tmp_path / "mine.txt", None)
    assert (texts(found), found.source) == (["This was given."], "mine.txt")


# --- inside the film ----------------------------------------------------------------------------------------------


def mux(film: Path, *subtitle_options: str, files: tuple[Path, ...] = (), shift: str = "0") -> None:
    """Two seconds of picture a file of subtitles is muxed to; `shift` delays all stamps, in seconds."""
    inputs = [part for file in files for part in ("-i", str(file))]
    maps = [part for i in range(len(files) + 1) for part in ("-map", str(i))]
    source = ["-f", "lavfi", "-i", "color=size=64x48:rate=24:duration=20"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, *inputs, *maps, "-c:v", "libx264"]
    subprocess.run([*command, *subtitle_options, "-output_ts_offset", shift, str(film)], check=True)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mkv", "srt"), ("mkv", "ass"), ("mkv", "webvtt"), ("mp4", "mov_text"), ("mov", "mov_text")]
)
def test_embedded_text_is_read_in_film_time(tmp_path: Path, suffix: str, codec: str) -> None:
    (tmp_path / "subs").write_text(
        srt("- Gdzie są <i>wszyscy</i>?\n- Nie wiem, co się stało.", "Chodźmy już do domu."), encoding="utf-8"
    )
    film = tmp_path / f"film.{suffix}"
    mux(film, "-c:s", codec, "-metadata:s:s:0", "language=pol", files=(tmp_path / "subs",))
    found, warnings = dialogue_in(film, Fraction(20), Fraction(0), None, None)
    assert all("too few lines to check" in each.message for each in warnings)  # nobody speaks in the film
    assert texts(found) == ["Gdzie są wszyscy?", "Nie wiem, co się stało.", "Chodźmy już do domu."]
    assert [span(found.lines[0])[0], span(found.lines[1])[1], *span(found.lines[2])] == [0, 3, 4, 7]
    assert (found.source, found.language) == ("stream 1 (pol)", "pl")


def test_a_film_that_starts_late_keeps_its_subtitles_in_place(tmp_path: Path) -> None:
    (tmp_path / "subs").write_text(srt("The first line is here.", "The second line is here."), encoding="utf-8")
    film = tmp_path / "film.mkv"
    mux(film, "-c:s", "srt", files=(tmp_path / "subs",), shift="5")
    found, _ = dialogue_in(film, Fraction(20), Fraction(5), None, None)
    assert [span(line) for line in found.lines] == [(0, 3), (4, 7)]
    (tmp_path / "film.srt").write_text(srt("The first line is here.", "The second line is here."), encoding="utf-8")
    found, _ = dialogue_in(film, Fraction(20), Fraction(5), None, None)
    assert found.source == "film.srt"
    assert [span(line) for line in found.lines] == [(0, 3), (4, 7)]


def test_side_car_times_count_from_the_sound_that_starts_before_the_picture(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    sound = ["-f", "lavfi", "-i", "sine=duration=10"]
    picture = ["-itsoffset", "2", "-f", "lavfi", "-i", "color=size=64x48:rate=25:duration=8"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *sound, *picture, str(film)], check=True)
    (tmp_path / "film.srt").write_text(srt("The first line is here.", "The second line is here."), encoding="utf-8")
    found, _ = dialogue_in(film, Fraction(8), Fraction(2), None, None)
    assert [span(line) for line in found.lines] == [(0, 1), (2, 5)]


def test_the_right_one_of_several_streams_is_read(tmp_path: Path) -> None:
    files = tuple(tmp_path / name for name in ("forced", "full", "polish"))
    for file in files:
        file.write_text(srt(f"This is the {file.name} track."), encoding="utf-8")
    marks = ["-metadata:s:s:0", "language=eng", "-disposition:s:0", "forced", "-metadata:s:s:1", "language=eng"]
    film = tmp_path / "film.mkv"
    mux(film, "-c:s", "srt", *marks, "-metadata:s:s:2", "language=pol", files=files)
    sources = {None: "stream 2 (eng)", "pl": "stream 3 (pol)"}
    for language, source in sources.items():
        found, _ = dialogue_in(film, Fraction(20), Fraction(0), None, language)
        assert found.source == source
        assert len(found.lines) == 1


def pgs() -> bytes:
    """A Presentation Graphic Stream that shows one empty composition."""
    composition = struct.pack(">HHBHBBBB", 64, 48, 0x10, 0, 0x80, 0, 0, 0)
    segments = [(0x16, composition), (0x80, b"")]
    return b"".join(b"PG" + struct.pack(">IIBH", 90_000, 0, kind, len(data)) + data for kind, data in segments)


def test_embedded_bitmaps_are_named_and_of_no_use(tmp_path: Path) -> None:
    (tmp_path / "subs.sup").write_bytes(pgs())
    film = tmp_path / "film.mkv"
    mux(film, "-c:s", "copy", files=(tmp_path / "subs.sup",))
    found, warnings = dialogue_in(film, Fraction(20), Fraction(0), None, None)
    assert found == Dialogue()
    assert "stream 1 (und) are pictures of text" in warnings[0].message


def test_a_film_is_no_subtitle_file(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    film.write_bytes(b"\x1aE\xdf\xa3" + bytes(64) + b"1\n00:00:01,000 --> 00:00:02,000\nWords\n")
    with pytest.raises(Stop, match="is no text"):
        dialogue_in(film, Fraction(60), Fraction(0), film, None)
