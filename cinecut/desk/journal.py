"""What edits did to a spec, kept in the cache: one entry a file, numbered in their order.

An entry holds the texts before and after its edit, so that it can be taken back; how far a person has changed the file
since then is seen by comparing.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import time
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Stop
from cinecut.files import cache_folder, write_beside

_MOST = 200  # entries of one spec; the oldest go first


@dataclass(frozen=True, slots=True)
class Entry:
    """One edit: what it did in words, when (seconds since 1970), and the texts before and after it."""

    number: int
    when: int
    said: tuple[str, ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Journal:
    """The edits of one spec."""

    folder: Path

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """While this lasts no other process edits the spec by its journal."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def add(self, said: tuple[str, ...], before: str, after: str) -> None:
        numbers = self._numbers()
        number = max(numbers, default=0) + 1
        record = {"when": int(time.time()), "said": said, "before": _packed(before), "after": _packed(after)}
        write_beside(self._file(number), json.dumps(record, ensure_ascii=False))
        for old in numbers[: len(numbers) + 1 - _MOST]:
            self._file(old).unlink(missing_ok=True)

    def entries(self) -> list[Entry]:
        """Those that can be taken back, the first one first. A damaged one ends them."""
        found: list[Entry] = []
        for number in self._numbers():
            try:
                record: dict[str, Any] = json.loads(self._file(number).read_text(encoding="utf-8"))
                texts = [_unpacked(record[key]) for key in ("before", "after")]
                found.append(Entry(number, record["when"], tuple(record["said"]), texts[0], texts[1]))
            except (OSError, ValueError, KeyError, TypeError, zlib.error):
                found.clear()
        return found

    def drop(self, entry: Entry) -> None:
        self._file(entry.number).unlink(missing_ok=True)

    def _numbers(self) -> list[int]:
        return sorted(int(file.stem) for file in self.folder.glob("*.json") if file.stem.isdecimal())

    def _file(self, number: int) -> Path:
        return self.folder / f"{number}.json"


def journal_of(spec: Path) -> Journal:
    name = hashlib.sha256(str(spec.resolve()).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Journal(cache_folder() / "edits" / name)


def _packed(text: str) -> str:
    return b64encode(zlib.compress(text.encode("utf-8", "surrogateescape"), 1)).decode()


def _unpacked(text: str) -> str:
    return zlib.decompress(b64decode(text, validate=True)).decode("utf-8", "surrogateescape")


def taken_back(entry: Entry, now: str) -> str:
    """The text without an edit, and with all that was changed elsewhere since then. Raises Stop where that touches what
    the edit had written.

    >>> entry = Entry(1, 0, (), "a: 1\\nb: 2\\nc: 3\\n", "a: 1\\nb: 20\\nc: 3\\n")
    >>> taken_back(entry, "a: 1\\nb: 20\\nc: 4\\n")
    'a: 1\\nb: 2\\nc: 4\\n'
    """
    if now == entry.after:
        return entry.before
    start, end, old = _region(entry.after, entry.before)
    first, last, new = _region(entry.after, now)
    if (first < end and start < last) or start == first:
        message = "what the last edit wrote was changed since then: nothing was taken back"
        raise Stop("option", message, "cinecut log SPEC says what the edit did; do it by hand")
    parts = sorted([(start, end, old), (first, last, new)], reverse=True)
    text = entry.after
    for begin, until, put in parts:
        text = text[:begin] + put + text[until:]
    return text


def _region(text: str, other: str) -> tuple[int, int, str]:
    """The smallest stretch of whole lines of `text` in which `other` differs, and what that has there."""
    lines, others = text.splitlines(keepends=True), other.splitlines(keepends=True)
    head = _alike(lines, others)
    tail = _alike(lines[head:][::-1], others[head:][::-1])
    start = sum(map(len, lines[:head]))
    return start, len(text) - sum(map(len, lines[len(lines) - tail :])), "".join(others[head : len(others) - tail])


def _alike(lines: list[str], others: list[str]) -> int:
    """How many of the first lines are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(lines, others, strict=False)))
