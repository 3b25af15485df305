"""CMX 3600: a list of pictures and their sounds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction

from cinecut.diagnostics import Stop
from cinecut.interchange.readers.cut import EditorCut, EditorMarker, EditorPicture, EditorSound, Media, not_utf_8
from cinecut.language.timebase import BadTimeError, Timecodes, nearest

_CODE = r"(\d{1,2}[:;]\d{2}[:;]\d{2}[:;.]\d{2,3})"
_EVENT = re.compile(
    rf"\s*(\d+)\s+(\S+)\s+(\S+)\s+(C|D|K\s*[BO]?|W\d+)\s+(?:(\d+)\s+)?{_CODE}\s+{_CODE}\s+{_CODE}\s+{_CODE}\s*$"
)
_SPEED = re.compile(rf"M2\s+(\S+)\s+(-?[\d.]+)\s+{_CODE}")
_MARK = re.compile(rf"\*\s*LOC:\s*{_CODE}\s+\S+\s*(.*)")
_SILENT = ("TITLE:", "FCM:", "SPLIT:", "*", "M2", "AUD", "FINAL CUT", "EFFECTS NAME", "GPI", ">>>")
_SHOWN = 10  # rows that are no events, before they are only counted


@dataclass(slots=True)
class _Event:
    reel: str
    channel: str
    dissolve: int
    source: str  # the first picture's timecode, as the medium counts
    start: int
    end: int
    number: str
    until: str  # the timecode after the last picture
    before: str | None = None  # the reel that it dissolves from
    speed: Fraction | None = None  # pictures a second
    name: str = ""
    row: int = 0


@dataclass(slots=True)
class _Reading:
    rate: Fraction
    known: Media
    events: list[_Event] = field(default_factory=list)
    marks: list[EditorMarker] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    def number(self, code: str, rate: Fraction, first: int = 0) -> int:
        """The number of a picture; `first`: that of a film's first, whose timecode may start again at midnight."""
        text = re.sub(r"[.;](\d+)$", r";\1", code) if ";" in code else code
        numbered = Timecodes(rate, first, ";" in text)
        head, sign, frames = re.split(r"([:;])(?=\d+$)", text)
        return first + nearest(numbered.seconds(f"{head.replace(';', ':')}{sign}{frames}") * rate)


def read(data: bytes, name: str, rate: Fraction, known: Media) -> EditorCut:
    """`rate` is the sequence's. Raises Stop where there is no event."""
    reading = _Reading(rate, known)
    wrong = 0
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise not_utf_8(name)
    for number, row in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        text = row.strip()
        try:
            read = _row(reading, text, number)
        except BadTimeError as error:
            read, text = False, str(error)
        if not read:
            wrong += 1
            if wrong <= _SHOWN:
                reading.odd.append(f"row {number}: {text[:80]!r} is no event")
    if wrong > _SHOWN:
        reading.odd.append(f"{wrong - _SHOWN} more rows are no events")
    if not reading.events:
        raise Stop("unreadable", f"{name} holds no event of CMX 3600", "it is read from rows such as 001 REEL V C …")
    return _cut(reading)


def _row(reading: _Reading, text: str, row: int) -> bool:
    """Read one row; False where it is not a row of an EDL."""
    if match := _EVENT.match(text):
        which, reel, channel, kind, length, first, until, start, end = match.groups()
        if kind[0] in "WK":
            reading.odd.append(f"{reel} at {start}: a {'wipe' if kind[0] == 'W' else 'key'} is read as a dissolve")
        event = _Event(reel, channel, int(length or 0), first, 0, 0, which, until, row=row)
        event.start, event.end = reading.number(start, reading.rate), reading.number(end, reading.rate)
        last = reading.events[-1] if reading.events else event
        if event.dissolve and (last.number, last.channel, last.end) == (which, channel, last.start):
            event.before = last.reel
        reading.events.append(event)
    elif match := _SPEED.match(text):
        for event in [e for e in reading.events[-2:] if (e.reel, e.source) == match.group(1, 3)] or reading.events[-1:]:
            event.speed = Fraction(match[2])
    elif match := _MARK.match(text):
        reading.marks.append(EditorMarker(reading.number(match[1], reading.rate), match[2].strip()))
    elif match := re.match(r"\*\s*(FROM|TO) CLIP NAME:\s*(.+)", text):
        if reading.events and (match[1] == "TO" or not reading.events[-1].dissolve):
            reading.events[-1].name = match[2].strip()
    elif text and not text.upper().startswith(_SILENT):
        return False
    return True


def _cut(reading: _Reading) -> EditorCut:
    cut = EditorCut(reading.rate, reading.known, odd=reading.odd)
    zero = min(event.start for event in reading.events)
    cut.marks = [replace(mark, frame=mark.frame - zero) for mark in reading.marks]
    names = {event.reel: event.name for event in reading.events if event.name}
    for channel in dict.fromkeys(event.channel for event in reading.events):
        own = _lasting(sorted((e for e in reading.events if e.channel == channel), key=lambda event: event.start))
        for at, event in enumerate(own):
            if event.reel in ("BL", "AX") and not event.name:
                continue
            before = own[at - 1] if at and own[at - 1].end == event.start else None
            after = own[at + 1] if at + 1 < len(own) and own[at + 1].start == event.end else None
            try:
                _place(reading, cut, event, (before, after), names, zero)
            except BadTimeError as error:
                cut.odd.append(f"row {event.row}: {str(error)[:80]!r} is no event")
    return cut.sorted()


def _lasting(events: list[_Event]) -> list[_Event]:
    """The events without those that only say what the next one dissolves from."""
    kept: list[_Event] = []
    for event in events:
        last = kept[-1] if kept else None
        known = last is None or (last.reel == event.reel and (last.speed is not None or last.until == event.source))
        if event.end > event.start or not (known or event.reel == "BL"):
            kept.append(event)
    return kept


def _place(
    reading: _Reading,
    cut: EditorCut,
    event: _Event,
    beside: tuple[_Event | None, _Event | None],
    names: dict[str, str],
    zero: int,
) -> None:
    """Add an event, from cut to cut: a dissolve is moved to straddle the cut that it starts at. Raises BadTimeError."""
    before, after = beside
    crossed = event.dissolve and before is not None and (event.before or before.reel) != "BL"
    lead = event.dissolve // 2 if crossed else 0
    met = after is not None and "BL" not in (event.reel, after.reel, after.before)
    lag = after.dissolve // 2 if after is not None and met else 0
    faded = after.dissolve if after is not None and after.dissolve and after.reel == "BL" else 0
    pictures = event.speed if event.speed is not None else cut.rate
    name = reading.known.called(event.name or names.get(event.reel, event.reel), event.reel)
    own = reading.known.rate(name, cut.rate)
    speed = pictures / own
    source = _source(reading, event, name, own) + lead * speed / cut.rate
    start, end = event.start + lead - zero, event.end + lag + faded - zero
    if event.channel != "V":  # B, A2/V, AA/V: with the picture's sound
        cut.sounds.append(EditorSound(start, end, name, source))
    if "V" not in event.channel and event.channel != "B":
        return
    joint = (lead, event.dissolve - lead) if crossed else (0, 0)
    fades = (event.dissolve if not crossed else 0, faded)
    cut.pieces.append(EditorPicture(start, end, name, source, speed, joint, fades))


def _source(reading: _Reading, event: _Event, name: str, rate: Fraction) -> Fraction:
    """Where an event begins in its medium, in seconds by that one's timecode. Raises BadTimeError."""
    medium = reading.known.by_name(name)
    try:
        return reading.number(event.source, rate, medium.numbered.first if medium is not None else 0) / rate
    except BadTimeError:  # it is before the film
        return reading.number(event.source, rate) / rate
