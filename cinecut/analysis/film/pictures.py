"""Key frames: the moments of the film whose pictures are measured, and these pictures.

The moments are the middles of the subtitles, the middles of the shots, and further ones so that no gap in a shot
exceeds 30 seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.dialogue.lines import Line, Spoken
from cinecut.analysis.film.shots import FilmShot
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import picture_stream

LARGEST_GAP = Fraction(30)
_WIDTH, _TALLEST = 320, 640  # pixels of a picture for measuring
_PATIENCE = 400  # most pictures decoded for one moment


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment to measure: the index of its shot, and of the line spoken there, if any."""

    time: FilmTime
    shot: int
    line: int | None = None


def moments(shots: Sequence[FilmShot], lines: Sequence[Line]) -> list[Moment]:
    """The key frames of a film, in order."""
    wanted, spoken = [], Spoken(lines)
    for shot in shots:
        mid = [(line.range.start.seconds + line.range.duration / 2, line.index) for line in spoken.within(shot.range)]
        inside = [mark for mark in mid if shot.range.start.seconds <= mark[0] < shot.range.end.seconds]
        middle = (shot.range.start.seconds + shot.range.end.seconds) / 2
        marks = _apart([*inside, (middle, None)])
        wanted += [Moment(FilmTime(at), shot.index, line) for at, line in _without_gaps(shot, marks)]
    return wanted


_NEAREST = Fraction(1, 2)  # least seconds between two moments of a shot: a nearer one shows nothing new


def _apart(marks: list[tuple[Fraction, int | None]]) -> list[tuple[Fraction, int | None]]:
    """The marks in order, without those that follow another too closely."""
    kept: list[tuple[Fraction, int | None]] = []
    for mark in sorted(marks, key=_time):
        if not kept or mark[0] - kept[-1][0] >= _NEAREST:
            kept.append(mark)
    return kept


def _time(mark: tuple[Fraction, int | None]) -> Fraction:
    return mark[0]


def _without_gaps(shot: FilmShot, marks: list[tuple[Fraction, int | None]]) -> list[tuple[Fraction, int | None]]:
    """The marks, and further ones wherever two are farther apart than the largest gap."""
    bounds = [shot.range.start.seconds, *[at for at, _ in marks], shot.range.end.seconds]
    added: list[tuple[Fraction, int | None]] = []
    for left, right in pairwise(bounds):
        pieces = int((right - left) / LARGEST_GAP)
        added += [(left + (right - left) * k / (pieces + 1), None) for k in range(1, pieces + 1)]
    return sorted(marks + added, key=_time)


@dataclass(frozen=True, slots=True, eq=False)
class KeyPicture:
    """`bgr` [uint8, height x width x 3] of a shot as stored, without rotation or pixel aspect: 320 pixels wide, or
    less if it would be taller than 640."""

    shot: int
    time: FilmTime
    bgr: NDArray[np.uint8]


def look(
    film: Path, facts: FilmFacts, shots: Sequence[FilmShot], wanted: Sequence[Moment], progress: Callable[[float], None]
) -> Iterator[KeyPicture]:
    """A picture for each moment: the key frame before it if that is in the same shot (a single decode), else the
    picture at the moment itself. A key frame for two moments is yielded once."""
    ranges = {shot.index: shot.range for shot in shots}
    shown: set[tuple[int, FilmTime]] = set()
    with open_film(film, facts) as media:
        reader = FrameReader(media, picture_stream(media, film), facts.start)
        for done, moment in enumerate(wanted):
            picture = _picture_at(reader, moment, ranges[moment.shot])
            progress((done + 1) / len(wanted))
            if picture is not None and (picture.shot, picture.time) not in shown:
                shown.add((picture.shot, picture.time))
                yield picture


def _picture_at(reader: FrameReader, moment: Moment, within: FilmRange) -> KeyPicture | None:
    for count, (time, frame) in enumerate(reader.since(moment.time)):
        near = frame.key_frame and within.start <= time < within.end
        if time >= moment.time or near or count > _PATIENCE:
            scale = min(_WIDTH / frame.width, _TALLEST / frame.height)
            width, height = (max(2, round(side * scale)) for side in (frame.width, frame.height))
            small = frame.reformat(width=width, height=height, format="bgr24", interpolation="AREA")
            return KeyPicture(moment.shot, time, np.asarray(small.to_ndarray(), np.uint8))
    return None
