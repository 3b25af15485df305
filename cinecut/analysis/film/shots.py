"""Finding every shot of a film with its exact first picture, without a full decode.

    film ─ survey ─► packets, key pictures ─ search ─► cuts, outline ─ blends ─► fades, dissolves ─► shots

Packets and key frames are read in one pass; then only the parts with possible cuts are decoded (search.py). A film
without time stamps is decoded completely instead.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.blends import VALLEY, Blend, GradualCut, dissolves, fades
from cinecut.analysis.film.cuts import FoundCuts, flashes, judge, merge
from cinecut.analysis.film.gops import (
    THUMB_COLUMNS,
    THUMB_ROWS,
    KeyFrame,
    PacketIndex,
    Survey,
    Unstamped,
    black_level,
    key_picture,
    small_planes,
    survey,
)
from cinecut.analysis.film.gradual.outline import Outline, has_plain_ground, outline_of
from cinecut.analysis.film.gradual.ramps import FARTHEST
from cinecut.analysis.film.gradual.suspects import Suspects, around
from cinecut.analysis.film.screen import Bars, letterbox
from cinecut.analysis.film.search import Group, examine, plan, united
from cinecut.analysis.film.strips import GroupReader, Strip, decode_all
from cinecut.analysis.film.unfit.reasons import Stretch, reasons
from cinecut.analysis.film.unfit.supers import Sample, Super, Supers
from cinecut.analysis.film.unfit.watched import Parts, Samples
from cinecut.analysis.stage import Advance, Stage
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime, clock

Ranks: TypeAlias = tuple[int, int]  # a stretch of pictures, half-open

_THREADS = max(1, min(4, os.cpu_count() or 1))
_SURVEY_SHARE = 0.3  # of the whole work, for the progress
_PERHAPS = 2.0  # by which the middle of a dip may be less plain in an outline that lacks pictures
_DIP = 6  # most pictures in the middle of a dip
_END = 1 << 62  # a rank after all pictures


@dataclass(frozen=True, slots=True)
class FilmShot:
    """A shot without the transitions at its ends.

    begins : the transition into it; a film's first shot begins with a cut
    why_not : "black", "blank" (of one colour), "title" or "credits" if no trailer should use it
    """

    index: int
    range: FilmRange
    begins: GradualCut
    why_not: str | None = None

    @property
    def usable(self) -> bool:
        return self.why_not is None


@dataclass(frozen=True, slots=True)
class ShotList:
    """All shots in order, and the film's letterbox bars. A gap between two shots is a fade or dissolve."""

    shots: tuple[FilmShot, ...]
    bars: Bars
    diagnostics: tuple[Diagnostic, ...]


def find_shots(film: Path, facts: FilmFacts, progress: Advance) -> ShotList:
    """The shots of a film. `progress` is called with the share done, 0..1. Raises Stop if the film cannot be read."""
    with ExitStack() as opened:
        try:
            searched = facts.stamps and not facts.joined
            scan = _search(film, facts, progress, opened) if searched else _watch(film, facts, progress)
        except Unstamped:
            scan = _watch(film, facts, progress)
        blends, outline = _blends(scan, facts.rate)
    scan = replace(scan, outline=outline)
    tiles = _tiled(scan, [cut for cut in scan.cuts if not any(b.start <= cut <= b.end for b in blends)], blends)
    keys = _with_missing_keys(tiles, scan)
    return ShotList(_judged(tiles, keys, scan, facts), scan.bars, tuple(scan.diagnostics))


SHOTS = Stage("shots", ShotList, find_shots)


# --- scanning the film ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Scan:
    """The result of searching or decoding a film. A rank is a picture's number in display order."""

    cuts: list[int]
    outline: Outline
    keys: list[KeyFrame]
    bars: Bars
    time: Callable[[int], FilmTime]  # of a rank
    look: Callable[[list[FilmTime]], list[KeyFrame]]  # decodes further pictures; none if that is not possible
    suspected: list[Blend]  # dissolves and the like, around which all pictures are decoded
    closer: Callable[[list[Ranks]], Outline]  # the outline with these pictures, and those of some stretches of ranks
    supers: list[Super]
    end: FilmTime
    diagnostics: list[Diagnostic]


class _Readers:
    """The film opened once for each thread, and these threads."""

    def __init__(self, film: Path, surveyed: Survey, opened: ExitStack) -> None:
        self._free: SimpleQueue[GroupReader] = SimpleQueue()
        for _ in range(_THREADS):
            self._free.put(opened.enter_context(GroupReader(film, surveyed.index, surveyed.inside)))
        self.pool = opened.enter_context(ThreadPoolExecutor(_THREADS))

    @contextmanager
    def one(self) -> Iterator[GroupReader]:
        reader = self._free.get()
        try:
            yield reader
        finally:
            self._free.put(reader)


def _search(film: Path, facts: FilmFacts, progress: Advance, opened: ExitStack) -> _Scan:
    """Decode only the parts with possible cuts; until `opened` is closed, others too. Raises Unstamped and Stop."""
    surveyed = survey(film, facts, _THREADS, lambda share: progress(_SURVEY_SHARE * share))
    readers = _Readers(film, surveyed, opened)
    verdicts: list[FoundCuts] = []
    outlines: list[Outline] = []
    suspects, closer = Suspects(), _Closer(readers, surveyed.index)
    parts = Parts.of(len(surveyed.index.pts), facts.rate)
    supers = Supers(parts.every // 2)

    def task(group: Group) -> tuple[FoundCuts, Outline, list[Sample]]:
        samples = Samples(parts.every)
        with readers.one() as reader:
            watched = parts.meet(group.start, group.end) and not group.lettered
            reader.watch = samples.see if watched else None
            verdict, strip = examine(reader, surveyed, group)
            if watched:
                reader.go_on(group.place, group.end)
                reader.watch = None
        strip = strip or _key_strip(surveyed, group)
        return verdict, outline_of(strip.thumbs, strip.ranks), samples.taken

    for done, (verdict, outline, samples) in enumerate(readers.pool.map(task, plan(surveyed)), 1):
        verdicts.append(verdict)
        outlines.append(outline)
        closer.look(suspects.add(verdict, outline))
        for sample in samples:
            supers.add(sample)
        progress(_SURVEY_SHARE + (1 - _SURVEY_SHARE) * done / len(surveyed.index.groups))
    closer.look(suspects.rest())
    bright, whole = flashes(verdicts), Outline.joined(outlines)
    shown = surveyed.index.shown
    end = surveyed.clock.time(int(shown[-1])) + 1 / facts.rate
    if end.seconds >= facts.duration - 1:
        end = FilmTime(facts.duration)
    else:
        surveyed.diagnostics.append(_short(end, facts))

    def looked(stretches: list[Ranks]) -> Outline:
        closer.look(stretches)
        return closer.joined(whole).without(bright)

    return _Scan(
        merge(verdicts),
        whole.without(bright),
        [key for key in surveyed.keys if key],
        surveyed.bars,
        lambda rank: surveyed.clock.time(int(shown[min(rank, len(shown) - 1)])) if rank < len(shown) else end,
        lambda times: _look(film, surveyed, times, black_level(facts)),
        suspects.blends,
        looked,
        supers.found(),
        end,
        surveyed.diagnostics,
    )


def _look(film: Path, surveyed: Survey, times: list[FilmTime], black: int) -> list[KeyFrame]:
    """Decode a picture at each of some times, in order."""
    shown = surveyed.index.shown
    stamps = [int((time.seconds + surveyed.clock.start) / surveyed.clock.time_base) for time in times]
    with GroupReader(film, surveyed.index, surveyed.inside, filter_loop=True) as reader:
        ranks = [rank for rank in np.searchsorted(shown, stamps).tolist() if rank < len(shown)]
        pictures = [reader.key_picture(rank, surveyed.clock, black) for rank in ranks]
    return [picture for picture in pictures if picture]


class _Closer:
    """Decodes all pictures of some stretches of ranks, while other work goes on."""

    def __init__(self, readers: _Readers, index: PacketIndex) -> None:
        self._readers, self._index = readers, index
        self._firsts = index.rank[index.groups]
        self._waiting: list[Future[Outline]] = []

    def look(self, stretches: list[Ranks]) -> None:
        """Begin with the pictures of some stretches."""
        by_group = groupby(united(stretches), lambda part: int(np.searchsorted(self._firsts, part[0], "right")))
        self._waiting += [self._readers.pool.submit(self._decoded, list(parts)) for _, parts in by_group]

    def joined(self, outline: Outline) -> Outline:
        """An outline and all that has been decoded."""
        return Outline.joined([outline, *(each.result() for each in self._waiting)])

    def _decoded(self, parts: list[Ranks]) -> Outline:
        index = self._index
        fine = np.zeros(len(index.pts) + 1, np.bool_)
        for start, end in parts:
            fine[max(0, start) : min(end, len(index.shown))] = True
        group = max(0, int(np.searchsorted(self._firsts, parts[0][0], "right")) - 1)
        with self._readers.one() as reader:
            last = min(parts[-1][1], len(index.shown))
            strip = Strip.empty().until(last, reader.pictures(group, fine))
        return outline_of(strip.thumbs, strip.ranks)


def _short(end: FilmTime, facts: FilmFacts) -> Diagnostic:
    last, whole = clock(end.seconds), clock(facts.duration)
    return Diagnostic("film", f"the film's pictures end at {last}, though it is said to last {whole}")


def _key_strip(surveyed: Survey, group: Group) -> Strip:
    """A strip of only the key picture of a group that was not decoded."""
    thumb = surveyed.thumb(group.place)
    return Strip.empty() if thumb is None else Strip(np.array([group.start]), thumb[None])


def _watch(film: Path, facts: FilmFacts, progress: Advance) -> _Scan:
    """Decode the whole film once; the n-th picture is the film's n-th frame."""
    block, overlap = 400, 8
    black = black_level(facts)
    every = max(1, round(facts.rate))
    strip = Strip.empty()
    verdicts: list[FoundCuts] = []
    outlines: list[Outline] = []
    keys: list[KeyFrame] = []
    ranks: list[int] = []
    thumbs: list[NDArray[np.uint8]] = []
    diagnostics: list[Diagnostic] = []

    def close_block() -> None:
        nonlocal strip
        strip = strip.tail(overlap).joined(ranks, thumbs)
        verdicts.append(judge(strip))
        outlines.append(outline_of(strip.thumbs, strip.ranks))
        suspects.add(verdicts[-1], outlines[-1])
        ranks.clear()
        thumbs.clear()

    suspects, parts, supers = Suspects(), Parts.of(int(facts.duration * facts.rate), facts.rate), Supers()
    samples = Samples(parts.every)
    rank = -1
    for rank, frame in enumerate(decode_all(film, diagnostics)):
        if parts.meet(rank, rank + 1):
            samples.see(rank, frame)
        if rank % every == 0:
            keys.append(key_picture(frame, FilmTime(rank / facts.rate), black))
            progress(min(1.0, float(rank / facts.rate / facts.duration)))
        ranks.append(rank)
        thumbs.append(small_planes(frame, THUMB_COLUMNS, THUMB_ROWS))
        if len(ranks) == block:
            close_block()
    if rank < 0:
        raise Stop("unreadable", f"{film} holds no picture that can be decoded")
    close_block()
    bars = letterbox([key.glance for key in keys], black)
    end = FilmTime((rank + 1) / facts.rate)
    if end.seconds < facts.duration - 1:
        diagnostics.append(_short(end, facts))
    outline, time = Outline.joined(outlines).without(flashes(verdicts)), lambda at: FilmTime(at / facts.rate)

    suspects.rest()
    for sample in samples.taken:
        supers.add(sample)
    cuts, suspected = merge(verdicts), suspects.blends
    return _Scan(
        cuts, outline, keys, bars, time, lambda _: [], suspected, lambda _: outline, supers.found(), end, diagnostics
    )


# --- gradual cuts ---------------------------------------------------------------------------------------------------


def _blends(scan: _Scan, rate: Fraction) -> tuple[list[Blend], Outline]:
    """The fades, dissolves and wipes, in order: suspected by the outline, judged by all pictures around them.

    Also the outline with those pictures.
    """
    doubtful = _joined(fades(scan.outline, scan.cuts, rate, paler=_PERHAPS * VALLEY))
    outline = scan.closer([around(blend, scan.outline.ranks) for blend in doubtful])
    faded = _joined(fades(outline, scan.cuts, rate))
    near = united([(blend.start - FARTHEST, blend.end + FARTHEST) for blend in scan.suspected])
    exact = [blend for part in outline.near(near) for blend in dissolves(part, scan.cuts, faded)]
    return _joined(faded + exact), outline


# --- shots ----------------------------------------------------------------------------------------------------------


def _joined(blends: list[Blend]) -> list[Blend]:
    """The blends in order; those that overlap or touch are joined, as a fade if either is one. So are two fades with
    few pictures between them, which are the middle of a dip."""
    joined: list[Blend] = []
    for blend in sorted(blends):
        dip = joined and joined[-1].kind is blend.kind is GradualCut.FADE
        if joined and blend.start <= joined[-1].end + (_DIP if dip else 1):
            last = joined.pop()
            kind = GradualCut.FADE if GradualCut.FADE in (last.kind, blend.kind) else GradualCut.DISSOLVE
            blend = Blend(last.start, max(last.end, blend.end), kind)
        joined.append(blend)
    return joined


@dataclass(frozen=True, slots=True)
class _Tile:
    """A shot, and the places in the outline, half-open, of its pictures there: those are found sooner than times."""

    shot: FilmShot
    first: int
    last: int


def _tiled(scan: _Scan, cuts: list[int], blends: list[Blend]) -> list[_Tile]:
    """The shots between the cuts and blends."""
    bounds = sorted([(cut, cut, GradualCut.CUT) for cut in cuts] + [(b.start, b.end, b.kind) for b in blends])
    tiles: list[_Tile] = []
    start, begins, rank = FilmTime(Fraction(0)), GradualCut.CUT, 0

    def add(end: FilmTime, end_rank: int) -> None:
        if end > start:
            first, last = np.searchsorted(scan.outline.ranks, [rank, end_rank]).tolist()
            tiles.append(_Tile(FilmShot(len(tiles), FilmRange(start, end), begins), first, last))

    for first, after, kind in bounds:
        add(scan.time(first), first)
        start, begins, rank = max(start, scan.time(after)), kind, max(rank, after)
    add(scan.end, _END)
    return tiles


def _with_missing_keys(tiles: list[_Tile], scan: _Scan) -> list[KeyFrame]:
    """The key pictures, and one more for each shot of a second or more that has none and may be a title."""
    times = [key.time for key in scan.keys]
    ground = has_plain_ground(scan.outline)
    missing = []
    for tile in tiles:
        start, end = tile.shot.range.start, tile.shot.range.end
        keyless = tile.shot.range.duration >= 1 and bisect_left(times, start) == bisect_left(times, end)
        if keyless and ground[min((tile.first + tile.last) // 2, len(ground) - 1)]:
            missing.append(FilmTime((start.seconds + end.seconds) / 2))
    return sorted([*scan.keys, *scan.look(missing)], key=lambda key: key.time)


def _judged(tiles: list[_Tile], keys: list[KeyFrame], scan: _Scan, facts: FilmFacts) -> tuple[FilmShot, ...]:
    """The shots, with `why_not` where no trailer should use one."""
    stretches = [Stretch(tile.shot.range, tile.first, tile.last) for tile in tiles]
    supers = sorted({scan.time(rank) for each in scan.supers for rank in (each.first, each.last)})
    judged = reasons(stretches, keys, scan.outline, supers, black_level(facts), facts.duration)
    return tuple(replace(tile.shot, why_not=reason) for tile, reason in zip(tiles, judged, strict=True))
