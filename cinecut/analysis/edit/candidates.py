"""Candidates: for each slot the takes that fit, scored by the slot's purpose.

    signals, zone, description ─ weights of the slot's want and act, the vibe's taste ─► worth ─ the best that fit ─►
    parts

All signals are ranks within the film, 0 to 1; 0.5 is neutral.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import islice
from math import ceil

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.edit.cuts import FACE, Cut, Take, Tempo
from cinecut.analysis.edit.parts import SPOKEN_WELL, Gap, line_worth, silent_parts, spoken_part
from cinecut.analysis.edit.weights import Weights
from cinecut.analysis.film.signals import NEUTRAL, Signals
from cinecut.analysis.story.arc import Zone
from cinecut.vibes import Vibe, usual_taste

Floats = NDArray[np.float64]

_OPENING = Fraction(5, 100)  # of the film
_BEST_SHARE, _BEST_LEAST = 0.1, 3  # of the takes that the best slots may have, and how many at least
_END_SHARE = 0.25  # the same for the last shot after the title: strong, and what its genre ends on
_STILL = 0.2  # rank of movement below which a part hardly moves
_BEARABLE = 3.0  # seconds for which a part of that rank may stand, but not in act 3
_LONGER = 10.0  # seconds more for each rank more, from the stillest part to the liveliest
_DRAMATIC = {"act 1": -1.0, "act 2": 0.2, "beat drop": 0.5, "act 3": 1.0, "button": -0.5}  # how far an act seeks drama


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A cut that would fill a slot: the number of its take among the film's takes, how well it does, and its place."""

    number: int
    cut: Cut
    worth: float
    gap: Gap
    spoils: bool = False


@dataclass(frozen=True)
class Market:
    """All takes of a film, with the values that a vibe gives them."""

    takes: Sequence[Take]
    vibe: Vibe
    tempo: Tempo
    weights: Weights
    known: NDArray[np.bool_] | None = None  # whether a take surely shows a main subject; None if the film has none
    _parts: dict[tuple[object, ...], dict[int, list[Cut]]] = field(default_factory=dict)  # by form, then by take

    @cached_property
    def signals(self) -> Mapping[str, Floats]:
        """Each signal of all takes, centred on 0."""
        names = list(Signals.__dataclass_fields__)
        measured = {name: np.array([getattr(t.signals, name) for t in self.takes], float) - 0.5 for name in names}
        return {**measured, "score": _ranks(np.array([take.score for take in self.takes]))}

    @cached_property
    def by_score(self) -> list[int]:
        """All takes, the highest score first."""
        return sorted(range(len(self.takes)), key=lambda n: (-self.takes[n].score, n))

    def best(self, slot: Slot) -> list[int]:
        """The takes with the highest scores: a best slot, or the last one, is filled from these."""
        share = _END_SHARE if slot.ends else _BEST_SHARE
        return self.by_score[: max(_BEST_LEAST, ceil(len(self.takes) * share))]

    def worths(self, slot: Slot) -> Floats:
        """The value of each take for a slot, whether it fits or not; -inf if its shot is excluded."""
        weights = self.weights
        worth = weights.worth * self.signals["score"] + self._tasted(slot)
        for table in (weights.want.get(slot.want, {}), weights.act.get(slot.act, {})):
            worth = worth + self._weighted(table)
        worth = worth + self._told(slot) + self._zones(slot) + weights.opening * self._opening
        worth = worth + weights.spoils * self.spoiling(slot)
        worth = worth + self._unknown(slot)
        return worth if slot.shots is None else np.where(self._among(slot.shots), worth, -np.inf)

    def _among(self, shots: range) -> NDArray[np.bool_]:
        return np.array([take.shot in shots for take in self.takes], bool)

    @cached_property
    def _opening(self) -> NDArray[np.bool_]:
        """The takes from the first part of the film."""
        until = _OPENING * max(take.range.end.seconds for take in self.takes)
        return np.array([take.range.start.seconds < until for take in self.takes], bool)

    def spoiling(self, slot: Slot) -> NDArray[np.bool_]:
        """The takes from later in the film than the last of the slot's zones, which would give away the plot. Their
        time decides, not their description."""
        order = list(Zone)
        latest = max((order.index(zone) for zone in slot.zones), default=len(order))
        return np.array([order.index(take.since or take.zone) > latest for take in self.takes], bool)

    @cached_property
    def _described(self) -> bool:
        return any(take.meaning for take in self.takes)

    def _told(self, slot: Slot) -> Floats:
        """The value of the takes' descriptions; 0 without any."""
        drama = self.weights.drama * _DRAMATIC.get(slot.act, 0.0) * self.signals["drama"]
        meant = np.array([take.meaning.get(slot.want, 0.5) - 0.5 for take in self.takes])
        return np.asarray(drama + self.weights.meaning * meant)

    def _unknown(self, slot: Slot) -> Floats:
        """What takes cost in which no main subject is surely seen, where one is introduced and at the very end."""
        if self.known is None or not (slot.want is Want.INTRODUCE or slot.ends):
            return np.zeros(len(self.takes))
        return np.where(self.known, 0.0, self.weights.stranger)

    def _weighted(self, table: Mapping[str, float]) -> Floats:
        return sum((weight * self.signals[name] for name, weight in table.items()), np.zeros(len(self.takes)))

    def _movement(self, slot: Slot) -> float:
        """The weight of movement in the part that is shown."""
        weights = self.weights
        return weights.want.get(slot.want, {}).get("motion", 0.0) + weights.act.get(slot.act, {}).get("motion", 0.0)

    @cached_property
    def _moves(self) -> Floats:
        """The motion of all takes, in order."""
        return np.sort([take.motion(take.range.start, take.range.duration) for take in self.takes])

    def _moving(self, cut: Cut, gap: Gap) -> float:
        """The rank of a part's movement, 0 to 1; the take's rank if the parts are not measured."""
        assert cut.take is not None
        if not len(cut.take.moves):
            return cut.take.signals.motion
        place = int(np.searchsorted(self._moves, cut.take.motion(cut.in_, gap.length)))
        return min(1.0, place / max(1, len(self._moves) - 1))

    def wishes(self, slot: Slot) -> dict[str, float]:
        """The weight of each signal in a slot: the genre's, what the slot is for, and what its act is; 0 where the slot
        is for the opposite: no threat is one because it hardly moves."""
        purpose = self.weights.want.get(slot.want, {})
        tables = (self._likings(slot), purpose, self.weights.act.get(slot.act, {}))
        sums = {name: sum(table.get(name, 0.0) for table in tables) for name in {n for table in tables for n in table}}
        return {name: total if total * purpose.get(name, 0.0) >= 0 else 0.0 for name, total in sums.items()}

    def _likings(self, slot: Slot) -> dict[str, float]:
        """The genre's preferences. The last act moves in every genre."""
        taste = self.vibe.taste.items()
        return {n: float(liking) for n, liking in taste if slot.act != "act 3" or n != "motion" or liking > 0}

    def _tasted(self, slot: Slot) -> Floats:
        """How much more the genre likes each take than genres do, as strongly in each genre and film: what all like
        tells none apart."""
        own, usual = self._likings(slot), {name: float(liking) for name, liking in usual_taste().items()}
        liked = self._weighted({name: own.get(name, 0.0) - usual.get(name, 0.0) for name in (usual | own)})
        spread = float(liked.std()) if own else 0.0
        strength = self.weights.taste * (self.weights.described if self._described else 1)
        return liked * (strength / spread) if spread > 1e-9 else np.zeros(len(liked))

    def _zones(self, slot: Slot) -> Floats:
        first, others = self.weights.zone
        points = dict.fromkeys(slot.zones, others) | dict.fromkeys(slot.zones[:1], first)
        return np.array([points.get(take.zone, 0.0) for take in self.takes])

    def candidates(self, gap: Gap, count: int) -> list[Candidate]:
        """The best `count` cuts for a gap, the best first."""
        worths, spoils = self.worths(gap.slot), self.spoiling(gap.slot)
        candidates = self._spoken(gap, worths) if gap.slot.want is Want.LINE else []
        candidates += self._silent(gap, worths, self._order(worths), count)
        return best_first([replace(each, spoils=bool(spoils[each.number])) for each in candidates])

    def strongest(self, gap: Gap) -> list[Candidate]:
        """The cuts of the film's strongest takes for a gap, ordered by the genre's preference, since all of them are
        good."""
        return self._of_the_best(gap, self.best(gap.slot))

    def next_strongest(self, gap: Gap) -> list[Candidate]:
        """As `strongest`, for a gap that none of the strongest takes fits: of the takes that do fit."""
        others = self.by_score[len(self.best(gap.slot)) :]
        spoils = self.spoiling(gap.slot)
        fitting = (n for n, cuts in self._fitted(gap, (n for n in others if not spoils[n])) if cuts)
        return self._of_the_best(gap, list(islice(fitting, _BEST_LEAST)))

    def _of_the_best(self, gap: Gap, numbers: Sequence[int]) -> list[Candidate]:
        slot = gap.slot
        spoils = self.spoiling(slot)
        worths = (
            self._tasted(slot)
            + self._told(slot)
            + self._zones(slot)
            + self._unknown(slot)
            + self._weighted(self.weights.act.get(slot.act, {}))
            + self._weighted(self.weights.want.get(slot.want, {}))
        )
        among = range(len(self.takes)) if slot.shots is None else np.flatnonzero(self._among(slot.shots))
        order = [number for number in numbers if number in among and not spoils[number]]
        return best_first(self._silent(gap, worths, order, len(order)))

    def _order(self, worths: Floats) -> list[int]:
        order = np.argsort(-np.round(worths, 6), kind="stable")
        return [int(number) for number in order if np.isfinite(worths[number])]

    def _spoken(self, gap: Gap, worths: Floats) -> list[Candidate]:
        """The candidates with a whole line."""
        spoken = []
        for number, take in enumerate(self.takes):
            if np.isfinite(worths[number]) and any(line.standalone >= SPOKEN_WELL for line in take.lines):
                cut = spoken_part(gap, take, self.tempo, self.vibe)
                if cut is not None and cut.line is not None:
                    said = self.weights.line * (0.5 + line_worth(cut.line, self.vibe, gap.slot.act))
                    said += self.weights.blank * _blank(replace(cut, motion=self._moving(cut, gap)))
                    spoken.append(Candidate(number, cut, float(worths[number]) + said, gap))
        return spoken

    def _silent(self, gap: Gap, worths: Floats, order: Sequence[int], count: int) -> list[Candidate]:
        """The first `count` takes of the order that fit, and more until half as many are neither muted nor blank."""
        silent: list[Candidate] = []
        heard = 0
        for number, cuts in self._fitted(gap, order):
            for cut in cuts:
                if not cut.own_sound and len(silent) >= count:
                    continue
                worth = float(worths[number]) + self._sounding(cut)
                worth += self.weights.blank * _blank(cut) + self.weights.still * _standing(cut, gap)
                worth += self._movement(gap.slot) * (cut.motion - self.takes[number].signals.motion)
                silent.append(Candidate(number, replace(cut, slot=gap.slot), worth, gap))
                heard += cut.own_sound and not _blank(cut)
            if len(silent) >= count and heard >= count / 2:
                break
        return silent

    def _sounding(self, cut: Cut) -> float:
        """What it costs if a part is not heard as it is."""
        if cut.silenced:
            return self.weights.mute
        return self.weights.tone if cut.tone is not None else 0.0

    def _fitted(self, gap: Gap, numbers: Iterable[int]) -> Iterator[tuple[int, list[Cut]]]:
        """Takes, each with its part that fills a gap, without a line of its own; with each sound that it may have."""
        known = self._parts.setdefault(gap.form, {})
        for number in numbers:
            if number not in known:
                parts = silent_parts(gap, self.takes[number], self.tempo)
                known[number] = [replace(cut, motion=self._moving(cut, gap)) for cut in parts]
            yield number, known[number]


def _blank(cut: Cut) -> bool:
    """Whether a part shows nothing and moves less than half of the film's takes do."""
    return cut.take is not None and cut.take.look.is_blank and cut.motion <= NEUTRAL


def _standing(cut: Cut, gap: Gap) -> float:
    """The seconds beyond those for which a part may move so little: the longer, the more it moves, a breath or a face
    as long as it likes. In act 3 a part may hardly move at all."""
    if gap.slot.act == "act 3":
        return float(gap.length) if cut.motion < _STILL else 0.0
    if gap.slot.act == "breath" or (cut.take is not None and cut.take.look.face >= FACE):
        return 0.0
    bearable = _BEARABLE + _LONGER * (cut.motion - _STILL)
    return max(0.0, float(gap.length) - bearable) if cut.motion < NEUTRAL else 0.0


def best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda each: (-round(each.worth, 6), each.number))


def _ranks(values: Floats) -> Floats:
    """Each value's rank, from -1/2 to 1/2; equal values get the same one."""
    known = np.sort(values)
    if len(known) < 2 or known[0] == known[-1]:
        return np.zeros(len(values))
    middle = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right") - 1) / 2
    return np.asarray(middle / (len(known) - 1) - 0.5)
