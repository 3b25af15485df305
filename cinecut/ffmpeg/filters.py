"""A typed constructor for each filter that cinecut uses. Each computes its output format, so that a mismatch which
FFmpeg would report in the middle of a run is a GraphError at compile time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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


def source(index: int, stream: str, format: Format, label: str) -> Pad:
    """The first picture (`v`) or sound (`a`) stream of an input."""
    return Pad(Node("input", (), (("", f"{index}:{stream}:0"),), (format,), label))


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


def mix(pads: Sequence[Pad], label: str) -> Pad:
    """The sum, no level changed."""
    if len(pads) == 1:
        return pads[0]
    return _node("amix", pads, STEREO, label, inputs=len(pads), normalize=0, duration="first")
