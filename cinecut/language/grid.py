"""The trailer's beat grid: its beats and bars in exact seconds of the trailer.

Beats are counted from the exact position and rounded to a frame once, by whoever places something on them.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cinecut.language.spec import BeatGrid, Music
from cinecut.language.timebase import Length, nearest

Line = Literal["beat", "bar"]


@dataclass(frozen=True, slots=True)
class Grid:
    """Beat 0 is a downbeat. Between listed beats, and before and after them, the tempo is that of the nearest two.

    >>> grid = Grid(metre=4, first=Fraction(1, 2), period=Fraction(1, 2))
    >>> grid.seconds_at(Fraction(4)), grid.beat_at(Fraction(2)), grid.nearest_line(Fraction(9, 5), "bar")
    (Fraction(5, 2), Fraction(3, 1), Fraction(5, 2))
    """

    metre: int
    first: Fraction = Fraction(0)  # trailer seconds of beat 0; may be negative where the song starts inside
    period: Fraction = Fraction(0)  # seconds of one beat; 0 where `times` hold
    times: tuple[Fraction, ...] = ()  # trailer seconds of every beat of a changing tempo

    def seconds_at(self, beat: Fraction) -> Fraction:
        """Trailer seconds of a beat; fractions of a beat are shares of its length."""
        if not self.times:
            return self.first + beat * self.period
        index = min(max(math.floor(beat), 0), len(self.times) - 2)
        left, right = self.times[index], self.times[index + 1]
        return left + (beat - index) * (right - left)

    def beat_at(self, seconds: Fraction) -> Fraction:
        """The beat at a trailer position, with its fraction."""
        if not self.times:
            return (seconds - self.first) / self.period
        index = min(max(bisect_right(self.times, seconds) - 1, 0), len(self.times) - 2)
        left, right = self.times[index], self.times[index + 1]
        return index + (seconds - left) / (right - left)

    def after(self, seconds: Fraction, beats: Fraction) -> Fraction:
        """The position so many beats later."""
        return self.seconds_at(self.beat_at(seconds) + beats)

    def nearest_line(self, seconds: Fraction, line: Line) -> Fraction:
        """The beat or bar line nearest to a position."""
        step = self.metre if line == "bar" else 1
        return self.seconds_at(Fraction(nearest(self.beat_at(seconds) / step) * step))

    def next_line(self, seconds: Fraction, line: Line) -> Fraction:
        """The first beat or bar line after a position."""
        step = self.metre if line == "bar" else 1
        return self.seconds_at(Fraction((math.floor(self.beat_at(seconds) / step) + 1) * step))

    def lines(self, end: Fraction) -> Iterator[tuple[Fraction, bool]]:
        """The beats from the trailer's start to `end`, at most 5,000, and whether each starts a bar."""
        first = math.ceil(self.beat_at(Fraction(0)))
        for beat in range(first, min(math.floor(self.beat_at(end)), first + 5000) + 1):
            yield self.seconds_at(Fraction(beat)), beat % self.metre == 0


def grid_of(music: Music | None) -> Grid | None:
    """The grid of a spec's music on the trailer's clock, or None without beats."""
    beats = music.beats if music else None
    if music is None or beats is None:
        return None
    if not beats.times and beats.tempo is None:
        return None
    start = music.parts[0].in_.seconds if music.parts else music.start.seconds
    looped = bool(beats.times) and music.loop and music.facts is not None
    if (music.parts and not _on_bars(music, beats)) or looped:
        return Grid(beats.metre, times=_edited_beats(music, beats))
    if beats.times:
        return Grid(beats.metre, times=tuple(time - start for time in beats.times))
    assert beats.tempo is not None
    return Grid(beats.metre, beats.first.seconds - start, Fraction(60) / beats.tempo)


# The music edit

LONGEST = 3600  # seconds of a trailer
_SLACK = Fraction(1, 1000)  # seconds by which the written times of a bar line may miss it
_SHORTEST_LOOP = Fraction(1, 2)  # seconds

SongPart = tuple[Fraction, Fraction]


def heard_parts(music: Music, length: Fraction) -> list[SongPart]:
    """The parts of the song that `length` seconds of trailer use, in order, in seconds of the song: the parts listed in
    the spec, or all from `start` on, looping from the last bar line to the first. No trailer may be longer than
    `LONGEST`; that is reported elsewhere."""
    length = min(length, Fraction(LONGEST))
    wanted = [(part.in_.seconds, part.out.seconds) for part in music.parts]
    if not wanted:
        wanted = _played_on(music, length)
    pieces, left = list[SongPart](), length
    for begin, end in wanted:
        if left > 0:
            pieces.append((begin, min(end, begin + left)))
            left -= end - begin
    return pieces


def _played_on(music: Music, length: Fraction) -> list[SongPart]:
    start = music.start.seconds
    if music.facts is None:
        return [(start, start + length)]
    duration = music.facts.duration
    back, turn = _loop(music, duration)
    if start + length <= duration or not music.loop or turn - back < _SHORTEST_LOOP or start >= turn:
        return [(start, min(start + length, duration))]
    rounds = math.ceil((length - (turn - start)) / (turn - back))
    return [(start, turn), *[(back, turn)] * rounds]


def _loop(music: Music, duration: Fraction) -> SongPart:
    """The bar lines between which a song that is too short loops, or its start and end."""
    beats = music.beats
    if beats is not None and beats.times:
        bars = [time for time in beats.times[:: beats.metre] if time <= duration]
        if len(bars) > 1:
            return bars[0], bars[-1]
    elif beats is not None and beats.tempo is not None:
        bar, first = beats.metre * 60 / beats.tempo, beats.first.seconds
        if first + bar <= duration:
            return first, first + (duration - first) // bar * bar
    return Fraction(0), duration


def _on_bars(music: Music, beats: BeatGrid) -> bool:
    """Whether each part of the edit continues the constant beats of the one before."""
    if beats.tempo is None:
        return False
    bar, line = beats.metre * 60 / beats.tempo, music.parts[0].in_.seconds
    for part in music.parts:
        off = (part.in_.seconds - line) % bar
        if min(off, bar - off) > _SLACK:
            return False
        line = part.out.seconds
    return True


def _edited_beats(music: Music, beats: BeatGrid) -> tuple[Fraction, ...]:
    """Trailer seconds of every beat of an edited song; beats before the trailer's start keep the bars counted."""
    parts = heard_parts(music, Fraction(LONGEST))
    first = parts[0][0] if parts else Fraction(0)
    beat_times = [time - first for time in _song_beats(beats, Fraction(0), first)]
    position = Fraction(0)
    for begin, end in parts:
        beat_times += [position + time - begin for time in _song_beats(beats, begin, end)]
        position += end - begin
    return tuple(beat_times) if len(beat_times) > 1 else (Fraction(0), Fraction(1))


def _song_beats(beats: BeatGrid, begin: Fraction, end: Fraction) -> list[Fraction]:
    """The beats of the song in [begin, end); with a constant tempo none before its first downbeat."""
    if beats.times:
        return [time for time in beats.times if begin <= time < end]
    assert beats.tempo is not None
    period, first = 60 / beats.tempo, beats.first.seconds
    low, high = max(0, math.ceil((begin - first) / period)), math.ceil((end - first) / period)
    return [first + k * period for k in range(low, high)]


def measure(length: Length, at: Fraction, rate: Fraction, grid: Grid | None) -> Fraction | None:
    """Exact seconds of a length that starts at a trailer position; None if it counts beats and there is no grid."""
    match length.unit:
        case "s":
            return length.amount
        case "f":
            return length.amount / rate
        case unit if grid is not None:
            beats = length.amount * (grid.metre if unit == "bars" else 1)
            return grid.after(at, beats) - at
        case _:
            return None
