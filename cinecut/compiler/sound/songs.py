"""Music from files: a song's parts, joined, at their place."""

from __future__ import annotations

from cinecut.compiler.layout.soundtrack import PlacedSong, Soundtrack
from cinecut.compiler.layout.timeline import Timeline
from cinecut.compiler.sound.ducking import duck, hush
from cinecut.compiler.sound.film_sound import Sources
from cinecut.compiler.sound.pulse import lower_pulse
from cinecut.graph import sounds
from cinecut.graph.nodes import Pad
from cinecut.graph.sounds import Laid
from cinecut.language.timebase import SAMPLE_RATE, nearest


def lower_music(timeline: Timeline, track: Soundtrack, sources: Sources) -> Pad:
    """All music: down under voices and lines, and gone in the silences."""
    laid = [Laid(song.place.start, song.place.length, _song(song, sources)) for song in track.songs]
    if track.pulse is not None:
        laid.append(Laid(0, track.pulse.place.length, lower_pulse(track.pulse, timeline)))
    pad = sounds.lay(laid, track.samples, "music")
    return hush(duck(pad, track.ducks, track.samples, "music"), track, "music")


def _song(song: PlacedSong, sources: Sources) -> Pad:
    """A song's parts, joined by equal-power cross-fades that end on the bar line at which they meet. Before a song's
    first sample there is silence; where it begins or ends in its midst it is softened, for a step would click."""
    pads: list[Pad] = []  # what has been joined so far: one at most
    samples, label, heard = song.place.length, song.label, 0
    for use, (begin, end) in enumerate(song.parts):
        first, last = nearest(begin * SAMPLE_RATE), nearest(end * SAMPLE_RATE)
        # A song's time counts from its first sample, whatever stamp that carries: an MP3's is 25 ms.
        part = sounds.count_samples(sources.song(song, use), label)
        join = min(song.join, heard, last - first)
        lead = min(join, first)
        part = sounds.trim_samples(part, first - lead, last, label)
        if join > lead:
            part = sounds.delay(part, join - lead, label)
        part = sounds.exact_length(part, last - first + join, label)
        pads = [sounds.sound_crossfade(pads[0], part, join, label) if join else sounds.concat([*pads, part], label)]
        heard += last - first
    pad = pads[0]
    if song.parts[0][0] > 0 and song.place.start > 0:
        pad = sounds.sound_fade(pad, "in", 0, _ONSET, label)
    ending = min(song.join, heard)
    if heard < samples and ending and song.parts[-1][1] < song.facts.duration:
        pad = sounds.sound_fade(pad, "out", heard - ending, ending, label)
    pad = sounds.volume(sounds.exact_length(pad, samples, label), song.gain, label)
    return sounds.sound_fade(pad, "out", samples - song.fade, song.fade, label) if song.fade else pad


_ONSET = SAMPLE_RATE // 500  # samples: short enough to leave a hit what it is
