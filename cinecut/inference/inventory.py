"""Which models lie on this disk, in what state, and whether their bytes are the known ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cinecut.inference.download import recorded, sha256
from cinecut.inference.gguf_files import NotGGUF, needs_mending, read_head
from cinecut.inference.models import KNOWN, MINILM, KnownFile, KnownModel, ModelFiles, find_minilm, find_model

Progress = Callable[[str, int, int], None]
NOT_FETCHED = "not fetched"
_OTHER_LICENCE = "as its source says"


@dataclass(frozen=True, slots=True)
class Held:
    """One model: a known one, there or not, or one that was found under another name."""

    name: str
    known: str  # the name by which `models pull` fetches this one, or the one that it stands in for
    title: str
    purpose: str
    licence: str
    state: str  # what a person should know in a few words: "ready", "not fetched", …
    ready: bool
    where: Path | None
    size: int  # bytes on this disk
    checksum: str  # "as recorded", "right", "wrong", "unknown" or nothing


def inventory(folder: Path, verify: bool = False, progress: Progress = lambda what, done, total: None) -> list[Held]:
    """Each known model, or what stands in for it under another name or in another place, or both.

    `verify` reads every byte: some ten seconds for 4 GB.
    """
    found = []
    for model in KNOWN:
        known = _known(model, folder, verify, progress)
        other = _stand_in(model, folder, verify, progress)
        if other is None or known.state != NOT_FETCHED:
            found.append(known)
        if other is not None:
            found.append(other)
    return found


def _stand_in(model: KnownModel, folder: Path, verify: bool, progress: Progress) -> Held | None:
    if model.part is None:
        place = find_minilm()
        if place is None or place == folder / MINILM:
            return None
        return _elsewhere(model, place, verify, progress)
    files = find_model(model.part)
    if files is None or files.weights in {folder / file.name for file in model.files}:
        return None
    return _other(files, model, verify, progress)


def _known(model: KnownModel, folder: Path, verify: bool, progress: Progress) -> Held:
    paths = [folder / file.name for file in model.files]
    there = [path for path in paths if path.is_file()]
    begun = [path for path in paths if path.with_name(path.name + ".part").exists()]
    ready = len(there) == len(paths)
    state = "ready" if ready else "fetched in part" if there or begun else NOT_FETCHED
    checksum = _checksum(model, folder, verify, progress) if ready else ""
    if checksum == "wrong":
        state, ready = "damaged", False
    elif ready and (trouble := _trouble(there)):
        state, ready = trouble, False
    where = paths[0].parent if there else None
    size = sum(path.stat().st_size for path in there)
    return Held(model.name, model.name, model.title, model.purpose, model.licence, state, ready, where, size, checksum)


def _checksum(model: KnownModel, folder: Path, verify: bool, progress: Progress) -> str:
    if verify:
        right = all(sha256(folder / file.name, progress) == file.sha256 for file in model.files)
        return "right" if right else "wrong"
    return "as recorded" if all(recorded(model, file, folder) == file.sha256 for file in model.files) else "unknown"


def _trouble(paths: list[Path]) -> str:
    """What keeps a server from loading the files, as far as their heads tell."""
    for path in paths:
        if path.suffix != ".gguf":
            continue
        try:
            if read_head(path).truncated:
                return f"{path.name} is cut short"
        except NotGGUF:
            return f"{path.name} is no GGUF file"
        if needs_mending(path):
            return f"{path.name} needs models repair"
    return ""


def _other(files: ModelFiles, model: KnownModel, verify: bool, progress: Progress) -> Held:
    """A model under a name of its own; with `verify` it may turn out to be a known one."""
    paths = [path for path in (files.weights, files.mmproj) if path is not None]
    licence, title, checksum = _OTHER_LICENCE, files.weights.name, "unknown"
    if verify:
        digest = sha256(files.weights, progress)
        for each in KNOWN:
            if any(file.sha256 == digest for file in each.files):
                licence, title, checksum = each.licence, f"{each.title} ({files.weights.name})", "right"
    trouble = _trouble(paths)
    size = sum(path.stat().st_size for path in paths)
    return Held(
        files.name,
        model.name,
        title,
        model.purpose,
        licence,
        trouble or "ready",
        not trouble,
        files.weights.parent,
        size,
        checksum,
    )


def _elsewhere(model: KnownModel, folder: Path, verify: bool, progress: Progress) -> Held:
    """MiniLM outside the models folder: the packaged copy, or the one in the hub's own cache."""

    def there(file: KnownFile) -> Path:
        return folder / file.path

    files = [file for file in model.files if there(file).is_file()]
    checksum = "unknown"
    if verify:
        right = all(sha256(there(file), progress) == file.sha256 for file in files)
        checksum = "right" if right else "wrong"
    size = sum(there(file).stat().st_size for file in files)
    return Held(
        model.name, model.name, model.title, model.purpose, model.licence, "ready", True, folder, size, checksum
    )
