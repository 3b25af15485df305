"""The requirements on a whole sequence of shots, and the prices with which the search meets them.

    sequence ─ muted shots, continuity, movement of act 3, subjects ─► what it lacks ─ higher prices ─► the next search

A weight that suits one film and genre is too low for another and too high for a third. So weights begin low, which
leaves the choice to the genre's taste, and only what a sequence lacks gets dearer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cinecut.analysis.edit.pairs import Floats, Options

_MUTED = 0.1  # greatest share of shots in which somebody speaks in vain
_DUBBED = 0.3  # greatest share of shots with another sound than their own, mute ones included
_SMOOTH = 0.95  # least share of shuffles that are rougher
_RISING = 1.25  # times the movement of act 2 that each third of act 3 has at least
_SHUFFLES = 200
_FEW = 4  # shots from which an order can be judged
_MUTE_COUNTS = 2  # times as much as the others: a share of muted shots is a small number
_DEARER = 1.25  # factor on the price of what is lacking
_LITTLE = 1.15  # the same for what is only better


@dataclass(frozen=True, slots=True)
class Lacks:
    """How far a sequence is from the requirements, as shares; 0 where it meets them."""

    mute: float
    own: float
    eye: float
    rise: float
    cast: float = 0.0

    @classmethod
    def of(cls, shown: Sequence[tuple[Options, int]], rise: float, miscast: int = 0) -> Lacks:
        """Of the shots in order, each as its slot's options and its index among them; `rise` is the least movement of
        act 3's thirds over act 2's, `miscast` the number of main subjects that act 1 lacks and of shots too many in a
        row."""
        muted = float(np.mean([options.mute[place] for options, place in shown])) if shown else 0.0
        dubbed = sum(bool(options.dubbed[place : place + 1].any()) for options, place in shown) / max(1, len(shown))
        return cls(
            max(0.0, muted - _MUTED),
            max(0.0, dubbed - _DUBBED),
            max(0.0, _SMOOTH - continuity(shown)),
            max(0.0, 1 - min(rise, _RISING) / _RISING),
            miscast / max(1, len(shown)),
        )

    @property
    def total(self) -> float:
        return _MUTE_COUNTS * self.mute + 0.5 * self.own + self.eye + self.rise + self.cast


@dataclass(frozen=True, slots=True)
class Prices:
    """Factors on the weights: of a muted shot, of what the eye meets at a cut, of a too still third of act 3, of
    subjects that are not introduced or stay too long."""

    mute: float = 1.0
    own: float = 1.0
    eye: float = 1.0
    rise: float = 1.0
    cast: float = 1.0

    def raised(self, lacks: Lacks) -> Prices:
        return Prices(
            self.mute * (_DEARER if lacks.mute else 1),
            self.own * (_LITTLE if lacks.own else 1),
            self.eye * (_DEARER if lacks.eye else 1),
            self.rise * (_DEARER if lacks.rise else 1),
            self.cast * (_DEARER if lacks.cast else 1),
        )


def continuity(shown: Sequence[tuple[Options, int]]) -> float:
    """The share of shuffles of the same shots at whose cuts movement, light and the place of the eye change more;
    movement as a rank, and in the film's own unit, in which few shots move most: the smaller share."""
    if len(shown) < _FEW:
        return 1.0
    leaves = np.array([options.leaves[place] for options, place in shown])
    enters = np.array([options.enters[place] for options, place in shown])
    steps = leaves[:, None] - enters[None]
    seen = _shares(np.abs(steps[:, :, 0])) + _shares(np.hypot(steps[:, :, 1], steps[:, :, 2]))
    ranks = np.array([options.motion[place] for options, place in shown])
    moves = np.array([options.moves[place] for options, place in shown])
    return min(_smoother(seen + _shares(np.abs(each[:, None] - each[None]))) for each in (ranks, moves))


def _shares(changes: Floats) -> Floats:
    """As multiples of their mean."""
    return changes / max(1e-9, float(changes.mean()))


def _smoother(cost: Floats) -> float:
    """The share of shuffles that cost more than the order as it is; `cost` [n x n] is that of each pair."""
    orders = np.random.default_rng(1).permuted(np.tile(np.arange(len(cost)), (_SHUFFLES, 1)), axis=1)
    shuffled = cost[orders[:, :-1], orders[:, 1:]].sum(axis=1)
    return float((shuffled > np.trace(cost, 1)).mean())
