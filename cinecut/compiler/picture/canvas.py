"""The common format of all pictures of an output."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.picture.color import matrix_of
from cinecut.compiler.picture.look import NO_LOOK, Look
from cinecut.language.facts import Color
from cinecut.language.spec import Fit


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size, rate, pixel format, colours and look that every picture of an output is converted to."""

    width: int
    height: int
    rate: Fraction
    pix_fmt: str
    color: Color
    fit: Fit = "letterbox"  # for a film of another shape
    look: Look = NO_LOOK

    @property
    def matrix(self) -> str:
        """The matrix of its colours: the tagged one, else the one that players assume."""
        return matrix_of(self.color, (self.width, self.height))
