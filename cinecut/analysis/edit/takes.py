"""Takes: the parts of each shot that may be shown, with all measurements of the shot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from cinecut.analysis.dialogue.lines import Line, Spoken
from cinecut.analysis.dialogue.pauses import Pauses
from cinecut.analysis.edit.cuts import Take
from cinecut.analysis.film.movement.activity import Activity
from cinecut.analysis.film.movement.course import MOVE
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import Appearance, Signals
from cinecut.analysis.story.arc import BeatType, beat_types, clean_range
from cinecut.analysis.story.meaning import Meaning
from cinecut.analysis.story.narrative import Narrative
from cinecut.language.timebase import FilmRange

_LONGEST_TAKE = Fraction(12)  # seconds; a longer shot is several takes


@dataclass(frozen=True, slots=True)
class Measurements:
    """The results of the stages, mostly by the shot's index."""

    looks: Mapping[int, Appearance]
    measured: Mapping[int, Signals]
    active: Mapping[int, Activity]
    narrative: Narrative
    lines: Sequence[Line]
    meanings: Mapping[int, Meaning] = field(default_factory=dict)
    pauses: Pauses | None = None

    def takes(self, shots: Sequence[FilmShot], rate: Fraction) -> list[Take]:
        """The takes of these shots: one each, or several of a long one."""
        ranks = _ranks(self.meanings)
        types = beat_types(shots, self.measured, self.narrative.story, self.lines, self.narrative.zones, ranks)
        spoken = Spoken(self.lines)
        known = (shot for shot in shots if shot.index in self.measured)
        return [
            take
            for shot in known
            for take in self._takes_of(shot, types[shot.index], spoken, rate, ranks.get(shot.index, {}))
        ]

    def _takes_of(
        self, shot: FilmShot, kind: BeatType, spoken: Spoken, rate: Fraction, meaning: Meaning
    ) -> Iterator[Take]:
        whole, index = clean_range(shot, rate), shot.index
        if whole.duration <= 0:
            return
        count = -(-whole.duration // _LONGEST_TAKE)
        peak = self.active[index].peak if index in self.active else None
        for k in range(count):
            start = whole.start + whole.duration * k / count
            part = FilmRange(start, start + whole.duration / count)
            lines = tuple(spoken.within(part))
            here = peak if peak is not None and part.start <= peak < part.end else None
            active, first = None, 0
            if index in self.active:
                first = max(0, int((start - shot.range.start) / MOVE))
                active = self.active[index].within(first, max(first + 1, int((part.end - shot.range.start) / MOVE)))
            since = self.narrative.story.zone(part.start)
            zone = self.narrative.zones.get(index, since)
            yield Take(
                index,
                part,
                self.measured[index],
                self.looks[index],
                zone,
                kind,
                lines,
                here,
                active,
                since,
                meaning,
                shot.range.start + first * MOVE,
                self.pauses,
            )


def _ranks(meanings: Mapping[int, Meaning]) -> dict[int, Meaning]:
    """Each figure as its rank within the film, 0 to 1."""
    names = next(iter(meanings.values()), {})
    ranks: dict[int, Meaning] = {index: {} for index in meanings}
    for name in names:
        ordered = sorted(meanings, key=lambda index: (meanings[index][name], index))
        for place, index in enumerate(ordered):
            ranks[index][name] = place / max(1, len(ordered) - 1)
    return ranks
