"""Downloads: a file with a known checksum arrives complete or not at all; other replies are limited in size and time.

    host ─ append to NAME.part, from where the last connection broke ─► check the sha256 ─► rename to NAME

`NAME.part` is kept after a failure, for the next try.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO
from urllib.parse import urljoin, urlsplit

import requests

from cinecut import __version__
from cinecut.diagnostics import Stop
from cinecut.files import content_of, free_bytes, open_file

Progress = Callable[[str, int, int], None]
"""Called with a description of the work, the bytes done and the bytes in total."""

HEADERS = {"User-Agent": f"cinecut/{__version__}", "Accept-Encoding": "identity"}
_BLOCK = 1 << 16  # bytes; the most that is lost when a connection breaks
_RESERVE = 64 << 20  # bytes of disk that a download leaves free
_TIMEOUTS = (10, 30)  # seconds to connect, and between two bytes
_REDIRECTS = 10


def silent(what: str, done: int, total: int) -> None:
    """A progress function that shows nothing."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file on a host and its checksum; `size` is None where only the host knows it."""

    url: str
    name: str
    sha256: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """How to fetch."""

    progress: Progress = silent
    free: Callable[[Path], int] = free_bytes  # bytes on the disk of a folder
    room: str = "free some space"  # the hint when the disk is full
    pauses: tuple[float, ...] = (1.0, 3.0, 6.0)  # seconds before each retry; counted anew after one that made progress


class TooMuch(Exception):  # noqa: N818 - the reply is at fault; the message says how
    """A reply that is too long, too slow, cut short or otherwise unusable."""


def sha256(path: Path, progress: Progress = silent) -> str:
    """The checksum of a whole file; 4 GB take about ten seconds. Raises Stop if it cannot be read."""
    digest, done = hashlib.sha256(), 0
    with open_file(path) as file:
        total = os.fstat(file.fileno()).st_size
        while block := file.read(1 << 22):
            digest.update(block)
            done += len(block)
            progress(f"checking {path.name}", done, total)
    return digest.hexdigest()


class _BrokeOff(Exception):  # noqa: N818 - never leaves this module
    """This attempt failed, for the reason in the message; the next one may get further."""


class _OtherRange(_BrokeOff):
    """This host cannot resume the download where it broke off."""


def fetch(file: Source, target: Path, terms: FetchOptions) -> None:
    """Fetch a file to `target`. Raises Stop (`download`, `disk-full`), and OSError from the disk."""
    part = target.with_name(target.name + ".part")
    with _locked(part) as arrived:
        failures, furthest = 0, arrived.seek(0, os.SEEK_END)
        while furthest != file.size:
            try:
                _append(file, arrived, part, terms)
                break
            except _BrokeOff as reason:
                reached = arrived.seek(0, os.SEEK_END)
                failures = failures + 1 if reached <= furthest else 1
                furthest = max(reached, furthest)
                if failures > len(terms.pauses):
                    hint = "the same command continues where it stopped"
                    raise Stop("download", f"{file.url}: {reason}", hint) from None
                time.sleep(terms.pauses[failures - 1])
        arrived.flush()
        os.fsync(arrived.fileno())
        digest = sha256(part, terms.progress)
        _validator_file(part).unlink(missing_ok=True)
        if digest != file.sha256:
            part.unlink()
            message = f"{file.url}: what arrived has the checksum {digest[:16]}…, not {file.sha256[:16]}…"
            raise Stop("download", message, "it was thrown away; try again, or another network")
        part.replace(target)


@contextlib.contextmanager
def _locked(part: Path) -> Iterator[BinaryIO]:
    """Open the partial file for appending, with a lock against other processes; delete it if it stays empty."""
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
                _validator_file(part).unlink(missing_ok=True)


def _append(file: Source, arrived: BinaryIO, part: Path, terms: FetchOptions) -> None:
    """Resume the download; from the start if the host cannot resume, or if its file has changed."""
    have = arrived.seek(0, os.SEEK_END)
    headers = dict(HEADERS)
    if have and (validator := _read_validator(part)):
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    try:
        with requests.Session() as session, _get(session, file.url, headers) as response:
            start, total = _extent(response, have)
            if start == 0:
                arrived.truncate(0)
                _validator_file(part).write_text(_validator(response), encoding="utf-8")
            if file.size is not None and total not in (None, file.size):
                raise Stop("download", f"{file.url} offers {total} bytes; {file.name} has {file.size}")
            total = total or file.size or 0
            _check_room(file.name, total - start, part.parent, terms)
            done = start
            for block in response.iter_content(_BLOCK) if start < total or not total else ():
                arrived.write(block)
                done += len(block)
                terms.progress(file.name, done, max(total, done))
    except _OtherRange:
        _validator_file(part).unlink(missing_ok=True)  # the next attempt starts over
        raise
    except requests.RequestException as error:
        raise _BrokeOff(why(error)) from None
    except ValueError as error:  # not a URL: the source's own, or the target of a redirect
        raise Stop("download", f"{file.url}: {error}") from None
    if done < total:
        raise _BrokeOff("the connection ended early")


def _extent(response: requests.Response, have: int) -> tuple[int, int | None]:
    """The position in the file at which the reply's bytes begin, and the file's length. `have` bytes are on disk."""
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
    hint = "a newer cinecut may know its new address" if status == requests.codes.not_found else ""
    raise Stop("download", f"{response.url} answers with status {status}", *filter(None, [hint]))


def _get(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    """The reply after redirects, since the hub keeps its files on other hosts. Only https is followed, except from and
    to this machine."""
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


def _check_room(name: str, needed: int, folder: Path, terms: FetchOptions) -> None:
    """Raise Stop if `needed` bytes do not fit on the disk."""
    free = terms.free(folder)
    if needed + _RESERVE > free:
        message = f"{name} needs {needed / 2**30:.2f} GiB more, and {folder} has {max(free, 0) / 2**30:.2f} GiB free"
        raise Stop("disk-full", message, terms.room)


def _validator(response: requests.Response) -> str:
    """The version of the host's file, for If-Range: a strong ETag or a date; empty if the host names neither."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified", "")


def _validator_file(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _read_validator(part: Path) -> str:
    try:
        text = content_of(_validator_file(part)).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return text if text.isprintable() else ""


def copy_bounded(response: requests.Response, file: IO[bytes], most: int, seconds: float, progress: Progress) -> None:
    """Copy a reply's body: at most `most` bytes in at most `seconds`. Raises TooMuch."""
    end = time.monotonic() + seconds
    length = response.headers.get("Content-Length", "")
    stated = int(length) if re.fullmatch(r"[0-9]{1,15}", length) else 0
    done = 0
    for block in response.iter_content(1 << 12):
        done += len(block)
        if max(done, stated) > most:
            raise TooMuch(f"has more than {most // 1_000_000} MB")
        if time.monotonic() > end:
            raise TooMuch(f"was not whole after {seconds:g} s")
        file.write(block)
        progress("song", done, max(done, stated))
    if done < stated:
        raise TooMuch(f"broke off after {done} of {stated} bytes")


def why(error: requests.RequestException) -> str:
    """The error in plain words, without the URL, which may contain a key."""
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return "it cannot be reached, or the connection broke off"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
