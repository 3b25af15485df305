"""The look that shots are compared with: that of a picture's file, or of a moment of a film."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from cinecut.analysis.film.pictures import KeyPicture
from cinecut.analysis.film.signals import observe
from cinecut.catalogue.look import look_vector
from cinecut.diagnostics import Stop, excerpt
from cinecut.language.timebase import BadTimeError, FilmTime, parse_seconds
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import open_media, picture_stream
from cinecut.media.probe import film_facts

_WIDTH, _TALLEST = 320, 640  # pixels, as those of the shots' pictures


def look_of(what: str, films: Sequence[Path]) -> NDArray[np.float32]:
    """The look vector of a picture's file or of `FILM@TIME`; a film of the catalogue may be named by its file name
    alone. Raises Stop."""
    if os.path.lexists(what):
        with open_media(Path(what), "picture") as media:
            frame = next(media.decode(video=0), None)
        return _vector(frame, what)
    name, at, time = what.rpartition("@")
    if not at:
        hint = "write a picture's file, or FILM@TIME as in film.mkv@1:02:11.5"
        raise Stop("missing-file", f"there is no picture {excerpt(what)}", hint)
    film = Path(name) if Path(name).is_file() else _of_catalogue(name, films)
    try:
        moment = FilmTime(parse_seconds(time))
    except BadTimeError:
        raise Stop(
            "option", f"--like {excerpt(what)}: {excerpt(time)} is no time", "write 62.5s or 1:02:11.5"
        ) from None
    facts = film_facts(film)
    with open_film(film, facts) as media:
        frame = FrameReader(media, picture_stream(media, film), facts.start).at(moment)
    return _vector(frame, what)


def _of_catalogue(name: str, films: Sequence[Path]) -> Path:
    named = [film for film in films if name in (film.name, film.stem)]
    if len(named) != 1:
        problem = f"{len(named)} films are called" if named else "there is no film"
        raise Stop("missing-file", f"{problem} {excerpt(name)}", "write the path of its file")
    return named[0]


def _vector(frame: VideoFrame | None, what: str) -> NDArray[np.float32]:
    if frame is None:
        raise Stop("unreadable", f"{excerpt(what)} shows no picture")
    scale = min(_WIDTH / frame.width, _TALLEST / frame.height)
    width, height = (max(2, round(side * scale)) for side in (frame.width, frame.height))
    bgr = frame.reformat(width=width, height=height, format="bgr24", interpolation="AREA").to_ndarray()
    return look_vector(observe(KeyPicture(0, FilmTime(Fraction(0)), np.ascontiguousarray(bgr, np.uint8))))
