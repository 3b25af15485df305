"""Fit the weights of the cut on several films, judged on the others: `python -m bench.film_analysis.fit_cut FILM ...`.

Each film's takes are measured once. A step changes one weight by a factor and is kept if the shortfall of the figures
(movement of act 3, continuity, shots in common, mutes) gets less on the films to choose by. Every film is once among
those to judge by: a change counts only if it helps the films that did not choose it. Prints what it would change.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from bench.film_analysis import cut as figures
from bench.film_analysis.described import trailer
from cinecut.analysis import analyze as line
from cinecut.analysis.analyze import Analysis
from cinecut.analysis.edit import arrange
from cinecut.analysis.edit.weights import Weights, read_weights

VIBES = ("action", "comedy", "documentary", "drama", "horror", "romance", "thriller", "western")
FACTORS = (0.6, 1.6)
ROUNDS = 2
FIELDS = ("worth", "taste", "mute", "again", "rise", "pair.movement", "pair.light", "pair.eye", "pair.order")

Change = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """A film with its pictures; its trailers are cut anew with each set of weights."""

    path: Path
    pictures: figures.Pictures

    def shortfall(self, weights: Weights) -> float:
        """How far the figures of the film's trailers are from what they must reach: 0 if all reach it."""
        with mock.patch.object(arrange, "read_weights", return_value=weights):
            trailers = [trailer(self.path, vibe) for vibe in VIBES]
        each = [_short(found, figures.Rise.of(found, self.pictures)) for found in trailers]
        shots = [{c.take.shot for c in found.cuts if c.take} for found in trailers]
        common = float(np.mean([len(a & b) / len(a | b) for a, b in combinations(shots, 2)]))
        return float(np.mean(each)) + max(0.0, common - 0.35) * 2


def _short(found: Analysis, rise: figures.Rise) -> float:
    shown = [c for c in found.cuts if c.take is not None]
    still = max(0.0, 1 - min(rise.thirds))
    rough = max(0.0, 80 - rise.continuity) / 80
    mute = max(0.0, sum(c.silenced for c in shown) / len(shown) - 0.1) * 2
    return still + rough + mute + max(0.0, rise.drop - 0.1) + max(0.0, rise.last - 0.1)


def changed(weights: Weights, change: Change) -> Weights:
    """The weights with one of them multiplied."""
    name, factor = change
    if name.startswith("pair."):
        key = name.removeprefix("pair.")
        return replace(weights, pair={**weights.pair, key: weights.pair[key] * factor})
    numbers: dict[str, Any] = {name: getattr(weights, name) * factor}
    return replace(weights, **numbers)


def fitted(films: Sequence[Measured], weights: Weights) -> list[Change]:
    """The changes that lessen the mean shortfall of these films, one after another."""
    kept: list[Change] = []
    best = float(np.mean([film.shortfall(weights) for film in films]))
    for _ in range(ROUNDS):
        for change in ((name, factor) for name in FIELDS for factor in FACTORS):
            tried = changed(weights, change)
            value = float(np.mean([film.shortfall(tried) for film in films]))
            if value < best - 0.005:
                weights, best = tried, value
                kept.append(change)
    return kept


def judged(films: Sequence[Measured], weights: Weights) -> Iterator[tuple[Measured, list[Change], float, float]]:
    """For each film: what the others choose, and its own shortfall before and after."""
    for film in films:
        changes = fitted([other for other in films if other is not film], weights)
        after = weights
        for change in changes:
            after = changed(after, change)
        yield film, changes, film.shortfall(weights), film.shortfall(after)


def main() -> int:
    paths = [Path(name).resolve() for name in sys.argv[1:]]
    if len(paths) < 3:
        print("give at least three films: each is judged by what the others choose", file=sys.stderr)
        return 2
    with mock.patch.object(line, "keep"):  # nothing is kept for specs that nobody writes
        films = [Measured(path, figures.pictures_of(path)) for path in paths]
        before, after = [], []
        for film, changes, first, then in judged(films, read_weights()):
            words = ", ".join(f"{name} × {factor}" for name, factor in changes) or "nothing"
            print(
                f"{film.path.name}: the others would change {words}; its shortfall {first:.3f} → {then:.3f}", flush=True
            )
            before.append(first)
            after.append(then)
    verdict = "worth it" if np.mean(after) < np.mean(before) else "not worth it: the weights stay"
    print(f"all, each judged by the others' choice: {np.mean(before):.3f} → {np.mean(after):.3f}: {verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
