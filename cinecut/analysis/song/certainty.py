"""How sure it is that a song is counted right, for its confidence.

The scores of the ways to count say which one is best, but they overrate themselves where a song has little to go by:
drums alone, six eighths that could be three beats, accents between the beats. So the odds of the best way are one of
seven kinds of evidence in a logistic model. Its weights were fitted by `bench/song_analysis/fit_certainty.py` to songs
by recipe, most of them new to the weights of `counting`; a wrong song weighed twelve times as much as a right one.

A song has one metre here. So each stretch of a few bars is also asked by itself how its beats form bars, by the same
evidence as the whole: where another metre leads clearly, the bars found are those of a part of the song alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOST = 6.0  # evidence beyond it says no more: the odds are then 400 to 1
_NEAR = 3  # places around a beat within which its onset may peak
_SOFT = 0.05  # against the mean strength of a song: onsets below it do not differ
_EVEN = 0.1  # spread of the beats' onsets, against that mean, below which they are equally strong

# Evidence by kind: names of `counting.NAMES`, or of `odds`, `lead` and `in_the_bar`.
RAISES = {
    "odds": 0.696,
    "lead over other metres": 0.325,
    "quarters low": 0.608,
    "another place in the middle": 1.78,
}
LOWERS = {
    "uneven treble between beats": 1.04,
    "bars alike pattern": 2.27,  # a loop that never varies says the same for every way to count it
    "half low": 0.235,
}
_BIAS = 1.05


def certainty(evidence: Mapping[str, float]) -> float:
    """The probability, 0..1, that beats and bars are right, by evidence of every kind that raises or lowers it."""
    total = _BIAS + sum(weight * min(evidence[name], MOST) for name, weight in RAISES.items())
    total -= sum(weight * min(evidence[name], MOST) for name, weight in LOWERS.items())
    return float(1 / (1 + np.exp(-total)))


def odds(score: Array, same: NDArray[np.bool_]) -> float:
    """The logarithm of the odds of those ways to count that are the `same` as the best one, by the scores of all."""
    return _log_sum(score[same]) - _log_sum(score[~same])


def lead(score: Array, others: NDArray[np.bool_]) -> float:
    """By how much the best score exceeds that of the `others`; `MOST` if there are none."""
    return float(score.max() - score[others].max()) if others.any() else MOST


def in_the_bar(onsets: Mapping[str, Array], start: int, period: int, metre: int) -> dict[str, float]:
    """How onsets by band group [places] are spread over the bar, of which `start` is a first place: how much stronger
    another beat or half beat is than the downbeat in the middle (a snare), and how unevenly the treble falls between
    the beats, against how unevenly on them (where it should be even)."""
    middle, treble = (_beats_and_halves(onsets[name][start:], period, metre) for name in ("mid", "high"))
    return {
        "another place in the middle": float(np.log((middle.flat[1:].max() + _SOFT) / (middle[0, 0] + _SOFT))),
        "uneven treble between beats": float(treble[:, 1].std() / (treble[:, 0].std() + _EVEN)),
    }


def _beats_and_halves(onsets: Array, period: int, metre: int) -> Array:
    """The strength of each beat of a mean bar and of the half beat after it [metre, 2]."""
    bar = period * metre
    mean = onsets[: onsets.size // bar * bar].reshape(-1, bar).mean(axis=0)
    places = np.arange(metre)[:, None] * period + np.array([0, period // 2])
    return np.asarray(np.max([mean[(places + near) % bar] for near in range(-_NEAR, _NEAR + 1)], axis=0))


def _log_sum(values: Array) -> float:
    return float(np.logaddexp.reduce(values)) if values.size else -np.inf


Bars = Sequence[tuple[int, int, Sequence[float]]]
"""Every metre and first downbeat of a stretch of beats, with what speaks for them."""

_STRETCH = 28  # beats: four bars of seven
_STEP = 7  # beats from one stretch to the next
_CLEARLY = 2.0  # of a score; in songs by recipe that keep their metre another way leads by 1.1 at most


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of another metre, and the number of its first beat."""

    beat: int
    metre: int


def change_of_metre(
    beats: int, way: tuple[int, int], bars_of: Callable[[slice], Bars], weights: Sequence[float]
) -> Change | None:
    """The stretch, among a song's beats, where another metre leads most; None where none leads clearly. Bars that begin
    elsewhere for a while are no other metre: players accent them so.

    way : the metre of the whole song, and the number of a downbeat
    bars_of : the ways in a stretch; the last ones of `weights` are for what speaks for them
    """
    found, most = None, _CLEARLY
    for begin in sorted({*range(0, beats - _STRETCH + 1, _STEP), max(0, beats - _STRETCH)}):
        bars = bars_of(slice(begin, begin + _STRETCH))
        scores = np.array([np.dot(row, weights[-len(row) :]) for *_, row in bars])
        own = np.array([_fits(way, (metre, begin + down)) for metre, down, _ in bars], np.bool_)
        others = np.array([metre % way[0] != 0 != way[0] % metre for metre, *_ in bars], np.bool_)
        if own.any() and others.any():
            other = int(np.where(others, scores, -np.inf).argmax())
            if (lead := float(scores[other] - scores[own].max())) > most:
                found, most = Change(begin, bars[other][0]), lead
    return found


def _fits(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two metres, each with a downbeat, have the same bars, or one's bars are several of the other's."""
    short, long = sorted((one[0], other[0]))
    return long % short == 0 and (one[1] - other[1]) % short == 0
