"""Sounds from files of the user's own: songs, and the voices and effects of events, at their samples of the trailer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.layout.ruler import Ruler, Sounding, label_ending
from cinecut.compiler.layout.timeline import Placed
from cinecut.compiler.names import digest, suffix_of
from cinecut.compiler.resolve import Song, recording
from cinecut.language.events import Recorded, Voice
from cinecut.language.facts import SongFacts
from cinecut.language.grid import SongPart
from cinecut.language.timebase import SAMPLE_RATE, clock, nearest


@dataclass(frozen=True, slots=True)
class PlacedSong:
    """A song at its place: its parts in seconds of the song, joined by cross-fades of `join` samples; `fade`: samples
    of fade-out at its end."""

    name: str  # in the working folder
    file: str  # what the spec calls it
    facts: SongFacts
    parts: tuple[SongPart, ...]
    place: Sounding
    join: int
    gain: Fraction
    fade: int
    label: str
    owner: str  # the label of the event with which it begins; of the music's own song the empty one


@dataclass(frozen=True, slots=True)
class PlacedRecording:
    """A voice or an effect from a file, in one part, at its place."""

    stem: str  # voice or effects
    song: PlacedSong
    line: str | None = None

    @property
    def name(self) -> str:
        return self.song.file.rpartition("/")[2]


def song_name(song: Song) -> str:
    """The name of a song's file in the working folder."""
    return f"song_{digest(song)}{suffix_of(song.file)}"


FROM_FILE = "voice: {file: narrator.wav}"


def recordings_of(placed: Placed, ruler: Ruler) -> Iterator[PlacedRecording]:
    """The voices and effects of an event that come from files."""
    for stem, sounds in (("voice", placed.event.voice), ("effects", placed.event.sound)):
        for index, sound in enumerate(sounds, 1):
            song = recording(sound)
            if song is not None:
                suffix = label_ending("voice_file" if stem == "voice" else "sound_file", index)
                placed_song = _recording(sound, song, placed, suffix, ruler)
                yield PlacedRecording(stem, placed_song, sound.line if isinstance(sound, Voice) else None)


def _recording(sound: Recorded, song: Song, placed: Placed, suffix: str, ruler: Ruler) -> PlacedSong:
    what, samples = "voice" if isinstance(sound, Voice) else "sound", ruler.samples
    _check(sound, what, ruler)
    start = ruler.start(placed) + ruler.count(sound.at, placed.start)
    left = nearest((song.facts.duration - sound.start.seconds) * SAMPLE_RATE)
    longest = left if sound.facts is not None else samples - start  # how long it is becomes known when it is measured
    wanted = ruler.count(sound.for_, placed.start) if sound.for_ is not None else longest
    length = max(1, min(wanted, longest))
    if not 0 <= start < samples or (what == "voice" and start + length > samples):
        where = "begins before the trailer does" if start < 0 else "outlasts the trailer"
        message = f"this {what} {where}"
        ruler.report.add("sound-outside", message, sound.place.span, "move it with `at`, or shorten it with `for`")
    length = max(1, min(length, samples - start))  # a last hit rings until the trailer ends
    part = (sound.start.seconds, sound.start.seconds + Fraction(length, SAMPLE_RATE))
    place, label = Sounding(max(0, start), max(0, start) + length), placed.label + suffix
    return PlacedSong(song_name(song), song.file, song.facts, (part,), place, 0, sound.gain, 0, label, placed.label)


def _check(sound: Recorded, what: str, ruler: Ruler) -> None:
    for key, length in (("at", sound.at), ("for", sound.for_)):
        ruler.need_grid(length, sound.place.of(key))
    for key in ("effect", "from_hz", "to_hz"):
        if key in sound.place.given:
            message = f"`{key}` is of a synthesized effect, and this one comes from a file"
            ruler.report.add("over-determined", message, sound.place.of(key), "remove one of them")
    if sound.facts is not None and sound.start.seconds >= sound.facts.duration:
        message = f"this {what} begins {clock(sound.start.seconds)} into a file of {clock(sound.facts.duration)}"
        ruler.report.add("past-end", message, sound.place.of("start"))
