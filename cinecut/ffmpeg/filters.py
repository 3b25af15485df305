"""A typed constructor for each filter that cinecut uses. Each computes its output format, so that a mismatch which
FFmpeg would report in the middle of a run is a GraphError at compile time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.facts import Color
from cinecut.ffmpeg.graph import Arg, Audio, Format, GraphError, Node, Pad, Video
from cinecut.timebase import rate_text

SAMPLE_RATE = 48000
STEREO = Audio(SAMPLE_RATE, "stereo", Fraction(1, SAMPLE_RATE))
# Exact conversions, the same on every class of processor.
SCALE_FLAGS = "bicubic+accurate_rnd+full_chroma_int+bitexact"


def _node(name: str, ins: Sequence[Pad], out: Format, label: str, **args: Arg) -> Pad:
    return Pad(Node(name, tuple(ins), tuple((k.rstrip("_"), v) for k, v in args.items()), (out,), label))


def source(file: str, stream: str, format: Format, label: str, use: int = 0) -> Pad:
    """The first picture (`v`) or sound (`a`) stream of a file of the working folder; each `use` opens it anew."""
    return Pad(Node("input", (), (("file", file), ("stream", stream), ("use", use)), (format,), label))


# Pictures


def settb(pad: Pad, time_base: Fraction, label: str) -> Pad:
    """Re-stamp to a grid: every stamp goes to its nearest multiple."""
    out = replace(pad.video, time_base=time_base)
    return _node("settb", [pad], out, label, expr=_ratio(time_base))


def setpts(pad: Pad, expression: str, label: str, rate: Fraction | None = None) -> Pad:
    """New stamps; `rate` is theirs where the expression leaves no line of its grid out."""
    return _node("setpts", [pad], replace(pad.video, rate=rate), label, expr=expression)


def trim(pad: Pad, start: int, end: int, label: str) -> Pad:
    """The frames whose stamps, in the pad's own time base, lie in [start, end)."""
    return _node("trim", [pad], pad.video, label, start_pts=start, end_pts=end)


def exact_frames(pad: Pad, count: int, label: str) -> Pad:
    """Exactly so many frames: the last one is held, or the end cut off."""
    held = _node("tpad", [pad], pad.video, label, stop=-1, stop_mode="clone")
    return _node("trim", [held], pad.video, label, end_frame=count)


def repeat(pad: Pad, rate: Fraction, label: str) -> Pad:
    """One picture, endless at a constant rate."""
    held = _node("tpad", [pad], pad.video, label, stop=-1, stop_mode="clone")
    return setpts(settb(held, 1 / rate, label), "N", label, rate)


def fps(pad: Pad, rate: Fraction, label: str) -> Pad:
    """Constant rate from stamp 0 on: of frames with one stamp the last, between stamps the one before."""
    out = replace(pad.video, rate=rate, time_base=1 / rate)
    return _node("fps", [pad], out, label, fps=rate_text(rate), start_time=0, eof_action="pass")


def deinterlace(pad: Pad, parity: str, label: str) -> Pad:
    return _node("bwdif", [pad], replace(pad.video, time_base=None), label, mode="send_frame", parity=parity)


def rotate(pad: Pad, degrees: int, label: str) -> Pad:
    """Turn clockwise by a multiple of 90 degrees."""
    video = pad.video
    if degrees == 180:
        return _node("vflip", [_node("hflip", [pad], video, label)], video, label)
    turned = replace(video, width=video.height, height=video.width, sar=1 / video.sar)
    return _node("transpose", [pad], turned, label, dir={90: "clock", 270: "cclock"}[degrees])


def crop(pad: Pad, x: int, y: int, width: int, height: int, label: str) -> Pad:
    video = pad.video
    if x < 0 or y < 0 or x + width > video.width or y + height > video.height:
        raise GraphError(f"crop {width}x{height}+{x}+{y} leaves a picture of {video.width}x{video.height}")
    out = replace(video, width=width, height=height)
    return _node("crop", [pad], out, label, w=width, h=height, x=x, y=y, exact=1)


def crop_path(pad: Pad, window: tuple[int, int, int, int], end: tuple[int, int], frames: int, label: str) -> Pad:
    """A window that moves from its place to another in so many frames, starting and stopping softly."""
    x, y, width, height = window
    share = f"min(1,n/{max(1, frames - 1)})"
    soft = f"({share}*{share}*(3-2*{share}))"
    out = replace(pad.video, width=width, height=height)
    places = {axis: f"{a}+({b - a})*{soft}" for axis, a, b in (("x", x, end[0]), ("y", y, end[1]))}
    return _node("crop", [pad], out, label, w=width, h=height, **places, exact=1)


def blur(pad: Pad, radius: float, label: str) -> Pad:
    return _node("gblur", [pad], pad.video, label, sigma=f"{radius:.3f}", steps=2)


def lay_over(below: Pad, above: Pad, x: int, y: int, label: str) -> Pad:
    """A picture without transparency over another, at a place."""
    name = OVERLAYS[below.video.pix_fmt][0]
    return _node("overlay", [below, above], below.video, label, x=x, y=y, format=name)


def look_up(pad: Pad, tables: Sequence[tuple[str, str]], matrix: str, label: str) -> Pad:
    """Through LUT files, each a filter (lut1d, lut3d) and a name: in full-range RGB of 16 bits and back, by FFmpeg's
    most exact converter. FFmpeg 9.0 spoils pixels of rows that are no multiple of eight long, so such get longer."""
    video, name = pad.video, _ZIMG_MATRICES.get(matrix, "709")
    there = _node("zscale", [pad], video, label, f="bicubic", min=name, rin="limited", m="gbr", r="full")
    wide = replace(video, pix_fmt="gbrp16le")
    pad = _node("format", [there], wide, label, pix_fmts="gbrp16le")
    longer = -(-video.width // 8) * 8
    if longer != video.width:
        pad = pad_black(pad, longer, video.height, 0, 0, label)
    for kind, file in tables:
        interpolation = "tetrahedral" if kind == "lut3d" else "linear"
        pad = _node(kind, [pad], pad.video, label, file=file, interp=interpolation)
    if longer != video.width:
        pad = crop(pad, 0, 0, video.width, video.height, label)
    back = _node("zscale", [pad], video, label, f="bicubic", min="gbr", rin="full", m=name, r="limited")
    return _node("format", [back], video, label, pix_fmts=video.pix_fmt)


_ZIMG_MATRICES = {"smpte170m": "170m", "bt470bg": "470bg", "bt2020nc": "2020_ncl", "smpte240m": "240m"}


def tone_map(pad: Pad, label: str) -> Pad:
    """HDR (PQ, HLG) to the light of a BT.709 screen: linear light, 100 cd/m² as white, highlights rolled off."""
    video = pad.video
    linear = _node("zscale", [pad], video, label, transfer="linear", npl=100)
    floats = replace(video, pix_fmt="gbrpf32le")
    narrow = _node("zscale", [_node("format", [linear], floats, label, pix_fmts="gbrpf32le")], floats, label,
                   primaries="bt709")  # fmt: skip
    mapped = _node("tonemap", [narrow], floats, label, tonemap="hable", desat=0)
    out = replace(video, pix_fmt="yuv420p")
    sdr = _node("zscale", [mapped], out, label, transfer="bt709", matrix="bt709", range="tv")
    return _node("format", [sdr], out, label, pix_fmts="yuv420p")


def scale(pad: Pad, width: int, height: int, pix_fmt: str, label: str, **ranges: str) -> Pad:
    """Resize and convert in one step. `ranges`: in_range, out_range, out_color_matrix."""
    out = replace(pad.video, width=width, height=height, pix_fmt=pix_fmt, sar=Fraction(1))
    scaled = _node("scale", [pad], out, label, w=width, h=height, flags=SCALE_FLAGS, **ranges)
    return _node("format", [scaled], out, label, pix_fmts=pix_fmt)


def pad_black(pad: Pad, width: int, height: int, x: int, y: int, label: str) -> Pad:
    out = replace(pad.video, width=width, height=height)
    return _node("pad", [pad], out, label, w=width, h=height, x=x, y=y, color="black")


def square_pixels(pad: Pad, label: str) -> Pad:
    return _node("setsar", [pad], replace(pad.video, sar=Fraction(1)), label, sar=1)


def tag_color(pad: Pad, color: Color, label: str) -> Pad:
    """Carry the film's tags, absent ones too: where two pictures meet whose tags differ, FFmpeg converts by itself."""
    tags = {"colorspace": color.space, "color_primaries": color.primaries, "color_trc": color.transfer}
    return _node("setparams", [pad], pad.video, label, range=color.range, **tags)


def fade(pad: Pad, direction: str, start: int, frames: int, label: str) -> Pad:
    """From or to black. To any other colour the filter only fades RGB."""
    return _node("fade", [pad], pad.video, label, type=direction, start_frame=start, nb_frames=frames)


# What `overlay` calls the formats in which it can lay one picture with transparency over another, and the upper one's.
OVERLAYS = {
    "yuv420p": ("yuv420", "yuva420p"),
    "yuv422p": ("yuv422", "yuva422p"),
    "yuv444p": ("yuv444", "yuva444p"),
    "yuv420p10le": ("yuv420p10", "yuva420p10le"),
    "yuv422p10le": ("yuv422p10", "yuva422p10le"),
}


def split(pad: Pad, copies: int, label: str) -> list[Pad]:
    if copies == 1:
        return [pad]
    node = Node("split", (pad,), (("outputs", copies),), (pad.format,) * copies, label)
    return [Pad(node, index) for index in range(copies)]


def part(pad: Pad, start: int, end: int, label: str) -> Pad:
    """The frames [start, end), from stamp 0 on."""
    cut = _node("trim", [pad], pad.video, label, start_frame=start, end_frame=end)
    return setpts(cut, f"PTS-{start}", label, pad.video.rate)


def crossfade(left: Pad, right: Pad, frames: int, label: str) -> Pad:
    """`right` fades in over `left`, which both last exactly so many frames.

    `xfade` only knows 4:4:4, and in FFmpeg 5.1 its end depends on how fast its inputs come.
    """
    rate, (name, upper) = left.video.rate, OVERLAYS.get(left.video.pix_fmt, ("", ""))
    if rate is None:
        raise GraphError("a crossfade needs a constant rate")
    if name and "10" not in name:
        size = right.video.width, right.video.height
        faded = _node("fade", [scale(right, *size, upper, label)], replace(right.video, pix_fmt=upper), label,
                      type="in", start_frame=0, nb_frames=frames, alpha=1)  # fmt: skip
        mixed = _node("overlay", [left, faded], left.video, label, format=name)
    else:  # `fade` knows no transparency of more than 8 bits; this takes any format, and twenty times as long
        mixed = _node("blend", [left, right], left.video, label, all_expr=f"A+(B-A)*T*{rate_text(rate)}/{frames}")
    return exact_frames(mixed, frames, label)


def run(pads: Sequence[Pad], rate: Fraction, label: str) -> Pad:
    """Pictures one after another, every one on the next line of the rate's grid. `concat` counts microseconds and
    leaves a gap where FFmpeg tells the end of a stream late. The one `fps` tells FFmpeg the rate of all."""
    out = replace(pads[0].video, rate=rate, time_base=1 / rate)
    joined = pads[0]
    if len(pads) > 1:
        joined = _node("concat", pads, replace(out, time_base=_MICROSECOND), label, n=len(pads), v=1, a=0)
        joined = _node("settb", [joined], out, label, expr=_ratio(out.time_base))
    return fps(_node("setpts", [joined], out, label, expr="N"), rate, label)


def concat(pads: Sequence[Pad], label: str) -> Pad:
    """Sounds one after another; the grid of samples, which the filter leaves, is put back."""
    if len(pads) == 1:
        return pads[0]
    joined = _node("concat", pads, replace(STEREO, time_base=_MICROSECOND), label, n=len(pads), v=0, a=1)
    return _node("asettb", [joined], STEREO, label, expr=_ratio(STEREO.time_base))


_MICROSECOND = Fraction(1, 1_000_000)


def _ratio(time_base: Fraction | None) -> str:
    if time_base is None:
        raise GraphError("streams are joined on a known grid only")
    return f"{time_base.numerator}/{time_base.denominator}"


def plain(color: str, width: int, height: int, rate: Fraction, pix_fmt: str, label: str) -> Pad:
    """An endless picture of one colour, in limited range."""
    out = Video(width, height, pix_fmt, rate, 1 / rate)
    size = f"{width}x{height}"
    endless = _node("color", [], out, label, color=color, size=size, rate=rate_text(rate))
    return _node("format", [endless], out, label, pix_fmts=pix_fmt)


def overlay(below: Pad, above: Pad, label: str) -> Pad:
    """`above` in the middle of `below`; a single picture stays for as long as `below` lasts."""
    name, upper = OVERLAYS[below.video.pix_fmt]
    if above.video.pix_fmt != upper:
        raise GraphError(f"over {below.video.pix_fmt} goes {upper}, not {above.video.pix_fmt}")
    centre = {"x": "(W-w)/2", "y": "(H-h)/2"}
    return _node("overlay", [below, above], below.video, label, **centre, format=name, eof_action="repeat")


def subtitles(pad: Pad, file: str, fonts: str, label: str) -> Pad:
    return _node("ass", [pad], pad.video, label, filename=file, fontsdir=fonts)


# Sound


def stereo(pad: Pad, label: str) -> Pad:
    """48 kHz stereo floats with an explicit downmix, on a grid of samples."""
    mixed = _node("pan", [pad], replace(pad.audio, layout="stereo"), label, args_=downmix(pad.audio.layout))
    resampled = _node("aresample", [mixed], STEREO, label, osr=SAMPLE_RATE, osf="fltp")
    return _node("asettb", [resampled], STEREO, label, expr=f"1/{SAMPLE_RATE}")


_MINUS_3_DB = "0.7071"
_DOWNMIX = {  # ITU-R BS.775: centre and surrounds at -3 dB, without the LFE; `<` scales the sum so that nothing clips
    "mono": "c0=c0|c1=c0",
    "stereo": "c0=c0|c1=c1",
    "downmix": "c0=c0|c1=c1",
    "2.1": "c0=c0|c1=c1",
    "3.0": f"c0<c0+{_MINUS_3_DB}*c2|c1<c1+{_MINUS_3_DB}*c2",
    "3.1": f"c0<c0+{_MINUS_3_DB}*c2|c1<c1+{_MINUS_3_DB}*c2",
    "quad": f"c0<c0+{_MINUS_3_DB}*c2|c1<c1+{_MINUS_3_DB}*c3",
    "4.0": f"c0<c0+{_MINUS_3_DB}*c2+0.5*c3|c1<c1+{_MINUS_3_DB}*c2+0.5*c3",
    "5.0": f"c0<c0+{_MINUS_3_DB}*c2+{_MINUS_3_DB}*c3|c1<c1+{_MINUS_3_DB}*c2+{_MINUS_3_DB}*c4",
    "5.1": f"c0<c0+{_MINUS_3_DB}*c2+{_MINUS_3_DB}*c4|c1<c1+{_MINUS_3_DB}*c2+{_MINUS_3_DB}*c5",
    "7.1": f"c0<c0+{_MINUS_3_DB}*c2+0.5*c4+0.5*c6|c1<c1+{_MINUS_3_DB}*c2+0.5*c5+0.5*c7",
}
_DOWNMIX["5.1(side)"] = _DOWNMIX["5.1"]
_DOWNMIX["5.0(side)"] = _DOWNMIX["5.0"]
_DOWNMIX["7.1(wide)"] = _DOWNMIX["7.1"]


def downmix(layout: str) -> str:
    """The arguments of `pan` from a channel layout to stereo; of an unknown layout, its first two channels."""
    return "stereo|" + _DOWNMIX.get(layout, "c0=c0|c1=c1" if layout != "1 channels" else _DOWNMIX["mono"])


def count_samples(pad: Pad, label: str) -> Pad:
    """Stamps that count the samples from 0."""
    return _node("asetpts", [pad], STEREO, label, expr="N")


def trim_samples(pad: Pad, start: int, end: int, label: str) -> Pad:
    """The samples of [start, end) by their stamps, from stamp 0 on."""
    trimmed = _node("atrim", [pad], STEREO, label, start_pts=start, end_pts=end)
    return count_samples(trimmed, label)


def delay(pad: Pad, samples: int, label: str) -> Pad:
    return _node("adelay", [pad], STEREO, label, delays=f"{samples}S", all=1)


def tempo(pad: Pad, speed: Fraction, label: str) -> Pad:
    """Another speed, the pitch kept. One atempo keeps its quality between half and double: more are chained."""
    left, pad = speed, _samples(pad, "flt", label)
    while left != 1:
        step = min(max(left, Fraction(1, 2)), Fraction(2))
        pad = _node("atempo", [pad], STEREO, label, tempo=f"{float(step):.9g}")
        left /= step
    return _samples(pad, "fltp", label)


def _samples(pad: Pad, kind: str, label: str) -> Pad:
    return _node("aresample", [pad], STEREO, label, osf=kind)


def exact_length(pad: Pad, samples: int, label: str) -> Pad:
    """Exactly so many samples: silence is added at the end, or the end cut off."""
    padded = _node("apad", [pad], STEREO, label)
    cut = _node("atrim", [padded], STEREO, label, end_sample=samples)
    return count_samples(cut, label)


def sound_fade(pad: Pad, direction: str, start: int, samples: int, label: str) -> Pad:
    return _node("afade", [pad], STEREO, label, type=direction, start_sample=start, nb_samples=samples)


def volume(pad: Pad, decibels: Fraction, label: str) -> Pad:
    return pad if decibels == 0 else _node("volume", [pad], STEREO, label, volume=f"{float(decibels):g}dB")


def sound_crossfade(left: Pad, right: Pad, samples: int, label: str) -> Pad:
    """The last samples of `left` over the first of `right`, at equal power: two unrelated sounds keep their level."""
    return _node("acrossfade", [left, right], STEREO, label, nb_samples=samples, curve1="qsin", curve2="qsin")


def silence(label: str) -> Pad:
    """Endless silence."""
    plain = _node("anullsrc", [], STEREO, label, channel_layout="stereo", sample_rate=SAMPLE_RATE)
    return _node("asettb", [_samples(plain, "fltp", label)], STEREO, label, expr=f"1/{SAMPLE_RATE}")


@dataclass(frozen=True, slots=True)
class Laid:
    """A sound of exactly so many samples at its place on a stem."""

    start: int
    samples: int
    pad: Pad


def lay(pieces: Sequence[Laid], samples: int, label: str) -> Pad:
    """A stem of so many samples with sounds at their places, silence between. Those that overlap take another lane."""
    lanes: list[list[Laid]] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        free = [lane for lane in lanes if lane[-1].start + lane[-1].samples <= piece.start]
        if free:
            free[0].append(piece)
        else:
            lanes.append([piece])
    if not lanes:
        return exact_length(silence(label), samples, label)
    return mix([_lane(lane, samples, label) for lane in lanes], label)


def _lane(pieces: Sequence[Laid], samples: int, label: str) -> Pad:
    pads, at = [], 0
    for piece in [*pieces, None]:
        start = piece.start if piece else samples
        if start > at:
            pads.append(exact_length(silence(label), start - at, label))
        if piece is not None:
            pads.append(piece.pad)
            at = piece.start + piece.samples
    return concat(pads, label)


def synthesis(expression: str, samples: int, label: str, rate: int = SAMPLE_RATE) -> Pad:
    """Exactly so many samples of an expression of the time, evaluated so many times a second."""
    mono = Audio(rate, "mono", Fraction(1, rate))
    pad = _node("aevalsrc", [], mono, label, exprs=expression, channel_layout="mono", sample_rate=rate)
    fine = replace(mono, rate=SAMPLE_RATE, time_base=STEREO.time_base)
    pad = _node("aresample", [pad], fine, label, osr=SAMPLE_RATE, osf="fltp")  # one channel before it is two
    both = _node("pan", [pad], STEREO, label, args_=downmix("mono"))
    return trim_samples(_node("asettb", [both], STEREO, label, expr=f"1/{SAMPLE_RATE}"), 0, samples, label)


def multiply(pad: Pad, envelope: Pad, label: str) -> Pad:
    """Sample by sample: an envelope that is computed moves without the steps of `volume`."""
    return _node("amultiply", [pad, envelope], STEREO, label)


def meter(pad: Pad, label: str, peaks: bool = True) -> Pad:
    """Says the loudness (EBU R 128) and the true peak of a sound when it ends; passes it on unchanged."""
    return _node("ebur128", [pad], pad.audio, label, peak="true" if peaks else "none", framelog="verbose")


def limit(pad: Pad, ceiling: Fraction, samples: int, label: str, times: int = 4) -> Pad:
    """Hold true peaks below a ceiling in dB: four samples for one, so that what lies between samples is seen."""
    fine = Audio(times * SAMPLE_RATE, "stereo", Fraction(1, times * SAMPLE_RATE))
    oversampled = _node("aresample", [pad], fine, label, osr=times * SAMPLE_RATE, osf="dblp")
    amplitude = f"{10 ** (float(ceiling) / 20):.6f}"
    held = _node("alimiter", [oversampled], fine, label, limit=amplitude, attack=5, release=50, level=0, latency=1)
    back = _node("aresample", [held], STEREO, label, osr=SAMPLE_RATE, osf="fltp")
    return exact_length(_node("asettb", [back], STEREO, label, expr=f"1/{SAMPLE_RATE}"), samples, label)


def split_sound(pad: Pad, copies: int, label: str) -> list[Pad]:
    if copies == 1:
        return [pad]
    node = Node("asplit", (pad,), (("outputs", copies),), (pad.format,) * copies, label)
    return [Pad(node, index) for index in range(copies)]


def mix(pads: Sequence[Pad], label: str) -> Pad:
    """The sum, no level changed."""
    if len(pads) == 1:
        return pads[0]
    return _node("amix", pads, STEREO, label, inputs=len(pads), normalize=0, duration="first")
