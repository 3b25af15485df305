"""What the graph reads: the files of the working folder by their names, and the streams in them. A reel is named by its
contents, so shots that need the same packets share one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.recordings import PlacedSong, song_name
from cinecut.compiler.layout.soundtrack import PlacedVoice
from cinecut.compiler.layout.timeline import Placed, PlacedShot, is_heard
from cinecut.compiler.names import clock_name, digest
from cinecut.compiler.picture.color import source_format
from cinecut.compiler.picture.film_frames import shot_frames
from cinecut.compiler.picture.look import OWN
from cinecut.compiler.picture.rating import rating_asset
from cinecut.compiler.resolve import Song, cue_song, recording
from cinecut.graph import filters, sounds
from cinecut.graph.nodes import Audio, Pad, Video
from cinecut.graph.plan import (
    MARGIN,
    MEDIA_FORMATS,
    PICTURE_FORMATS,
    PREROLL,
    Input,
    LutFile,
    Reel,
    SoundReel,
    UserFile,
)
from cinecut.language.events import Picture, Still
from cinecut.language.timebase import FilmRange, FilmTime


class Inputs:
    """The files of the working folder that the graph reads, by their names, and the streams in them."""

    def __init__(self, layout: Layout) -> None:
        trailer = self.trailer = layout.trailer
        self.items: dict[str, Input] = {}
        self._reels: dict[str, str] = {}  # the names of pictures, and of sounds, by the labels of shots and voices
        self._sounds: dict[str, str] = {}
        for placed in layout.timeline.events:
            if isinstance(placed, PlacedShot):
                seen = shot_frames(placed, trailer).seen
                self._reels[placed.label] = self._add(Reel(_name(seen), seen))
                if is_heard(placed, trailer):
                    self._add_sound(placed.label, self._heard_with(placed))
            elif isinstance(placed.event, Still):
                still = placed.event.still
                self._add(UserFile(self._still_name(still), still.file, PICTURE_FORMATS, still.facts))
            self._add_song(cue_song(placed.event))
            for each in (*placed.event.voice, *placed.event.sound):
                self._add_song(recording(each))
        for voice in layout.track.voices:
            self._add_sound(voice.label, voice.film)
        if trailer.lut is not None:
            self._add(LutFile(OWN, trailer.lut.file))
        if trailer.opening is not None:
            self._add(rating_asset(trailer.opening))
        self._add_song(trailer.song)

    def _add(self, item: Input) -> str:
        self.items[item.name] = item
        return item.name

    def _add_song(self, song: Song | None) -> None:
        if song is not None:
            self._add(UserFile(song_name(song), song.file, MEDIA_FORMATS, song.facts))

    def _add_sound(self, label: str, film: FilmRange) -> None:
        start, end = FilmTime(film.start.seconds - PREROLL), FilmTime(film.end.seconds + MARGIN)
        heard, audio = replace(film, start=start, end=end), self.trailer.footage[film.film].film.audio - 1
        self._sounds[label] = self._add(SoundReel(_name(film, audio), heard, audio))

    def _heard_with(self, placed: PlacedShot) -> FilmRange:
        """The range of the film that is heard in a shot."""
        rate, speed, (lead, trail) = self.trailer.rate, placed.event.speed, placed.sound_over
        in_ = placed.heard.start.seconds - max(placed.lead, lead) * speed / rate
        frames = placed.range.length + max(placed.lead, lead) + max(placed.lag, trail)
        return replace(placed.heard, start=FilmTime(in_), end=FilmTime(in_ + frames * speed / rate))

    def picture(self, placed: Placed) -> Pad:
        if isinstance(placed.event, Still):
            still = placed.event.still
            format = Video(*self.trailer.picture_of(still).size, "rgba")
            return filters.source(self._still_name(still), "v", format, placed.label)
        assert isinstance(placed, PlacedShot)  # nothing else has pictures
        format = source_format(self.trailer.footage[placed.film.film].facts)
        return filters.source(self._reels[placed.label], "v", format, placed.label)

    def film_sound(self, film: FilmRange, label: str) -> Pad:
        footage = self.trailer.footage[film.film]
        stream = footage.facts.audio[footage.film.audio - 1]
        return filters.source(self._sounds[label], "a", Audio(stream.rate, stream.layout), label)

    def _still_name(self, still: Picture) -> str:
        """Without the file's suffix, which may be wrong: FFmpeg goes by the contents."""
        return f"still_{digest(still.file, self.trailer.picture_of(still))}"


@dataclass(frozen=True, slots=True)
class SoundInputs:
    """The sounds among the inputs: the film's in `channels` channels, songs in stereo; each use of a song opens it
    again."""

    inputs: Inputs
    channels: int

    def sound(self, placed: PlacedShot) -> Pad:
        return sounds.of_channels(self.inputs.film_sound(placed.film, placed.label), self.channels, placed.label)

    def voice(self, voice: PlacedVoice) -> Pad:
        return sounds.of_channels(self.inputs.film_sound(voice.film, voice.label), self.channels, voice.label)

    def song(self, song: PlacedSong, use: int) -> Pad:
        source = filters.source(song.name, "a", Audio(song.facts.rate, song.facts.layout), song.label, use)
        return sounds.of_channels(source, 2, song.label)


def _name(film: FilmRange, audio: int | None = None) -> str:
    bounds = [str(moment.seconds) for moment in (film.start, film.end)]
    kind, other = "" if audio is None else ".sound", [film.film] if film.film else []
    return f"reels/{clock_name(film.start.seconds)}_{digest(bounds, audio, *other)}{kind}.nut"
