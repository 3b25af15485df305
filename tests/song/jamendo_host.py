"""A host on this machine that plays Jamendo."""

from __future__ import annotations

import io
import json
import time
from functools import cache
from typing import Any

import numpy as np
import soundfile
from talking import Handler, Loopback


@cache
def song(seconds: int = 8, pitch: float = 220) -> bytes:
    """An MP3 of a tone."""
    rate, file = 22_050, io.BytesIO()
    samples = 0.5 * np.sin(2 * np.pi * pitch * np.arange(seconds * rate) / rate)
    soundfile.write(file, samples, rate, format="MP3")
    return file.getvalue()


class Host(Loopback):
    """A loopback host that plays Jamendo: its API under /v3.0, each track's song under /song/ID."""

    def __init__(self) -> None:
        self.tracks: list[dict[str, Any]] = []
        self.songs: dict[str, bytes] = {}
        self.answer: bytes | None = None  # of the API, instead of the tracks
        self.statuses: list[tuple[int, dict[str, str]]] = []  # of the first answers, of whatever
        self.cut = 0  # bytes that are missing at the end of each song, though stated
        self.pause = 0.0  # seconds before each answer, and between two blocks of a song
        self.asked: list[str] = []
        host = self

        class Jamendo(Handler):
            def do_GET(self) -> None:
                host.asked.append(self.path)
                time.sleep(host.pause)
                if host.statuses:
                    status, headers = host.statuses.pop(0)
                    self.send_answer(status, b"", headers)
                elif self.path.startswith("/v3.0/tracks/"):
                    self.send_answer(200, host.answer if host.answer is not None else host.listed(), {})
                else:
                    body = host.songs[self.path.removeprefix("/song/")]
                    self.send_answer(200, body, {}, len(body) - host.cut)

            def send_answer(self, status: int, body: bytes, headers: dict[str, str], sent: int | None = None) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                for start in range(0, len(body[:sent]), 2048):
                    self.wfile.write(body[:sent][start : start + 2048])
                    time.sleep(host.pause / 4)

        super().__init__(Jamendo)

    def add(self, track: str, body: bytes | None = None, **changes: Any) -> None:
        """Another track, the next in popularity."""
        self.songs[track] = song() if body is None else body
        self.tracks.append(
            {
                "id": track,
                "name": f"Song {track}",
                "artist_name": "Somebody",
                "duration": 8,
                "license_ccurl": "http://creativecommons.org/licenses/by/3.0/",
                "audiodownload": f"{self.url}/song/{track}",
                "audiodownload_allowed": True,
                "musicinfo": {"tags": {"genres": ["soundtrack"], "instruments": [], "vartags": []}},
                **changes,
            }
        )

    def listed(self) -> bytes:
        headers = {"status": "success", "code": 0, "error_message": "", "results_count": len(self.tracks)}
        return json.dumps({"headers": headers, "results": self.tracks}).encode()
