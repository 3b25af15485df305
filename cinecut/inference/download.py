"""Fetching the known models from their hub: whole and with the right checksum, or not at all.

    NAME.part ◄─ append, where the last connection broke off ─ the hub ─► sha256 over the whole ─► rename to NAME

What arrived stays in `NAME.part` for the next try. Beside a fetched model, `MODEL.json` records its checksums, so that
nobody reads gigabytes again to learn that they are still the same.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests

from cinecut import __version__
from cinecut.diagnostics import Stop
from cinecut.files import beside, open_file
from cinecut.inference.models import KnownFile, KnownModel

HUB = "https://huggingface.co"
HUB_ENVIRONMENT = "CINECUT_HUB"

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the bytes that are done and the bytes that there are."""

_BLOCK = 1 << 16  # bytes; at most so many are lost when a connection breaks off
_RESERVE = 64 << 20  # bytes that a download leaves free
_TIMEOUTS = (10, 30)  # seconds for a connection, and without a byte
_PAUSES = (1.0, 3.0, 6.0)  # seconds before each new attempt, from the first again after one that got further
_REDIRECTS = 10


def pull(
    model: KnownModel,
    folder: Path,
    progress: Progress = lambda what, done, total: None,
    *,
    force: bool = False,
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    pauses: tuple[float, ...] = _PAUSES,
) -> list[Path]:
    """Fetch what `folder` lacks of a model; the files that were fetched, none when all were there.

    `force` replaces files of these names that are others. Raises Stop: `download`, `disk-full`, `output`, and
    `other-file` where such a file is in the way.
    """
    fetched = []
    try:
        for file in model.files:
            target = _inside(folder, file.name)
            if not _holds(target, file, model, folder, progress, force):
                target.parent.mkdir(parents=True, exist_ok=True)
                _fetch(_url(model, file), file, target, progress, free, pauses)
                fetched.append(target)
            _record(model, file, folder)
    except OSError as error:
        code = "disk-full" if error.errno == errno.ENOSPC else "output"
        raise Stop(code, f"{model.name} cannot be written to {folder}: {error.strerror or error}") from None
    return fetched


def sha256(path: Path, progress: Progress = lambda what, done, total: None) -> str:
    """Of the whole file; 4 GB take some ten seconds. Raises Stop where it cannot be read."""
    digest, done = hashlib.sha256(), 0
    with open_file(path) as file:
        total = os.fstat(file.fileno()).st_size
        while block := file.read(1 << 22):
            digest.update(block)
            done += len(block)
            progress(f"checking {path.name}", done, total)
    return digest.hexdigest()


def recorded(model: KnownModel, file: KnownFile, folder: Path) -> str | None:
    """The checksum that the file had when it was fetched, if it has not changed since."""
    try:
        found = json.loads(_record_path(model, folder).read_text(encoding="utf-8"))["files"][file.name]
        stat = (folder / file.name).stat()
        same = (found["size"], found["mtime_ns"]) == (stat.st_size, stat.st_mtime_ns)
        return str(found["sha256"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _holds(target: Path, file: KnownFile, model: KnownModel, folder: Path, progress: Progress, force: bool) -> bool:
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
        files.update(json.loads(path.read_text(encoding="utf-8"))["files"])
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


class _BrokeOff(Exception):  # noqa: N818 - never leaves this module
    """This attempt failed for the reason in its words; the next may get further."""


class _OtherRange(_BrokeOff):
    """Going on where it broke off does not work with this host."""


def _fetch(
    url: str,
    file: KnownFile,
    target: Path,
    progress: Progress,
    free: Callable[[Path], int],
    pauses: tuple[float, ...],
) -> None:
    part = target.with_name(target.name + ".part")
    with _alone(part) as arrived:
        failures, furthest = 0, arrived.seek(0, os.SEEK_END)
        while furthest != file.size:
            try:
                _append(url, file, arrived, part, progress, free)
                break
            except _BrokeOff as reason:
                reached = arrived.seek(0, os.SEEK_END)
                failures = failures + 1 if reached <= furthest else 1
                furthest = max(reached, furthest)
                if failures > len(pauses):
                    hint = "the same command goes on where it broke off"
                    raise Stop("download", f"{url}: {reason}", hint) from None
                time.sleep(pauses[failures - 1])
        arrived.flush()
        os.fsync(arrived.fileno())
        found = sha256(part, progress)
        _note(part).unlink(missing_ok=True)
        if found != file.sha256:
            part.unlink()
            message = f"{url}: what arrived has the checksum {found[:16]}…, not {file.sha256[:16]}…"
            raise Stop("download", message, "it was thrown away; try again, or another network")
        part.replace(target)


@contextlib.contextmanager
def _alone(part: Path) -> Iterator[BinaryIO]:
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop("download", f"another process is fetching {part.name.removesuffix('.part')}") from None
        try:
            yield file
        finally:
            if file.seek(0, os.SEEK_END) == 0:
                part.unlink(missing_ok=True)
                _note(part).unlink(missing_ok=True)


def _append(
    url: str, file: KnownFile, arrived: BinaryIO, part: Path, progress: Progress, free: Callable[[Path], int]
) -> None:
    """Go on behind what has arrived, from the start if the host cannot, or offers other bytes than the last time."""
    have = arrived.seek(0, os.SEEK_END)
    validator = _noted(part)
    headers = {"User-Agent": f"cinecut/{__version__}", "Accept-Encoding": "identity"}
    if have and validator:
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    try:
        with requests.Session() as session, _get(session, url, headers) as response:
            start, total = _extent(response, have)
            if start == 0:
                arrived.truncate(0)
                _note(part).write_text(_validator(response), encoding="utf-8")
            if file.size is not None and total not in (None, file.size):
                raise Stop("download", f"{url} offers {total} bytes; {file.name} has {file.size}")
            total = total or file.size or 0
            _check_room(file.name, total - start, free(part.parent), part.parent)
            done = start
            for block in response.iter_content(_BLOCK) if start < total or not total else ():
                arrived.write(block)
                done += len(block)
                progress(file.name, done, max(total, done))
    except _OtherRange:
        _note(part).unlink(missing_ok=True)  # the next attempt starts over
        raise
    except requests.RequestException as error:
        raise _BrokeOff(_why(error)) from None
    except ValueError as error:  # what is no URL, be it the hub's own or where it leads
        raise Stop("download", f"{url}: {error}") from None
    if done < total:
        raise _BrokeOff("the connection ended early")


def _extent(response: requests.Response, have: int) -> tuple[int, int | None]:
    """Where in the file the reply's bytes begin, and how long the whole file is. `have` bytes have arrived."""
    status, length = response.status_code, response.headers.get("Content-Length", "")
    if status == requests.codes.ok:
        return 0, int(length) if length.isdecimal() else None
    if status in (requests.codes.partial_content, requests.codes.requested_range_not_satisfiable):
        span = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", response.headers.get("Content-Range", ""))
        if span is None or int(span[1] or span[2]) != have:
            raise _OtherRange("it sent another range than it was asked for")
        return have, int(span[2])
    if status >= 500 or status in (requests.codes.request_timeout, requests.codes.too_many_requests):
        raise _BrokeOff(f"it answers with status {status}")
    hint = "a newer cinecut may know where it has gone" if status == requests.codes.not_found else ""
    raise Stop("download", f"{response.url} answers with status {status}", *filter(None, [hint]))


def _get(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    """The reply after redirects: the hub keeps its files on other hosts. None of them is asked without encryption,
    except a hub on this machine."""
    loopback = _is_loopback(url)
    for _ in range(_REDIRECTS):
        if urlsplit(url).scheme != "https" and not (loopback and _is_loopback(url)):
            raise Stop("download", f"{url} is not encrypted", "only https is fetched from")
        response = session.get(url, headers=headers, stream=True, timeout=_TIMEOUTS, allow_redirects=False)
        if not response.is_redirect:
            return response
        response.close()
        url = urljoin(url, response.headers["Location"])
    raise Stop("download", f"{url}: it redirects without end")


def _is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")


def _check_room(name: str, needed: int, free: int, folder: Path) -> None:
    if needed + _RESERVE > free:
        message = f"{name} needs {needed / 2**30:.2f} GiB more, and {folder} has {max(free, 0) / 2**30:.2f} GiB free"
        raise Stop("disk-full", message, "CINECUT_MODELS_DIR names a folder on another disk")


def _validator(response: requests.Response) -> str:
    """What tells the host's file from a later one, for If-Range: a strong ETag or a date; empty where there is none."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified", "")


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _noted(part: Path) -> str:
    try:
        text = _note(part).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return text if text.isprintable() else ""


def _why(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "it cannot be reached, or the connection broke off"
    return str(error) or type(error).__name__
