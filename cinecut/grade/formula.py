"""How a grade changes colours, in gamma-encoded R'G'B' from 0 to 1, as `lut3d` takes them.

    exposure, temperature, tint → contrast → lift, gamma, gain → saturation → split tones → strength

Every step is smooth and stays within the range, so that nothing is clipped: black stays black and white stays white
unless lift or gain change them. Three kinds of curves are used.

- Exposure, temperature, tint and split tones multiply the odds x/(1-x) of a channel: close to black this is a plain
  gain, and towards white it flattens into a shoulder.
- Contrast is a hyperbolic tangent around middle grey (18 % of white on a BT.1886 display is 0.49), scaled to keep black
  and white; below 1 it is the inverse curve, so that no slope is infinite.
- Colours near the hues of skin change less, the closer the less (`Grade.skin`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cinecut.grade import Grade, Tone

Colors = NDArray[np.float64]  # [shape=(..., 3)], red green blue, 0 to 1

_LUMA = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709
_DISPLAY_GAMMA = 2.4  # ITU-R BT.1886
_WARM = np.array([0.4, 0.0, -0.4])  # log odds at temperature 1: middle grey's red goes up by a tenth, its blue down
_MAGENTA = np.array([0.15, -0.3, 0.15])
_TONE = 3.0  # log odds of a tone of amount 1; at its strongest point half of that is applied
_FOOT = 0.05  # offset of curves that would be infinitely steep at black
SIZE = 33  # points on an edge at which the shipped grades differ from their formula by less than 1/255


def lut(grades: Sequence[Grade], size: int = SIZE) -> NDArray[np.float32]:
    """The grades, one after another, on a grid of colours [shape=(size, size, size, 3)], indexed red, green, blue."""
    edge = np.linspace(0.0, 1.0, size)
    colors: Colors = np.stack(np.meshgrid(edge, edge, edge, indexing="ij"), axis=-1)
    for grade in grades:
        colors = apply(grade, colors)
    return colors.astype(np.float32)


def apply(grade: Grade, rgb: Colors) -> Colors:
    """The graded colours [shape=(..., 3)]."""
    rgb = np.clip(np.asarray(rgb, np.float64), 0.0, 1.0)
    share = 1 - float(grade.skin) * _skin(rgb)  # how much of a change of colour is applied
    white = float(grade.temperature) * _WARM + float(grade.tint) * _MAGENTA
    light = float(grade.exposure) / _DISPLAY_GAMMA * math.log(2)
    colors = _scale_odds(rgb, light + share * white)
    colors = _contrast(colors, float(grade.contrast))
    colors = _lift_gamma_gain(grade, colors)
    colors = _saturate(colors, float(grade.saturation) ** share)
    colors = _scale_odds(colors, share * _tones(grade, colors))
    return rgb + float(grade.strength) * (colors - rgb)


def match_light(mean: Colors, reference: Colors) -> Grade:
    """The exposure and white point that bring a shot's mean colour [shape=(3,)] to that of a reference, within limits,
    since a red wall is not red light. The three directions are orthogonal, so each is solved alone."""
    wanted = _log_odds(reference) - _log_odds(mean)
    figures = {
        "exposure": wanted.mean() * _DISPLAY_GAMMA / math.log(2),
        "temperature": wanted @ _WARM / (_WARM @ _WARM),
        "tint": wanted @ _MAGENTA / (_MAGENTA @ _MAGENTA),
    }
    limited = {key: min(max(float(figures[key]), -most), most) for key, most in _MATCH_LIMITS.items()}
    return Grade.of({**{key: f"{value:.3f}" for key, value in limited.items()}, "skin": 0})


_MATCH_LIMITS = {"exposure": 1.5, "temperature": 0.6, "tint": 0.6}  # in either direction


def _log_odds(rgb: Colors) -> Colors:
    inside = np.clip(np.asarray(rgb, np.float64), 0.004, 0.996)
    odds: Colors = np.log(inside / (1 - inside))
    return odds


def _scale_odds(colors: Colors, log_gain: Colors) -> Colors:
    gain = np.exp(log_gain)
    scaled: Colors = gain * colors / (1 + (gain - 1) * colors)
    return scaled


def _contrast(colors: Colors, steepness: float) -> Colors:
    if steepness == 1:
        return colors
    bend = _bend(max(steepness, 1 / steepness))
    span = math.tanh(bend)
    curved: Colors
    if steepness > 1:
        curved = 0.5 + 0.5 * np.tanh(bend * (2 * colors - 1)) / span
    else:
        curved = 0.5 + 0.5 * np.arctanh((2 * colors - 1) * span) / bend
    return curved


def _bend(steepness: float) -> float:
    """The t for which t / tanh t, the curve's slope at middle grey, equals `steepness` (more than 1)."""
    low, high = 0.0, steepness
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if middle < steepness * math.tanh(middle) else (low, middle)
    return high


def _lift_gamma_gain(grade: Grade, colors: Colors) -> Colors:
    """Per channel. A lift below zero and a gain above one bend smoothly: x²/(x+l) in the toe, mirrored at the top."""
    lift, gamma, gain = (np.array([float(part) for part in t]) for t in (grade.lift, grade.gamma, grade.gain))
    toe, raised = np.maximum(-lift, 0), np.maximum(lift, 0)
    colors = raised + (1 - raised) * _toe(colors, toe)
    power = 1 / gamma
    if (gamma != 1).any():
        foot = _FOOT**power
        colors = ((colors + _FOOT) ** power - foot) / ((1 + _FOOT) ** power - foot)
    above, lowered = np.maximum(gain, 1), np.minimum(gain, 1)
    bright: Colors = lowered * (1 - _toe(1 - colors, (above - 1) / (2 - above)))
    return bright


def _toe(colors: Colors, bend: Colors) -> Colors:
    curved: Colors = (1 + bend) * colors**2 / np.maximum(colors + bend, 1e-12)
    return curved


def _saturate(colors: Colors, factor: Colors) -> Colors:
    """Scale the distance from the luma by a factor [shape=(..., 1)]; near the edge of the gamut, less."""
    luma = (colors @ _LUMA)[..., None]
    above = colors.max(axis=-1, keepdims=True)
    below = colors.min(axis=-1, keepdims=True)
    room = _fullness(below, luma) * _fullness(1 - above, 1 - luma)
    saturated: Colors = colors + np.where(factor > 1, room, 1.0) * (factor - 1) * (colors - luma)
    return saturated


def _fullness(part: Colors, whole: Colors) -> Colors:
    """part / whole, but 0 where the whole is 0: a plain quotient would jump there."""
    quotient: Colors = part / (whole + _FOOT)
    return quotient


def _tones(grade: Grade, colors: Colors) -> Colors:
    """Log odds of the split tones: each is strongest in its half of the luma; black and white are left alone."""
    luma = (colors @ _LUMA)[..., None]
    light = 1 - luma
    shadows, highlights = light**2 * luma / (luma + 0.1), luma**2 * light / (light + 0.1)
    tones: Colors = shadows * _direction(grade.shadows) + highlights * _direction(grade.highlights)
    return tones


def _direction(tone: Tone) -> Colors:
    """The log odds that shift a colour towards the tone's hue by its amount, without a change of luma."""
    angle = math.radians(float(tone.hue))
    wheel = np.array([math.cos(angle), math.cos(angle - 2 * math.pi / 3), math.cos(angle + 2 * math.pi / 3)])
    direction: Colors = wheel - wheel @ _LUMA
    return float(tone.amount) * _TONE * direction


def _skin(colors: Colors) -> Colors:
    """How close a colour is to skin, 0 to 1 [shape=(..., 1)]: skin of every shade has one hue, more or less of it."""
    luma = (colors @ _LUMA)[..., None]
    chroma = colors - luma
    along = np.maximum(chroma @ _SKIN, 0)[..., None] ** 2
    aside = np.maximum((chroma**2).sum(axis=-1, keepdims=True) - along, 0)
    vivid = along * (along / (luma**2 + 0.01)) ** 2
    weight: Colors = along / (along + 2.5 * aside + vivid + (0.05 + 0.02 * luma) ** 2)
    return weight


def _unit(rgb: tuple[float, float, float]) -> Colors:
    chroma = np.array(rgb) - np.array(rgb) @ _LUMA
    unit: Colors = chroma / np.linalg.norm(chroma)
    return unit


_SKIN = _unit((0.82, 0.62, 0.48))
