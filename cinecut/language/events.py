"""The events of a trailer, as their author wrote them: shots, blacks, cards, stills and act markers, with what hangs on
them. Dataclasses carry names and types; the schema carries the rest (defaults, ranges, words), and reading fills them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, ClassVar, Literal, get_args

from cinecut.diagnostics import Span, excerpt
from cinecut.language.facts import SongFacts, StillFacts
from cinecut.language.timebase import BadTimeError, FilmTime, Length, parse_length


@dataclass(frozen=True, slots=True)
class Place:
    """The place of something in the spec; `given` has the places of the values that the user wrote."""

    span: Span
    given: Mapping[str, Span] = field(default_factory=dict)

    def of(self, key: str) -> Span:
        return self.given.get(key, self.span)


NOWHERE = Place(Span("", 0, 0, 0, 0))


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A record that has a place in the file. Places do not count when records are compared."""

    place: Place = field(default=NOWHERE, compare=False, repr=False)


_Kind = Literal["cut", "crossfade", "dip to black", "dip to white", "fade in", "fade out"]


@dataclass(frozen=True, kw_only=True)
class Transition:
    """How one event leads to the next: the kind and the whole length."""

    kind: _Kind
    length: Length

    @classmethod
    def parse(cls, text: str) -> Transition:
        """`crossfade 1.5s`, `dip to black`, `cut`. Raises BadTimeError."""
        match = _TRANSITION.fullmatch(text.strip())
        if match is None:
            kind, length = re.fullmatch(r"\s*(\D*?)[\s_-]*(\d.*)?", text).groups()  # type: ignore[union-attr]
            close = get_close_matches(re.sub(r"[\s_-]+", " ", kind.lower()), _KINDS, n=1)
            meant = f"did you mean {' '.join(filter(None, (close[0], length)))}?" if close else _EXAMPLES
            raise BadTimeError(f"{excerpt(text)} is no transition; {meant}")
        kind = " ".join(match[1].lower().split())
        if kind == "cut" and match[2]:
            raise BadTimeError("a cut has no length; a crossfade or a dip has")
        length = parse_length(match[2] or "1s")
        if length.amount == 0:
            raise BadTimeError(f"{excerpt(text)}: a transition of no length is a cut")
        return cls(kind=kind, length=length)  # type: ignore[arg-type]  # the pattern holds it to the six


_KINDS = get_args(_Kind)
_EXAMPLES = "write cut, crossfade 1.5s, dip to black 1s, fade in 1s, …"
_TRANSITION = re.compile(rf"({'|'.join(_KINDS)})(?:\s+(\S.*))?".replace(" ", r"\s+"), re.I)


@dataclass(frozen=True, kw_only=True)
class Clip(Marked):
    schema: ClassVar[str] = "clip"
    film: str | None = field(default=None, repr=False)  # of several; labels name it by themselves
    in_: FilmTime | None
    out: FilmTime | None
    for_: Length | None


@dataclass(frozen=True, kw_only=True)
class Sync(Marked):
    schema: ClassVar[str] = "sync"
    at: FilmTime
    to: Literal["beat", "bar"]


@dataclass(frozen=True, kw_only=True)
class Title(Marked):
    schema: ClassVar[str] = "title"
    short: ClassVar[str] = "text"
    text: str
    at: Length
    for_: Length | None
    fade: Length | None
    position: Literal["lower", "middle", "upper"]


@dataclass(frozen=True, kw_only=True)
class Recorded(Marked):
    """What may come from a file of the user's own: `file` from `start` on, for `for_` or to its end."""

    file: str | None
    start: FilmTime
    for_: Length | None
    at: Length
    gain: Fraction
    facts: SongFacts | None


@dataclass(frozen=True, kw_only=True)
class Effect(Recorded):
    schema: ClassVar[str] = "effect"
    short: ClassVar[str] = "effect"
    effect: str
    from_hz: Fraction | None
    to_hz: Fraction | None


@dataclass(frozen=True, kw_only=True)
class Voice(Recorded):
    schema: ClassVar[str] = "voice"
    short: ClassVar[str] = "take"
    take: Clip | None
    line: str | None
    why: str | None
    by: str | None


@dataclass(frozen=True, kw_only=True)
class Cue(Marked):
    schema: ClassVar[str] = "cue"
    short: ClassVar[str] = "file"
    file: str
    start: FilmTime
    gain: Fraction
    fade: Length
    facts: SongFacts | None

    @property
    def stops(self) -> bool:
        """Whether it ends the music instead of starting a song."""
        return self.file == "stop"


@dataclass(frozen=True, kw_only=True)
class SoundFade(Marked):
    schema: ClassVar[str] = "shot.sound_fade"
    in_: Length | None
    out: Length | None


@dataclass(frozen=True, kw_only=True)
class Crop(Marked):
    schema: ClassVar[str] = "crop"
    x: Fraction
    y: Fraction
    w: Fraction
    h: Fraction


@dataclass(frozen=True, kw_only=True)
class Position(Marked):
    """Which part of a picture larger than the frame is shown: 0 is the left or upper edge, 1 the other."""

    schema: ClassVar[str] = "shot.reframe.to"
    x: Fraction
    y: Fraction


@dataclass(frozen=True, kw_only=True)
class Reframe(Marked):
    schema: ClassVar[str] = "shot.reframe"
    x: Fraction
    y: Fraction
    to: Position | None


@dataclass(frozen=True, kw_only=True)
class Alternative(Marked):
    """Another shot of the same length that would fit the place."""

    schema: ClassVar[str] = "alternative"
    film: str | None  # None: that of its shot
    in_: FilmTime
    score: Fraction | None
    why: str | None


@dataclass(frozen=True, kw_only=True)
class Notes(Marked):
    """Notes of analyze, of people and of edits beside an event."""

    id: str | None
    act: str | None
    keep: bool
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
    sound_in: FilmTime | None
    sound_lead: Length | None
    sound_trail: Length | None
    sound_fade: SoundFade | None
    crop: Crop | None
    mirror: bool
    grade: Mapping[str, Any] | None
    reframe: Reframe | None
    titles: tuple[Title, ...]
    scene: str | None
    alternatives: tuple[Alternative, ...]


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
class Picture(Marked):
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
class ActMarker(Marked):
    schema: ClassVar[str] = "act"
    act: str
    sound: tuple[Effect, ...]
    why: str | None
    by: str | None


Event = Shot | Black | Card | Still


Entry = Event | ActMarker


def written_length(event: Event) -> Length | None:
    """An event's length as written in the spec; None for a shot with in and out point."""
    return event.black if isinstance(event, Black) else event.shot.for_ if isinstance(event, Shot) else event.for_


EVENTS: dict[str, type[Event]] = {"shot": Shot, "black": Black, "card": Card, "still": Still}
