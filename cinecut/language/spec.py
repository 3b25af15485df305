"""The Spec: what a trailer is, as its author wrote it: its media, its mix, its outputs and its timeline of events.

Nothing here is resolved yet that needs the beat grid or the film: that is the timeline's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, ClassVar, Literal

from cinecut.language.events import Crop, Entry, Marked, Picture
from cinecut.language.facts import FilmFacts, LutFacts, SongFacts
from cinecut.language.timebase import FilmTime, Length

ABSENT = "\0"  # the file of a film that a spec does not name


@dataclass(frozen=True, kw_only=True)
class Lut(Marked):
    schema: ClassVar[str] = ".lut"
    short: ClassVar[str] = "file"
    file: str
    facts: LutFacts | None


@dataclass(frozen=True, kw_only=True)
class RatingClip(Marked):
    schema: ClassVar[str] = ".rating.clip"
    short: ClassVar[str] = "file"
    file: str
    facts: FilmFacts | None


@dataclass(frozen=True, kw_only=True)
class Rating(Marked):
    """The card before the trailer."""

    schema: ClassVar[str] = ".rating"
    still: Picture | None
    clip: RatingClip | None
    for_: Length | None


@dataclass(frozen=True, kw_only=True)
class VibeChoice(Marked):
    """A genre, and the values that differ from it."""

    schema: ClassVar[str] = "vibe"
    short: ClassVar[str] = "base"
    base: str
    grade: Mapping[str, Any] | None
    titles: Mapping[str, Any] | None
    loudness: int | None


@dataclass(frozen=True, kw_only=True)
class Film(Marked):
    schema: ClassVar[str] = "film"
    short: ClassVar[str] = "file"
    file: str
    audio: int
    crop: Crop | None
    protagonist: str | None
    facts: FilmFacts | None


@dataclass(frozen=True, kw_only=True)
class BeatGrid(Marked):
    schema: ClassVar[str] = "beats"
    tempo: Fraction | None
    first: FilmTime
    metre: int
    times: tuple[Fraction, ...]


@dataclass(frozen=True, kw_only=True)
class Part(Marked):
    """A part of a song, in its own time."""

    schema: ClassVar[str] = "part"
    in_: FilmTime
    out: FilmTime


@dataclass(frozen=True, kw_only=True)
class Music(Marked):
    schema: ClassVar[str] = "music"
    short: ClassVar[str] = "file"
    file: str | None
    beats: BeatGrid | None
    start: FilmTime
    parts: tuple[Part, ...]
    loop: bool
    join: Length
    pulse: Literal["none", "soft", "steady", "driving"]
    duck: Fraction
    credit: str | None
    gain: Fraction
    fade_out: Length
    facts: SongFacts | None


@dataclass(frozen=True, kw_only=True)
class Effects(Marked):
    """The effect for each kind of cut; None: as `usual` says."""

    schema: ClassVar[str] = "effects"
    short: ClassVar[str] = "usual"
    usual: Literal["vibe", "none"]
    cut: str | None
    beat_cut: str | None
    crossfade: str | None
    dip_to_black: str | None
    dip_to_white: str | None
    act: str | None


@dataclass(frozen=True, kw_only=True)
class Mix(Marked):
    """The level of each stem, dB."""

    schema: ClassVar[str] = ".mix"
    film: Fraction
    music: Fraction
    effects: Fraction
    voice: Fraction
    splice: Length


Fit = Literal["letterbox", "crop", "blur"]


Codec = Literal["h264", "hevc", "av1", "prores", "ffv1"]


Hardware = Literal["none", "nvenc", "qsv", "amf", "videotoolbox"]


Profile = Literal["vibe", "web", "r128", "r128-s1", "atsc", "streaming", "as mixed"]


Subtitles = Literal["none", "soft", "file", "burned"]


Stem = Literal["printmaster", "dialogue", "music", "effects"]


@dataclass(frozen=True, kw_only=True)
class Safe(Marked):
    """The margin of texts, as shares of the frame's height and width."""

    schema: ClassVar[str] = "safe"
    top: Fraction
    bottom: Fraction
    sides: Fraction


@dataclass(frozen=True, kw_only=True)
class Output(Marked):
    schema: ClassVar[str] = "output"
    size: tuple[int, int] | None
    rate: Fraction | None
    fit: Fit
    codec: Codec
    hardware: Hardware
    crf: int | None
    preset: str
    loudness: Profile
    subtitles: Subtitles
    channels: int
    audio_bitrate: str | None
    title: str | None
    chapters: bool
    texts: bool
    safe: Safe


@dataclass(frozen=True, kw_only=True)
class Deliverable(Marked):
    """One of several files, or those of a kit; None: as in the spec's output."""

    schema: ClassVar[str] = "deliverable"
    name: str | None
    kit: str | None
    size: tuple[int, int] | None
    fit: Fit | None
    codec: Codec | None
    hardware: Hardware | None
    crf: int | None
    preset: str | None
    loudness: Profile | None
    subtitles: Subtitles | None
    channels: int | None
    audio_bitrate: str | None
    title: str | None
    chapters: bool | None
    texts: bool | None
    safe: Safe | None
    stem: Stem | None

    def over(self, output: Output) -> Output:
        """This deliverable's values, over those of the output."""
        shared = [item.name for item in fields(output) if hasattr(self, item.name) and item.name != "place"]
        given = {name: getattr(self, name) for name in shared}
        return replace(output, **{key: value for key, value in given.items() if value is not None}, place=self.place)


@dataclass(frozen=True, kw_only=True)
class Anchor(Marked):
    schema: ClassVar[str] = "anchor"
    film: str | None
    at: FilmTime
    why: str | None
    by: str | None
    line: str | None


@dataclass(frozen=True, kw_only=True)
class Anchors(Marked):
    schema: ClassVar[str] = ".anchors"
    begin: Anchor | None
    escalation: Anchor | None
    climax: Anchor | None


@dataclass(frozen=True, kw_only=True)
class Spec(Marked):
    """A trailer as its author wrote it: each key of the language is a field of the same name, times are exact."""

    schema: ClassVar[str] = ""
    cinecut: int
    film: Film | None  # the only one; or:
    films: Mapping[str, Film] | None
    vibe: VibeChoice | None
    music: Music | None
    effects: Effects
    mix: Mix
    output: Output
    languages: Mapping[str, str] | None
    deliverables: tuple[Deliverable, ...]
    lut: Lut | None
    rating: Rating | None
    anchors: Anchors | None
    timeline: tuple[Entry, ...]

    @property
    def main_film(self) -> Film:
        """The only film, or the first of several; it decides the trailer's size, rate and colours."""
        return next(iter(self.every_film.values()))

    @property
    def every_film(self) -> dict[str, Film]:
        """The films by their names in a `FilmRange`: the first one's is empty."""
        if self.film is not None:
            return {"": self.film}
        return {self.key_of(name): film for name, film in (self.films or {}).items()}

    def key_of(self, name: str | None) -> str:
        """A film's name in a `FilmRange`; None means the first film."""
        return "" if name is None or name == next(iter(self.films or {}), None) else name

    def name_of(self, key: str) -> str | None:
        """A film's name in the spec, from its name in a `FilmRange`; None if there is only one film."""
        return key or next(iter(self.films or {}), None)
