"""The places of stretches that no key picture is like: sought in outlines of the films' groups, all of them at once.

outlines, the most promising group first ─► places ─ the clear ones ─► found
                                         └ doubtful ones ─ a closer look ─► found
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from cinecut.proof.conform.places.closer import clear_place
from cinecut.proof.conform.places.film import THREADS
from cinecut.proof.conform.places.placing import NEAR, SURE, Piece, Placer, PossiblePlace, spread
from cinecut.proof.conform.places.vectors import alike

_PART = 24  # frames that are placed alone
_BUDGET = 0.4  # of a film's pictures that are decoded at most to find what its key pictures do not show
_FREE = 2500  # pictures that are decoded for one search in any film, however many were before
_HIDDEN = 0.8  # promise of a group in which there is a shot that its key picture does not show
_DOUBTFUL = 0.45  # correlation of one picture from which on a group is worth a closer look
_CLEARLY = 0.85  # from which on one picture may tell where a part of a stretch is
_TRIED = 3  # groups for one stretch that get it, with and without something over the picture


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A group with a picture that is so `like` the frame `row` of a stretch."""

    like: float
    row: int
    candidate: PossiblePlace


@dataclass
class _Search:
    """What is found for one stretch: in one group, or in all that were looked into."""

    piece: Piece
    places: list[Piece] = field(default_factory=list)
    short: list[Piece] = field(default_factory=list)  # of parts of it
    doubts: list[_Doubt] = field(default_factory=list)
    found: Piece | None = None

    @property
    def is_sure(self) -> bool:
        return max((each.like for each in self.places), default=0.0) >= SURE


def sought(lost: Sequence[Piece], placer: Placer) -> dict[Piece, Piece]:
    """The places of those stretches, or of parts of them, that are found."""
    searches = [_Search(piece) for piece in lost]
    for covered in (False, True):
        waiting = [each for each in searches if each.found is None]
        _seek(waiting, placer, covered)
        for search in waiting:
            search.found = placer.chosen(search.places) or placer.chosen(search.short)
            search.places, search.short = [], []
    with ThreadPoolExecutor(THREADS) as pool:
        doubtful = [each for each in searches if each.found is None and each.doubts]
        for search, place in zip(doubtful, pool.map(lambda each: _clear(each, placer), doubtful), strict=True):
            search.found = place
    return {each.piece: each.found for each in searches if each.found is not None}


def _seek(searches: Sequence[_Search], placer: Placer, covered: bool) -> None:
    """Look into the outlines of groups, as many as may be decoded; pictures may be `covered` by something."""
    order = _order([each.piece for each in searches], placer, covered)
    most = [max(_BUDGET * film.count, film.asked + _FREE) for film in placer.films]
    with ThreadPoolExecutor(THREADS) as pool:
        while order:
            some, order = order[: 2 * THREADS], order[2 * THREADS :]
            waiting = [each for each in searches if not each.is_sure]
            if not waiting:
                break
            some = [each for each in some if _is_affordable(each, placer, most)]
            whole = [placer.films[each.film].was_asked(each.group) for each in some]
            looks = pool.map(lambda each, known, waiting=waiting: _look(each, known, waiting, placer), some, whole)
            for search, look in ((s, each) for row in list(looks) for s, each in zip(waiting, row, strict=True)):
                search.doubts += look.doubts
                search.places += look.places
                search.short += look.short


def _order(lost: Sequence[Piece], placer: Placer, covered: bool) -> list[PossiblePlace]:
    """The groups in which some pieces may be, the most promising first; some hide a shot from their key picture."""
    best, films = dict[tuple[int, int], PossiblePlace](), placer.films
    for piece in lost:
        for each in placer.candidates(piece.start, piece.end):
            held = best.get((each.film, each.group))
            if held is None or held.promise < each.promise:
                best[each.film, each.group] = replace(each, covered=covered)
    return sorted(best.values(), key=lambda c: -c.promise - _HIDDEN * bool(films[c.film].known.cut[c.group]))


def _is_affordable(candidate: PossiblePlace, placer: Placer, most: Sequence[float]) -> bool:
    """Whether a group may be decoded: `most` says of each film how many pictures may be."""
    film = placer.films[candidate.film]
    return film.asked < most[candidate.film] or film.was_asked(candidate.group)


def _look(candidate: PossiblePlace, whole: bool, searches: Sequence[_Search], placer: Placer) -> list[_Search]:
    """What of the pieces that are searched for is in a group, of each by itself."""
    outline = placer.films[candidate.film].outline(candidate.group, whole)
    looks = [_Search(search.piece) for search in searches]
    for look in looks:
        rows = spread(look.piece.start, look.piece.end, 7)
        for flipped in (False, True):
            likes = alike(placer.own(rows, flipped), outline, candidate.covered).max(1, initial=0)
            doubt = _Doubt(float(likes.max()), int(rows[int(likes.argmax())]), replace(candidate, flipped=flipped))
            if doubt.like > _DOUBTFUL:
                look.doubts.append(doubt)
            if doubt.like > NEAR:
                look.places += placer.within_group(*_windows(look.piece, doubt.row)[0], doubt.candidate)
            if part := _short(look.piece, doubt):
                look.short += placer.within_group(*part, doubt.candidate)
    return looks


def _short(piece: Piece, doubt: _Doubt) -> tuple[int, int] | None:
    """A short stretch around a frame that is clearly like the film under a title: the rest of it may fade away."""
    if not doubt.candidate.covered or doubt.like < _CLEARLY:
        return None
    return max(piece.start, doubt.row - _PART // 4), min(piece.end, doubt.row + _PART // 4)


def _windows(piece: Piece, row: int) -> list[tuple[int, int]]:
    """Stretches of a piece around, after and before a frame; all of it, if it is short."""
    if piece.end - piece.start <= 2 * _PART:
        return [(piece.start, piece.end)]
    firsts = (row - _PART // 2, row, row - _PART + 1)
    inside = [min(max(piece.start, first), piece.end - _PART) for first in firsts]
    return [(first, first + _PART) for first in dict.fromkeys(inside)]


def _clear(search: _Search, placer: Placer) -> Piece | None:
    """The place of a piece, or of a part of it, that a closer look makes clear."""
    for window in range(3):
        places = list[Piece]()
        for covered in (False, True):
            own = [each for each in search.doubts if each.candidate.covered == covered]
            for doubt in sorted(own, key=lambda each: -each.like)[:_TRIED]:
                windows = _windows(search.piece, doubt.row)
                if window < len(windows):
                    near = placer.within_group(*windows[window], doubt.candidate, _DOUBTFUL)
                    best = max(near, key=lambda each: each.like, default=None)
                    places += [best] if best is not None else []
        clear = clear_place(places, placer)
        if clear is not None:
            return clear
    return None
