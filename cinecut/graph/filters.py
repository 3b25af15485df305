"""A typed constructor for each picture filter that cinecut uses; those for sound are in sounds.py. Each computes its
output format, so that a mismatch is a GraphError at compile time instead of a failure in the middle of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from cinecut.graph.nodes import Arg, Format, GraphError, Node, Pad, Video
from cinecut.graph.verify import OVERLAYS, PLANAR
from cinecut.language.facts import Color
from cinecut.language.timebase import rate_text

# Exact conversions, the same on every class of processor.
SCALE_FLAGS = "bicubic+accurate_rnd+full_chroma_int+bitexact"


def node(name: str, ins: Sequence[Pad], out: Format, label: str, **args: Arg) -> Pad:
    return Pad(Node(name, tuple(ins), tuple((k.rstrip("_"), v) for k, v in args.items()), (out,), label))


def source(file: str, stream: str, format: Format, label: str, use: int = 0) -> Pad:
    """The first picture (`v`) or sound (`a`) stream of a file in the working folder; each `use` opens it again."""
    return Pad(Node("input", (), (("file", file), ("stream", stream), ("use", use)), (format,), label))


def settb(pad: Pad, time_base: Fraction | None, label: str) -> Pad:
    """Move the timestamps to a grid: each to its nearest multiple."""
    out = replace(pad.video, time_base=time_base)
    return node("settb", [pad], out, label, expr=ratio(time_base))


def setpts(pad: Pad, expression: str, label: str, rate: Fraction | None = None) -> Pad:
    """New timestamps; `rate` is their rate if the expression fills every grid position."""
    return node("setpts", [pad], replace(pad.video, rate=rate), label, expr=expression)


def trim(pad: Pad, start: int, end: int, label: str) -> Pad:
    """The frames with timestamps in [start, end), in the pad's own time base."""
    return node("trim", [pad], pad.video, label, start_pts=start, end_pts=end)


def exact_frames(pad: Pad, count: int, label: str) -> Pad:
    """Exactly `count` frames: the last one is repeated, or the end cut off."""
    held = node("tpad", [pad], pad.video, label, stop=-1, stop_mode="clone")
    return node("trim", [held], pad.video, label, end_frame=count)


def repeat(pad: Pad, rate: Fraction, label: str) -> Pad:
    """One picture, repeated endlessly at a constant rate."""
    held = node("tpad", [pad], pad.video, label, stop=-1, stop_mode="clone")
    return setpts(settb(held, 1 / rate, label), "N", label, rate)


def fps(pad: Pad, rate: Fraction, label: str) -> Pad:
    """Constant rate from time 0 on: of frames with equal timestamps the last, and between timestamps the frame
    before."""
    out = replace(pad.video, rate=rate, time_base=1 / rate)
    return node("fps", [pad], out, label, fps=rate_text(rate), start_time=0, eof_action="pass")


def planar(pad: Pad, label: str) -> Pad:
    """In a planar format, which every filter accepts."""
    video = pad.video
    return pad if PLANAR.fullmatch(video.pix_fmt) else scale(pad, video.width, video.height, "yuv444p", label)


def deinterlace(pad: Pad, parity: str, label: str) -> Pad:
    pad = planar(pad, label)
    return node("bwdif", [pad], replace(pad.video, time_base=None), label, mode="send_frame", parity=parity)


def upright(pad: Pad, degrees: int, mirrored: bool, label: str) -> Pad:
    """Rotate clockwise by a multiple of 90 degrees, then mirror left to right, as a player does."""
    video = pad.video
    if mirrored and degrees % 180 == 0:
        return node("vflip" if degrees else "hflip", [pad], video, label)
    if degrees == 0:
        return pad
    if degrees == 180:
        return node("vflip", [node("hflip", [pad], video, label)], video, label)
    pix_fmt = video.pix_fmt.replace("yuv422p", "yuv440p")  # its colours are now halved along the other side
    turned = replace(video, width=video.height, height=video.width, sar=1 / video.sar, pix_fmt=pix_fmt)
    return node("transpose", [pad], turned, label, dir=_TURNS[degrees, mirrored])


_TURNS = {(90, False): "clock", (270, False): "cclock", (90, True): "cclock_flip", (270, True): "clock_flip"}


def crop(pad: Pad, x: int, y: int, width: int, height: int, label: str) -> Pad:
    video = pad.video
    if x < 0 or y < 0 or x + width > video.width or y + height > video.height:
        raise GraphError(f"crop {width}x{height}+{x}+{y} leaves a picture of {video.width}x{video.height}")
    out = replace(video, width=width, height=height)
    return node("crop", [pad], out, label, w=width, h=height, x=x, y=y, exact=1)


def crop_path(pad: Pad, window: tuple[int, int, int, int], end: tuple[int, int], frames: int, label: str) -> Pad:
    """A window that moves from its place to another within `frames` frames, starting and stopping gently."""
    x, y, width, height = window
    share = f"min(1,n/{max(1, frames - 1)})"
    soft = f"({share}*{share}*(3-2*{share}))"
    out = replace(pad.video, width=width, height=height)
    places = {axis: f"{a}+({b - a})*{soft}" for axis, a, b in (("x", x, end[0]), ("y", y, end[1]))}
    return node("crop", [pad], out, label, w=width, h=height, **places, exact=1)


def blur(pad: Pad, sigma: float, label: str) -> Pad:
    """Almost a Gaussian: three box means in whole numbers. `gblur` sometimes gives different first pictures, from
    uninitialised memory."""
    video, radius = pad.video, round((math.sqrt(4 * sigma * sigma + 1) - 1) / 2)
    halves = 1 if "444" in video.pix_fmt else 2
    luma, chroma = (min(radius // part, min(video.width, video.height) // part // 2) for part in (1, halves))
    powers = {"luma_power": 3, "chroma_power": 3}
    return node("boxblur", [pad], video, label, luma_radius=luma, chroma_radius=chroma, **powers)


def lay_over(below: Pad, above: Pad, x: int, y: int, label: str) -> Pad:
    """One picture over another, at a place."""
    name = OVERLAYS[below.video.pix_fmt][0]
    return node("overlay", [below, above], below.video, label, x=x, y=y, format=name)


def look_up(pad: Pad, tables: Sequence[tuple[str, str]], matrix: str, label: str) -> Pad:
    """Apply LUT files, each a filter (lut1d, lut3d) and a file name, in full-range 16-bit RGB, converted by FFmpeg's
    most exact converter. FFmpeg 9.0 corrupts rows whose length is not a multiple of eight, so such rows are padded
    meanwhile."""
    video, name = pad.video, _ZIMG_MATRICES.get(matrix, "709")
    wide = replace(video, pix_fmt="gbrp16le")
    there = node("zscale", [pad], wide, label, f="bicubic", min=name, rin="limited", m="gbr", r="full")
    pad = node("format", [there], wide, label, pix_fmts="gbrp16le")
    longer = -(-video.width // 8) * 8
    if longer != video.width:
        pad = pad_black(pad, longer, video.height, 0, 0, label)
    for kind, file in tables:
        interpolation = "tetrahedral" if kind == "lut3d" else "linear"
        pad = node(kind, [pad], pad.video, label, file=file, interp=interpolation)
    if longer != video.width:
        pad = crop(pad, 0, 0, video.width, video.height, label)
    back = node("zscale", [pad], video, label, f="bicubic", min="gbr", rin="full", m=name, r="limited")
    return node("format", [back], video, label, pix_fmts=video.pix_fmt)


_ZIMG_MATRICES = {"smpte170m": "170m", "bt470bg": "470bg", "bt2020nc": "2020_ncl", "smpte240m": "240m", "fcc": "fcc"}


def tone_map(pad: Pad, label: str) -> Pad:
    """HDR (PQ, HLG) to BT.709: linear light, 100 cd/m² as white, highlights compressed."""
    pad = planar(pad, label)
    video = pad.video
    floats = replace(video, pix_fmt="gbrpf32le")
    linear = node("zscale", [pad], floats, label, transfer="linear", npl=100)
    narrow = node("zscale", [node("format", [linear], floats, label, pix_fmts="gbrpf32le")], floats, label,
                   primaries="bt709")  # fmt: skip
    mapped = node("tonemap", [narrow], floats, label, tonemap="hable", desat=0)
    out = replace(video, pix_fmt="yuv420p")
    sdr = node("zscale", [mapped], out, label, transfer="bt709", matrix="bt709", range="tv")
    return node("format", [sdr], out, label, pix_fmts="yuv420p")


def scale(pad: Pad, width: int, height: int, pix_fmt: str, label: str, **ranges: str) -> Pad:
    """Resize and convert in one step. `ranges`: in_range, out_range, in_color_matrix, out_color_matrix."""
    ranges = {key: _SWSCALE_MATRICES.get(value, value) for key, value in ranges.items()}
    out = replace(pad.video, width=width, height=height, pix_fmt=pix_fmt, sar=Fraction(1))
    scaled = node("scale", [pad], out, label, w=width, h=height, flags=SCALE_FLAGS, **ranges)
    return node("format", [scaled], out, label, pix_fmts=pix_fmt)


_SWSCALE_MATRICES = {"bt470bg": "bt470", "bt2020nc": "bt2020"}  # as every build knows them


def pad_black(pad: Pad, width: int, height: int, x: int, y: int, label: str) -> Pad:
    out = replace(pad.video, width=width, height=height)
    return node("pad", [pad], out, label, w=width, h=height, x=x, y=y, color="black")


def square_pixels(pad: Pad, label: str) -> Pad:
    return node("setsar", [pad], replace(pad.video, sar=Fraction(1)), label, sar=1)


def tag_color(pad: Pad, color: Color, label: str) -> Pad:
    """Set the film's tags, also the missing ones: where two pictures with different tags meet, FFmpeg converts."""
    transfer = {"gamma22": "bt470m", "gamma28": "bt470bg"}.get(color.transfer, color.transfer)  # as the filter knows it
    tags = {"colorspace": color.space, "color_primaries": color.primaries, "color_trc": transfer}
    return node("setparams", [pad], pad.video, label, range=color.range, **tags)


def fade(pad: Pad, direction: str, start: int, frames: int, label: str) -> Pad:
    """From or to black. The filter can fade to other colours only in RGB."""
    return node("fade", [pad], pad.video, label, type=direction, start_frame=start, nb_frames=frames)


def part(pad: Pad, start: int, end: int, label: str) -> Pad:
    """The frames [start, end), with timestamps from 0."""
    cut = node("trim", [pad], pad.video, label, start_frame=start, end_frame=end)
    return setpts(cut, f"PTS-{start}", label, pad.video.rate)


def crossfade(left: Pad, right: Pad, frames: int, label: str) -> Pad:
    """`right` fades in over `left`; both last exactly `frames` frames.

    `xfade` only knows 4:4:4, and in FFmpeg 5.1 its end depends on how fast its inputs come.
    """
    rate, (name, upper) = left.video.rate, OVERLAYS.get(left.video.pix_fmt, ("", ""))
    if rate is None:
        raise GraphError("a crossfade needs a constant rate")
    if name and "10" not in name:
        size = right.video.width, right.video.height
        faded = node("fade", [scale(right, *size, upper, label)], replace(right.video, pix_fmt=upper), label,
                      type="in", start_frame=0, nb_frames=frames, alpha=1)  # fmt: skip
        mixed = node("overlay", [left, faded], left.video, label, format=name)
    else:  # `fade` knows no transparency of more than 8 bits; this takes any format, and twenty times as long
        mixed = node("blend", [left, right], left.video, label, all_expr=f"A+(B-A)*T*{rate_text(rate)}/{frames}")
    return exact_frames(mixed, frames, label)


def run(pads: Sequence[Pad], rate: Fraction, label: str, over: Callable[[Pad], Pad] = lambda pad: pad) -> Pad:
    """Pictures one after another, each on the next grid position of the rate, with `over` drawn on them. `concat`
    counts microseconds and leaves a gap where FFmpeg reports a stream's end late; the final `fps` sets one rate for
    all."""
    pad, joined = pads[0], replace(pads[0].video, rate=rate, time_base=MICROSECOND)
    if len(pads) > 1:
        pad = node("concat", pads, joined, label, n=len(pads), v=1, a=0)
    return fps(over(_on_grid(pad, 1 / rate, "N", label, rate)), rate, label)


def _on_grid(pad: Pad, time_base: Fraction | None, stamps: str, label: str, rate: Fraction | None) -> Pad:
    """Move to another grid, with new timestamps."""
    if pad.video.time_base != time_base:
        pad = settb(pad, time_base, label)
    return setpts(pad, stamps, label, rate)


MICROSECOND = Fraction(1, 1_000_000)


def ratio(time_base: Fraction | None) -> str:
    if time_base is None:
        raise GraphError("streams are joined on a known grid only")
    return f"{time_base.numerator}/{time_base.denominator}"


def plain(color: str, width: int, height: int, rate: Fraction, pix_fmt: str, label: str) -> Pad:
    """An endless picture of one colour, in limited range."""
    out = Video(width, height, pix_fmt, rate, 1 / rate)
    size = f"{width}x{height}"
    endless = node("color", [], out, label, color=color, size=size, rate=rate_text(rate))
    return node("format", [endless], out, label, pix_fmts=pix_fmt)


def overlay(below: Pad, above: Pad, label: str) -> Pad:
    """`above` in the middle of `below`; a single picture stays as long as `below` lasts."""
    name = OVERLAYS[below.video.pix_fmt][0]
    centre = {"x": "(W-w)/2", "y": "(H-h)/2"}
    return node("overlay", [below, above], below.video, label, **centre, format=name, eof_action="repeat")


TICKS = 4  # centiseconds of its own clock that a text gives to each frame


def subtitles(pad: Pad, file: str, fonts: str, label: str) -> Pad:
    """Texts over pictures on the grid of their rate. Each is drawn at the middle of its ticks."""
    before = pad.video
    pad = _on_grid(pad, Fraction(TICKS, 200), "2*N+1", label, before.rate)
    drawn = node("ass", [pad], pad.video, label, filename=file, fontsdir=fonts)
    return _on_grid(drawn, before.time_base, "N", label, before.rate)
