"""Facts of the films, songs and pictures that a spec names: measured once by `link` or `analyze`, kept in the spec.

With them, `check` and `compile` need no media at all; the runner verifies that what lies on disk still has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cinecut.language.timebase import Timecodes


@dataclass(frozen=True, slots=True)
class Color:
    """Colour tags as FFmpeg spells them; `unknown` where the film carries none."""

    range: str = "unknown"
    space: str = "unknown"
    primaries: str = "unknown"
    transfer: str = "unknown"


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """One audio track of the film. `start`: seconds after the film's first picture (negative: before it)."""

    rate: int
    channels: int
    layout: str
    start: Fraction = Fraction(0)
    language: str | None = None
    stream: int = 0  # of the file's streams of sound the first that makes it, from 1; 0: as they are listed
    parts: int = 1  # streams that make it, one for each channel


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """A film. Times count from its first picture, whatever its timestamp."""

    fingerprint: str
    size: tuple[int, int]  # stored pixels, before rotation and pixel aspect
    rate: Fraction  # frames per second; the average where `variable`
    duration: Fraction  # seconds from the first picture to the end of the last
    start: Fraction = Fraction(0)  # the first picture's own stamp in the container
    time_base: Fraction = Fraction(1, 1000)  # of the picture's stamps
    variable: bool = False
    changes: bool = False  # size or format change midway, or key frames are false: shots are decoded
    joined: bool = False  # times start again, or seeking leads astray: it is read from the start only
    gaps: bool = False  # pictures of a constant rate are missing: the one before stays on screen
    stamps: bool = True  # packets carry usable stamps, so they can be copied into reels
    sar: Fraction = Fraction(1)
    rotation: int = 0  # degrees clockwise that a player turns the picture: 0, 90, 180, 270
    mirrored: bool = False  # after that, it is mirrored left to right
    field_order: str = "progressive"  # progressive, tff, bff
    pix_fmt: str = "yuv420p"
    color: Color = Color()
    timecode: str | None = None  # the film's own, of its first picture
    audio: tuple[AudioFacts, ...] = ()  # the film's own sound first, a commentary after it

    @property
    def timecodes(self) -> Timecodes:
        """How its pictures are numbered."""
        return Timecodes.starting(self.rate, self.timecode)

    @property
    def frames(self) -> int:
        """Whole frames of a constant-rate film."""
        return round(self.duration * self.rate)

    @property
    def display_size(self) -> tuple[int, int]:
        """Upright square pixels, even on both sides, as a player shows the film."""
        width, height = self.size
        wide = Fraction(width) * self.sar
        shown = (wide, Fraction(height)) if self.rotation % 180 == 0 else (Fraction(height), wide)
        return (_even(shown[0]), _even(shown[1]))


@dataclass(frozen=True, slots=True)
class SongFacts:
    fingerprint: str
    duration: Fraction
    rate: int
    channels: int
    layout: str = "stereo"


@dataclass(frozen=True, slots=True)
class StillFacts:
    fingerprint: str
    size: tuple[int, int]
    alpha: bool = False


@dataclass(frozen=True, slots=True)
class LutFacts:
    fingerprint: str
    tables: str  # 1d, 3d, or 1d 3d


@dataclass(frozen=True, slots=True)
class LoudnessTarget:
    """The loudness that a trailer is brought to: integrated loudness in LUFS, true-peak ceiling in dBTP, limits for its
    loudest 3 s and 0.4 s in LUFS, and without a target Leq(m) in dB. None: no limit."""

    target: Fraction | None
    peak: Fraction
    short_term: Fraction | None = None
    momentary: Fraction | None = None
    leq_m: Fraction | None = None

    @property
    def plain(self) -> bool:
        """Whether it consists of loudness and peak alone."""
        return self.target is not None and self.short_term is self.momentary is None


def _even(length: Fraction) -> int:
    return max(2, 2 * round(length / 2))
