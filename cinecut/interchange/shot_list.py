"""The shots of a film as a list: rows, CSV, an OpenTimelineIO timeline, and a still of each.

What only timelines and stills need is loaded for them: without it the list itself is there in two thirds of the time.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from cinecut.analysis.film.shots import FilmShot
from cinecut.files import disk_errors, new_folder, real_path, together, write_beside
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmTime, Timecodes, clock, nearest

Row = dict[str, int | str | float]


def rows(shots: Sequence[FilmShot], facts: FilmFacts) -> list[Row]:
    """One row per shot: number from 1, times in the film, the timecode of its first picture, frames (the last one
    included), seconds, how it begins, and why no trailer should use it."""
    return [
        {
            "shot": number,
            "in": clock(shot.range.start.seconds),
            "out": clock(shot.range.end.seconds),
            "timecode": facts.timecodes.of((first := nearest(shot.range.start.seconds * facts.rate)) / facts.rate),
            "first frame": first,
            "last frame": nearest(shot.range.end.seconds * facts.rate) - 1,
            "seconds": round(float(shot.range.duration), 3),
            "begins": shot.begins.value,
            "is": shot.why_not or "",
        }
        for number, shot in enumerate(shots, 1)
    ]


def as_csv(listed: Sequence[Row]) -> str:
    """A header line, and a line per row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(listed[0]) if listed else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    return text.getvalue()


def as_otio(film: Path, facts: FilmFacts, shots: Sequence[FilmShot]) -> bytes:
    """The film cut into its shots, as an .otio file; a gap is a gradual cut. Raises Stop without the library."""
    from cinecut.interchange import model
    from cinecut.interchange.writers import otio_file

    medium = model.Medium(
        "film", str(real_path(film)), "film", facts.rate, facts.duration, facts.timecodes, facts.display_size
    )
    shown: list[model.PictureClip] = []
    for number, shot in enumerate(shots, 1):
        start, end = (nearest(side.seconds * facts.rate) for side in (shot.range.start, shot.range.end))
        at = shown[-1].end if shown else 0
        if start > at:
            shown.append(model.PictureClip(f"before shot {number}", f"gap_{number}", shot.begins.value, at, start))
        name = f"shot {number}" + (f" ({shot.why_not})" if shot.why_not else "")
        shown.append(
            model.PictureClip(
                f"shot {number}", f"shot_{number}", name, start, end, medium, Fraction(shot.range.start.seconds)
            )
        )
    sequence = model.EditSequence(
        name=film.stem,
        rate=facts.rate,
        numbered=Timecodes(facts.rate),
        size=facts.display_size,
        pictures=tuple(shown),
        words=(),
        tracks=(),
        marks=(),
        features=(),
        face=model.TextFace("", Fraction(1, 12), "#FFFFFF"),
    )
    return otio_file.write(sequence).files[".otio"]


def write_stills(
    film: Path, facts: FilmFacts, shots: Sequence[FilmShot], folder: Path, progress: Callable[[float], None]
) -> None:
    """Write a small picture from the middle of each shot, `shot_001.jpg` …, into a folder."""
    from cinecut.analysis.film.pictures import Moment, key_pictures

    middles = [Moment(FilmTime((shot.range.start.seconds + shot.range.end.seconds) / 2), shot.index) for shot in shots]
    numbers = {shot.index: number for number, shot in enumerate(shots, 1)}
    digits = max(3, len(str(len(shots))))
    with disk_errors(folder), new_folder(folder), together():
        for picture in key_pictures(film, facts, shots, middles, progress):
            target = folder / f"shot_{numbers[picture.shot]:0{digits}d}.jpg"
            _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture.bgr), [cv2.IMWRITE_JPEG_QUALITY, 88])
            write_beside(target, data.tobytes(), [film])
