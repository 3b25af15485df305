"""Parsing the bytes of a subtitle file into timed cues, in any encoding, damaged or not.

pysubs2 reads SRT, ASS and VTT. Times that it would misread or reject are rewritten first. `timed_text` reads the rest.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, replace
from fractions import Fraction

import pysubs2

from cinecut.analysis.dialogue.subtitles.charset import decode, language_of
from cinecut.analysis.dialogue.subtitles.ebu_stl import is_stl, read_stl
from cinecut.analysis.dialogue.subtitles.timed_text import kind_of, read_rows
from cinecut.diagnostics import Stop

_MAX_RAW_TEXT = 4_000  # characters of one cue, markup included
_LAST_MS = 100 * 3_600_000 - 1  # SRT has two digits for the hour


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


_CLOCK = r"(-?\d{1,6} ?[:：] ?)?(-?\d{1,6}) ?[:：] ?(-?\d{1,6})(?: ?[.,:;：，．] ?(\d{1,9}))?"
_TIMING = re.compile(rf"^[ \t]*(-?){_CLOCK}[ \t]*[-–—]+[ \t]*>[ \t]*(-?){_CLOCK}.*$", re.MULTILINE)
_INLINE_STAMP = re.compile(r"<\d{1,4}:\d\d[\d:.]{0,10}>")  # VTT karaoke; two of them look like a timing line
_ASS_ROW = re.compile(
    r"^[ \t]*Dialogue[ \t]*:[^,\n]*,([ \t]*-?\d{1,2}:\d{1,2}:\d{1,2}[.,]\d{1,3}[ \t]*,"
    r"[ \t]*-?\d{1,2}:\d{1,2}:\d{1,2}[.,]\d{1,3}[ \t]*,.*)$",
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
        cues = _from_srt(text)
    if not any(cue.text.strip() for cue in cues):
        raise Stop("unreadable", f"{source} {_why_nothing(data, text)}", f"{_READ} files are read")
    return Cues(tuple(cues), decoded.language)


def _bounded(start: Fraction, end: Fraction, text: str) -> SubtitleCue:
    last = Fraction(_LAST_MS, 1000)
    return SubtitleCue(min(start, last), min(end, last), text[:_MAX_RAW_TEXT])


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


def _from_srt(text: str) -> list[SubtitleCue]:
    """SRT and VTT: both are a timing line and the lines under it."""
    is_vtt = text.lstrip().startswith("WEBVTT")
    spelled = _TIMING.sub(_spell_timing, _INLINE_STAMP.sub("", text))
    events = pysubs2.SSAFile.from_string(spelled, format_="srt", keep_html_tags=True).events
    return [_cue(event, is_vtt) for event in events]


def _from_ass(rows: list[str]) -> list[SubtitleCue]:
    """ASS and SSA: only the rows with usable times, since pysubs2 fails at the first row without them."""
    spelled = "[Events]\n" + "\n".join(f"Dialogue: 0,{row}" for row in rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about margins that are no numbers; margins are not used here
        events = pysubs2.SSAFile.from_string(spelled, format_="ass").events
    return [_cue(event, False) for event in events]


def _cue(event: pysubs2.SSAEvent, is_vtt: bool) -> SubtitleCue:
    text = with_line_breaks(event.text[:_MAX_RAW_TEXT])
    if is_vtt:  # a blank line ends a VTT cue; what follows is the next cue's name or a note
        text = re.split(r"\n[ \t]*\n", text, maxsplit=1)[0]
    return SubtitleCue(
        Fraction(event.start, 1000), Fraction(event.end, 1000), text, event.name.strip() or None, event.style
    )


def with_line_breaks(text: str) -> str:
    """Replace ASS's `\\N` and `\\n` by line breaks, and its `\\h` by a blank."""
    return text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")


def _spell_timing(match: re.Match[str]) -> str:
    """`HH:MM:SS,mmm --> HH:MM:SS,mmm`, as pysubs2 needs it; a negative time becomes 0, a huge one the last possible."""
    groups = match.groups()
    return f"{_spell_clock(*groups[:5])} --> {_spell_clock(*groups[5:])}"


def _spell_clock(sign: str, hours: str | None, minutes: str, seconds: str, fraction: str | None) -> str:
    parts = [(hours or "0").strip(" :："), minutes, seconds]
    whole = 0
    for part in parts:
        whole = whole * 60 + abs(int(part))
    ms = min(whole * 1000 + int((fraction or "0").ljust(3, "0")[:3]), _LAST_MS)
    if sign or any(part.startswith("-") for part in parts):
        ms = 0
    minute, ms = divmod(ms, 60_000)
    return f"{minute // 60:02d}:{minute % 60:02d}:{ms // 1000:02d},{ms % 1000:03d}"
