"""All that an analysis decides about a trailer, from which its spec is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from cinecut.analysis.edit.cuts import Cut
from cinecut.analysis.edit.score.sound import Score
from cinecut.analysis.episodes import Episode, Watched
from cinecut.analysis.story.arc import Story
from cinecut.language.timebase import FilmRange
from cinecut.plugins import Plugin
from cinecut.vibes import Vibe


@dataclass(frozen=True, slots=True)
class Decisions:
    """All results of the analysis. `protagonist` is a name and its source; `target` is the spec's future path; `last`:
    the seconds of the last cut (None: its beats)."""

    watched: Watched
    target: Path
    vibe: Vibe
    story: Story
    cuts: Sequence[Cut]
    score: Score
    protagonist: tuple[str, str] | None = None
    spoilers: bool = False
    plugins: Mapping[str, Plugin] = field(default_factory=dict)  # by their group
    last: Fraction | None = None

    def own(self, span: FilmRange) -> tuple[Episode, FilmRange]:
        """A range of all films as a range of its own film."""
        range, episodes = self.watched.own(span), self.watched.episodes
        return next((each for each in episodes if each.name == range.film), episodes[0]), range
