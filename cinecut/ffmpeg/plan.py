"""A RenderPlan: all that one FFmpeg run needs, decided without looking at any media."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from cinecut.diagnostics import Span
from cinecut.ffmpeg.script import Build
from cinecut.timebase import FilmRange, FilmTime, seconds_text

SCRIPT = "trailer.graph"


@dataclass(frozen=True, slots=True)
class Reel:
    """The film's packets around one shot, copied into a small file of their own, stamps counted from the film's first
    picture: the pictures of `seen`, and of sound stream `audio` (from 0; None: mute) what is heard in `heard`."""

    name: str
    seen: FilmRange
    heard: FilmRange
    audio: int | None

    def arguments(self) -> list[str]:
        return ["-threads", "1", "-i", self.name]


@dataclass(frozen=True, slots=True)
class WholeFilm:
    """The film itself, for a film whose packets cannot be relied on: FFmpeg seeks in it."""

    name: str
    seek: FilmTime
    end: FilmTime
    start: Fraction  # the first picture's own stamp

    def arguments(self) -> list[str]:
        seek = max(self.seek.seconds + self.start, Fraction(0))
        span = self.end.seconds + self.start - seek
        offset = ["-itsoffset", seconds_text(-self.start)] if self.start else []
        where = ["-ss", seconds_text(seek), "-t", seconds_text(span)] if seek else ["-t", seconds_text(span)]
        return ["-threads", "1", "-noautorotate", *where, *offset, "-i", self.name]


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the user's, taken along under a name of ours. `file` is what the spec calls it."""

    name: str
    file: str

    def arguments(self) -> list[str]:
        return ["-threads", "1", "-i", self.name]


Input = Reel | WholeFilm | Asset


@dataclass(frozen=True, slots=True)
class RenderPlan:
    """`files` are generated ones by their names in the working folder; `places` lead from a label to the spec."""

    inputs: tuple[Input, ...]
    script: str
    maps: tuple[str, ...]
    encode: tuple[str, ...]
    files: Mapping[str, bytes]
    frames: int
    samples: int
    rate: Fraction
    suffix: str  # of the output file
    places: Mapping[str, Span]

    def arguments(self, build: Build, output: str) -> list[str]:
        """FFmpeg's arguments after its own name; every file name is relative to the working folder."""
        # One thread for each decoder and filter: a thread pool for each of 45 shots costs memory and gains nothing.
        head = ["-hide_banner", "-nostdin", "-y", "-copyts", "-filter_complex_threads", "1"]
        inputs = [argument for item in self.inputs for argument in item.arguments()]
        maps = [argument for label in self.maps for argument in ("-map", f"[{label}]")]
        return [*head, *inputs, build.script_option, SCRIPT, *maps, *self.encode, output]
