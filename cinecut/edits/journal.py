"""The journal of edits to a spec, kept in the cache: one numbered file per edit.

An entry holds the texts before and after its edit, so that it can be undone and redone; how far a person has
changed the file since then is seen by comparing. An undone edit is kept until the next edit is made.

    1.json  2.json  3.json  ─ undo ─►  1.json  2.json  3.undone  ─ redo ─►  1.json  2.json  3.json
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Stop
from cinecut.files import beside, cache_folder, content_of, disk_errors, json_of, real_path, write_beside

_MOST = 200  # entries of one spec; the oldest go first
_DONE, _UNDONE, _PLACE = ".json", ".undone", "spec"
_ELSEWHERE = "each edit is kept, to be undone; CINECUT_CACHE_DIR names another folder for that"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One edit: what it did in words, when (seconds since 1970), and the texts before and after it."""

    number: int
    when: int
    said: tuple[str, ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Journal:
    """The edits of one spec, which lies at `spec`."""

    folder: Path
    spec: Path

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from editing the spec while the block runs. Raises Stop where nothing can be kept."""
        with disk_errors(self.folder, _ELSEWHERE):
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (place := self.folder / _PLACE).exists():
                write_beside(place, str(self.spec).encode("utf-8", "surrogateescape"))
            lock = (self.folder / "lock").open("a")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def adding(self, said: tuple[str, ...], before: str, after: str) -> Iterator[None]:
        """Note an edit that the block makes: where one of them fails, neither is done. Raises Stop."""
        numbers = self._numbers(_DONE)
        file = self._file(max(numbers, default=0) + 1, _DONE)
        record = {"when": int(time.time()), "said": said, "before": _packed(before), "after": _packed(after)}
        with disk_errors(file, _ELSEWHERE), beside(file) as part:
            part.write_bytes(json.dumps(record, ensure_ascii=False).encode())
            yield
        for old in numbers[: len(numbers) + 1 - _MOST]:
            self._file(old, _DONE).unlink(missing_ok=True)
        for number in self._numbers(_UNDONE):
            self._file(number, _UNDONE).unlink(missing_ok=True)

    def done(self) -> list[JournalEntry]:
        """The edits that can be undone, the first one first; a damaged entry hides those before it."""
        return [*self._whole(self._numbers(_DONE)[::-1], _DONE)][::-1]

    def undone(self) -> list[JournalEntry]:
        """The edits that can be redone, the next one first; a damaged entry hides those after it."""
        return [*self._whole(self._numbers(_UNDONE), _UNDONE)]

    @contextlib.contextmanager
    def undoing(self, entry: JournalEntry) -> Iterator[None]:
        """Note that the block undoes an edit."""
        yield
        self._file(entry.number, _DONE).replace(self._file(entry.number, _UNDONE))

    @contextlib.contextmanager
    def redoing(self, entry: JournalEntry) -> Iterator[None]:
        """Note that the block redoes an edit."""
        yield
        self._file(entry.number, _UNDONE).replace(self._file(entry.number, _DONE))

    def _whole(self, numbers: list[int], suffix: str) -> Iterator[JournalEntry]:
        """The entries with these numbers, up to the first damaged one."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, zlib.error):
            for number in numbers:
                record: dict[str, Any] = json_of(content_of(self._file(number, suffix)))
                before, after = (_unpacked(record[key]) for key in ("before", "after"))
                yield JournalEntry(number, record["when"], tuple(record["said"]), before, after)

    def _numbers(self, suffix: str) -> list[int]:
        return sorted(int(file.stem) for file in self.folder.glob(f"*{suffix}") if file.stem.isdecimal())

    def _file(self, number: int, suffix: str) -> Path:
        return self.folder / f"{number}{suffix}"


def journal_of(spec: Path) -> Journal:
    spec, journals = real_path(spec), cache_folder() / "edits"
    own = Journal(journals / hashlib.sha256(str(spec).encode("utf-8", "surrogatepass")).hexdigest()[:32], spec)
    with contextlib.suppress(OSError):
        if not own.folder.exists() and (moved := _moved(journals, spec)) is not None:
            moved.rename(own.folder)
            (own.folder / _PLACE).unlink()
    return own


def _moved(journals: Path, spec: Path) -> Path | None:
    """The journal of a spec that has been moved to where this one is: nothing is at its former place, and this is the
    text between what can be undone and what can be redone. Raises OSError."""
    text = content_of(spec).decode("utf-8", "surrogateescape")
    for place in journals.glob(f"*/{_PLACE}"):
        former = Path(content_of(place).decode("utf-8", "surrogateescape"))
        if not os.path.lexists(former):
            journal = Journal(place.parent, former)
            texts = [each.after for each in journal.done()[-1:]] + [each.before for each in journal.undone()[:1]]
            if text in texts:
                return place.parent
    return None


def _packed(text: str) -> str:
    return b64encode(zlib.compress(text.encode("utf-8", "surrogateescape"), 1)).decode()


def _unpacked(text: str) -> str:
    return zlib.decompress(b64decode(text, validate=True)).decode("utf-8", "surrogateescape")


def taken_back(entry: JournalEntry, now: str) -> str:
    """The text without an edit, and with all that was changed elsewhere since then. Raises Stop where that touches what
    the edit had written.

    >>> entry = JournalEntry(1, 0, (), "a: 1\\nb: 2\\nc: 3\\n", "a: 1\\nb: 20\\nc: 3\\n")
    >>> taken_back(entry, "a: 1\\nb: 20\\nc: 4\\n")
    'a: 1\\nb: 2\\nc: 4\\n'
    """
    message = "the edit cannot be undone, because what it wrote has changed since: nothing was written"
    refusal = Stop("option", message, "cinecut log SPEC says what the edit did; do it by hand")
    return _changed(entry.after, entry.before, now, refusal)


def made_again(entry: JournalEntry, now: str) -> str:
    """The text with an undone edit applied again. Raises Stop where the same lines were changed since then."""
    refusal = Stop(
        "option", "the edit cannot be redone, because what it changes has changed since: nothing was written"
    )
    return _changed(entry.before, entry.after, now, refusal)


def _changed(old: str, new: str, now: str, refusal: Stop) -> str:
    """The text `now`, a later state of `old`, with the change from `old` to `new` applied. Raises `refusal` where both
    change the same lines."""
    if now == old:
        return new
    start, end, put = _region(old, new)
    first, last, later = _region(old, now)
    if (first < end and start < last) or start == first:
        raise refusal
    text = old
    for begin, until, part in sorted([(start, end, put), (first, last, later)], reverse=True):
        text = text[:begin] + part + text[until:]
    return text


def _region(text: str, other: str) -> tuple[int, int, str]:
    """The smallest range of whole lines of `text` in which `other` differs, and what `other` has there."""
    lines, others = text.splitlines(keepends=True), other.splitlines(keepends=True)
    head = _alike(lines, others)
    tail = _alike(lines[head:][::-1], others[head:][::-1])
    start = sum(map(len, lines[:head]))
    return start, len(text) - sum(map(len, lines[len(lines) - tail :])), "".join(others[head : len(others) - tail])


def _alike(lines: list[str], others: list[str]) -> int:
    """How many lines at the start are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(lines, others, strict=False)))
