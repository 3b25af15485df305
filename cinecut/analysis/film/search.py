"""Where in a film cuts can be, and finding them with as little decoding as that takes.

    Survey ─ plan ─► Group, Group, … ─ examine ─► cuts, and the pictures that were decoded on the way

A group of pictures is left alone when the key pictures at its two ends show the same and no packet in it is
large for its place: a cut renews the picture, and that takes bytes. Everything else is outlined (reference pictures
only) and decoded in full around large packets and where the outline leaves open where a cut is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.cuts import NOVEL, SCORE, Verdict, akin, judge, novelty, spread, steps
from cinecut.analysis.film.gops import PacketIndex, Survey
from cinecut.analysis.film.screen import is_text
from cinecut.analysis.film.strips import GroupReader, Strip

_AROUND = 12  # reference packets on each side with which one is compared
_SAME = 0.6  # novelty between key pictures of one unchanged shot, at most
_SAME_UNCHOSEN = 1.0  # the same where the second is known not to have been put there for a cut
_OTHER = 1.4  # novelty between pictures that have nothing in common, at least; about 1.7 is usual
_LULL = 0.6  # key pictures' worth of bytes in a quarter of a second without sudden movement, at most
_BLENDED = 5.0  # key pictures' worth of bytes between two cuts, from which on there may be a dissolve as well
_PLAIN = 6.0  # levels of spread in a picture that shows next to nothing
_BEFORE, _AFTER = 3, 4  # pictures decoded in full before and after a place where a cut may be
_CLOSER = 2  # times that a group is looked at again


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A group of pictures and what its packets tell, before anything in it is decoded.

    place : its number
    start, end : ranks of its key picture and of the next group's (or the film's end)
    suspects : stretches of ranks, half-open, where a large packet may hide a cut
    change : novelty of the next key picture against its own; infinite at the film's end or where one is missing
    inflow : bytes of the packets between the two key pictures, in sizes of the lesser of these
    lull : the same of the last quarter of a second alone
    plain : a key picture at one of its ends shows next to nothing, so that comparing them tells little
    lettered : both key pictures are of credits, which may roll on
    chosen : the encoder puts key frames where the film cuts, and the next one can be such; None: it never does
    """

    place: int
    start: int
    end: int
    suspects: tuple[tuple[int, int], ...]
    change: float
    inflow: float
    lull: float
    plain: bool
    lettered: bool
    chosen: bool | None

    @property
    def is_still(self) -> bool:
        """One unchanged shot from key picture to key picture, unless a suspect hides a cut and the cut back."""
        if self.plain and self.inflow > 0.5:
            return False
        if self.lettered and not self.chosen:
            return True
        return self.change < (_SAME_UNCHOSEN if self.chosen is False else _SAME)

    def ends_in_cut(self, last: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
        """Its end is a cut without a doubt: the encoder thought so, all is new, and just before all was foreseen.

        last, after : thumbnails of the last picture known in it, and of the next key picture
        """
        if self.plain or not self.chosen or self.lull > _LULL or self.inflow > _BLENDED:
            return False
        return float(novelty(last[None], after[None])[0]) >= _OTHER and not akin(last, after)


def plan(found: Survey) -> list[Group]:
    """What the packets and key pictures tell of each group."""
    index = found.index
    bounds = np.append(index.groups, len(index.pts))
    starts = np.append(index.rank[index.groups], len(index.pts))
    chosen = _chosen(starts)
    quarter = int(1 / (4 * found.clock.time_base))
    groups = []
    chooses = any(choice is not None for choice in chosen)
    for place in range(len(index.groups)):
        first, last = int(bounds[place]), int(bounds[place + 1])
        here, after = found.thumb(place), found.thumb(place + 1)
        change = inflow = lull = float("inf")
        plain = False
        if here is not None and after is not None:
            change = float(novelty(here[None], after[None])[0])
            plain = bool(spread(np.stack([here, after])).min() < _PLAIN)
            size, pts = index.size[first + 1 : last], index.pts[first + 1 : last]
            lesser = float(min(index.size[first], index.size[last]))
            inflow = size.sum() / lesser
            lull = size[pts >= index.pts[last] - quarter].sum() / lesser
        start, end = int(starts[place]), int(starts[place + 1])
        lettered = all(key is not None and is_text(key.glance) for key in found.keys[place : place + 2])
        suspects = tuple(_suspects(index, first, last, chooses))
        groups.append(Group(place, start, end, suspects, change, inflow, lull, plain, lettered, chosen[place]))
    return groups


def _chosen(starts: NDArray[np.int64]) -> list[bool | None]:
    """Whether the key frame after each group was put there for what the film shows, judged by their ranks alone.

    Encoders put one at latest after a certain number of pictures; some count these from a key frame before the last.
    """
    lengths = np.diff(starts)
    longest = np.percentile(lengths, 95)
    short = lengths < 0.9 * longest
    if short.mean() <= 0.3:
        return [None] * len(lengths)
    due = np.searchsorted(starts, starts[1:] - longest - 2)
    late = np.searchsorted(starts, starts[1:] - longest + 2, "right")
    return [bool(choice) for choice in short & (due == late)]


def _suspects(index: PacketIndex, first: int, last: int, chooses: bool) -> list[tuple[int, int]]:
    """Stretches of ranks before reference packets that are large against their key frame and their neighbours.

    chooses : the encoder puts key frames where the film cuts; it lets only such cuts pass that are too near to the last
        key frame, and those come out nearly as large as one
    """
    ranks = index.rank[first:last]
    reference = np.flatnonzero(ranks == np.maximum.accumulate(ranks))
    size, rank = index.size[first:last][reference], ranks[reference]
    large, much, more = (0.4, 3, 20) if chooses else (0.3, 2, 3)
    stretches = []
    for j in np.flatnonzero(size > 0.1 * size[0])[1:]:
        around = np.concatenate([size[max(1, j - _AROUND) : j], size[j + 1 : j + 1 + _AROUND]])
        if len(around) == 0 or size[j] > (much if size[j] > large * size[0] else more) * np.median(around):
            stretches.append((int(rank[j - 1]) + 1 - _BEFORE, int(rank[j]) + _AFTER))
    return stretches


def examine(reader: GroupReader, found: Survey, group: Group) -> tuple[Verdict, Strip | None]:
    """The cuts from a group's first picture to the one after its end, and what was decoded to find them."""
    if not group.suspects:
        if group.is_still:
            return Verdict(), None
        here, after = found.thumb(group.place), found.thumb(group.place + 1)
        if here is not None and after is not None and group.ends_in_cut(here, after):
            return _with_cut(Verdict(), group.end), None
    fine = np.zeros(len(found.index.pts) + _AFTER, np.bool_)
    if group.chosen is not None or not group.is_still:
        for start, end in group.suspects:
            fine[max(0, start) : end] = True
    verdict, strip = _decoded(reader, found, group, fine)
    for _ in range(_CLOSER):
        if not verdict.gaps:
            break
        for before, behind in verdict.gaps:
            fine[max(0, before - _BEFORE) : behind + _AFTER] = True
        verdict, strip = _decoded(reader, found, group, fine)
    return verdict, strip


def _decoded(reader: GroupReader, found: Survey, group: Group, fine: NDArray[np.bool_]) -> tuple[Verdict, Strip]:
    """What decoding the group shows, up to where nothing more is to be learned or a closer look is needed first."""
    pictures = reader.pictures(group.place, fine, rough=bool(group.suspects))
    strip = Strip.empty()
    if group.suspects and group.suspects[-1][1] < group.end - _BEFORE:
        strip = strip.until(group.suspects[-1][1], pictures)
        verdict = judge(strip)
        if any(not fine[before + 1 : behind].all() for before, behind in verdict.gaps):
            return verdict, strip
        if whole := _told_early(found, group, strip, verdict):
            return whole, strip
    strip = strip.until(group.end, pictures)
    if whole := _told_by_key(found, group, strip):
        return whole, strip
    fine[group.end : group.end + _AFTER] = True
    strip = strip.until(group.end + _AFTER, pictures)
    return judge(strip), strip


def _told_early(found: Survey, group: Group, strip: Strip, verdict: Verdict) -> Verdict | None:
    """The verdict over the whole group from a strip that ends early, where the next key picture settles the rest."""
    after = found.thumb(group.place + 1)
    if after is None or not len(strip.ranks):
        return None
    last = strip.thumbs[-1]
    if group.ends_in_cut(last, after):
        return _with_cut(verdict, group.end)
    still = float(novelty(last[None], after[None])[0]) < _SAME or (not verdict.cuts and group.is_still)
    return verdict if still else None


def _told_by_key(found: Survey, group: Group, strip: Strip) -> Verdict | None:
    """The verdict from a strip up to the group's end, where the next key picture leaves no doubt whether that is a cut.

    There is doubt where what follows decides: after sudden movement, and where something may be a flash.
    """
    after = found.thumb(group.place + 1)
    if after is None or not len(strip.ranks) or strip.ranks[-1] >= group.end:
        return None
    strip = strip.joined([group.end], [after])
    verdict = judge(strip)
    if verdict.gaps:
        return verdict
    if any(group.end - _AFTER < rank < group.end for rank, _ in verdict.cuts):
        return None
    novel, _, score = (float(values[-1]) for values in steps(strip))
    if novel < NOVEL or score < SCORE / 2:
        return verdict
    key = int(found.index.groups[group.place + 1])
    soon = found.index.size[key + 1 : key + 1 + 2 * _AFTER]
    return verdict if score >= 2 * SCORE and soon.max(initial=0) < 0.5 * found.index.size[key] else None


def _with_cut(verdict: Verdict, rank: int) -> Verdict:
    return replace(verdict, cuts=(*verdict.cuts, (rank, float("inf"))))
