"""Plug-ins: parts of the analysis, and exporters, that other packages provide as entry points.

Each group takes one kind of callable. `progress` is called with the share done, 0..1. Times are seconds: a Fraction, an
int, or a float.

    cinecut.shots       (film: Path, facts: FilmFacts, progress) -> the times at which new shots begin
    cinecut.transcribe  (film: Path, facts: FilmFacts, progress) -> (start, end, words) of each spoken line
    cinecut.describe    (picture: JPEG bytes) -> {visual_content, mood, action, setting}, none of them empty
    cinecut.beats       (song: Path, progress) -> a cinecut.analysis.song.beats.Beats
    cinecut.exporters   (sequence: cinecut.interchange.model.Sequence, target: Path) -> None, or a list of what it
                        cannot hold: (event, what, instead). Writes `target`; its name is a value of `export --to`
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import Any

from cinecut.diagnostics import Stop


class PluginStop(Stop):
    """A plug-in failed. Since the user chose it, nothing else is tried in its place."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """An entry point of a group, with the version of its package."""

    group: str
    name: str
    version: str
    entry: metadata.EntryPoint

    @property
    def by(self) -> str:
        """The plug-in's name and version, as `by:` in a spec shows them."""
        return f"{self.name} {self.version}"

    def __call__(self, *arguments: Any) -> Any:
        """Run the plug-in. Any exception of its own is raised as a PluginStop that names it."""
        try:
            return self.entry.load()(*arguments)
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
    """The plug-in of a group by its name. Raises Stop if it is not installed."""
    for entry in metadata.entry_points(group=f"cinecut.{group}", name=name):
        return Plugin(group, name, entry.dist.version if entry.dist else "", entry)
    known = names(group)
    hint = f"installed: {', '.join(known)}" if known else f"no package here has an entry point of cinecut.{group}"
    raise Stop("option", f"there is no plug-in {name!r} for {group}", hint)
