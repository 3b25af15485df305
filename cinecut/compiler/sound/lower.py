"""Timeline + Soundtrack → the sound half of the graph: stems of 48 kHz stereo, each exactly as long as the trailer.

Sample boundaries are rounded from the frames' exact times on the whole timeline, so they never drift at 30000/1001.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Protocol

from cinecut.compiler.sound.effects import lay_effect
from cinecut.compiler.sound.pulse import lower_pulse
from cinecut.compiler.soundtrack import Duck, PlacedSong, PlacedVoice, Sounding, Soundtrack, sample_at
from cinecut.compiler.timeline import Placed, Timeline
from cinecut.graph import sounds
from cinecut.graph.nodes import Pad
from cinecut.graph.sounds import SAMPLE_RATE, Laid
from cinecut.language.events import Shot
from cinecut.language.facts import AudioFacts, LoudnessTarget
from cinecut.language.grid import measure
from cinecut.language.spec import Mix, Output
from cinecut.language.timebase import FilmTime, nearest
from cinecut.vibes import Vibe


class Sources(Protocol):
    """Where the graph finds the sound of a shot, of a voice, and of a song (each use of it opens it anew)."""

    def sound(self, placed: Placed) -> Pad: ...
    def voice(self, voice: PlacedVoice) -> Pad: ...
    def song(self, song: PlacedSong, use: int) -> Pad: ...


def lower_stems(
    timeline: Timeline, track: Soundtrack, mix: Mix, audio: AudioFacts | None, sources: Sources
) -> dict[str, Pad]:
    """The stems that the trailer has, by their names: film always, music, effects and voice where there are any."""
    seconds = measure(mix.splice, Fraction(0), timeline.rate, None) or Fraction(0)
    film = lower_film_sound(timeline, audio, sources, nearest(seconds * SAMPLE_RATE))
    film = _hush(film, track, "film")
    spoken = [Duck(voice.place, _UNDER_VOICE) for voice in track.voices]
    stems = {"film": _duck(film, spoken, track.samples, "film")}
    if track.songs or track.pulse:
        stems["music"] = _music(timeline, track, sources)
    effects = [laid for effect in track.effects if (laid := lay_effect(effect, track.samples)) is not None]
    if effects:
        stems["effects"] = _lay_into_silences(effects, track, "effects")
    if track.voices:
        assert audio is not None
        stems["voice"] = _lay_into_silences([_voice(v, audio, sources) for v in track.voices], track, "voice")
    return {name: sounds.volume(pad, getattr(mix, name), name) for name, pad in stems.items()}


_UNDER_VOICE = Fraction(9)  # dB by which the film's own sound goes down under a voice


def lower_film_sound(timeline: Timeline, audio: AudioFacts | None, sources: Sources, splice: int = 0) -> Pad:
    """The film's own sound: all events joined as the picture is, `splice` samples faded at either side of each cut, and
    what overlaps its neighbours laid over them."""
    joined: Pad | None = None
    run: list[Pad] = []
    first: Placed | None = None
    over: list[Laid] = []
    for placed in timeline.events:
        if placed.head.kind == "crossfade" and run and first is not None:
            joined, run, first = _close_run(joined, run, first, timeline.rate), [], placed
        first = first or placed
        if is_heard(placed, audio) and any(placed.sound_over):
            over.append(_lay_over(placed, timeline.rate, audio, sources))
            run.append(_silence(placed, timeline.rate))
        else:
            run.append(_lower_event(placed, timeline.rate, audio, sources, splice))
    assert first is not None
    whole = _close_run(joined, run, first, timeline.rate)
    if not over:
        return whole
    samples = sample_at(timeline.events[-1].range.end, timeline.rate)
    return sounds.mix([whole, sounds.lay(over, samples, "over")], "film")


def _close_run(joined: Pad | None, run: list[Pad], first: Placed, rate: Fraction) -> Pad:
    pad = sounds.concat(run, first.label)
    if joined is None:
        return pad
    start, cut = first.range.start - first.head.before, first.range.start + first.head.after
    samples = sample_at(cut, rate) - sample_at(start, rate)
    return sounds.sound_crossfade(joined, pad, samples, first.label)


def is_heard(placed: Placed, audio: AudioFacts | None) -> bool:
    return isinstance(placed.event, Shot) and not placed.event.mute and audio is not None


def _silence(placed: Placed, rate: Fraction) -> Pad:
    samples = sample_at(placed.extent.end, rate) - sample_at(placed.extent.start, rate)
    return sounds.exact_length(sounds.silence(placed.label), samples, placed.label)


def _lower_event(placed: Placed, rate: Fraction, audio: AudioFacts | None, sources: Sources, splice: int) -> Pad:
    if not is_heard(placed, audio):
        return _silence(placed, rate)
    shot = placed.event
    assert isinstance(shot, Shot)
    assert audio is not None
    assert placed.film is not None
    samples = sample_at(placed.extent.end, rate) - sample_at(placed.extent.start, rate)
    in_ = placed.film.start.seconds - placed.lead * shot.speed / rate
    pad = _take(sources.sound(placed), FilmTime(in_), samples, shot.speed, audio, placed.label)
    return _fades(sounds.volume(pad, shot.gain, placed.label), placed, samples, rate, splice)


def _take(source: Pad, in_: FilmTime, samples: int, speed: Fraction, audio: AudioFacts, label: str) -> Pad:
    """So many samples of the film's sound from a moment on."""
    pad = sounds.stereo(source, label)
    begin = nearest(in_.seconds * SAMPLE_RATE)
    end = nearest((in_.seconds + samples * speed / SAMPLE_RATE) * SAMPLE_RATE)
    missing = nearest(audio.start * SAMPLE_RATE) - begin
    pad = sounds.trim_samples(pad, begin, end, label)
    if missing > 0:  # the film's sound begins after this moment
        pad = sounds.delay(pad, missing, label)
    if speed != 1:
        pad = sounds.tempo(pad, speed, label)
    return sounds.exact_length(pad, samples, label)


def _lay_over(placed: Placed, rate: Fraction, audio: AudioFacts | None, sources: Sources) -> Laid:
    """A shot's sound with what comes before its picture and after it; both ends are softened."""
    shot, (lead, trail) = placed.event, placed.sound_over
    assert isinstance(shot, Shot)
    assert audio is not None
    assert placed.film is not None
    start, end = sample_at(placed.range.start - lead, rate), sample_at(placed.range.end + trail, rate)
    in_ = FilmTime(placed.film.start.seconds - lead * shot.speed / rate)
    pad = _take(sources.sound(placed), in_, end - start, shot.speed, audio, placed.label)
    pad = _fades(sounds.volume(pad, shot.gain, placed.label), placed, end - start, rate, 0)
    return Laid(start, end - start, _soften(pad, end - start, _SOFT, placed.label))


_SOFT = SAMPLE_RATE // 50  # samples


def _soften(pad: Pad, samples: int, ramp: int, label: str) -> Pad:
    ramp = min(ramp, samples // 2)
    if not ramp:
        return pad
    return sounds.sound_fade(sounds.sound_fade(pad, "in", 0, ramp, label), "out", samples - ramp, ramp, label)


def _fades(pad: Pad, placed: Placed, samples: int, rate: Fraction, splice: int) -> Pad:
    """The sound fades with the picture's fades and dips, and by itself where the spec says so, or at a hard cut."""

    def length(frames: int) -> int:
        return nearest(frames * SAMPLE_RATE / rate)

    head = placed.head.after if placed.head.kind not in ("cut", "crossfade") else 0
    tail = placed.tail.before if placed.tail.kind not in ("cut", "crossfade") else 0
    most = min(splice, samples // 2)
    heads = [length(head), length(placed.sound_fade[0]), most * (placed.head.kind == "cut")]
    tails = [length(tail), length(placed.sound_fade[1]), most * (placed.tail.kind == "cut")]
    for count in heads:
        if count:
            pad = sounds.sound_fade(pad, "in", 0, count, placed.label)
    for count in tails:
        if count:
            pad = sounds.sound_fade(pad, "out", samples - count, count, placed.label)
    return pad


def _voice(voice: PlacedVoice, audio: AudioFacts, sources: Sources) -> Laid:
    samples, label = voice.place.length, voice.label
    pad = _take(sources.voice(voice), voice.film.start, samples, Fraction(1), audio, label)
    return Laid(voice.place.start, samples, _soften(sounds.volume(pad, voice.gain, label), samples, _SOFT // 2, label))


# Music


def _music(timeline: Timeline, track: Soundtrack, sources: Sources) -> Pad:
    """All music: down under voices and lines, and gone in the silences."""
    laid = [Laid(song.place.start, song.place.length, _song(song, sources)) for song in track.songs]
    if track.pulse is not None:
        laid.append(Laid(0, track.pulse.place.length, lower_pulse(track.pulse, timeline)))
    pad = sounds.lay(laid, track.samples, "music")
    return _hush(_duck(pad, list(track.ducks), track.samples, "music"), track, "music")


def _song(song: PlacedSong, sources: Sources) -> Pad:
    """A song's parts, joined by equal-power cross-fades that end on the bar line at which they meet. Before a song's
    first sample there is silence; where it begins or ends in its midst it is softened, for a step would click."""
    pad: Pad | None = None
    samples, label, heard = song.place.length, song.label, 0
    for use, (begin, end) in enumerate(song.parts):
        first, last = nearest(begin * SAMPLE_RATE), nearest(end * SAMPLE_RATE)
        # A song's time counts from its first sample, whatever stamp that carries: an MP3's is 25 ms.
        part = sounds.count_samples(sounds.stereo(sources.song(song, use), label), label)
        join = min(song.join, heard, last - first)
        lead = min(join, first)
        part = sounds.trim_samples(part, first - lead, last, label)
        if join > lead:
            part = sounds.delay(part, join - lead, label)
        part = sounds.exact_length(part, last - first + join, label)
        if pad is None:
            pad = part
        else:
            pad = sounds.sound_crossfade(pad, part, join, label) if join else sounds.concat([pad, part], label)
        heard += last - first
    assert pad is not None
    if song.parts[0][0] > 0 and song.place.start > 0:
        pad = sounds.sound_fade(pad, "in", 0, _ONSET, label)
    ending = min(song.join, heard)
    if heard < samples and ending and song.parts[-1][1] < song.facts.duration:
        pad = sounds.sound_fade(pad, "out", heard - ending, ending, label)
    pad = sounds.volume(sounds.exact_length(pad, samples, label), song.gain, label)
    return sounds.sound_fade(pad, "out", samples - song.fade, song.fade, label) if song.fade else pad


_ONSET = SAMPLE_RATE // 500  # samples: short enough to leave a hit what it is

_ATTACK, _RELEASE = Fraction(15, 100), Fraction(40, 100)  # seconds
_AHEAD, _HOLD = Fraction(5, 100), Fraction(5, 100)  # seconds: before a voice it is going down, after it still down
_ENVELOPE_RATE = 1000  # points a second are enough for such ramps


def _duck(pad: Pad, ducks: list[Duck], samples: int, label: str) -> Pad:
    """Down by the ducks' depths, by an envelope computed from their known places: it neither listens nor pumps."""
    merged = _merged(ducks)
    if not merged:
        return pad
    envelope = sounds.synthesis(_envelope(merged), samples, f"{label}_duck", _ENVELOPE_RATE)
    return sounds.multiply(pad, sounds.exact_length(envelope, samples, label), label)


def _envelope(ducks: Sequence[Duck]) -> str:
    terms = ["1"]
    for duck in ducks:
        start = duck.place.start / SAMPLE_RATE - float(_AHEAD)
        end = duck.place.end / SAMPLE_RATE + float(_HOLD + _RELEASE)
        share = 1 - 10 ** (-float(duck.depth) / 20)
        ramps = f"min((t-{start:.6f})/{float(_ATTACK):g},({end:.6f}-t)/{float(_RELEASE):g})"
        terms.append(f"{share:.6f}*clip({ramps},0,1)")
    return "-".join(terms)


def _merged(ducks: Sequence[Duck]) -> list[Duck]:
    """Ducks that touch, ramps counted, as one as deep as the deepest."""
    room = round((_AHEAD + _HOLD + _RELEASE) * SAMPLE_RATE)
    found: list[Duck] = []
    for duck in sorted(ducks, key=lambda duck: duck.place.start):
        if found and duck.place.start <= found[-1].place.end + room:
            last = found.pop()
            place = Sounding(last.place.start, max(last.place.end, duck.place.end))
            duck = Duck(place, max(last.depth, duck.depth))
        found.append(duck)
    return found


_TAIL = SAMPLE_RATE * 4 // 10  # samples in which what sounds before a silence dies away


def _hush(pad: Pad, track: Soundtrack, label: str) -> Pad:
    """Silence where the spec says so: what comes before dies away into it, and the sample after it is itself again."""
    if not track.silences:
        return pad
    bounds = [0, *[edge for silence in track.silences for edge in (silence.start, silence.end)], track.samples]
    heard = [(start, end) for start, end in list(pairwise(bounds))[::2] if end > start]
    rooms = {silence.start: min(_TAIL, silence.length) for silence in track.silences}
    laid = []
    for (start, end), copy in zip(heard, sounds.split_sound(pad, len(heard), label), strict=True):
        tail = rooms.get(end, 0)
        length = end + tail - start
        part = sounds.exact_length(sounds.trim_samples(copy, start, end + tail, label), length, label)
        laid.append(Laid(start, length, sounds.sound_fade(part, "out", end - start, tail, label) if tail else part))
    return sounds.lay(laid, track.samples, label)


def _lay_into_silences(pieces: Sequence[Laid], track: Soundtrack, label: str) -> Pad:
    """Effects or voices as a stem. One that runs into a silence dies away in it, for good; what is placed in a silence
    was put there by hand, and is heard."""
    laid = list(pieces)
    for silence in track.silences:
        tail = min(_TAIL, silence.length)
        for index, piece in enumerate(laid):
            if piece.start < silence.start < piece.start + piece.samples - tail:
                length = silence.start + tail - piece.start
                pad = sounds.exact_length(piece.pad, length, label)
                laid[index] = Laid(piece.start, length, sounds.sound_fade(pad, "out", length - tail, tail, label))
    return sounds.lay(laid, track.samples, label)


# The master

_PROFILES = {
    "web": LoudnessTarget(Fraction(-14), Fraction(-1)),
    "r128": LoudnessTarget(Fraction(-23), Fraction(-1)),
    "atsc": LoudnessTarget(Fraction(-24), Fraction(-2)),
    "streaming": LoudnessTarget(Fraction(-27), Fraction(-2)),
}


def loudness_of(output: Output, vibe: Vibe | None) -> LoudnessTarget | None:
    """What the spec's output is brought to; None: nothing, the mix stays as it is."""
    if output.loudness == "vibe":
        return LoudnessTarget(Fraction(vibe.loudness), Fraction(-1)) if vibe is not None else None
    return _PROFILES.get(output.loudness)


@dataclass(frozen=True, slots=True)
class Master:
    """What brings the mix to its loudness: a gain in dB, and the limiter's ceiling in dB where it has work to do."""

    gain: Fraction
    ceiling: Fraction | None


def lower_masters(mix: Pad, masters: Mapping[str, Master | None], samples: int) -> dict[str, Pad]:
    """The mastered mix of each output, by their names. Those with the same master share it."""
    found = dict[str, Pad]()
    kinds = list(dict.fromkeys(masters.values()))
    for kind, copy in zip(kinds, sounds.split_sound(mix, len(kinds), "master"), strict=True):
        names = [name for name, master in masters.items() if master == kind]
        mastered = sounds.split_sound(lower_master(copy, kind, samples), len(names), "master")
        found |= dict(zip(names, mastered, strict=True))
    return found


def lower_master(pad: Pad, master: Master | None, samples: int, rough: bool = False) -> Pad:
    """The mastered mix. A `rough` one is as loud and takes a third of the time, but peaks slip through the limiter."""
    if master is None:
        return pad
    pad = sounds.volume(pad, master.gain, "master")
    return pad if master.ceiling is None else sounds.limit(pad, master.ceiling, samples, "master", 1 if rough else 4)
