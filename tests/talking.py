"""HTTP servers on this machine: any one from its handler, and one that speaks like an OpenAI-compatible one and answers
from a script, without a model."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = dict[str, Any] | str | int  # an object, a text, or a status


class Handler(BaseHTTPRequestHandler):
    """Sends whole answers and writes no log."""

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        pass


class Loopback:
    """A server in a thread, at `url`, until `close`."""

    def __init__(self, handler: type[Handler]) -> None:
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # such as a client that was killed
            super().handle_error(request, client_address)


@dataclass(frozen=True)
class Question:
    """What was asked: words, the schema of the answer, and a JPEG or nothing."""

    prompt: str
    schema: dict[str, Any]
    picture: bytes

    @property
    def about(self) -> str:
        """Tells one picture from another."""
        return hashlib.sha256(self.picture).hexdigest()[:16]


@dataclass
class Talker:
    """`asked` is everything that came; `most` is how many were being answered at a time; `leave` ends the server."""

    url: str = ""
    leave: Callable[[], None] = lambda: None
    asked: list[Question] = field(default_factory=list)
    most: int = 0

    @property
    def pictures(self) -> list[str]:
        return [question.about for question in self.asked if question.picture]


_WHO = ("A woman in a red coat", "Two soldiers", "A crowd", "An old man", "A child with a dog", "A burning car")
_DOES = ("runs away", "waits in silence", "fights for its life", "laughs", "looks at the sea", "opens a door")
_WHERE = ("a kitchen in the morning", "a dark corridor", "a battlefield", "a quiet street", "a cliff in a storm")
_MOOD = ("calm", "tense", "desperate", "cheerful")


def sensible(question: Question) -> Reply:
    """The same words for the same question, as a model at temperature 0 gives them."""
    if question.picture:
        dice = bytes.fromhex(question.about)
        who, does, where, mood = (of[dice[k] % len(of)] for k, of in enumerate((_WHO, _DOES, _WHERE, _MOOD)))
        return {"visual_content": f"{who} {does}.", "mood": mood, "action": does, "setting": where}
    mark = hashlib.sha256(question.prompt.encode()).hexdigest()
    return {
        name: part["enum"][int(mark, 16) % len(part["enum"])] if "enum" in part else f"Because of {mark[:8]}"
        for name, part in question.schema["properties"].items()
    }


@contextmanager
def talker(
    reply: Callable[[Question], Reply] = sensible, model: str = "llava-test", delay: float = 0
) -> Iterator[Talker]:
    """Runs until the end of the block. `reply` raises ConnectionError to hang up, or sleeps to be slow."""
    found, lock, busy = Talker(), threading.Lock(), [0]

    class Talking(Handler):
        def do_GET(self) -> None:
            self._send({"data": [{"id": model}]} if self.path == "/v1/models" else 404)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            question = _question(body)
            with lock:
                found.asked.append(question)
                busy[0] += 1
                found.most = max(found.most, busy[0])
            try:
                time.sleep(delay)
                said = reply(question)
            except ConnectionError:
                self.close_connection = True
                return
            finally:
                with lock:
                    busy[0] -= 1
            if isinstance(said, int):
                self._send(said)
                return
            text = said if isinstance(said, str) else json.dumps(said)
            self._send({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})

        def _send(self, said: Reply) -> None:
            self.answer(said if isinstance(said, int) else 200, json.dumps(said).encode())

    server = Loopback(Talking)
    found.url, found.leave = server.url, server.close
    try:
        yield found
    finally:
        server.close()


def _question(body: dict[str, Any]) -> Question:
    content = body["messages"][0]["content"]
    schema = body["response_format"]["json_schema"]["schema"]
    if isinstance(content, str):
        return Question(content, schema, b"")
    prompt = next(part["text"] for part in content if part["type"] == "text")
    picture = next(part["image_url"]["url"] for part in content if part["type"] == "image_url")
    return Question(prompt, schema, base64.b64decode(picture.removeprefix("data:image/jpeg;base64,")))
