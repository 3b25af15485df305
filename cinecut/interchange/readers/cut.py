"""A cut as read from a file of an editing program.

Positions are whole frames of the sequence, from 0; sources are seconds by the medium's own timecode.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise, takewhile

from cinecut.diagnostics import Stop
from cinecut.interchange.model import Medium
from cinecut.interchange.writers.xml_text import plain
from cinecut.language.events import Shot
from cinecut.language.formats import properties_of
from cinecut.language.timebase import nearest


def utf_8(data: bytes, name: str) -> str:
    """A file's text. Raises Stop where it is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise not_utf_8(name) from None


def not_utf_8(name: str) -> Stop:
    return Stop("unreadable", f"{name} is not in UTF-8", "export it again, or save it as UTF-8")


@dataclass(frozen=True, slots=True)
class Media:
    """The media that a spec knows, as its export names them."""

    known: tuple[Medium, ...] = ()

    def called(self, path: str, reel: str = "") -> str:
        """What a medium is called whose path, or only its name, stands in a file: its file's name, and where several
        known ones have the same, with as many folders as tell them apart. An EDL tells them by their reels; what cannot
        be told is none of them.

        >>> from cinecut.language.timebase import Timecodes
        >>> one, two = (Medium("film", f"/s/{n}/film.mov", f"R{n}", Fraction(24), Fraction(9), Timecodes(Fraction(24)))
        ...             for n in (1, 2))
        >>> Media((one, two)).called("D:/elsewhere/2/film.mov"), Media((one, two)).called("film.mov", "R1")
        ('2/film.mov', '1/film.mov')
        """
        parts = path.replace("\\", "/").split("/")
        alike = [medium for medium in self.known if medium.name == parts[-1]]
        if len(alike) < 2:
            return parts[-1]
        by_reel = [medium for medium in alike if medium.reel == reel]
        likeness = [_shared(medium.path.split("/"), parts) for medium in alike]
        likest = [medium for medium, alike_by in zip(alike, likeness, strict=True) if alike_by == max(likeness)]
        if len(likest) > 1 and len(by_reel) != 1:
            return parts[-1]
        best = likest[0] if len(likest) == 1 else by_reel[0]
        own = best.path.split("/")
        apart = 1 + max(_shared(own, other.path.split("/")) for other in alike if other is not best)
        return "/".join(own[-apart:])

    def rate(self, name: str, otherwise: Fraction) -> Fraction:
        """Pictures a second of the medium with this name; if unknown, those of the first known medium."""
        medium = self.by_name(name) or next(iter(self.known), None)
        return medium.rate if medium is not None else otherwise

    def by_name(self, name: str) -> Medium | None:
        """The known medium with this name."""
        return next((medium for medium in self.known if self.called(medium.path, medium.reel) == name), None)


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many trailing parts two paths have in common."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


@dataclass(frozen=True, slots=True)
class EditorPicture:
    """A picture from one cut to the next, including any transitions across those cuts."""

    start: int
    end: int
    medium: str  # as `Media` calls it
    source: Fraction  # at `start`
    speed: Fraction = Fraction(1)
    joint: tuple[int, int] = (0, 0)  # frames of a cross-fade before its start and after it
    fades: tuple[int, int] = (0, 0)  # frames, from black and to it
    gain: float | None = None  # dB of its sound; None: it has none
    over: tuple[int, int] = (0, 0)  # frames by which that comes before it and stays after it
    effects: tuple[str, ...] = ()  # what else the program does to it, which is not read

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class EditorSound:
    """A sound, taken from a medium from `source` on."""

    start: int
    end: int
    medium: str
    source: Fraction
    gain: float = 0.0


@dataclass(frozen=True, slots=True)
class EditorText:
    """A text on the screen."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class EditorMarker:
    frame: int
    text: str


@dataclass(slots=True)
class EditorCut:
    """What was read; `odd` lists what could not be understood, and where."""

    rate: Fraction
    known: Media = Media()
    pieces: list[EditorPicture] = field(default_factory=list)
    lines: list[EditorText] = field(default_factory=list)
    marks: list[EditorMarker] = field(default_factory=list)
    sounds: list[EditorSound] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    crossed: set[int] = field(default_factory=set)  # where pictures cross-fade
    unread: list[tuple[int, int]] = field(default_factory=list)  # from and to: pictures of which nothing is known

    def sorted(self) -> EditorCut:
        """The cut in time order, without pictures that last no frame, overlap an earlier one or run at a speed that a
        spec has not; those are reported."""
        self.pieces = [replace(piece, speed=_decimal(piece.speed)) for piece in self.pieces]
        self.pieces.sort(key=lambda piece: (piece.start, -piece.end))
        slowest, fastest = (float(properties_of(Shot)["speed"][limit]) for limit in ("minimum", "maximum"))
        kept: list[EditorPicture] = []
        for piece in self.pieces:
            if kept and piece.start < kept[-1].end:
                self.odd.append(f"{piece.medium} at frame {piece.start} lies over {kept[-1].medium}")
            elif piece.length <= 0:
                self.odd.append(f"{piece.medium} at frame {piece.start} lasts no frame")
            elif not slowest <= piece.speed <= fastest:
                runs = "runs backwards" if piece.speed < 0 else f"runs at {float(piece.speed):.4g} times its speed"
                self.odd.append(f"{piece.medium} at frame {piece.start} {runs}; a shot's is {slowest:g} to {fastest:g}")
                self.unread.append((piece.start, piece.end))
            else:
                kept.append(piece)
        self.crossed = {piece.start for piece in kept if any(piece.joint)}
        self.pieces = [self._with_sound(piece) for piece in kept]
        self.marks = [replace(mark, text=plain(mark.text)) for mark in self.marks]
        self.lines.sort(key=lambda line: (line.start, line.text))
        self.marks.sort(key=lambda mark: (mark.frame, mark.text))
        self.sounds.sort(key=lambda sound: (sound.start, sound.medium, sound.source))
        return self

    def _with_sound(self, piece: EditorPicture) -> EditorPicture:
        """The picture with the sound that belongs to it: same medium, heard at the picture's middle, in sync."""
        sound = next((sound for sound in self.under(piece) if self._in_sync(piece, sound)), None)
        if sound is None:
            return piece
        return self.heard_with(piece, sound)

    def heard_with(self, piece: EditorPicture, sound: EditorSound) -> EditorPicture:
        """A picture with a sound. Where the picture cross-fades, the sound does so too, and is not longer."""
        head = 0 if piece.start in self.crossed else piece.start - sound.start
        tail = 0 if piece.end in self.crossed else sound.end - piece.end
        return replace(piece, gain=round(sound.gain, 2), over=(head, tail))

    def under(self, piece: EditorPicture) -> list[EditorSound]:
        """What is heard of a picture's own medium at its middle."""
        middle = (piece.start + piece.end) // 2
        return [sound for sound in self.sounds if sound.medium == piece.medium and sound.start <= middle < sound.end]

    def source_at(self, sound: EditorSound, frame: int, speed: Fraction) -> Fraction:
        """The moment of its medium that a sound is at, at a frame of the sequence."""
        return sound.source + (frame - sound.start) * speed / self.rate

    def _in_sync(self, piece: EditorPicture, sound: EditorSound) -> bool:
        return abs(self.source_at(sound, piece.start, piece.speed) - piece.source) * self.rate <= 2

    def loose(self) -> list[EditorSound]:
        """The sounds that are in sync with no picture."""
        tied = {sound for piece in self.pieces for sound in self.under(piece) if self._in_sync(piece, sound)}
        return [sound for sound in self.sounds if sound not in tied]


def dissolved(kind: str, frame: int) -> str:
    """What is said of a transition that is neither a cross-fade nor a fade."""
    return f"{kind} at frame {frame} is read as a cross-fade"


def _decimal(speed: Fraction) -> Fraction:
    """A speed as a spec can write it: two thirds to the millionth, by which an hour is a tenth of a picture off."""
    return Fraction(nearest(speed * 1_000_000), 1_000_000)


def step_of(points: Iterable[tuple[Fraction, Fraction]]) -> Fraction | None:
    """The speed of a map from time to source if it is constant; else None."""
    places = list(points)
    speeds = {(last - first) / (end - start) for (start, first), (end, last) in pairwise(places) if end > start}
    if not speeds:
        return None
    low, high = min(speeds), max(speeds)
    return None if high - low > Fraction(1, 1000) else max(speeds, key=lambda speed: -speed.denominator)
