"""One candidate for each slot, chosen together so that each shot leads to the next.

    candidates of all slots ─ beam search ─ exchanges, as long as one is for the better ─► one candidate for each slot

What a sequence is worth: its candidates' worths, what each pair in a row is worth (movement, light and the place of the
eye carry over, the order of the film is kept as far as the skeleton wants), less for look-alikes within reach and for a
set-up that stands again and again, less if a third of act 3 does not move more than act 2, less for a main subject of
the film that act 1 does not introduce, and for each shot with which a row of one subject gets too long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import combinations, zip_longest

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.edit.candidates import Candidate
from cinecut.analysis.edit.pairs import Floats, Meeting, Pairs, Shortlist
from cinecut.analysis.edit.parts import Gap
from cinecut.analysis.edit.promises import Casting, Lacks, Places, Prices, Repeats, Rising

_BEAM = 24  # paths that are kept
_NO_END = 99  # beats: of no candidate
_REACH, _FAR, _LESS = 3, 6, 0.5  # shots within which two that look alike disturb, and disturb less: by this factor
_ROUNDS = 12  # of exchanges, at most
_TRIES = 12  # searches, each with other prices
_ENOUGH = 0.02  # of what is lacking, at which no better sequence is searched for
_BETTER = 1e-6  # least gain of an exchange
_TOLERABLE = 0.06  # the same at which no shots are exchanged for its sake alone
_LACKING = 100.0  # what all that a sequence can lack is worth
_MENDED = 4  # of the sequences found, those that lack least
_FIRST = 8  # candidates of a slot, the best first, with which a sequence that lacks something is tried
_NEARBY = 6  # slots apart, between which shots change places; with the last slot, from anywhere

Offers = Sequence[Sequence[Candidate]]  # of each gap
Chosen = list[Candidate | None]


def sequence(gaps: Sequence[Gap], offers: Offers, pairs: Pairs) -> Chosen:
    """The best candidate of each gap, None if nothing is left. No take is used twice.

    Shots of one act may give each other a beat; where a slot stays empty they may not, since nothing meets its ends.

    What the sequence must reach as a whole (see `promises`) is a matter of prices: what it lacks costs more, and it is
    searched again; of the sequences that fill most, the one that lacks least is taken: an empty slot lacks nothing.
    """
    best = _sequence(gaps, offers, pairs)
    if any(each is None and gap.slot.want.shows for each, gap in zip(best, gaps, strict=True)):
        best = _sequence(gaps, [[each for each in offered if not each.gap.moved] for offered in offers], pairs)
    return best


def _sequence(gaps: Sequence[Gap], offers: Offers, pairs: Pairs) -> Chosen:
    options = [Shortlist.of(each) for each in offers]
    usual = pairs.usual(options)

    @cache
    def steps(before: int, number: int, price: float) -> Floats:
        return pairs.steps(options[before], options[number], gaps[number], usual, Meeting(before == number - 1, price))

    prices, known = Prices(), list[_Found]()
    for _ in range(_TRIES):
        search = _Search(gaps, options, pairs, prices, steps)
        begun = [search.beam(), list(min(known, key=_Found.rank).places)] if known else [search.beam()]
        sequences = [_Found(search, search.improved(places)) for places in begun]
        known += sequences
        if min(known, key=_Found.rank).lacks.total < _ENOUGH:
            break
        prices = prices.raised(min(sequences, key=lambda each: each.lacks.total).lacks)
    known.sort(key=_Found.rank)
    known += [_Found(each.search, each.search.mended(each.places)) for each in known[:_MENDED]]
    known.sort(key=_Found.rank)
    first = _Search(gaps, options, pairs, Prices(), steps)
    found = [_Found(first, each.places) for each in known[:_MENDED]]
    best = min(found, key=_Found.liking).places
    return [None if place < 0 else offered[place] for place, offered in zip(best, offers, strict=True)]


@dataclass(frozen=True, eq=False)
class _Found:
    """A sequence, and the search that found it."""

    search: _Search
    places: Places

    @cached_property
    def lacks(self) -> Lacks:
        return self.search.lacks(self.places)

    def rank(self) -> tuple[int, float]:
        """What is the better, the less it is: the empty slots, and what the sequence lacks."""
        return self.places.count(-1), self.lacks.total

    def liking(self) -> tuple[int, float, float]:
        """The same among sequences that lack no more than is tolerable: the one that is worth most."""
        cast, others = self.lacks.cast, self.lacks.total - self.lacks.cast
        return self.places.count(-1), cast + max(0.0, others - _TOLERABLE), -self.search.worth(self.places)


@dataclass(frozen=True, slots=True)
class _Path:
    """Candidates for the first slots."""

    worth: float
    places: tuple[int, ...] = ()
    takes: tuple[int, ...] = ()
    spoken: tuple[int, ...] = ()  # of the takes those with a line


class _Search:
    """The values that are computed before the search: of each candidate, and of each pair of neighbouring slots."""

    def __init__(
        self,
        gaps: Sequence[Gap],
        options: Sequence[Shortlist],
        pairs: Pairs,
        prices: Prices,
        steps: Callable[[int, int, float], Floats],
    ) -> None:
        """`steps`: what each pair of two slots' candidates is worth, by a factor on the cost for the eye."""
        mute, tone = pairs.weights.mute * (prices.mute - 1), pairs.weights.tone * (prices.dubbed - 1)
        self.gaps, self.pairs = gaps, pairs
        self.empty = pairs.weights.empty * max(prices.mute, prices.dubbed, prices.eye, prices.rise, prices.cast)
        moving = [pairs.weights.act.get(gap.slot.act, {}).get("motion", 0.0) * (prices.rise - 1) for gap in gaps]
        self.options = options = [
            replace(each, worths=each.worths + mute * each.mute + tone * each.dubbed + moves * each.motion)
            for each, moves in zip(options, moving, strict=True)
        ]
        self.takes = [each.numbers.tolist() for each in options]  # quicker one by one than arrays
        self.ends = [each.ends.tolist() for each in options]
        self.shown = [n for n, gap in enumerate(gaps) if gap.slot.want.shows]
        self.before: dict[int, int] = dict(zip(self.shown[1:], self.shown, strict=False))
        self.after: dict[int, int] = dict(zip(self.shown, self.shown[1:], strict=False))
        self.steps = {n: steps(before, n, prices.eye) for n, before in self.before.items()}
        self.rise = Rising.of(gaps, options, pairs.weights.rise * prices.rise)
        self.cast = Casting.of(gaps, options, pairs, prices.cast)
        self.again = Repeats.of(pairs, len(self.shown))
        self.near = {number: self._near(at) for at, number in enumerate(self.shown)}
        self.penalties = dict[tuple[int, ...], float]()  # of whole sequences

    def lacks(self, places: Places) -> Lacks:
        """How far a sequence is from the requirements."""
        shown = [(self.options[n], places[n]) for n in self.shown if places[n] >= 0]
        return Lacks.of(shown, self.rise.least(places), sum(self.cast.lacking(self._chosen(places))))

    def _chosen(self, places: Places) -> dict[int, int]:
        """The take of each slot that is filled."""
        return {n: self.takes[n][places[n]] for n in self.shown if places[n] >= 0}

    def beam(self) -> Places:
        """A sequence by beam search: only the best paths are continued at every slot."""
        paths = [_Path(0.0)]
        for number, (gap, options) in enumerate(zip(self.gaps, self.options, strict=True)):
            if not gap.slot.want.shows:
                paths = [_Path(p.worth, (*p.places, -1), p.takes, p.spoken) for p in paths]
                continue
            chosen = self._continued(number, options, paths)
            paths = [_grown(paths[at], worth, place, options) for worth, at, place in chosen]
        return list(paths[0].places)

    def _continued(self, number: int, options: Shortlist, paths: Sequence[_Path]) -> Iterator[tuple[float, int, int]]:
        """The best paths, each with a candidate more or with none (-1): their worth, the number of the path that it
        continues, and the candidate's place. Among them are some for each beat at which the slot may end, since the
        next one must meet it."""
        values = self._values(number, options, paths)
        best = np.argsort(-values, axis=1, kind="stable")[:, :_BEAM]
        places = np.hstack([np.full((len(paths), 1), -1), best])
        gains = np.hstack([np.full((len(paths), 1), self.empty), np.take_along_axis(values, best, 1)])
        worth = (np.array([path.worth for path in paths])[:, None] + gains).ravel()
        at, place = np.repeat(np.arange(len(paths)), places.shape[1]), places.ravel()
        order = np.lexsort((place, at, -np.round(worth, 6)))[: int(np.isfinite(worth).sum())]
        ends, kept = np.append(options.ends[:, 1], _NO_END)[place[order]], np.zeros(len(order), bool)
        for end in set(ends.tolist()) - {_NO_END}:
            kept[np.flatnonzero(ends == end)[: _BEAM // 4]] = True
        kept[np.flatnonzero(~kept)[: max(0, _BEAM - int(kept.sum()))]] = True
        chosen = order[kept]
        yield from zip(worth[chosen].tolist(), at[chosen].tolist(), place[chosen].tolist(), strict=True)

    def _values(self, number: int, options: Shortlist, paths: Sequence[_Path]) -> Floats:
        """The value that each candidate adds to each path [paths x candidates]; -inf for those that must not follow."""
        values = np.tile(options.worths, (len(paths), 1))
        before = self.before.get(number)
        if before is not None:
            places = np.array([path.places[before] for path in paths])
            values[places >= 0] += self.steps[number][places[places >= 0]]
        values += [self.cast.beside(options, path.takes, ()) for path in paths]
        takes = list(zip_longest(*(reversed(path.takes) for path in paths), fillvalue=-1))  # from the last ones back
        near = [(_nearness(away), others) for away, others in enumerate(takes[:_FAR], 1)]
        spoken = list(zip_longest(*(path.spoken for path in paths), fillvalue=-1))
        return self.again.among(values, options, near, _by_path(takes, paths), _by_path(spoken, paths))

    def improved(self, places: Places) -> Places:
        """The sequence after all exchanges that raise its value: of one shot for another, and of two shots' places."""
        for _ in range(_ROUNDS):
            changed = False
            for number in self.shown:
                values = self._alone(number, places)
                best = int(np.argmax(values)) if len(values) else -1
                if places[number] >= 0 and values[best] > values[places[number]] + _BETTER:
                    places[number], changed = best, True
            if not (self._swapped(places) or changed):
                break
        return places

    def _alone(self, number: int, places: Places) -> Floats:
        """The value of the sequence with each candidate of a slot, without the terms that do not depend on it."""
        options = self.options[number]
        values = options.worths.copy()
        before, after = self.before.get(number), self.after.get(number)
        if before is not None and places[before] >= 0:
            values += self.steps[number][places[before]]
        if after is not None and places[after] >= 0:
            values += self.steps[after][:, places[after]]
        others = self._chosen(places)
        others.pop(number, None)
        near = [(nearness, others[n]) for nearness, n in self.near[number] if n in others]
        changed = self.rise.changed(number, places, self.options)
        takes = [others.get(n, -1) for n in self.shown]
        at = self.shown.index(number)
        values += self.cast.beside(options, takes[:at], takes[at + 1 :])
        values += self.cast.introducing(number, options, others)
        spoken = [take for n, take in others.items() if self.options[n].speaks[places[n]]]
        return self.again.among(values, options, near, list(others.values()), spoken) + changed

    def mended(self, places: Places) -> Places:
        """The sequence after exchanges by which it lacks less, as far as what they lose is worth it."""
        lacking = self.lacks(places).total
        for _ in range(_ROUNDS):
            mending = self._mending(places, lacking) if lacking >= _TOLERABLE else None
            if mending is None:
                break
            lacking, places = mending
        return places

    def _mending(self, places: Places, lacking: float) -> tuple[float, Places] | None:
        """Of the exchanges by which a sequence lacks less the one that is worth most: what is lacking then, and the
        sequence."""
        best, liking = None, -math.inf
        for gain, other in sorted(self._exchanges(places), key=lambda each: round(each[0], 6), reverse=True):
            if gain < liking:  # nor is any that follows worth more, whatever it lacks
                break
            lacks = self.lacks(other).total
            liked = round(gain - _LACKING * lacks, 6)
            if lacks < lacking - _BETTER and liked > liking:
                best, liking = (lacks, other), liked
        return best

    def worth(self, places: Places) -> float:
        """The value of a whole sequence."""
        filled = [number for number in self.shown if places[number] >= 0]
        alone = sum(
            self._at(number, places, [each for each in self.near[number] if each[1] < number]) for number in filled
        )
        return self._penalty(places) + alone + sum(self._joint(number, places) for number in filled)

    def _exchanges(self, places: Places) -> Iterator[tuple[float, Places]]:
        """Sequences with another shot in one slot, or two in each other's, and how much more they are worth."""
        for number in self.shown:
            if places[number] < 0:
                continue
            values = self._alone(number, places)
            for place in np.argsort(-np.round(values, 6), kind="stable")[:_FIRST]:
                if np.isfinite(values[place]) and place != places[number]:
                    other = list(places)
                    other[number] = int(place)
                    yield float(values[place] - values[places[number]]), other
        for one, two in combinations(self.shown, 2):
            swapped = self._exchanged(one, two, places)
            if swapped is not None:
                yield self._local(swapped, one, two) - self._local(places, one, two), swapped

    def _swapped(self, places: Places) -> bool:
        """Exchange two shots wherever that raises the value."""
        changed = False
        for one, other in combinations(self.shown, 2):
            swapped = self._exchanged(one, other, places)
            if swapped is None:
                continue
            least = self._local(places, one, other) + _BETTER
            if self._beside(swapped, one, other) > least and self._local(swapped, one, other) > least:
                places[one], places[other], changed = swapped[one], swapped[other], True
        return changed

    def _exchanged(self, one: int, other: int, places: Places) -> Places | None:
        """The sequence with the shots of two slots exchanged; None if they are far apart or do not fit there."""
        near = other - one <= _NEARBY or other == self.shown[-1]
        if not near or places[one] < 0 or places[other] < 0:
            return None
        there, here = self._instead(one, other, places), self._instead(other, one, places)
        if there is None or here is None:
            return None
        swapped = list(places)
        swapped[one], swapped[other] = here, there
        return swapped

    def _instead(self, one: int, other: int, places: Places) -> int | None:
        """The place among the options of a slot of the take that another one has."""
        begin, end = self.ends[other][places[other]]
        return self.options[other].place.get((self.takes[one][places[one]], begin, end))

    def _local(self, places: Places, one: int, other: int) -> float:
        """The value of the sequence, without the terms that do not depend on two slots."""
        return self._beside(places, one, other) + self._penalty(places)

    def _beside(self, places: Places, one: int, other: int) -> float:
        """The same without what the sequence costs as a whole: no sequence is worth more than that."""
        joints = {one, other, self.after.get(one, one), self.after.get(other, other)}
        alone = sum(self._at(number, places, self.near[number]) for number in (one, other))
        return alone + sum(self._joint(number, places) for number in joints)

    def _at(self, number: int, places: Places, near: Sequence[tuple[float, int]]) -> float:
        """The value of the candidate of a slot, less for those of slots that are `near`, which are like it."""
        place = places[number]
        alike = self.again.alike[self.takes[number][place]]
        others = [(nearness, self.takes[n][places[n]]) for nearness, n in near if places[n] >= 0]
        return float(self.options[number].worths[place] + sum(nearness * alike[take] for nearness, take in others))

    def _joint(self, number: int, places: Places) -> float:
        """What the candidate of a slot is worth after the one before it."""
        before = self.before.get(number)
        if before is None or places[before] < 0 or places[number] < 0:
            return 0.0
        return float(self.steps[number][places[before], places[number]])

    def _penalty(self, places: Places) -> float:
        """What a sequence costs as a whole: for a rise that it lacks, for its subjects, and for what it repeats."""
        if (penalty := self.penalties.get(tuple(places))) is None:
            chosen = self._chosen(places)
            said = [take for n, take in chosen.items() if self.options[n].speaks[places[n]]]
            repeated = self.again.penalty(list(chosen.values()), said)
            penalty = self.rise.penalty(places) + self.cast.penalty(chosen) + repeated
            self.penalties[tuple(places)] = penalty
        return penalty

    def _near(self, at: int) -> list[tuple[float, int]]:
        """The slots within reach of the shown slot at a place, each with its nearness."""
        first = max(0, at - _FAR)
        around = enumerate(self.shown[first : at + _FAR + 1], first)
        return [(_nearness(abs(place - at)), n) for place, n in around if place != at]


def _nearness(away: int) -> float:
    """The share of their likeness that two shots so many places apart cost."""
    return 1.0 if away <= _REACH else _LESS


def _by_path(takes: Sequence[Sequence[int]], paths: Sequence[_Path]) -> NDArray[np.int_]:
    """Takes [takes x paths] as [paths x takes]."""
    return np.array(takes, int).reshape(-1, len(paths)).T


def _grown(path: _Path, worth: float, place: int, options: Shortlist) -> _Path:
    if place < 0:
        return _Path(worth, (*path.places, -1), path.takes, path.spoken)
    take = int(options.numbers[place])
    spoken = (*path.spoken, take) if options.speaks[place] else path.spoken
    return _Path(worth, (*path.places, place), (*path.takes, take), spoken)
