"""The sound effects, synthesized: each is one expression of the time t in seconds, evaluated sample by sample.

Its parts are a pitch that glides from one frequency to another (exponentially, as the ear counts), a tone or a band of
noise at that pitch, and an envelope. The noise is FFmpeg's own seeded generator: the same spec, the same samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.layout.soundtrack import RISING, PlacedEffect
from cinecut.compiler.names import digest
from cinecut.graph import sounds
from cinecut.graph.sounds import Laid
from cinecut.language.timebase import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Glide:
    """A pitch that glides from one frequency to another, in Hz, over an effect's seconds."""

    start: float
    end: float
    seconds: float

    @property
    def sampling(self) -> int:
        """A sufficient sample rate: eight samples per turn of the highest pitch. It decides most of the cost."""
        return next((rate for rate in (8000, 16000) if rate >= 8 * max(self.start, self.end)), SAMPLE_RATE)

    @property
    def _rate(self) -> float:
        return math.log(self.end / self.start) / self.seconds

    @property
    def frequency(self) -> str:
        return f"({self.start:.9g}*exp({self._rate:.9g}*t))"

    def phase(self, times: float = 1) -> str:
        """In radians, of the pitch or a multiple of it."""
        if abs(self._rate) < 1e-9:
            return f"({2 * math.pi * self.start * times:.9g}*t)"
        return f"({2 * math.pi * self.start * times / self._rate:.9g}*(exp({self._rate:.9g}*t)-1))"


def tone(glide: Glide) -> str:
    return f"sin({glide.phase()})"


def band(glide: Glide) -> str:
    """Noise between a third of the pitch and the pitch, 6 dB an octave at both sides, about as loud at any pitch."""
    pole = f"(1-exp({-2 * math.pi / glide.sampling:.9g}*{glide.frequency}))"
    upper = f"st(0,ld(0)+ld(3)*({_NOISE}-ld(0)))"
    lower = "st(1,ld(1)+ld(3)/3*(ld(0)-ld(1)))"
    return f"(0*st(3,{pole})+({upper}-{lower})/sqrt(ld(3)))"


_NOISE = "(2*random(9)-1)"


def decay(seconds: float, halvings: float = 7) -> str:
    """Full at once, then halving again and again."""
    return f"min(1,t/0.001)*exp({-halvings * math.log(2) / seconds:.9g}*t)"


def arch(seconds: float, power: float = 1) -> str:
    """Rising and falling, from the first sample on."""
    return f"pow(abs(sin({math.pi / (seconds + 0.001):.9g}*(t+0.001))),{power:g})"


def swell(seconds: float, power: float = 2) -> str:
    """Rising to the end."""
    return f"pow(t/{seconds:.9g},{power:g})"


@dataclass(frozen=True, slots=True)
class Recipe:
    """An effect's usual length in seconds and pitches in Hz, its loudest sample, and how it is made."""

    seconds: float
    pitches: tuple[float, float]
    level: float
    make: Callable[[Glide], str]


def _braam(glide: Glide) -> str:
    """Detuned low brass, driven: odd harmonics by a soft clip."""
    voices = "+".join(f"{share:g}*sin({glide.phase(times)})" for times, share in _BRASS)
    return f"tanh(2.5*({voices}))*{decay(glide.seconds, 5)}"


_BRASS = ((1, 0.5), (1.006, 0.5), (1.5, 0.3), (2.01, 0.35), (3, 0.2))


def _heartbeat(glide: Glide) -> str:
    def thump(at: float, share: float) -> str:
        age = f"(t-{at:g})"
        sound = f"sin({2 * math.pi * glide.start:.9g}*{age}*(1-0.6*{age}))*exp(-22*{age})"
        return f"{share:g}*gte(t,{at:g})*{sound}"

    return f"({thump(0, 1)}+{thump(0.28 * glide.seconds, 0.7)})"


RECIPES: dict[str, Recipe] = {
    "sweep": Recipe(0.4, (500, 5000), 0.35, lambda g: f"{band(g)}*{decay(g.seconds, 5)}"),
    "exhale": Recipe(1.2, (900, 250), 0.2, lambda g: f"{band(g)}*{arch(g.seconds, 1)}"),
    "rumble": Recipe(1.6, (60, 32), 0.5, lambda g: f"(0.7*{tone(g)}+0.6*{band(g)})*{decay(g.seconds, 6)}"),
    "flash": Recipe(0.6, (2500, 9000), 0.3, lambda g: f"{band(g)}*{decay(g.seconds, 6)}"),
    "punch": Recipe(0.15, (60, 20), 0.7, lambda g: f"{tone(g)}*{decay(g.seconds, 3)}"),
    "slow sweep": Recipe(1.25, (120, 6000), 0.3, lambda g: f"{band(g)}*{arch(g.seconds, 1.5)}"),
    "whoosh": Recipe(0.7, (80, 1200), 0.4, lambda g: f"{band(g)}*{arch(g.seconds, 1.5)}"),
    "whoosh back": Recipe(0.7, (1200, 80), 0.4, lambda g: f"{band(g)}*{arch(g.seconds, 1.5)}"),
    "riser": Recipe(2, (180, 2400), 0.4, lambda g: f"(0.35*{tone(g)}+{band(g)})*{swell(g.seconds)}"),
    "braam": Recipe(2.4, (55, 52), 0.45, _braam),
    "sub drop": Recipe(1.4, (90, 24), 0.5, lambda g: f"{tone(g)}*{decay(g.seconds, 5)}"),
    "reverse swell": Recipe(1.2, (700, 3000), 0.4, lambda g: f"{band(g)}*{swell(g.seconds, 4)}"),
    "tick": Recipe(0.04, (2600, 1900), 0.35, lambda g: f"{tone(g)}*{decay(g.seconds, 7)}"),
    "heartbeat": Recipe(0.9, (55, 40), 0.8, _heartbeat),
}

_RELEASE = 0.005  # seconds in which every effect ends, so that its end is no click


def lay_effect(effect: PlacedEffect, total: int) -> Laid | None:
    """An effect as sound at its place in a trailer of `total` samples; None if no part of it is inside."""
    recipe = RECIPES[effect.name]
    length = effect.length if effect.length is not None else round(recipe.seconds * SAMPLE_RATE)
    start = effect.anchor
    if effect.name in RISING:
        length = min(length, effect.anchor)  # it starts with the trailer at the earliest
        start = effect.anchor - length
    length_heard = min(length, total - start)
    if length_heard <= 0:
        return None
    low, high = (_hertz(asked, usual) for asked, usual in zip(effect.pitches, recipe.pitches, strict=True))
    glide = Glide(low, high, length / SAMPLE_RATE)
    pad = sounds.synthesis(_expression(effect, recipe, glide), length_heard, effect.label, glide.sampling)
    return Laid(start, length_heard, sounds.volume(pad, effect.gain, effect.label))


def _expression(effect: PlacedEffect, recipe: Recipe, glide: Glide) -> str:
    body, seconds = recipe.make(glide), glide.seconds
    release = f"min(1,max(0,{seconds:.9g}-t)/{min(_RELEASE, seconds / 4):.9g})"
    seeded = f"if(eq(n,0),st(9,{int(digest(effect.seed)[:7], 16)}))"
    return f"0*{seeded}+{recipe.level:g}*{release}*{body}"


def _hertz(asked: Fraction | None, usual: float) -> float:
    return usual if asked is None else float(asked)
