"""Which picture of a changed cut is which of the one that was exported, and where black lies between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cinecut.changes.matching import matched
from cinecut.interchange.readers.cut import Piece


def pictures_matched(before: Sequence[Piece], after: Sequence[Piece], rate: Fraction) -> list[int | None]:
    """For each picture that there is now, the number of the one that it was; None: it is new."""

    def shared(at: int, number: int) -> Fraction:
        return _shared(before[at], after[number], rate)

    def fits(at: int, number: int) -> bool:
        return (before[at].medium, before[at].length) == (after[number].medium, after[number].length)

    return matched([_key(piece) for piece in before], [_key(piece) for piece in after], shared, fits)


def _key(piece: Piece) -> tuple[str, Fraction, int, Fraction]:
    return piece.medium, piece.source, piece.length, piece.speed


def _shared(one: Piece, other: Piece, rate: Fraction) -> Fraction:
    """Seconds of the medium that both show; of a picture that stands still, the shorter one's length."""
    if one.medium != other.medium:
        return Fraction(0)
    ends = [piece.source + piece.length * piece.speed / rate for piece in (one, other)]
    return min(ends) - max(one.source, other.source)


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames of black before the picture `number` of the cut that there is now."""

    number: int
    frames: int


def gaps_of(pieces: Sequence[Piece]) -> list[Gap]:
    ends = [0, *(piece.end for piece in pieces)]
    return [Gap(number, piece.start - end) for number, (piece, end) in enumerate(zip(pieces, ends, strict=False))]
