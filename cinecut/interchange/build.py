"""Layout → EditSequence: the compiled trailer as an editing program's tracks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path, PurePosixPath

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.compiler.picture.look import Look, look_of
from cinecut.compiler.resolve import Trailer
from cinecut.diagnostics import Stop, excerpt
from cinecut.interchange.features import features_of, frame_of
from cinecut.interchange.marks import marks_of
from cinecut.interchange.model import EditSequence, Medium, PictureClip, TextClip, TextFace
from cinecut.interchange.tracks import Stems, sound_tracks
from cinecut.language.events import Card, Shot, Still
from cinecut.language.facts import FilmFacts
from cinecut.language.read import inside
from cinecut.language.timebase import BadTimeError, Timecodes, nearest

START = "01:00:00:00"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The options of an export: the first frame's timecode, the spec's folder, the folder of the media on the editor's
    machine, frames of handles, rendered stems."""

    folder: Path
    start: str | None = None
    media_root: str | None = None
    handles: int | None = None
    stems: Stems | None = None


def sequence_of(layout: Layout, name: str, wishes: ExportOptions) -> EditSequence:
    """The trailer for editing programs. Raises Stop where the start timecode cannot be read."""
    trailer, timeline = layout.trailer, layout.timeline
    shelf = Shelf(wishes, timeline.rate)
    films = shelf.films(trailer)
    opening = tuple(_opening(layout, shelf))
    later = opening[-1].end if opening else 0
    look = look_of(trailer)
    pictures = tuple(
        replace(_shown(placed, films, shelf, look, later), fills=frame_of(placed, trailer) == "crop")
        for placed in timeline.events
    )
    sequence = EditSequence(
        name=name,
        rate=timeline.rate,
        numbered=_numbered(timeline.rate, wishes.start, films[""]),
        size=next(iter(trailer.outputs.values())).size,
        pictures=(*opening, *pictures),
        words=tuple(_words(layout, later)),
        tracks=tuple(sound_tracks(layout, films, shelf.sound, wishes.stems, later)),
        marks=tuple(marks_of(layout, later)),
        features=(),
        face=TextFace(trailer.style.face, trailer.style.size / 12, trailer.style.color),
        handles=wishes.handles,
    )
    return replace(sequence, features=tuple(features_of(layout, sequence, rendered=wishes.stems is not None)))


def _numbered(rate: Fraction, start: str | None, film: Medium) -> Timecodes:
    """The sequence's timecode: from `start`, else from one o'clock; drop-frame where the film is."""
    drop = film.numbered.drop and film.rate == rate
    text = start or (START[:-3] + ";00" if drop else START)
    try:
        first = nearest(Timecodes(rate).seconds(text) * rate)
    except BadTimeError as error:
        raise Stop("option", f"--start: {error}") from None
    if (numbered := Timecodes.starting(rate, text)).first != first:
        raise Stop("option", f"--start: {excerpt(text)} is no timecode: a day has 24 hours, from 00 to 23")
    return numbered


class Shelf:
    """The media of an export: each file once, each with its own reel name."""

    def __init__(self, wishes: ExportOptions, rate: Fraction) -> None:
        self.wishes, self.rate = wishes, rate
        self.media: dict[tuple[str, str], Medium] = {}
        self.moved: dict[str, str] = {}  # where media are, by where the editor's machine has them

    def films(self, trailer: Trailer) -> dict[str, Medium]:
        """The films of a trailer, by the names that a `FilmRange` has for them."""
        return {name: self.film(each.film.file, each.facts) for name, each in trailer.footage.items()}

    def film(self, file: str, facts: FilmFacts) -> Medium:
        audio = facts.audio[0] if facts.audio else None
        return self._keep(
            Medium(
                "film", self._path(file), "", facts.rate, facts.duration, facts.timecodes, facts.display_size,
                facts.field_order, audio.channels if audio else 0, audio.parts if audio else 1,
                audio.rate if audio else 48000,
            )
        )  # fmt: skip

    def sound(self, file: str, duration: Fraction, channels: int, sample_rate: int) -> Medium:
        path, numbered = self._path(file), Timecodes(self.rate)
        return self._keep(
            Medium("sound", path, "", self.rate, duration, numbered, channels=channels, sample_rate=sample_rate)
        )

    def still(self, file: str, size: tuple[int, int]) -> Medium:
        return self._keep(Medium("still", self._path(file), "", self.rate, _HOUR, Timecodes(self.rate), size))

    def _path(self, file: str) -> str:
        own = inside(self.wishes.folder, file).absolute()
        path = os.path.normpath(own)
        root = self.wishes.media_root
        if root is None:
            return path
        moved = str(PurePosixPath(root.replace("\\", "/")) / own.name)
        if (other := self.moved.setdefault(moved, path)) != path:
            message = f"--media-root: {excerpt(other)} and {excerpt(path)} would both be {excerpt(moved)}"
            raise Stop("option", message, "rename one of them, or export without it")
        return moved

    def _keep(self, medium: Medium) -> Medium:
        key = (medium.kind, medium.path)
        if key not in self.media:
            reel = _reel(medium.name, {other.reel for other in self.media.values()})
            self.media[key] = replace(medium, reel=reel)
        return self.media[key]


_HOUR = Fraction(3600)  # a picture lasts as long as anyone likes


def _reel(name: str, taken: set[str]) -> str:
    """Eight letters and digits at most, as an EDL has room for."""
    base = re.sub(r"[^A-Z0-9]", "", name.rpartition(".")[0].upper() or name.upper())[:8] or "REEL"
    base = base + "X" if base in ("BL", "AX", "NONE") else base  # which mean black, any source and no picture
    reel, number = base, 1
    while reel in taken:
        number += 1
        reel = base[: 8 - len(str(number))] + str(number)
    return reel


def _opening(layout: Layout, shelf: Shelf) -> Iterator[PictureClip]:
    """The rating card before the trailer."""
    card = layout.trailer.opening
    if card is None:
        return
    medium = (
        shelf.film(card.file, card.facts)
        if isinstance(card.facts, FilmFacts)
        else shelf.still(card.file, card.facts.size)
    )
    have = min(card.frames, medium.duration * shelf.rate // 1) if medium.kind == "film" else card.frames
    yield PictureClip("rating", "rating", "rating card", 0, have, medium)
    if have < card.frames:
        yield PictureClip("rating", "rating_hold", "rating card", have, card.frames)


def _shown(placed: Placed, films: Mapping[str, Medium], shelf: Shelf, look: Look, later: int) -> PictureClip:
    event, start, end = placed.event, placed.range.start.index + later, placed.range.end.index + later
    where = (placed.name, placed.label, _name(placed), start, end)
    head, tail = placed.head, placed.tail
    if isinstance(placed, PlacedShot):
        shot, source = placed.event, placed.film.start.seconds
        looks = tuple((kind, cube_name(name)) for kind, name in look.tables(shot))
        return PictureClip(*where, films[placed.film.film], source, shot.speed, head, tail, looks)
    if isinstance(event, Still):
        size = event.still.facts.size if event.still.facts is not None else (16, 9)
        return PictureClip(*where, shelf.still(event.still.file, size), head=head, tail=tail)
    return PictureClip(*where, head=head, tail=tail)


def cube_name(table: str) -> str:
    """The name of a table of FFmpeg's as the .cube file that editing programs read."""
    return f"{table.rpartition('.')[0]}.cube"


def _name(placed: Placed) -> str:
    """What an editor shows on a clip."""
    event = placed.event
    if isinstance(event, Shot):
        said = event.scene or event.line or ""
        return f"{placed.name} {said}".strip()[:80]
    return placed.name


def _words(layout: Layout, later: int) -> Iterator[TextClip]:
    timeline, style = layout.timeline, layout.trailer.style
    texts = iter(timeline.texts)
    for placed in timeline.events:
        for _ in range(1 if isinstance(placed.event, Card) else len(placed.event.titles)):
            text = next(texts)
            yield TextClip(
                event=placed.name,
                text=style.cased(text.text),
                start=text.range.start.index + later,
                end=text.range.end.index + later,
                fade_in=text.fade_in,
                fade_out=text.fade_out,
                position=text.position,
                card=text.position == "card",
            )
