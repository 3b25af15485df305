"""Fetching the known models from their hub: complete and with the right checksum, or not at all.

`MODEL.json` beside a fetched model records its checksums, so that unchanged gigabytes need not be read again.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

from cinecut.diagnostics import Stop
from cinecut.download import FetchOptions, Progress, Source, fetch, sha256
from cinecut.files import beside, content_of, json_of
from cinecut.inference.models import KnownFile, KnownModel

HUB = "https://huggingface.co"
HUB_ENVIRONMENT = "CINECUT_HUB"

_TERMS = FetchOptions(room="CINECUT_MODELS_DIR names a folder on another disk")


def pull(
    model: KnownModel,
    folder: Path,
    progress: Progress | None = None,
    *,
    force: bool = False,
    terms: FetchOptions = _TERMS,
) -> list[Path]:
    """Fetch the files of a model that `folder` lacks; returns the fetched ones.

    `force` replaces files with the same names but other content. Raises Stop: `download`, `disk-full`, `output`, and
    `other-file` for such a file without `force`.
    """
    fetched = []
    terms = terms if progress is None else replace(terms, progress=progress)
    try:
        for file in model.files:
            target = _inside(folder, file.name)
            if not _holds(folder, file, model, terms.progress, force):
                target.parent.mkdir(parents=True, exist_ok=True)
                fetch(Source(_url(model, file), file.name, file.sha256, file.size), target, terms)
                fetched.append(target)
            _record(model, file, folder)
    except OSError as error:
        code = "disk-full" if error.errno == errno.ENOSPC else "output"
        raise Stop(code, f"{model.name} cannot be written to {folder}: {error.strerror or error}") from None
    return fetched


def recorded(model: KnownModel, file: KnownFile, folder: Path) -> str | None:
    """The checksum recorded when the file was fetched; None if the file has changed since, or was never fetched."""
    try:
        record = json_of(content_of(_record_path(model, folder)))["files"][file.name]
        stat = (folder / file.name).stat()
        same = (record["size"], record["mtime_ns"]) == (stat.st_size, stat.st_mtime_ns)
        return str(record["sha256"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _holds(folder: Path, file: KnownFile, model: KnownModel, progress: Progress, force: bool) -> bool:
    target = folder / file.name
    if not target.is_file():
        return False
    if recorded(model, file, folder) == file.sha256:
        return True
    size = target.stat().st_size
    if (file.size is None or file.size == size) and sha256(target, progress) == file.sha256:
        return True
    if force:
        return False
    message = f"{target} is there, but it is not {model.title}: damaged, cut short, or another model"
    raise Stop("other-file", message, f"cinecut models pull {model.name} --force replaces it")


def _record(model: KnownModel, file: KnownFile, folder: Path) -> None:
    if recorded(model, file, folder) == file.sha256:
        return
    path = _record_path(model, folder)
    about: dict[str, object] = {"title": model.title, "licence": model.licence, "from": f"{HUB}/{model.repository}"}
    files: dict[str, object] = {}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        files.update(json_of(content_of(path))["files"])
    stat = (folder / file.name).stat()
    files[file.name] = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": file.sha256}
    with beside(path) as part:
        part.write_text(json.dumps({**about, "files": files}, indent=2) + "\n", encoding="utf-8")


def _record_path(model: KnownModel, folder: Path) -> Path:
    return folder / f"{model.name}.json"


def _inside(folder: Path, name: str) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or not set(path.parts).isdisjoint({"..", "."}) or "\\" in name:
        raise Stop("download", f"{name!r} would lie outside the models folder")
    return folder / path


def _url(model: KnownModel, file: KnownFile) -> str:
    hub = os.environ.get(HUB_ENVIRONMENT, HUB).rstrip("/")
    return f"{hub}/{model.repository}/resolve/{model.revision}/{file.path}"
