"""Finding the possible cuts of a film, and then the cuts, with as little decoding as possible.

    Survey ─ plan ─► Group, Group, … ─ examine ─► cuts, and the pictures that were decoded for them

A group of pictures is not decoded if the key pictures at its two ends are alike and none of its packets is
unusually large: a cut renews the whole picture, and that takes bytes. Of all other groups an outline is decoded
(reference pictures only), and all pictures around large packets and wherever the outline shows a cut inexactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.cuts import (
    NOVEL,
    SCORE,
    STEADY,
    SUDDEN,
    FoundCuts,
    is_similar,
    judge,
    novelty,
    spread,
    steps,
    sudden,
)
from cinecut.analysis.film.gops import PacketIndex, Survey
from cinecut.analysis.film.screen import is_text
from cinecut.analysis.film.strips import GroupReader, Strip

_AROUND = 12  # reference packets on each side with which one is compared
_SAME = 0.6  # greatest novelty between key pictures of one unchanged shot
_SAME_UNCHOSEN = 1.0  # the same if the second one is known not to be at a cut
_UNRELATED = 1.4  # least novelty between unrelated pictures; about 1.7 is usual
_LONE = 0.25  # least size, in those of a key picture, of a packet that is a suspect because it stands out
_LULL = 0.5  # most bytes of a quarter of a second without sudden movement or a dissolve, in sizes of a key picture
_PLAIN = 6.0  # levels of spread below which a picture shows almost nothing
_HUSH = 4  # pictures in a row that must be small to look like black
_FLOOR = 2.0  # greatest mean size of such pictures, relative to the film's smallest one
_HUSHED = 0.12  # or greatest size relative to those before (or after) them
_HUSHED_LEAST = 0.005  # and relative to a key picture
_BEFORE, _AFTER = 3, 4  # pictures decoded in full before and after a possible cut
_MORE_LOOKS = 2  # further looks at a group


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A group of pictures and what its packets show before it is decoded.

    place : its number
    start, end : ranks of its key picture and of the next group's (or the film's end)
    suspects : stretches of ranks, half-open, in which a large packet may be a cut
    change : novelty of the next key picture relative to its own; infinite at the film's end or if one is missing
    inflow : bytes of the packets between the two key pictures, in sizes of the smaller of these
    calm : from this rank on, each quarter of a second takes few bytes: nothing moves suddenly, and nothing dissolves
    plain : a key picture at one of its ends shows almost nothing, so that comparing them is of little use
    lettered : both key pictures are of credits, which may roll on
    chosen : whether the encoder may have placed the next key frame at a cut; None if it never does so in this film
    """

    place: int
    start: int
    end: int
    suspects: tuple[tuple[int, int], ...]
    change: float
    inflow: float
    calm: int
    plain: bool
    lettered: bool
    chosen: bool | None

    @property
    def is_still(self) -> bool:
        """Whether it is one unchanged shot, unless a suspect is a cut that is soon followed by the cut back."""
        if self.plain and self.inflow > 0.5:
            return False
        if self.lettered and not self.chosen:
            return True
        return self.change < (_SAME_UNCHOSEN if self.chosen is False else _SAME)

    @property
    def may_end_in_cut(self) -> bool:
        """Whether its end may certainly be a cut: the encoder chose it, and little changed before it."""
        return not self.plain and bool(self.chosen) and self.calm < self.end

    def ends_in_cut(self, rank: int, last: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
        """Whether its end is certainly a cut: the picture there is new as well.

        rank, last : its last known picture, and its thumbnail; after : the thumbnail of the next key picture
        """
        if not self.may_end_in_cut or rank < self.calm:
            return False
        return float(novelty(last[None], after[None])[0]) >= _UNRELATED and not is_similar(last, after)


def plan(survey: Survey) -> Iterator[Group]:
    """All groups in order, judged by their packets and key pictures."""
    index = survey.index
    bounds = np.append(index.groups, len(index.pts))
    starts = np.append(index.rank[index.groups], len(index.pts))
    chosen = _chosen(starts)
    quarter = int(1 / (4 * survey.clock.time_base))
    sure = [choice is True and not all(chosen) for choice in chosen]  # in a short film, none is known to be due
    hushes = _hushes(index, starts[1:][sure])
    chooses = any(choice is not None for choice in chosen)
    for place in range(len(index.groups)):
        first, last = int(bounds[place]), int(bounds[place + 1])
        here, after = survey.thumb(place), survey.thumb(place + 1)
        start, end = int(starts[place]), int(starts[place + 1])
        change = inflow = float("inf")
        calm, plain = end, False
        if here is not None and after is not None:
            change = float(novelty(here[None], after[None])[0])
            plain = bool(spread(np.stack([here, after])).min() < _PLAIN)
            lesser = float(min(index.size[first], index.size[last]))
            inflow = index.size[first + 1 : last].sum() / lesser
            calm = _calm(index, first, last, quarter, _LULL * lesser)
        lettered = all(key is not None and is_text(key.glance) for key in survey.keys[place : place + 2])
        hushed = [(near, far) for near, far in hushes if near < end and far > start]
        suspects = tuple(united(_suspects(index, first, last, chooses) + hushed))
        yield Group(place, start, end, suspects, change, inflow, calm, plain, lettered, chosen[place])


def _chosen(starts: NDArray[np.int64]) -> list[bool | None]:
    """Whether the key frame after each group may have been placed because of a cut, judged by the ranks alone.

    Without a cut, encoders place one after a fixed number of pictures; some count from a key frame before the last.
    """
    lengths = np.diff(starts)
    whole = lengths[:-1] if len(lengths) > 1 else lengths  # the film ends before the last group is as long as it may be
    longest = np.percentile(whole, 95)
    short = lengths < 0.9 * longest
    as_long = np.abs(whole - longest) <= 2
    if as_long.mean() >= 0.7:
        return [None] * len(lengths)
    if as_long.sum() < max(3, 0.03 * len(whole)):  # a short film may have none
        return [True] * len(lengths)
    due = np.searchsorted(starts, starts[1:] - longest - 2)
    late = np.searchsorted(starts, starts[1:] - longest + 2, "right")
    return [bool(choice) for choice in short & (due == late)]


def _calm(index: PacketIndex, first: int, last: int, quarter: int, most: float) -> int:
    """The rank, in a group of packets, a quarter of a second after the last one that takes more than so many bytes."""
    order = first + 1 + np.argsort(index.rank[first + 1 : last])
    pts, taken = index.pts[order], np.append(0, np.cumsum(index.size[order]))
    busy = np.flatnonzero(taken[1:] - taken[np.searchsorted(pts, pts - quarter, "right")] > most)
    if not len(busy):
        return int(index.rank[first])
    calm = int(np.searchsorted(pts, pts[busy[-1]] + quarter))
    return int(index.rank[order[calm] if calm < len(order) else last])


def _suspects(index: PacketIndex, first: int, last: int, chooses: bool) -> list[tuple[int, int]]:
    """Stretches of ranks before reference packets that are large compared with their key frame and their neighbours.

    chooses : the encoder places key frames at cuts. Then a cut without one is close to the last key frame, and its
        packet is nearly as large as a key frame's; a smaller one must stand out from its very neighbours.
    """
    ranks = index.rank[first:last]
    reference = np.flatnonzero(ranks == np.maximum.accumulate(ranks))
    size, rank = index.size[first:last][reference].tolist(), ranks[reference].tolist()
    large, much, more = (0.4, 3, 20) if chooses else (0.3, 2, 3)
    whole = int(min(index.size[[first, last]])) if chooses and last < len(index.size) else size[0]
    stretches = []
    for j in (j for j in range(1, len(size)) if size[j] > 0.1 * whole):
        around = size[max(1, j - _AROUND) : j] + size[j + 1 : j + 1 + _AROUND]
        near = size[max(1, j - 2) : j] + size[j + 1 : j + 3]
        usual = median(around) if around else 0
        alone = size[j] > _LONE * whole and size[j] > 1.4 * max(near, default=0) and size[j] > 1.8 * usual
        if alone or size[j] > (much if size[j] > large * whole else more) * usual:
            stretches.append((rank[j - 1] + 1 - _BEFORE, rank[j] + _AFTER))
    return stretches


def united(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches in order; those that overlap are one."""
    united: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def _hushes(index: PacketIndex, chosen: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Stretches of ranks around both ends of each run of pictures that take almost no bytes.

    Almost none is a few times the smallest picture of the film, or much less than the pictures before or after. Ends at
    key pictures that the encoder has `chosen` are left out: those are compared in any case.
    """
    order = np.argsort(index.rank, kind="stable")
    size, key = index.size[order].astype(np.float64), index.key[order]
    if len(size) < 2 * _HUSH or key.all():
        return []
    size[key] = np.interp(np.flatnonzero(key), np.flatnonzero(~key), size[~key])
    mean = np.convolve(size, np.ones(_HUSH) / _HUSH, "valid")
    low = np.concatenate([[False], mean <= _FLOOR * size.min(), [False]])
    ends = np.flatnonzero(np.diff(low.astype(np.int8))).reshape(-1, 2)
    edges = (ends + np.array([0, _HUSH - 1])).ravel().tolist()
    before, after = mean[:-_HUSH], mean[_HUSH:]
    least = np.minimum(before, after)
    drop = (least < _HUSHED * np.maximum(before, after)) & (least < _HUSHED_LEAST * np.median(index.size[index.key]))
    edges += (np.flatnonzero(drop) + _HUSH).tolist()
    return [(edge - _BEFORE - 1, edge + _AFTER) for edge in sorted(edges) if not (np.abs(chosen - edge) <= _HUSH).any()]


def examine(reader: GroupReader, survey: Survey, group: Group) -> tuple[FoundCuts, Strip | None]:
    """The cuts from a group's first picture to the one after its end, and the pictures decoded to find them."""
    if not group.suspects:
        if group.is_still and not group.chosen:
            return FoundCuts(), None
        here, after = survey.thumb(group.place), survey.thumb(group.place + 1)
        if here is not None and after is not None and group.ends_in_cut(group.start, here, after):
            return _with_cut(FoundCuts(), group.end), None
    fine = np.zeros(len(survey.index.pts) + _AFTER, np.bool_)
    for start, end in group.suspects:
        fine[max(0, start) : end] = True
    verdict, strip = _decoded(reader, survey, group, fine)
    for _ in range(_MORE_LOOKS):
        if not verdict.gaps:
            break
        for before, behind in verdict.gaps:
            fine[max(0, before - _BEFORE) : behind + _AFTER] = True
        verdict, strip = _decoded(reader, survey, group, fine)
    return verdict, strip


def _decoded(reader: GroupReader, survey: Survey, group: Group, fine: NDArray[np.bool_]) -> tuple[FoundCuts, Strip]:
    """The verdict on a group, decoded up to its end, or until the rest is settled or a closer look is needed."""
    pictures = reader.pictures(group.place, fine)
    strip = Strip.empty()
    known = group.start + int(np.flatnonzero(fine[group.start : group.end]).max(initial=-1)) + 1
    stop = max(known, group.calm + 1) if group.may_end_in_cut else known
    if group.start < stop < group.end - _BEFORE:
        strip = strip.until(stop, pictures)
        verdict = judge(strip, _resets(survey, group))
        if any(not fine[before + 1 : behind].all() for before, behind in verdict.gaps):
            return verdict, strip
        if whole := _early_verdict(survey, group, strip, verdict):
            return whole, strip
    strip = strip.until(group.end, pictures)
    if whole := _verdict_by_key(survey, group, strip):
        return whole, strip
    fine[group.end : group.end + _AFTER] = True
    strip = strip.until(group.end + _AFTER, pictures)
    return judge(strip, _resets(survey, group)), strip


def _resets(survey: Survey, group: Group) -> frozenset[int]:
    """The ranks of key pictures, but not the one that the encoder has chosen to place at the group's end."""
    return survey.index.resets - {group.end} if group.chosen else survey.index.resets


def _early_verdict(survey: Survey, group: Group, strip: Strip, verdict: FoundCuts) -> FoundCuts | None:
    """The verdict on the whole group from a strip that ends early; None if the next key picture does not settle it."""
    after = survey.thumb(group.place + 1)
    if after is None or not len(strip.ranks):
        return None
    last = strip.thumbs[-1]
    if group.ends_in_cut(int(strip.ranks[-1]), last, after):
        return _with_cut(verdict, group.end)
    still = float(novelty(last[None], after[None])[0]) < _SAME or (not verdict.cuts and group.is_still)
    still &= not group.chosen
    return verdict if still else None


def _verdict_by_key(survey: Survey, group: Group, strip: Strip) -> FoundCuts | None:
    """The verdict from a strip up to the group's end, if the next key picture shows whether that is a cut.

    None if it is undecided until later pictures are decoded: after sudden movement, or if it may be a flash.
    """
    after = survey.thumb(group.place + 1)
    if after is None or not len(strip.ranks) or strip.ranks[-1] >= group.end:
        return None
    strip = strip.joined([group.end], [after])
    verdict = judge(strip, _resets(survey, group))
    if verdict.gaps:
        return verdict
    if any(group.end - _AFTER < rank < group.end for rank, _ in verdict.cuts):
        return None
    end = strip.tail(STEADY + 2)  # nothing earlier bears on the last step
    novel, _, score = (float(values[-1]) for values in steps(end))
    if (novel < NOVEL or score < SCORE / 2) and sudden(end)[-1] < SUDDEN / 2:
        return verdict
    key = int(survey.index.groups[group.place + 1])
    soon = survey.index.size[key + 1 : key + 1 + 2 * _AFTER]
    return verdict if score >= 2 * SCORE and soon.max(initial=0) < 0.5 * survey.index.size[key] else None


def _with_cut(verdict: FoundCuts, rank: int) -> FoundCuts:
    return replace(verdict, cuts=(*verdict.cuts, (rank, float("inf"))))
