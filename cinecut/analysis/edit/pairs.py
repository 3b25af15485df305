"""The value of two consecutive shots, from what the eye meets at the cut between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.edit.candidates import Candidate
from cinecut.analysis.edit.cuts import LAST, Cut, Take
from cinecut.analysis.edit.parts import SPOKEN_WELL, Gap
from cinecut.analysis.edit.weights import Weights
from cinecut.analysis.film.signals import likenesses
from cinecut.analysis.story.subjects import Cast, grouped, same_subject
from cinecut.language.timebase import FilmTime

Floats = NDArray[np.float64]

_CLOSE = 0.6  # likeness from which two shots disturb each other
_FAR = 3.0  # times the usual difference, from which two pictures are as far apart as they can be


def _no_seconds() -> Floats:
    return np.zeros((0, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Shortlist:
    """The candidates of a gap [n] as arrays. `enters` and `leaves` [n, 3] are the light and the place of the eye in the
    first and in the last picture that is shown; `over` and `free` [n, 2] are in seconds."""

    numbers: NDArray[np.int_]  # of the takes
    shots: NDArray[np.int_]
    worths: Floats
    moves: Floats  # in the film's own unit
    motion: Floats  # the same as ranks, 0 to 1
    enters: Floats
    leaves: Floats
    mute: NDArray[np.bool_]  # somebody speaks in vain
    place: dict[tuple[int, int, int], int]  # in the list of each take with its ends: its first one
    ends: NDArray[np.int_] = field(default_factory=lambda: np.zeros((0, 2), int))  # [n, 2] beats: see Gap
    dubbed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))  # its own sound is not heard
    spoils: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))  # it would give away the plot
    over: Floats = field(default_factory=_no_seconds)  # of its sound, over the shot before, and over the one after
    free: Floats = field(default_factory=_no_seconds)  # at its start and end, that may be under a neighbour's sound
    speaks: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))  # it is offered for its line

    @classmethod
    def of(cls, offered: Sequence[Candidate]) -> Shortlist:
        takes = [each.cut.take for each in offered if each.cut.take is not None]
        cuts = [each.cut for each in offered]
        lengths = [each.gap.length for each in offered]
        shown = [(take, cut.in_, length) for take, cut, length in zip(takes, cuts, lengths, strict=True)]
        place: dict[tuple[int, int, int], int] = {}
        for at, each in enumerate(offered):
            place.setdefault((each.number, each.gap.begin, each.gap.end), at)
        return cls(
            np.array([each.number for each in offered], int),
            np.array([take.shot for take in takes], int),
            np.array([each.worth for each in offered], float),
            np.array([take.motion(in_, length) for take, in_, length in shown], float),
            np.array([cut.motion for cut in cuts], float),
            _sights(takes, [cut.in_ for cut in cuts]),
            _sights(takes, [in_ + length - LAST for _, in_, length in shown]),
            np.array([cut.silenced for cut in cuts], bool),
            place,
            np.array([(each.gap.begin, each.gap.end) for each in offered], int).reshape(-1, 2),
            np.array([not cut.own_sound for cut in cuts], bool),
            np.array([each.spoils for each in offered], bool),
            np.array([(cut.lead, cut.trail) for cut in cuts], float).reshape(-1, 2),
            np.array([_free(cut, length) for cut, length in zip(cuts, lengths, strict=True)], float).reshape(-1, 2),
            np.array([cut.line is not None for cut in cuts], bool),
        )


@dataclass(frozen=True, slots=True)
class Meeting:
    """How a shot follows the one before: directly, or after black or a card; and a factor on the cost for the eye."""

    at_once: bool
    price: float = 1.0


@dataclass(frozen=True)
class Pairs:
    """How well takes follow each other. Two with more than the likeness `alike` show the same set-up: never neighbours,
    and at a cost within reach; two that show the same subject cost too."""

    takes: Sequence[Take]
    weights: Weights
    order: float  # of the skeleton, 0 to 1
    alike: float

    @cached_property
    def likeness(self) -> Floats:
        """Between all pairs of takes."""
        return likenesses([take.look for take in self.takes]).astype(np.float64)

    @cached_property
    def near(self) -> Floats:
        """The cost of two similar takes within reach. That of one subject is compared with the film's mean: where all
        show the same, none costs, and no slot stays empty for it."""
        weight = self.weights.pair
        same = weight["set_up"] * (self.likeness > self.alike) + weight["subject"] * (
            self.subjects - self.subjects.mean()
        )
        return np.asarray(weight["alike"] * np.maximum(0, self.likeness - _CLOSE) + same)

    @cached_property
    def set_ups(self) -> list[NDArray[np.int_]]:
        """The takes of each set-up of the film."""
        return grouped(self.likeness, self.alike)

    @cached_property
    def repeats(self) -> NDArray[np.bool_]:
        """Whether a line that stands alone in one take has the words of one in another [takes + 1, takes]; the last row
        is of no take."""
        saying = defaultdict[str, set[int]](set)
        for number, take in enumerate(self.takes):
            for line in take.lines:
                if line.words and line.standalone >= SPOKEN_WELL:
                    saying[line.words].add(number)
        repeats = np.zeros((len(self.takes) + 1, len(self.takes)), bool)
        for one, other in (pair for numbers in saying.values() for pair in permutations(numbers, 2)):
            repeats[one, other] = True
        return repeats

    @cached_property
    def subjects(self) -> Floats:
        """How surely all pairs of takes show the same subject."""
        return same_subject([take.look for take in self.takes]).astype(np.float64)

    @cached_property
    def cast(self) -> Cast:
        """The film's main subjects, and which take shows which."""
        return Cast.of([take.look for take in self.takes])

    @cached_property
    def _start(self) -> Floats:
        return np.array([float(take.range.start.seconds) for take in self.takes])

    def usual(self, options: Sequence[Shortlist]) -> Floats:
        """The mean differences between the candidates of neighbouring slots in movement, light and place of the eye: a
        large difference in one film is small in another."""
        pairs = [_differences(a, b) for a, b in pairwise([each for each in options if len(each.numbers)])]
        if not pairs:
            return np.ones(3)
        means = np.array([[float(each.mean()) for each in three] for three in pairs]).mean(axis=0)
        return np.asarray(np.where(means > 1e-9, means, 1.0))

    def steps(self, before: Shortlist, after: Shortlist, gap: Gap, usual: Floats, joint: Meeting) -> Floats:
        """What each candidate of a gap is worth after each one of the gap before it [before x after]; -inf for two of
        one set-up, and where one does not begin where the other ends. After black or a card only what the eye meets
        counts."""
        weight = self.weights.pair
        worth = np.zeros((len(before.numbers), len(after.numbers)))
        for name, difference, mean in zip(
            ("movement", "light", "eye"), _differences(before, after), usual, strict=True
        ):
            worth += joint.price * weight[name] * np.minimum(_FAR, difference / mean)
        if not joint.at_once:
            return worth
        if not gap.opens:
            later = self._start[after.numbers][None] - self._start[before.numbers][:, None]
            worth += weight["order"] * self.order * np.sign(later)
        worth[self.likeness[np.ix_(before.numbers, after.numbers)] > self.alike] = -np.inf
        worth[before.ends[:, 1][:, None] != after.ends[:, 0][None]] = -np.inf
        worth[before.over[:, 1][:, None] > after.free[:, 0][None]] = -np.inf
        worth[after.over[:, 0][None] > before.free[:, 1][:, None]] = -np.inf
        return worth


def _free(cut: Cut, length: Fraction) -> tuple[float, float]:
    """The seconds at the start and at the end of a part that may be under a neighbour's sound: half of it at most, and
    nothing of what somebody says in it."""
    half = float(length) / 2
    if not cut.own_sound or cut.take is None:
        return half, half
    if cut.lead or cut.trail or cut.line is not None:
        return 0.0, 0.0
    spoken = [line.range for line in cut.take.lines if line.range.start < cut.in_ + length and line.range.end > cut.in_]
    starts = [float(each.start - cut.in_) for each in spoken]
    ends = [float((cut.in_ + length) - each.end) for each in spoken]
    return min(half, *starts, half), min(half, *ends, half)


def _sights(takes: Sequence[Take], times: Sequence[FilmTime]) -> Floats:
    """The light and the place of the eye in each take at a time [n, 3]."""
    return np.array([take.sight(time) for take, time in zip(takes, times, strict=True)], float).reshape(-1, 3)


def _differences(before: Shortlist, after: Shortlist) -> tuple[Floats, Floats, Floats]:
    """Of movement, light and the place of the eye, each [before x after]."""
    steps = before.leaves[:, None] - after.enters[None]
    return (
        np.abs(before.motion[:, None] - after.motion[None]),
        np.abs(steps[:, :, 0]),
        np.hypot(steps[:, :, 1], steps[:, :, 2]),
    )
