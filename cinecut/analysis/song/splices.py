"""Songs that were cut: pieces of one constant tempo whose beats do not meet where they are joined.

Along a constant grid the phase of the onsets stays as it is. If it leaps somewhere, and the phases on either side agree
among themselves much better than all do together, a piece was taken out there: the pulse goes on from the other phase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.song.onsets import FPS
from cinecut.analysis.song.tempogram import Envelopes, demodulated

Array = NDArray[np.float64]
Lines = Mapping[int, NDArray[np.complex128]]

_GAIN = 1.025  # least gain of coherence by a leap: live players reach 1.01, real songs 1.02, pieces 1.03 and more
_LEAST = 0.06  # of a turn: the least leap
_APART = 10.0  # seconds from a leap to the next one, or to the song's ends
_MOST = 8  # leaps
_STEPS = np.arange(-100, 100) / 200  # of a turn


@dataclass(frozen=True, slots=True)
class Spliced:
    """The rate of the pulse in Hz, how well the phases of all pieces agree with it, 0..1, and `turns` [frames at FPS],
    which grow by one each period."""

    hertz: float
    coherence: float
    turns: Array


def spliced(env: Envelopes, hertz: float) -> Spliced | None:
    """The pulse of a song that was cut, near a rate; None if it was not."""
    centers, lines = demodulated(env.all, hertz)
    span, times = env.all.size / FPS, list[float]()
    reach = 0.01 * hertz + 0.3 / span  # as for a grid without leaps
    shifts = np.linspace(-reach, reach, 2 * int(np.ceil(reach * span * 16)) + 1)
    turned = {k: np.exp(-2j * np.pi * k * np.outer(shifts, centers)) * line for k, line in lines.items()}
    for _ in range(_MOST):
        leap = _leap(centers, turned, span, times)
        if leap is None:
            break
        time, step = leap
        turned = {k: line * np.exp(-2j * np.pi * k * step * (centers > time)) for k, line in turned.items()}
        times.append(time)
    if not times:
        return None
    turned = {k: np.exp(-2j * np.pi * k * np.outer(shifts, centers)) * line for k, line in lines.items()}
    rate, offsets, agreed = _joined(turned, np.searchsorted(centers, sorted(times), "right"))
    moments, exact = np.arange(env.all.size) / FPS, hertz + float(shifts[rate])
    steps = (np.diff(offsets) + 0.5) % 1 - 0.5
    passed = [np.clip((moments - at) * exact + 0.5, 0, 1) * step for at, step in zip(sorted(times), steps, strict=True)]
    coherence = agreed / (sum(float(np.abs(line).sum()) for line in lines.values()) + 1e-12)
    return Spliced(exact, coherence, moments * exact + np.sum(passed, axis=0))


def _leap(centers: Array, turned: Lines, span: float, known: list[float]) -> tuple[float, float] | None:
    """Where, in seconds, and by how much of a turn the phases leap that agree best then, at any rate; None if they
    agree about as well without. turned : by factor, the lines of all windows at every rate [rates, windows]."""
    apart = [0.0, span, *known]
    places = np.flatnonzero(np.abs(centers[:, None] - np.array(apart)).min(axis=1) >= _APART)
    if not places.size:
        return None
    rates = len(next(iter(turned.values())))
    whole, parted = np.zeros(rates), np.zeros((rates, places.size))
    for line in turned.values():
        so_far = np.cumsum(line, axis=1)
        whole += np.abs(so_far[:, -1]) ** 2
        parted += (np.abs(so_far[:, places]) + np.abs(so_far[:, -1:] - so_far[:, places])) ** 2
    rate, at = np.unravel_index(parted.argmax(), parted.shape)
    last = int(places[at])
    before, after = ({k: line[rate, part].sum() for k, line in turned.items()} for part in _halves(last))
    step, score = _step(before, after)
    gain = float(np.sqrt(score / (whole.max() + 1e-12)))
    return (float(centers[last]), step) if gain >= _GAIN and abs(step) >= _LEAST else None


def _halves(last: int) -> tuple[slice, slice]:
    return slice(last + 1), slice(last + 1, None)


def _step(before: Mapping[int, complex], after: Mapping[int, complex]) -> tuple[float, float]:
    """By how much of a turn the phases of the second part are ahead of the first's, and how well they agree then."""
    score = sum(np.abs(one + after[k] * np.exp(-2j * np.pi * k * _STEPS)) ** 2 for k, one in before.items())
    best = int(np.argmax(score))
    return float(_STEPS[best]), float(np.asarray(score)[best])


def _joined(turned: Lines, firsts: NDArray[np.int64]) -> tuple[int, list[float], float]:
    """The number of the rate at which the pieces that begin with these windows agree best, by how much of a turn each
    is ahead of the first, and how well all agree then."""
    pieces = {k: np.add.reduceat(line, [0, *firsts], axis=1) for k, line in turned.items()}
    rate = int(np.argmax(sum(np.abs(sums).sum(axis=1) ** 2 for sums in pieces.values())))
    offsets, whole = [0.0], {k: complex(sums[rate, 0]) for k, sums in pieces.items()}
    for number in range(1, len(firsts) + 1):
        own = {k: complex(sums[rate, number]) for k, sums in pieces.items()}
        offset, _ = _step(whole, own)
        offsets.append(offset)
        whole = {k: one + own[k] * complex(np.exp(-2j * np.pi * k * offset)) for k, one in whole.items()}
    return rate, offsets, sum(abs(one) for one in whole.values())
