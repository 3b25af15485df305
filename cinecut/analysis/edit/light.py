"""Matching light: a grade for each shot whose exposure or white point differs much from its act's.

A shot's light is the mean colour of its measured pictures, which a meadow turns green just as a lamp does. So a shot
only counts as different if it stands out in its act: by at least twice the usual distance of the act's shots from
their median. In an act of many colours none does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.edit.cuts import Cut
from cinecut.analysis.film.screen import Bars
from cinecut.grade import Grade
from cinecut.grade.formula import match_light

Light = NDArray[np.float32]  # [3], a mean colour: red, green, blue, 0 to 1

_FEW = 3  # least shots of an act with a light of its own; with fewer, that of the whole trailer is used
_LEAST = {"exposure": 0.7, "temperature": 0.3, "tint": 0.3}  # stops and shares; smaller differences are ignored
_MOST = {"exposure": 3, "temperature": 1, "tint": 1}  # the limits of a grade
_APART = 2  # times the usual distance of the act's shots from their median


def match(cuts: Sequence[Cut], grade: Grade, bars: Bars | None = None) -> list[Cut]:
    """The cuts; those whose light stands out get the grade that matches it to their act, within the limits of
    `match_light`. A shot's grade replaces the vibe's `grade`, so it is the sum of both. `bars` are black and not part
    of the light."""
    lights = [None if cut.take is None else _inside(cut.take.look.light, bars) for cut in cuts]
    every = [light for light in lights if light is not None]
    acts: dict[str, list[Light]] = {}
    for cut, light in zip(cuts, lights, strict=True):
        acts.setdefault(cut.slot.act, []).extend([] if light is None else [light])
    usual = {act: _Usual.of(own if len(own) >= _FEW else every) for act, own in acts.items() if own}
    return [
        cut if light is None else replace(cut, grade=usual[cut.slot.act].figures(light, grade))
        for cut, light in zip(cuts, lights, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Usual:
    """The usual light of an act: the median, and the least figures of `match_light` that stand out."""

    middle: Light
    least: Mapping[str, float]

    @classmethod
    def of(cls, lights: Sequence[Light]) -> _Usual:
        middle: Light = np.median(lights, axis=0)
        wanted = [_wanted(light, middle) for light in lights]
        spread = {key: float(np.median([abs(each[key]) for each in wanted])) for key in _LEAST}
        return cls(middle, {key: max(least, _APART * spread[key]) for key, least in _LEAST.items()})

    def figures(self, light: Light, grade: Grade) -> dict[str, Fraction]:
        figures = {}
        for key, figure in _wanted(light, self.middle).items():
            if abs(figure) > self.least[key]:
                whole = min(max(getattr(grade, key) + figure, -_MOST[key]), _MOST[key])
                figures[key] = Fraction(round(whole * 100), 100)
        return figures


def _wanted(light: Light, middle: Light) -> dict[str, Fraction]:
    """The figures that match one light to another."""
    grade = match_light(light.astype(np.float64), middle.astype(np.float64))
    return {key: getattr(grade, key) for key in _LEAST}


def _inside(light: Light, bars: Bars | None) -> Light:
    """The mean colour between the bars, from the mean colour of the whole picture."""
    if bars is None:
        return light
    share = (1 - bars.left - bars.right) * (1 - bars.top - bars.bottom)
    inside: Light = np.minimum(light / np.float32(share), np.float32(1))
    return inside
