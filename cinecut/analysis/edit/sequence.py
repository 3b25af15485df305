"""One candidate for each slot, chosen together so that each shot leads to the next.

    candidates of all slots ─ beam search ─ exchanges, as long as one is for the better ─► one candidate for each slot

What a sequence is worth: its candidates' worths, what each pair in a row is worth (movement, light and the place of the
eye carry over, the order of the film is kept as far as the skeleton wants), less for look-alikes within reach and for a
set-up that stands again and again, less if a third of act 3 does not move more than act 2, less for a main subject of
the film that act 1 does not introduce, and for each shot with which a row of one subject gets too long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import combinations, zip_longest

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinecut.analysis.edit.candidates import Candidate
from cinecut.analysis.edit.pairs import Floats, Meeting, Pairs, Shortlist
from cinecut.analysis.edit.parts import Gap
from cinecut.analysis.edit.promises import Casting, Lacks, Places, Prices, Rising

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
_TWICE = 2  # times that each set-up may stand in the trailer; more by its share of the film
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
        self.shot_of = np.array([*(take.shot for take in pairs.takes), -1], int)  # the last one: of no take
        self.shots = int(self.shot_of.max()) + 1
        self.set_up, self.stands = self._set_ups()
        self.repeating = bool(pairs.repeats.any())
        self.near = {number: self._near(at) for at, number in enumerate(self.shown)}
        self.penalties = dict[tuple[int, ...], tuple[float, float]]()  # of whole sequences, for rise and cast
        self.similar = np.vstack([pairs.near, np.zeros(len(pairs.takes))])  # the last row: to no take

    def _set_ups(self) -> tuple[NDArray[np.int_], Floats]:
        """The set-up of each take [takes + 1], and how often each may stand in the trailer [set-ups + 1]. The last ones
        are of no take, and of all set-ups that cannot stand too often."""
        takes, often = self.pairs.takes, [each for each in self.pairs.set_ups if len(each) > _TWICE]
        length = np.array([float(take.range.duration) for take in takes])
        set_up, stands = np.full(len(takes) + 1, len(often)), np.full(len(often) + 1, np.inf)
        for number, members in enumerate(often):
            set_up[members] = number
            stands[number] = max(_TWICE, np.ceil(len(self.shown) * length[members].sum() / length.sum()))
        return set_up, stands

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
        return self._among(values, options, near, _by_path(takes, paths), _by_path(spoken, paths))

    def _among(
        self,
        values: Floats,
        options: Shortlist,
        near: Sequence[tuple[float, ArrayLike]],
        takes: ArrayLike,
        spoken: ArrayLike,
    ) -> Floats:
        """The values of candidates beside the `takes` of one sequence [takes] or of several [sequences x takes], of
        which the `spoken` ones say a line; -1: none. They are lower for shots similar to those that are `near`, for
        other parts of one shot and for words that are said already, -inf for a take already used."""
        for nearness, others in near:
            values += nearness * self.similar[np.asarray(others)[..., None], options.numbers]
        known = np.asarray(takes, int)
        taken = np.zeros((*known.shape[:-1], len(self.shot_of)), bool)
        shown = np.zeros((*known.shape[:-1], self.shots + 1), bool)
        each = (np.arange(len(known))[:, None],) if known.ndim > 1 else ()
        taken[*each, known] = True
        shown[*each, self.shot_of[known]] = True
        values += self.pairs.weights.again * shown[..., options.shots]
        often = (self.set_up[known][..., None] == np.arange(len(self.stands))).sum(-2) >= self.stands
        values += self.pairs.weights.returns * often[..., self.set_up[options.numbers]]
        if self.repeating and options.speaks.any():
            said = self.pairs.repeats[np.asarray(spoken, int)][..., options.numbers].any(-2)
            values += self.pairs.weights.again * (said & options.speaks)
        values[taken[..., options.numbers]] = -np.inf
        return values

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
        return self._among(values, options, near, list(others.values()), spoken) + changed

    def mended(self, places: Places) -> Places:
        """The sequence after exchanges by which it lacks less, as far as what they lose is worth it."""
        lacking = self.lacks(places).total
        for _ in range(_ROUNDS):
            if lacking < _TOLERABLE:
                break
            tried = [(gain, self.lacks(each).total, each) for gain, each in self._exchanges(places)]
            better = [each for each in tried if each[1] < lacking - _BETTER]
            if not better:
                break
            _, lacking, places = max(better, key=lambda each: round(each[0] - _LACKING * each[1], 6))
        return places

    def worth(self, places: Places) -> float:
        """The value of a whole sequence."""
        chosen = self._chosen(places)
        total = self.rise.penalty(places) + self.cast.penalty(chosen) + self._repeated(places, chosen)
        for number in chosen:
            total += float(self.options[number].worths[places[number]])
            before = self.before.get(number)
            if before in chosen:
                total += float(self.steps[number][places[before], places[number]])
            near = [(nearness, chosen[n]) for nearness, n in self.near[number] if n in chosen and n < number]
            total += sum(nearness * float(self.similar[take, chosen[number]]) for nearness, take in near)
        return total

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
            if swapped and self._local(swapped, one, other) > self._local(places, one, other) + _BETTER:
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
        chosen = self._chosen(places)
        if (penalties := self.penalties.get(tuple(places))) is None:
            penalties = (self.rise.penalty(places), self.cast.penalty(chosen) + self._repeated(places, chosen))
            self.penalties[tuple(places)] = penalties
        total = penalties[0]
        for number in {one, other, self.after.get(one, one), self.after.get(other, other)}:
            before = self.before.get(number)
            if before is not None and places[before] >= 0 and places[number] >= 0:
                total += float(self.steps[number][places[before], places[number]])
        for number in (one, other):
            total += float(self.options[number].worths[places[number]])
            near = [(nearness, chosen[n]) for nearness, n in self.near[number] if n in chosen]
            total += sum(nearness * float(self.pairs.near[take, chosen[number]]) for nearness, take in near)
        return total + penalties[1]

    def _repeated(self, places: Places, chosen: Mapping[int, int]) -> float:
        """What a sequence costs for other parts of one shot, for words that are said twice, and for set-ups that stand
        too often."""
        said = [take for n, take in chosen.items() if self.options[n].speaks[places[n]]]
        again = len(chosen) - len({int(self.shot_of[take]) for take in chosen.values()})
        if self.repeating:
            again += int(np.triu(self.pairs.repeats[np.ix_(said, said)], 1).sum())
        counts = np.bincount(self.set_up[list(chosen.values())], minlength=len(self.stands))
        returns = float(np.maximum(0, counts - self.stands).sum())
        return self.pairs.weights.again * again + self.pairs.weights.returns * returns

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
