"""Parsing the bytes of a subtitle file into timed cues, in any encoding, damaged or not.

pysubs2 reads SRT, ASS and VTT. It takes no times of many hours, below zero or in pictures: those are read here, and
each cue is handed to it with its place in the file as its time. `ebu_stl` and `timed_text` read the rest.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import pysubs2

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
        cues = [_bounded(*row) for row in read_stl(data)]
        return Cues(tuple(cues), language_of("\n".join(cue.text for cue in cues)))
    decoded = decode(data)
    text = unified(decoded.text)
    if text.startswith(_CAPTIONS):
        cues = []
    elif rows := _ASS_ROW.findall(_in_usual_order(text)):
        cues = _from_ass(rows)
    elif _TIMING.search(text) is None and (kind := kind_of(text)) is not None:
        cues = [_bounded(*row) for row in read_rows(text, kind, rate)]
    else:
        cues = _from_srt(text, rate)
    if not any(cue.text.strip() for cue in cues):
        raise Stop("unreadable", f"{source} {_why_nothing(data, text)}", f"{_READ} files are read")
    return Cues(tuple(cues), decoded.language)


def _bounded(start: Fraction, end: Fraction, text: str) -> SubtitleCue:
    return SubtitleCue(start, end, with_line_breaks(text[:_MAX_RAW_TEXT]))


def unified(text: str) -> str:
    """A file's text with line ends of one kind, without marks of byte order."""
    return text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")


_CAPTIONS = "Scenarist_SCC"
_READ = "SRT, ASS, VTT, MicroDVD, MPL2, TMPlayer, SubViewer, SAMI, TTML, Spruce STL and EBU STL"


def _in_usual_order(text: str) -> str:
    """ASS rows read with the usual field order, whatever the file's header says. Text is the last field."""
    match = _ASS_FIELDS.search(text)
    fields = [field.strip().casefold() for field in match[1].split(",")] if match else list(_USUAL)
    if fields[1:] == list(_USUAL[1:]) or not {"start", "end"} <= {*fields} or fields[-1] != "text":
        return text

    def row(line: re.Match[str]) -> str:
        values = dict(zip(fields, line[1].split(",", len(fields) - 1), strict=False))
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
    moments, end = list[tuple[Fraction, Fraction]](), 0

    def numbered(match: re.Match[str]) -> str:
        nonlocal end
        number, *clocks = match.groups()
        moments.append((_moment(clocks[:6], rate), _moment(clocks[6:], rate)))
        spoken = number if number and match.start() == end + 1 else ""  # all that stands under a timing line
        end = match.end()
        return f"{spoken}{_NUMBER}{_stamp(len(moments) - 1)} --> {_LAST}"

    whole = _BROKEN_OFF.sub("", _INLINE_STAMP.sub("", text))
    stamped = _NUMBERED.sub(numbered, whole) + f"\n{_NUMBER}"
    events = pysubs2.SSAFile.from_string(stamped, format_="srt", keep_html_tags=True).events
    return [_cue(event, *moments[place], is_vtt=is_vtt) for place, event in _placed(events)]


def _from_ass(rows: list[str]) -> list[SubtitleCue]:
    """ASS and SSA: only the rows with usable times, since pysubs2 fails at the first row without them."""
    split = [row.split(",", 2) for row in rows]
    moments = [tuple(_moment(_ASS_CLOCK.findall(each)[0], Fraction(25)) for each in row[:2]) for row in split]
    stamped = [f"Dialogue: 0,{_stamp(place)},{_LAST},{row[2]}" for place, row in enumerate(split)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about margins that are no numbers; margins are not used here
        events = pysubs2.SSAFile.from_string("\n".join(["[Events]", *stamped]), format_="ass").events
    return [_cue(event, *moments[place]) for place, event in _placed(events)]


_ASS_CLOCK = re.compile(rf"(-?){_CLOCK}")
# The number of a cue stands right above its timing line, or apart from the text. A last line like it may be spoken.
_NUMBERED = re.compile(
    rf"^((?<=\n\n)[ \t]*\d+[ \t]*\n(?:[ \t]*\n)*|[ \t]*\d+[ \t]*\n)?{_TIMING.pattern[1:]}", re.MULTILINE
)
# What is left of a cue's head where a file breaks off in it.
_BROKEN_OFF = re.compile(
    r"\n[ \t]*(?:\d+[ \t]*)?\n[ \t]*\d{1,3}(?::\d{0,2}(?::[\d.,]{0,6}(?:[ \t]+-{0,2}(?:-->[ \t]*[\d:.,]*)?)?)?)?"
    r"[ \t]*\Z"
)
_NUMBER = "\n0\n"  # of every cue: pysubs2 removes one number at its end
_LAST = "99:59:59.99"  # the end of every cue; two other times in one line are spoken


def _stamp(place: int) -> str:
    """A cue's place in the file as a time of so many hundredths of a second."""
    return f"{place // 360_000:02d}:{place // 6_000 % 60:02d}:{place // 100 % 60:02d}.{place % 100:02d}"


def _placed(events: list[pysubs2.SSAEvent]) -> Iterator[tuple[int, pysubs2.SSAEvent]]:
    """The cues with their places in the file."""
    last = pysubs2.time.timestamp_to_ms(["99", "59", "59", "99"])
    return ((event.start // 10, event) for event in events if event.end == last)


def _cue(event: pysubs2.SSAEvent, start: Fraction, end: Fraction, *, is_vtt: bool = False) -> SubtitleCue:
    text = with_line_breaks(event.text[:_MAX_RAW_TEXT])
    if is_vtt:  # a blank line ends a VTT cue; what follows is the next cue's name or a note
        text = re.split(r"\n[ \t]*\n", text, maxsplit=1)[0]
    return SubtitleCue(start, end, text, event.name.strip() or None, event.style.strip())


def with_line_breaks(text: str) -> str:
    """Replace ASS's `\\N` and `\\n` by line breaks, and its `\\h` by a blank."""
    return text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")


def _moment(clock: Sequence[str], rate: Fraction) -> Fraction:
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
