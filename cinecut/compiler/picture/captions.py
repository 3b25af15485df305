"""The trailer's dialogue as subtitles, timed to the trailer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.layout.soundtrack import Soundtrack
from cinecut.compiler.layout.timeline import PlacedText, Timeline
from cinecut.compiler.names import on_one_line
from cinecut.diagnostics import Span
from cinecut.language.events import NOWHERE
from cinecut.language.timebase import SAMPLE_RATE, FilmRange, TrailerFrame, TrailerRange, nearest
from cinecut.language.translation import Translation


@dataclass(frozen=True, slots=True)
class Caption:
    """A line, the trailer's seconds in which it is heard, and its range in the film; None if it is of none."""

    start: Fraction
    end: Fraction
    text: str
    film: FilmRange | None
    span: Span


def captions(timeline: Timeline, track: Soundtrack, translation: Translation | None = None) -> list[Caption]:
    """The lines that are heard, of shots with sound and of voices over other pictures, in the spec's language or
    translated."""

    def read(line: str) -> str:
        words = translation.of(line) if translation is not None else None
        return plain_text(words.text if words is not None else line)

    captioned = []
    for placed in timeline.shots:
        shot = placed.event
        if shot.line and not shot.mute:
            start, end = (frame.index / timeline.rate for frame in (placed.range.start, placed.range.end))
            captioned.append(Caption(start, end, read(shot.line), placed.film, shot.place.of("line")))
    for voice in track.voices:
        if voice.line:
            start, end = Fraction(voice.place.start, SAMPLE_RATE), Fraction(voice.place.end, SAMPLE_RATE)
            captioned.append(Caption(start, end, read(voice.line), voice.film, NOWHERE.span))
    for each in track.recordings:
        if each.line:
            start, end = (Fraction(at, SAMPLE_RATE) for at in (each.song.place.start, each.song.place.end))
            captioned.append(Caption(start, end, read(each.line), None, NOWHERE.span))
    return sorted((caption for caption in captioned if caption.text), key=lambda caption: caption.start)


def captions_text(lines: Sequence[Caption], later: Fraction) -> bytes:
    """The lines as SubRip, shifted by `later` seconds."""
    rows = []
    for number, line in enumerate(lines, 1):
        rows.append(f"{number}\n{_clock(line.start + later)} --> {_clock(line.end + later)}\n{line.text}\n")
    return "\n".join(rows).encode()


def caption_text(line: Caption, rate: Fraction) -> PlacedText:
    """A line as a text over the picture."""
    start, end = (TrailerFrame(nearest(seconds * rate)) for seconds in (line.start, line.end))
    return PlacedText(line.text, TrailerRange(start, end), 0, 0, "caption", line.span)


def plain_text(text: str) -> str:
    """A text on one line, without characters that players could take for markup."""
    return on_one_line(text).translate(_HARMLESS)


_HARMLESS = str.maketrans("<>{}\\", "‹›()/")


def _clock(seconds: Fraction) -> str:
    ticks = nearest(seconds * 1000)
    whole, milliseconds = divmod(ticks, 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{milliseconds:03d}"
