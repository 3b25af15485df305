"""How a shot's picture fits the trailer's frame: crop, scale and bars, in whole even pixels."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cinecut.language.events import Crop, Shot
from cinecut.language.facts import FilmFacts
from cinecut.language.spec import Film, Fit


@dataclass(frozen=True, slots=True)
class Geometry:
    """The window cut from the upright stored picture (x, y, width, height), the size it is scaled to, its position in
    the frame; for a moving window also where it ends (x, y)."""

    crop: tuple[int, int, int, int] | None
    scaled: tuple[int, int]
    at: tuple[int, int]
    end: tuple[int, int] | None = None


_SMALLEST = 16  # pixels of a trailer's shorter side


def shown_size(film: Film, facts: FilmFacts) -> tuple[int, int]:
    """The film's own size: upright square pixels of the used part of its frame, even on both sides; tiny films are
    enlarged."""
    width, height = facts.display_size
    if film.crop is not None:
        width, height = (max(2, 2 * round(side * share / 2)) for side, share in
                         ((width, film.crop.w), (height, film.crop.h)))  # fmt: skip
    larger = -(-_SMALLEST // min(width, height))  # a film of a few pixels: no encoder takes it as it is
    return width * larger, height * larger


def frame_shot(
    shot: Shot, whole: Crop | None, facts: FilmFacts, width: int, height: int, fit: Fit = "letterbox"
) -> Geometry:
    """Fit a shot into a frame of square pixels. Nothing is lost unless it is reframed or the fit is `crop`. `whole`:
    the film's crop, for shots without their own."""
    reframe = shot.reframe
    filled = reframe is not None or fit == "crop"
    keep = (reframe.x, reframe.y) if reframe is not None else (_MIDDLE, _MIDDLE)
    end = (reframe.to.x, reframe.to.y) if reframe is not None and reframe.to is not None else None
    crop_of = shot.crop or whole
    stored, sar = facts.size, facts.sar
    if facts.rotation % 180:
        stored, sar = (stored[1], stored[0]), 1 / sar
    x, y, w, h = Fraction(0), Fraction(0), Fraction(stored[0]), Fraction(stored[1])
    if crop_of is not None:
        x, y = crop_of.x * stored[0], crop_of.y * stored[1]
        w, h = crop_of.w * stored[0], crop_of.h * stored[1]
    if filled:
        wanted = Fraction(width, height) / sar  # shape in stored pixels
        narrow = min(w, h * wanted), min(h, w / wanted)
        room = (w - narrow[0], h - narrow[1])
        last = _even_window(x + room[0] * end[0], y + room[1] * end[1], *narrow, stored) if end else None
        crop = _even_window(x + room[0] * keep[0], y + room[1] * keep[1], *narrow, stored)
        moves = crop is not None and last is not None and crop[:2] != last[:2]
        return Geometry(crop, (width, height), (0, 0), last[:2] if moves and last is not None else None)
    crop = _even_window(x, y, w, h, stored)
    cut_width, cut_height = (crop[2], crop[3]) if crop else stored
    factor = min(width / (cut_width * sar), Fraction(height, cut_height))
    scaled = (_even(cut_width * sar * factor, width), _even(cut_height * factor, height))
    return Geometry(crop, scaled, ((width - scaled[0]) // 4 * 2, (height - scaled[1]) // 4 * 2))


_MIDDLE = Fraction(1, 2)


def _even(length: Fraction, most: int) -> int:
    """The nearest even number; the whole frame if it is within a pixel."""
    return most if abs(length - most) <= 1 else max(2, 2 * round(length / 2))


def _even_window(
    x: Fraction, y: Fraction, w: Fraction, h: Fraction, stored: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """A window on even pixels, as chroma needs; None if it is the whole picture."""
    if x == y == 0 and w == stored[0] and h == stored[1]:
        return None
    width = min(max(2, 2 * round(w / 2)), stored[0] // 2 * 2)
    height = min(max(2, 2 * round(h / 2)), stored[1] // 2 * 2)
    left = min(2 * round(x / 2), stored[0] - width)
    top = min(2 * round(y / 2), stored[1] - height)
    return left, top, width, height
