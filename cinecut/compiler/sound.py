"""Timeline → the sound half of the graph: 48 kHz stereo, every event exactly as many samples as its frames last.

Sample boundaries are rounded from the frames' exact times on the whole timeline, so they never drift at 30000/1001.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from cinecut.compiler.timeline import Placed, Timeline
from cinecut.facts import AudioFacts
from cinecut.ffmpeg import filters
from cinecut.ffmpeg.filters import SAMPLE_RATE
from cinecut.ffmpeg.graph import Pad
from cinecut.spec import Music, Shot
from cinecut.timebase import TrailerFrame, nearest


def sample_at(frame: TrailerFrame, rate: Fraction) -> int:
    """The first sample of a frame."""
    return nearest(frame.index * SAMPLE_RATE / rate)


def lower_film_sound(timeline: Timeline, audio: AudioFacts | None, source: Callable[[Placed], Pad]) -> Pad:
    """The stem of the film's own sound: all events joined as the picture is."""
    joined: Pad | None = None
    run: list[Pad] = []
    first: Placed | None = None
    for placed in timeline.events:
        if placed.head.kind == "crossfade" and run and first is not None:
            joined, run, first = _close_run(joined, run, first, timeline.rate), [], placed
        first = first or placed
        run.append(_lower_event(placed, timeline.rate, audio, source))
    assert first is not None
    return _close_run(joined, run, first, timeline.rate)


def _close_run(joined: Pad | None, run: list[Pad], first: Placed, rate: Fraction) -> Pad:
    pad = filters.concat(run, first.label)
    if joined is None:
        return pad
    start, cut = first.range.start - first.head.before, first.range.start + first.head.after
    samples = sample_at(cut, rate) - sample_at(start, rate)
    return filters.sound_crossfade(joined, pad, samples, first.label)


def is_heard(placed: Placed, audio: AudioFacts | None) -> bool:
    return isinstance(placed.event, Shot) and not placed.event.mute and audio is not None


def _lower_event(placed: Placed, rate: Fraction, audio: AudioFacts | None, source: Callable[[Placed], Pad]) -> Pad:
    samples = sample_at(placed.extent.end, rate) - sample_at(placed.extent.start, rate)
    event, label = placed.event, placed.label
    if not isinstance(event, Shot) or audio is None or event.mute:
        return filters.exact_length(filters.silence(label), samples, label)
    assert placed.film is not None
    pad = filters.stereo(source(placed), label)
    in_ = placed.film.start.seconds - placed.lead * event.speed / rate
    begin, end = nearest(in_ * SAMPLE_RATE), nearest((in_ + samples * event.speed / SAMPLE_RATE) * SAMPLE_RATE)
    missing = nearest(audio.start * SAMPLE_RATE) - begin
    pad = filters.trim_samples(pad, begin, end, label)
    if missing > 0:  # the film's sound begins after this shot does
        pad = filters.delay(pad, missing, label)
    if event.speed != 1:
        pad = filters.tempo(pad, event.speed, label)
    pad = filters.volume(filters.exact_length(pad, samples, label), event.gain, label)
    return _fades(pad, placed, event, samples, rate)


def _fades(pad: Pad, placed: Placed, shot: Shot, samples: int, rate: Fraction) -> Pad:
    """The sound fades with the picture's fades and dips, and by itself where the spec says so."""

    def length(frames: int) -> int:
        return nearest(frames * SAMPLE_RATE / rate)

    head = placed.head.after if placed.head.kind not in ("cut", "crossfade") else 0
    tail = placed.tail.before if placed.tail.kind not in ("cut", "crossfade") else 0
    heads = [length(head), length(placed.sound_fade[0])]
    tails = [length(tail), length(placed.sound_fade[1])]
    for count in heads:
        if count:
            pad = filters.sound_fade(pad, "in", 0, count, placed.label)
    for count in tails:
        if count:
            pad = filters.sound_fade(pad, "out", samples - count, count, placed.label)
    return pad


def lower_music(music: Music, source: Pad, samples: int, fade_out: int) -> Pad:
    """The music's stem: from its start point on, as long as the trailer, faded at the end. A song's time counts from
    its first sample, whatever stamp that carries: an MP3's is 25 ms."""
    pad = filters.count_samples(filters.stereo(source, "music"), "music")
    start = nearest(music.start.seconds * SAMPLE_RATE)
    pad = filters.trim_samples(pad, start, start + samples, "music")
    pad = filters.volume(filters.exact_length(pad, samples, "music"), music.gain, "music")
    return filters.sound_fade(pad, "out", samples - fade_out, fade_out, "music") if fade_out else pad
