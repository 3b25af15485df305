"""Matching the pictures of a changed cut with those of the export, and finding the black between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from cinecut.edits.changes.matching import matched
from cinecut.interchange.readers.cut import EditorCut, EditorPicture


def pictures_matched(
    before: Sequence[EditorPicture], after: Sequence[EditorPicture], rate: Fraction
) -> list[int | None]:
    """For each picture of the changed cut the index of the same picture in the export; None for a new one."""

    def shared(at: int, number: int) -> Fraction:
        return _shared(before[at], after[number], rate)

    def fits(at: int, number: int) -> bool:
        return (before[at].medium, before[at].length) == (after[number].medium, after[number].length)

    return matched([_key(piece) for piece in before], [_key(piece) for piece in after], shared, fits)


def as_they_stood(before: EditorCut, after: EditorCut) -> EditorCut:
    """The changed cut with its unreadable parts as they were before: the pictures between the same neighbours, if they
    last as long, or if there was only one."""
    if not after.unread:
        return after
    was = pictures_matched(before.pieces, after.pieces, before.rate)
    pieces = list(after.pieces)
    for start, end in after.unread:
        known = [(piece, at) for piece, at in zip(after.pieces, was, strict=True) if at is not None]
        first = max((at + 1 for piece, at in known if piece.end <= start), default=0)
        last = min((at for piece, at in known if piece.start >= end), default=len(before.pieces))
        stood = [each for at, each in enumerate(before.pieces) if first <= at < last and at not in was]
        if len(stood) == 1:
            pieces.append(replace(stood[0], start=start, end=end))
        elif stood and stood[-1].end - stood[0].start == end - start:
            later = start - stood[0].start
            pieces += [replace(each, start=each.start + later, end=each.end + later) for each in stood]
    return replace(after, pieces=sorted(pieces, key=lambda piece: piece.start))


def _key(piece: EditorPicture) -> tuple[str, Fraction, int, Fraction]:
    return piece.medium, piece.source, piece.length, piece.speed


def _shared(one: EditorPicture, other: EditorPicture, rate: Fraction) -> Fraction:
    """Seconds of the medium that both show; of a picture that stands still, the shorter one's length."""
    if one.medium != other.medium:
        return Fraction(0)
    ends = [piece.source + piece.length * piece.speed / rate for piece in (one, other)]
    return min(ends) - max(one.source, other.source)


def gaps_of(start: int, pieces: Sequence[EditorPicture]) -> list[int]:
    """Frames of black before each picture of a cut that begins at frame `start`."""
    ends = [start, *(piece.end for piece in pieces)]
    return [piece.start - end for piece, end in zip(pieces, ends, strict=False)]
