"""A server on loopback whose answers to questions are anything but what was asked for."""

from __future__ import annotations

import json
import random
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Process, Queue

from tools.fuzz.damage import VALUES, spoil_bytes


def start_server(seed: int) -> tuple[Process, str]:
    """A process that serves until it is ended, and its address."""
    ports: Queue[int] = Queue()
    process = Process(target=_serve, args=(seed, ports), daemon=True)
    process.start()
    return process, f"http://127.0.0.1:{ports.get(timeout=20)}"


def _serve(seed: int, ports: Queue[int]) -> None:
    dice = random.Random(seed)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, json.dumps({"data": [{"id": "llava-nonsense"}]}).encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content = dice.choice(
                (json.dumps(dice.choice(VALUES)), "prose, no JSON", '{"at": 1e999}', "[" * 5000, "\x1b[31m", "")
            )
            answer = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
            status = dice.choice((200, 200, 200, 500, 404))
            self._send(status, spoil_bytes(answer, dice) if dice.random() < 0.4 else answer)

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ports.put(server.server_address[1])
    server.serve_forever()
