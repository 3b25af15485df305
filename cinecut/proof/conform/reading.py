"""The line of `conform`: trailer + films → a spec."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.cuts import judge, merge
from cinecut.analysis.film.gops import THUMB_COLUMNS, THUMB_ROWS, Inside, black_level, inside, key_picture, small_planes
from cinecut.analysis.film.screen import Glance, letterbox
from cinecut.analysis.film.strips import Strip, decode_all
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.files import fingerprint, staying_same
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmTime
from cinecut.media.probe import film_facts
from cinecut.proof.conform.cards import read_cards
from cinecut.proof.conform.places.blending import with_blends
from cinecut.proof.conform.places.film import FilmPictures
from cinecut.proof.conform.places.framing import with_usual_part
from cinecut.proof.conform.places.light import by_light
from cinecut.proof.conform.places.matching import Matcher, joined
from cinecut.proof.conform.places.motion import by_motion, usual_speed
from cinecut.proof.conform.places.placing import Piece, Placer
from cinecut.proof.conform.places.vectors import WHOLE, vectors_of
from cinecut.proof.conform.places.views import likely_view, refined
from cinecut.proof.conform.template import template
from cinecut.proof.conform.writing import Writer

# What part of the film's pictures a trailer shows is measured on so many pieces, at least, and on frames of each:
_PIECES, _FEWEST, _LOOKS = 8, 2, 3
_FIRST = 6  # stretches that are placed for this before all others
_ROUNDS, _EXACT = 4, 0.01  # of that; until the edges move by less, as shares of the picture
_GLANCES = 24  # frames by which the bars of a trailer are found
_BARRED = 0.85  # share of them in which a bar is black: an encoder leaves traces of pictures in it; too wide a bar does
# no harm, for the rest is found as a part of the film's picture


@dataclass(frozen=True, slots=True)
class Conformed:
    """What came of it: the spec's text, the trailer's rhythm as a skeleton's text, its pieces, how many frames of the
    trailer are of no film, and the texts of the cards that were read."""

    text: str
    template: str
    pieces: list[Piece]
    frames: int
    foreign: int
    cards: tuple[str, ...]


def conform(trailer: Path, films: Sequence[Path], spec: Path, progress: Callable[[str, float], None]) -> Conformed:
    """Read a finished trailer back. `spec` is where the text shall lie: file names are relative to it. Raises Stop."""
    with ExitStack() as stack:
        for file in {trailer, *films}:
            stack.enter_context(staying_same(file, fingerprint(file)))
        return _conformed(trailer, films, spec, progress)


def _conformed(trailer: Path, films: Sequence[Path], spec: Path, progress: Callable[[str, float], None]) -> Conformed:
    facts = film_facts(trailer)
    thumbs, within = _thumbs(trailer, facts)
    if not len(thumbs):
        raise Stop("unreadable", f"{trailer} holds no picture that can be decoded")
    with ExitStack() as stack:
        pictures = [stack.enter_context(FilmPictures.open(film, lambda d: progress("film", d))) for film in films]
        placer, bounds = Placer(trailer, facts, thumbs, within, pictures), _stretches(thumbs)
        _set_views(placer, facts, bounds)
        pieces = Matcher(placer).matched(bounds, lambda done: progress("shots", done))
        _refine_views(placer, pieces)
        pieces = [with_usual_part(piece, placer) for piece in pieces]
        pieces = by_motion(pieces, placer)
        pieces = joined(by_light(pieces, placer, usual_speed(pieces)), placer)
        pieces = with_blends(pieces, placer)
        main = _main(pieces, pictures)
        cards = [piece for piece in pieces if piece.film is None and not piece.black and placer.is_plain(piece)]
        texts = read_cards(trailer, facts, cards)
        text = Writer(trailer, facts, spec, placer, main, texts).text(pieces)
    foreign = sum(p.end - p.start for p in pieces if not p.black and p.film is None)
    rhythm = template(trailer.stem, pieces, cards, [film.count for film in pictures])
    return Conformed(text, rhythm, pieces, len(thumbs), foreign, tuple(texts.values()))


def _set_views(placer: Placer, facts: FilmFacts, bounds: Sequence[tuple[int, int]]) -> None:
    """Give each film the part of its pictures that the trailer shows."""
    rows = [(start + end) // 2 for start, end in bounds]
    shown = placer.luma[rows]
    for film in placer.films:
        shape = _shape(facts, placer.within) / _shape(film.facts, film.inside)
        film.view = likely_view(vectors_of(shown), shown, film.key_luma, shape)
    promising = sorted(bounds, key=lambda each: -placer.candidates(*each)[0].promise)
    for _ in range(_ROUNDS):  # with a better part, more stretches are found, and nearer to their frames
        views = [film.view for film in placer.films]
        _refine_views(placer, [piece for each in promising[:_FIRST] if (piece := placer.place(*each)) is not None])
        if all(film.view.differs(view) < _EXACT for film, view in zip(placer.films, views, strict=True)):
            break


def _refine_views(placer: Placer, pieces: Sequence[Piece]) -> None:
    """The same, exactly: by frames of which the film's is known."""
    for number, film in enumerate(placer.films):
        own = sorted((p for p in pieces if p.film == number), key=lambda piece: -piece.like)[:_PIECES]
        if len(own) >= _FEWEST:
            ours, theirs = zip(*(placer.looks(piece, _LOOKS) for piece in own), strict=True)
            film.view = refined(np.concatenate(ours), np.concatenate(theirs), film.view)


def _shape(facts: FilmFacts, within: Inside) -> float:
    """Width by height of the picture without its bars."""
    (width, height), (wide, high) = facts.display_size, WHOLE.within(within).size
    return float(width * wide / (height * high))


def _thumbs(trailer: Path, facts: FilmFacts) -> tuple[NDArray[np.uint8], Inside]:
    """Every frame of the trailer [n, 3, rows, columns], on the grid of its rate: one that is missing is the one before;
    and what of them lies inside its bars."""
    every, black = max(1, int(facts.duration * facts.rate) // _GLANCES), black_level(facts)
    problems, thumbs, glances = list[Diagnostic](), list[NDArray[np.uint8]](), list[Glance]()
    for number, frame in enumerate(decode_all(trailer, problems)):
        if number % every == every // 2:
            glances.append(key_picture(frame, FilmTime(Fraction(0)), black).glance)
        thumb = small_planes(frame, THUMB_COLUMNS, THUMB_ROWS)
        if frame.pts is not None and not facts.variable:
            at = round((frame.pts * facts.time_base - facts.start) * facts.rate)
            thumbs += [thumbs[-1]] * (min(at, len(thumbs) + 100) - len(thumbs)) if thumbs else []
        thumbs.append(thumb)
    whole = np.stack(thumbs) if thumbs else np.empty((0, 3, THUMB_ROWS, THUMB_COLUMNS), np.uint8)
    return whole, inside(letterbox(glances, black, _BARRED))


def _stretches(thumbs: NDArray[np.uint8]) -> list[tuple[int, int]]:
    cuts = merge([judge(Strip(np.arange(len(thumbs)), thumbs))])
    bounds = [0, *cuts, len(thumbs)]
    return [(a, b) for a, b in pairwise(bounds) if b > a]


def _main(pieces: Sequence[Piece], films: Sequence[FilmPictures]) -> int:
    """The film that most of the trailer is of."""
    frames = [sum(p.end - p.start for p in pieces if p.film == number) for number in range(len(films))]
    if not any(frames):
        raise Stop("no-material", "nothing of this trailer is found in the films", "is it a trailer of another film?")
    return int(np.argmax(frames))
