"""The files that a client may reach: the named specs, and those below the named folders.

Links are followed before anything is judged. What a spec names (a film, a song, a picture) may lie anywhere as long as
a person wrote it; an edit of a client can only name files inside the fence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cinecut.diagnostics import Stop
from cinecut.files import real_path
from cinecut.language.read import specs_in
from cinecut.language.spec import Spec
from cinecut.render.check import files_of

_SUFFIXES = (".yaml", ".yml")
_MOST = 200  # specs that are listed


@dataclass(frozen=True, slots=True)
class Fence:
    """The specs and folders that a client may reach, all of them resolved."""

    specs: tuple[Path, ...]
    folders: tuple[Path, ...]

    @classmethod
    def around(cls, places: Sequence[Path]) -> Fence:
        """Raises Stop if a file or folder does not exist."""
        for place in places:
            if not place.exists():
                raise Stop("missing-file", f"there is no file or folder {place}")
        real = [real_path(place) for place in places]
        folders = tuple(place for place in real if place.is_dir())
        return cls(tuple(place for place in real if not place.is_dir()), folders)

    @property
    def alone(self) -> bool:
        """Whether there is exactly one spec, and no folder in which others could appear."""
        return len(self.specs) == 1 and not self.folders

    def spec(self, name: str) -> Path:
        """The spec with this name: a path, or the end of a path that only one spec has. Raises Stop for any other
        file."""
        known = self.listed()
        for base in (Path(), *self.folders):
            path = real_path(base / name) if name else Path()
            if self._holds(path) and path.suffix.lower() in _SUFFIXES and path.is_file():
                return path
        ending = [path for path in known if name and (path.name == name or path.stem == name)]
        if len(ending) == 1:
            return ending[0]
        if not name and len(known) == 1:
            return known[0]
        names = ", ".join(map(self.shown, known[:20])) or "none"
        raise Stop("missing-file", f"there is no spec {name!r} here", f"the specs are: {names}")

    def listed(self) -> list[Path]:
        """The specs, in order."""
        files = set(self.specs)
        for folder in self.folders:
            for file in specs_in(folder):
                if self._holds(real_path(file)):
                    files.add(real_path(file))
                if len(files) >= _MOST:
                    break
        return sorted(files)

    def shown(self, spec: Path) -> str:
        """The shortest name that finds a spec."""
        for folder in self.folders:
            if spec.is_relative_to(folder):
                return str(spec.relative_to(folder))
        return spec.name

    def check_names(self, spec: Path, before: Spec, after: Spec) -> None:
        """Raise Stop where an edit names a file outside the fence that the spec did not name before."""
        known = _named(before, spec.parent)
        for path in _named(after, spec.parent):
            if path not in known and not self._holds(path) and path.parent != spec.parent:
                message = f"{path} lies outside of what may be reached: the edit was refused, and nothing written"
                raise Stop("option", message, "name a file beside the spec, or ask a person to")

    def _holds(self, path: Path) -> bool:
        return path in self.specs or any(path.is_relative_to(folder) for folder in self.folders)


def _named(spec: Spec, folder: Path) -> set[Path]:
    return {real_path(file) for file in files_of(spec, folder)}
