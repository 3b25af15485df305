"""EditSequence → CMX 3600: the pictures and the film's sound in one list, a list for each further track of sound.

A dissolve starts where its incoming clip does: a transition that straddles its cut moves the cut to its own start. Dips
and fades are dissolves with black, BL. An M2 line gives the pictures a second at which a source runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.interchange.model import EditSequence, Medium, SoundTrack, Unsupported, Written, counts_frames, timecode
from cinecut.interchange.writers.xml_text import plain
from cinecut.language.timebase import nearest, rate_text

_MOST, _LONGEST = 999, 255  # events that the format counts; frames of a dissolve


def write(sequence: EditSequence) -> Written:
    film = next((track for track in sequence.tracks if track.name == "film"), None)
    rows = [*_pictures(sequence), *(_sounds(film, sequence) if film is not None else ())]
    files, lost = {".edl": _list(sequence, sequence.name, rows, marked=True)}, [*_uncarried(sequence, rows)]
    for track in sequence.tracks:
        if track is not film:
            own = [*_sounds(track, sequence)]
            files[f"_{track.name.replace(' ', '_')}.edl"] = _list(sequence, f"{sequence.name} {track.name}", own)
    return Written(files, tuple(lost))


def write_markers(sequence: EditSequence) -> Written:
    """The markers as DaVinci Resolve imports them onto a timeline."""
    rows = [f"TITLE: {_line(sequence.name)}", _fcm(sequence), ""]
    for number, mark in enumerate(sequence.marks, 1):
        span = f"{sequence.timecode(mark.frame)} {sequence.timecode(mark.frame + 1)}"
        rows.append(f"{number:03d}  001      V     C        {span} {span}  ")
        name, note = (_line(text).replace("|", "/") for text in (mark.name, mark.note))
        rows += [f"{note} |C:ResolveColor{mark.color} |M:{name} |D:1", ""]
    lost = Unsupported("trailer", "its pictures, sounds and texts", "markers alone: import another export beside it")
    return Written({".edl": _text(rows)}, (lost,))


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the list: source [first, last) in the medium's pictures, start and end in frames of the sequence."""

    medium: Medium | None  # None: black
    channel: str  # V, or AA
    first: int
    last: int
    start: int
    end: int
    dissolve: int = 0  # frames; 0: a cut
    before: _Row | None = None  # what it dissolves from; None: black
    speed: Fraction = Fraction(0)  # pictures a second; 0: as the sequence runs
    notes: tuple[str, ...] = ()
    event: str = ""  # whose picture it is


def _pictures(sequence: EditSequence) -> Iterator[_Row]:
    """A row for each picture, cut where its transition starts, and one for each stretch of black."""
    rate, before = sequence.rate, None
    for number, shown in enumerate(sequence.pictures):
        following = sequence.pictures[number + 1] if number + 1 < len(sequence.pictures) else None
        lead = shown.head.crossed[0]
        start = shown.start - lead
        end = shown.end - (following.head.before if following is not None else 0)
        out = shown.tail.before if shown.tail.kind == "fade out" else 0
        notes = _notes(sequence, shown.event)
        head = lead + shown.head.after
        dips = shown.head.kind.startswith("dip") and before is not None
        if dips and shown.head.before:
            half = shown.head.before
            yield _Row(None, "V", 0, half, start - half, start, half, before, event=shown.event)
        row = _row(shown.medium, "V", (start, end - out), shown.source - lead * shown.speed / rate, shown.speed, rate)
        crossed = before if shown.head.kind == "crossfade" else None
        dissolve = head if shown.head.kind != "cut" else 0
        before = replace(row, dissolve=dissolve, before=crossed, notes=notes, event=shown.event)
        yield before
        if out:
            black = _Row(None, "V", 0, out, end - out, end, out, before, event=shown.event)
            yield black
            before = black


def _row(
    medium: Medium | None, channel: str, place: tuple[int, int], source: Fraction, speed: Fraction, rate: Fraction
) -> _Row:
    start, end = place
    if medium is None:
        return _Row(None, channel, 0, end - start, start, end)
    pictures = speed * medium.rate
    first = max(0, medium.picture(source))  # a still has nothing before its start, and needs nothing
    last = first + max(1, nearest((end - start) * pictures / rate)) if end > start else first
    return _Row(medium, channel, first, last, start, end, speed=pictures if pictures != rate else Fraction(0))


def _notes(sequence: EditSequence, event: str) -> tuple[str, ...]:
    texts = [f"{'CARD' if words.card else 'TITLE'}: {words.text}" for words in sequence.words if words.event == event]
    return tuple(_line(text) for text in texts)


def _sounds(track: SoundTrack, sequence: EditSequence) -> Iterator[_Row]:
    """A row for each clip; a fade becomes a dissolve with silence."""
    before: _Row | None = None
    for number, clip in enumerate(track.clips):
        following = track.clips[number + 1] if number + 1 < len(track.clips) else None
        lead, tail = clip.head or _NO_FADE, (following.head if following is not None else None) or _NO_FADE
        start, end = nearest(clip.start - lead[0]), nearest(clip.end - tail[0])
        out = min(nearest(clip.fade_out), end - start - 1) if following is None or following.head is None else 0
        source = clip.source + (start - clip.start) * clip.speed / sequence.rate
        last = max(end - out, start + (tail is _NO_FADE))  # what is all cross-fade has no row
        row = _row(clip.medium, "AA", (start, last), max(Fraction(0), source), clip.speed, sequence.rate)
        notes = (f"AUDIO LEVEL IS {float(clip.gain):+.2f} DB",) if clip.gain else ()
        crossed, dissolve = before if clip.head is not None else None, nearest(sum(lead) or clip.fade_in)
        before = replace(row, dissolve=dissolve, before=crossed, notes=notes, event=clip.event)
        yield before
        if out > 0:
            before = _Row(None, "AA", 0, out, last, last + out, out, before, event=clip.event)
            yield before


_NO_FADE = (Fraction(0), Fraction(0))


def _list(sequence: EditSequence, title: str, rows: list[_Row], marked: bool = False) -> bytes:
    lines = [f"TITLE: {_line(title)}", _fcm(sequence), ""]
    lasting = [row for row in rows if row.end > row.start]  # others are seen only in the dissolve that follows
    for number, row in enumerate(sorted(lasting, key=lambda row: (row.start, row.channel != "V")), 1):
        lines += [*_event(number, row, sequence), ""]
    if marked:
        for mark in sequence.marks:
            text = " ".join(filter(None, (mark.name, mark.note)))
            lines.append(f"* LOC: {sequence.timecode(mark.frame)} {mark.color.upper():<7} {_line(text)}")
    return _text(lines)


def _event(number: int, row: _Row, sequence: EditSequence) -> Iterator[str]:
    head, left = f"{number:03d}", row.before
    if row.dissolve:
        at = sequence.timecode(row.start)
        point = _source(left.medium if left is not None else None, left.last if left is not None else 0, sequence)
        yield f"{head}  {_reel(left):<8} {row.channel:<5} C        {point} {point} {at} {at}"
    kind = f"D    {row.dissolve:03d}" if row.dissolve else "C       "
    source = f"{_source(row.medium, row.first, sequence)} {_source(row.medium, row.last, sequence)}"
    record = f"{sequence.timecode(row.start)} {sequence.timecode(row.end)}"
    yield f"{head}  {_reel(row):<8} {row.channel:<5} {kind} {source} {record}"
    for each in (left, row) if left is not None and left.start == left.end else (row,):
        if each.speed:
            at = _source(each.medium, each.first, sequence)
            yield f"M2   {_reel(each):<8}       {_speed(each.speed)}                {at}"
    if row.dissolve and left is not None and left.medium is not None:
        yield f"* FROM CLIP NAME: {plain(left.medium.name)}"
    if row.medium is not None:
        yield f"* {'TO' if row.dissolve else 'FROM'} CLIP NAME: {plain(row.medium.name)}"
    notes = (*left.notes, *row.notes) if left is not None and left.start == left.end else row.notes
    yield from (f"* {note}" for note in notes)


def _speed(pictures: Fraction) -> str:
    return f"{nearest(pictures * 10) / 10:05.1f}"


def _source(medium: Medium | None, picture: int, sequence: EditSequence) -> str:
    """The timecode of a medium's picture; black counts from 0."""
    return timecode(replace(sequence.numbered, first=0) if medium is None else medium.numbered, picture)


def _reel(row: _Row | None) -> str:
    return row.medium.reel if row is not None and row.medium is not None else "BL"


def _fcm(sequence: EditSequence) -> str:
    return f"FCM: {'DROP FRAME' if sequence.numbered.drop else 'NON-DROP FRAME'}"


def _line(text: str) -> str:
    """A text on one line."""
    return " ".join(filter(None, plain(text).split(" ")))


def _text(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, ""]).encode("utf-8", "replace")


def _uncarried(sequence: EditSequence, rows: list[_Row]) -> Iterator[Unsupported]:
    """What is lost because the format has no room for it."""
    if len(rows) > _MOST:
        yield Unsupported("trailer", f"{len(rows)} events", f"whatever a program makes of more than {_MOST}")
    yield from uncounted(sequence)
    if sequence.rate > 99:
        three = "timecode with three digits of frames, which few programs read"
        yield Unsupported("trailer", f"{rate_text(sequence.rate)} frames a second", three)
    for row in rows:
        if row.speed and row.channel == "V" and (row.speed * 10).denominator != 1:
            yield Unsupported(row.event, f"{float(row.speed):.6g} pictures a second", f"{_speed(row.speed)} of them")
        if row.dissolve > _LONGEST:
            event, length = row.event or "a sound", f"a dissolve of {row.dissolve} frames"
            yield Unsupported(event, length, f"whatever a program makes of more than {_LONGEST}")
    yield from uneven(sequence)


def uncounted(sequence: EditSequence) -> Iterator[Unsupported]:
    """What has a rate of which no timecode counts the frames: the trailer, or a medium."""
    films = [(f" of {medium.name}", medium.rate) for medium in sequence.media if medium.kind == "film"]
    for of, rate in [("", sequence.rate), *films]:
        if not counts_frames(rate):
            counted = f"timecode of {-(-rate // 1)} a second"
            yield Unsupported("trailer", f"{rate_text(rate)} frames a second{of}", counted)


def uneven(sequence: EditSequence) -> Iterator[Unsupported]:
    """Sounds that begin between two frames, in an editor that counts whole frames."""
    for track in sequence.tracks:
        for clip in track.clips:
            off = (nearest(clip.start) - clip.start) / sequence.rate * 1000
            if off:
                moved = f"it begins {abs(float(off)):.1f} ms {'later' if off > 0 else 'earlier'}, on a frame, in step"
                yield Unsupported(clip.event, f"{clip.name} begins between two frames", moved)
