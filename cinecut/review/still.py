"""One frame of a film as vibes show it, beside the frame as it is.

    film ─ one reel ─► lower_pictures, a canvas for each look ─► FFmpeg ─► pictures ─► one page

The graph is that of a render, made by the same functions: a still shows what a trailer will.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from cinecut.compiler.layout.timeline import PlacedShot, build_timeline
from cinecut.compiler.picture.assembly import lower_pictures
from cinecut.compiler.picture.canvas import Canvas
from cinecut.compiler.picture.color import matrix_of, source_format, trailer_color
from cinecut.compiler.picture.film_frames import shot_frames
from cinecut.compiler.picture.look import Look, lut_name
from cinecut.compiler.resolve import Trailer, resolve
from cinecut.diagnostics import Report, Stop
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.ffmpeg.run import Workplace, run_graph
from cinecut.files import disk_errors, temporary_folder
from cinecut.grade import NEUTRAL, Grade
from cinecut.grade.cube import ffmpeg_text
from cinecut.grade.formula import lut
from cinecut.graph import filters
from cinecut.graph.plan import Reel, Run, Target
from cinecut.language.document import parse_document
from cinecut.language.events import Shot
from cinecut.language.facts import Color, FilmFacts
from cinecut.language.read import fill_spec
from cinecut.language.timebase import BadTimeError, FilmTime, clock, parse_seconds
from cinecut.machine.gpu import gpu_lock
from cinecut.media.probe import film_facts
from cinecut.media.reels import Reels
from cinecut.review.mosaic import captioned, page, write_image

_BEFORE = "before"
_DEVICE = "still"  # a lock of its own: one frame is no heavy job, and need not wait for a render to end
_PAIR, _MANY = 960, 480  # pixels that a picture is wide at most: of two, and of more
_COLUMNS = 5


def draw_still(
    film: Path, at: str, grades: Mapping[str, Grade], target: Path, ffmpeg: FFmpeg, waiting: Callable[[str], None]
) -> None:
    """Write the frame that is on screen `at` a time, as it is and in each grade, by their names, as one picture.

    Raises Stop: what is wrong with the film, the time (option, past-end), the target or FFmpeg.
    """
    facts = film_facts(film)
    trailer = _trailer(film, facts, _moment(film, facts, at))
    names, looks = [_BEFORE, *grades], [NEUTRAL, *grades.values()]
    size = _size(facts, _PAIR if len(looks) == 2 else _MANY)
    run, reel = _graph(trailer, looks, size)
    missing = sorted(run.filters - ffmpeg.filters)
    if missing:
        raise Stop("no-ffmpeg", f"{ffmpeg.path} was built without {', '.join(missing)}", "the bundled FFmpeg has them")
    with (
        gpu_lock(f"drawing {target.name}", waiting, _DEVICE) as lock,
        temporary_folder() as folder,
        disk_errors(target),
    ):
        (folder / run.name).write_text(run.script, encoding="utf-8")
        for grade in looks:
            (folder / lut_name(grade)).write_bytes(ffmpeg_text(lut([grade])))
        with closing(Reels(film, facts)) as reels:
            reels.write([reel], folder, lambda _: None)
        files = [f"{number}.rgb" for number in range(len(looks))]
        run_graph(run, files, Workplace(ffmpeg, folder, lock, {}))
        pictures = [np.fromfile(folder / file, np.uint8).reshape(size[1], size[0], 3) for file in files]
        cells = [captioned(picture, name) for name, picture in zip(names, pictures, strict=True)]
        write_image(target, np.asarray(cv2.cvtColor(page(cells, _COLUMNS), cv2.COLOR_RGB2BGR), np.uint8), [film])


def _moment(film: Path, facts: FilmFacts, at: str) -> FilmTime:
    """The start of the frame that is on screen at a time."""
    try:
        seconds = parse_seconds(at, facts.timecodes)
    except BadTimeError as error:
        raise Stop("option", f"--still: {error}") from None
    if seconds >= facts.duration:
        raise Stop("past-end", f"{film.name} has no frame at {at}: it ends at {clock(facts.duration)}")
    return FilmTime(seconds if facts.variable else math.floor(seconds * facts.rate) / facts.rate)


def _trailer(film: Path, facts: FilmFacts, moment: FilmTime) -> Trailer:
    """A trailer of one frame."""
    report = Report()
    text = "{cinecut: 1, film: film, timeline: [shot: {in: 0s, for: 1f}]}"
    spec = report.require(fill_spec(parse_document(film, text, report), report))
    shot = spec.timeline[0]
    assert isinstance(shot, Shot)
    shot = replace(shot, shot=replace(shot.shot, in_=moment))
    return resolve(replace(spec, film=replace(spec.main_film, facts=facts), timeline=(shot,)), None, {}, {})


def _graph(trailer: Trailer, grades: Sequence[Grade], size: tuple[int, int]) -> tuple[Run, Reel]:
    """The run that writes the frame in each grade as a file of RGB, and the reel that it reads."""
    facts, timeline = trailer.film, build_timeline(trailer, Report())
    placed = timeline.events[0]
    assert isinstance(placed, PlacedShot)
    seen = shot_frames(placed, trailer).seen
    reel = Reel("film.nut", seen)
    color = _color(facts)
    canvases = {
        f"look{number}": Canvas(*size, timeline.rate, "yuv420p", color, look=Look(grade))
        for number, grade in enumerate(grades)
    }
    source = filters.source(reel.name, "v", source_format(facts), placed.label)
    pictures = lower_pictures(trailer, timeline, canvases, lambda placed: source)
    shown = {name: filters.run(stretches[0], timeline.rate, name) for name, stretches in pictures.items()}
    rgb = {
        name: filters.scale(pad, *size, "rgb24", name, in_color_matrix=color.space, in_range="tv", out_range="pc")
        for name, pad in shown.items()
    }
    encode = ("-frames:v", "1", "-c:v", "rawvideo", "-f", "rawvideo")
    targets = tuple(Target((name,), encode, ".rgb") for name in rgb)
    return Run("still.graph", rgb, targets, {reel.name: reel}), reel


def _color(facts: FilmFacts) -> Color:
    """The trailer's, its matrix named: of an untagged film a render takes it from its size, which is not a still's."""
    color = trailer_color(facts)
    return replace(color, space=matrix_of(color, facts.display_size))


def _size(facts: FilmFacts, widest: int) -> tuple[int, int]:
    width, height = facts.display_size
    factor = min(Fraction(1), Fraction(widest, width))
    return max(16, 2 * round(width * factor / 2)), max(16, 2 * round(height * factor / 2))
