"""`python -m bench.loopback LOG DELAY`: a vision model's server without a model, in a process of its own.

It answers after DELAY seconds, in words that depend on the picture alone, and adds a line to LOG for each picture that
it is shown. Its first line of output is its URL.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_WORDS = ("a man", "a rabbit", "a forest", "a fight", "an apple", "a butterfly", "the sky", "a storm")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._send({"data": [{"id": "loopback"}]} if self.path == "/v1/models" else {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mark = hashlib.sha256(body).digest()
        with Path(sys.argv[1]).open("a", encoding="utf-8") as log:
            log.write(mark.hex() + "\n")
        time.sleep(float(sys.argv[2]))
        first, second = (_WORDS[byte % len(_WORDS)] for byte in mark[:2])
        seen = {"visual_content": f"We see {first} and {second}.", "mood": "calm", "action": "waits", "setting": first}
        self._send({"choices": [{"message": {"content": json.dumps(seen)}, "finish_reason": "stop"}]})

    def _send(self, reply: object) -> None:
        data = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *values: object) -> None:
        """Who asks is killed, and that is meant."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """As above."""


if __name__ == "__main__":
    with _Server(("127.0.0.1", 0), _Handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()
