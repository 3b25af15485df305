"""Fits the weights of `analysis/song/counting` to songs whose beats are known, and prints them.

    python -m bench.song_analysis.fit_beats [FOLDER OF TRACKER MODULES]

Taken are the recipes of the half to choose by, the songs of twenty styles of that half, and every other module of the
folder, if there is one. Of each song, the ways to count that are right (in any octave of its tempo) get all the
probability that a log-linear model can give them, less a small price for weights far from those at hand: what these
know of songs that are not here is kept. What comes out is pasted into `counting._WEIGHTS`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from bench.song_analysis.modules import module, modules
from bench.song_analysis.music import SONGS, agreement, in_octave, made, numbers, right_bars
from bench.song_analysis.songs import MadeSong, measured
from bench.song_analysis.styles import style_numbers, style_song
from cinecut.analysis.song import counting
from cinecut.analysis.song.bars import timbre
from cinecut.analysis.song.onsets import SongSound
from cinecut.analysis.song.pulse import find_pulse
from cinecut.analysis.song.tempogram import envelopes

Array = NDArray[np.float64]

FITTED = 2.4  # times as many songs as the table has: the weights need more than the figures do
PRICE = 0.008


def labelled(song: MadeSong, sound: SongSound) -> tuple[Array, NDArray[np.bool_]] | None:
    """The features of every way to count a song, and which ways are right; None without a pulse."""
    env = envelopes(sound)
    pulse = find_pulse(env)
    if pulse is None:
        return None
    sounds = timbre(sound)
    ways, features = counting.hypotheses(counting.places_of(env, sounds, pulse), sounds, pulse)
    return (features, np.array([_right(song, way) for way in ways])) if ways else None


def _right(song: MadeSong, way: counting.Counting) -> bool:
    own, metre = float(np.median(np.diff(song.beats))), song.recipe.metre
    pace = float(np.median(np.diff(way.beats)))
    octave = round(np.log2(own / pace))
    bars = pace * way.metre / (own * metre)
    loose = metre == 2 or song.recipe.kind == "module"  # two bars as one are no mistake there
    if abs(np.log2(own / pace) - octave) > 0.04 or abs(octave) > 2:
        return False
    if all(abs(bars - whole) > 0.05 for whole in ((1, 2) if loose else (1,))):
        return False
    if max(agreement(grid, way.beats) for grid in in_octave(song, octave)) < 0.9:
        return False
    return right_bars(song.downbeats, way.beats[way.downbeat :: way.metre])


def fitted(songs: list[tuple[Array, NDArray[np.bool_]]], now: Array) -> Array:
    """The weights [features] of the largest likelihood, penalised by their distance from those of `now`."""
    scale = np.vstack([features for features, _ in songs]).std(axis=0) + 1e-9
    start = now * scale
    known = [(features / scale, right) for features, right in songs if right.any()]

    def loss(weights: Array) -> tuple[float, Array]:
        total, slope = 0.0, np.zeros_like(weights)
        for features, right in known:
            score = features @ weights
            whole, good = logsumexp(score), logsumexp(score[right])
            total += whole - good
            slope += features.T @ np.exp(score - whole) - features[right].T @ np.exp(score[right] - good)
        moved = weights - start
        return float(total / len(known) + PRICE * moved @ moved), slope / len(known) + 2 * PRICE * moved

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    print(f"loss {found.fun:.4f} over {len(known)} songs", file=sys.stderr)
    return np.asarray(found.x / scale)


def main() -> None:
    songs = [made(number) for number in numbers("choose", round(SONGS * FITTED))]
    songs += [measured(style_song(number)) for number in style_numbers("choose")]
    if len(sys.argv) > 1:
        songs += [measured(song) for path in modules(Path(sys.argv[1]))[::2] if (song := module(path))]
    known = [one for song in songs if (one := labelled(*song))]
    weights = fitted(known, np.array(list(counting._WEIGHTS.values())))
    for name, weight in zip(counting.NAMES, weights, strict=True):
        print(f'    "{name}": {weight:.3g},')


if __name__ == "__main__":
    main()
