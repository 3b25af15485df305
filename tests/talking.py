"""A loopback server that speaks like an OpenAI-compatible one and answers from a script: real HTTP, no model."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = dict[str, Any] | str | int  # an object, a text, or a status


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

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = {"data": [{"id": model}]} if self.path == "/v1/models" else 404
            self._send(status)

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
            data = json.dumps(said).encode()
            self.send_response(said if isinstance(said, int) else 200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *values: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

        def leave() -> None:
            server.shutdown()
            server.server_close()

        found.leave = leave
        try:
            yield found
        finally:
            leave()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked was killed, or has hung up."""


def _question(body: dict[str, Any]) -> Question:
    content = body["messages"][0]["content"]
    schema = body["response_format"]["json_schema"]["schema"]
    if isinstance(content, str):
        return Question(content, schema, b"")
    prompt = next(part["text"] for part in content if part["type"] == "text")
    picture = next(part["image_url"]["url"] for part in content if part["type"] == "image_url")
    return Question(prompt, schema, base64.b64decode(picture.removeprefix("data:image/jpeg;base64,")))
