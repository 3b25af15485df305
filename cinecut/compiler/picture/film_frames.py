"""The film frames that a shot shows, at the trailer's rate.

The rule for a film of any rate, at any speed: trailer frame k of a shot is the film frame that is on screen at
in + k·speed/rate. With F the film's rate, a/b = speed·F/rate in lowest terms and X = ⌊b·in·F⌋, that frame is
⌊(X + k·a)/b⌋: whole numbers only, and so exact in the filter's arithmetic too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.layout.timeline import PlacedShot
from cinecut.compiler.picture.color import HDR, to_sdr
from cinecut.compiler.resolve import Trailer
from cinecut.graph import filters
from cinecut.graph.nodes import Pad
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime


@dataclass(frozen=True, slots=True)
class Frames:
    """The film frames of a shot: trailer frame k shows film frame ⌊(offset + k·step)/parts⌋ of a grid."""

    grid: Fraction  # film frames per second; ticks per second of a film with a variable rate
    step: int
    parts: int
    offset: int
    count: int
    film: str  # of which they are

    @property
    def first(self) -> int:
        return self.offset // self.parts

    @property
    def last(self) -> int:
        return (self.offset + (self.count - 1) * self.step) // self.parts

    @property
    def seen(self) -> FilmRange:
        """The film's time that these frames cover."""
        return FilmRange(FilmTime(self.first / self.grid), FilmTime((self.last + 1) / self.grid), self.film)


def shot_frames(placed: PlacedShot, trailer: Trailer) -> Frames:
    """The film frames of a shot with its handles."""
    speed, rate, facts = placed.event.speed, trailer.rate, trailer.footage[placed.film.film].facts
    grid = 1 / facts.time_base if facts.variable else facts.rate
    ratio = speed * grid / rate
    in_ = placed.film.start.seconds - placed.lead * speed / rate
    offset = math.floor(ratio.denominator * in_ * grid)
    return Frames(grid, ratio.numerator, ratio.denominator, offset, placed.extent.length, placed.film.film)


def film_frames(placed: PlacedShot, trailer: Trailer, pad: Pad) -> Pad:
    """Take a shot's frames out of the film's."""
    label, rate, facts = placed.label, trailer.rate, trailer.footage[placed.film.film].facts
    if facts.field_order != "progressive":
        pad = filters.deinterlace(pad, facts.field_order, label)
    frames = shot_frames(placed, trailer)
    if _in_step(frames, facts, rate):
        pad = _copy_frames(pad, frames, rate, label)
    else:
        in_time = not facts.variable and not facts.gaps
        pad = filters.exact_frames(_retime(pad, frames, rate, in_time, label), frames.count, label)
    return to_sdr(pad, facts, label) if facts.color.transfer in HDR else pad


def _in_step(frames: Frames, facts: FilmFacts, rate: Fraction) -> bool:
    """Whether the trailer shows each of the film's own frames exactly once."""
    return frames.grid == rate and frames.step == frames.parts and not facts.variable and not facts.gaps


def _copy_frames(pad: Pad, frames: Frames, rate: Fraction, label: str) -> Pad:
    """The film's own frames. Neither `fps` nor `tpad` is used: each buffers frames, a hundred megabytes at 45 shots."""
    pad = filters.trim(filters.settb(pad, 1 / rate, label), frames.first, frames.last + 1, label)
    return filters.setpts(pad, f"PTS-{frames.first}", label, rate)


def _retime(pad: Pad, frames: Frames, rate: Fraction, in_time: bool, label: str) -> Pad:
    """The shot's frames at the trailer's rate from time 0 on; later frames do not matter. If some grid positions have
    no film frame (not `in_time`), the frame before the first is kept, as it is still on screen."""
    pad = filters.settb(pad, 1 / frames.grid, label)
    if in_time:
        pad = filters.trim(pad, frames.first, frames.last + 1, label)
    # A film frame is first seen at the least k with film frame ⌊(offset + k·step)/parts⌋ ≥ it: the ceiling below. It
    # is counted in a unit of time that holds a whole number of both clocks' frames. One unit more, less than half a
    # frame, keeps `fps` from dropping the last frame where FFmpeg tells the end of the stream too early.
    unit = _common_unit(1 / frames.grid, 1 / rate) / 4
    film_ticks, trailer_ticks = int(1 / frames.grid / unit), int(1 / rate / unit)
    first_seen = f"max(0,ceil((PTS/{film_ticks}*{frames.parts}-{frames.offset})/{frames.step}))"
    pad = filters.settb(pad, unit, label)
    pad = filters.setpts(pad, f"{first_seen}*{trailer_ticks}+1", label)
    return filters.fps(pad, rate, label)


def _common_unit(left: Fraction, right: Fraction) -> Fraction:
    """The longest time that divides both evenly."""
    return Fraction(
        math.gcd(left.numerator * right.denominator, right.numerator * left.denominator),
        left.denominator * right.denominator,
    )
