"""A trailer for a programme of several films: each has a story of its own, and no film's end is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cinecut.analysis.edit.blocks import Block
from cinecut.analysis.edit.cuts import Take
from cinecut.analysis.edit.takes import Measurements
from cinecut.analysis.episodes import Watched
from cinecut.analysis.stage import StageRunner
from cinecut.analysis.story import arc
from cinecut.analysis.story.narrative import Evidence, find_narrative
from cinecut.analysis.title import film_title, is_doubtful
from cinecut.inference.server import Models


@dataclass(frozen=True, slots=True)
class Programme:
    """The films, each measured separately, and all of them on one clock."""

    parts: Sequence[Watched]
    whole: Watched

    def blocks(self) -> list[Block]:
        """A block for each film. Without a certain title it has no card, and its block has the film's name in the
        spec."""
        blocks, known = list[Block](), dict[str, int]()
        for episode, shots in zip(self.whole.episodes, self._ranges(), strict=True):
            title = film_title(episode.path)
            title = "" if is_doubtful(title) else title
            act = (title or episode.name or "")[:56]
            known[act] = known.get(act, 0) + 1
            blocks.append(Block(f"{act} {known[act]}" if known[act] > 1 else act, title, shots))
        return blocks

    def takes(
        self, measured: Measurements, lines: Sequence[StageRunner], models: Models | None, spoilers: bool
    ) -> list[Take]:
        """The takes of all films, each judged by its own film's story; `measured` covers all films."""
        takes = list[Take]()
        for part, line, shots, each in zip(self.parts, lines, self._ranges(), self.whole.episodes, strict=True):
            own = find_narrative(
                Evidence(part.shots, part.levels, part.dialogue, part.described, part.meanings), models, line
            )
            zones = {index + shots.start: zone for index, zone in own.zones.items()}
            narrative = replace(own, story=own.story.later(each.start), zones=zones)
            usable = [shot for shot in self.whole.usable if shot.index in shots]
            shown = usable if spoilers else arc.without_the_end(usable, narrative.story) or usable
            takes += replace(measured, narrative=narrative).takes(shown, each.facts.rate)
        return takes

    def _ranges(self) -> Iterator[range]:
        """The shots of each film, as ranges of indices among all."""
        first = 0
        for part in self.parts:
            yield range(first, first + len(part.shots))
            first += len(part.shots)
