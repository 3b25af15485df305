"""Words for measured properties, so that shots can be found by words without a model's descriptions.

A word's strength is 0 to 1: it rises between two values of a measure. Light, colour, faces and lengths are absolute
measures; movement and loudness are ranks within the film, since encoders and mixes differ too much for more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cinecut.analysis.film.signals import Appearance, Signals

MEASURES = ("luma", "saturation", "warmth", "face", "size", "motion", "loud", "seconds", "spoken")
Columns = dict[str, NDArray[np.float32]]  # by MEASURES: [shots] each; NaN where a film lacks it
Strengths = NDArray[np.float32]  # [shots], 0 to 1

_SIZES = {"close": 2.0, "medium": 1.0, "wide": 0.0}


def measures_of(look: Appearance, ranks: Signals, seconds: float, spoken: float) -> list[float]:
    """The row of a shot; `spoken` is its share with speech."""
    red, _, blue = (float(value) for value in look.light)
    size = math.nan if look.size is None else _SIZES[look.size]
    light = float(look.light.mean()), look.saturation / 255, red - blue
    return [*light, look.face, size, ranks.motion, ranks.loud, seconds, spoken]


def _rising(name: str, none: float, full: float) -> Callable[[Columns], Strengths]:
    """0 up to `none`, 1 from `full` on; either may be the larger one."""

    def strength(columns: Columns) -> Strengths:
        share = np.clip((columns[name] - np.float32(none)) / np.float32(full - none), 0, 1)
        return np.asarray(np.nan_to_num(share), np.float32)

    return strength


def _wide(columns: Columns) -> Strengths:
    """1 for a small face, one half for a shot without a face."""
    size = columns["size"]
    return np.where(np.isnan(size), np.float32(0.5), (size == _SIZES["wide"]).astype(np.float32))


def _night(columns: Columns) -> Strengths:
    """Dark, and bluish rather than lit by a lamp."""
    blue = _rising("warmth", 0.2, -0.05)(columns)
    return np.asarray(_dark(columns) * (0.6 + 0.4 * blue), np.float32)


_dark = _rising("luma", 0.35, 0.1)

_TABLE: dict[str, Callable[[Columns], Strengths]] = {
    "close-up, close up, closeup, close shot, portrait": _rising("size", 1, 2),
    "medium shot, medium close-up, mid shot": lambda columns: (columns["size"] == _SIZES["medium"]).astype(np.float32),
    "wide, wide shot, long shot, landscape, establishing shot": _wide,
    "face, faces, person, people": _rising("face", 0.0, 0.03),
    "dark, darkness, shadow, shadows, gloomy, low key": _dark,
    "night, at night, nighttime, moonlight": _night,
    "bright, light, high key": _rising("luma", 0.45, 0.75),
    "day, daylight, by day, sunny": _rising("luma", 0.35, 0.6),
    "colourful, colorful, vivid, saturated": _rising("saturation", 0.3, 0.6),
    "grey, gray, black and white, monochrome, colourless": _rising("saturation", 0.15, 0.03),
    "warm, golden, sunset, candlelight": _rising("warmth", 0.02, 0.25),
    "cold, blue, cool": _rising("warmth", 0.0, -0.2),
    "still, static, motionless, calm": _rising("motion", 0.5, 0.05),
    "moving, movement, motion, action, fast": _rising("motion", 0.5, 0.95),
    "loud, noisy": _rising("loud", 0.5, 0.95),
    "quiet, silence, silent": _rising("loud", 0.5, 0.05),
    "long, long take": _rising("seconds", 4, 12),
    "short, brief": _rising("seconds", 2.5, 0.7),
    "dialogue, speech, talking, speaking, conversation": _rising("spoken", 0.0, 0.5),
    "no dialogue, without dialogue, wordless": _rising("spoken", 0.2, 0.0),
}
WORDS = {word: strength for names, strength in _TABLE.items() for word in names.split(", ")}


def terms_of(query: str) -> list[str]:
    """The parts of a query between commas, in lower case, each once; a word of the table before `of` counts separately.

    >>> terms_of("Close-Up of an old man,  night;rain, night")
    ['close-up', 'close-up of an old man', 'night', 'rain']
    """
    terms = list[str]()
    for part in re.split(r"[,;]", query.casefold()):
        term = " ".join(part.split())
        head, _, rest = term.partition(" of ")
        terms += [head, term] if rest and head in WORDS else [term]
    return list(dict.fromkeys(term for term in terms if term))


def columns_of(measures: NDArray[np.float32]) -> Columns:
    """The measures [shots x MEASURES] by name."""
    return {name: measures[:, place] for place, name in enumerate(MEASURES)}


def strongest(columns: Columns, row: int) -> Iterator[str]:
    """The words that describe a shot best, the strongest first."""
    own = {name: column[row : row + 1] for name, column in columns.items()}
    rated = sorted(((float(strength(own)[0]), names) for names, strength in _TABLE.items()), reverse=True)
    for _, names in takewhile(lambda each: each[0] >= 0.75, rated):
        yield names.split(", ")[0]
