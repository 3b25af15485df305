"""Which models lie on this disk, in what state, and whether their bytes are the known ones."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cinecut.diagnostics import Stop
from cinecut.download import sha256
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

Progress = Callable[[str, int, int], None]
NOT_FETCHED = "not fetched"
NEEDS_REPAIR = "needs models repair"  # the end of such a state
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


def _whisper(model: KnownModel, found: Whisper, verify: bool, progress: Progress) -> Held:
    """Whisper's weights in another place: of another size, the hub's own, or a packaged copy."""
    weights, checksum = found.folder / "model.bin", "unknown"
    if found.sha256 is not None and verify and is_there(weights):
        checksum = _verified({weights: found.sha256}, progress)
    size = weights.stat().st_size if is_there(weights) else 0
    title, licence = f"Whisper ({found.folder.name})", model.licence
    ready, state = checksum != "wrong", "damaged" if checksum == "wrong" else "ready"
    return Held(model.name, model.name, title, model.purpose, licence, state, ready, found.folder, size, checksum)


def _known(model: KnownModel, folder: Path, verify: bool, progress: Progress) -> Held:
    paths = [folder / file.name for file in model.files]
    there = [path for path in paths if is_there(path)]
    begun = [path for path in paths if is_there(path.with_name(path.name + ".part"))]
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
        return _verified({folder / file.name: file.sha256 for file in model.files}, progress)
    return "as recorded" if all(recorded(model, file, folder) == file.sha256 for file in model.files) else "unknown"


def _verified(expected: Mapping[Path, str], progress: Progress) -> str:
    """Reads every byte and compares the checksums; "unknown" where a file cannot be read."""
    try:
        return "right" if all(sha256(path, progress) == known for path, known in expected.items()) else "wrong"
    except Stop:
        return "unknown"


def _trouble(paths: list[Path]) -> str:
    """What keeps a server from loading the files, as far as their heads tell."""
    for path in paths:
        try:
            if trouble := _fault(path):
                return f"{path.name} {trouble}"
        except Stop:
            return f"{path.name} cannot be read"
    return ""


def _fault(path: Path) -> str:
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
    """A model under a name of its own; with `verify` it may turn out to be a known one."""
    paths = [path for path in (files.weights, files.mmproj) if path is not None]
    licence, title, checksum = _OTHER_LICENCE, files.weights.name, "unknown"
    trouble = _trouble(paths)
    if verify:
        with contextlib.suppress(Stop):  # the trouble says it
            digest = sha256(files.weights, progress)
            for each in KNOWN:
                if any(file.sha256 == digest for file in each.files):
                    licence, title, checksum = each.licence, f"{each.title} ({files.weights.name})", "right"
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
    there = {folder / file.path: file.sha256 for file in model.files if is_there(folder / file.path)}
    checksum = _verified(there, progress) if verify else "unknown"
    size = sum(path.stat().st_size for path in there)
    return Held(
        model.name, model.name, model.title, model.purpose, model.licence, "ready", True, folder, size, checksum
    )


def _for_onnx(model: KnownModel, weights: Path, verify: bool, progress: Progress) -> Held:
    """MiniLM's copy of 8 bits, which needs no torch."""
    checksum = _verified({weights: ONNX_SHA256}, progress) if verify else "unknown"
    title, state = f"{model.title}, 8 bits", "damaged" if checksum == "wrong" else "ready"
    ready, size, where = state == "ready", weights.stat().st_size, weights.parent
    return Held(model.name, model.name, title, model.purpose, model.licence, state, ready, where, size, checksum)
