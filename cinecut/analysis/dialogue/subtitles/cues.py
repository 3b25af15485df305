"""Parsing the bytes of a subtitle file into timed cues, in any encoding, damaged or not.

SRT, VTT and ASS are read here, `ebu_stl` and `timed_text` read the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from cinecut.analysis.dialogue.subtitles.charset import decode, language_of
from cinecut.analysis.dialogue.subtitles.ebu_stl import is_stl, read_stl
from cinecut.analysis.dialogue.subtitles.timed_text import kind_of, read_rows
from cinecut.diagnostics import Stop

_MAX_RAW_TEXT = 4_000  # characters of one cue, markup included


@dataclass(frozen=True, slots=True)
class SubtitleCue:
    """One cue as in the file: seconds, the text with its markup, and the speaker if the format names one."""

    start: Fraction
    end: Fraction  # may be before `start` if the file is damaged
    text: str
    name: str | None = None
    style: str = ""


@dataclass(frozen=True, slots=True)
class Cues:
    cues: tuple[SubtitleCue, ...]
    language: str | None  # recognised from the words

    def shifted(self, by: Fraction) -> Cues:
        """All cues, `by` seconds later."""
        if not by:
            return self
        return Cues(tuple(replace(c, start=c.start + by, end=c.end + by) for c in self.cues), self.language)


_CLOCK = r"(-?\d{1,6} ?[:：] ?)?(-?\d{1,6}) ?[:：] ?(-?\d{1,6})(?: ?([.,:;：，．]) ?(\d{1,9}))?"
_ARROW = r"(?:[-–—=]+[ \t]*>|→|(?<=[.,]\d{3})[-–—=>. \t]{1,9}(?=\d\d?:\d\d:\d\d[.,]\d{3}))"  # or what is left of one
_TIMING = re.compile(rf"^[ \t]*(-?){_CLOCK}[ \t]*{_ARROW}[ \t]*(-?){_CLOCK}.*$", re.MULTILINE)
_INLINE_STAMP = re.compile(r"<\d{1,4}:\d\d[\d:.]{0,10}>")  # VTT karaoke; two of them look like a timing line
_ASS_ROW = re.compile(
    r"^[ \t]*Dialogue[ \t]*:[^,\n]*,([ \t]*-?\d{1,6}:\d{1,2}:\d{1,2}[.,]\d{1,3}[ \t]*,"
    r"[ \t]*-?\d{1,6}:\d{1,2}:\d{1,2}[.,]\d{1,3}[ \t]*,.*)$",
    re.MULTILINE | re.IGNORECASE,
)


def parse_cues(data: bytes, source: str, rate: Fraction = Fraction(25)) -> Cues:
    """All cues of a file, with its own times and order; `rate` is the film's, for files that count frames. Raises
    Stop("unreadable") if there is none."""
    if is_stl(data):
        cues = [_cue(*row) for row in read_stl(data)]
        return Cues(tuple(cues), language_of("\n".join(cue.text for cue in cues)))
    decoded = decode(data)
    text = unified(decoded.text)
    if text.startswith(_CAPTIONS):
        cues = []
    elif rows := _ASS_ROW.findall(_in_usual_order(text)):
        cues = [_from_ass(row.split(",", 8)) for row in rows]
    elif _TIMING.search(text) is None and (kind := kind_of(text)) is not None:
        cues = [_cue(*row) for row in read_rows(text, kind, rate)]
    else:
        cues = _from_srt(text, rate)
    if not any(cue.text.strip() for cue in cues):
        raise Stop("unreadable", f"{source} {_why_nothing(data, text)}", f"{_READ} files are read")
    return Cues(tuple(cues), decoded.language)


def unified(text: str) -> str:
    """A file's text with line ends of one kind, without marks of byte order."""
    return text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")


_CAPTIONS = "Scenarist_SCC"
_READ = "SRT, ASS, VTT, MicroDVD, MPL2, TMPlayer, SubViewer, SAMI, TTML and EBU STL"


def _in_usual_order(text: str) -> str:
    """ASS rows read with the usual field order, whatever the file's header says. Text is the last field."""
    match = _ASS_FIELDS.search(text)
    fields = [field.strip().casefold() for field in match[1].split(",")] if match else list(_USUAL)
    if fields[1:] == list(_USUAL[1:]) or not {"start", "end"} <= {*fields} or fields[-1] != "text":
        return text

    def row(found: re.Match[str]) -> str:
        values = dict(zip(fields, found[1].split(",", len(fields) - 1), strict=False))
        return "Dialogue: " + ",".join(values.get(field, "").strip() or "0" for field in _USUAL)

    return re.sub(r"^[ \t]*Dialogue[ \t]*:(.*)$", row, text, flags=re.MULTILINE | re.IGNORECASE)


_ASS_FIELDS = re.compile(r"\[Events\]\s*^[ \t]*Format[ \t]*:(.*)$", re.MULTILINE | re.IGNORECASE)
_USUAL = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")


def _why_nothing(data: bytes, text: str) -> str:
    if not text.strip():
        return "is empty"
    if text.startswith(_CAPTIONS):
        return "holds captions of Scenarist (SCC), which are not read: save them as SRT"
    if text.count("\0") or data.startswith((b"PK", b"\x1f\x8b", b"%PDF", b"Rar!", b"\x00\x00\x01\xba")):
        return "is a binary file and no text subtitle"
    return "holds no subtitle cue"


def _from_srt(text: str, rate: Fraction) -> list[SubtitleCue]:
    """SRT and VTT: both are a timing line and the lines under it."""
    is_vtt = text.lstrip().startswith("WEBVTT")
    text = _INLINE_STAMP.sub("", text)
    cues = []
    for timing, following in pairwise([*_TIMING.finditer(text), None]):
        assert timing is not None
        lines = text[timing.end() : following.start() if following else None].split("\n")[1:]
        if is_vtt:  # a blank line ends a VTT cue; what follows is the next cue's name or a note
            lines = lines[: next((n for n, line in enumerate(lines) if not line.strip()), None)]
        elif following is not None:
            lines = _without_number(lines)
        start, end = (_moment(timing.groups()[at : at + 6], rate) for at in (0, 6))
        cues.append(_cue(start, end, "\n".join(lines).strip()))
    return cues


def _without_number(lines: list[str]) -> list[str]:
    """The lines between two timing lines without the second one's number: right above it, or apart from the text."""
    above = "\n".join(lines).rstrip().split("\n")
    close = len(lines) - len(above) < 2  # the last one of `lines` is what is left of the timing line
    is_number = len(above) > 1 and above[-1].strip().isdecimal() and (close or not above[-2].strip())
    return above[:-1] if is_number else above


def _from_ass(row: list[str]) -> SubtitleCue:
    """Start, end, style, name, three margins, effect and text."""
    start, end = (_moment(_ASS_CLOCK.findall(field)[0], Fraction(25)) for field in row[:2])
    style, name = [*row[2:4], "", ""][:2]
    return _cue(start, end, row[8] if len(row) > 8 else "", name.strip() or None, style.strip())


_ASS_CLOCK = re.compile(rf"(-?){_CLOCK}")


def _cue(start: Fraction, end: Fraction, text: str, name: str | None = None, style: str = "") -> SubtitleCue:
    return SubtitleCue(start, end, with_line_breaks(text[:_MAX_RAW_TEXT]), name, style)


def with_line_breaks(text: str) -> str:
    """Replace ASS's `\\N` and `\\n` by line breaks, and its `\\h` by a blank."""
    return text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")


def _moment(clock: tuple[str, ...], rate: Fraction) -> Fraction:
    """Seconds of a clock: its sign, hours, minutes, seconds, a mark and what is behind it. A negative one is zero. Two
    digits behind a colon count pictures, as editing programs do."""
    sign, hours, minutes, seconds, mark, part = clock
    hours = (hours or "0").strip(" :：")
    if sign or any(each.startswith("-") for each in (hours, minutes, seconds)):
        return Fraction(0)
    whole = Fraction((int(hours) * 60 + int(minutes)) * 60 + int(seconds))
    if not part:
        return whole
    pictures = mark in (":", ";", "：") and len(part) == 2 and int(part) < rate
    return whole + int(part) / (rate if pictures else Fraction(10 ** len(part)))
