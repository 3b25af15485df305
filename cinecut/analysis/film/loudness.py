"""The loudness of the whole film: one level for every tenth of a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.stage import Advance, Stage
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime, nearest
from cinecut.media.sound.film_samples import film_sounds
from cinecut.media.sound.samples import mono, without_offset

STEP = Fraction(1, 10)  # seconds
_RATE = 8000  # enough for a level, since loud sounds are mostly below 4 kHz
_FLOOR = -70.0  # dB


@dataclass(frozen=True, slots=True, eq=False)
class LoudnessCurve:
    """`levels` [shape=(n,), dB below full scale] of the mono mix, one for each STEP from the film's first picture.
    `damaged`: the packets that do not decode, and are silent."""

    levels: NDArray[np.float32]
    damaged: int = 0

    @property
    def silent(self) -> bool:
        return len(self.levels) == 0 or float(self.levels.max()) <= _FLOOR + 1

    def within(self, range: FilmRange) -> NDArray[np.float32]:
        """The levels inside a range; at least one if the film has sound there."""
        first = max(0, int(range.start.seconds / STEP))
        return self.levels[first : max(first + 1, int(range.end.seconds / STEP))]

    def rise(self, range: FilmRange) -> float:
        """The largest rise, in dB, from the mean of one second to the half second after it, within a range."""
        before = FilmRange(FilmTime(max(Fraction(0), range.start.seconds - 1)), range.end)
        levels = self.within(before)
        if len(levels) < 16:
            return 0.0
        slow = np.convolve(levels, np.ones(10) / 10, "valid")[: len(levels) - 15]
        fast = np.convolve(levels[10:], np.ones(5) / 5, "valid")[: len(slow)]
        return float(np.max(fast - slow, initial=0.0))


def listen(film: Path, facts: FilmFacts, stream: int, progress: Advance) -> LoudnessCurve:
    """Measure one of a film's audio streams (from 0). A film without sound has no levels; damaged parts are skipped."""
    if not facts.audio:
        return LoudnessCurve(np.zeros(0, np.float32))
    sums = np.zeros(int(facts.duration / STEP) + 2)
    block, position, carry = int(_RATE * STEP), 0, np.zeros(0, np.float32)
    with film_sounds(film, facts, min(stream, len(facts.audio) - 1)) as sounds:
        sound = sounds.parts[0]
        first = nearest(facts.start * sound.rate)
        for part in mono(((place - first, frame) for place, frame in sound.all()), _RATE):
            carry = np.concatenate([carry, without_offset(part)])
            count = len(carry) // block
            means = np.square(carry[: count * block].reshape(count, block)).mean(axis=1)[: len(sums) - position]
            sums[position : position + len(means)] = means
            carry, position = carry[count * block :], min(position + count, len(sums))
            progress(min(1.0, position / len(sums)))
        damaged = len(sound.damage)
    levels = 10 * np.log10(np.maximum(sums, 10 ** (_FLOOR / 10)))
    return LoudnessCurve(levels.astype(np.float32), damaged)


LOUDNESS = Stage("loudness", LoudnessCurve, listen)


def one_behind_the_other(curves: Sequence[tuple[LoudnessCurve, Fraction]]) -> LoudnessCurve:
    """Films' curves as one, each from a second on, with silence between them; no levels if no film has any."""
    if not any(len(curve.levels) for curve, _ in curves):
        return curves[0][0]
    length = max(int(start / STEP) + len(curve.levels) for curve, start in curves)
    levels = np.full(length, _FLOOR, np.float32)
    for curve, start in curves:
        first = int(start / STEP)
        levels[first : first + len(curve.levels)] = curve.levels
    return LoudnessCurve(levels)
