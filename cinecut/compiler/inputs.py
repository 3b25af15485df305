"""What the graph reads: the files of the working folder by their names, and the streams in them."""

from __future__ import annotations

from fractions import Fraction

from cinecut.compiler.picture.look import OWN
from cinecut.compiler.picture.lower import shot_frames, source_format
from cinecut.compiler.picture.rating import rating_asset
from cinecut.compiler.sound.lower import is_heard
from cinecut.compiler.soundtrack import PlacedSong, PlacedVoice, Soundtrack, song_name
from cinecut.compiler.timeline import Placed, Timeline
from cinecut.graph import filters
from cinecut.graph.nodes import Audio, Format, Pad, Video
from cinecut.graph.plan import MEDIA_FORMATS, PICTURE_FORMATS, Input, LutFile, Reel, UserFile
from cinecut.language.events import Shot, Still
from cinecut.language.facts import AudioFacts, FilmFacts
from cinecut.language.spec import Spec
from cinecut.language.timebase import FilmRange, FilmTime

_PREROLL = Fraction(1, 2)  # seconds of sound before a shot: decoders of AAC, MP3 and Opus need a run-up
_MARGIN = Fraction(1, 10)  # seconds after it, for stamps that jitter


class Inputs:
    """The files of the working folder that the graph reads, by their names, and the streams in them."""

    def __init__(self, spec: Spec, timeline: Timeline, track: Soundtrack, facts: FilmFacts) -> None:
        self.spec = spec
        self.facts = facts
        self.audio: AudioFacts | None = facts.audio[spec.film.audio - 1] if facts.audio else None
        self.rate = timeline.rate
        self.items: dict[str, Input] = {}
        for placed in timeline.events:
            if isinstance(placed.event, Shot):
                self._add(self._reel(placed))
            elif isinstance(placed.event, Still):
                self._add(UserFile(_name(placed), placed.event.still.file, PICTURE_FORMATS))
            if placed.event.cue is not None and not placed.event.cue.stops:
                file = placed.event.cue.file
                self._add(UserFile(song_name(placed.number, file), file, MEDIA_FORMATS))
        for voice in track.voices:
            self._add(Reel(_voice_name(voice), voice.film, _heard(voice.film), spec.film.audio - 1))
        if spec.lut is not None:
            self._add(LutFile(OWN, spec.lut.file))
        if spec.rating is not None:
            self._add(rating_asset(spec.rating))
        if spec.music is not None and spec.music.file is not None:
            self._add(UserFile(song_name(0, spec.music.file), spec.music.file, MEDIA_FORMATS))

    def _add(self, item: Input) -> None:
        self.items[item.name] = item

    def _reel(self, placed: Placed) -> Reel:
        assert isinstance(placed.event, Shot)
        assert placed.film is not None
        speed, (lead, trail) = placed.event.speed, placed.sound_over
        in_ = placed.film.start.seconds - max(placed.lead, lead) * speed / self.rate
        frames = placed.range.length + max(placed.lead, lead) + max(placed.lag, trail)
        heard = _heard(FilmRange(FilmTime(in_), FilmTime(in_ + frames * speed / self.rate)))
        audio = self.spec.film.audio - 1 if is_heard(placed, self.audio) else None
        return Reel(_name(placed), shot_frames(placed, self.facts, self.rate).seen, heard, audio)

    def picture(self, placed: Placed) -> Pad:
        format: Format = source_format(self.facts)
        if isinstance(placed.event, Still):
            assert placed.event.still.facts is not None
            format = Video(*placed.event.still.facts.size, "rgba")
        return filters.source(_name(placed), "v", format, placed.label)

    def sound(self, placed: Placed) -> Pad:
        return filters.source(_name(placed), "a", self._film_sound(), placed.label)

    def voice(self, voice: PlacedVoice) -> Pad:
        return filters.source(_voice_name(voice), "a", self._film_sound(), voice.label)

    def song(self, song: PlacedSong, use: int) -> Pad:
        return filters.source(song.name, "a", Audio(song.facts.rate, song.facts.layout), song.label, use)

    def _film_sound(self) -> Audio:
        assert self.audio is not None
        return Audio(self.audio.rate, self.audio.layout)


def _name(placed: Placed) -> str:
    """Of an event's file. A still's has no suffix, so that its bytes alone tell FFmpeg what it is."""
    return f"reels/{placed.number:04d}.nut" if isinstance(placed.event, Shot) else f"still{placed.number:04d}"


def _voice_name(voice: PlacedVoice) -> str:
    return f"reels/{voice.label}.nut"


def _heard(film: FilmRange) -> FilmRange:
    """What a reel holds of the sound, for hearing a range of it."""
    return FilmRange(FilmTime(film.start.seconds - _PREROLL), FilmTime(film.end.seconds + _MARGIN))
