"""The look of each shot: which LUTs it goes through. They are made of their grades when the files are written."""

from __future__ import annotations

from dataclasses import dataclass

from cinecut.grade import NEUTRAL, Grade
from cinecut.language.events import Shot
from cinecut.language.facts import LutFacts
from cinecut.language.spec import Spec
from cinecut.vibes import Vibe

OWN = "look"  # the user's own LUT, by what it holds: look.1d.cube, look.3d.cube


@dataclass(frozen=True, slots=True)
class Look:
    """The grade of all shots, or the user's own LUT in its place; and the LUT files of all grades there are."""

    grade: Grade = NEUTRAL
    own: LutFacts | None = None
    files: tuple[Grade, ...] = ()

    def tables(self, shot: Shot) -> list[tuple[str, str]]:
        """The LUTs of a shot, in order: each a filter of FFmpeg's and a file's name."""
        own = [(f"lut{kind}", own_name(kind)) for kind in self.own.tables.split()] if self.own is not None else []
        grade = self.of(shot)
        return own if grade.neutral else [*own, ("lut3d", lut_name(self.files.index(grade)))]

    def of(self, shot: Shot) -> Grade:
        """A shot's grade: the trailer's, with what the shot wants otherwise."""
        return self.grade.merged(shot.grade) if shot.grade else self.grade


NO_LOOK = Look()


def look_of(spec: Spec, vibe: Vibe | None) -> Look:
    own = spec.lut.facts if spec.lut is not None else None
    look = Look(vibe.grade if vibe is not None and spec.lut is None else NEUTRAL, own)
    grades = dict.fromkeys(look.of(entry) for entry in spec.timeline if isinstance(entry, Shot))
    return Look(look.grade, own, tuple(grade for grade in grades if not grade.neutral))


def own_name(kind: str) -> str:
    return f"{OWN}.{kind}.cube"


def lut_name(number: int) -> str:
    return f"grade{number + 1}.cube"
