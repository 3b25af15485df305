"""The film's own sound: the events' sounds joined like the pictures, and sounds that overlap their neighbours laid over
them."""

from __future__ import annotations

from fractions import Fraction

from cinecut.compiler.inputs import SoundInputs
from cinecut.compiler.layout.ruler import sample_at
from cinecut.compiler.layout.timeline import Placed, PlacedShot, Timeline, is_heard
from cinecut.compiler.resolve import Trailer
from cinecut.graph import sounds
from cinecut.graph.nodes import Pad
from cinecut.graph.sounds import Laid
from cinecut.language.facts import AudioFacts
from cinecut.language.timebase import SAMPLE_RATE, FilmTime, nearest


def film_sound(trailer: Trailer, timeline: Timeline, sources: SoundInputs, splice: int) -> Pad:
    """The film's own sound: all events joined, `splice` samples of fade on each side of a cut, and overlapping sounds
    laid over them."""
    joined: Pad | None = None
    run: list[Pad] = []
    first = timeline.events[0]
    over: list[Laid] = []
    for placed in timeline.events:
        if placed.head.kind == "crossfade" and run:
            joined, run, first = _close_run(joined, run, first, timeline.rate), [], placed
        if not is_heard(placed, trailer):
            run.append(_silence(placed, timeline.rate, sources.channels))
            continue
        audio = trailer.footage[placed.film.film].audio
        assert audio is not None  # or nothing is heard
        if any(placed.sound_over):
            over.append(_lay_over(placed, timeline.rate, audio, sources))
            run.append(_silence(placed, timeline.rate, sources.channels))
        else:
            run.append(_own_sound(placed, timeline.rate, audio, sources, splice))
    whole = _close_run(joined, run, first, timeline.rate)
    if not over:
        return whole
    samples = sample_at(timeline.events[-1].range.end, timeline.rate)
    return sounds.mix([whole, sounds.lay(over, samples, "over")], "film")


def _close_run(joined: Pad | None, run: list[Pad], first: Placed, rate: Fraction) -> Pad:
    pad = sounds.concat(run, "film")
    if joined is None:
        return pad
    start, cut = first.range.start - first.head.before, first.range.start + first.head.after
    samples = sample_at(cut, rate) - sample_at(start, rate)
    return sounds.sound_crossfade(joined, pad, samples, first.label)


def _silence(placed: Placed, rate: Fraction, channels: int) -> Pad:
    samples = sample_at(placed.extent.end, rate) - sample_at(placed.extent.start, rate)
    return sounds.exact_length(sounds.silence(placed.label, channels), samples, placed.label)


def _own_sound(placed: PlacedShot, rate: Fraction, audio: AudioFacts, sources: SoundInputs, splice: int) -> Pad:
    shot = placed.event
    samples = sample_at(placed.extent.end, rate) - sample_at(placed.extent.start, rate)
    in_ = placed.heard.start.seconds - placed.lead * shot.speed / rate
    pad = take(sources.sound(placed), FilmTime(in_), samples, shot.speed, audio, placed.label)
    return _fades(sounds.volume(pad, shot.gain, placed.label), placed, samples, rate, splice)


def take(source: Pad, in_: FilmTime, samples: int, speed: Fraction, audio: AudioFacts, label: str) -> Pad:
    """`samples` samples of the film's sound from a moment on."""
    begin = nearest(in_.seconds * SAMPLE_RATE)
    end = nearest((in_.seconds + samples * speed / SAMPLE_RATE) * SAMPLE_RATE)
    missing = nearest(audio.start * SAMPLE_RATE) - begin
    pad = sounds.trim_samples(source, begin, end, label)
    if missing > 0:  # the film's sound begins after this moment
        pad = sounds.delay(pad, missing, label)
    if speed != 1:
        pad = sounds.tempo(pad, speed, label)
    return sounds.exact_length(pad, samples, label)


def _lay_over(placed: PlacedShot, rate: Fraction, audio: AudioFacts, sources: SoundInputs) -> Laid:
    """A shot's sound including what is heard before and after its picture; both ends are faded."""
    shot, (lead, trail) = placed.event, placed.sound_over
    start, end = sample_at(placed.range.start - lead, rate), sample_at(placed.range.end + trail, rate)
    in_ = FilmTime(placed.heard.start.seconds - lead * shot.speed / rate)
    pad = take(sources.sound(placed), in_, end - start, shot.speed, audio, placed.label)
    pad = _fades(sounds.volume(pad, shot.gain, placed.label), placed, end - start, rate, 0)
    return Laid(start, end - start, soften(pad, end - start, SOFT, placed.label))


SOFT = SAMPLE_RATE // 50  # samples


def soften(pad: Pad, samples: int, ramp: int, label: str) -> Pad:
    ramp = min(ramp, samples // 2)
    if not ramp:
        return pad
    return sounds.sound_fade(sounds.sound_fade(pad, "in", 0, ramp, label), "out", samples - ramp, ramp, label)


def _fades(pad: Pad, placed: PlacedShot, samples: int, rate: Fraction, splice: int) -> Pad:
    """The sound fades with the picture's fades and dips, where the spec asks for it, and shortly at hard cuts."""

    def length(frames: int) -> int:
        return nearest(frames * SAMPLE_RATE / rate) if frames else 0

    most = min(splice, samples // 2)
    heads = [length(placed.head.faded[1]), length(placed.sound_fade[0]), most * (placed.head.kind == "cut")]
    tails = [length(placed.tail.faded[0]), length(placed.sound_fade[1]), most * (placed.tail.kind == "cut")]
    for count in heads:
        if count:
            pad = sounds.sound_fade(pad, "in", 0, count, placed.label)
    for count in tails:
        if count:
            pad = sounds.sound_fade(pad, "out", samples - count, count, placed.label)
    return pad
