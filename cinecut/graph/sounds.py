"""A typed constructor for each filter of sound that cinecut uses: 48 kHz stereo floats, on a grid of samples."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.graph.filters import MICROSECOND, node, ratio
from cinecut.graph.nodes import HOLE, Audio, Pad
from cinecut.language.timebase import SAMPLE_RATE

STEREO = Audio(SAMPLE_RATE, "stereo", Fraction(1, SAMPLE_RATE), "fltp")


def stereo(pad: Pad, label: str) -> Pad:
    """48 kHz stereo floats with an explicit downmix, on a grid of samples."""
    mixed = node("pan", [pad], replace(pad.audio, layout="stereo"), label, args_=downmix(pad.audio.layout))
    resampled = node("aresample", [mixed], STEREO, label, osr=SAMPLE_RATE, osf="fltp")
    return node("asettb", [resampled], STEREO, label, expr=f"1/{SAMPLE_RATE}")


_MINUS_3_DB, _MINUS_6_DB = "0.7071", "0.5"
_LAYOUTS = {  # FFmpeg's names and the channels behind them, in their order
    "mono": "FC", "stereo": "FL FR", "2.1": "FL FR LFE", "3.0": "FL FR FC", "3.0(back)": "FL FR BC",
    "4.0": "FL FR FC BC", "quad": "FL FR BL BR", "quad(side)": "FL FR SL SR", "3.1": "FL FR FC LFE",
    "5.0": "FL FR FC BL BR", "5.0(side)": "FL FR FC SL SR", "4.1": "FL FR FC LFE BC", "5.1": "FL FR FC LFE BL BR",
    "5.1(side)": "FL FR FC LFE SL SR", "6.0": "FL FR FC BC SL SR", "6.0(front)": "FL FR FLC FRC SL SR",
    "3.1.2": "FL FR FC LFE TFL TFR", "hexagonal": "FL FR FC BL BR BC", "6.1": "FL FR FC LFE BC SL SR",
    "6.1(back)": "FL FR FC LFE BL BR BC", "6.1(front)": "FL FR LFE FLC FRC SL SR", "7.0": "FL FR FC BL BR SL SR",
    "7.0(front)": "FL FR FC FLC FRC SL SR", "7.1": "FL FR FC LFE BL BR SL SR",
    "7.1(wide)": "FL FR FC LFE BL BR FLC FRC",
    "7.1(wide-side)": "FL FR FC LFE FLC FRC SL SR", "7.1(top)": "FL FR FC LFE BL BR TFL TFR",
    "5.1.2": "FL FR FC LFE SL SR TFL TFR", "5.1.2(back)": "FL FR FC LFE BL BR TFL TFR",
    "octagonal": "FL FR FC BL BR BC SL SR", "cube": "FL FR BL BR TFL TFR TBL TBR",
    "5.1.4": "FL FR FC LFE SL SR TFL TFR TBL TBR", "5.1.4(back)": "FL FR FC LFE BL BR TFL TFR TBL TBR",
    "7.1.2": "FL FR FC LFE BL BR SL SR TFL TFR", "7.1.4": "FL FR FC LFE BL BR SL SR TFL TFR TBL TBR",
    "7.1.4(back)": "FL FR FC LFE BL BR SL SR TFL TFR TBL TBR", "7.2.3": "FL FR FC LFE BL BR SL SR TFL TFR TBC LFE2",
    "9.1.4": "FL FR FC LFE BL BR FLC FRC SL SR TFL TFR TBL TBR", "downmix": "DL DR", "binaural": "BIL BIR",
    "9.1.6": "FL FR FC LFE BL BR FLC FRC SL SR TFL TFR TBL TBR TSL TSR",
    "hexadecagonal": "FL FR FC BL BR BC SL SR TFL TFC TFR TBL TBC TBR WL WR",
    "22.2": "FL FR FC LFE BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR LFE2 TSL TSR BFC BFL BFR",
}  # fmt: skip
USUAL = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}  # of so many channels
_FRONT = {"FL": "L", "DL": "L", "BIL": "L", "FR": "R", "DR": "R", "BIR": "R"}


def channels_of(layout: str) -> list[str]:
    """The channels of a layout, by FFmpeg's names for both; of `6 channels` and their like the usual ones. A channel
    of no known place is taken for one in the middle."""
    if names := re.search(r"([A-Z][A-Z0-9]*(?:\+[A-Z][A-Z0-9]*)+|(?<=\()[A-Z]+(?=\)))\)?$", layout):
        return names[1].split("+")
    if match := re.fullmatch(r"(\d+) channels", layout):
        return channels_of(USUAL[int(match[1])]) if int(match[1]) in USUAL else ["FC"] * int(match[1])
    return _LAYOUTS.get(layout, "FC").split()


def downmix(layout: str) -> str:
    """The arguments of `pan` from a channel layout to stereo, as ITU-R BS.775 has it: the centre, and surrounds, at
    -3 dB (several of a side at -6 each), without the LFE. `<` scales the sum so that nothing clips."""
    names = channels_of(layout)
    if len(names) == 1:
        return "stereo|c0=c0|c1=c0"
    beside = [name for name in names if (name not in _FRONT and name[-1] in "LR") or name in ("FLC", "FRC")]
    weight = _MINUS_3_DB if len(beside) <= 2 else _MINUS_6_DB
    sides: dict[str, list[str]] = {"L": [], "R": []}
    for number, name in enumerate(names):
        if name in _FRONT:
            sides[_FRONT[name]].append(f"c{number}")
        elif name in beside:
            sides["R" if "R" in name else "L"].append(f"{weight}*c{number}")
        elif not name.startswith("LFE"):
            for side in sides.values():
                side.append(f"{_MINUS_3_DB if name == 'FC' else _MINUS_6_DB}*c{number}")
    left, right = ("+".join(terms) or "0*c0" for terms in sides.values())
    sign = "<" if "+" in left + right else "="
    return f"stereo|c0{sign}{left}|c1{sign}{right}"


def count_samples(pad: Pad, label: str) -> Pad:
    """Stamps that count the samples from 0."""
    return node("asetpts", [pad], STEREO, label, expr="N")


def trim_samples(pad: Pad, start: int, end: int, label: str) -> Pad:
    """The samples of [start, end) by their stamps, from stamp 0 on."""
    trimmed = node("atrim", [pad], STEREO, label, start_pts=start, end_pts=end)
    return count_samples(trimmed, label)


def delay(pad: Pad, samples: int, label: str) -> Pad:
    return node("adelay", [pad], STEREO, label, delays=f"{samples}S", all=1)


def tempo(pad: Pad, speed: Fraction, label: str) -> Pad:
    """Another speed, the pitch kept. One atempo keeps its quality between half and double: more are chained."""
    left, pad = speed, samples_as(pad, "flt", label)
    while left != 1:
        step = min(max(left, Fraction(1, 2)), Fraction(2))
        pad = node("atempo", [pad], pad.audio, label, tempo=f"{float(step):.9g}")
        left /= step
    return samples_as(pad, "fltp", label)


def samples_as(pad: Pad, kind: str, label: str) -> Pad:
    """In another sample format."""
    if pad.audio.sample_fmt == kind:
        return pad
    return node("aresample", [pad], replace(pad.audio, sample_fmt=kind), label, osf=kind)


def exact_length(pad: Pad, samples: int, label: str) -> Pad:
    """Exactly so many samples: silence is added at the end, or the end cut off."""
    padded = node("apad", [pad], STEREO, label)
    cut = node("atrim", [padded], STEREO, label, end_sample=samples)
    return count_samples(cut, label)


def sound_fade(pad: Pad, direction: str, start: int, samples: int, label: str) -> Pad:
    return node("afade", [pad], STEREO, label, type=direction, start_sample=start, nb_samples=samples)


def volume(pad: Pad, decibels: Fraction, label: str) -> Pad:
    return pad if decibels == 0 else node("volume", [pad], STEREO, label, volume=f"{float(decibels):g}dB")


def concat(pads: Sequence[Pad], label: str) -> Pad:
    """Sounds one after another. The filter counts microseconds, whose roundings put a sample in another's place after a
    minute: the samples are counted anew."""
    if len(pads) == 1:
        return pads[0]
    joined = node("concat", pads, replace(STEREO, time_base=MICROSECOND), label, n=len(pads), v=0, a=1)
    return count_samples(node("asettb", [joined], STEREO, label, expr=ratio(STEREO.time_base)), label)


def sound_crossfade(left: Pad, right: Pad, samples: int, label: str) -> Pad:
    """The last samples of `left` over the first of `right`, at equal power: two unrelated sounds keep their level."""
    return node("acrossfade", [left, right], STEREO, label, nb_samples=samples, curve1="qsin", curve2="qsin")


def silence(label: str) -> Pad:
    """Endless silence."""
    plain = node(
        "anullsrc", [], replace(STEREO, sample_fmt=""), label, channel_layout="stereo", sample_rate=SAMPLE_RATE
    )
    return node("asettb", [samples_as(plain, "fltp", label)], STEREO, label, expr=f"1/{SAMPLE_RATE}")


def ones(label: str) -> Pad:
    """Endless full scale: an envelope that changes nothing."""
    return _synthesized("1", label, SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Laid:
    """A sound of exactly so many samples at its place on a stem."""

    start: int
    samples: int
    pad: Pad


def lay(pieces: Sequence[Laid], samples: int, label: str, between: Callable[[str], Pad] = silence) -> Pad:
    """A stem of so many samples with sounds at their places, and silence (or what `between` makes) elsewhere. Those
    that overlap take another lane."""
    lanes: list[list[Laid]] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        free = [lane for lane in lanes if lane[-1].start + lane[-1].samples <= piece.start]
        if free:
            free[0].append(piece)
        else:
            lanes.append([piece])
    if not lanes:
        return exact_length(between(label), samples, label)
    return mix([_lane(lane, samples, label, between) for lane in lanes], label)


def _lane(pieces: Sequence[Laid], samples: int, label: str, between: Callable[[str], Pad]) -> Pad:
    pads, at = [], 0
    for piece in [*pieces, None]:
        start = piece.start if piece else samples
        if start > at:
            after = piece.pad.node.label if piece else label  # a gap is called by the sound that it places
            pads.append(exact_length(between(after), start - at, after))
        if piece is not None:
            pads.append(piece.pad)
            at = piece.start + piece.samples
    return concat(pads, label)


def synthesis(expression: str, samples: int, label: str, rate: int = SAMPLE_RATE) -> Pad:
    """Exactly so many samples of an expression of the time, evaluated so many times a second."""
    return trim_samples(_synthesized(expression, label, rate), 0, samples, label)


def _synthesized(expression: str, label: str, rate: int) -> Pad:
    mono = Audio(rate, "mono", Fraction(1, rate), "dblp")
    pad = node("aevalsrc", [], mono, label, exprs=expression, channel_layout="mono", sample_rate=rate)
    fine = replace(STEREO, layout="mono")
    pad = node("aresample", [pad], fine, label, osr=SAMPLE_RATE, osf="fltp")  # one channel before it is two
    both = node("pan", [pad], STEREO, label, args_=downmix("mono"))
    return node("asettb", [both], STEREO, label, expr=f"1/{SAMPLE_RATE}")


def multiply(pad: Pad, envelope: Pad, label: str) -> Pad:
    """Sample by sample: an envelope that is computed moves without the steps of `volume`."""
    return node("amultiply", [pad, envelope], STEREO, label)


def hole(pad: Pad, label: str) -> Pad:
    """The place of filters that only a measurement can tell; see `filled`."""
    return node(HOLE, [pad], pad.audio, label)


def meter(pad: Pad, label: str, peaks: bool = True) -> Pad:
    """Says the loudness (EBU R 128) and the true peak of a sound when it ends; passes it on unchanged."""
    pad = samples_as(pad, "dbl", label)
    return node("ebur128", [pad], pad.audio, label, peak="true" if peaks else "none", framelog="verbose")


def even_out(pad: Pad, threshold: Fraction, label: str) -> Pad:
    """Loud passages down to a quarter of what they are above a level in dB: slowly, by their power, as a hand on the
    fader would."""
    pad = samples_as(pad, "dbl", label)
    level = f"{max(0.001, min(1.0, 10 ** (float(threshold) / 20))):.6f}"
    pad = node("acompressor", [pad], pad.audio, label, threshold=level, ratio=4, attack=200, release=1000)
    return samples_as(pad, "fltp", label)


def limit(pad: Pad, ceiling: Fraction, samples: int, label: str, times: int = 4) -> Pad:
    """Hold true peaks below a ceiling in dB: four samples for one, so that what lies between samples is seen."""
    fine = Audio(times * SAMPLE_RATE, "stereo", Fraction(1, times * SAMPLE_RATE), "dbl")
    oversampled = node("aresample", [pad], fine, label, osr=times * SAMPLE_RATE, osf="dbl")
    amplitude = f"{10 ** (float(ceiling) / 20):.6f}"
    held = node("alimiter", [oversampled], fine, label, limit=amplitude, attack=5, release=50, level=0, latency=1)
    back = node("aresample", [held], STEREO, label, osr=SAMPLE_RATE, osf="fltp")
    return exact_length(node("asettb", [back], STEREO, label, expr=f"1/{SAMPLE_RATE}"), samples, label)


def mix(pads: Sequence[Pad], label: str) -> Pad:
    """The sum, no level changed."""
    if len(pads) == 1:
        return pads[0]
    return node("amix", pads, STEREO, label, inputs=len(pads), normalize=0, duration="first")
