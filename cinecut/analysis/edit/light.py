"""Light that matches: a grade for each shot whose light differs much from that of its act, in exposure or white point.

A shot's light is the mean colour of the pictures that were looked at, which a meadow turns green as well as a lamp. So
a shot only counts as different where it stands out among the shots of its act: by twice as much as these differ from
their median anyway. In an act of many colours none does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.edit.arrange import Cut
from cinecut.analysis.film.screen import Bars
from cinecut.grade import Grade
from cinecut.grade.formula import match_light

Light = NDArray[np.float32]  # [3], a mean colour: red, green, blue, 0 to 1

_FEW = 3  # shots of an act from which on it has a light of its own; with fewer, that of the whole trailer counts
_LEAST = {"exposure": 0.7, "temperature": 0.3, "tint": 0.3}  # stops and shares; what differs less is no other light
_MOST = {"exposure": 3, "temperature": 1, "tint": 1}  # what a grade can say
_APART = 2  # times what the shots of an act differ from their median


def match(cuts: Sequence[Cut], grade: Grade, bars: Bars | None = None) -> list[Cut]:
    """The cuts, each whose light stands out with the grade that brings it to its act's, as far as `match_light` goes.
    What a shot says replaces what the vibe's `grade` says, so it says the sum. `bars` are black and no part of the
    light."""
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
    """The light of an act: its middle, and what a figure of `match_light` must have to stand out."""

    middle: Light
    least: Mapping[str, float]

    @classmethod
    def of(cls, lights: Sequence[Light]) -> _Usual:
        middle: Light = np.median(lights, axis=0)
        wanted = [_wanted(light, middle) for light in lights]
        spread = {key: float(np.median([abs(each[key]) for each in wanted])) for key in _LEAST}
        return cls(middle, {key: max(least, _APART * spread[key]) for key, least in _LEAST.items()})

    def figures(self, light: Light, grade: Grade) -> dict[str, Fraction]:
        found = {}
        for key, figure in _wanted(light, self.middle).items():
            if abs(figure) > self.least[key]:
                whole = min(max(getattr(grade, key) + figure, -_MOST[key]), _MOST[key])
                found[key] = Fraction(round(whole * 100), 100)
        return found


def _wanted(light: Light, middle: Light) -> dict[str, Fraction]:
    """The figures that bring one light to another."""
    grade = match_light(light.astype(np.float64), middle.astype(np.float64))
    return {key: getattr(grade, key) for key in _LEAST}


def _inside(light: Light, bars: Bars | None) -> Light:
    """The mean colour of what lies between the bars, of that of the whole picture."""
    if bars is None:
        return light
    share = (1 - bars.left - bars.right) * (1 - bars.top - bars.bottom)
    inside: Light = np.minimum(light / np.float32(share), np.float32(1))
    return inside
