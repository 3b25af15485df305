"""Key frames: the moments of the film whose pictures are measured, and these pictures.

The moments are the middles of the subtitles, the middles of the shots, and further ones so that no gap in a shot
exceeds 30 seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.dialogue.lines import Line, Spoken
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.stage import Advance
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import picture_stream

LARGEST_GAP = Fraction(30)
_WIDTH, _TALLEST = 320, 640  # pixels of a picture for measuring
_PATIENCE = 400  # most pictures decoded for one moment


@dataclass(frozen=True, slots=True)
class Moment:
    """A time to measure, and the index of its shot."""

    time: FilmTime
    shot: int


def moments(shots: Sequence[FilmShot], lines: Sequence[Line]) -> list[Moment]:
    """The key frames of a film, in order."""
    wanted, spoken = [], Spoken(lines)
    for shot in shots:
        start, end = shot.range.start.seconds, shot.range.end.seconds
        middles = [line.range.start.seconds + line.range.duration / 2 for line in spoken.within(shot.range)]
        times = _apart([(start + end) / 2, *(time for time in middles if start <= time < end)])
        wanted += [Moment(FilmTime(time), shot.index) for time in _without_gaps(shot, times)]
    return wanted


_NEAREST = Fraction(1, 2)  # least seconds between two moments of a shot: a nearer one shows nothing new


def _apart(times: list[Fraction]) -> list[Fraction]:
    """The times in order, without those that follow another too closely."""
    kept: list[Fraction] = []
    for time in sorted(times):
        if not kept or time - kept[-1] >= _NEAREST:
            kept.append(time)
    return kept


def _without_gaps(shot: FilmShot, times: list[Fraction]) -> list[Fraction]:
    """The times, and further ones wherever two are farther apart than the largest gap."""
    added: list[Fraction] = []
    for left, right in pairwise([shot.range.start.seconds, *times, shot.range.end.seconds]):
        pieces = int((right - left) / LARGEST_GAP)
        added += [left + (right - left) * k / (pieces + 1) for k in range(1, pieces + 1)]
    return sorted(times + added)


@dataclass(frozen=True, slots=True, eq=False)
class KeyPicture:
    """`bgr` [uint8, height x width x 3] of a shot as stored, without rotation or pixel aspect: 320 pixels wide, or
    less if it would be taller than 640."""

    shot: int
    time: FilmTime
    bgr: NDArray[np.uint8]


def key_pictures(
    film: Path, facts: FilmFacts, shots: Sequence[FilmShot], wanted: Sequence[Moment], progress: Advance
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
