"""Fits the weights of `analysis/song/certainty` to songs whose beats are known, and prints them.

    python -m bench.song_analysis.fit_certainty

Taken are recipes of the half to choose by: those that the table has, and others that the weights of `counting` never
met, from some number on the harder ones alone (drums without harmony). A song is right if it is so under every vibe; a
song that is wrong weighs twelve times as much, since a mistake that is sure of itself is worse than a doubt too many.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bench.song_analysis.music import SONGS, made, numbers, results
from bench.song_analysis.songs import recipe
from cinecut.analysis.song.bars import timbre
from cinecut.analysis.song.certainty import LOWERS, MOST, RAISES
from cinecut.analysis.song.counting import count
from cinecut.analysis.song.pulse import find_pulse
from cinecut.analysis.song.tempogram import envelopes

Array = NDArray[np.float64]

OTHERS = (480, 680, 2183)  # numbers: the first song that is new to the ways' weights, the first hard one, the end
WRONG = 12.0
PRICE = 0.01


def chosen() -> list[int]:
    new, hard, end = OTHERS
    others = [number for number in numbers("choose", end) if number >= new]
    return numbers("choose", SONGS) + [number for number in others if number < hard or recipe(number).bare]


def labelled(number: int) -> tuple[list[float], bool] | None:
    """The evidence for the way a song is counted, and whether that is right; None without a pulse."""
    song = made(number)
    env, sounds = envelopes(song[1]), timbre(song[1])
    pulse = find_pulse(env)
    way = count(env, sounds, pulse) if pulse else None
    if way is None:
        return None
    row = [min(way.evidence[name], MOST) for name in (*RAISES, *LOWERS)]
    return row, all(result.right for result in results(song))


def fitted(evidence: Array, right: NDArray[np.bool_]) -> tuple[Array, float]:
    """The weights [kinds] of the least penalised loss, and the bias. No weight has the wrong sign."""
    sign = np.repeat([1.0, -1.0], [len(RAISES), len(LOWERS)])
    mean, scale = (sign * evidence).mean(axis=0), evidence.std(axis=0) + 1e-9
    rows = np.column_stack([(sign * evidence - mean) / scale, np.ones(len(evidence))])
    side, price = np.where(right, 1.0, -1.0), np.where(right, 1.0, WRONG)

    def loss(weights: Array) -> float:
        fit = (price * np.logaddexp(0, -side * (rows @ weights))).sum() / price.sum()
        return float(fit + PRICE * weights[:-1] @ weights[:-1])

    bounds = [(0.0, None)] * evidence.shape[1] + [(None, None)]
    found = minimize(loss, np.zeros(rows.shape[1]), method="L-BFGS-B", bounds=bounds).x
    weights = found[:-1] / scale
    return sign * weights, float(found[-1] - weights @ mean)


def main() -> None:
    known = [pair for number in chosen() if (pair := labelled(number))]
    evidence, right = np.array([row for row, _ in known]), np.array([one for _, one in known])
    weights, bias = fitted(evidence, right)
    print(f"{right.size} songs, {(~right).sum()} of them wrong; _BIAS = {bias:.3g}")
    for name, weight in zip((*RAISES, *LOWERS), weights, strict=True):
        print(f'    "{name}": {abs(weight):.3g},')


if __name__ == "__main__":
    main()
