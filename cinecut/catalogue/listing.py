"""The usable shots of one film as a list."""

from __future__ import annotations

from cinecut.catalogue.look import FilmContents
from cinecut.catalogue.words import columns_of, strongest
from cinecut.language.timebase import clock

Row = dict[str, int | str | float]


def rows(film: FilmContents) -> list[Row]:
    """One row per usable shot: its number among all shots, its times, its look, its lines, and its scene."""
    columns = columns_of(film.measures)

    def texts(place: int, kind: str) -> str:
        return " / ".join(text.text for text in film.texts if (text.shot, text.kind) == (place, kind))

    return [
        {
            "shot": number,
            "in": clock(shot.start.seconds),
            "out": clock(shot.end.seconds),
            "looks": ", ".join(strongest(columns, place)),
            "lines": texts(place, "line"),
            "scene": texts(place, "scene"),
            "by": film.described_by if texts(place, "scene") else "",
        }
        for place, (number, shot) in enumerate(zip(film.numbers, film.shots, strict=True))
    ]
