"""The requirements on a whole sequence of shots, and the prices with which the search meets them: few muted shots,
continuity, an act 3 that moves more than act 2, the main subjects in act 1, and no long row of one subject.

    sequence ─ muted shots, continuity, movement of act 3, subjects ─► what it lacks ─ higher prices ─► the next search

A weight that suits one film and genre is too low for another and too high for a third. So weights begin low, which
leaves the choice to the genre's taste, and only what a sequence lacks gets dearer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinecut.analysis.edit.pairs import Floats, Pairs, Shortlist
from cinecut.analysis.edit.parts import Gap
from cinecut.analysis.edit.weights import Weights

_MUTED = 0.1  # greatest share of shots in which somebody speaks in vain
_DUBBED = 0.3  # greatest share of shots with another sound than their own, mute ones included
_SMOOTH = 0.95  # least share of shuffles that are rougher
_RISING = 1.25  # times the movement of act 2 that each third of act 3 has at least
_SHUFFLES = 200
_FEW = 4  # shots from which an order can be judged
_MUTE_COUNTS = 2  # times as much as the others: a share of muted shots is a small number
_DEARER = 1.25  # factor on the price of what is lacking
_LITTLE = 1.15  # the same for what is only better
_TWICE = 2  # times that each set-up may stand in the trailer; more by its share of the film
OPENING = ("cold open", "act 1")  # acts in which the main subjects are introduced
_ROW = 3  # shots in a row that show one subject
_ALONE = 0.8  # of the film's shots; a subject that has more is all that there is
_MORE = 1.35  # times the movement of act 2 that each third of act 3 should have

Places = list[int]  # of the candidate of each slot in its list; -1 for none


@dataclass(frozen=True, slots=True)
class Lacks:
    """How far a sequence is from the requirements, as shares; 0 where it meets them."""

    mute: float  # of shots in which somebody speaks in vain
    dubbed: float  # of shots that are heard with another sound than their own
    eye: float  # of shuffles that are smoother
    rise: float  # of the movement that each third of act 3 has beyond act 2's
    cast: float = 0.0  # of shots: main subjects that are not introduced, or stay too long

    @classmethod
    def of(cls, shown: Sequence[tuple[Shortlist, int]], rise: float, miscast: int = 0) -> Lacks:
        """Of the shots in order, each as its slot's options and its index among them; `rise` is the least movement of
        act 3's thirds over act 2's, `miscast` the number of main subjects that act 1 lacks and of shots too many in a
        row."""
        muted = float(np.mean([options.mute[place] for options, place in shown])) if shown else 0.0
        dubbed = sum(bool(options.dubbed[place : place + 1].any()) for options, place in shown) / max(1, len(shown))
        return cls(
            max(0.0, muted - _MUTED),
            max(0.0, dubbed - _DUBBED),
            max(0.0, _SMOOTH - continuity(shown)),
            max(0.0, 1 - min(rise, _RISING) / _RISING),
            miscast / max(1, len(shown)),
        )

    @property
    def total(self) -> float:
        return _MUTE_COUNTS * self.mute + 0.5 * self.dubbed + self.eye + self.rise + self.cast


@dataclass(frozen=True, slots=True)
class Prices:
    """Factors on the weights: of a muted shot, of one with another sound than its own, of what the eye meets at a cut,
    of a too still third of act 3, of subjects that are not introduced or stay too long."""

    mute: float = 1.0
    dubbed: float = 1.0
    eye: float = 1.0
    rise: float = 1.0
    cast: float = 1.0

    def raised(self, lacks: Lacks) -> Prices:
        return Prices(
            self.mute * (_DEARER if lacks.mute else 1),
            self.dubbed * (_LITTLE if lacks.dubbed else 1),
            self.eye * (_DEARER if lacks.eye else 1),
            self.rise * (_DEARER if lacks.rise else 1),
            self.cast * (_DEARER if lacks.cast else 1),
        )


def continuity(shown: Sequence[tuple[Shortlist, int]]) -> float:
    """The share of shuffles of the same shots at whose cuts movement, light and the place of the eye change more;
    movement as a rank, and in the film's own unit, in which few shots move most: the smaller share."""
    if len(shown) < _FEW:
        return 1.0
    leaves = np.array([options.leaves[place] for options, place in shown])
    enters = np.array([options.enters[place] for options, place in shown])
    steps = leaves[:, None] - enters[None]
    seen = _shares(np.abs(steps[:, :, 0])) + _shares(np.hypot(steps[:, :, 1], steps[:, :, 2]))
    ranks = np.array([options.motion[place] for options, place in shown])
    moves = np.array([options.moves[place] for options, place in shown])
    return min(_smoother(seen + _shares(np.abs(each[:, None] - each[None]))) for each in (ranks, moves))


def _shares(changes: Floats) -> Floats:
    """As multiples of their mean."""
    return changes / max(1e-9, float(changes.mean()))


def _smoother(cost: Floats) -> float:
    """The share of shuffles that cost more than the order as it is; `cost` [n x n] is that of each pair."""
    orders = _orders(len(cost))
    shuffled = cost[orders[:, :-1], orders[:, 1:]].sum(axis=1)
    return float((shuffled > np.trace(cost, 1)).mean())


@cache
def _orders(count: int) -> NDArray[np.int_]:
    """Shuffles of so many shots [shuffles x count]."""
    return np.random.default_rng(1).permuted(np.tile(np.arange(count), (_SHUFFLES, 1)), axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Rising:
    """The rise from act 2 to act 3: `means` [4 x slots] gives the movement of act 2 and of each third of act 3."""

    means: Floats
    shots: NDArray[np.int_]  # of each third
    moves: list[list[float]]  # of each slot's candidates
    floor: float  # movement below which shots are equally still
    weight: float

    @classmethod
    def of(cls, gaps: Sequence[Gap], options: Sequence[Shortlist], weight: float) -> Rising:
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
        moves = [each.moves.tolist() for each in options]
        shots = np.array([len(group) for group in groups[1:]])
        return cls(means, shots, moves, floor, weight if len(acts["act 2"]) and len(acts["act 3"]) and floor else 0.0)

    def penalty(self, places: Places) -> float:
        return float(self._worth(self.means @ self._moves(places)[:, None])[0]) if self.weight else 0.0

    def least(self, places: Places) -> float:
        """The movement of act 3's calmest third, as a multiple of act 2's; infinite without one."""
        if not self.weight:
            return math.inf
        second, *thirds = self.means @ self._moves(places)
        shown = [third for third, row in zip(thirds, self.means[1:], strict=True) if row.any()]
        return float((min(shown) + self.floor) / (second + self.floor)) if shown else math.inf

    def changed(self, number: int, places: Places, options: Sequence[Shortlist]) -> Floats:
        """The penalty with each candidate of a slot in place of the chosen one."""
        if not self.weight:
            return np.zeros(len(options[number].moves))
        moves = self._moves(places)
        difference = options[number].moves - moves[number]
        return self._worth((self.means @ moves)[:, None] + self.means[:, number][:, None] * difference)

    def _moves(self, places: Places) -> Floats:
        return np.array([moves[place] if place >= 0 else 0.0 for place, moves in zip(places, self.moves, strict=True)])

    def _worth(self, means: Floats) -> Floats:
        """[n] from the movement of act 2 and of the thirds [4 x n]: by the number of their shots, so that it weighs as
        much as what those are worth."""
        levels = np.log(np.maximum(means, 0) + self.floor)
        short = np.maximum(0, np.log(_MORE) + levels[:1] - levels[1:])
        return np.asarray(-self.weight * (self.shots[:, None] * np.minimum(2, short)).sum(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class Casting:
    """How a sequence shows the film's main subjects: those that are `due` belong in the slots of the opening, and none
    in a long row. `kinds` gives each take's subject and whether it surely shows it, as one number, the last one that of
    no take; `among` the kinds of a slot's candidates, and which of these each one has."""

    kinds: tuple[int, ...]
    among: Mapping[Shortlist, tuple[list[int], NDArray[np.int_]]]
    opening: frozenset[int]
    due: frozenset[int]
    row: float
    absent: float

    @classmethod
    def of(cls, gaps: Sequence[Gap], options: Sequence[Shortlist], pairs: Pairs, price: float) -> Casting:
        cast, weights = pairs.cast, pairs.weights
        kinds = np.where(cast.subject < 0, -1, 2 * cast.subject + cast.sure)
        opening = [n for n, gap in enumerate(gaps) if gap.slot.act in OPENING and gap.slot.want.shows]
        fitting = [options[n].numbers[~options[n].spoils & ~options[n].mute] for n in opening]
        known = {int(kind) for numbers in fitting for kind in kinds[numbers]}
        several = [subject for subject, share in enumerate(cast.shares) if share <= _ALONE]
        due = [2 * subject + 1 for subject in several if 2 * subject + 1 in known][: len(opening)]
        rows = np.where(np.isin(cast.subject, several), kinds, -1)
        found = {each: np.unique(rows[each.numbers], return_inverse=True) for each in options}
        among = {each: (known.tolist(), which) for each, (known, which) in found.items()}
        return cls(
            (*rows.tolist(), -1), among, frozenset(opening), frozenset(due), price * weights.row, price * weights.absent
        )

    def beside(self, options: Shortlist, before: Sequence[int], after: Sequence[int]) -> Floats:
        """What each candidate costs for the rows that it is in, between these takes (-1: none)."""
        left, right = (tuple([self.kinds[take] for take in takes]) for takes in (before[-_ROW:], after[:_ROW]))
        kinds, which = self.among[options]
        return np.array([self.row * _rows((*left, kind, *right)) for kind in kinds])[which]

    def introducing(self, number: int, options: Shortlist, others: Mapping[int, int]) -> Floats:
        """What each candidate of a slot costs if the others' takes leave a main subject out of the opening."""
        if number not in self.opening:
            return np.zeros(len(options.numbers))
        missing = self.due - {self.kinds[others[n]] for n in self.opening if n in others}
        kinds, which = self.among[options]
        left_out = ~np.isin(kinds, sorted(missing))[which]
        return np.where(left_out, self.absent if missing else 0.0, 0.0)

    def penalty(self, chosen: Mapping[int, int]) -> float:
        """What the takes of the slots cost."""
        absent, rows = self.lacking(chosen)
        return self.absent * absent + self.row * rows

    def lacking(self, chosen: Mapping[int, int]) -> tuple[int, int]:
        """How many main subjects the opening lacks, and how many shots are too many in a row."""
        shown = {self.kinds[chosen[n]] for n in self.opening if n in chosen}
        return len(self.due - shown), _rows(tuple([self.kinds[chosen[n]] for n in sorted(chosen)]))


@lru_cache(1 << 14)
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


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """What a sequence shows or says again: look-alikes within reach, parts of one shot, set-ups, words."""

    weights: Weights
    alike: Floats  # [takes + 1, takes]: what two that look alike cost within reach; the last row is of no take
    shot_of: NDArray[np.int_]  # each take's shot [takes + 1]; the last one is of no take
    shots: int  # numbers of shots, and one of no take
    set_up: NDArray[np.int_]  # each take's set-up [takes + 1]; the last one of all that cannot stand too often
    stands: Floats  # how often each set-up may stand in the trailer
    said: NDArray[np.bool_] | None  # whether a take has words of another one's [takes + 1, takes]; None: none has

    @classmethod
    def of(cls, pairs: Pairs, shown: int) -> Repeats:
        """In a trailer of so many shots."""
        takes, often = pairs.takes, [each for each in pairs.set_ups if len(each) > _TWICE]
        length = np.array([float(take.range.duration) for take in takes])
        set_up, stands = np.full(len(takes) + 1, len(often)), np.full(len(often) + 1, np.inf)
        for number, members in enumerate(often):
            set_up[members] = number
            stands[number] = max(_TWICE, np.ceil(shown * length[members].sum() / length.sum()))
        alike = np.vstack([pairs.near, np.zeros(len(takes))])
        shot_of = np.array([*(take.shot for take in takes), -1], int)
        said = pairs.repeats if pairs.repeats.any() else None
        return cls(pairs.weights, alike, shot_of, int(shot_of.max()) + 2, set_up, stands, said)

    def among(
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
            values += nearness * self.alike[np.asarray(others)[..., None], options.numbers]
        known = np.asarray(takes, int)
        taken = np.zeros((*known.shape[:-1], len(self.shot_of)), bool)
        shown = np.zeros((*known.shape[:-1], self.shots), bool)
        each = (np.arange(len(known))[:, None],) if known.ndim > 1 else ()
        taken[*each, known] = True
        shown[*each, self.shot_of[known]] = True
        values += self.weights.again * shown[..., options.shots]
        if len(self.stands) > 1:
            often = (self.set_up[known][..., None] == np.arange(len(self.stands))).sum(-2) >= self.stands
            values += self.weights.returns * often[..., self.set_up[options.numbers]]
        if self.said is not None and options.speaks.any():
            said = self.said[np.asarray(spoken, int)][..., options.numbers].any(-2)
            values += self.weights.again * (said & options.speaks)
        values[taken[..., options.numbers]] = -np.inf
        return values

    def penalty(self, takes: Sequence[int], spoken: Sequence[int]) -> float:
        """What the takes of a whole sequence cost, of which the `spoken` ones say a line: for other parts of one shot,
        for words that are said twice, and for set-ups that stand too often."""
        again = len(takes) - len({int(self.shot_of[take]) for take in takes})
        if self.said is not None:
            again += int(np.triu(self.said[np.ix_(spoken, spoken)], 1).sum())
        counts = np.bincount(self.set_up[takes], minlength=len(self.stands))
        returns = float(np.maximum(0, counts - self.stands).sum())
        return self.weights.again * again + self.weights.returns * returns
