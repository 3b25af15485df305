"""Every shot of a film with its exact first picture, without a full decode.

    film ─ survey ─► packets, key pictures ─ search ─► cuts, outline ─ blends ─► fades, dissolves ─► shots

Packets and key frames are read in one pass; then only those stretches are decoded where a cut can be (search.py). A
film whose packets carry no stamps is watched from end to end instead.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.blends import (
    PLAIN,
    Blend,
    GradualCut,
    Outline,
    dissolves,
    fades,
    has_plain_ground,
    outline_of,
    spreads,
)
from cinecut.analysis.film.cuts import Verdict, judge, merge
from cinecut.analysis.film.gops import (
    THUMB_COLUMNS,
    THUMB_ROWS,
    KeyPicture,
    Survey,
    Unstamped,
    black_level,
    key_picture,
    small_planes,
    survey,
)
from cinecut.analysis.film.screen import Bars, is_black, is_card, is_text, letterbox
from cinecut.analysis.film.search import Group, examine, plan
from cinecut.analysis.film.strips import GroupReader, Strip, decode_all
from cinecut.analysis.stage import Stage
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime, clock

_THREADS = max(1, min(4, os.cpu_count() or 1))
_SURVEY_SHARE = 0.3  # of the whole work, for the progress
_LETTERED = 0.4  # share of a shot's key pictures that show lettering, from which on it is one of credits or titles
_CREDITS = Fraction(4, 5)  # of the film: lettering after this belongs to the credits


@dataclass(frozen=True, slots=True)
class FilmShot:
    """A shot: its clean part, without the transitions at its ends.

    begins : what leads into it; a film's first shot begins with a cut
    why_not : "black", "title" or "credits" where no trailer should use it
    """

    index: int
    range: FilmRange
    begins: GradualCut
    why_not: str | None = None

    @property
    def usable(self) -> bool:
        return self.why_not is None


@dataclass(frozen=True, slots=True, eq=False)
class ShotList:
    """All shots in order. Where one ends before the next begins, a fade or dissolve lies between them.

    pictures : key pictures in order, one a group of pictures, for the measurements of later stages; a short shot may
        have none
    bars : the bars burned into the film
    """

    shots: tuple[FilmShot, ...]
    pictures: tuple[KeyPicture, ...]
    bars: Bars
    diagnostics: tuple[Diagnostic, ...]


def find_shots(film: Path, facts: FilmFacts, progress: Callable[[float], None]) -> ShotList:
    """The shots of a film. `progress` hears the share done, 0..1. Raises Stop for a film that cannot be read."""
    try:
        seen = _search(film, facts, progress) if facts.stamps and not facts.joined else _watch(film, facts, progress)
    except Unstamped:
        seen = _watch(film, facts, progress)
    hard = seen.cuts
    blends = _joined(fades(seen.outline, hard, facts.rate))
    blends = _joined(blends + dissolves(seen.outline, hard, blends, facts.rate))
    shots = _tile(seen, [cut for cut in hard if not any(b.start <= cut <= b.end for b in blends)], blends)
    keys = _with_unseen(shots, seen)
    return ShotList(_named(shots, keys, seen, facts), tuple(keys), seen.bars, tuple(seen.diagnostics))


@dataclass(frozen=True, slots=True)
class FoundShots:
    """What of the shots is kept."""

    shots: tuple[FilmShot, ...]
    bars: Bars
    diagnostics: tuple[Diagnostic, ...]


def _found(film: Path, facts: FilmFacts, progress: Callable[[float], None]) -> FoundShots:
    found = find_shots(film, facts, progress)
    return FoundShots(found.shots, found.bars, found.diagnostics)


SHOTS = Stage("shots", FoundShots, _found)


# --- seeing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What the search or the watching of a film has brought. Ranks count pictures in showing order."""

    cuts: list[int]
    outline: Outline
    keys: list[KeyPicture]
    bars: Bars
    time: Callable[[int], FilmTime]  # of a rank
    look: Callable[[list[FilmTime]], list[KeyPicture]]  # further pictures, where they can still be had
    end: FilmTime
    diagnostics: list[Diagnostic]


def _search(film: Path, facts: FilmFacts, progress: Callable[[float], None]) -> _Seen:
    """Decode only where cuts can be. Raises Unstamped and Stop."""
    found = survey(film, facts, _THREADS, lambda share: progress(_SURVEY_SHARE * share))
    groups = plan(found)
    verdicts: list[Verdict] = []
    outlines: list[Outline] = []
    with ExitStack() as stack:
        free: SimpleQueue[GroupReader] = SimpleQueue()
        for _ in range(_THREADS):
            free.put(stack.enter_context(GroupReader(film, found.index, found.inside)))

        def task(group: Group) -> tuple[Verdict, Outline]:
            reader = free.get()
            try:
                verdict, strip = examine(reader, found, group)
            finally:
                free.put(reader)
            strip = strip or _key_strip(found, group)
            return verdict, outline_of(strip.thumbs, strip.ranks)

        pool = stack.enter_context(ThreadPoolExecutor(_THREADS))
        for done, (verdict, outline) in enumerate(pool.map(task, groups), 1):
            verdicts.append(verdict)
            outlines.append(outline)
            progress(_SURVEY_SHARE + (1 - _SURVEY_SHARE) * done / len(groups))
    shown = found.index.shown
    end = found.clock.time(int(shown[-1])) + 1 / facts.rate
    if end.seconds >= facts.duration - 1:
        end = FilmTime(facts.duration)
    else:
        found.diagnostics.append(_short(end, facts))
    return _Seen(
        merge(verdicts),
        Outline.joined(outlines),
        [key for key in found.keys if key],
        found.bars,
        lambda rank: found.clock.time(int(shown[min(rank, len(shown) - 1)])) if rank < len(shown) else end,
        lambda times: _look(film, found, times, black_level(facts)),
        end,
        found.diagnostics,
    )


def _look(film: Path, found: Survey, times: list[FilmTime], black: int) -> list[KeyPicture]:
    """Decode a picture at each of some moments, in order."""
    stamps = [int((time.seconds + found.clock.start) / found.clock.time_base) for time in times]
    with GroupReader(film, found.index, found.inside, filter_loop=True) as reader:
        ranks = np.searchsorted(found.index.shown, stamps).tolist()
        seen = [reader.key_picture(rank, found.clock, black) for rank in ranks if rank < len(found.index.shown)]
    return [picture for picture in seen if picture]


def _short(end: FilmTime, facts: FilmFacts) -> Diagnostic:
    there, whole = clock(end.seconds), clock(facts.duration)
    return Diagnostic("film", f"the film's pictures end at {there}, though it is said to last {whole}")


def _key_strip(found: Survey, group: Group) -> Strip:
    """The key picture alone of a group that was not decoded."""
    thumb = found.thumb(group.place)
    return Strip.empty() if thumb is None else Strip(np.array([group.start]), thumb[None])


def _watch(film: Path, facts: FilmFacts, progress: Callable[[float], None]) -> _Seen:
    """Decode the whole film once, picture by picture; the n-th picture is the film's n-th frame."""
    block, overlap = 400, 8
    black = black_level(facts)
    every = max(1, round(facts.rate))
    strip = Strip.empty()
    verdicts: list[Verdict] = []
    outlines: list[Outline] = []
    keys: list[KeyPicture] = []
    ranks: list[int] = []
    thumbs: list[NDArray[np.uint8]] = []
    diagnostics: list[Diagnostic] = []

    def close_block() -> None:
        nonlocal strip
        strip = strip.tail(overlap).joined(ranks, thumbs)
        verdicts.append(judge(strip))
        outlines.append(outline_of(strip.thumbs, strip.ranks))
        ranks.clear()
        thumbs.clear()

    rank = -1
    for rank, frame in enumerate(decode_all(film, diagnostics)):
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
    seen = Outline.joined(outlines)
    return _Seen(
        merge(verdicts), seen, keys, bars, lambda at: FilmTime(at / facts.rate), lambda _: [], end, diagnostics
    )


# --- shots ----------------------------------------------------------------------------------------------------------


def _joined(blends: list[Blend]) -> list[Blend]:
    """In order; what overlaps or touches becomes one, a fade if either is."""
    joined: list[Blend] = []
    for blend in sorted(blends):
        if joined and blend.start <= joined[-1].end + 1:
            last = joined.pop()
            kind = GradualCut.FADE if GradualCut.FADE in (last.kind, blend.kind) else GradualCut.DISSOLVE
            blend = Blend(last.start, max(last.end, blend.end), kind)
        joined.append(blend)
    return joined


def _tile(seen: _Seen, cuts: list[int], blends: list[Blend]) -> list[FilmShot]:
    """Shots between the boundaries; a cut is a boundary of no length."""
    bounds = sorted([(cut, cut, GradualCut.CUT) for cut in cuts] + [(b.start, b.end, b.kind) for b in blends])
    shots: list[FilmShot] = []
    start, begins = FilmTime(Fraction(0)), GradualCut.CUT
    for first, after, kind in bounds:
        end = seen.time(first)
        if end > start:
            shots.append(FilmShot(len(shots), FilmRange(start, end), begins))
        start, begins = max(start, seen.time(after)), kind
    if start < seen.end:
        shots.append(FilmShot(len(shots), FilmRange(start, seen.end), begins))
    return shots


def _with_unseen(shots: list[FilmShot], seen: _Seen) -> list[KeyPicture]:
    """The key pictures, and one more for each shot of a second or more that has none and could be a title."""
    times = [key.time for key in seen.keys]
    outlined = [seen.time(int(rank)) for rank in seen.outline.ranks]
    ground = has_plain_ground(seen.outline)
    unseen = []
    for shot in shots:
        start, end = shot.range.start, shot.range.end
        if shot.range.duration >= 1 and bisect_left(times, start) == bisect_left(times, end):
            middle = FilmTime((start.seconds + end.seconds) / 2)
            if ground[min(bisect_left(outlined, middle), len(ground) - 1)]:
                unseen.append(middle)
    return sorted([*seen.keys, *seen.look(unseen)], key=lambda key: key.time)


def _named(shots: list[FilmShot], keys: list[KeyPicture], seen: _Seen, facts: FilmFacts) -> tuple[FilmShot, ...]:
    """The shots with the reason why no trailer should use some of them."""
    black = black_level(facts)
    times = [key.time for key in keys]
    dark = _dark(seen, black)
    reasons: list[str | None] = []
    for shot in shots:
        own = keys[bisect_left(times, shot.range.start) : bisect_left(times, shot.range.end)]
        reasons.append(_reason(shot, own, dark, black, facts))
    lettered = [i for i, reason in enumerate(reasons) if reason == "credits"]
    if lettered:  # what is shown between the credits belongs to them
        for i in range(lettered[0], lettered[-1]):
            reasons[i] = "credits"
    return tuple(replace(shot, why_not=reason) for shot, reason in zip(shots, reasons, strict=True))


def _dark(seen: _Seen, black: int) -> list[tuple[FilmTime, bool]]:
    """Every picture of the outline, in order: its time, and whether it is black."""
    flags = (spreads(seen.outline) < PLAIN) & (seen.outline.luma.max(1, initial=0) <= black + 20)
    return [(seen.time(int(rank)), bool(flag)) for rank, flag in zip(seen.outline.ranks, flags, strict=True)]


def _reason(
    shot: FilmShot, keys: list[KeyPicture], dark: list[tuple[FilmTime, bool]], black: int, facts: FilmFacts
) -> str | None:
    first = bisect_left(dark, (shot.range.start, False))
    last = bisect_left(dark, (shot.range.end, False))
    flags = [flag for _, flag in dark[first:last]]
    lettered = sum(is_text(key.glance) or is_card(key.glance, black) for key in keys)
    if lettered and lettered >= _LETTERED * sum(not is_black(key.glance, black) for key in keys):
        return "credits" if shot.range.start.seconds > _CREDITS * facts.duration else "title"
    return "black" if flags and sum(flags) > 0.8 * len(flags) else None
