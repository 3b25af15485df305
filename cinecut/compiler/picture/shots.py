"""A shot's picture on a canvas: upright, cropped, mirrored, scaled, graded, and between bars or over itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from cinecut.compiler.layout.timeline import PlacedShot
from cinecut.compiler.picture.canvas import Canvas
from cinecut.compiler.picture.color import is_rgb, matrix_of, trailer_color
from cinecut.compiler.picture.geometry import Geometry, frame_shot
from cinecut.compiler.resolve import Footage
from cinecut.graph import filters
from cinecut.graph.nodes import Pad, split
from cinecut.graph.verify import OVERLAYS
from cinecut.language.facts import FilmFacts


def lower_shot(placed: PlacedShot, canvas: Canvas, footage: Footage, pad: Pad) -> Pad:
    """The frames of a shot with its handles, converted to the canvas."""
    label, facts = placed.label, footage.facts
    geometry = frame_shot(placed.event, footage.film.crop, facts, canvas.width, canvas.height, canvas.fit)
    colors = _colors(pad, facts, canvas, first=not placed.film.film)
    pad = _reshape(filters.upright(pad, facts.rotation, facts.mirrored, label), geometry, canvas, colors, placed)
    return filters.tag_color(filters.square_pixels(pad, label), canvas.color, label)


Colors = Mapping[str, str]  # arguments of the first filter that scales: ranges and matrices, from which and to which


def _colors(pad: Pad, facts: FilmFacts, canvas: Canvas, first: bool) -> Colors:
    """The conversion of a film's colours to the trailer's: for the `first` film only from full range or RGB, for others
    also between matrices."""
    as_stored = pad.video.pix_fmt == facts.pix_fmt
    if as_stored and is_rgb(facts):
        return {"out_color_matrix": trailer_color(facts).space if first else canvas.matrix, "out_range": "tv"}
    ranges = {"in_range": "pc", "out_range": "tv"} if as_stored and facts.color.range == "pc" else {}
    own = canvas.matrix if first else matrix_of(trailer_color(facts), facts.display_size)
    return ranges if own == canvas.matrix else {**ranges, "in_color_matrix": own, "out_color_matrix": canvas.matrix}


def _reshape(pad: Pad, geometry: Geometry, canvas: Canvas, colors: Colors, placed: PlacedShot) -> Pad:
    """Crop, mirror, scale and convert to the canvas's shape and colours, skipping what is already right."""
    label = placed.label
    if geometry.crop is not None and geometry.end is not None:
        video = pad.video
        pad = filters.scale(pad, video.width, video.height, _FULL_CHROMA, label, **colors)
        pad, colors = filters.crop_path(pad, geometry.crop, geometry.end, placed.extent.length, label), {}
    elif geometry.crop is not None:
        pad = filters.crop(pad, *geometry.crop, label)
    pad = filters.upright(pad, 0, placed.event.mirror, label)
    if geometry.scaled != (canvas.width, canvas.height) and canvas.fit == "blur":
        return _graded(_over_blur(pad, geometry, canvas, colors, label), canvas, placed)
    pad = _graded(_scaled(pad, geometry.scaled, canvas, colors, label), canvas, placed)
    if geometry.scaled != (canvas.width, canvas.height):
        pad = filters.pad_black(pad, canvas.width, canvas.height, *geometry.at, label)
    return pad


_FULL_CHROMA = "yuv444p"  # a picture that moves by single pixels has them for its colours too


def _graded(pad: Pad, canvas: Canvas, placed: PlacedShot) -> Pad:
    """With the look of its shot. Bars, cards and stills keep their colours."""
    tables = canvas.look.tables(placed.event)
    return filters.look_up(pad, tables, canvas.matrix, placed.label) if tables else pad


def _scaled(pad: Pad, size: tuple[int, int], canvas: Canvas, colors: Colors, label: str) -> Pad:
    video = pad.video
    if (video.width, video.height, video.pix_fmt) != (*size, canvas.pix_fmt) or colors:
        pad = filters.scale(pad, size[0], size[1], canvas.pix_fmt, label, **colors)
    return pad


_BLUR_SIDE = 8  # the blurred picture behind is made at an eighth of the size: nobody sees its pixels


def _over_blur(pad: Pad, geometry: Geometry, canvas: Canvas, colors: Colors, label: str) -> Pad:
    """The picture over a blurred copy of itself that fills the frame."""
    upper, lower = split(pad, 2, label)
    shared = canvas.pix_fmt if canvas.pix_fmt in OVERLAYS else "yuv444p"
    width, height = geometry.scaled
    factor = max(Fraction(canvas.width, width), Fraction(canvas.height, height)) / _BLUR_SIDE
    small = (max(2, math.ceil(width * factor / 2) * 2), max(2, math.ceil(height * factor / 2) * 2))
    window = (max(2, canvas.width // _BLUR_SIDE // 2 * 2), max(2, canvas.height // _BLUR_SIDE // 2 * 2))
    window = (min(window[0], small[0]), min(window[1], small[1]))
    lower = filters.scale(lower, small[0], small[1], shared, label, **colors)
    at = ((small[0] - window[0]) // 4 * 2, (small[1] - window[1]) // 4 * 2)
    lower = filters.blur(filters.crop(lower, *at, *window, label), max(window) / 24, label)
    lower = filters.scale(lower, canvas.width, canvas.height, shared, label)
    upper = filters.scale(upper, width, height, OVERLAYS[shared][1], label, **colors)
    mixed = filters.lay_over(lower, upper, *geometry.at, label)
    return (
        mixed if shared == canvas.pix_fmt else filters.scale(mixed, canvas.width, canvas.height, canvas.pix_fmt, label)
    )
