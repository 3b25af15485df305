"""A typed constructor for each sound filter that cinecut uses: 48 kHz floats, two or six channels, counted in
samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.graph.channels import channels_of, downmix, surround
from cinecut.graph.filters import MICROSECOND, node, ratio
from cinecut.graph.nodes import HOLE, Audio, Pad
from cinecut.language.timebase import SAMPLE_RATE

STEREO = Audio(SAMPLE_RATE, "stereo", Fraction(1, SAMPLE_RATE), "fltp")
_GRIDS = {2: STEREO, 6: replace(STEREO, layout="5.1")}  # by the number of channels


def of_channels(pad: Pad, channels: int, label: str) -> Pad:
    """48 kHz floats in two or six channels, mixed explicitly from the source's channels, on a grid of samples."""
    grid = _GRIDS[channels]
    mixing = downmix(pad.audio.layout) if channels == 2 else surround(pad.audio.layout)
    return on_grid(node("pan", [pad], replace(pad.audio, layout=grid.layout), label, args_=mixing), label)


def on_grid(pad: Pad, label: str) -> Pad:
    """48 kHz floats on a grid of samples."""
    resampled = node("aresample", [pad], _grid(pad), label, osr=SAMPLE_RATE, osf="fltp")
    return node("asettb", [resampled], _grid(pad), label, expr=f"1/{SAMPLE_RATE}")


def in_front(pad: Pad, channels: int, label: str) -> Pad:
    """Stereo as the front left and right of `channels` channels; the others are silent."""
    return pad if channels == 2 else node("pan", [pad], _GRIDS[channels], label, args_="5.1|c0=c0|c1=c1")


def _grid(pad: Pad) -> Audio:
    """48 kHz floats on a grid of samples, with the pad's channels."""
    return replace(STEREO, layout=pad.audio.layout)


def count_samples(pad: Pad, label: str) -> Pad:
    """Timestamps that count the samples from 0."""
    return node("asetpts", [pad], _grid(pad), label, expr="N")


def trim_samples(pad: Pad, start: int, end: int, label: str) -> Pad:
    """The samples [start, end) by their timestamps, with timestamps from 0."""
    trimmed = node("atrim", [pad], _grid(pad), label, start_pts=start, end_pts=end)
    return count_samples(trimmed, label)


def delay(pad: Pad, samples: int, label: str) -> Pad:
    return node("adelay", [pad], _grid(pad), label, delays=f"{samples}S", all=1)


def tempo(pad: Pad, speed: Fraction, label: str) -> Pad:
    """Another speed at the same pitch. One atempo keeps its quality between half and double speed, so several are
    chained."""
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
    """Exactly `samples` samples: silence is added, or the end cut off."""
    padded = node("apad", [pad], _grid(pad), label)
    cut = node("atrim", [padded], _grid(padded), label, end_sample=samples)
    return count_samples(cut, label)


def sound_fade(pad: Pad, direction: str, start: int, samples: int, label: str) -> Pad:
    return node("afade", [pad], _grid(pad), label, type=direction, start_sample=start, nb_samples=samples)


def volume(pad: Pad, decibels: Fraction, label: str) -> Pad:
    return pad if decibels == 0 else node("volume", [pad], _grid(pad), label, volume=f"{float(decibels):g}dB")


def concat(pads: Sequence[Pad], label: str) -> Pad:
    """Sounds one after another. The filter counts microseconds, whose rounding misplaces samples after a minute, so the
    samples are counted again."""
    if len(pads) == 1:
        return pads[0]
    joined = node("concat", pads, replace(_grid(pads[0]), time_base=MICROSECOND), label, n=len(pads), v=0, a=1)
    return count_samples(node("asettb", [joined], _grid(joined), label, expr=ratio(STEREO.time_base)), label)


def sound_crossfade(left: Pad, right: Pad, samples: int, label: str) -> Pad:
    """The last samples of `left` over the first of `right`, at equal power, which keeps the level of unrelated
    sounds."""
    return node("acrossfade", [left, right], _grid(left), label, nb_samples=samples, curve1="qsin", curve2="qsin")


def silence(label: str, channels: int = 2) -> Pad:
    """Endless silence."""
    grid = _GRIDS[channels]
    plain = node(
        "anullsrc", [], replace(grid, sample_fmt=""), label, channel_layout=grid.layout, sample_rate=SAMPLE_RATE
    )
    return node("asettb", [samples_as(plain, "fltp", label)], grid, label, expr=f"1/{SAMPLE_RATE}")


def ones(label: str, channels: int = 2) -> Pad:
    """Endless full scale: an envelope without effect."""
    return _everywhere(_synthesized("1", label, SAMPLE_RATE), channels, label)


def _everywhere(pad: Pad, channels: int, label: str) -> Pad:
    """The same sound in each of `channels` channels."""
    if len(channels_of(pad.audio.layout)) == channels:
        return pad
    grid = _GRIDS[channels]
    same = "|".join(f"c{number}=c0" for number in range(channels))
    return node("pan", [pad], grid, label, args_=f"{grid.layout}|{same}")


@dataclass(frozen=True, slots=True)
class Laid:
    """A sound of exactly `samples` samples at its place on a stem."""

    start: int
    samples: int
    pad: Pad


def lay(pieces: Sequence[Laid], samples: int, label: str, between: Callable[[str, int], Pad] = silence) -> Pad:
    """A stem of `samples` samples with sounds at their places, and silence (or `between`) elsewhere. Overlapping sounds
    use further lanes. Without any sound it is stereo."""
    lanes: list[list[Laid]] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        free = [lane for lane in lanes if lane[-1].start + lane[-1].samples <= piece.start]
        if free:
            free[0].append(piece)
        else:
            lanes.append([piece])
    if not lanes:
        return exact_length(between(label, 2), samples, label)
    return mix([_lane(lane, samples, label, between) for lane in lanes], label)


def _lane(pieces: Sequence[Laid], samples: int, label: str, between: Callable[[str, int], Pad]) -> Pad:
    pads, at, channels = [], 0, len(channels_of(pieces[0].pad.audio.layout))
    for piece in [*pieces, None]:
        start = piece.start if piece else samples
        if start > at:
            after = piece.pad.node.label if piece else label  # a gap is called by the sound that it places
            pads.append(exact_length(between(after, channels), start - at, after))
        if piece is not None:
            pads.append(piece.pad)
            at = piece.start + piece.samples
    return concat(pads, label)


def synthesis(expression: str, samples: int, label: str, rate: int = SAMPLE_RATE) -> Pad:
    """Exactly `samples` samples of an expression of the time, evaluated `rate` times a second."""
    return trim_samples(_synthesized(expression, label, rate), 0, samples, label)


def _synthesized(expression: str, label: str, rate: int) -> Pad:
    mono = Audio(rate, "mono", Fraction(1, rate), "dblp")
    pad = node("aevalsrc", [], mono, label, exprs=expression, channel_layout="mono", sample_rate=rate)
    fine = replace(STEREO, layout="mono")
    pad = node("aresample", [pad], fine, label, osr=SAMPLE_RATE, osf="fltp")  # one channel before it is two
    both = node("pan", [pad], STEREO, label, args_=downmix("mono"))
    return node("asettb", [both], STEREO, label, expr=f"1/{SAMPLE_RATE}")


def multiply(pad: Pad, envelope: Pad, label: str) -> Pad:
    """Sample by sample: a computed envelope moves without the steps of `volume`."""
    envelope = _everywhere(envelope, len(channels_of(pad.audio.layout)), label)
    return node("amultiply", [pad, envelope], _grid(pad), label)


def hole(pad: Pad, label: str) -> Pad:
    """A place for filters that depend on a measurement; see `filled`."""
    return node(HOLE, [pad], pad.audio, label)


def meter(pad: Pad, label: str, peaks: bool = True) -> Pad:
    """Report the loudness (EBU R 128) and the true peak of a sound at its end; the sound passes unchanged."""
    pad = samples_as(pad, "dbl", label)
    return node("ebur128", [pad], pad.audio, label, peak="true" if peaks else "none", framelog="verbose")


def even_out(pad: Pad, threshold: Fraction, label: str) -> Pad:
    """Reduce loud passages above a level in dB by 4:1, slowly and by their power, like a hand on the fader."""
    pad = samples_as(pad, "dbl", label)
    level = f"{max(0.001, min(1.0, 10 ** (float(threshold) / 20))):.6f}"
    pad = node("acompressor", [pad], pad.audio, label, threshold=level, ratio=4, attack=200, release=1000)
    return samples_as(pad, "fltp", label)


def limit(pad: Pad, ceiling: Fraction, samples: int, label: str, times: int = 4) -> Pad:
    """Hold true peaks below a ceiling in dB, oversampled by `times` to catch peaks between samples."""
    fine = Audio(times * SAMPLE_RATE, pad.audio.layout, Fraction(1, times * SAMPLE_RATE), "dbl")
    oversampled = node("aresample", [pad], fine, label, osr=times * SAMPLE_RATE, osf="dbl")
    amplitude = f"{10 ** (float(ceiling) / 20):.6f}"
    held = node("alimiter", [oversampled], fine, label, limit=amplitude, attack=5, release=50, level=0, latency=1)
    back = node("aresample", [held], _grid(pad), label, osr=SAMPLE_RATE, osf="fltp")
    return exact_length(node("asettb", [back], _grid(pad), label, expr=f"1/{SAMPLE_RATE}"), samples, label)


def mix(pads: Sequence[Pad], label: str) -> Pad:
    """The sum, without changing levels."""
    if len(pads) == 1:
        return pads[0]
    return node("amix", pads, _grid(pads[0]), label, inputs=len(pads), normalize=0, duration="first")
