"""Subtitles of older and other kinds: read by what they hold, whatever their files are called."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from cinecut.analysis.dialogue.subtitles.cues import Cues, parse_cues
from cinecut.analysis.dialogue.subtitles.tracks import find_tracks, read_bytes
from cinecut.diagnostics import Stop

Row = tuple[str, Fraction | int, Fraction | int]
WORDS: list[Row] = [("Where were you?", 1, Fraction(5, 2)), ("Nowhere.\nDo not lie!", 4, 6)]
NTSC = Fraction(24000, 1001)
FILES = {
    "MicroDVD, its rate said": "{1}{1}25.000\n{25}{62}{y:i}Where were you?\n{100}{150}Nowhere.|Do not lie!\n",
    "MicroDVD, a rate of three decimals": "{0}{0}23.976\n{24}{60}Where were you?\n{96}{144}/Nowhere.|Do not lie!\n",
    "MicroDVD, the film's rate": "{24}{60}Where were you?\n{96}{144}Nowhere.|Do not lie!\n",
    "MPL2": "[10][25]Where were you?\n[40][60]/Nowhere.|Do not lie!\n",
    "SubViewer": "[INFORMATION]\n[SUBTITLE]\n00:00:01.00,00:00:02.50\nWhere were you?\n\n"
    "00:00:04.00,00:00:06.00\nNowhere.[br]Do not lie!\n",
    "SBV": "0:00:01.000,0:00:02.500\nWhere were you?\n\n0:00:04.000,0:00:06.000\nNowhere.\nDo not lie!\n",
    "SAMI": "<SAMI><BODY>\n<SYNC Start=1000><P Class=ENCC>Where were you?\n<SYNC Start=2500><P Class=ENCC>&nbsp;\n"
    "<SYNC Start=4000><P Class=ENCC>Nowhere.<br>Do not lie!\n<SYNC Start=6000><P Class=ENCC>&nbsp;\n</BODY></SAMI>",
    "SAMI, two languages": "<sync start='1000'><p class=ENCC>Where were you?<p class=DECC>Wo warst du?\n"
    "<sync start='2500'><p class=ENCC>&nbsp;<sync start='4000'><p class=ENCC>Nowhere.<br/>Do not lie!"
    "<sync start='6000'><p class=ENCC>&nbsp;",
    "TTML": '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="00:00:01.000" end="00:00:02.500">Where '
    '<span>were</span>\n you?</p><p begin="4s" dur="2s">Nowhere.<br/>Do not lie!</p></div></body></tt>',
    "TTML, frames": '<tt:tt ttp:frameRate="30" ttp:frameRateMultiplier="1 1"><tt:p begin="00:00:01:00" '
    'end="00:00:02:15">Where were you?</tt:p><tt:p begin="120f" end="180f">Nowhere.<tt:br/>Do not lie!</tt:p></tt:tt>',
    "TTML, in parts": '<tt><body begin="0.5s"><div begin="500ms"><p begin="0s" end="1.5s">Where were you?</p></div>'
    '<div><p begin="3.5s" end="5.5s">Nowhere.<br/>Do not lie!</p></div></body></tt>',
    "Spruce STL, its rate said": "$FontName = Arial\n\n00:00:01:00 , 00:00:02:12 , ^IWhere were you?^I\n"
    "00:00:04:00 , 00:00:06:00 , Nowhere.|Do not lie!\n",
    "TTML, ticks": '<tt ttp:tickRate="10000000"><p begin="10000000t" end="25000000t">Where were you?</p>'
    '<p end="60000000t" begin="40000000t">Nowhere.<br/>Do not lie!</p></tt>',
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_other_kinds_are_read(kind: str, line_end: str) -> None:
    rate = Fraction(24) if "film's" in kind else Fraction(25)
    found = parse_cues(FILES[kind].replace("\n", line_end).encode("utf-8-sig"), "film.sub", rate)
    scale = Fraction(1001, 1000) if "decimals" in kind else 1
    late = Fraction(1, 50) if "its rate" in kind else 0  # 62 frames of 25
    assert rows(found) == [(text, start * scale, end * scale - (late if n == 0 else 0)) for n, (text, start, end)
                           in enumerate(WORDS)]  # fmt: skip


def rows(cues: Cues) -> list[Row]:
    return [(cue.text, cue.start, cue.end) for cue in cues.cues]


@pytest.mark.parametrize("separator", [":", "="])
def test_tmplayer_shows_a_row_as_long_as_it_takes_to_read(separator: str) -> None:
    """No end is said: a row stays until the next one, or for a moment."""
    text = f"00:00:01{separator}Where were you?\n00:00:02{separator}Nowhere.|Do not lie!\n00:01:00{separator}Ah.\n"
    found = rows(parse_cues(text.encode(), "film.txt"))
    assert [(words, start) for words, start, _ in found] == [
        ("Where were you?", 1),
        ("Nowhere.\nDo not lie!", 2),
        ("Ah.", 60),
    ]
    assert found[0][2] == 2
    assert 3 < found[1][2] < 5
    assert 61 <= found[2][2] < 62


def stl(*rows: tuple[str, bytes]) -> bytes:
    """An EBU STL file whose programme begins at 10:00:00:00."""
    head = b"850STL25.01100" + b"09"
    data = head.ljust(256) + b"10000000" + b"10000000"
    data = data.ljust(1024)
    for number, (times, text) in enumerate(rows):
        begin, end = (bytes(int(part) for part in time.split(":")) for time in times.split(" "))
        block = bytes([0]) + number.to_bytes(2, "little") + b"\xff\0" + begin + end + b"\x14\2\0" + text
        data += block.ljust(128, b"\x8f")
    return data


def test_what_broadcasters_exchange_is_read(tmp_path: Path) -> None:
    text = b"\x0d\x0b\x0bO\xc3u \xc2etais-tu\xa0?\x8a\x0d\xa9Nulle part\xb9, gar\xcbcon"
    (tmp_path / "film.stl").write_bytes(stl(("10:0:1:0 10:0:2:12", text), ("10:0:4:0 10:0:6:0", b"Na\xc8ive \xf1on")))
    found = parse_cues(read_bytes(tmp_path / "film.stl"), "film.stl")
    assert rows(found) == [
        ("Où étais-tu ?\n‘Nulle part’, garçon".replace("ù", "û"), 1, Fraction(62, 25)),
        ("Naïve æon", 4, 6),
    ]


def test_captions_that_are_not_read_are_named() -> None:
    with pytest.raises(Stop, match=r"captions of Scenarist \(SCC\), which are not read"):
        parse_cues(b"Scenarist_SCC V1.0\n\n00:00:01:00\t9420 9420\n", "film.scc")


def test_only_subtitles_are_taken_from_beside_the_film(tmp_path: Path) -> None:
    """A name such as film.txt says nothing; a .sub may be the pictures of an .idx."""
    files = {
        "film.sub": b"{25}{60}Where were you?\n",
        "film.en.sub": b"\0\0\1\xba\x44\0\4\0" * 500,
        "film.en.idx": b"# VobSub",
        "film.txt": b"00:00:12:Where were you?\n00:00:14:Nowhere.\n",
        "film.de.txt": b"Scene 1: 00:10:00 a house\n",
        "film.xml": b'<tt><p begin="1s" end="2s">Yes.</p></tt>',
        "film.fr.xml": b"<movie><title>Film</title></movie>",
        "film.smi": b"<SYNC Start=1000><P>Yes.",
        "film.es.ttml": b'<tt><p begin="1s" end="2s">S\xc3\xad.</p></tt>',
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    found = find_tracks(tmp_path / "film.mkv")
    sources = {track.source for track in found.tracks}
    assert sources == {"film.sub", "film.txt", "film.xml", "film.smi", "film.es.ttml"}
    assert found.bitmaps == ("film.en.idx",)


def test_a_file_is_read_to_its_end_however_long() -> None:
    count = 50_100
    text = "\n".join(f"{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}:a word" for n in range(count))
    assert len(parse_cues(text.encode(), "film.txt").cues) == count


_FIRST = "1\n00:00:01,000 --> 00:00:02,000\nHi.\n"
_SECOND = ("3", "4", "How old?\n42")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1\n100:00:01,000 --> 100:00:02,500\nHow old?\n42\n", ("360001", "720005/2", "How old?\n42")),
        ("1\n00:00:03:00 --> 00:00:03:12\nHow old?\n42\n", ("3", "87/25", "How old?\n42")),
        (f"{_FIRST}\n2\n00:00:03,000 --> 00:00:04,000\nHow old?\n42", _SECOND),
        (f"{_FIRST}\n2\n00:00:03,000 -- 00:00:04,000\nHow old?\n42", _SECOND),
        (f"{_FIRST}\n2\n00:00:03,000 00:00:04,000\nHow old?\n42", _SECOND),
        (f"{_FIRST}2\n00:00:03,000 → 00:00:04,000\nHow old?\n42", _SECOND),
        ("00:03.000 --> 00:04.000\nHow old?\n42\n\n00:05.000 --> 00:06.000\n-", _SECOND),
        ("WEBVTT\n\n00:03.000 --> 00:04.000\nHow old?\n42\n\nnext\n00:05.000 --> 00:06.000\n-", _SECOND),
        ("\n\n".join(f"1\n00:00:03,000 --> 00:00:04,000\nHi.\n{_FIRST}".splitlines()), ("3", "4", "Hi.")),
        ("1\n00:00:03,000 --> 00:00:04,000\n42\n\n2\n00:00:05,000 --> 00:00:06,000\n-", ("3", "4", "42")),
        ("[Events]\nDialogue: 0,100:00:01.50,100:00:02.00,A,,0,0,0,,Hi, you", ("720003/2", "360002", "Hi, you")),
    ],
)  # fmt: skip
def test_cues_have_the_times_and_the_words_of_their_file(text: str, wanted: tuple[str, str, str]) -> None:
    read = [(str(cue.start), str(cue.end), cue.text) for cue in parse_cues(text.encode(), "film.srt").cues]
    assert wanted in read


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-32"])
def test_wide_encodings_need_no_mark(tmp_path: Path, encoding: str) -> None:
    words = "Ā 一　一 Ă"  # signs with a zero byte of their own
    (tmp_path / "film.srt").write_bytes(f"1\n00:00:01,000 --> 00:00:02,000\n{words}\n".encode(encoding))
    (cue,) = parse_cues(read_bytes(tmp_path / "film.srt"), "film.srt").cues
    assert (cue.start, cue.text) == (Fraction(1), words)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("between", [1, 2])
def test_a_file_that_breaks_off_in_a_clock_says_nothing_of_it(line_end: str, between: int) -> None:
    said = ["Where were you?", "Nowhere.", "Do not lie!"]
    heads = [f"{n}{line_end}00:00:0{2 * n},000 --> 00:00:0{2 * n + 1},500{line_end}" for n in (1, 2, 3)]
    text = (line_end * between).join(head + words for head, words in zip(heads, said, strict=True))
    for length in range(len(heads[0]) + 1, len(text)):
        cues = parse_cues(text[:length].encode(), "film.srt").cues
        assert ":" not in "".join(cue.text for cue in cues)
