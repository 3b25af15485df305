"""The common format of all pictures of an output; and those that are not from a film, on it: plain colours and stills,
with or without transparency."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.layout.timeline import Placed
from cinecut.compiler.picture.color import matrix_of
from cinecut.compiler.picture.look import NO_LOOK, Look
from cinecut.graph import filters
from cinecut.graph.nodes import Pad
from cinecut.graph.verify import OVERLAYS
from cinecut.language.facts import Color, StillFacts
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


def plain(color: str, frames: int, canvas: Canvas, label: str) -> Pad:
    pad = filters.plain(color, canvas.width, canvas.height, canvas.rate, canvas.pix_fmt, label)
    pad = filters.exact_frames(pad, frames, label)
    return filters.tag_color(filters.square_pixels(pad, label), canvas.color, label)


def lower_still(placed: Placed, facts: StillFacts, scale: Fraction, canvas: Canvas, pad: Pad) -> Pad:
    """A still for the length of its event; `scale` is the share of the canvas that it fills."""
    width, height = facts.size
    factor = min(Fraction(canvas.width, width), Fraction(canvas.height, height)) * scale
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    lower = _over_black if facts.alpha else between_bars
    pad = filters.exact_frames(lower(pad, size, canvas, placed.label), placed.extent.length, placed.label)
    return filters.tag_color(filters.square_pixels(pad, placed.label), canvas.color, placed.label)


def _over_black(pad: Pad, size: tuple[int, int], canvas: Canvas, label: str) -> Pad:
    """A picture with transparency, repeated endlessly."""
    shared = canvas.pix_fmt if canvas.pix_fmt in OVERLAYS else "yuv444p"
    matrix, upper = canvas.matrix, OVERLAYS[shared][1]
    pad = filters.scale(pad, *size, upper, label, out_color_matrix=matrix, out_range="tv")
    pad = filters.square_pixels(filters.tag_color(pad, canvas.color, label), label)
    below = filters.plain("black", canvas.width, canvas.height, canvas.rate, shared, label)
    shown = filters.overlay(filters.tag_color(below, canvas.color, label), pad, label)
    if shared != canvas.pix_fmt:
        shown = filters.scale(shown, canvas.width, canvas.height, canvas.pix_fmt, label)
    return shown


def between_bars(pad: Pad, size: tuple[int, int], canvas: Canvas, label: str) -> Pad:
    """A picture without transparency, repeated endlessly."""
    pad = filters.scale(pad, *size, canvas.pix_fmt, label, out_color_matrix=canvas.matrix, out_range="tv")
    at = ((canvas.width - size[0]) // 4 * 2, (canvas.height - size[1]) // 4 * 2)
    return filters.repeat(filters.pad_black(pad, canvas.width, canvas.height, *at, label), canvas.rate, label)
