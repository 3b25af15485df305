"""Takes: what may be shown of each shot, with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cinecut.analysis.dialogue.lines import Line, Spoken
from cinecut.analysis.edit.arrange import Take
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import Activity, Appearance, Signals
from cinecut.analysis.story.arc import BeatType, beat_types, clean_range
from cinecut.analysis.story.narrative import Told
from cinecut.language.timebase import FilmRange

_LONGEST_TAKE = Fraction(12)  # seconds; a longer shot is several takes


@dataclass(frozen=True, slots=True)
class Known:
    """What the stages know of each shot, by its index."""

    looks: Mapping[int, Appearance]
    measured: Mapping[int, Signals]
    active: Mapping[int, Activity]
    told: Told
    lines: Sequence[Line]

    def takes(self, shots: Sequence[FilmShot], rate: Fraction) -> list[Take]:
        """What may be shown of these shots: of each one take, of a long one several."""
        types = beat_types(shots, self.measured, self.told.story, self.lines, self.told.zones)
        spoken = Spoken(self.lines)
        known = (shot for shot in shots if shot.index in self.measured)
        return [take for shot in known for take in self._takes_of(shot, types[shot.index], spoken, rate)]

    def _takes_of(self, shot: FilmShot, kind: BeatType, spoken: Spoken, rate: Fraction) -> Iterator[Take]:
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
            zone = self.told.zones.get(index, self.told.story.zone(part.start))
            yield Take(index, part, self.measured[index], self.looks[index], zone, kind, lines, here)
