"""Every slot of the blueprint gets a part of a take; all are chosen together.

    slots ─ gaps on the grid ─ candidates ─ sequence ─► cuts        a slot that nothing fills is split, or left out

The part lies inside one shot of the film, with room for its transitions, and has each line of dialogue whole or not at
all. Where people talk, neighbours may give each other a beat, so that more takes end where a phrase does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.edit.candidates import Candidate, Market, best_first
from cinecut.analysis.edit.cuts import Cut, OtherTake, Take, Tempo, lit
from cinecut.analysis.edit.pairs import Pairs
from cinecut.analysis.edit.parts import Gap, gaps_of, movable
from cinecut.analysis.edit.promises import OPENING
from cinecut.analysis.edit.sequence import Chosen, sequence
from cinecut.analysis.edit.weights import read_weights
from cinecut.analysis.report.reasons import Page, reason_beside
from cinecut.vibes import Vibe

_ALIKE = 0.72  # likeness above which two shots are of one set-up
_MET = 0.9  # share of the wanted beats; if fewer are filled, alike neighbours are allowed
_SPARE = 24  # candidates of a slot beyond one for each slot of the trailer
_MOVED = 16  # the same of a slot that takes a beat from a neighbour or gives one
_TALKING = 0.25  # share of takes with speech from which on slots do so
_ROUNDS = 7  # of splitting slots that nothing fills; then they are left out
_CHOICE, _PART = 4, 5  # shots that fill a slot, if a fifth of all takes are so many; with fewer it is split
_CHOICE_OF_BEST = 3  # the same of the strongest takes for a best slot
_BRIEF = Fraction(9, 10)  # seconds: no slot is split into shorter ones for the sake of choice
_KEPT = 2  # of the strongest takes for a best slot, that no other slot gets
_OTHERS = 5  # alternatives of a slot
_APART = 4  # slots within which no two have the same alternative, however few shots are left
_SOME, _FEW = 4, 2  # alternatives that a slot has at least, if need be those of slots nearby, of its neighbours


def arrange(slots: Sequence[Slot], takes: Sequence[Take], vibe: Vibe, tempo: Tempo, order: float = 0.5) -> list[Cut]:
    """Fill the slots. A slot for which nothing is long enough is split in two; empty ones are left out. `order` is the
    skeleton's.

    In a film of one look, neighbours cannot differ; then alike ones are allowed.
    """
    if not takes:
        return [Cut(slot) for slot in slots if not slot.want.shows]
    pairs = Pairs(takes, read_weights(), order, _ALIKE)
    known = pairs.cast.sure if pairs.cast.shares else None
    market = Market(takes, vibe, tempo, pairs.weights, known)
    cuts = _arranged(slots, market, pairs)
    filled = _unfilled(slots, [cut.slot for cut in cuts]) <= 1 - _MET
    return cuts if filled else _arranged(slots, market, replace(pairs, alike=1.0))


def _unfilled(wanted: Sequence[Slot], slots: Sequence[Slot]) -> Fraction:
    """The beats of shots that are left out, as a share of all that were wanted."""
    shown, now = (sum(slot.beats for slot in each if slot.want.shows) for each in (wanted, slots))
    return Fraction(shown - now, max(1, sum(slot.beats for slot in wanted)))


def _arranged(wanted: Sequence[Slot], market: Market, pairs: Pairs) -> list[Cut]:
    slots, left = _affordable(wanted, len(market.takes)), _ROUNDS
    while True:  # each part is made for its neighbours, so that all are chosen anew until none is left out
        left -= 1
        slots = lit(slots, wanted, market.tempo)
        gaps = gaps_of(slots, market.vibe, market.tempo)
        offers = _offers(gaps, market)
        scarce = (_scarce(gaps, offers, market) or _unintroduced(gaps, offers, market, pairs)) if left > 1 else set()
        if scarce:
            slots = _paced([part for n, slot in enumerate(slots) for part in _halves(slot, n in scarce)])
            slots = _affordable(slots, len(market.takes))
            continue
        chosen = sequence(gaps, offers, pairs)
        empty = {n for n, slot in enumerate(slots) if slot.want.shows and chosen[n] is None}
        if not empty:
            return _cuts(gaps, offers, chosen, pairs, market)
        used = {each.cut.take.shot for each in chosen if each and each.cut.take}
        splits = left > 1 and any(take.shot not in used for take in market.takes)
        slots = _paced([part for n, slot in enumerate(slots) for part in _filled(slot, n in empty, splits)])


def _scarce(gaps: Sequence[Gap], offers: Sequence[Sequence[Candidate]], market: Market) -> set[int]:
    """The slots that few takes can fill, since few are so long or have so long a pause, or, for a best slot, few are
    strong enough. A slot is none if several lines fit it. No more than the takes that are left for the slots made by
    splitting."""
    enough = min(_CHOICE, len(market.takes) // _PART)
    spare = len(market.takes) - sum(gap.slot.want.shows for gap in gaps)
    scarce = set[int]()
    for number, (gap, offered) in enumerate(zip(gaps, offers, strict=True)):
        slot = gap.slot
        if not slot.want.shows or slot.beats < 2 or gap.length < 2 * _BRIEF:
            continue
        few = min(_CHOICE_OF_BEST, enough)
        if slot.want is Want.LINE and len(_shots(each for each in offered if each.cut.line is not None)) >= few:
            continue
        strongest = slot.best or slot.ends
        shots = _shots(market.strongest(gap) if strongest else offered)
        if len(scarce) < spare and len(shots) < (few if strongest else enough):
            scarce.add(number)
    return scarce


def _unintroduced(gaps: Sequence[Gap], offers: Sequence[Sequence[Candidate]], market: Market, pairs: Pairs) -> set[int]:
    """The longest slot of the opening, if a main subject could be introduced there, but is in no shot that is so long
    as one of its slots."""
    opening = [n for n, gap in enumerate(gaps) if gap.slot.act in OPENING and gap.slot.want.shows]
    offered = {each.number for n in opening for each in offers[n] if not each.cut.silenced and not each.spoils}
    longest = max(opening, key=lambda n: (gaps[n].length, -n), default=0)
    cast = pairs.cast
    for subject in range(min(len(cast.shares), len(opening))):
        surely = np.flatnonzero(cast.sure & (cast.subject == subject))
        there = any(not market.spoiling(gaps[n].slot)[surely].all() for n in opening)
        if there and offered.isdisjoint(surely.tolist()) and gaps[longest].length >= 2 * _BRIEF:
            return {longest}
    return set()


def _shots(offered: Iterable[Candidate]) -> set[int]:
    """The shots of those that may be shown as they are."""
    return {_shot(each) for each in offered if not each.cut.silenced and not each.spoils}


def _paced(slots: Sequence[Slot]) -> list[Slot]:
    """The slots, with the first of act 3 no longer than those of act 2."""
    second = [slot.beats for slot in slots if slot.act == "act 2" and slot.want.shows]
    first = next((n for n, slot in enumerate(slots) if slot.act == "act 3" and slot.want.shows), None)
    if first is None or not second or slots[first].beats * len(second) <= sum(second) or slots[first].beats < 2:
        return list(slots)
    return _paced([*slots[:first], *_halves(slots[first], True), *slots[first + 1 :]])


def _affordable(slots: Sequence[Slot], count: int) -> list[Slot]:
    """The slots, limited to as many shots as there are takes: the act with the most slots loses its last one,
    repeatedly."""
    kept = list(slots)
    while sum(slot.want.shows for slot in kept) > max(1, count):
        spare = [n for n, slot in enumerate(kept) if slot.want.shows and not (slot.best or slot.ends)] or [
            n for n, slot in enumerate(kept) if slot.want.shows
        ]
        acts = [kept[n].act for n in spare]
        most = max(acts, key=lambda act: (acts.count(act), -acts.index(act)))
        del kept[max(n for n in spare if kept[n].act == most)]
    return kept


def _filled(slot: Slot, empty: bool, splits: bool) -> list[Slot]:
    """The slot; or two shorter ones, or none if it cannot be split, if nothing fills it."""
    if not empty:
        return [slot]
    return _halves(slot, True) if splits and slot.beats > 1 else []


def _halves(slot: Slot, splits: bool) -> list[Slot]:
    """Two slots in place of one that can be split: the longer one first, or last if that one gets the best shot. At the
    drop the best shot comes first."""
    half = slot.beats // 2
    if not splits or not half:
        return [slot]
    first, second = replace(slot, beats=slot.beats - half), replace(slot, beats=half, text="")
    if second.want is Want.LINE:
        second = replace(second, want=Want.SHOT)
    if slot.best and slot.act == "beat drop":
        return [first, replace(second, best=False)]
    if slot.best or slot.ends:
        first, second = replace(first, beats=half, best=False, ends=False), replace(second, beats=first.beats)
    return [first, second]


def _offers(gaps: Sequence[Gap], market: Market) -> list[list[Candidate]]:
    """The candidates of each gap; none if none fits. The best slots get the strongest takes, all of them the same, and
    some of these are reserved for them."""
    shown = sum(gap.slot.want.shows for gap in gaps)
    count, kept = shown + _SPARE, min(_KEPT, 1 + max(0, len(market.takes) - shown))
    talking = sum(bool(take.lines) for take in market.takes) >= _TALKING * len(market.takes)
    forms = movable(gaps, market.tempo) if talking else [[gap] for gap in gaps]
    offers: list[list[Candidate]] = [[] for _ in gaps]
    taken, needed = set[int](), set[int]()
    for number in sorted(range(len(gaps)), key=lambda n: (not gaps[n].slot.best, not gaps[n].slot.ends, n)):
        gap = gaps[number]
        if gap.slot.best or gap.slot.ends:
            offered = best_first(each for form in forms[number] for each in _heard(form, market.strongest(form)))
            if {each.number for each in offered} <= needed:
                offered += market.next_strongest(gap)
            offers[number] = [each for each in offered if gap.slot.best or each.number not in taken]
            found = list(dict.fromkeys(each.number for each in offered))
            needed |= set(found) if len(found) == 1 else set()
            taken |= set([each for each in found if each not in taken][:kept])
            if offers[number]:
                continue
        if gap.slot.want.shows:
            candidates = market.candidates(gap, count)
            for form in forms[number][1:]:
                candidates += _heard(form, market.candidates(form, _MOVED))
            offers[number] = [each for each in best_first(candidates) if each.number not in taken]
    return offers


def _heard(gap: Gap, offered: Sequence[Candidate]) -> list[Candidate]:
    """The candidates; of a gap that takes or gives a beat only those that are heard, since that is what it is for."""
    return [each for each in offered if not gap.moved or each.cut.own_sound]


def _cuts(
    gaps: Sequence[Gap], offers: Sequence[Sequence[Candidate]], chosen: Chosen, pairs: Pairs, market: Market
) -> list[Cut]:
    """The cuts with their alternatives."""
    used = {each.cut.take.shot for each in chosen if each is not None and each.cut.take is not None}
    free: dict[int, list[Candidate]] = {}
    for number, (offered, each) in enumerate(zip(offers, chosen, strict=True)):
        if each is not None:
            beside = [other.number for other in chosen[max(0, number - 1) : number + 2] if other and other is not each]
            same = [other for other in offered if (other.gap.begin, other.gap.end) == (each.gap.begin, each.gap.end)]
            free[number] = _spare(each, same, used, beside, pairs)
    others, page = _dealt(free), Page(pairs.subjects)
    cuts: list[Cut] = []
    for number, (gap, each) in enumerate(zip(gaps, chosen, strict=True)):
        if each is None:
            cuts.append(Cut(gap.slot))
            continue
        offered, wishes = offers[number], market.wishes(gap.slot)
        why = page.reason(each, offered, wishes)
        said, alternatives = set[str](), list[OtherTake]()
        for other in others[number]:
            assert other.cut.take is not None
            words = reason_beside(other, each, pairs.subjects, said)
            alternatives.append(OtherTake(other.cut.take, other.cut.in_, words))
        cuts.append(replace(each.cut, why=why, others=tuple(alternatives)))
    return cuts


def _spare(
    each: Candidate, offered: Sequence[Candidate], used: set[int], beside: Sequence[int], pairs: Pairs
) -> list[Candidate]:
    """Unmuted parts of shots that are not in the trailer, the best first, one for each shot."""
    spare: dict[int, Candidate] = {}
    for other in offered:
        take, cut = other.cut.take, other.cut
        if take is None or take.shot in used or not _alone(cut) or cut.enters != each.cut.enters or other.spoils:
            continue
        if all(pairs.likeness[other.number, near] <= pairs.alike for near in beside):
            spare.setdefault(take.shot, other)
    return list(spare.values())


def _alone(cut: Cut) -> bool:
    """Whether it is heard as it is."""
    return cut.own_sound and not (cut.lead or cut.trail)


def _dealt(free: Mapping[int, Sequence[Candidate]]) -> dict[int, list[Candidate]]:
    """Up to five alternatives for each slot. The slots choose in turn, and slots within reach of each other never
    choose the same; the reach shrinks if there are too few shots."""
    dealt: dict[int, list[Candidate]] = {number: [] for number in free}
    shots = {_shot(each) for spare in free.values() for each in spare}
    for most, apart in ((_OTHERS, max(_APART, len(shots) // _OTHERS)), (_SOME, _APART), (_FEW, 0)):
        for _ in range(most):
            for number, spare in free.items():
                near = range(number - apart, number + apart + 1)
                taken = {_shot(each) for other in near for each in dealt.get(other, [])}
                following = next((each for each in spare if _shot(each) not in taken), None)
                if len(dealt[number]) < most and following is not None:
                    dealt[number].append(following)
    return dealt


def _shot(each: Candidate) -> int:
    assert each.cut.take is not None
    return each.cut.take.shot
