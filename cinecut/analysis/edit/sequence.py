"""The sequence: one candidate for each slot, chosen together, so that each shot leads to the next.

    candidates of all slots ─ beam search: their worth, and that of each pair in a row ─► one path

Two in a row must not look alike; movement, light and the place of the eye carry over, picture sizes alternate, and the
order of the film is kept as far as the skeleton wants. After black anything may follow: the cut is the hit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.edit.candidates import Candidate
from cinecut.analysis.edit.cuts import Take
from cinecut.analysis.edit.parts import Gap
from cinecut.analysis.edit.weights import Weights

Floats = NDArray[np.float64]

_BEAM = 24  # paths that are kept
_REACH = 3  # shots within which two that look alike disturb
_CLOSE = 0.6  # likeness from which two shots disturb each other
_FACE = 0.02  # of the picture: a face from which a shot is a close one


@dataclass(frozen=True)
class Pairs:
    """How well takes follow each other, all against all [n, n]: rows are the earlier ones."""

    takes: Sequence[Take]
    weights: Weights
    order: float  # of the skeleton, 0 to 1

    @cached_property
    def likeness(self) -> Floats:
        """As `signals.likeness`, for all pairs."""
        colors = np.stack([take.look.colors for take in self.takes]).astype(np.float64)
        layouts = np.stack([take.look.layout.ravel() for take in self.takes]).astype(np.float64)
        shared = np.stack([np.minimum(row, colors).sum(axis=1) for row in colors])
        return np.asarray((shared + np.maximum(0, layouts @ layouts.T / layouts.shape[1])) / 2)

    @cached_property
    def flow(self) -> Floats:
        """What a pair in a row is worth, without the order of the film and likeness."""
        weight = self.weights.pair
        motion = np.array([take.signals.motion for take in self.takes])
        light = np.stack([take.look.light for take in self.takes]).astype(np.float64)
        eye = np.array([take.look.eye for take in self.takes])
        close = np.array([take.look.face >= _FACE for take in self.takes])
        steps = np.abs(light[:, None] - light[None]).mean(axis=2)
        usual = float(np.median(steps)) or 1.0
        worth = weight["movement"] * np.abs(motion[:, None] - motion[None])
        worth = worth + weight["light"] * np.minimum(1, steps / usual / 3)
        worth = worth + weight["eye"] * np.hypot(*np.moveaxis(eye[:, None] - eye[None], 2, 0))
        return np.asarray(worth + weight["size"] * (close[:, None] == close[None]) * bool(close.any()))

    @cached_property
    def later(self) -> Floats:
        """1 if the second of a pair is also later in the film, -1 if it is earlier."""
        start = np.array([float(take.range.start.seconds) for take in self.takes])
        return np.asarray(np.sign(start[None] - start[:, None]))

    @cached_property
    def swell(self) -> Floats:
        loud = np.array([take.signals.loud for take in self.takes])
        return np.asarray(np.sign(loud[None] - loud[:, None]))

    @cached_property
    def near(self) -> Floats:
        """What two that look alike cost, within reach."""
        return np.asarray(self.weights.pair["alike"] * np.maximum(0, self.likeness - _CLOSE))


@dataclass(frozen=True, slots=True)
class _Path:
    """Candidates for the first slots, by their place in the slots' lists (-1: none); `takes` are their numbers."""

    worth: float
    chosen: tuple[int, ...] = ()
    takes: tuple[int, ...] = ()
    shots: frozenset[int] = frozenset()
    last: int = -1  # the take before, or -1 after black


def sequence(
    gaps: Sequence[Gap], offers: Sequence[Sequence[Candidate]], pairs: Pairs, alike: float
) -> list[Candidate | None]:
    """The best candidate of each gap, None where nothing is left. `alike` is the greatest likeness of neighbours. No
    take is used twice."""
    paths = [_Path(0.0)]
    for gap, offered in zip(gaps, offers, strict=True):
        if not gap.slot.want.shows:
            paths = [_Path(p.worth, (*p.chosen, -1), p.takes, p.shots) for p in paths]
            continue
        numbers = np.array([each.number for each in offered], int)
        worths = np.array([each.worth for each in offered])
        grown: list[tuple[float, int, int]] = []
        for at, path in enumerate(paths):
            values = _values(gap, numbers, worths, path, pairs, alike)
            grown.append((path.worth + pairs.weights.empty, at, -1))
            for place in np.argsort(-values, kind="stable")[:_BEAM]:
                if np.isfinite(values[place]):
                    grown.append((path.worth + float(values[place]), at, int(place)))
        grown.sort(key=lambda each: (-round(each[0], 6), each[1], each[2]))
        paths = [_grown(paths[at], worth, place, numbers, pairs) for worth, at, place in grown[:_BEAM]]
    best = paths[0]
    return [None if place < 0 else offered[place] for place, offered in zip(best.chosen, offers, strict=True)]


def _values(gap: Gap, numbers: NDArray[np.int_], worths: Floats, path: _Path, pairs: Pairs, alike: float) -> Floats:
    """What each candidate adds to a path; -inf for those that must not follow."""
    if not len(numbers):
        return worths
    weight, act = pairs.weights.pair, gap.slot.act
    values = worths.copy()
    if path.last >= 0:
        values += pairs.flow[path.last, numbers]
        if not gap.opens:
            values += weight["order"] * pairs.order * pairs.later[path.last, numbers]
            if act == "act 3":
                values += weight["swell"] * pairs.swell[path.last, numbers]
        values[pairs.likeness[path.last, numbers] > alike] = -np.inf
    for other in path.takes[-_REACH:]:
        values += pairs.near[other, numbers]
    shots = np.array([pairs.takes[number].shot in path.shots for number in numbers])
    values += pairs.weights.again * shots
    values[np.isin(numbers, path.takes)] = -np.inf
    return values


def _grown(path: _Path, worth: float, place: int, numbers: NDArray[np.int_], pairs: Pairs) -> _Path:
    if place < 0:
        return _Path(worth, (*path.chosen, -1), path.takes, path.shots, path.last)
    take = int(numbers[place])
    shots = path.shots | {pairs.takes[take].shot}
    return _Path(worth, (*path.chosen, place), (*path.takes, take), shots, take)
