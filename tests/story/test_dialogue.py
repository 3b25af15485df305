"""Subtitles in every encoding and state of damage become clean lines."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from effort import effort, rounds
from footage import dialogue_in
from hypothesis import given, settings
from hypothesis import strategies as st
from subtitled import MINUTE, SAMPLES, read, span, srt, texts

from cinecut.analysis.dialogue.lines import protagonist
from cinecut.analysis.dialogue.speech import MAX_TEXT, Speech, speeches
from cinecut.analysis.dialogue.subtitles import charset
from cinecut.analysis.dialogue.subtitles.cues import parse_cues
from cinecut.diagnostics import Stop

# --- encodings ----------------------------------------------------------------------------------------------------

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


@pytest.mark.parametrize("page", ["latin-1", "cp1252", "cp1251", "cp1250", "mac_roman", "cp437"])
@pytest.mark.parametrize("language", SAMPLES)
def test_utf8_that_was_read_by_a_code_page_and_encoded_again(tmp_path: Path, language: str, page: str) -> None:
    wrong = b"".join(
        byte.decode(page, errors="ignore").encode() or chr(byte[0]).encode()
        for byte in (bytes([code]) for code in srt(*SAMPLES[language]).encode())
    )
    assert texts(read(tmp_path, wrong)) == SAMPLES[language]


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
        ("<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>を<ruby>読<rt>よ</ruby>む。", ["漢字を読む。"]),
        ("Hello there.<br/>You came, friend.</i", ["Hello there. You came, friend."]),
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

    assert work(800) == 800
    assert effort(lambda: work(800)) < 4.4 * effort(lambda: work(200))


@rounds
@settings(max_examples=50)
@given(
    st.lists(
        st.sampled_from(
            [*srt("- a\n- B: c [d", "(e: {\\p1}f<i"), "\n", "-->", "00:00:01,500", "\0", "ж", "♪", "Dialogue:"]
        )
    )
)
def test_no_text_breaks_the_reading(go: int, pieces: list[str]) -> None:
    data = ("1\n00:00:01,000 --> 00:00:02,000\nA\n\n" + "".join(pieces)).encode()
    try:
        said = speeches(parse_cues(data, "random").cues, None)
    except Stop:
        assert "\0" in pieces  # then it may be taken for UTF-16, in which there is no cue
        return
    assert all(speech.start >= 0 and speech.end > speech.start and speech.text for speech in said)
    assert [speech.start for speech in said] == sorted(speech.start for speech in said)


@settings(max_examples=150)
@given(st.binary(max_size=400))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parse_cues(data, "random")
    except Stop as stop:
        assert stop.diagnostics[0].code == "unreadable"  # noqa: PT017 - either outcome is right


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
