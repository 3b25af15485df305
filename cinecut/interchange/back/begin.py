"""A new spec from an editor's timeline: file + films → Spec, with the markers as comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from cinecut.interchange.back.bring import read_cut, shows_others
from cinecut.interchange.build import ExportOptions, Shelf
from cinecut.interchange.readers.cut import EditorCut, EditorMarker, EditorPicture, EditorSound, Media
from cinecut.language.document import NodePath
from cinecut.language.document.layout import Remark
from cinecut.language.events import Black, Clip, Entry, Shot, Title, Transition
from cinecut.language.facts import FilmFacts
from cinecut.language.read import make
from cinecut.language.spec import Film, Output, Spec
from cinecut.language.timebase import FilmTime, Length, clock
from cinecut.language.write import write_spec
from cinecut.media.link import film_names

_SILENT = -90.0  # dB: nobody hears what is lower


@dataclass(slots=True)
class Begun:
    """The new spec's text, how many events it has, and what is to be done by hand."""

    text: str
    events: int
    by_hand: list[str] = field(default_factory=list)


def begin(name: str, data: bytes, folder: Path, films: Sequence[tuple[str, FilmFacts]]) -> Begun:
    """A spec of the timeline in a file. `films`: their names for the spec in `folder`, and their facts. Clips of other
    media become black and are listed. Raises Stop where the file cannot be read."""
    rate = films[0][1].rate
    shelf = Shelf(ExportOptions(folder), rate)
    media = [shelf.film(film, facts) for film, facts in films]
    called = film_names([Path(film) for film, _ in films]) if len(films) > 1 else [None]
    known = Media(tuple(media))
    named = {known.called(medium.path, medium.reel): each for medium, each in zip(media, called, strict=True)}
    cut = read_cut(name, data, rate, known)
    shown = {piece.medium for piece in cut.pieces}
    if not shown & named.keys() and not cut.lines:
        raise shows_others(name, shown, [film for film, _ in films])
    started = _Timeline(cut, named, [*cut.odd], cut.loose())
    at = 0
    for piece in cut.pieces:
        if piece.medium not in named:
            words = f"is not {' or '.join(named)}: black stands in its place"
            started.by_hand.append(f"{piece.medium} at frame {piece.start} {words}")
            continue
        started.black(at, piece.start)
        started.shot(piece)
        at = piece.end
    heard = [sound.end for sound in cut.sounds if sound.medium in named]
    end = max([at, *(line.end for line in cut.lines), *(piece.end for piece in cut.pieces), *heard])
    started.black(at, end)
    started.by_hand += dict.fromkeys(started.lost())
    own = [make(Film, file=film, facts=facts) for film, facts in films]
    several = {each: film for each, film in zip(called, own, strict=True) if each is not None}
    spec = make(
        Spec,
        cinecut=1,
        film=None if several else own[0],
        films=several or None,
        output=make(Output, rate=cut.rate if cut.rate != rate else None),
        timeline=tuple(started.entries),
    )
    remarks: dict[NodePath, Remark] = {("timeline", at): Remark(above=tuple(f"# {text}" for text in texts))
                                    for at, texts in started.remarks.items()}  # fmt: skip
    return Begun(write_spec(spec, remarks), len(started.entries), started.by_hand)


@dataclass(slots=True)
class _Timeline:
    cut: EditorCut
    films: Mapping[str, str | None]  # their names in the spec, by what they are called in the cut
    by_hand: list[str]
    loose: list[EditorSound]  # that are not in sync with any picture, and so far with no shot
    entries: list[Entry] = field(default_factory=list)
    remarks: dict[int, list[str]] = field(default_factory=dict)

    def shot(self, piece: EditorPicture) -> None:
        source = max(Fraction(0), piece.source - self._first(piece.medium))
        piece, elsewhere = self._sound_of(piece, source)
        silent = bool(self.cut.sounds) and (piece.gain is None or piece.gain < _SILENT)
        lead, trail = (_frames(frames) if frames > 0 else None for frames in piece.over)
        gain = Fraction(0) if silent or piece.gain is None else Fraction(str(round(piece.gain, 1)))
        crossed = sum(piece.joint)
        head = _transition("crossfade", crossed) if crossed else _transition("fade in", piece.fades[0])
        clip = Clip(film=self.films[piece.medium], in_=FilmTime(source), out=None, for_=_frames(piece.length))
        self._note(piece.start, piece.end)
        self.entries.append(
            make(
                Shot, shot=clip, speed=piece.speed, mute=silent, gain=gain, sound_in=elsewhere,
                sound_lead=lead, sound_trail=trail,
                from_=head, to=_transition("fade out", piece.fades[1]),
                titles=self._titles(piece.start, piece.end),
            )
        )  # fmt: skip

    def _sound_of(self, piece: EditorPicture, source: Fraction) -> tuple[EditorPicture, FilmTime | None]:
        """A picture with its sound; where that begins, if it is of another moment than the picture."""
        whole = [each for each in self.cut.under(piece) if each.start <= piece.start and piece.end <= each.end]
        sound = next((each for each in whole if each in self.loose), None)
        if piece.gain is not None or sound is None:
            return piece, None
        self.loose = [each for each in self.loose if (each.medium, each.start) != (sound.medium, sound.start)]
        shift = self.cut.source_at(sound, piece.start, piece.speed) - piece.source
        return self.cut.heard_with(piece, sound), FilmTime(max(Fraction(0), source + shift))

    def lost(self) -> Iterator[str]:
        """What is heard and comes into no shot."""
        for sound in self.loose:
            if sound.medium not in self.films:
                yield f"{sound.medium} is heard in it"
            else:
                seconds, frames = sound.source - self._first(sound.medium), sound.end - sound.start
                begins = f"{sound.medium} from {clock(max(Fraction(0), seconds))}"
                yield f"{begins} is heard at frame {sound.start}, for {frames} frames"

    def _first(self, medium: str) -> Fraction:
        """The moment that a film's own timecode begins with, in seconds."""
        known = self.cut.known.by_name(medium)
        return known.numbered.first / known.numbered.rate if known is not None else Fraction(0)

    def black(self, start: int, end: int) -> None:
        if end > start:
            self._note(start, end)
            self.entries.append(make(Black, black=_frames(end - start), titles=self._titles(start, end)))

    def _titles(self, start: int, end: int) -> tuple[Title, ...]:
        return tuple(
            make(Title, text=line.text, at=_frames(line.start - start), for_=_frames(line.end - line.start))
            for line in self.cut.lines
            if start <= line.start < end and line.text
        )

    def _note(self, start: int, end: int) -> None:
        """Markers become comments on the event that they fall into."""
        marks: list[EditorMarker] = [mark for mark in self.cut.marks if start <= mark.frame < end and mark.text]
        if marks:
            self.remarks[len(self.entries)] = [" ".join(mark.text.split()) for mark in marks]


def _transition(kind: str, frames: int) -> Transition:
    return Transition.parse(f"{kind} {frames}f") if frames else Transition.parse("cut")


def _frames(count: int) -> Length:
    return Length(Fraction(count), "f")
