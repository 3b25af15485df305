"""Requests to the page of `watch`: of anything, by anybody, in any order, while its draft is made."""

from __future__ import annotations

import contextlib
import copy
import http.client
import json
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tools.fuzz.cases import KEYS, PLAIN, Commands, Setting
from tools.fuzz.damage import VALUES, spoil_bytes, spoil_text, spoil_value

_ACTIONS: tuple[dict[str, Any], ...] = (
    {"do": "trim", "entry": 0, "in": 30},
    {"do": "trim", "entry": 1, "for": "2 beats"},
    {"do": "slip", "entry": 0, "by": "3f"},
    {"do": "remove", "entry": 1},
    {"do": "duplicate", "entry": 1},
    {"do": "move", "entry": 0, "to": 1},
    {"do": "retitle", "entry": 0, "title": 1, "text": "x"},
    {"do": "sync", "entry": 1, "at": 80},
    {"do": "swap", "entry": 1, "number": 1},
    {"do": "insert", "entry": 1, "what": "card: X"},
    {"do": "set", "path": "mix.music", "value": -6},
    {"do": "undo"},
    {"do": "redo"},
)
_NAMES = [*KEYS, *sorted({"event", "value", "revision"}.union(*_ACTIONS))]
_PATHS = (
    "", "state", "watch.js", "edit", "{}", "draft/{}", "draft/{}/outline", "still/{}.jpg", "film/0/{}.jpg",
    "film/{}/0.jpg",
)  # fmt: skip
_FINE = (200, 206, 400, 403, 404, 405, 409, 416)
_SECONDS = 30.0  # within which an answer comes, and for which is asked
_REQUESTS = 25


def visited(case: Setting) -> Commands:
    """A spec that is watched, while its page is asked for anything; see `Visitor`."""
    case.take("film.mp4", "song.wav")
    text = case.dice.choice((PLAIN, case.seeds["plain linked"]))
    (case.folder / "spec.yaml").write_text(text, encoding="utf-8")
    return [["VISIT", "spec.yaml"]]


@dataclass
class Visitor:
    """Asks the page of a watched spec for anything, and now and then spoils or removes the spec; then ends the command
    by a signal. `faults`: answers that are none."""

    spec: Path
    dice: random.Random
    faults: list[str]

    def __call__(self, process: int, log: Path) -> None:
        """`process` is the command's; `log` is what it prints: first the page's address."""
        try:
            end = time.monotonic() + _SECONDS
            if address := _address(log):
                for _ in range(_REQUESTS):
                    if time.monotonic() < end:
                        self._edit_beside() if self.dice.random() < 0.1 else self._ask(address)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)  # SIGINT is ignored in the background

    def _edit_beside(self) -> None:
        """What an editor of texts may do meanwhile."""
        text = self.spec.read_text(encoding="utf-8", errors="replace") if self.spec.exists() else PLAIN
        match self.dice.randrange(3):
            case 0:
                self.spec.unlink(missing_ok=True)
            case 1:
                self.spec.write_bytes(spoil_text(text, self.dice).encode("utf-8", "surrogatepass"))
            case 2:
                self.spec.write_text(PLAIN, encoding="utf-8")

    def _ask(self, address: str) -> None:
        parts = urlsplit(address)
        method, path, body, headers = self._request(address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
        try:
            connection.request(method, path, body, headers)
            if "changes" in path:
                return  # it goes on for ever: one looks, and leaves
            status = connection.getresponse().status
            if status not in _FINE:
                self.faults.append(f"{method} {path[:200]} {body[:200]!r}: status {status}")
        except (OSError, http.client.HTTPException) as error:
            if "Content-Length" not in headers:
                self.faults.append(f"{method} {path[:200]} {body[:200]!r}: {error!r}")
        finally:
            connection.close()

    def _request(self, address: str) -> tuple[str, str, bytes, dict[str, str]]:
        own = {"Origin": address[: address.index("/", 8)]}
        base = urlsplit(address).path
        if self.dice.random() < 0.6:
            return "POST", f"{base}edit", self._body(address), own
        headers = {} if self.dice.random() < 0.5 else dict(self._headers())
        safe = "" if self.dice.random() < 0.5 else "/.:%"
        word = quote(str(self.dice.choice(VALUES))[:2000], safe=safe, errors="replace")
        path = self.dice.choice(_PATHS).format(word)
        if self.dice.random() < 0.1:
            return "GET", f"{base}changes", b"", own
        method = self.dice.choice(("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE"))
        return method, (base if self.dice.random() < 0.9 else "/") + path, b"", headers

    def _headers(self) -> Iterator[tuple[str, str]]:
        name = self.dice.choice(("Host", "Origin", "Range", "If-Range", "Content-Length", "Content-Type", "Accept"))
        words = ("bytes=0-", "bytes=9-1", "bytes=-9999999999", "bytes=a-b", "null", "evil.example", "-1", "9" * 30)
        yield name, self.dice.choice(words)

    def _body(self, address: str) -> bytes:
        action = copy.deepcopy(self.dice.choice(_ACTIONS)) | {"revision": _revision(address)}
        for _ in range(self.dice.choice((0, 1, 1, 2))):
            if action:
                action = spoil_value(action, _NAMES, self.dice)
        body = json.dumps(action).encode()
        if self.dice.random() < 0.2:
            body = spoil_bytes(body, self.dice)
        if self.dice.random() < 0.05:
            body = self.dice.choice((b"[" * 50_000, b"x" * 3_000_000, b"\xff\xfe", b"1e999999", b""))
        return body


def _address(log: Path) -> str:
    """The address that the command prints; empty if it does not come."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        if match := re.search(rb"http://\S+/\n", log.read_bytes() if log.exists() else b""):
            return match[0].decode().strip()
        time.sleep(0.05)
    return ""


def _revision(address: str) -> str:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        connection.request("GET", f"{parts.path}state")
        return str(json.loads(connection.getresponse().read())["revision"])
    finally:
        connection.close()


KINDS = {"visited": (visited, 4)}
