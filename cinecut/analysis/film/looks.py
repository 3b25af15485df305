"""The appearance of a film's shots: the pictures at their moments, measured by two threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from cinecut.analysis.film.faces import by
from cinecut.analysis.film.pictures import Moment, key_pictures
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import Appearance, combined, observe
from cinecut.analysis.stage import Advance, Stage, by_halves
from cinecut.language.facts import FilmFacts


def appearances(
    film: Path, facts: FilmFacts, shots: Sequence[FilmShot], moments: Sequence[Moment], progress: Advance
) -> dict[int, Appearance]:
    """The appearance of each shot by its index, from the pictures at its moments; half of the film in each thread."""

    def observed(half: Sequence[Moment], report: Advance) -> list[Appearance]:
        return [observe(picture) for picture in key_pictures(film, facts, shots, half, report)]

    looks: dict[int, list[Appearance]] = {}
    for look in chain.from_iterable(by_halves(moments, observed, progress)):
        looks.setdefault(look.shot, []).append(look)
    return {index: combined(look) for index, look in looks.items()}


LOOKS = Stage("looks", dict[int, Appearance], appearances)


def looks_stage() -> Stage[dict[int, Appearance]]:
    """The stage that measures the shots' pictures, with the faces found by the best detector there is."""
    return replace(LOOKS, by=by())
