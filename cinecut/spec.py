"""The Spec: what a trailer is, as its author wrote it. Dataclasses carry names and types; the schema carries the rest
(defaults, ranges, words), and reading.py fills them from a file. Nothing here is resolved yet that needs the beat grid
or the film: that is the timeline's work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any, ClassVar, Literal

from cinecut.diagnostics import Span
from cinecut.facts import FilmFacts, LutFacts, SongFacts, StillFacts
from cinecut.timebase import BadTimeError, FilmTime, Length, parse_length


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the spec; `given` holds the places of the values that the user wrote."""

    span: Span
    given: Mapping[str, Span] = field(default_factory=dict)

    def of(self, key: str) -> Span:
        return self.given.get(key, self.span)


NOWHERE = Place(Span("", 0, 0, 0, 0))


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """What has a place in the file. Two specs are equal wherever their values stand."""

    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Transition:
    """How one event passes into the next: its kind and its whole length."""

    kind: Literal["cut", "crossfade", "dip to black", "dip to white", "fade in", "fade out"]
    length: Length

    @classmethod
    def parse(cls, text: str) -> Transition:
        """`crossfade 1.5s`, `dip to black`, `cut`. Raises BadTimeError."""
        match = _TRANSITION.fullmatch(text.strip())
        if match is None:
            raise BadTimeError(f"{text!r} is no transition; write cut, crossfade 1.5s, dip to black 1s, fade in 1s, …")
        kind = " ".join(match[1].lower().split())
        if kind == "cut" and match[2]:
            raise BadTimeError("a cut has no length; a crossfade or a dip has")
        length = parse_length(match[2] or "1s")
        if length.amount == 0:
            raise BadTimeError(f"{text!r}: a transition of no length is a cut")
        return cls(kind=kind, length=length)  # type: ignore[arg-type]  # the pattern holds it to the six


_TRANSITION = re.compile(r"(cut|crossfade|dip\s+to\s+black|dip\s+to\s+white|fade\s+in|fade\s+out)(?:\s+(\S.*))?", re.I)


@dataclass(frozen=True, kw_only=True)
class Clip(_Placed):
    schema: ClassVar[str] = "clip"
    in_: FilmTime | None
    out: FilmTime | None
    for_: Length | None


@dataclass(frozen=True, kw_only=True)
class Sync(_Placed):
    schema: ClassVar[str] = "sync"
    at: FilmTime
    to: Literal["beat", "bar"]


@dataclass(frozen=True, kw_only=True)
class Title(_Placed):
    schema: ClassVar[str] = "title"
    short: ClassVar[str] = "text"
    text: str
    at: Length
    for_: Length | None
    fade: Length | None
    position: Literal["lower", "middle", "upper"]


@dataclass(frozen=True, kw_only=True)
class Effect(_Placed):
    schema: ClassVar[str] = "effect"
    short: ClassVar[str] = "effect"
    effect: str | None
    at: Length
    for_: Length | None
    gain: Fraction
    from_hz: Fraction | None
    to_hz: Fraction | None


@dataclass(frozen=True, kw_only=True)
class Voice(_Placed):
    schema: ClassVar[str] = "voice"
    short: ClassVar[str] = "take"
    take: Clip
    at: Length
    gain: Fraction
    line: str | None
    why: str | None
    by: str | None


@dataclass(frozen=True, kw_only=True)
class Cue(_Placed):
    schema: ClassVar[str] = "cue"
    short: ClassVar[str] = "file"
    file: str
    start: FilmTime
    gain: Fraction
    fade: Length
    facts: SongFacts | None

    @property
    def stops(self) -> bool:
        """It is no song but the end of the music."""
        return self.file == "stop"


@dataclass(frozen=True, kw_only=True)
class SoundFade(_Placed):
    schema: ClassVar[str] = "shot.sound_fade"
    in_: Length | None
    out: Length | None


@dataclass(frozen=True, kw_only=True)
class Crop(_Placed):
    schema: ClassVar[str] = "crop"
    x: Fraction
    y: Fraction
    w: Fraction
    h: Fraction


@dataclass(frozen=True, kw_only=True)
class Position(_Placed):
    """What stays in sight of a picture that is larger than the frame: 0 keeps the left or upper edge, 1 the other."""

    schema: ClassVar[str] = "shot.reframe.to"
    x: Fraction
    y: Fraction


@dataclass(frozen=True, kw_only=True)
class Reframe(_Placed):
    schema: ClassVar[str] = "shot.reframe"
    x: Fraction
    y: Fraction
    to: Position | None


@dataclass(frozen=True, kw_only=True)
class Notes(_Placed):
    """What analyze and people keep beside an event."""

    act: str | None
    zone: str | None
    beat_type: str | None
    score: Fraction | None
    why: str | None
    by: str | None
    line: str | None


@dataclass(frozen=True, kw_only=True)
class TimedEvent(Notes):
    """Anything that takes time in the trailer."""

    snap: Literal["beat", "bar"] | None
    from_: Transition
    to: Transition
    sound: tuple[Effect, ...]
    voice: tuple[Voice, ...]
    cue: Cue | None


@dataclass(frozen=True, kw_only=True)
class Shot(TimedEvent):
    schema: ClassVar[str] = "shot"
    shot: Clip
    speed: Fraction
    sync: Sync | None
    gain: Fraction
    mute: bool
    duck: Fraction | None
    sound_lead: Length | None
    sound_trail: Length | None
    sound_fade: SoundFade | None
    crop: Crop | None
    grade: Mapping[str, Any] | None
    reframe: Reframe | None
    titles: tuple[Title, ...]
    scene: str | None


@dataclass(frozen=True, kw_only=True)
class Black(TimedEvent):
    schema: ClassVar[str] = "black"
    black: Length
    silent: bool
    titles: tuple[Title, ...]


@dataclass(frozen=True, kw_only=True)
class Card(TimedEvent):
    schema: ClassVar[str] = "card"
    card: str
    for_: Length


@dataclass(frozen=True, kw_only=True)
class Picture(_Placed):
    schema: ClassVar[str] = "picture"
    short: ClassVar[str] = "file"
    file: str
    facts: StillFacts | None


@dataclass(frozen=True, kw_only=True)
class Still(TimedEvent):
    schema: ClassVar[str] = "still"
    still: Picture
    for_: Length
    scale: Fraction
    titles: tuple[Title, ...]


@dataclass(frozen=True, kw_only=True)
class Lut(_Placed):
    schema: ClassVar[str] = ".lut"
    short: ClassVar[str] = "file"
    file: str
    facts: LutFacts | None


@dataclass(frozen=True, kw_only=True)
class RatingClip(_Placed):
    schema: ClassVar[str] = ".rating.clip"
    short: ClassVar[str] = "file"
    file: str
    facts: FilmFacts | None


@dataclass(frozen=True, kw_only=True)
class Rating(_Placed):
    """The card before the trailer."""

    schema: ClassVar[str] = ".rating"
    still: Picture | None
    clip: RatingClip | None
    for_: Length | None


@dataclass(frozen=True, kw_only=True)
class ActMarker(_Placed):
    schema: ClassVar[str] = "act"
    act: str
    why: str | None
    by: str | None


@dataclass(frozen=True, kw_only=True)
class VibeChoice(_Placed):
    """A genre, and what is wanted otherwise than it has it, as plain values."""

    schema: ClassVar[str] = "vibe"
    short: ClassVar[str] = "base"
    base: str
    grade: Mapping[str, Any] | None
    titles: Mapping[str, Any] | None
    loudness: int | None


@dataclass(frozen=True, kw_only=True)
class Film(_Placed):
    schema: ClassVar[str] = "film"
    short: ClassVar[str] = "file"
    file: str
    audio: int
    crop: Crop | None
    protagonist: str | None
    facts: FilmFacts | None


@dataclass(frozen=True, kw_only=True)
class BeatGrid(_Placed):
    schema: ClassVar[str] = "beats"
    tempo: Fraction | None
    first: FilmTime
    metre: int
    times: tuple[Fraction, ...]


@dataclass(frozen=True, kw_only=True)
class Part(_Placed):
    """A part of a song, in its own time."""

    schema: ClassVar[str] = "part"
    in_: FilmTime
    out: FilmTime


@dataclass(frozen=True, kw_only=True)
class Music(_Placed):
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
class Effects(_Placed):
    """Which effect goes with which kind of cut; None: as `usual` says."""

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
class Mix(_Placed):
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
Profile = Literal["vibe", "web", "r128", "atsc", "streaming", "as mixed"]
Subtitles = Literal["none", "soft", "file", "burned"]


@dataclass(frozen=True, kw_only=True)
class Output(_Placed):
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
    audio_bitrate: str


@dataclass(frozen=True, kw_only=True)
class Deliverable(_Placed):
    """One file of several; None: as in the spec's output."""

    schema: ClassVar[str] = "deliverable"
    name: str
    size: tuple[int, int] | None
    fit: Fit | None
    codec: Codec | None
    hardware: Hardware | None
    crf: int | None
    preset: str | None
    loudness: Profile | None
    subtitles: Subtitles | None
    audio_bitrate: str | None

    def over(self, output: Output) -> Output:
        """The output that this deliverable is."""
        given = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in ("name", "place")}
        return replace(output, **{key: value for key, value in given.items() if value is not None}, place=self.place)


@dataclass(frozen=True, kw_only=True)
class Anchor(_Placed):
    schema: ClassVar[str] = "anchor"
    at: FilmTime
    why: str | None
    by: str | None
    line: str | None


@dataclass(frozen=True, kw_only=True)
class Anchors(_Placed):
    schema: ClassVar[str] = ".anchors"
    begin: Anchor | None
    escalation: Anchor | None
    climax: Anchor | None


Event = Shot | Black | Card | Still
Entry = Event | ActMarker
EVENTS: dict[str, type[Event]] = {"shot": Shot, "black": Black, "card": Card, "still": Still}


@dataclass(frozen=True, kw_only=True)
class Spec(_Placed):
    schema: ClassVar[str] = ""
    cinecut: int
    film: Film
    vibe: VibeChoice | None
    music: Music | None
    effects: Effects
    mix: Mix
    output: Output
    deliverables: tuple[Deliverable, ...]
    lut: Lut | None
    rating: Rating | None
    anchors: Anchors | None
    timeline: tuple[Entry, ...]

    @property
    def outputs(self) -> dict[str, Output]:
        """The files to be made, by their names; of a spec that names none, the one of `output`."""
        return {item.name: item.over(self.output) for item in self.deliverables} or {"": self.output}
