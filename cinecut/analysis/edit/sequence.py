"""One candidate for each slot, chosen together so that each shot leads to the next.

    candidates of all slots ─ beam search ─ exchanges, as long as one is for the better ─► one candidate for each slot

What a sequence is worth: its candidates' worths, what each pair in a row is worth (movement, light and the place of the
eye carry over, picture sizes alternate, the order of the film is kept as far as the skeleton wants), less for
look-alikes within reach, less if a third of act 3 does not move more than act 2, less for a main subject of the film
that act 1 does not introduce, and for each shot with which a row of one subject gets too long.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, islice, zip_longest

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinecut.analysis.edit.candidates import Candidate
from cinecut.analysis.edit.pairs import Floats, Meeting, Options, Pairs
from cinecut.analysis.edit.parts import Gap
from cinecut.analysis.edit.promises import Lacks, Prices

_BEAM = 24  # paths that are kept
_REACH, _FAR, _LESS = 3, 6, 0.5  # shots within which two that look alike disturb, and disturb less: by this factor
_ROUNDS = 12  # of exchanges, at most
_TRIES = 12  # searches, each with other prices
_ENOUGH = 0.02  # of what is lacking, at which no better sequence is searched for
_BETTER = 1e-6  # least gain of an exchange
_NEARBY = 6  # slots apart, between which shots change places; with the last slot, from anywhere
OPENING = ("cold open", "act 1")  # acts in which the main subjects are introduced
_ROW = 3  # shots in a row that show one subject
_ALONE = 0.8  # of the film's shots; a subject that has more is all that there is
_MORE = 1.35  # times the movement of act 2 that each third of act 3 should have

Places = list[int]  # of the candidate of each slot in its list; -1 for none


def sequence(gaps: Sequence[Gap], offers: Sequence[Sequence[Candidate]], pairs: Pairs) -> list[Candidate | None]:
    """The best candidate of each gap, None if nothing is left. No take is used twice.

    Shots of one act may give each other a beat; where a slot stays empty they may not, since nothing meets its ends.

    What the sequence must reach as a whole (see `promises`) is a matter of prices: what it lacks costs more, and it is
    searched again; of the sequences that fill most, the one that lacks least is taken: an empty slot lacks nothing.
    """
    found = _sequence(gaps, offers, pairs)
    if any(each is None and gap.slot.want.shows for each, gap in zip(found, gaps, strict=True)):
        found = _sequence(gaps, [[each for each in offered if not each.gap.moved] for offered in offers], pairs)
    return found


def _sequence(gaps: Sequence[Gap], offers: Sequence[Sequence[Candidate]], pairs: Pairs) -> list[Candidate | None]:
    options = [Options.of(each) for each in offers]
    best, least, prices = [-1] * len(gaps), (len(gaps) + 1, 0.0), Prices()
    for _ in range(_TRIES):
        search = _Search(gaps, options, pairs, prices)
        begun = [search.beam(), list(best)] if least[0] <= len(gaps) else [search.beam()]
        found = [search.improved(places) for places in begun]
        lacking = [search.lacks(places) for places in found]
        for places, lacks in zip(found, lacking, strict=True):
            if (places.count(-1), lacks.total) < least:
                best, least = places, (places.count(-1), lacks.total)
        if least[1] < _ENOUGH:
            break
        prices = prices.raised(min(lacking, key=lambda lacks: lacks.total))
    return [None if place < 0 else offered[place] for place, offered in zip(best, offers, strict=True)]


@dataclass(frozen=True, slots=True)
class _Path:
    """Candidates for the first slots."""

    worth: float
    places: tuple[int, ...] = ()
    takes: tuple[int, ...] = ()


class _Search:
    """The values that are computed before the search: of each candidate, and of each pair of neighbouring slots."""

    def __init__(self, gaps: Sequence[Gap], options: Sequence[Options], pairs: Pairs, prices: Prices) -> None:
        mute, tone = pairs.weights.mute * (prices.mute - 1), pairs.weights.tone * (prices.own - 1)
        self.gaps, self.pairs = gaps, pairs
        self.empty = pairs.weights.empty * max(prices.mute, prices.own, prices.eye, prices.rise, prices.cast)
        self.options = options = [
            replace(each, worths=each.worths + mute * each.mute + tone * each.dubbed) for each in options
        ]
        self.shown = [n for n, gap in enumerate(gaps) if gap.slot.want.shows]
        self.before: dict[int, int] = dict(zip(self.shown[1:], self.shown, strict=False))
        self.after: dict[int, int] = dict(zip(self.shown, self.shown[1:], strict=False))
        usual = pairs.usual(options)
        self.steps = {
            n: pairs.steps(options[b], options[n], gaps[n], usual, Meeting(b == n - 1, prices.eye))
            for n, b in self.before.items()
        }
        self.rise = _Rise.of(gaps, options, pairs.weights.rise * prices.rise)
        self.cast = _Shown.of(gaps, options, pairs, prices.cast)
        self.shot_of = np.array([*(take.shot for take in pairs.takes), -1], int)  # the last one: of no take
        self.shots = int(self.shot_of.max()) + 1
        self.near = {number: self._near(at) for at, number in enumerate(self.shown)}
        self.penalties = dict[tuple[int, ...], tuple[float, float]]()  # of whole sequences, for rise and cast
        self.similar = np.vstack([pairs.near, np.zeros(len(pairs.takes))])  # the last row: to no take

    def lacks(self, places: Places) -> Lacks:
        """How far a sequence is from the requirements."""
        shown = [(self.options[n], places[n]) for n in self.shown if places[n] >= 0]
        chosen = {n: int(self.options[n].numbers[places[n]]) for n in self.shown if places[n] >= 0}
        return Lacks.of(shown, self.rise.least(places, self.options), sum(self.cast.lacking(chosen)))

    def beam(self) -> Places:
        """A sequence by beam search: only the best paths are continued at every slot."""
        paths = [_Path(0.0)]
        for number, (gap, options) in enumerate(zip(self.gaps, self.options, strict=True)):
            if not gap.slot.want.shows:
                paths = [_Path(p.worth, (*p.places, -1), p.takes) for p in paths]
                continue
            values = self._values(number, options, paths)
            grown = [(path.worth + self.empty, at, -1) for at, path in enumerate(paths)]
            for at, places in enumerate(np.argsort(-values, axis=1, kind="stable")[:, :_BEAM]):
                added = zip(values[at, places].tolist(), places.tolist(), strict=True)
                grown += [(paths[at].worth + value, at, place) for value, place in added if math.isfinite(value)]
            grown.sort(key=lambda each: (-round(each[0], 6), each[1], each[2]))
            paths = [_grown(paths[at], worth, place, options) for worth, at, place in _kept(grown, options)]
        return list(paths[0].places)

    def _values(self, number: int, options: Options, paths: Sequence[_Path]) -> Floats:
        """The value that each candidate adds to each path [paths x candidates]; -inf for those that must not follow."""
        values = np.tile(options.worths, (len(paths), 1))
        before = self.before.get(number)
        if before is not None:
            places = np.array([path.places[before] for path in paths])
            values[places >= 0] += self.steps[number][places[places >= 0]]
        values += [self.cast.beside(options, path.takes, ()) for path in paths]
        takes = list(zip_longest(*(reversed(path.takes) for path in paths), fillvalue=-1))  # from the last ones back
        near = [(_nearness(away), others) for away, others in enumerate(takes[:_FAR], 1)]
        return self._among(values, options, near, np.array(takes, int).reshape(-1, len(paths)).T)

    def _among(
        self, values: Floats, options: Options, near: Sequence[tuple[float, ArrayLike]], takes: ArrayLike
    ) -> Floats:
        """The values of candidates beside the `takes` of one sequence [takes] or of several [sequences x takes]; -1:
        none. They are lower for shots similar to those that are `near`, and for other parts of one shot, -inf for a
        take already used."""
        for nearness, others in near:
            values += nearness * self.similar[np.asarray(others)[..., None], options.numbers]
        known = np.asarray(takes, int)
        taken = np.zeros((*known.shape[:-1], len(self.shot_of)), bool)
        shown = np.zeros((*known.shape[:-1], self.shots + 1), bool)
        np.put_along_axis(taken, known, True, -1)
        np.put_along_axis(shown, self.shot_of[known], True, -1)
        values += self.pairs.weights.again * shown[..., options.shots]
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
        others = {n: int(self.options[n].numbers[places[n]]) for n in self.shown if n != number and places[n] >= 0}
        near = [(nearness, others[n]) for nearness, n in self.near[number] if n in others]
        changed = self.rise.changed(number, places, self.options)
        takes = [others.get(n, -1) for n in self.shown]
        at = self.shown.index(number)
        values += self.cast.beside(options, takes[:at], takes[at + 1 :])
        values += self.cast.introducing(number, options, others)
        return self._among(values, options, near, list(others.values())) + changed

    def _swapped(self, places: Places) -> bool:
        """Exchange two shots wherever that raises the value."""
        changed = False
        for one, other in combinations(self.shown, 2):
            near = other - one <= _NEARBY or other == self.shown[-1]
            if not near or places[one] < 0 or places[other] < 0:
                continue
            there, here = self._instead(one, other, places), self._instead(other, one, places)
            if there is None or here is None:
                continue
            swapped = list(places)
            swapped[one], swapped[other] = here, there
            if self._local(swapped, one, other) > self._local(places, one, other) + _BETTER:
                places[one], places[other], changed = here, there, True
        return changed

    def _instead(self, one: int, other: int, places: Places) -> int | None:
        """The place among the options of a slot of the take that another one has."""
        begin, end = map(int, self.options[other].ends[places[other]])
        return self.options[other].place.get((int(self.options[one].numbers[places[one]]), begin, end))

    def _local(self, places: Places, one: int, other: int) -> float:
        """The value of the sequence, without the terms that do not depend on two slots."""
        chosen = {n: int(self.options[n].numbers[places[n]]) for n in self.shown if places[n] >= 0}
        if (penalties := self.penalties.get(tuple(places))) is None:
            penalties = (self.rise.penalty(places, self.options), self.cast.penalty(chosen))
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

    def _near(self, at: int) -> list[tuple[float, int]]:
        """The slots within reach of the shown slot at a place, each with its nearness."""
        first = max(0, at - _FAR)
        around = enumerate(self.shown[first : at + _FAR + 1], first)
        return [(_nearness(abs(place - at)), n) for place, n in around if place != at]


def _kept(grown: Sequence[tuple[float, int, int]], options: Options) -> list[tuple[float, int, int]]:
    """The best paths, among them some for each beat at which the last slot may end, since the next one must meet it.
    Each is given by its worth, that of the path that it continues, and the candidate's place."""
    counts, kept = dict[int, int](), set[int]()
    for number, (_, _, place) in enumerate(grown):
        if place >= 0:
            end = int(options.ends[place, 1])
            counts[end] = counts.get(end, 0) + 1
            kept |= {number} if counts[end] <= _BEAM // 4 else set()
    others = (number for number in range(len(grown)) if number not in kept)
    kept |= set(islice(others, max(0, _BEAM - len(kept))))
    return [grown[number] for number in sorted(kept)]


def _nearness(away: int) -> float:
    """The share of their likeness that two shots so many places apart cost."""
    return 1.0 if away <= _REACH else _LESS


def _grown(path: _Path, worth: float, place: int, options: Options) -> _Path:
    if place < 0:
        return _Path(worth, (*path.places, -1), path.takes)
    return _Path(worth, (*path.places, place), (*path.takes, int(options.numbers[place])))


@dataclass(frozen=True, slots=True, eq=False)
class _Rise:
    """The rise from act 2 to act 3: `means` [4 x slots] gives the movement of act 2 and of each third of act 3."""

    means: Floats
    floor: float  # movement below which shots are equally still
    weight: float

    @classmethod
    def of(cls, gaps: Sequence[Gap], options: Sequence[Options], weight: float) -> _Rise:
        acts = {
            act: np.array([n for n, gap in enumerate(gaps) if gap.slot.act == act and gap.slot.want.shows], int)
            for act in ("act 2", "act 3")
        }
        groups: list[NDArray[np.int_]] = [acts["act 2"], *np.array_split(acts["act 3"], 3)]
        means = np.zeros((4, len(gaps)))
        for row, group in enumerate(groups):
            means[row, group] = 1 / max(1, len(group))
        known = np.concatenate([each.moves for each in options]) if options else np.zeros(0)
        floor = 0.05 * float(np.median(known)) if len(known) else 0.0
        return cls(means, floor, weight if len(acts["act 2"]) and len(acts["act 3"]) and floor else 0.0)

    def penalty(self, places: Places, options: Sequence[Options]) -> float:
        return float(self._worth(self.means @ self._moves(places, options)[:, None])[0]) if self.weight else 0.0

    def least(self, places: Places, options: Sequence[Options]) -> float:
        """The movement of act 3's calmest third, as a multiple of act 2's; infinite without one."""
        if not self.weight:
            return math.inf
        second, *thirds = self.means @ self._moves(places, options)
        shown = [third for third, row in zip(thirds, self.means[1:], strict=True) if row.any()]
        return float((min(shown) + self.floor) / (second + self.floor)) if shown else math.inf

    def changed(self, number: int, places: Places, options: Sequence[Options]) -> Floats:
        """The penalty with each candidate of a slot in place of the chosen one."""
        if not self.weight:
            return np.zeros(len(options[number].moves))
        moves = self._moves(places, options)
        difference = options[number].moves - moves[number]
        return self._worth((self.means @ moves)[:, None] + self.means[:, number][:, None] * difference)

    def _moves(self, places: Places, options: Sequence[Options]) -> Floats:
        return np.array([each.moves[place] if place >= 0 else 0.0 for place, each in zip(places, options, strict=True)])

    def _worth(self, means: Floats) -> Floats:
        """[n] from the movement of act 2 and of the thirds [4 x n]: by the number of their shots, so that it weighs as
        much as what those are worth."""
        levels = np.log(np.maximum(means, 0) + self.floor)
        short = np.maximum(0, np.log(_MORE) + levels[:1] - levels[1:])
        shots = (self.means[1:] > 0).sum(axis=1)
        return np.asarray(-self.weight * (shots[:, None] * np.minimum(2, short)).sum(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """How a sequence shows the film's main subjects: those that are `due` belong in the slots of the opening, and none
    in a long row. `kinds` gives each take's subject and whether it surely shows it, as one number."""

    kinds: NDArray[np.int_]
    opening: frozenset[int]
    due: frozenset[int]
    row: float
    absent: float

    @classmethod
    def of(cls, gaps: Sequence[Gap], options: Sequence[Options], pairs: Pairs, price: float) -> _Shown:
        cast, weights = pairs.cast, pairs.weights
        kinds = np.where(cast.subject < 0, -1, 2 * cast.subject + cast.sure)
        opening = [n for n, gap in enumerate(gaps) if gap.slot.act in OPENING and gap.slot.want.shows]
        fitting = [options[n].numbers[~options[n].spoils & ~options[n].mute] for n in opening]
        known = {int(kind) for numbers in fitting for kind in kinds[numbers]}
        several = [subject for subject, share in enumerate(cast.shares) if share <= _ALONE]
        due = [2 * subject + 1 for subject in several if 2 * subject + 1 in known][: len(opening)]
        rows = np.where(np.isin(cast.subject, several), kinds, -1)
        return cls(rows, frozenset(opening), frozenset(due), price * weights.row, price * weights.absent)

    def beside(self, options: Options, before: Sequence[int], after: Sequence[int]) -> Floats:
        """What each candidate costs for the rows that it is in, between these takes (-1: none)."""
        left, right = (tuple(self._kind(take) for take in takes) for takes in (before[-_ROW:], after[:_ROW]))
        kinds, cost = self.kinds[options.numbers], np.zeros(len(options.numbers))
        for kind in np.unique(kinds):
            cost[kinds == kind] = self.row * _rows((*left, int(kind), *right))
        return cost

    def introducing(self, number: int, options: Options, others: Mapping[int, int]) -> Floats:
        """What each candidate of a slot costs if the others' takes leave a main subject out of the opening."""
        if number not in self.opening:
            return np.zeros(len(options.numbers))
        missing = self.due - {int(self.kinds[others[n]]) for n in self.opening if n in others}
        left_out = ~np.isin(self.kinds[options.numbers], sorted(missing))
        return np.where(left_out, self.absent if missing else 0.0, 0.0)

    def penalty(self, chosen: Mapping[int, int]) -> float:
        """What the takes of the slots cost."""
        absent, rows = self.lacking(chosen)
        return self.absent * absent + self.row * rows

    def lacking(self, chosen: Mapping[int, int]) -> tuple[int, int]:
        """How many main subjects the opening lacks, and how many shots are too many in a row."""
        shown = {int(self.kinds[chosen[n]]) for n in self.opening if n in chosen}
        return len(self.due - shown), _rows(tuple(self._kind(chosen[n]) for n in sorted(chosen)))

    def _kind(self, take: int) -> int:
        return int(self.kinds[take]) if take >= 0 else -1


def _rows(kinds: tuple[int, ...]) -> int:
    """In how many places one shot too many shows the same subject."""
    return sum(_too_long(kinds[n : n + _ROW + 1]) for n in range(len(kinds) - _ROW))


@cache
def _too_long(kinds: tuple[int, ...]) -> bool:
    """Whether these shots in a row show one subject: at most one of them may be of another, and that not surely."""
    subjects = [kind // 2 for kind in kinds]
    most = max(subjects, key=subjects.count)
    others = [kind for kind, subject in zip(kinds, subjects, strict=True) if subject != most]
    return most >= 0 and len(others) <= 1 and all(kind >= 0 and kind % 2 == 0 for kind in others)
