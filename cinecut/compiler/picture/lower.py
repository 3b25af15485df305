"""Timeline → the picture half of the graph.

The rule for a film of any rate, at any speed: trailer frame k of a shot is the film frame that is on screen at
in + k·speed/rate. With F the film's rate, a/b = speed·F/rate in lowest terms and X = ⌊b·in·F⌋, that frame is
⌊(X + k·a)/b⌋: whole numbers only, and so exact in the filter's arithmetic too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.compiler.picture.geometry import Geometry, frame_shot
from cinecut.compiler.picture.look import NO_LOOK, Look
from cinecut.compiler.timeline import Joint, Placed, Timeline
from cinecut.graph import filters
from cinecut.graph.nodes import Pad, Video
from cinecut.language.events import Black, Card, Crop, Shot, Still
from cinecut.language.facts import Color, FilmFacts
from cinecut.language.spec import Fit
from cinecut.language.timebase import FilmRange, FilmTime

HDR = ("smpte2084", "arib-std-b67")  # PQ and HLG


@dataclass(frozen=True, slots=True)
class Canvas:
    """What every picture is brought to."""

    width: int
    height: int
    rate: Fraction
    pix_fmt: str
    color: Color
    fit: Fit = "letterbox"  # for a film of another shape
    crop: Crop | None = None  # what of the film's frame is used
    look: Look = NO_LOOK


@dataclass(frozen=True, slots=True)
class Frames:
    """Which film frames a shot shows: frame k of the trailer shows film frame ⌊(offset + k·step)/parts⌋ of a grid."""

    grid: Fraction  # film frames per second; ticks per second of a film with a variable rate
    step: int
    parts: int
    offset: int
    count: int

    @property
    def first(self) -> int:
        return self.offset // self.parts

    @property
    def last(self) -> int:
        return (self.offset + (self.count - 1) * self.step) // self.parts

    @property
    def seen(self) -> FilmRange:
        """The film's time that these frames cover."""
        return FilmRange(FilmTime(self.first / self.grid), FilmTime((self.last + 1) / self.grid))


def shot_frames(placed: Placed, facts: FilmFacts, rate: Fraction) -> Frames:
    """The film frames of a shot with its handles."""
    assert isinstance(placed.event, Shot)
    assert placed.film is not None
    speed = placed.event.speed
    grid = 1 / facts.time_base if facts.variable else facts.rate
    ratio = speed * grid / rate
    in_ = placed.film.start.seconds - placed.lead * speed / rate
    offset = math.floor(ratio.denominator * in_ * grid)
    return Frames(grid, ratio.numerator, ratio.denominator, offset, placed.extent.length)


Source = Callable[[Placed], Pad]  # where an event's pictures come from


def lower_pictures(
    timeline: Timeline,
    canvases: Mapping[str, Canvas],
    facts: FilmFacts,
    source: Source,
    openings: Mapping[str, Pad],
) -> dict[str, Pad]:
    """The picture of each output, by their names, each after its opening where it has one. What is decoded is decoded
    once: the outputs part before scaling."""
    copies: dict[int, list[Pad]] = {}
    for placed in timeline.events:
        if isinstance(placed.event, Shot | Still):
            pad = source(placed)
            if isinstance(placed.event, Shot):
                pad = _film_frames(placed, next(iter(canvases.values())).rate, facts, pad)
            copies[placed.number] = filters.split(pad, len(canvases), placed.label)
    found = {}
    for index, (name, canvas) in enumerate(canvases.items()):
        taken = {number: pads[index] for number, pads in copies.items()}
        segments = _lower_picture(timeline, canvas, facts, taken)
        opening = [openings[name]] if name in openings else []
        found[name] = filters.run([*opening, *segments], canvas.rate, "picture")
    return found


def _lower_picture(timeline: Timeline, canvas: Canvas, facts: FilmFacts, sources: Mapping[int, Pad]) -> list[Pad]:
    """All events, one after another. Where two cross-fade, the end of one and the start of the next are mixed; in a dip
    to white, each of them with white."""
    segments: list[Pad] = []
    leaving: Pad | None = None
    for placed in timeline.events:
        pad, label = _lower_event(placed, canvas, facts, sources), placed.label
        head, tail = _mixed(placed.head, placed.head.after), _mixed(placed.tail, placed.tail.before)
        entering, body, left = _cut_up(pad, head, tail, placed)
        if entering is not None:
            before = leaving if placed.head.kind == "crossfade" else _plain("white", head, canvas, label)
            assert before is not None
            segments.append(filters.crossfade(before, entering, head, label))
        if body is not None:
            segments.append(body)
        if left is not None and placed.tail.kind == "dip to white":
            segments.append(filters.crossfade(left, _plain("white", tail, canvas, label), tail, label))
        leaving = left
    return segments


def _mixed(joint: Joint, own: int) -> int:
    """How many frames at a joint are mixed with another picture; `own` of them are on this side of it."""
    return {"crossfade": joint.before + joint.after, "dip to white": own}.get(joint.kind, 0)


def _cut_up(pad: Pad, head: int, tail: int, placed: Placed) -> tuple[Pad | None, Pad | None, Pad | None]:
    """An event's first `head` frames, its last `tail` frames, and in the middle what is left; None where it is none."""
    length = placed.extent.length
    bounds = [(0, head), (head, length - tail), (length - tail, length)]
    wanted = [start < end for start, end in bounds]
    if wanted == [False, True, False]:
        return None, pad, None
    copies = iter(filters.split(pad, sum(wanted), placed.label))
    parts = [filters.part(next(copies), start, end, placed.label) if start < end else None for start, end in bounds]
    return parts[0], parts[1], parts[2]


def _lower_event(placed: Placed, canvas: Canvas, facts: FilmFacts, sources: Mapping[int, Pad]) -> Pad:
    """One event at its full extent, independent of its neighbours but for the joints at its ends."""
    frames = placed.extent.length
    match placed.event:
        case Shot():
            pad = _lower_shot(placed, placed.event, canvas, facts, sources[placed.number])
        case Still():
            pad = _lower_still(placed, placed.event, frames, canvas, sources[placed.number])
        case Black() | Card():
            pad = _plain("black", frames, canvas, placed.label)
    return _apply_joints(pad, placed)


def _lower_shot(placed: Placed, shot: Shot, canvas: Canvas, facts: FilmFacts, pad: Pad) -> Pad:
    label = placed.label
    geometry = frame_shot(shot, canvas.crop, facts, canvas.width, canvas.height, canvas.fit)
    pad = _reshape(pad, geometry, canvas, facts, placed)
    return filters.tag_color(filters.square_pixels(pad, label), canvas.color, label)


def _film_frames(placed: Placed, rate: Fraction, facts: FilmFacts, pad: Pad) -> Pad:
    """The film's frames that a shot shows, as they are stored, at the trailer's rate."""
    label = placed.label
    if facts.field_order != "progressive":
        pad = filters.deinterlace(pad, facts.field_order, label)
    frames = shot_frames(placed, facts, rate)
    if _in_step(frames, facts, rate):
        pad = _copy_frames(pad, frames, rate, label)
    else:
        pad = filters.exact_frames(_retime(pad, frames, rate, facts.variable, label), frames.count, label)
    return to_sdr(pad, facts, label) if facts.color.transfer in HDR else pad


def to_sdr(pad: Pad, facts: FilmFacts, label: str) -> Pad:
    """An HDR film's pictures in the light of a BT.709 screen. Tags that only the film's container has are lost on the
    way through a reel, so they are put back first; where there are none, it is BT.2020, as HDR is."""
    known = facts.color
    space = "bt2020nc" if known.space == "unknown" else known.space
    primaries = "bt2020" if known.primaries == "unknown" else known.primaries
    full = Color("pc" if known.range == "pc" else "tv", space, primaries, known.transfer)
    return filters.tone_map(filters.tag_color(pad, full, label), label)


def _in_step(frames: Frames, facts: FilmFacts, rate: Fraction) -> bool:
    """The trailer shows the film's own frames, every one once."""
    return frames.grid == rate and frames.step == frames.parts and not facts.variable and not facts.gaps


def _copy_frames(pad: Pad, frames: Frames, rate: Fraction, label: str) -> Pad:
    """The film's own frames. Neither `fps` nor `tpad` here: each holds frames back, at 45 shots a hundred megabytes."""
    pad = filters.trim(filters.settb(pad, 1 / rate, label), frames.first, frames.last + 1, label)
    return filters.setpts(pad, f"PTS-{frames.first}", label, rate)


def _retime(pad: Pad, frames: Frames, rate: Fraction, variable: bool, label: str) -> Pad:
    """The shot's frames at the trailer's rate from stamp 0 on; what follows them may be anything."""
    pad = filters.settb(pad, 1 / frames.grid, label)
    if not variable:
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
    """The longest time of which both are whole multiples."""
    return Fraction(
        math.gcd(left.numerator * right.denominator, right.numerator * left.denominator),
        left.denominator * right.denominator,
    )


def _reshape(pad: Pad, geometry: Geometry, canvas: Canvas, facts: FilmFacts, placed: Placed) -> Pad:
    """Upright, cropped, scaled and brought to the canvas's shape. What is right already is left alone."""
    label = placed.label
    if facts.rotation:
        pad = filters.rotate(pad, facts.rotation, label)
    if geometry.end is not None:
        video = pad.video
        pad = filters.scale(pad, video.width, video.height, _FULL_CHROMA, label, **_ranges(pad, facts))
        assert geometry.crop is not None
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


def _graded(pad: Pad, canvas: Canvas, placed: Placed) -> Pad:
    """In the look of its shot. What is not the film's (bars, cards, stills) keeps its colours."""
    assert isinstance(placed.event, Shot)
    tables = canvas.look.tables(placed.event)
    return filters.look_up(pad, tables, _matrix(canvas), placed.label) if tables else pad


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
    upper, lower = filters.split(pad, 2, label)
    shared = canvas.pix_fmt if canvas.pix_fmt in filters.OVERLAYS else "yuv444p"
    width, height = geometry.scaled
    factor = max(Fraction(canvas.width, width), Fraction(canvas.height, height)) / _BLUR_SIDE
    small = (max(2, math.ceil(width * factor / 2) * 2), max(2, math.ceil(height * factor / 2) * 2))
    window = (max(2, canvas.width // _BLUR_SIDE // 2 * 2), max(2, canvas.height // _BLUR_SIDE // 2 * 2))
    window = (min(window[0], small[0]), min(window[1], small[1]))
    lower = filters.scale(lower, small[0], small[1], shared, label, **_ranges(lower, facts))
    at = ((small[0] - window[0]) // 4 * 2, (small[1] - window[1]) // 4 * 2)
    lower = filters.blur(filters.crop(lower, *at, *window, label), max(window) / 24, label)
    lower = filters.scale(lower, canvas.width, canvas.height, shared, label)
    upper = filters.scale(upper, width, height, shared, label, **_ranges(upper, facts))
    mixed = filters.lay_over(lower, upper, *geometry.at, label)
    return (
        mixed if shared == canvas.pix_fmt else filters.scale(mixed, canvas.width, canvas.height, canvas.pix_fmt, label)
    )


def _plain(color: str, frames: int, canvas: Canvas, label: str) -> Pad:
    pad = filters.plain(color, canvas.width, canvas.height, canvas.rate, canvas.pix_fmt, label)
    pad = filters.exact_frames(pad, frames, label)
    return filters.tag_color(filters.square_pixels(pad, label), canvas.color, label)


def _lower_still(placed: Placed, still: Still, frames: int, canvas: Canvas, pad: Pad) -> Pad:
    assert still.still.facts is not None
    width, height = still.still.facts.size
    factor = min(Fraction(canvas.width, width), Fraction(canvas.height, height)) * still.scale
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    lower = _over_black if still.still.facts.alpha else between_bars
    pad = filters.exact_frames(lower(pad, size, canvas, placed.label), frames, placed.label)
    return filters.tag_color(filters.square_pixels(pad, placed.label), canvas.color, placed.label)


def _over_black(pad: Pad, size: tuple[int, int], canvas: Canvas, label: str) -> Pad:
    """A picture with transparency, endless."""
    shared = canvas.pix_fmt if canvas.pix_fmt in filters.OVERLAYS else "yuv444p"
    matrix, upper = _matrix(canvas), filters.OVERLAYS[shared][1]
    pad = filters.scale(pad, *size, upper, label, out_color_matrix=matrix, out_range="tv")
    pad = filters.square_pixels(filters.tag_color(pad, canvas.color, label), label)
    below = filters.plain("black", canvas.width, canvas.height, canvas.rate, shared, label)
    shown = filters.overlay(filters.tag_color(below, canvas.color, label), pad, label)
    if shared != canvas.pix_fmt:
        shown = filters.scale(shown, canvas.width, canvas.height, canvas.pix_fmt, label)
    return shown


def between_bars(pad: Pad, size: tuple[int, int], canvas: Canvas, label: str) -> Pad:
    """A picture without transparency, endless."""
    pad = filters.scale(pad, *size, canvas.pix_fmt, label, out_color_matrix=_matrix(canvas), out_range="tv")
    at = ((canvas.width - size[0]) // 4 * 2, (canvas.height - size[1]) // 4 * 2)
    return filters.repeat(filters.pad_black(pad, canvas.width, canvas.height, *at, label), canvas.rate, label)


_MATRICES = ("bt709", "smpte170m", "bt470bg")


def matrix_of(color: Color, size: tuple[int, int]) -> str:
    """The tagged one. What is not tagged players take for BT.601 up to standard definition and for BT.709 above."""
    if color.space in _MATRICES:
        return color.space
    return "bt709" if size[0] >= 1280 or size[1] > 576 else "smpte170m"


def _matrix(canvas: Canvas) -> str:
    return matrix_of(canvas.color, (canvas.width, canvas.height))


def _apply_joints(pad: Pad, placed: Placed) -> Pad:
    """Fades from and to black, and the halves of dips to it."""
    if placed.head.kind in _FADES and placed.head.after:
        pad = filters.fade(pad, "in", 0, placed.head.after, placed.label)
    if placed.tail.kind in _FADES and placed.tail.before:
        start = placed.extent.length - placed.tail.before
        pad = filters.fade(pad, "out", start, placed.tail.before, placed.label)
    return pad


_FADES = ("fade in", "fade out", "dip to black")


def trailer_color(facts: FilmFacts) -> Color:
    """The trailer's tags: the film's, in limited range (what an untagged film is taken for, too); of an HDR film those
    of SDR, which it is brought to; of one in RGB the matrix that it gets."""
    if facts.color.transfer in HDR:
        return Color("tv", "bt709", "bt709", "bt709")
    return replace(facts.color, range="tv", space="bt709" if is_rgb(facts) else facts.color.space)


def is_rgb(facts: FilmFacts) -> bool:
    """The film is stored as red, green and blue, as screen recordings and animations often are."""
    return facts.color.space == "gbr" or facts.pix_fmt.startswith(_RGB)


_RGB = ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "x2rgb", "x2bgr", "pal8")


def source_format(facts: FilmFacts) -> Video:
    width, height = facts.size
    return Video(width, height, facts.pix_fmt, None, None, facts.sar)
