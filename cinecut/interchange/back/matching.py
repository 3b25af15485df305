"""Which picture of a changed cut is which of the one that was exported, and where black lies between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction

from cinecut.interchange.readers.cut import Piece


def matched(before: Sequence[Piece], after: Sequence[Piece], rate: Fraction) -> list[int | None]:
    """For each picture that there is now, the number of the one that it was; None: it is new.

    First those that are the very same in the same order, then the very same elsewhere, then those that show some of the
    same film, then those that stand between the same neighbours and are as long.
    """
    found: list[int | None] = [None] * len(after)
    left, right = [_key(piece) for piece in before], [_key(piece) for piece in after]
    for block in SequenceMatcher(a=left, b=right, autojunk=False).get_matching_blocks():
        for k in range(block.size):
            found[block.b + k] = block.a + k
    free = set(range(len(before))) - {at for at in found if at is not None}
    for number, key in enumerate(right):
        if found[number] is None:
            same = next((at for at in sorted(free) if left[at] == key), None)
            if same is not None:
                found[number] = same
                free.discard(same)
    pairs = sorted(
        (-_shared(before[at], piece, rate), abs(at - number), number, at)
        for number, piece in enumerate(after)
        if found[number] is None
        for at in free
        if _shared(before[at], piece, rate) > 0
    )
    for _, _, number, at in pairs:
        if found[number] is None and at in free:
            found[number] = at
            free.discard(at)
    for number, piece in enumerate(after):
        above = found[number - 1] if number else -1
        if found[number] is None and above is not None and above + 1 in free:
            slot = before[above + 1]
            if (slot.medium, slot.length) == (piece.medium, piece.length):
                found[number] = above + 1
                free.discard(above + 1)
    return found


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


def standing(order: Sequence[int]) -> set[int]:
    """The most numbers of a sequence that stand in ascending order: those that need not be moved.

    >>> sorted(standing([1, 2, 3, 0, 4]))
    [1, 2, 3, 4]
    """
    best: list[list[int]] = []  # by its length the ascending sequence that ends lowest
    for number in order:
        at = next((k for k, chain in enumerate(best) if chain[-1] >= number), len(best))
        chain = [*(best[at - 1] if at else []), number]
        best[at : at + 1] = [chain]
    return set(best[-1]) if best else set()
