"""What was read of a trailer, as a spec: pieces → events with remarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.language.document import NodePath
from cinecut.language.document.layout import Remark
from cinecut.language.events import Black, Card, Clip, Crop, Entry, Shot, Transition
from cinecut.language.facts import FilmFacts
from cinecut.language.read import make
from cinecut.language.spec import Film, Music, Output, Spec
from cinecut.language.timebase import FilmTime, Length, clock
from cinecut.language.write import write_spec
from cinecut.media.link import name_from
from cinecut.media.probe import song_facts
from cinecut.proof.conform.places.film import FilmPictures
from cinecut.proof.conform.places.placing import Piece, Placer, spread
from cinecut.proof.conform.places.vectors import WHOLE, View, seen, tints_of

_TRAILER = "trailer"  # its name among the films where it is one


@dataclass(frozen=True)
class Writer:
    """Writes the pieces of a trailer, of which most are of the film of number `main`; `cards` holds the texts of those
    that were read."""

    trailer: Path
    facts: FilmFacts
    spec: Path
    placer: Placer
    main: int
    cards: Mapping[Piece, str]

    def _names(self, pieces: Sequence[Piece]) -> dict[int, str]:
        """The films that the trailer shows and their names in the spec, the main one first."""
        others = sorted({piece.film for piece in pieces if piece.film is not None} - {self.main})
        return {self.main: "main", **{number: f"film-{at}" for at, number in enumerate(others, 2)}}

    def text(self, pieces: Sequence[Piece]) -> str:
        names = self._names(pieces)
        films = {name: self._film(self.placer.films[number]) for number, name in names.items()}
        if any(self._is_kept(piece) for piece in pieces):
            films[_TRAILER] = make(Film, file=name_from(self.spec.parent, self.trailer), facts=self.facts)
        entries, remarks = list[Entry](), dict[NodePath, Remark]()
        for number, piece in enumerate(pieces):
            if lines := tuple(f"# {line}" for line in self._remarks(piece)):
                remarks["timeline", number] = Remark(above=lines)
            entries.append(self._event(piece, names))
        spec = make(
            Spec,
            cinecut=1,
            film=films["main"] if len(films) == 1 else None,
            films=films if len(films) > 1 else None,
            music=self._music(),
            output=make(Output, rate=self.facts.rate, size=self.facts.display_size),
            timeline=tuple(entries),
        )
        return write_spec(spec, remarks)

    def _film(self, film: FilmPictures) -> Film:
        file = name_from(self.spec.parent, film.path)
        return make(Film, file=file, facts=film.facts, crop=self._crop(film, film.view))

    def _is_kept(self, piece: Piece) -> bool:
        """Whether a piece is a clip of the trailer itself: in no film, and no card that was read."""
        return piece.film is None and not piece.black and piece not in self.cards and not self.facts.variable

    def _music(self) -> Music | None:
        """The trailer's whole sound, as loud as it is, under shots that are mute."""
        if not self.facts.audio:
            return None
        none = Length(Fraction(1, 1000), "s")  # the least that there can be
        file = name_from(self.spec.parent, self.trailer)
        return make(Music, file=file, facts=song_facts(self.trailer), gain=Fraction(0), fade_out=none)

    @staticmethod
    def _crop(film: FilmPictures, view: View) -> Crop | None:
        """The part of the film's frame that the trailer shows; None for all of it."""
        if view == WHOLE:
            return None
        part = view.within(film.inside)
        edges = {"x": part.left, "y": part.top, "w": part.size[0], "h": part.size[1]}
        return make(Crop, **{name: Fraction(round(edge * 1000), 1000) for name, edge in edges.items()})

    def _event(self, piece: Piece, names: Mapping[int, str]) -> Entry:
        length = Length(Fraction(piece.end - piece.start), "f")
        if piece in self.cards:
            return make(Card, card=self.cards[piece], for_=length)
        if self._is_kept(piece):
            clip = Clip(film=_TRAILER, in_=FilmTime(piece.start / self.facts.rate), out=None, for_=length)
            return make(Shot, shot=clip, mute=bool(self.facts.audio))
        if piece.film is None:
            return make(Black, black=length)
        film, name = self.placer.films[piece.film], None if piece.film == self.main else names[piece.film]
        whole, part = divmod(piece.first, 1)
        at = FilmTime(film.time(int(whole)) + part / film.facts.rate)
        blend = (
            {"from_": Transition(kind="crossfade", length=Length(Fraction(piece.blend), "f"))} if piece.blend else {}
        )
        return make(
            Shot,
            shot=Clip(film=name, in_=at, out=None, for_=length),
            speed=Fraction(round(piece.speed * 10000), 10000),  # as many digits as a spec may have
            mute=bool(self.facts.audio),
            crop=self._crop(film, piece.view) if piece.view is not None else None,
            mirror=piece.flipped,
            **blend,
        )

    def _remarks(self, piece: Piece) -> Iterator[str]:
        if piece.black:
            return
        at = clock(piece.start / self.facts.rate, 2)
        if piece in self.cards:
            yield f"read from the trailer's picture at {at}; the letters are this spec's own"
        elif piece.film is None:
            kept = "kept as a clip of it" if self._is_kept(piece) else "black here"
            yield f"at {at} the trailer shows what is in no film: {kept}"
        if piece.film is not None and not piece.certain:
            yield "hardly anything moves here: its frame and its speed are not certain"
        if piece.film is not None and (look := graded(piece, self.placer)):
            yield f"beside the film: {look}"


# How a shot is graded, in rough: by some of its frames and the film's

_LOOKS = 5  # frames of a shot
_SAME = 0.04  # share by which figures may differ without a word
_REC709 = np.array([[1.5748, 0.0], [-0.4681, -0.1873], [0.0, 1.8556]])  # red, green, blue by V and U (ITU-R BT.709)


def graded(piece: Piece, placer: Placer) -> str:
    """The figures of a shot that differ: brightness, contrast, saturation, and each channel's light; "" for none."""
    film, rows = placer.film_of(piece), spread(piece.start, piece.end, _LOOKS)
    light, color = np.zeros((2, 2)), np.zeros((2, 3))  # mean and deviation of luma; mean U, mean V, and saturation
    for row, rank in zip(rows.tolist(), placer.ranks(piece, rows).tolist(), strict=True):
        pictures = seen(placer.luma[row], WHOLE), seen(film.luma_between(rank, rank + 1)[0], piece.view or film.view)
        light += np.array([[picture.mean() - 16, picture.std()] for picture in pictures]) / len(rows)
        both = tints_of(placer.thumbs[row], placer.within), film.tints(rank)
        color += np.array([_tint(each) for each in both]) / len(rows)
    levels = np.maximum(light[:, 0], 4)
    channels = (levels[:, None] + color[:, [1, 0]] @ _REC709.T).clip(1)
    ratios = {
        "brightness": levels[0] / levels[1],
        "contrast": light[0, 1] / max(light[1, 1], 1),
        "saturation": color[0, 2] / color[1, 2] if color[1, 2] > 2 else 1.0,
        **dict(zip(("red", "green", "blue"), (channels[0] / channels[1]), strict=True)),
    }
    if all(abs(ratio - 1) < _SAME for ratio in ratios.values()):
        return ""
    return ", ".join(f"{name} × {ratio:.2f}" for name, ratio in ratios.items())


def _tint(tints: NDArray[np.uint8]) -> tuple[float, float, float]:
    planes = tints.reshape(2, -1).astype(np.float64) - 128
    return float(planes[0].mean()), float(planes[1].mean()), float(np.hypot(planes[0], planes[1]).mean())
