"""The rating card before the trailer: a picture or a clip. The timeline does not include it."""

from __future__ import annotations

from fractions import Fraction

from cinecut.compiler.picture.canvas import Canvas, between_bars
from cinecut.compiler.picture.color import HDR, is_rgb, matrix_of, source_format, to_sdr, trailer_color
from cinecut.compiler.resolve import Opening
from cinecut.graph import filters
from cinecut.graph.nodes import Pad, Video
from cinecut.graph.plan import MEDIA_FORMATS, PICTURE_FORMATS, UserFile
from cinecut.language.facts import FilmFacts

NAME = "rating"


def rating_asset(opening: Opening) -> UserFile:
    clip = isinstance(opening.facts, FilmFacts)
    return UserFile(NAME, opening.file, MEDIA_FORMATS if clip else PICTURE_FORMATS, opening.facts)


def rating_source(opening: Opening) -> Pad:
    facts = opening.facts
    format = source_format(facts) if isinstance(facts, FilmFacts) else Video(*facts.size, "rgba")
    return filters.source(NAME, "v", format, NAME)


def lower_rating(opening: Opening, pad: Pad, canvas: Canvas) -> Pad:
    """The card for its number of frames, shown whole, with bars if its shape differs."""
    if isinstance(opening.facts, FilmFacts):
        pad = _clip(pad, opening.facts, canvas)
    else:
        pad = between_bars(pad, _fitting(pad.video.width, pad.video.height, Fraction(1), canvas), canvas, NAME)
    pad = filters.exact_frames(pad, opening.frames, NAME)
    return filters.tag_color(filters.square_pixels(pad, NAME), canvas.color, NAME)


def _clip(pad: Pad, facts: FilmFacts, canvas: Canvas) -> Pad:
    if facts.field_order != "progressive":
        pad = filters.deinterlace(pad, facts.field_order, NAME)
    pad = filters.fps(filters.setpts(pad, "PTS-STARTPTS", NAME), canvas.rate, NAME)
    if facts.color.transfer in HDR:
        pad = to_sdr(pad, facts, NAME)
    pad = filters.upright(pad, facts.rotation, facts.mirrored, NAME)
    width, height = _fitting(pad.video.width, pad.video.height, pad.video.sar, canvas)
    full = facts.color.range == "pc" and facts.color.transfer not in HDR
    ranges = {"in_range": "pc", "out_range": "tv"} if full else {}
    own = matrix_of(trailer_color(facts), facts.display_size)
    wanted = matrix_of(canvas.color, (canvas.width, canvas.height))
    if is_rgb(facts):
        ranges = {"out_color_matrix": wanted, "out_range": "tv"}
    elif own != wanted:
        ranges |= {"in_color_matrix": own, "out_color_matrix": wanted}
    pad = filters.scale(pad, width, height, canvas.pix_fmt, NAME, **ranges)
    at = (canvas.width - width) // 4 * 2, (canvas.height - height) // 4 * 2
    return filters.pad_black(pad, canvas.width, canvas.height, *at, NAME)


def _fitting(width: int, height: int, sar: Fraction, canvas: Canvas) -> tuple[int, int]:
    """The largest even size of this shape that fits the canvas."""
    factor = min(canvas.width / (width * sar), Fraction(canvas.height, height))
    wide, high = (max(2, 2 * round(side * factor / 2)) for side in (width * sar, Fraction(height)))
    return min(wide, canvas.width), min(high, canvas.height)
