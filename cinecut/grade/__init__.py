"""The grade: the look of a trailer in a dozen figures. formula.py applies them to colours; this module only holds them,
so that reading a vibe or a spec does not import numpy.

>>> Grade.of({"contrast": Fraction(6, 5), "gain": 1}).merged({"shadows": {"hue": 200}}).shadows
Tone(hue=Fraction(200, 1), amount=Fraction(0, 1))
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Triple = tuple[Fraction, Fraction, Fraction]  # of red, green and blue

_NONE = Fraction(0)
_ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Tone:
    """A colour that is mixed into the shadows or the highlights."""

    hue: Fraction = _NONE  # degrees: 0 red, 60 yellow, 120 green, 180 cyan, 240 blue, 300 magenta
    amount: Fraction = _NONE


@dataclass(frozen=True, slots=True)
class Grade:
    """A whole grade; the defaults change nothing. The schema holds the ranges."""

    temperature: Fraction = _NONE  # above zero warm, below cool
    tint: Fraction = _NONE  # above zero magenta, below green
    exposure: Fraction = _NONE  # stops
    contrast: Fraction = _ONE  # steepness at middle grey
    saturation: Fraction = _ONE
    lift: Triple = (_NONE, _NONE, _NONE)
    gamma: Triple = (_ONE, _ONE, _ONE)
    gain: Triple = (_ONE, _ONE, _ONE)
    shadows: Tone = Tone()
    highlights: Tone = Tone()
    skin: Fraction = Fraction(9, 10)  # how far skin is protected from changes of colour
    strength: Fraction = _ONE  # of the whole grade: 0 nothing, 1 all of it

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Grade:
        """A grade from the plain values of a vibe's checked file; what is left out changes nothing."""
        return cls().merged(data)

    def merged(self, over: Mapping[str, Any]) -> Grade:
        """This grade with the figures of `over` in place of its own; a tone may give only its hue or its amount."""
        values: dict[str, Any] = {key: self._value(key, value) for key, value in over.items()}
        return dataclasses.replace(self, **values)

    def _value(self, key: str, value: Any) -> Fraction | Triple | Tone:
        match getattr(self, key):
            case Tone() as tone:
                return dataclasses.replace(tone, **{part: Fraction(figure) for part, figure in value.items()})
            case tuple():
                red, green, blue = value if isinstance(value, list | tuple) else (value, value, value)
                return Fraction(red), Fraction(green), Fraction(blue)
            case _:
                return Fraction(value)

    @property
    def neutral(self) -> bool:
        """Whether it leaves every colour as it is."""
        return self.strength == 0 or dataclasses.replace(self, skin=_NONE) == Grade(skin=_NONE, strength=self.strength)


NEUTRAL = Grade()
