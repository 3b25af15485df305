"""The two clocks: film positions are exact seconds, trailer positions are whole frames.

>>> FilmTime(parse_seconds("1:02:11.5"))
FilmTime(seconds=Fraction(7463, 2))
>>> clock(FilmTime(Fraction(7463, 2)).seconds)
'1:02:11.500'

Mixing the clocks fails the type checker, and no float ever holds a time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, overload

from cinecut.diagnostics import excerpt

SAMPLE_RATE = 48000  # of the trailer's sound


@dataclass(frozen=True, slots=True)
class FilmTime:
    """A moment of the film, in exact seconds from its first picture."""

    seconds: Fraction

    # An analysis compares millions: the order that a dataclass gets asks first whether two are equal, and that of
    # fractions, in Python 3.11, what kind of number the other one is.
    def __lt__(self, other: FilmTime) -> bool:
        one, two = self.seconds, other.seconds
        return one.numerator * two.denominator < two.numerator * one.denominator

    def __le__(self, other: FilmTime) -> bool:
        return not other < self

    def __add__(self, span: Fraction) -> FilmTime:
        return FilmTime(self.seconds + span)

    @overload
    def __sub__(self, other: FilmTime) -> Fraction: ...
    @overload
    def __sub__(self, other: Fraction) -> FilmTime: ...
    def __sub__(self, other: FilmTime | Fraction) -> FilmTime | Fraction:
        if isinstance(other, FilmTime):
            return self.seconds - other.seconds
        return FilmTime(self.seconds - other)


@dataclass(frozen=True, order=True, slots=True)
class TrailerFrame:
    """A frame of the trailer, counted from 0."""

    index: int

    def __add__(self, frames: int) -> TrailerFrame:
        return TrailerFrame(self.index + frames)

    @overload
    def __sub__(self, other: TrailerFrame) -> int: ...
    @overload
    def __sub__(self, other: int) -> TrailerFrame: ...
    def __sub__(self, other: TrailerFrame | int) -> TrailerFrame | int:
        if isinstance(other, TrailerFrame):
            return self.index - other.index
        return TrailerFrame(self.index - other)


@dataclass(frozen=True, slots=True)
class FilmRange:
    """A half-open range of a film: `start` is included, `end` is not. `film`: the film's name in a spec with several;
    empty for the first or only one."""

    start: FilmTime
    end: FilmTime
    film: str = ""

    @property
    def duration(self) -> Fraction:
        return self.end - self.start

    def shared(self, other: FilmRange) -> Fraction:
        """Seconds in both ranges; 0 for different films or without overlap."""
        if self.film != other.film:
            return Fraction(0)
        return max(Fraction(0), min(self.end, other.end) - max(self.start, other.start))


@dataclass(frozen=True, slots=True)
class TrailerRange:
    """A half-open range of trailer frames."""

    start: TrailerFrame
    end: TrailerFrame

    @property
    def length(self) -> int:
        return self.end - self.start

    def later(self, frames: int) -> TrailerRange:
        return TrailerRange(self.start + frames, self.end + frames)


def nearest(position: Fraction) -> int:
    """The whole number nearest to an exact position, halves upwards.

    Shifting the position by whole numbers shifts the result by the same, which `round` does not promise.
    """
    whole = position.denominator
    return (2 * position.numerator + whole) // (2 * whole)


def rounded(value: Fraction) -> Fraction:
    """A number to six decimals: as exact as a time needs to be, and short in a spec."""
    return Fraction(nearest(value * 1_000_000), 1_000_000)


Unit = Literal["s", "f", "beats", "bars"]


@dataclass(frozen=True, slots=True)
class Length:
    """A stretch of trailer time as a person wrote it: seconds, frames, beats or bars."""

    amount: Fraction
    unit: Unit


_NUMBER = r"\d+(?:\.\d+)?"
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d{1,2}(?:\.\d+)?)")
_SECONDS = re.compile(rf"({_NUMBER}|\d+/\d+)\s*s?")
_UNITS_OF_TIME = re.compile(rf"(?=\d+\s*[hm])(?:(\d+)\s*h)?\s*(?:(\d+)\s*m)?\s*(?:({_NUMBER})\s*s)?")  # 1m30s
_LONGEST = 10**12  # seconds, frames or beats: more is a slip of the keyboard
_TIMECODE = re.compile(r"(\d+):(\d{2}):(\d{2})([:;])(\d{2,4})")
_LENGTH = re.compile(rf"({_NUMBER}|\d+/\d+)\s*(s|seconds?|f|frames?|beats?|bars?)?")
_ZERO = re.compile("0+")
SPAN_SIGN = re.compile(r"\s+to\s+|\s*[-–—]\s*")
FILM_NAME = re.compile(r"[^\W\d_][\w.-]{0,39}")  # begins with a letter, so that none reads like a time
_OF_FILM = re.compile(rf"({FILM_NAME.pattern})\s+(?=\d)")
_UNITS: dict[str, Unit] = {"s": "s", "f": "f", "b": "beats"}


_MOST_SIGNS = 1000


class BadTimeError(ValueError):
    """A text that is no time or length; its message says what would be one."""


@dataclass(frozen=True, slots=True)
class Timecodes:
    """The numbering of a film's pictures; `first` is the first picture's number. Drop-frame timecode, `01:00:12;05`,
    skips numbers to stay with the clock at 29.97 and 59.94 pictures a second."""

    rate: Fraction
    first: int = 0
    drop: bool = False

    @classmethod
    def starting(cls, rate: Fraction, start: str | None) -> Timecodes:
        """The numbering of a film whose first picture has the timecode `start`; from 0 if that is not possible."""
        zero = cls(rate)
        try:
            first = zero.seconds(start or "00:00:00:00") * rate
        except BadTimeError:
            return zero
        if first >= 86_400 * zero._nominal:
            return zero
        return cls(rate, nearest(first), ";" in (start or ""))

    @property
    def _nominal(self) -> int:
        return math.ceil(self.rate)

    @property
    def _skipped(self) -> int:
        """Numbers that drop-frame timecode skips at each minute except every tenth."""
        return self._nominal // 15 if self.rate.denominator == 1001 and self._nominal % 30 == 0 else 0

    def seconds(self, text: str) -> Fraction:
        """Film seconds of a timecode. Raises BadTimeError."""
        match = _TIMECODE.fullmatch(text)
        if match is None:
            raise BadTimeError(f"{excerpt(text)} is no timecode: HH:MM:SS:FF")
        hours, minutes, seconds, frames = (int(match[part]) for part in (1, 2, 3, 5))
        _carried(text, minutes, Fraction(seconds))
        if frames >= self._nominal:
            message = f"{excerpt(text)} is no timecode at {float(self.rate):.6g} frames/s: frames run from 00 to "
            raise BadTimeError(f"{message}{self._nominal - 1}")
        number, day = ((hours * 60 + minutes) * 60 + seconds) * self._nominal + frames, 86_400 * self._nominal
        if match[4] == ";":
            if not self._skipped:
                message = f"{excerpt(text)} is drop-frame timecode, which there is at 29.97 and 59.94 frames/s only"
                raise BadTimeError(f"{message}: write HH:MM:SS:FF")
            number -= self._skipped * (hours * 54 + minutes - minutes // 10)
            day -= self._skipped * 24 * 54
        if number < self.first and (number + day - self.first) / self.rate < _OVER_MIDNIGHT:
            number += day
        if number < self.first:
            message = f"{excerpt(text)} is before the film, whose own timecode starts at {self.of(Fraction(0))}"
            raise BadTimeError(f"{message}; a clock such as 0:04 counts from its first picture")
        return (number - self.first) / self.rate

    def of(self, seconds: Fraction) -> str:
        """The timecode of the picture on screen at a moment, for a film of constant rate."""
        frame = math.floor(seconds * self.rate) + self.first
        sign, frame = ("-", -frame) if frame < 0 else ("", frame)
        if self.drop and self._skipped:
            tens, rest = divmod(frame, 600 * self._nominal - 9 * self._skipped)
            minutes = max(0, rest - self._skipped) // (60 * self._nominal - self._skipped)
            frame += self._skipped * (9 * tens + minutes)
        whole, frames = divmod(frame, self._nominal)
        minutes, second = divmod(whole, 60)
        hours, minute = divmod(minutes, 60)
        hours = hours % 24 if self.first else hours
        width = max(2, len(str(self._nominal - 1)))
        return f"{sign}{hours:02d}:{minute:02d}:{second:02d}{';' if self.drop else ':'}{frames:0{width}d}"


_OVER_MIDNIGHT = 6 * 3600  # seconds: a film whose timecode starts again at zero is no longer than that

Numbering = Mapping[str, Timecodes | None]
"""How the pictures of a spec's films are numbered, by the films' names; the first one's by an empty one too. None: that
is not known."""


def parse_seconds(text: str, numbered: Timecodes | None = None) -> Fraction:
    """Exact seconds of a clock (`1:02:11.5`, `0:16`), of seconds (`62.5s`, `1m30s`, `100/3s`, `62.5`) or of a timecode
    (`01:02:11:12`).

    A timecode is `numbered` as the film's pictures are; without that it cannot be read. Raises BadTimeError.
    """
    seconds = _parse_seconds(_short(text), numbered)
    if seconds >= _LONGEST:
        raise BadTimeError(f"{excerpt(text)} is longer than any film")
    return seconds


def _short(text: str) -> str:
    """A text that may be a time, without the spaces around it."""
    if len(text) > _MOST_SIGNS:
        raise BadTimeError(f"{excerpt(text)} is far too long for a time")
    return text.strip()


def _parse_seconds(text: str, numbered: Timecodes | None) -> Fraction:
    if (match := _SECONDS.fullmatch(text)) and not _ZERO.fullmatch(match[1].partition("/")[2]):
        return Fraction(match[1])
    if match := _UNITS_OF_TIME.fullmatch(text):
        return (int(match[1] or 0) * 60 + int(match[2] or 0)) * 60 + Fraction(match[3] or 0)
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = int(match[1] or 0), int(match[2]), Fraction(match[3])
        _carried(text, minutes if match[1] else 0, seconds)
        return (hours * 60 + minutes) * 60 + seconds
    if _TIMECODE.fullmatch(text):
        if numbered is None:
            raise BadTimeError("a timecode needs the film's rate: run `cinecut link` on this spec first")
        return numbered.seconds(text)
    raise BadTimeError(f"{excerpt(text)} is no time; write 1:02:11.5, 62.5s or the timecode 01:02:11:12")


def _carried(text: str, minutes: int, seconds: Fraction) -> None:
    """Refuse minutes and seconds that make an hour and a minute. Raises BadTimeError."""
    for name, number in (("minutes", minutes), ("seconds", seconds)):
        if number >= 60:
            raise BadTimeError(f"{excerpt(text)}: {name} run from 00 to 59")


def split_span(text: str) -> tuple[str | None, list[str]]:
    """The film that a range names, as in `making-of 0:16 - 0:20`, if any, and the range's two times as written.

    >>> split_span("making-of 0:16 - 0:20")
    ('making-of', ['0:16', '0:20'])
    """
    text = text.strip()
    match = _OF_FILM.match(text)
    return (match[1], SPAN_SIGN.split(text[match.end() :])) if match else (None, SPAN_SIGN.split(text))


def parse_span(text: str, numbered: Timecodes | None = None) -> tuple[Fraction, Fraction]:
    """In and out point of a range such as `0:16 - 0:20`, of whichever film. Raises BadTimeError."""
    return parse_times(split_span(text)[1], text, numbered)


def parse_times(parts: Sequence[str], text: str, numbered: Timecodes | None = None) -> tuple[Fraction, Fraction]:
    """The two times of a range, written as `text`. Raises BadTimeError."""
    if len(parts) != 2:
        raise BadTimeError(f"{excerpt(text)} is no range; write the in and the out point as 0:16 - 0:20")
    return parse_seconds(parts[0], numbered), parse_seconds(parts[1], numbered)


def parse_length(text: str) -> Length:
    """A length: `1.5s`, `1m30s` or `1.5` (seconds), `36f`, `4 beats`, `2 bars`, `1/2 beat`. Raises BadTimeError."""
    if _UNITS_OF_TIME.fullmatch(text.strip()):
        return Length(parse_seconds(text), "s")
    match = _LENGTH.fullmatch(_short(text))
    if match is None or _ZERO.fullmatch(match[1].partition("/")[2]):
        raise BadTimeError(f"{excerpt(text)} is no length; write 1.5s, 36f, 4 beats or 2 bars")
    name = match[2] or "s"
    unit: Unit = "bars" if name.startswith("bar") else _UNITS[name[0]]
    length = Length(Fraction(match[1]), unit)
    if length.amount >= _LONGEST:
        raise BadTimeError(f"{excerpt(text)} is longer than any trailer")
    return length


def clock(seconds: Fraction, digits: int = 3) -> str:
    """`H:MM:SS.mmm` (hours only when there are some), rounded to `digits` decimals."""
    sign = "-" if seconds < 0 else ""
    scale: int = 10**digits
    ticks = nearest(abs(seconds) * scale)
    whole, fraction = divmod(ticks, scale)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    head = f"{hours}:{minute:02d}" if hours else f"{minute}"
    tail = f".{fraction:0{digits}d}" if digits else ""
    return f"{sign}{head}:{second:02d}{tail}"


def timecode(seconds: Fraction, rate: Fraction) -> str:
    """Timecode from 00:00:00:00, as in a trailer."""
    return Timecodes(rate).of(seconds)


def seconds_text(value: Fraction) -> str:
    """Seconds for FFmpeg and for people: six decimals, no exponent, rounded once."""
    micros = nearest(value * 1_000_000)
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    return f"{sign}{micros // 1_000_000}.{micros % 1_000_000:06d}"


def rate_text(rate: Fraction) -> str:
    """A rate as FFmpeg and the spec write it: `24` or `24000/1001`."""
    return str(rate.numerator) if rate.denominator == 1 else f"{rate.numerator}/{rate.denominator}"
