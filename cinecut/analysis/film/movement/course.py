"""The course of the shots by their pictures: decoded once, small, in a longer film without those that no other needs.

The movement is the difference of pictures that follow each other, spread over the time between them. Without those
pictures its rank correlation with the difference of all is .99 on every film that was tried, at half the cost; but a
part of a second may seem to move by a third more or less than it does, and a short trailer shows few parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import eye_of
from cinecut.analysis.stage import Advance, by_halves
from cinecut.language.facts import FilmFacts
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import picture_stream

Floats = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]  # while they are worked with
Image = NDArray[np.uint8]

MOVE = Fraction(1, 24)  # seconds between two figures of a shot: so a part of half a second has its own
_SMALL = (64, 36)  # width and height in pixels
_MOST = 40_000_000_000  # pixels of all shots: half an hour at 720p and 24 pictures a second
_EVERY = 12_000_000_000  # the same up to which every picture is looked at: ten minutes
_GROWTH = 0.7  # power of their distance with which the difference of two pictures usually grows
_LEAST_CHANGE = 0.02  # shades of grey; from less, no growth can be told


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
    gray: Image


def courses(film: Path, facts: FilmFacts, shots: Sequence[FilmShot], progress: Advance) -> dict[int, Course]:
    """The course of each shot by its index; half of the film in each thread. Empty if the film is too long."""
    seconds = sum((shot.range.duration for shot in shots), Fraction(0))
    pixels = facts.size[0] * facts.size[1] * facts.rate * seconds
    if pixels > _MOST:
        return {}

    def followed(half: Sequence[FilmShot], report: Advance) -> dict[int, Course]:
        found: dict[int, Course] = {}
        for number, (shot, glances) in enumerate(_watched(film, facts, half, pixels > _EVERY), start=1):
            if len(glances) > 1:
                found[shot.index] = _course(glances, shot.range.duration, facts.rate)
            report(number / len(half))
        return found

    return reduce(or_, by_halves(shots, followed, progress), {})


def _watched(
    film: Path, facts: FilmFacts, shots: Sequence[FilmShot], rough: bool
) -> Iterator[tuple[FilmShot, list[_Glance]]]:
    """Each shot with its pictures, all of them or, `rough`, those that others need."""
    with open_film(film, facts) as media:
        video = picture_stream(media, film)
        video.codec_context.options = {"skip_loop_filter": "all"}
        waiting, glances, half = iter(shots), list[_Glance](), 1 / (2 * facts.rate)  # stamps may be rounded
        shot = next(waiting, None)
        for time, frame in FrameReader(media, video, facts.start, rough).since(shots[0].range.start):
            while shot is not None and time + half >= shot.range.end:
                yield shot, glances
                shot, glances = next(waiting, None), []
            if shot is None:
                return
            if time + half >= shot.range.start:
                glances.append(_Glance(max(0.0, float(time - shot.range.start)), _small(frame)))
        if shot is not None:
            yield shot, glances


def _small(frame: VideoFrame) -> Image:
    small = frame.reformat(width=_SMALL[0], height=_SMALL[1], format="gray", interpolation="AREA")
    return np.asarray(small.to_ndarray(), np.uint8)


def _course(glances: Sequence[_Glance], seconds: Fraction, rate: Fraction) -> Course:
    """The figures of each MOVE of a shot that lasts so long; where it has no picture, those of the one before."""
    at, grays = np.array([glance.at for glance in glances]), [glance.gray for glance in glances]
    apart = np.maximum(1, np.round(np.diff(at) * float(rate)))
    change = _changes(grays, 1)
    edges = np.arange(-(-seconds // MOVE) + 1) * float(MOVE)
    first, after = np.searchsorted(at, edges[:-1]), np.searchsorted(at, edges[1:])
    chosen = np.maximum(0, np.where(first < after, first, first - 1))
    seen, where = np.unique(chosen, return_inverse=True)
    return Course(
        _spread(at, change / apart ** _growth(grays, change, apart), edges).astype(np.float32),
        np.array([grays[number].mean() / 255 for number in seen], np.float32)[where],
        np.array([eye_of(grays[number]) for number in seen], np.float32)[where],
    )


def _changes(grays: Sequence[Image], step: int) -> Numbers:
    """The mean differences of pictures so many places apart, in shades of grey. One by one: a film may be one shot."""
    return np.array([cv2.absdiff(*pair).mean() for pair in zip(grays, grays[step:], strict=False)])


def _growth(grays: Sequence[Image], change: Numbers, apart: Numbers) -> float:
    """The power of their distance with which the difference of two pictures grows in this shot: not at all by grain,
    in proportion by a slow pan. Halfway between what its own pictures tell and what is usual."""
    if len(grays) < 3:
        return _GROWTH
    far = _changes(grays, 2)
    near, by = (np.concatenate([each[:-1], each[1:]]) for each in (change, apart))
    known = near > _LEAST_CHANGE
    further = np.log(np.tile(apart[:-1] + apart[1:], 2) / by)[known]
    larger = np.log(np.maximum(np.tile(far, 2)[known], _LEAST_CHANGE) / near[known])
    own = float(further @ larger / (further @ further)) if known.any() else _GROWTH
    return min(1.0, max(0.0, (own + _GROWTH) / 2))


def _spread(at: Numbers, rates: Numbers, edges: Numbers) -> Numbers:
    """The mean of `rates`, each of which lasts from one of the times `at` to the next, between every two edges; where
    they do not reach, the last one before."""
    total = np.interp(edges, at, np.concatenate([[0.0], np.cumsum(rates * np.diff(at))]))
    covered = np.diff(np.clip(edges, at[0], at[-1]))
    known = np.flatnonzero(covered > 1e-6)
    means = np.diff(total)[known] / covered[known]
    return np.asarray(means[np.maximum(0, np.searchsorted(known, np.arange(len(covered)), "right") - 1)])
