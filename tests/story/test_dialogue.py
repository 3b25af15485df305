"""Subtitles in every encoding and state of damage become clean lines; tracks beside a film and in it are found."""

from __future__ import annotations

import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import pytest
from effort import effort
from footage import dialogue_in
from hypothesis import given, settings
from hypothesis import strategies as st

from cinecut.analysis.dialogue.lines import Dialogue, Line, protagonist
from cinecut.analysis.dialogue.speech import MAX_TEXT, Speech, speeches
from cinecut.analysis.dialogue.subtitles import charset, tracks
from cinecut.analysis.dialogue.subtitles.cues import parse_cues
from cinecut.analysis.dialogue.subtitles.tracks import find_tracks, preferred
from cinecut.diagnostics import Diagnostic, Stop

MINUTE = Fraction(60)


def srt(*texts: str) -> str:
    """One cue of three seconds every four seconds for each text."""
    return "".join(f"{i + 1}\n{stamp(4 * i)} --> {stamp(4 * i + 3)}\n{text}\n\n" for i, text in enumerate(texts))


def stamp(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},000"


def read(folder: Path, data: bytes | str, name: str = "film.srt", duration: Fraction = 60 * MINUTE) -> Dialogue:
    """The dialogue of a film whose side-car subtitles hold `data`; nothing may be found wrong with them."""
    found, warnings = read_with_warnings(folder, data, name, duration)
    assert warnings == []
    return found


def read_with_warnings(
    folder: Path, data: bytes | str, name: str = "film.srt", duration: Fraction = 60 * MINUTE
) -> tuple[Dialogue, list[Diagnostic]]:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return dialogue_in(folder / "film.mkv", duration, Fraction(0), None, None)


def texts(found: Dialogue) -> list[str]:
    return [line.text for line in found.lines]


def span(line: Line) -> tuple[float, float]:
    return float(line.range.start.seconds), float(line.range.end.seconds)


# --- encodings ----------------------------------------------------------------------------------------------------

SAMPLES = {
    "pl": [
        "Nie wiem, co się stało z moją córką.",
        "Gdzie są wszyscy? Chodźmy już do domu.",
        "Książę żyje, bądź pewien.",
    ],
    "cs": ["Nevím, co se stalo s mou dcerou.", "Kde jsou všichni? Pojďme už domů.", "Řekl, že přijde až večer."],
    "hu": [
        "Nem tudom, mi történt a lányommal.",
        "Hol van mindenki? Menjünk már haza!",
        "Ő azt mondta, hogy később jön.",
    ],
    "ru": ["Я не знаю, что случилось с моей дочерью.", "Где все? Пойдём уже домой.", "Он сказал, что придёт вечером."],
    "de": [
        "Ich weiß nicht, was mit meiner Tochter passiert ist.",
        "Wo sind die anderen? Gehen wir nach Hause.",
        "Schön!",
    ],
    "fr": [
        "Je ne sais pas ce qui est arrivé à ma fille.",
        "Où sont-ils tous ? Rentrons à la maison.",
        "Ça va être long.",
    ],
}
ENCODINGS = {
    "pl": ["cp1250", "iso8859_2", "cp852"],
    "cs": ["cp1250", "iso8859_2"],
    "hu": ["cp1250"],
    "ru": ["cp1251", "koi8_r", "cp866"],
    "de": ["cp1252", "cp850"],
    "fr": ["cp1252"],
}
UNICODE = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize(
    ("language", "encoding"),
    [(language, encoding) for language in SAMPLES for encoding in ENCODINGS[language] + UNICODE],
)
def test_any_encoding_is_told_from_the_bytes(tmp_path: Path, language: str, encoding: str) -> None:
    found = read(tmp_path, srt(*SAMPLES[language]).encode(encoding))
    assert texts(found) == SAMPLES[language]
    assert found.language == language


def test_utf8_with_one_damaged_byte_stays_utf8() -> None:
    data = srt(*SAMPLES["pl"]).encode().replace("ą".encode(), b"\xc4", 1)
    assert charset.decode(data).encoding == "utf-8"


# --- formats and markup -------------------------------------------------------------------------------------------

ASS = """[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Style: Default,Arial,broken,&Hxyz
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:03.50,Default,Anna,0,0,0,,{\\an8\\i1}Where is\\Nthe train?{\\i0}
Dialogue: 0,0:00:04.00,0:00:06.00,Default,,x,0,0,,{\\p1}m 0 0 l 100 0 100 100{\\p0}
Dialogue: 0,nonsense,0:00:06.00,Default,,0,0,0,,This row has no time.
Dialogue: 0,0:00:07.00,0:00:09.00,Song,,0,0,0,,{\\k20}la{\\k30}la
Comment: 0,0:00:07.00,0:00:09.00,Default,,0,0,0,,a note by the translator
Dialogue: 0,0:00:10.00,0:00:12.00,Default,Ben,0,0,0,,It left,\\hyou fool, an hour ago."""


@pytest.mark.parametrize("name", ["film.ass", "film.ssa"])
def test_ass_gives_names_and_loses_overrides_drawings_and_karaoke(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, ASS if name.endswith("ass") else ASS.replace(": 0,", ": Marked=0,"), name)
    assert [(line.text, line.speaker) for line in found.lines] == [
        ("Where is the train?", "Anna"),
        ("It left, you fool, an hour ago.", "Ben"),
    ]
    assert span(found.lines[0]) == (1, 3.5)


@pytest.mark.parametrize(
    "written",
    [
        "[Events]\nFormat: Start, End, Layer, Text\nDialogue: 0:00:01.00,0:00:03.50,0,It left, you fool.",
        "[events]\nformat: End, Start, Text\n dialogue: 0:00:03.50,0:00:01.00,It left, you fool.",
        "1\n00：00：01，000 --> 00：00：03，500\nIt left, you fool.\n",
        "\ufeff1\n00:00:01,000 --> 00:00:03,500\nIt left, you fool.\n\n\ufeff2\n\ufeff0:0:4 --> 0:0:5\n[horn]\n",
    ],
    ids=["fields in an order of their own", "few fields", "full-width signs", "marks of byte order within"],
)
def test_rare_spellings_are_read(tmp_path: Path, written: str) -> None:
    found = read(tmp_path, written, "film.ass" if "vents]" in written else "film.srt")
    assert [(line.text, *span(line)) for line in found.lines] == [("It left, you fool.", 1, 3.5)]


def test_times_without_any_words_are_no_subtitles() -> None:
    page = "<html><body><p>00:00:01.000 to 00:00:02.000</p><p>Where is the train?</p></body></html>"
    with pytest.raises(Stop, match="holds no subtitle cue"):
        parse_cues(page.encode(), "film.srt")


VTT = """WEBVTT

STYLE
::cue { color: red }

intro
00:01.000 --> 00:03.500 align:start position:0%
<v Roger Bingham>We are <c.loud>in</c> New York &amp; it rains.</v>

NOTE a remark of the author

2
00:00:04.000 --> 00:00:06.000
<00:00:04.100><c> Word</c><00:00:04.500><c> by word.</c>

00:00:07.000 --> 00:00:09.000
<v Ada>Are you sure?
<v Ben>Quite sure, Ada."""


def test_vtt_gives_voices_and_loses_notes_and_styles(tmp_path: Path) -> None:
    found = read(tmp_path, VTT, "film.vtt")
    assert [(line.text, line.speaker) for line in found.lines] == [
        ("We are in New York & it rains.", "Roger Bingham"),
        ("Word by word.", None),
        ("Are you sure?", "Ada"),
        ("Quite sure, Ada.", "Ben"),
    ]
    assert span(found.lines[0]) == (1, 3.5)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("<i>Hello</i> <font color='red'>there</font>, friend.", ["Hello there, friend."]),
        ("{\\an8}Look up there.", ["Look up there."]),
        ("♪ Yesterday is gone ♪", []),
        ("# Yesterday is gone #", []),
        ("[door slams]", []),
        ("(SIGHS) I am tired.", ["I am tired."]),
        ("I am [coughs]\nvery tired.", ["I am very tired."]),
        ("*sobs* It is over.", ["It is over."]),
        ("- Who is it?\n- The post.", ["Who is it?", "The post."]),
        ("- Who is it? - The post.", ["Who is it?", "The post."]),
        ("–Who is it?\n–5 men.", ["Who is it?", "5 men."]),
        ("- It is only\nme.", ["It is only me."]),
        ("It is well-\nknown.", ["It is well-known."]),
        ("The tower-block is old - very old.", ["The tower-block is old - very old."]),
        ("Subtitles by SomeBody\nwww.example.com", []),
        ("Directed by\nJANE DOE", []),
        ("   \n  ", []),
        ("...", []),
        ("It was\u202e \x07a\u200b trap\ufeff.", ["It was a trap."]),
        ("Tom &amp; Jerry &lt;3", ["Tom & Jerry <3"]),
    ],
)
def test_what_is_spoken_is_left(tmp_path: Path, written: str, spoken: list[str]) -> None:
    found = read(tmp_path, srt("The first line stands here.", written, "The last line stands here."))
    assert texts(found)[1:-1] == spoken


def test_a_speech_is_never_longer_than_the_bound() -> None:
    (speech,) = speeches(parse_cues(srt("word " * 5_000).encode(), "x").cues, "en")
    assert len(speech.text) <= MAX_TEXT
    assert speech.text.endswith("word…")


# --- damage -------------------------------------------------------------------------------------------------------


def test_damaged_times_are_mended(tmp_path: Path) -> None:
    damaged = (
        "00:00:20,000 --> 00:00:22,000\nLate, and without an index.\n"  # unsorted
        "2\n-00:00:01,000 --> 00:00:02,000\nIt begins before the film.\n\n"
        "-00:00:09,000 --> -00:00:07,000\nIt ends before the film.\n\n"
        "3\n00:00:05.5 --> 00:00:04.0\nThe end is before the start.\n\n"
        "4\n00:00:10,000 --> 00:00:13,000\nThese two overlap a bit.\n\n"
        "5\n00:00:12,500 --> 00:00:15,000\nThis one is the second.\n\n"
        "5\n00:00:12,500 --> 00:00:15,000\nThis one is the second.\n\n"
        "6\n0:0:16,0-->00:00:19,\nThe stamps are sloppy.\n"
        "7\n00:00:25,000 --> 00:25:27,000\nThe end is minutes late.\n\n"
        "8\n00:00:58,000 --> 00:01:09,000\nIt ends after the film"
    )
    found = read(tmp_path, damaged, duration=MINUTE)
    assert [(line.text, *span(line)) for line in found.lines] == [
        ("It begins before the film.", 0.0, 2.0),
        ("The end is before the start.", 5.5, pytest.approx(9.233, abs=0.01)),
        ("These two overlap a bit.", 10.0, 12.5),
        ("This one is the second.", 12.5, 15.0),
        ("The stamps are sloppy.", 16.0, 19.0),
        ("Late, and without an index.", 20.0, 22.0),
        ("The end is minutes late.", 25.0, pytest.approx(28.2, abs=0.01)),
        ("It ends after the film", 58.0, 60.0),
    ]
    assert [line.index for line in found.lines] == list(range(8))


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_any_line_end_and_no_last_one(tmp_path: Path, ends: str) -> None:
    data = srt("One line.", "Another line.").strip().replace("\n", ends)
    assert texts(read(tmp_path, data)) == ["One line.", "Another line."]


def test_a_sentence_over_two_cues_is_one_line(tmp_path: Path) -> None:
    text = (
        "1\n00:00:01,000 --> 00:00:03,000\nI never thought...\n\n"
        "2\n00:00:03,100 --> 00:00:05,000\n...that you would come.\n\n"
        "3\n00:00:05,500 --> 00:00:07,000\nThis is a new one.\n"
    )
    found = read(tmp_path, text)
    assert texts(found) == ["I never thought that you would come.", "This is a new one."]
    assert span(found.lines[0]) == (1, 5)


def test_an_answer_in_small_letters_is_no_continuation(tmp_path: Path) -> None:
    found = read(tmp_path, srt("- I never thought...\n- that I would come?"))
    assert texts(found) == ["I never thought...", "that I would come?"]
    first, second = map(span, found.lines)
    assert first[1] == second[0]
    assert (first[0], second[1]) == (0, 3)


def test_four_times_the_lines_are_four_times_the_work(tmp_path: Path) -> None:
    def work(count: int) -> int:
        lines = [f"<i>Nobody told me</i> that\nthe house was number {i}, John." for i in range(count)]
        (tmp_path / "film.srt").write_text(srt(*lines), encoding="utf-8")
        return len(dialogue_in(tmp_path / "film.mkv", Fraction(50_000), Fraction(0), None, None)[0].lines)

    assert work(2_000) == 2_000
    assert effort(lambda: work(2_000)) < 4.4 * effort(lambda: work(500))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*srt("- a\n- B: c [d", "(e: {\\p1}f<i"), "\n", "-->", "00:00:01,500", "\0", "ж", "♪", "Dialogue:"]
        )
    )
)
def test_no_text_breaks_the_reading(pieces: list[str]) -> None:
    data = ("1\n00:00:01,000 --> 00:00:02,000\nA\n\n" + "".join(pieces)).encode()
    try:
        said = speeches(parse_cues(data, "random").cues, None)
    except Stop:
        assert "\0" in pieces  # then it may be taken for UTF-16, in which there is no cue
        return
    assert all(speech.start >= 0 and speech.end > speech.start and speech.text for speech in said)
    assert [speech.start for speech in said] == sorted(speech.start for speech in said)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parse_cues(data, "random")
    except Stop as stop:
        assert stop.diagnostics[0].code == "unreadable"  # noqa: PT017 - either outcome is right


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
    assert warnings == []
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


# --- who speaks ---------------------------------------------------------------------------------------------------


def speakers(*written: str) -> list[tuple[str | None, str]]:
    said = speeches(parse_cues(srt(*written).encode(), "x").cues, "en")
    return [(speech.speaker, speech.text) for speech in said]


def test_names_before_a_colon_are_speakers() -> None:
    assert speakers(
        "JOHN: Stay here.", "MRS. O'HARA (V.O.): It was\na long winter.", "MAN 2 [on radio]:\nCome in."
    ) == [
        ("John", "Stay here."),
        ("Mrs. O'Hara", "It was a long winter."),
        ("Man 2", "Come in."),
    ]
    assert speakers("JOHN: Who are you?\nMARY: Nobody.") == [("John", "Who are you?"), ("Mary", "Nobody.")]


def test_a_word_before_a_colon_is_a_name_only_by_habit() -> None:
    assert speakers("Listen: it is over.", "Listen: it is gone.", "Rule: never run.") == [
        (None, "Listen: it is over."),
        (None, "Listen: it is gone."),
        (None, "Rule: never run."),
    ]
    assert speakers("Anna: Where is it?", "Anna: It was here.")[0] == ("Anna", "Where is it?")


def test_bracketed_names_are_told_from_remarks_by_the_files_manner() -> None:
    assert speakers("[John] Come in.", "[sighs] All right.", "[door creaks]") == [
        ("John", "Come in."),
        (None, "All right."),
    ]
    assert speakers("[Sighs] All right.", "[Laughs] Come in.") == [(None, "All right."), (None, "Come in.")]


def said(*texts: str, speaker: str | None = None) -> list[Speech]:
    return [Speech(Fraction(i), Fraction(i + 1), text, speaker) for i, text in enumerate(texts)]


def test_the_protagonist_is_addressed_most() -> None:
    lines = ["Run, Sarah!", "Sarah, wait for me.", "You know, Tom, it is late.", "Well, that is it.", "Sarah? Sarah!"]
    name, confidence = protagonist(
        said(*lines, "Well, I never.", "Come on, guys.", "Yes, sir.", "Please, sir.", "No, sir!")
    )
    assert name == "Sarah"
    assert 0.1 < confidence < 0.6
    surer = protagonist(said(*lines * 5))
    assert surer[0] == "Sarah"
    assert surer[1] > confidence


def test_speaking_counts_as_much_and_nobody_in_particular_never() -> None:
    lines = said("I was there.", "I saw it.", "It was me.", speaker="Dr. Ellen Ripley")
    crowd = said(*["Look at that."] * 9, speaker="Man 2")
    assert protagonist([*lines, *crowd])[0] == "Ellen"
    assert protagonist(crowd) == (None, 0.0)
    assert protagonist(said("It rains.", "Who cares?")) == (None, 0.0)


def test_words_that_live_in_small_letters_are_no_names() -> None:
    lines = ["Careful, Wolf!", "Wolf, stop.", "Wolf! Wolf!", "a wolf came", "the wolf ran", "one more wolf"]
    assert protagonist(said(*lines))[0] is None


def test_voice_overs_are_the_protagonists_own_and_ranked(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        srt(
            "NED: I always believed that life is a promise.",
            "ANN: I always believed that life is a promise, Ned.",
            "ANN: Ned!",
            "ANN: Are you sure, Ned?",
            "NARRATOR: The world had changed forever.",
            "NED: Ha!",
        ),
    )
    assert found.protagonist == "Ned"
    best = found.voice_overs()
    assert {best[0].speaker, best[1].speaker} == {"Ned", "Narrator"}
    assert [line.voice_over for line in best] == sorted((line.voice_over for line in best), reverse=True)
    assert "Ned!" not in [line.text for line in best]


def test_a_film_is_no_subtitle_file(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    film.write_bytes(b"\x1aE\xdf\xa3" + bytes(64) + b"1\n00:00:01,000 --> 00:00:02,000\nWords\n")
    with pytest.raises(Stop, match="is no text"):
        dialogue_in(film, Fraction(60), Fraction(0), film, None)
