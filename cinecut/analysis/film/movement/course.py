"""The course of the shots by their pictures: decoded once, small, without those that no other one needs.

The movement is the difference of pictures that follow each other. Its rank correlation with the difference of all
pictures is .99 on every film that was tried, at about half the cost of decoding them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Event

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import eye_of
from cinecut.language.facts import FilmFacts
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import picture_stream

Floats = NDArray[np.float32]
Advance = Callable[[float], None]

MOVE = Fraction(1, 4)  # seconds between two figures of a shot
_SMALL = (64, 36)  # width and height in pixels
_MOST = 40_000_000_000  # pixels of all shots: half an hour at 720p and 24 pictures a second
_GROWTH = 0.7  # power of their distance with which the difference of two pictures grows


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Figures of a shot in steps of MOVE: movement as the difference of two neighbours in shades of grey, light from 0
    to 1, and where the eye goes [n, 2], as in Appearance."""

    moves: Floats
    light: Floats
    eye: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Glance:
    """A small picture at a time, in seconds from the start of its shot."""

    at: float
    gray: NDArray[np.uint8]


def courses(film: Path, facts: FilmFacts, shots: Sequence[FilmShot], progress: Advance) -> dict[int, Course]:
    """The course of each shot by its index; half of the film in each thread. Empty if the film is too long."""
    seconds = sum((shot.range.duration for shot in shots), Fraction(0))
    if facts.size[0] * facts.size[1] * facts.rate * seconds > _MOST:
        return {}
    middle = len(shots) // 2
    halves = [half for half in (shots[:middle], shots[middle:]) if half]
    done, stopped = [0.0] * len(halves), Event()

    def followed(number: int) -> dict[int, Course]:
        found: dict[int, Course] = {}
        for shot, glances in _watched(film, facts, halves[number]):
            if stopped.is_set():
                raise CancelledError
            if len(glances) > 1:
                found[shot.index] = _course(glances, facts)
            done[number] += 1 / len(halves[number])
            progress(sum(done) / len(done))
        return found

    both: dict[int, Course] = {}
    with ThreadPoolExecutor(2) as pool:
        try:
            for found in pool.map(followed, range(len(halves))):
                both |= found
        except BaseException:  # such as an interrupt, which must not wait for the threads to finish
            stopped.set()
            raise
    return both


def _watched(film: Path, facts: FilmFacts, shots: Sequence[FilmShot]) -> Iterator[tuple[FilmShot, list[_Glance]]]:
    """Each shot with its pictures."""
    with open_film(film, facts) as media:
        video = picture_stream(media, film)
        video.codec_context.options = {"skip_loop_filter": "all"}
        waiting, glances, half = iter(shots), list[_Glance](), 1 / (2 * facts.rate)  # stamps may be rounded
        shot = next(waiting, None)
        for time, frame in FrameReader(media, video, facts.start).since(shots[0].range.start):
            while shot is not None and time + half >= shot.range.end:
                yield shot, glances
                shot, glances = next(waiting, None), []
            if shot is None:
                return
            if time + half >= shot.range.start:
                glances.append(_Glance(max(0.0, float(time - shot.range.start)), _small(frame)))
        if shot is not None:
            yield shot, glances


def _small(frame: VideoFrame) -> NDArray[np.uint8]:
    small = frame.reformat(width=_SMALL[0], height=_SMALL[1], format="gray", interpolation="AREA")
    return np.asarray(small.to_ndarray(), np.uint8)


def _course(glances: Sequence[_Glance], facts: FilmFacts) -> Course:
    """The figures of each MOVE; where it has no picture, those of the one before."""
    at = np.array([glance.at for glance in glances])
    grays = np.stack([glance.gray for glance in glances]).astype(np.int16)
    apart = np.maximum(1, np.round(np.diff(at) * float(facts.rate)))
    change = np.abs(np.diff(grays, axis=0)).mean(axis=(1, 2)) / apart**_GROWTH
    place = (at / float(MOVE)).astype(int)
    count = int(place[-1]) + 1
    first = np.searchsorted(place, np.arange(count))
    chosen = np.minimum(
        np.where(place[np.minimum(first, len(at) - 1)] == np.arange(count), first, first - 1), len(at) - 1
    )
    steps = np.minimum(place[1:], count - 1)
    pictures = np.bincount(steps, minlength=count)
    moves = np.bincount(steps, change, count) / np.maximum(1, pictures)
    known = np.flatnonzero(pictures)
    moves = moves[known[np.maximum(0, np.searchsorted(known, np.arange(count), "right") - 1)]]
    return Course(
        moves.astype(np.float32),
        (grays[chosen].mean(axis=(1, 2)) / 255).astype(np.float32),
        np.array([eye_of(glances[int(number)].gray) for number in chosen], np.float32),
    )
