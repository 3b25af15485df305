"""The models on this disk, their state, and whether their checksums are the known ones."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Stop
from cinecut.download import Progress, sha256, silent
from cinecut.files import open_file
from cinecut.inference.download import recorded
from cinecut.inference.gguf_files import NotGGUF, needs_mending, read_head
from cinecut.inference.models import (
    KNOWN,
    MINILM,
    ONNX_SHA256,
    WHISPER,
    KnownModel,
    ModelFiles,
    find_minilm,
    find_model,
    find_onnx_minilm,
    is_there,
)
from cinecut.inference.whisper import Whisper, find_whisper

NOT_FETCHED = "not fetched"
NEEDS_REPAIR = "needs models repair"  # the end of such a state
_OTHER_LICENCE = "as its source says"


@dataclass(frozen=True, slots=True)
class Held:
    """One model: a known one, fetched or not, or one with another name or place that serves instead of it."""

    name: str
    known: str  # the name of the known model for `models pull`
    title: str
    purpose: str
    licence: str
    state: str  # for the user, in a few words: "ready", "not fetched", …
    ready: bool = field(init=False)
    where: Path | None
    size: int  # bytes on this disk
    checksum: str  # "as recorded", "right", "wrong", "unknown" or nothing

    def __post_init__(self) -> None:
        object.__setattr__(self, "ready", self.state == "ready")


def _held(model: KnownModel, paths: Sequence[Path], checksum: str, **changes: Any) -> Held:
    """A known model whose files are `paths`, or what serves instead of it, by its `changes`."""
    state, where = "damaged" if checksum == "wrong" else "ready", paths[0].parent if paths else None
    size = sum(path.stat().st_size for path in paths)
    held = Held(model.name, model.name, model.title, model.purpose, model.licence, state, where, size, checksum)
    return replace(held, **changes)


def inventory(folder: Path, verify: bool = False, progress: Progress = silent) -> list[Held]:
    """Each known model, or one with another name or place that serves instead of it, or both.

    `verify` reads every byte, about ten seconds for 4 GB.
    """
    models = []
    for model in KNOWN:
        known = _known(model, folder, verify, progress)
        other = _substitute(model, folder, verify, progress)
        if other is None or known.state != NOT_FETCHED:
            models.append(known)
        if other is not None:
            models.append(other)
    return models


def _substitute(model: KnownModel, folder: Path, verify: bool, progress: Progress) -> Held | None:
    if model.part is None:
        place = find_minilm()
        if place is None:
            weights = find_onnx_minilm()
            return _for_onnx(model, weights, verify, progress) if weights else None
        return None if place == folder / MINILM else _elsewhere(model, place, verify, progress)
    if model.part == "speech":
        whisper = find_whisper()
        elsewhere = whisper is not None and whisper.folder != folder / WHISPER
        return _whisper(model, whisper, verify, progress) if whisper is not None and elsewhere else None
    files = find_model(model.part)
    if files is None or files.weights in {folder / file.name for file in model.files}:
        return None
    return _other(files, model, verify, progress)


def _whisper(model: KnownModel, whisper: Whisper, verify: bool, progress: Progress) -> Held:
    """Whisper's weights in another place: of another size, in the hub's cache, or a packaged copy."""
    weights = [path for path in [whisper.folder / "model.bin"] if is_there(path)]
    checksum = "unknown"
    if whisper.sha256 is not None and verify and weights:
        checksum = _verified({weights[0]: whisper.sha256}, progress)
    return _held(model, weights, checksum, title=f"Whisper ({whisper.folder.name})", where=whisper.folder)


def _known(model: KnownModel, folder: Path, verify: bool, progress: Progress) -> Held:
    paths = [folder / file.name for file in model.files]
    present = [path for path in paths if is_there(path)]
    where = paths[0].parent if present else None
    if len(present) < len(paths):
        begun = any(is_there(path.with_name(path.name + ".part")) for path in paths)
        return _held(model, present, "", state="fetched in part" if present or begun else NOT_FETCHED, where=where)
    held = _held(model, present, _checksum(model, folder, verify, progress), where=where)
    return replace(held, state=_fault(present) or "ready") if held.ready else held


def _checksum(model: KnownModel, folder: Path, verify: bool, progress: Progress) -> str:
    if verify:
        return _verified({folder / file.name: file.sha256 for file in model.files}, progress)
    return "as recorded" if all(recorded(model, file, folder) == file.sha256 for file in model.files) else "unknown"


def _verified(expected: Mapping[Path, str], progress: Progress) -> str:
    """Compare the checksums of whole files: "right" or "wrong", or "unknown" if a file cannot be read."""
    try:
        return "right" if all(sha256(path, progress) == known for path, known in expected.items()) else "wrong"
    except Stop:
        return "unknown"


def _fault(paths: list[Path]) -> str:
    """The first fault in the headers of some files that keeps a server from loading them; empty if there is none."""
    for path in paths:
        try:
            if fault := _fault_of(path):
                return f"{path.name} {fault}"
        except Stop:
            return f"{path.name} cannot be read"
    return ""


def _fault_of(path: Path) -> str:
    if path.suffix != ".gguf":
        with open_file(path):
            return ""
    try:
        if read_head(path).truncated:
            return "is cut short"
    except NotGGUF:
        return "is no GGUF file"
    return NEEDS_REPAIR if needs_mending(path) else ""


def _other(files: ModelFiles, model: KnownModel, verify: bool, progress: Progress) -> Held:
    """A model with a name of its own; `verify` may show that it is a known one."""
    paths = [path for path in (files.weights, files.mmproj) if path is not None]
    licence, title, checksum = _OTHER_LICENCE, files.weights.name, "unknown"
    state = _fault(paths) or "ready"
    if verify:
        with contextlib.suppress(Stop):  # then `state` names the fault
            digest = sha256(files.weights, progress)
            for known in KNOWN:
                if any(file.sha256 == digest for file in known.files):
                    licence, title, checksum = known.licence, f"{known.title} ({files.weights.name})", "right"
    return _held(model, paths, checksum, name=files.name, title=title, licence=licence, state=state)


def _elsewhere(model: KnownModel, folder: Path, verify: bool, progress: Progress) -> Held:
    """MiniLM outside the models folder: the packaged copy, or the one in the hub's cache."""
    present = {folder / file.path: file.sha256 for file in model.files if is_there(folder / file.path)}
    checksum = _verified(present, progress) if verify else "unknown"
    return _held(model, list(present), checksum, state="ready", where=folder)


def _for_onnx(model: KnownModel, weights: Path, verify: bool, progress: Progress) -> Held:
    """MiniLM's 8-bit copy, which needs no torch."""
    checksum = _verified({weights: ONNX_SHA256}, progress) if verify else "unknown"
    return _held(model, [weights], checksum, title=f"{model.title}, 8 bits")
