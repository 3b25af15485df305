"""A trailer as editing programs see it: tracks of clips out of media, in exact numbers.

Positions are frames of the sequence, counted from 0 at its first: whole ones of pictures, exact fractions of sounds.
Times in a medium are seconds from its first picture or sample, whatever timecode that carries.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cinecut.compiler.layout.timeline import Joint
from cinecut.language.timebase import Timecodes, nearest

CUT = Joint()
Role = Literal["dialogue", "music", "effects"]


@dataclass(frozen=True, slots=True)
class Medium:
    """A file that clips are taken from."""

    kind: Literal["film", "sound", "still"]
    path: str  # absolute, as the editor's machine has it
    reel: str  # letters and digits, 8 at most, no other medium's
    rate: Fraction  # pictures a second, a standard rate; of a sound the sequence's
    duration: Fraction  # seconds; a still's is what is shown of it
    numbered: Timecodes  # its pictures
    size: tuple[int, int] | None = None
    fields: str = "progressive"  # or the one on top: tff, bff
    channels: int = 0  # of its sound
    streams: int = 1  # of its sound, one for each channel where there are several
    sample_rate: int = 48000

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def frames(self) -> int:
        """Its length in pictures."""
        return max(1, round(self.duration * self.rate))

    def picture(self, seconds: Fraction) -> int:
        """The number of the picture that is on screen at a moment, from 0."""
        return seconds * self.rate // 1


@dataclass(frozen=True, slots=True)
class PictureClip:
    """What the picture track shows from `start` to `end`: a stretch of a medium, or black where there is none."""

    event: str  # what people call it: `shot 12`
    label: str  # what cinecut calls it: the same as long as the event is
    name: str
    start: int
    end: int
    medium: Medium | None = None
    source: Fraction = Fraction(0)  # seconds in the medium
    speed: Fraction = Fraction(1)
    head: Joint = CUT
    tail: Joint = CUT
    looks: tuple[tuple[str, str], ...] = ()  # the LUTs it goes through: FFmpeg's filter, the file's name
    fills: bool = False  # the frame, and what does not fit is lost; otherwise all of it is seen, between bars

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class TextClip:
    """A text over the picture, or over black. Fades are in frames."""

    event: str
    text: str
    start: int
    end: int
    fade_in: int
    fade_out: int
    position: str
    card: bool


@dataclass(frozen=True, slots=True)
class SoundClip:
    """A stretch of a medium's sound. A cross-fade at its head joins it to the clip before it on its track."""

    event: str
    label: str
    name: str
    start: Fraction
    end: Fraction
    medium: Medium
    source: Fraction
    speed: Fraction = Fraction(1)
    gain: Fraction = Fraction(0)  # dB
    fade_in: Fraction = Fraction(0)  # frames
    fade_out: Fraction = Fraction(0)
    head: tuple[Fraction, Fraction] | None = None  # frames of the cross-fade before and after `start`
    levels: tuple[tuple[Fraction, Fraction], ...] = ()  # (frame of the sequence, dB): straight lines between them

    @property
    def frames(self) -> tuple[int, int]:
        """The nearest frames to its start and its end, one of them at least."""
        first = nearest(self.start)
        return first, max(nearest(self.end), first + 1)


@dataclass(frozen=True, slots=True)
class SoundTrack:
    name: str  # film, film 2, voice, music, effects …
    role: Role
    rate: Fraction  # the sequence's
    clips: tuple[SoundClip, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker; what stands at the same frame is one."""

    frame: int
    name: str
    note: str
    color: str  # one of COLORS


COLORS = ("Red", "Blue", "Green", "Yellow", "Purple", "Cyan", "Pink")


@dataclass(frozen=True, slots=True)
class TextFace:
    """How texts are set: the font family, the height as a share of the picture's, the colour as `#RRGGBB`."""

    family: str
    size: Fraction
    color: str


@dataclass(frozen=True, slots=True)
class Feature:
    """A property of an event that a format may be unable to carry. `kind` is a row of fidelity.ROWS."""

    kind: str
    event: str
    detail: str


@dataclass(frozen=True, slots=True)
class EditSequence:
    """A trailer for editing programs."""

    name: str
    rate: Fraction
    numbered: Timecodes  # its frames: `first` is the number of its first
    size: tuple[int, int]
    pictures: tuple[PictureClip, ...]
    words: tuple[TextClip, ...]
    tracks: tuple[SoundTrack, ...]
    marks: tuple[Mark, ...]
    features: tuple[Feature, ...]
    face: TextFace
    beside: str = ""  # the path that the names of files beside the export begin with
    handles: int | None = None  # frames of media around each clip that an editor shall copy; None: all of it

    @property
    def frames(self) -> int:
        return self.pictures[-1].end if self.pictures else 0

    @property
    def media(self) -> list[Medium]:
        """Every medium, once, in the order of use."""
        used = [shown.medium for shown in self.pictures if shown.medium is not None]
        used += [clip.medium for track in self.tracks for clip in track.clips]
        return list(dict.fromkeys(used))

    def timecode(self, frame: int) -> str:
        """The timecode of a frame of the sequence; it starts again after a day."""
        return timecode(self.numbered, frame)


def counts_frames(rate: Fraction) -> bool:
    """Whether a second has a whole number of frames, or 1000/1001 of it, as every format with timecode counts them."""
    return rate in (nominal := Fraction(-(-rate // 1)), nominal * Fraction(1000, 1001))


def timecode(numbered: Timecodes, frame: int) -> str:
    """The timecode of a frame, counted from 0 at the first numbered one; it starts again after a day."""
    text = numbered.of(frame / numbered.rate)
    hours, _, rest = text.partition(":")
    return f"{int(hours) % 24:02d}:{rest}"


@dataclass(frozen=True, slots=True)
class Unsupported:
    """What an export could not carry: the event, the feature, and what the editor shows instead."""

    event: str
    what: str
    instead: str


@dataclass(frozen=True, slots=True)
class Written:
    """An export's files by the end of their names (`.edl`, `_music.edl`), and losses that only the writer knows of."""

    files: dict[str, bytes]
    unsupported: tuple[Unsupported, ...] = ()
