"""The activity of the shots: how they move, how light they are and where the eye goes, 24 times a second.

    packets ─ sizes ─► movement, moment of action      pictures, if the film is short enough ─► movement, light, the eye

An encoder spends bytes where the picture changes, so the sizes of the packets tell the movement of any film at once.
The pictures tell it exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.movement.course import MOVE, Course, courses
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.stage import Advance, Stage
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmTime
from cinecut.media.frames import open_film
from cinecut.media.open import packets_of, picture_stream


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """A shot's movement, and its light and eye in steps of MOVE where its pictures are known.

    The unit of the movement is the film's own: shades of grey a picture, or shares of the usual key frame's size.
    """

    motion: float  # of the whole shot
    peak: FilmTime | None  # the moment of action: a picture much larger than the others
    curve: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))  # the motion in each MOVE
    light: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))  # 0 to 1
    eye: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 2), np.float32))  # as in Appearance

    def within(self, first: int, until: int) -> Activity:
        """A part of it, in steps of MOVE."""
        return replace(self, curve=self.curve[first:until], light=self.light[first:until], eye=self.eye[first:until])


def activities(film: Path, facts: FilmFacts, shots: Sequence[FilmShot], progress: Advance) -> dict[int, Activity]:
    """The activity of each shot by its index. Empty for a long film of key frames only."""
    sizes = by_packets(film, facts, shots)
    seen = courses(film, facts, shots, progress)
    if not seen:
        return sizes
    return {index: _seen(course, sizes.get(index)) for index, course in seen.items()}


def _seen(course: Course, sizes: Activity | None) -> Activity:
    motion = float(course.moves.mean())
    return Activity(motion, sizes.peak if sizes else None, course.moves, course.light, course.eye)


_USUAL = (
    60  # percentile of a shot's picture sizes: it follows the movement better than their mean, which one cut spoils
)
_COARSE = 6  # MOVEs of one figure by packets: kinds of pictures differ more in size than in movement
_PEAK = 3.0  # times the upper quartile of a shot's picture sizes that a moment of action has at least
_PEAK_LEAST = 0.05  # of a key frame's size; smaller pictures show no visible change


def by_packets(film: Path, facts: FilmFacts, shots: Sequence[FilmShot]) -> dict[int, Activity]:
    """The activity of each shot by its index, by the sizes of the packets. Empty for films of key frames only."""
    time, size, key = _packets(film, facts)
    if len(time) == 0 or key.mean() > 0.9:
        return {}
    key_size, usual_key = np.interp(time, time[key], size[key]), float(np.median(size[key]))
    activities = {}
    for shot in shots:
        first, last = np.searchsorted(time, [float(shot.range.start.seconds), float(shot.range.end.seconds)])
        inner = np.flatnonzero(~key[first:last]) + first
        if len(inner):
            motion = float(np.percentile(size[inner], _USUAL) / usual_key)
            peak = _peak(time[inner], size[inner], key_size[inner], facts.rate)
            curve = _curve(time[inner] - float(shot.range.start.seconds), size[inner] / usual_key)
            activities[shot.index] = Activity(motion, peak, curve)
    return activities


def _curve(time: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float32]:
    """The median of the sizes in each quarter of a second, in steps of MOVE; where there is no picture, that of the
    shot."""
    place = np.maximum(0, (time / float(_COARSE * MOVE)).astype(int))
    usual = float(np.median(size))
    bins = (size[place == number] for number in range(int(place.max()) + 1))
    return np.repeat(np.array([np.median(each) if len(each) else usual for each in bins], np.float32), _COARSE)


def _peak(
    time: NDArray[np.float64], size: NDArray[np.float64], key_size: NDArray[np.float64], rate: Fraction
) -> FilmTime | None:
    """The picture with several times the usual bytes, if there is one away from the shot's ends."""
    margin = max(2, int(rate / 4))
    if len(size) < 2 * margin + 3:
        return None
    place = margin + int(np.argmax(size[margin:-margin]))
    if size[place] < max(_PEAK * np.percentile(size, 75), _PEAK_LEAST * key_size[place]):
        return None
    return FilmTime(round(float(time[place]) * float(rate)) / rate)


def _packets(film: Path, facts: FilmFacts) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Time in seconds, size in bytes and key flag of every video packet, in display order."""
    stamps, sizes, keys = [], [], []
    with open_film(film, facts) as media:
        video = picture_stream(media, film)
        base = Fraction(video.time_base or 1)
        for packet in packets_of(media, video):
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is not None and packet.size:
                stamps.append(stamp)
                sizes.append(packet.size)
                keys.append(packet.is_keyframe)
    time = (np.array(stamps, float) - round(facts.start / base)) * float(base)
    order = np.argsort(time, kind="stable")
    return time[order], np.array(sizes, float)[order], np.array(keys, np.bool_)[order]


ACTIVITY = Stage("activity", dict[int, Activity], activities)
