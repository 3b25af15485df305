"""One question to an OpenAI-compatible server, and its answer checked against the schema it was asked for."""

from __future__ import annotations

import base64
import itertools
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from requests.auth import AuthBase

T = TypeVar("T")
_SEED = 1
_LARGEST_REPLY = 1 << 20  # bytes; an answer has a few hundred
_SOON = (429, 503)  # busy, or the model is still loading
_OPTIONAL = ("response_format", "cache_prompt", "seed")  # not every server knows these; what it refuses is left out


class NoAnswer(Exception):  # noqa: N818 - often nobody's error
    """One question failed, for the reason in its words. `gone`: so will every other, the server is no more."""

    def __init__(self, reason: str, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Chat:
    """A server that answers. `slots` questions may be asked at a time, each in a thread of its own."""

    name: str  # of its model, as `by:` says it in a spec
    url: str  # what /v1/chat/completions is appended to
    slots: int = 1
    model: str = ""  # its model as the server calls it; servers with one model need no name
    auth: AuthBase | None = field(default=None, repr=False)
    ready: Callable[[], None] = lambda: None  # raises NoAnswer where nothing may be asked now

    def ask(
        self,
        prompt: str,
        schema: dict[str, Any],
        *,
        picture: bytes | None = None,  # a JPEG
        tokens: int = 300,
        patience: float = 120,
    ) -> dict[str, Any]:
        """One attempt, of at most `patience` seconds; the answer is an object that `schema` allows. Raises NoAnswer."""
        end = time.monotonic() + patience
        self.ready()
        body = {
            "messages": [{"role": "user", "content": _content(prompt, picture)}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
            "max_tokens": tokens,
            "temperature": 0,
            "seed": _SEED,
            "cache_prompt": False,  # llama.cpp: what it reuses of an earlier prompt changes even a greedy answer
        }
        if self.model:
            body["model"] = self.model
        return _answer(self._insist(body, end), schema)

    def _insist(self, body: dict[str, Any], end: float) -> str:
        """The text of a good reply, to the question without what the server refuses by name."""
        while True:
            status, text = self._patiently(body, end)
            if status == 200:
                return text
            refused = next((key for key in _OPTIONAL if key in body and key in text and status in (400, 422, 500)), "")
            if not refused:
                raise NoAnswer(f"the server answers with status {status}: {_reason(text)}", gone=status in (401, 403))
            if refused == "response_format":
                body = {**body, "messages": [*body["messages"], _in_words(body[refused]["json_schema"]["schema"])]}
            body = {key: value for key, value in body.items() if key != refused}

    def _patiently(self, body: dict[str, Any], end: float) -> tuple[int, str]:
        """The first reply that is not a plea for time, and the last at `end`."""
        while True:
            status, text = self._post(body, end)
            if status not in _SOON or time.monotonic() + 0.25 > end:
                return status, text
            time.sleep(0.25)

    def _post(self, body: dict[str, Any], end: float) -> tuple[int, str]:
        began = time.monotonic()
        left = max(end - began, 0.1)
        try:
            with (
                session(self.url) as connection,
                connection.post(
                    f"{self.url}/v1/chat/completions",
                    json=body,
                    auth=self.auth,
                    timeout=(min(left, 10), left),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                return response.status_code, _read_text(response, end)
        except (requests.RequestException, OSError) as error:
            late = isinstance(error, requests.Timeout) or time.monotonic() >= end - 0.05
            time.sleep(0.1)  # where it died, let that be seen
            reason = f"no answer within {time.monotonic() - began:.0f} s" if late else "the server broke the connection"
        self.ready()  # knows a better reason where the server died
        raise NoAnswer(reason, gone=not self._answers())

    def _answers(self) -> bool:
        """Whether the server still says anything at all."""
        try:
            with session(self.url) as connection:
                connection.get(f"{self.url}/v1/models", auth=self.auth, timeout=5, allow_redirects=False, stream=True)
        except (requests.RequestException, OSError):
            return False
        return True


def in_background(work: Callable[[], T]) -> Future[T]:
    """Run in a thread that nobody waits for at the end: an interrupt does not wait for a server that is silent."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def session(url: str) -> requests.Session:
    """A connection; proxies of the environment are for other machines only."""
    new = requests.Session()
    new.trust_env = urlsplit(url).hostname not in ("localhost", "127.0.0.1", "::1")
    return new


def _read_text(response: requests.Response, end: float) -> str:
    """A reply's text, of bounded size and in bounded time: a server that drips counts as one that is silent."""
    parts = bytearray()
    for part in response.iter_content(1 << 16):
        parts += part
        if len(parts) > _LARGEST_REPLY:
            raise NoAnswer("the server's reply has no end")
        if time.monotonic() > end:
            raise requests.Timeout
    return parts.decode(errors="replace")


def _content(prompt: str, picture: bytes | None) -> str | list[dict[str, Any]]:
    if picture is None:
        return prompt
    url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
    return [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": prompt}]


def _in_words(schema: dict[str, Any]) -> dict[str, Any]:
    words = "Answer with one JSON object and nothing else. It follows this JSON Schema: "
    return {"role": "user", "content": words + json.dumps(schema, ensure_ascii=False)}


def _answer(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    try:
        choice = json.loads(text)["choices"][0]
        said, finish = choice["message"], choice.get("finish_reason")
        content = _spoken(str(said["content"] or "")) or str(
            said.get("reasoning_content") or said.get("reasoning") or ""
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise NoAnswer(f"the server's reply is not one of a chat: {_short(text)}") from None
    found, rules = _objects(content), Draft202012Validator(schema)
    if not found:
        cut = " (cut off, it was too long)" if finish == "length" else ""
        raise NoAnswer(f"the answer is not a JSON object{cut}: {_short(content)}")
    error = best_match(rules.iter_errors(found[0]))
    fitting = [each for each in found if rules.is_valid(each)]
    if error is not None and not fitting:
        where = ".".join(str(step) for step in error.absolute_path)
        raise NoAnswer(f"the answer does not follow its schema: {where}{': ' if where else ''}{_short(error.message)}")
    return fitting[-1]  # what stands before it, a model thought aloud


def _spoken(content: str) -> str:
    """What a model says after it has thought: behind the last mark that ends its thinking."""
    return re.split(r"</think(?:ing)?>|<\|channel\|>final<\|message\|>", content)[-1].strip()


def _objects(content: str) -> list[dict[str, Any]]:
    """The JSON objects in an answer, also where a model wraps them in words or a fence."""
    decoder, found, end = json.JSONDecoder(), list[dict[str, Any]](), 0
    for brace in itertools.islice(re.finditer("{", content), 20):
        if brace.start() < end:
            continue
        try:
            each, end = decoder.raw_decode(content, brace.start())
        except (ValueError, RecursionError):
            continue
        found.append(each)
    return found


def printable(text: str) -> str:
    """Others' words on one line, without control signs and lone surrogates, which no YAML and no page can hold."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _reason(text: str) -> str:
    """What an error reply says: OpenAI's {"error": {"message": …}}, or its text."""
    try:
        found = json.loads(text)
        error = found.get("error", found)
        return _short(str(error.get("message", error)))
    except (ValueError, AttributeError, RecursionError):
        return _short(text)


def _short(text: str) -> str:
    """One line for a message, without what controls a terminal."""
    line = printable(text)
    return (line[:157] + " …" if len(line) > 160 else line) or "nothing"
