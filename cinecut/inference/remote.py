"""An OpenAI-compatible server that the user runs, such as vLLM or llama.cpp, on this machine or another."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from cinecut.diagnostics import Stop
from cinecut.inference.chat import Chat, NoAnswer, printable, read_text, session, within
from cinecut.inference.models import Part

KEY = "CINECUT_LLM_KEY"
_PATIENCE = 10  # seconds for what a server says of itself
_SLOTS = 4  # questions at a time, unless the server states fewer


class Bearer(AuthBase):
    """The API key as a header, so that no error message contains it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Remote:
    """The first model of the server at `url` (with or without /v1), for every part that it can play."""

    def __init__(self, url: str) -> None:
        """Does not connect yet. Raises Stop if `url` is not a server's URL."""
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
            raise Stop("option", "the server's URL is not of the form http://host:port", "https and a path are allowed")
        address = f"[{host}]" if ":" in host else host
        path = parts.path.rstrip("/").removesuffix("/v1")
        self.url = f"{parts.scheme}://{address}{f':{port}' if port else ''}{path}"
        self._auth: AuthBase | None = None
        if key := os.environ.get(KEY):
            self._auth = Bearer(key)
        elif parts.username:
            self._auth = HTTPBasicAuth(unquote(parts.username), unquote(parts.password or ""))

    def identity(self, part: Part) -> str | None:
        return f"served:{self._model['id']}" if self._can(part) else None

    def name(self, part: Part) -> str | None:
        name = printable(str(self._model["id"])).rsplit("/", 1)[-1].removesuffix(".gguf").lower()
        return (name or "a model") if self._can(part) else None

    @contextlib.contextmanager
    def open(self, part: Part) -> Iterator[Chat]:
        name = self.name(part)
        if name is None:
            raise Stop("model", f"the model of {self.url} is not one for {part}")
        yield Chat(name, self.url, self._slots, str(self._model["id"]), self._auth)

    def _can(self, part: Part) -> bool:
        """llama.cpp states whether its model takes pictures; other servers are assumed to until a question fails."""
        about = self._model.get("architecture")
        sees = about.get("input_modalities") if isinstance(about, dict) else None
        return part == "text" or not isinstance(sees, list) or "image" in sees

    @cached_property
    def _model(self) -> dict[str, Any]:
        status, text = self._get("/v1/models")
        if status in (401, 403):
            raise Stop("model", f"the server at {self.url} wants a key", f"{KEY} holds it")
        try:
            model = json.loads(text)["data"][0]
            if status == 200 and isinstance(model["id"], str) and model["id"]:
                return dict(model)
        except (ValueError, LookupError, TypeError, RecursionError):
            pass
        raise Stop("model", f"the server at {self.url} names no model (status {status} for /v1/models)")

    @cached_property
    def _slots(self) -> int:
        with contextlib.suppress(Stop, ValueError, LookupError, TypeError):
            return max(1, min(_SLOTS, int(json.loads(self._get("/props")[1])["total_slots"])))  # llama.cpp's
        return _SLOTS

    def _get(self, path: str) -> tuple[int, str]:
        end = time.monotonic() + _PATIENCE

        def ask() -> tuple[int, str]:
            with (
                session(self.url) as connection,
                connection.get(
                    self.url + path, auth=self._auth, timeout=_PATIENCE, allow_redirects=False, stream=True
                ) as reply,
            ):
                return reply.status_code, read_text(reply, end)

        try:
            return within(_PATIENCE, ask)
        except NoAnswer as error:
            raise Stop("model", f"{self.url}: {error}") from None
        except requests.Timeout:
            raise Stop("model", f"the server at {self.url} does not answer within {_PATIENCE} s") from None
        except requests.RequestException:
            raise Stop("model", f"there is no server at {self.url}") from None
