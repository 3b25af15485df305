"""A host of models on loopback, which breaks off, refuses and sends elsewhere as it is told."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from talking import Handler, Loopback

from cinecut.inference.models import KnownFile, KnownModel

WEIGHTS = bytes(range(256)) * 8192  # 2 MiB
PROJECTOR = b"sees" * 1000
BLOCK = 1 << 16  # bytes that are written at a time


def known(name: str, data: bytes, path: str = "") -> KnownFile:
    return KnownFile(name, path or name, hashlib.sha256(data).hexdigest())


MODEL = KnownModel(
    "tiny",
    "vision",
    "Tiny LLaVA",
    "describes what is seen",
    "MIT",
    "someone/tiny",
    "1a2b",
    (known("tiny.gguf", WEIGHTS, "ggml-model.gguf"), known("tiny-mmproj.gguf", PROJECTOR)),
)
ONE = replace(MODEL, files=MODEL.files[:1])


class Host(Loopback):
    """A loopback hub that can break off, know no ranges, fail for a while, redirect or serve other bytes."""

    def __init__(self) -> None:
        self.files = {"ggml-model.gguf": WEIGHTS, "tiny-mmproj.gguf": PROJECTOR}
        self.break_after: list[int] = []  # bytes of each of the first answers
        self.ranges = True
        self.etag = '"first"'
        self.statuses: list[int] = []  # of the first answers, in place of the file
        self.moved_to = ""  # where the first request is sent
        self.requests: list[tuple[str, str]] = []  # path and Range of each
        host = self

        class Hub(Handler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range", "") if host.ranges else ""
                host.requests.append((self.path, wanted))
                if host.moved_to and "/resolve/" in self.path:
                    self.answer(302, Location=host.moved_to + self.path.replace("/resolve/", "/cdn/"))
                elif host.statuses:
                    self.answer(host.statuses.pop(0))
                elif (name := self.path.split("/", 5)[-1]) not in host.files:
                    self.answer(404)
                else:
                    self.file(host.files[name], wanted)

            def file(self, data: bytes, wanted: str) -> None:
                match = re.fullmatch(r"bytes=(\d+)-", wanted)
                if match is None or self.headers.get("If-Range") != host.etag:
                    self.send_response(200)
                    start = 0
                elif (start := int(match[1])) >= len(data):
                    return self.answer(416, Content_Range=f"bytes */{len(data)}")
                else:
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                body = data[start:]
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", host.etag)
                self.end_headers()
                self.wfile.write(body[: host.break_after.pop(0)] if host.break_after else body)
                return None

        super().__init__(Hub)

    @property
    def starts(self) -> list[int]:
        """Where each request wanted to begin."""
        return [int(wanted[6:-1] or 0) if wanted else 0 for _, wanted in self.requests]
