"""The rating card before the trailer: a picture or a clip. The cut itself knows nothing of it."""

from __future__ import annotations

from fractions import Fraction

from cinecut.compiler.picture import HDR, Canvas, between_bars, source_format, to_sdr, trailer_color
from cinecut.facts import FilmFacts
from cinecut.ffmpeg import filters
from cinecut.ffmpeg.graph import Pad, Video
from cinecut.ffmpeg.plan import MEDIA_FORMATS, PICTURE_FORMATS, Asset
from cinecut.grid import measure
from cinecut.spec import Rating
from cinecut.timebase import Length, nearest

NAME = "rating"
_USUAL = Length(Fraction(5), "s")


def rating_frames(rating: Rating | None, rate: Fraction) -> int:
    """Frames of the trailer that the card takes."""
    if rating is None:
        return 0
    facts = rating.clip.facts if rating.clip is not None else None
    length = measure(rating.for_ or _USUAL, Fraction(0), rate, None) or Fraction(5)
    if rating.for_ is None and facts is not None:
        length = facts.duration
    return max(1, nearest(length * rate))


def rating_asset(rating: Rating) -> Asset:
    if rating.clip is not None:
        return Asset(NAME, rating.clip.file, MEDIA_FORMATS)
    assert rating.still is not None
    return Asset(NAME, rating.still.file, PICTURE_FORMATS)


def rating_source(rating: Rating) -> Pad:
    if rating.clip is not None:
        assert rating.clip.facts is not None
        return filters.source(NAME, "v", source_format(rating.clip.facts), NAME)
    assert rating.still is not None
    assert rating.still.facts is not None
    return filters.source(NAME, "v", Video(*rating.still.facts.size, "rgba"), NAME)


def lower_rating(rating: Rating, pad: Pad, frames: int, canvas: Canvas) -> Pad:
    """The card for so many frames, all of it in sight, between bars where its shape is another."""
    if rating.clip is not None:
        assert rating.clip.facts is not None
        pad = _clip(pad, rating.clip.facts, canvas)
    else:
        pad = between_bars(pad, _fitting(pad.video.width, pad.video.height, Fraction(1), canvas), canvas, NAME)
    pad = filters.exact_frames(pad, frames, NAME)
    return filters.tag_color(filters.square_pixels(pad, NAME), canvas.color, NAME)


def _clip(pad: Pad, facts: FilmFacts, canvas: Canvas) -> Pad:
    if facts.field_order != "progressive":
        pad = filters.deinterlace(pad, facts.field_order, NAME)
    pad = filters.fps(filters.setpts(pad, "PTS-STARTPTS", NAME), canvas.rate, NAME)
    if facts.color.transfer in HDR:
        pad = to_sdr(pad, facts, NAME)
    if facts.rotation:
        pad = filters.rotate(pad, facts.rotation, NAME)
    width, height = _fitting(pad.video.width, pad.video.height, pad.video.sar, canvas)
    full = facts.color.range == "pc" and facts.color.transfer not in HDR
    ranges = {"in_range": "pc", "out_range": "tv"} if full else {}
    space = trailer_color(facts).space
    if space not in (canvas.color.space, "unknown") and canvas.color.space != "unknown":
        ranges |= {"in_color_matrix": space, "out_color_matrix": canvas.color.space}
    pad = filters.scale(pad, width, height, canvas.pix_fmt, NAME, **ranges)
    at = (canvas.width - width) // 4 * 2, (canvas.height - height) // 4 * 2
    return filters.pad_black(pad, canvas.width, canvas.height, *at, NAME)


def _fitting(width: int, height: int, sar: Fraction, canvas: Canvas) -> tuple[int, int]:
    """The largest even size of a shape that the canvas holds."""
    factor = min(canvas.width / (width * sar), Fraction(canvas.height, height))
    wide, high = (max(2, 2 * round(side * factor / 2)) for side in (width * sar, Fraction(height)))
    return min(wide, canvas.width), min(high, canvas.height)
