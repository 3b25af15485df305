"""What was read of a trailer, as a spec: pieces → events with remarks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from cinecut.analysis.film.gops import THUMB_COLUMNS, THUMB_ROWS
from cinecut.language.document.layout import Path as Place
from cinecut.language.document.layout import Remark
from cinecut.language.events import Black, Clip, Crop, Entry, Shot, Transition
from cinecut.language.facts import FilmFacts
from cinecut.language.read import make
from cinecut.language.spec import Film, Music, Output, Spec
from cinecut.language.timebase import FilmTime, Length, clock
from cinecut.language.write import write_spec
from cinecut.media.link import name_from
from cinecut.media.probe import song_facts
from cinecut.proof.conform.film import FilmPictures
from cinecut.proof.conform.grading import graded
from cinecut.proof.conform.placing import Piece, Placer
from cinecut.proof.conform.vectors import WHOLE, View


@dataclass(frozen=True)
class Writer:
    """Writes the pieces of a trailer, of which most are of the film of number `main`."""

    trailer: Path
    facts: FilmFacts
    spec: Path
    placer: Placer
    main: int

    @property
    def _film(self) -> FilmPictures:
        return self.placer.films[self.main]

    def text(self, pieces: Sequence[Piece]) -> str:
        film, folder = self._film, self.spec.parent
        entries, remarks = list[Entry](), dict[Place, Remark]()
        for number, piece in enumerate(pieces):
            if lines := tuple(f"# {line}" for line in self._remarks(piece)):
                remarks["timeline", number] = Remark(above=lines)
            entries.append(self._event(piece))
        spec = make(
            Spec,
            cinecut=1,
            film=make(Film, file=name_from(folder, film.path), facts=film.facts, crop=self._crop(film.view)),
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

    def _crop(self, view: View) -> Crop | None:
        """The part of the film's frame that the trailer shows; None for all of it."""
        if view == WHOLE:
            return None
        rows, columns = self._film.inside
        left, top = columns.start / THUMB_COLUMNS, rows.start / THUMB_ROWS
        wide, high = (columns.stop - columns.start) / THUMB_COLUMNS, (rows.stop - rows.start) / THUMB_ROWS
        edges = {
            "x": left + view.left * wide,
            "y": top + view.top * high,
            "w": (view.right - view.left) * wide,
            "h": (view.bottom - view.top) * high,
        }
        return make(Crop, **{name: Fraction(round(edge * 1000), 1000) for name, edge in edges.items()})

    def _event(self, piece: Piece) -> Entry:
        length = Length(Fraction(piece.end - piece.start), "f")
        if piece.film != self.main:
            return make(Black, black=length)
        film = self._film
        whole, part = divmod(piece.first, 1)
        at = FilmTime(film.time(int(whole)) + part / film.facts.rate)
        blend = (
            {"from_": Transition(kind="crossfade", length=Length(Fraction(piece.blend), "f"))} if piece.blend else {}
        )
        return make(
            Shot,
            shot=Clip(in_=at, out=None, for_=length),
            speed=Fraction(round(piece.speed * 10000), 10000),  # as many digits as a spec may have
            mute=bool(self.facts.audio),
            crop=self._crop(piece.view) if piece.view is not None else None,
            **blend,
        )

    def _remarks(self, piece: Piece) -> Iterator[str]:
        if piece.black:
            return
        at = clock(piece.start / self.facts.rate, 2)
        if piece.film is None:
            yield f"at {at} the trailer shows what is in no film"
        elif piece.film != self.main:
            film = self.placer.films[piece.film]
            yield f"at {at} the trailer shows {film.path.name} from {clock(film.time(int(piece.first)), 3)} on"
        if piece.flipped:
            yield "the trailer shows this mirrored"
        if piece.film is not None and (look := graded(piece, self.placer)):
            yield f"beside the film: {look}"
