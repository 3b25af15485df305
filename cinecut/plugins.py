"""Plug-ins: parts of the analysis, and exporters, that other packages bring as entry points.

Each group takes one kind of callable. `progress` hears the share done, 0..1; times are seconds (a Fraction, an int, or
a float where a measurement has no more to give).

    cinecut.shots       (film: Path, facts: FilmFacts, progress) -> the moments at which new shots begin
    cinecut.transcribe  (film: Path, facts: FilmFacts, progress) -> (start, end, words) of each line that is spoken
    cinecut.describe    (picture: JPEG bytes) -> {visual_content, mood, action, setting}, none of them empty
    cinecut.beats       (song: Path, progress) -> a cinecut.analysis.song.beats.Beats
    cinecut.exporters   (spec: Spec, target: Path) -> None; writes `target`
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import Any

from cinecut.diagnostics import Stop

GROUPS = ("shots", "transcribe", "describe", "beats", "exporters")


class PluginStop(Stop):
    """A plug-in failed. The user chose it, so nothing else takes its place."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """An entry point of a group, by its name, with the version of the package that brings it."""

    group: str
    name: str
    version: str
    entry: metadata.EntryPoint

    @property
    def by(self) -> str:
        """What the spec says of who did it."""
        return f"{self.name} {self.version}"

    def __call__(self, *given: Any) -> Any:
        """What the plug-in answers. Raises PluginStop, which names it, whatever it raises itself."""
        try:
            return self.entry.load()(*given)
        except Stop:
            raise
        except Exception as error:
            raise self.failed(f"{type(error).__name__}: {error}") from error

    def failed(self, why: str) -> PluginStop:
        message = f"the plug-in {self.by} of cinecut.{self.group} failed: {' '.join(why.split())}"
        return PluginStop("plugin", message, "leave it out, or ask whoever made it")


def names(group: str) -> list[str]:
    return sorted({entry.name for entry in metadata.entry_points(group=f"cinecut.{group}")})


def find(group: str, name: str) -> Plugin:
    """The plug-in of a group by its name. Raises Stop where none is installed."""
    for entry in metadata.entry_points(group=f"cinecut.{group}", name=name):
        return Plugin(group, name, entry.dist.version if entry.dist else "", entry)
    known = names(group)
    hint = f"installed: {', '.join(known)}" if known else f"no package here has an entry point of cinecut.{group}"
    raise Stop("option", f"there is no plug-in {name!r} for {group}", hint)
