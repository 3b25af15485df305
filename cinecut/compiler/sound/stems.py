"""Timeline + Soundtrack → the sound half of the graph: stems at 48 kHz, each exactly as long as the trailer. In 5.1 the
film keeps its channels; music and effects are in front.

Sample boundaries are rounded from the frames' exact times on the whole timeline, so they never drift at 30000/1001.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from cinecut.compiler.inputs import SoundInputs
from cinecut.compiler.layout.recordings import PlacedRecording, PlacedSong
from cinecut.compiler.layout.soundtrack import Duck, PlacedVoice, Soundtrack
from cinecut.compiler.layout.timeline import Timeline
from cinecut.compiler.resolve import Trailer
from cinecut.compiler.sound.ducking import duck, hush, lay_into_silences
from cinecut.compiler.sound.effects import lay_effect
from cinecut.compiler.sound.film_sound import SOFT, film_sound, soften, take
from cinecut.compiler.sound.master import hole_of
from cinecut.compiler.sound.pulse import lower_pulse
from cinecut.graph import sounds
from cinecut.graph.channels import channels_of
from cinecut.graph.nodes import Pad, split
from cinecut.graph.sounds import Laid
from cinecut.language.facts import AudioFacts
from cinecut.language.timebase import SAMPLE_RATE, nearest


def lower_stems(
    trailer: Trailer, timeline: Timeline, track: Soundtrack, sources: SoundInputs, *, dipped: bool = True
) -> dict[str, Pad]:
    """The trailer's stems by name, before their levels in the mix: always film; music, effects and voice if there are
    any. Without `dipped` no stem is lowered under another."""
    if not dipped:
        track = replace(track, ducks=())
    film = film_sound(trailer, timeline, sources, nearest(trailer.splice * SAMPLE_RATE))
    film = hush(film, track, "film")
    stems = {"film": duck(film, under_voices(track) if dipped else (), track.samples, "film")}
    if track.songs or track.pulse:
        stems["music"] = sounds.in_front(_music(timeline, track, sources), sources.channels, "music")
    effects = [laid for effect in track.effects if (laid := lay_effect(effect, track.samples)) is not None]
    effects += [_recording(each, sources) for each in track.recordings if each.stem == "effects"]
    if effects:
        pad = lay_into_silences(effects, track, "effects")
        pad = duck(pad, under_words(track) if dipped else (), track.samples, "effects")
        stems["effects"] = sounds.in_front(pad, sources.channels, "effects")
    heard = [(voice, audio) for voice in track.voices if (audio := trailer.footage[voice.film.film].audio) is not None]
    spoken_over = [_voice(voice, audio, sources) for voice, audio in heard]
    for laid in (_recording(each, sources) for each in track.recordings if each.stem == "voice"):
        spoken_over.append(replace(laid, pad=sounds.in_front(laid.pad, sources.channels, "voice")))
    if spoken_over:
        stems["voice"] = lay_into_silences(spoken_over, track, "voice")
    return stems


_SPLITS = {  # what each split is made of
    "printmaster": ("film", "music", "effects", "voice"),
    "dialogue": ("film", "voice"),
    "music": ("music",),
    "effects": ("effects",),
}


def lower_splits(stems: Mapping[str, Pad], wanted: Mapping[str, tuple[str, bool]], samples: int) -> dict[str, Pad]:
    """Parts of the sound for studios, by output name; `wanted`: which part each is, and whether it gets a hole for a
    master. A part that the trailer lacks is silence of `samples` samples."""
    channels = len(channels_of(stems["film"].audio.layout))
    takers = {part: [name for name, (kind, _) in wanted.items() if part in _SPLITS[kind]] for part in stems}
    taps = {
        part: dict(zip(names, split(stems[part], len(names), part), strict=True))
        for part, names in takers.items()
        if names
    }
    finished = dict[str, Pad]()
    for name, (kind, mastered) in wanted.items():
        pads = [taps[part][name] for part in _SPLITS[kind] if part in stems]
        pad = sounds.mix(pads, kind) if pads else sounds.exact_length(sounds.silence(kind, channels), samples, kind)
        finished[name] = sounds.hole(pad, hole_of(name)) if mastered else pad
    return finished


_UNDER_VOICE = Fraction(9)  # dB by which the film's own sound and the effects go down under a voice
_WITH_MUSIC = Fraction(1, 2)  # of the music's depth, for the effects under what is said in a shot
_HIT = SAMPLE_RATE // 10  # samples after a cut in which a hit on it is as it is


def under_voices(track: Soundtrack) -> list[Duck]:
    """Where the film's own sound goes down."""
    return [Duck(place, _UNDER_VOICE) for place in track.spoken]


def under_words(track: Soundtrack) -> list[Duck]:
    """Where the effects go down: under voices, and where the music does, but after the hit on a shot's cut."""
    later = [(replace(each.place, start=each.place.start + _HIT), each.depth * _WITH_MUSIC) for each in track.ducks]
    return [*under_voices(track), *(Duck(place, depth) for place, depth in later if place.length > 0)]


def _voice(voice: PlacedVoice, audio: AudioFacts, sources: SoundInputs) -> Laid:
    samples, label = voice.place.length, voice.label
    pad = take(sources.voice(voice), voice.film.start, samples, Fraction(1), audio, label)
    return Laid(voice.place.start, samples, soften(sounds.volume(pad, voice.gain, label), samples, SOFT // 2, label))


def _recording(recording: PlacedRecording, sources: SoundInputs) -> Laid:
    song = recording.song
    pad = soften(_song(song, sources), song.place.length, SOFT // 2, song.label)
    return Laid(song.place.start, song.place.length, pad)


# Music from files: a song's parts, joined, at their place


def _music(timeline: Timeline, track: Soundtrack, sources: SoundInputs) -> Pad:
    """All music: lowered under voices and lines, and silent in the silences."""
    laid = [Laid(song.place.start, song.place.length, _song(song, sources)) for song in track.songs]
    if track.pulse is not None:
        laid.append(Laid(0, track.pulse.place.length, lower_pulse(track.pulse, timeline)))
    pad = sounds.lay(laid, track.samples, "music")
    return hush(duck(pad, track.ducks, track.samples, "music"), track, "music")


def _song(song: PlacedSong, sources: SoundInputs) -> Pad:
    """A song's parts, joined by equal-power cross-fades that end on the bar line where they meet. A start or an end in
    the middle of the song is faded, since a step would click."""
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
