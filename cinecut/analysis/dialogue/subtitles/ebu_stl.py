"""Subtitles as broadcasters exchange them, EBU STL (EBU Tech 3264): a head of 1024 bytes, then blocks of 128."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction

_SIGN = re.compile(rb"\d{3}STL(\d\d)\.\d\d")  # the format's code with its frames a second
_HEAD, _BLOCK = 1024, 128
_LETTERS = {b"01": "iso8859_5", b"02": "iso8859_6", b"03": "iso8859_7", b"04": "iso8859_8"}  # code tables; Latin is own
_NEW_LINE, _END = 0x8A, 0x8F
_USER_DATA = 0xFE  # of a block's number: no text


def is_stl(data: bytes) -> bool:
    return _SIGN.match(data) is not None


def read_stl(data: bytes) -> list[tuple[Fraction, Fraction, str]]:
    """Start and end in seconds, from the programme's own start on, and the text of each subtitle."""
    sign = _SIGN.match(data)
    frames = Fraction(int(sign[1]) if sign and int(sign[1]) else 25)
    rows = list(_rows(data, frames))
    begins = _begin_of_programme(data, frames)
    late = begins if rows and all(start >= begins for start, _, _ in rows) else Fraction(0)
    return [(start - late, end - late, text) for start, end, text in rows if text]


def _rows(data: bytes, frames: Fraction) -> Iterator[tuple[Fraction, Fraction, str]]:
    text = b""
    for at in range(_HEAD, len(data) - _BLOCK + 1, _BLOCK):
        block = data[at : at + _BLOCK]
        if block[3] == _USER_DATA or block[15]:  # or a comment
            continue
        text += block[16:].partition(bytes([_END]))[0]
        if block[3] == 0xFF:  # the last block of a subtitle
            yield _time(block[5:9], frames), _time(block[9:13], frames), _decoded(text, data[12:14])
            text = b""


def _time(four: bytes, frames: Fraction) -> Fraction:
    hours, minutes, seconds, frame = four
    return 3600 * hours + 60 * minutes + seconds + frame / frames


def _begin_of_programme(data: bytes, frames: Fraction) -> Fraction:
    said = data[256:264]
    return _time(bytes(int(said[n : n + 2]) for n in range(0, 8, 2)), frames) if said.isdigit() else Fraction(0)


def _decoded(text: bytes, table: bytes) -> str:
    lines = [bytes(c for c in line if 0x20 <= c < 0x80 or c >= 0xA0) for line in text.split(bytes([_NEW_LINE]))]
    letters = _LETTERS.get(table)
    read = [line.decode(letters, errors="replace") if letters else _latin(line) for line in lines]
    return "\n".join(" ".join(line.split()) for line in read).strip()


def _latin(line: bytes) -> str:
    """ISO 6937: an accent stands before its letter."""
    text, accent = "", ""
    for byte in line:
        if byte in _ACCENTS:
            accent = _ACCENTS[byte]
            continue
        text += (chr(byte) if byte < 0x80 else _SIGNS.get(byte, "\ufffd")) + accent
        accent = ""
    return unicodedata.normalize("NFC", text)


_ACCENTS = dict(
    zip(
        (0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF),
        "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u0327\u030b\u0328\u030c",
        strict=True,
    )
)
_SIGNS = dict(enumerate("\xa0¡¢£$¥#§¤‘“«←↑→↓°±²³×µ¶·÷’”»¼½¾¿", 0xA0))
_SIGNS |= dict(enumerate("―¹®©™♪¬¦", 0xD0))
_SIGNS |= dict(enumerate("ΩÆĐªĦ\ufffdĲĿŁØŒºÞŦŊŉĸæđðħıĳŀłøœßþŧŋ\xad", 0xE0))
