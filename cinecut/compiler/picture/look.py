"""The LUTs that each shot goes through. They are computed from grades when the files are written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from cinecut.compiler.names import digest
from cinecut.compiler.resolve import Trailer
from cinecut.grade import NEUTRAL, Grade
from cinecut.language.events import Shot
from cinecut.language.facts import LutFacts

OWN = "look"  # the user's own LUT, by what it holds: look.1d.cube, look.3d.m3d


@dataclass(frozen=True, slots=True)
class Look:
    """The grade of all shots, or the user's own LUT instead."""

    grade: Grade = NEUTRAL
    own: LutFacts | None = None

    def tables(self, shot: Shot) -> list[tuple[str, str]]:
        """The LUTs of a shot, in order: FFmpeg's filter and the file's name."""
        own = [(f"lut{kind}", own_name(kind)) for kind in self.own.tables.split()] if self.own is not None else []
        grade = self.of(shot)
        return own if grade.neutral else [*own, ("lut3d", lut_name(grade))]

    def of(self, shot: Shot) -> Grade:
        """A shot's grade: the trailer's, changed by the shot's own values."""
        return self.grade.merged(shot.grade) if shot.grade else self.grade


NO_LOOK = Look()


def look_of(trailer: Trailer) -> Look:
    return Look(trailer.grade, trailer.lut.facts if trailer.lut is not None else None)


def lut_files(trailer: Trailer) -> dict[str, Grade]:
    """The grades of all shots, by the names of their LUT files."""
    look = look_of(trailer)
    grades = {look.of(event) for _, _, event in trailer.events if isinstance(event, Shot)}
    return dict(sorted((lut_name(grade), grade) for grade in grades if not grade.neutral))


def own_name(kind: str) -> str:
    return f"{OWN}.3d.m3d" if kind == "3d" else f"{OWN}.{kind}.cube"


@cache
def lut_name(grade: Grade) -> str:
    return f"grade_{digest(grade)}.m3d"
