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
from cinecut.language.document.layout import Path as Place
from cinecut.language.document.layout import Remark
from cinecut.language.events import Black, Clip, Entry, Shot
from cinecut.language.facts import FilmFacts
from cinecut.language.read import make
from cinecut.language.spec import Film, Music, Output, Spec
from cinecut.language.timebase import FilmTime, Length, clock
from cinecut.language.write import write_spec
from cinecut.media.link import name_from
from cinecut.media.probe import film_facts, song_facts
from cinecut.proof.conform.film import FilmPictures
from cinecut.proof.conform.matching import Matcher
from cinecut.proof.conform.placing import Piece, Placer
from cinecut.proof.conform.vectors import vectors_of
from cinecut.proof.conform.views import likely_view

_GLANCES = 24  # frames by which the bars of a trailer are found


@dataclass(frozen=True, slots=True)
class Conformed:
    """What came of it: the spec's text, its pieces, and how many frames of the trailer are of no film."""

    text: str
    pieces: list[Piece]
    frames: int
    foreign: int


def conform(trailer: Path, films: Sequence[Path], spec: Path, progress: Callable[[str, float], None]) -> Conformed:
    """Read a finished trailer back. `spec` is where the text shall lie: file names are relative to it. Raises Stop."""
    facts = film_facts(trailer)
    thumbs, within = _thumbs(trailer, facts)
    if not len(thumbs):
        raise Stop("unreadable", f"{trailer} holds no picture that can be decoded")
    with ExitStack() as stack:
        pictures = [stack.enter_context(FilmPictures.open(film, lambda d: progress("film", d))) for film in films]
        placer, bounds = Placer(thumbs, within, facts.rate, pictures), _stretches(thumbs)
        _set_views(placer, facts, bounds)
        pieces = Matcher(placer).matched(bounds, lambda done: progress("shots", done))
        main = _main(pieces, pictures)
        text = _Writer(trailer, facts, spec, pictures, main).text(pieces)
    foreign = sum(p.end - p.start for p in pieces if not p.black and p.film != main)
    return Conformed(text, pieces, len(thumbs), foreign)


def _set_views(placer: Placer, facts: FilmFacts, bounds: Sequence[tuple[int, int]]) -> None:
    """Give each film the part of its pictures that the trailer shows."""
    rows = [(start + end) // 2 for start, end in bounds]
    shown = placer.luma[rows]
    for film in placer.films:
        shape = _shape(facts, placer.within) / _shape(film.facts, film.inside)
        film.view = likely_view(vectors_of(shown), shown, film.key_luma, shape)


def _shape(facts: FilmFacts, within: Inside) -> float:
    """Width by height of the picture without its bars."""
    (width, height), (rows, columns) = facts.display_size, within
    shares = (columns.stop - columns.start) / THUMB_COLUMNS, (rows.stop - rows.start) / THUMB_ROWS
    return width * shares[0] / (height * shares[1])


def _thumbs(trailer: Path, facts: FilmFacts) -> tuple[NDArray[np.uint8], Inside]:
    """Every frame of the trailer [n, 3, rows, columns], on the grid of its rate: one that is missing is the one before;
    and what of them lies inside its bars."""
    every, black = max(1, int(facts.duration * facts.rate) // _GLANCES), black_level(facts)
    problems, found, glances = list[Diagnostic](), list[NDArray[np.uint8]](), list[Glance]()
    for number, frame in enumerate(decode_all(trailer, problems)):
        if number % every == every // 2:
            glances.append(key_picture(frame, FilmTime(Fraction(0)), black).glance)
        thumb = small_planes(frame, THUMB_COLUMNS, THUMB_ROWS)
        if frame.pts is not None and not facts.variable:
            at = round((frame.pts * facts.time_base - facts.start) * facts.rate)
            found += [found[-1]] * (min(at, len(found) + 100) - len(found)) if found else []
        found.append(thumb)
    whole = np.stack(found) if found else np.empty((0, 3, THUMB_ROWS, THUMB_COLUMNS), np.uint8)
    return whole, inside(letterbox(glances, black))


def _stretches(thumbs: NDArray[np.uint8]) -> list[tuple[int, int]]:
    cuts = merge([judge(Strip(np.arange(len(thumbs)), thumbs))])
    bounds = [0, *cuts, len(thumbs)]
    return [(a, b) for a, b in pairwise(bounds) if b > a]


def _main(pieces: Sequence[Piece], films: Sequence[FilmPictures]) -> int:
    """The film that most of the trailer is of: a spec has one."""
    frames = [sum(p.end - p.start for p in pieces if p.film == number) for number in range(len(films))]
    if not any(frames):
        raise Stop("no-material", "nothing of this trailer is found in the films", "is it a trailer of another film?")
    return int(np.argmax(frames))


@dataclass(frozen=True)
class _Writer:
    trailer: Path
    facts: FilmFacts
    spec: Path
    films: Sequence[FilmPictures]
    main: int

    def text(self, pieces: Sequence[Piece]) -> str:
        film, folder = self.films[self.main], self.spec.parent
        entries, remarks = list[Entry](), dict[Place, Remark]()
        for number, piece in enumerate(pieces):
            said = self._remark(piece)
            if said:
                remarks["timeline", number] = Remark(above=(f"# {said}",))
            entries.append(self._event(piece))
        spec = make(
            Spec,
            cinecut=1,
            film=make(Film, file=name_from(folder, film.path), facts=film.facts),
            music=self._music(),
            output=make(Output, rate=self.facts.rate, size=self.facts.display_size),
            timeline=tuple(entries),
        )
        return write_spec(spec, remarks)

    def _music(self) -> Music | None:
        """The trailer's whole sound, under shots that are mute."""
        if not self.facts.audio:
            return None
        none = Length(Fraction(1, 1000), "s")  # the least that there can be
        file = name_from(self.spec.parent, self.trailer)
        return make(Music, file=file, facts=song_facts(self.trailer), fade_out=none)

    def _event(self, piece: Piece) -> Entry:
        length = Length(Fraction(piece.end - piece.start), "f")
        if piece.film != self.main:
            return make(Black, black=length)
        film = self.films[self.main]
        whole, part = divmod(piece.first, 1)
        at = FilmTime(film.time(int(whole)) + part / film.facts.rate)
        speed = Fraction(round(piece.speed * 10000), 10000)  # as many digits as a spec may have
        return make(Shot, shot=Clip(in_=at, out=None, for_=length), speed=speed, mute=bool(self.facts.audio))

    def _remark(self, piece: Piece) -> str:
        if piece.black:
            return ""
        at = clock(piece.start / self.facts.rate, 2)
        if piece.film is None:
            return f"at {at} the trailer shows what is in no film"
        if piece.film != self.main:
            film = self.films[piece.film]
            return f"at {at} the trailer shows {film.path.name} from {clock(film.time(int(piece.first)), 3)} on"
        return "the trailer shows this mirrored" if piece.flipped else ""
