"""A shot's picture on a canvas: upright, cropped, scaled, graded, and between bars or over itself."""

from __future__ import annotations

import math
from fractions import Fraction

from cinecut.compiler.layout.timeline import PlacedShot
from cinecut.compiler.picture.canvas import Canvas
from cinecut.compiler.picture.color import is_rgb, trailer_color
from cinecut.compiler.picture.geometry import Geometry, frame_shot
from cinecut.graph import filters
from cinecut.graph.nodes import Pad, split
from cinecut.graph.verify import OVERLAYS
from cinecut.language.facts import FilmFacts


def lower_shot(placed: PlacedShot, canvas: Canvas, facts: FilmFacts, pad: Pad) -> Pad:
    """The frames of a shot with its handles, as the canvas shows them."""
    label = placed.label
    geometry = frame_shot(placed.event, canvas.crop, facts, canvas.width, canvas.height, canvas.fit)
    pad = _reshape(pad, geometry, canvas, facts, placed)
    return filters.tag_color(filters.square_pixels(pad, label), canvas.color, label)


def _reshape(pad: Pad, geometry: Geometry, canvas: Canvas, facts: FilmFacts, placed: PlacedShot) -> Pad:
    """Upright, cropped, scaled and brought to the canvas's shape. What is right already is left alone."""
    label = placed.label
    pad = filters.upright(pad, facts.rotation, facts.mirrored, label)
    if geometry.crop is not None and geometry.end is not None:
        video = pad.video
        pad = filters.scale(pad, video.width, video.height, _FULL_CHROMA, label, **_ranges(pad, facts))
        pad = filters.crop_path(pad, geometry.crop, geometry.end, placed.extent.length, label)
    elif geometry.crop is not None:
        pad = filters.crop(pad, *geometry.crop, label)
    if geometry.scaled != (canvas.width, canvas.height) and canvas.fit == "blur":
        return _graded(_over_blur(pad, geometry, canvas, facts, label), canvas, placed)
    pad = _graded(_scaled(pad, geometry.scaled, canvas, facts, label), canvas, placed)
    if geometry.scaled != (canvas.width, canvas.height):
        pad = filters.pad_black(pad, canvas.width, canvas.height, *geometry.at, label)
    return pad


_FULL_CHROMA = "yuv444p"  # a picture that moves by single pixels has them for its colours too


def _graded(pad: Pad, canvas: Canvas, placed: PlacedShot) -> Pad:
    """In the look of its shot. What is not the film's (bars, cards, stills) keeps its colours."""
    tables = canvas.look.tables(placed.event)
    return filters.look_up(pad, tables, canvas.matrix, placed.label) if tables else pad


def _scaled(pad: Pad, size: tuple[int, int], canvas: Canvas, facts: FilmFacts, label: str) -> Pad:
    video, ranges = pad.video, _ranges(pad, facts)
    if (video.width, video.height, video.pix_fmt) != (*size, canvas.pix_fmt) or ranges:
        pad = filters.scale(pad, size[0], size[1], canvas.pix_fmt, label, **ranges)
    return pad


def _ranges(pad: Pad, facts: FilmFacts) -> dict[str, str]:
    """For the first conversion of a film in full range, or in RGB."""
    if pad.video.pix_fmt != facts.pix_fmt:
        return {}
    if is_rgb(facts):
        return {"out_color_matrix": trailer_color(facts).space, "out_range": "tv"}
    return {"in_range": "pc", "out_range": "tv"} if facts.color.range == "pc" else {}


_BLUR_SIDE = 8  # the blurred picture behind is made at an eighth of the size: nobody sees its pixels


def _over_blur(pad: Pad, geometry: Geometry, canvas: Canvas, facts: FilmFacts, label: str) -> Pad:
    """The picture over itself, which fills the frame, blurred."""
    upper, lower = split(pad, 2, label)
    shared = canvas.pix_fmt if canvas.pix_fmt in OVERLAYS else "yuv444p"
    width, height = geometry.scaled
    factor = max(Fraction(canvas.width, width), Fraction(canvas.height, height)) / _BLUR_SIDE
    small = (max(2, math.ceil(width * factor / 2) * 2), max(2, math.ceil(height * factor / 2) * 2))
    window = (max(2, canvas.width // _BLUR_SIDE // 2 * 2), max(2, canvas.height // _BLUR_SIDE // 2 * 2))
    window = (min(window[0], small[0]), min(window[1], small[1]))
    lower = filters.scale(lower, small[0], small[1], shared, label, **_ranges(lower, facts))
    at = ((small[0] - window[0]) // 4 * 2, (small[1] - window[1]) // 4 * 2)
    lower = filters.blur(filters.crop(lower, *at, *window, label), max(window) / 24, label)
    lower = filters.scale(lower, canvas.width, canvas.height, shared, label)
    upper = filters.scale(upper, width, height, OVERLAYS[shared][1], label, **_ranges(upper, facts))
    mixed = filters.lay_over(lower, upper, *geometry.at, label)
    return (
        mixed if shared == canvas.pix_fmt else filters.scale(mixed, canvas.width, canvas.height, canvas.pix_fmt, label)
    )
