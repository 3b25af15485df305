"""Decoding bytes of unknown origin into text, and recognising the text's language.

>>> decode("Nie wiem, co się stało.".encode("cp1250"))
Decoded(text='Nie wiem, co się stało.', encoding='cp1250', language='pl')

Tried in this order: byte-order marks, UTF-16 and UTF-32 without a mark (by their zero bytes), UTF-8, and then each
legacy encoding, judged by the text that it gives: the letters must belong to one language, and the words be its most
frequent ones.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from cinecut.analysis.dialogue.subtitles.languages import Language, languages


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    encoding: str
    language: str | None  # ISO 639-1, if the words identify it


_TYPOGRAPHY = frozenset("–—…‘’‚“”„«»‹›‐‑°•·©®™№€£§†×½´`¨¡¿ª、。！？「」『』，：～・《》（）\xa0\u200b")
_WORD = re.compile(
    r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\b[^\W\d_]+\b"
)  # Thai and CJK: one character
_SAMPLE = 24_000  # bytes or characters that are judged
_ESCAPES = (  # of seven-bit encodings
    (b"\x1b$)C", "iso2022_kr"),
    (b"\x1b$", "iso2022_jp"),
    (b"\x1b", "iso2022_jp_ext"),  # with katakana of half the width
    (b"\x1b$", "iso2022_jp_3"),
    (b"~{", "hz"),
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes) -> Decoded:
    """The text of `data` in any encoding. Bytes that cannot be decoded become U+FFFD. Never fails."""
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    encoding = encoding or _zero_bytes(data) or _escaped(data)
    if encoding is None and _is_utf8(data):
        encoding = "utf-8"
    if encoding is None:
        encoding = _best_legacy(_foreign_lines(data))
    text = _encoded_once(data.decode(encoding, errors="replace"))
    return Decoded(text, encoding, language_of(text))


_TAKEN_FOR = ("cp1252", "cp1251", "cp1250", "cp1254", "mac_roman", "cp437", "cp850")  # what UTF-8 is most often read as


def _encoded_once(text: str) -> str:
    """The text itself where a program has read its UTF-8 by a code page and encoded that again: all signs beyond ASCII
    are then whole sequences of UTF-8, as no text's own letters are.

    >>> _encoded_once("CzÅ‚owiek, żona".replace("ż", "Å¼"))
    'Człowiek, żona'
    """
    for page in () if text.isascii() else _TAKEN_FOR:
        with suppress(UnicodeError):
            return _encoded_once(b"".join(_byte(sign, page) for sign in text).decode())
    return text


@cache
def _byte(sign: str, page: str) -> bytes:
    """The byte of a sign in a code page; one that the page has no sign for stands for itself."""
    return sign.encode("latin-1" if "\x80" <= sign <= "\x9f" else page)


def language_of(text: str) -> str | None:
    """The language whose frequent words and letters the text has; None if it is too short or like no known language."""
    looks = _Looks.of(text[:_SAMPLE])
    if looks.words.total() < 4:
        return None
    score, code = max((looks.likeness(language), code) for code, language in languages().items() if language.letters)
    return code if score > 0.25 else None


def _escaped(data: bytes) -> str | None:
    """A seven-bit encoding that switches its alphabets by escape sequences."""
    if not data.isascii():
        return None
    for mark, encoding in _ESCAPES:
        if mark in data:
            with suppress(UnicodeDecodeError):
                return encoding if not data.decode(encoding).isascii() else None
    return "utf-7" if _is_utf7(data) else None


def _is_utf7(data: bytes) -> bool:
    """Whether plus signs stand before the letters of one language, as mail once needed it: a plus may mean itself."""
    if b"+" not in data:
        return False
    try:
        text = data[:_SAMPLE].rpartition(b"\n")[0].decode("utf-7")
    except UnicodeDecodeError:
        return False
    code, foreign = language_of(text), [char for char in text if not char.isascii() and char not in _TYPOGRAPHY]
    letters = _letter_class(languages()[code].letters) if code else None
    return bool(letters and foreign) and all(letters.match(char.lower()) for char in foreign if letters)


def _zero_bytes(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: in any script, digits, spaces and line ends have a zero byte, always on the same
    side; of UTF-32 one half of each sign is next to nothing."""
    head = data[:8192]
    if len(head) > 8 and not any(head[3::4]) and max(head[2::4]) < _PLANES:
        return "utf-32-le"
    if len(head) > 8 and not any(head[0::4]) and max(head[1::4]) < _PLANES:
        return "utf-32-be"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    few = len(head) // 20
    if odd > max(few, 8 * even):
        return "utf-16-le"
    if even > max(few, 8 * odd):
        return "utf-16-be"
    return None


_PLANES = 17  # of Unicode


def _is_utf8(data: bytes) -> bool:
    """Whether it is UTF-8, perhaps with a few damaged bytes: legacy text hardly ever forms a valid sequence."""
    try:
        data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
        bad = text.count("\ufffd")
        good = sum(not char.isascii() for char in text) - bad
        return good > 4 * bad
    return True


def _foreign_lines(data: bytes) -> bytes:
    """The first lines with bytes beyond ASCII: only they distinguish the encodings."""
    lines: list[bytes] = []
    size = 0
    for line in data.splitlines():
        if not line.isascii():
            lines.append(line)
            size += len(line)
            if size > _SAMPLE:
                break
    return b"\n".join(lines)[: 2 * _SAMPLE]


def _best_legacy(sample: bytes) -> str:
    """The encoding in which `sample` looks most like one of its languages; among equals, the first in the table."""
    best, chosen = float("-inf"), "cp1252"
    for encoding, candidates in _by_encoding().items():
        looks = _Looks.of(sample.decode(encoding, errors="replace"))
        score = max(looks.likeness(language) for language in candidates)
        if score > best + 1e-9:
            best, chosen = score, encoding
    return chosen


@cache
def _by_encoding() -> dict[str, list[Language]]:
    """The languages that are written in each encoding."""
    table: dict[str, list[Language]] = {}
    for language in languages().values():
        for encoding in language.encodings:
            table.setdefault(encoding, []).append(language)
    return table


class _Looks(NamedTuple):
    """What is scored of a text: how often each word and each character beyond ASCII occurs in it."""

    words: Counter[str]
    foreign: Counter[str]
    mixed: float  # share of words with a capital after a small letter, as a wrong code page gives

    @classmethod
    def of(cls, text: str) -> _Looks:
        text = unicodedata.normalize("NFC", text)
        words = _WORD.findall(text)
        mixed = sum(map(_mixes_cases, words)) / max(len(words), 1)
        return cls(Counter(map(str.lower, words)), Counter(c.lower() for c in text if not c.isascii()), mixed)

    def likeness(self, language: Language) -> float:
        """Up to about 2: the share of frequent words, and letters (1 each) against foreign characters (-2 each)."""
        is_letter = _letter_class(language.letters)
        values = {char: 1.0 if is_letter.match(char) else _stray(char) for char in self.foreign}
        letters = sum(values[char] * n for char, n in self.foreign.items()) / max(self.foreign.total(), 1)
        common = sum(n for word, n in self.words.items() if word in language.words)
        return letters + 3.0 * common / max(self.words.total(), 1) - self.mixed


def _mixes_cases(word: str) -> bool:
    return word.lower() != word.upper() and not (word.islower() or word.isupper() or word[1:].islower())


@cache
def _letter_class(letters: str) -> re.Pattern[str]:
    return re.compile(f"[{letters}]")


def _stray(char: str) -> float:
    return 0.3 if char in _TYPOGRAPHY else -2.0
