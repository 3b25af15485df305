"""One question to an OpenAI-compatible server; its answer is checked against the requested schema."""

from __future__ import annotations

import ast
import base64
import contextlib
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

T = TypeVar("T")
_SEED = 1
_LARGEST_REPLY = 1 << 20  # bytes; an answer has a few hundred
_LATE = 0.05  # seconds before the end of patience from which on what fails has taken too long
_SOON = (429, 503)  # busy, or the model is still loading
_ALIVE = 5.0  # seconds in which a server that left a question unanswered must answer a simpler one
_LOOKS = 10  # at a server that broke the connection, a tenth of a second apart: it may have died
_OPTIONAL = ("response_format", "cache_prompt", "seed")  # not supported by every server; a refused one is left out


class NoAnswer(Exception):  # noqa: N818 - a failed question is expected, not an error of the program
    """One question failed; the message says why. `gone`: the server has ended, so every other question would fail."""

    def __init__(self, reason: str, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Chat:
    """A running server. `slots` questions may be asked at the same time, each in its own thread."""

    name: str  # of its model, as `by:` in a spec shows it
    url: str  # /v1/chat/completions is appended to it
    slots: int = 1
    model: str = ""  # the server's own name of its model; servers with one model need none
    auth: AuthBase | None = field(default=None, repr=False)
    ready: Callable[[], None] = lambda: None  # raises NoAnswer if no question can be answered now

    def ask(
        self,
        prompt: str,
        schema: dict[str, Any],
        *,
        picture: bytes | None = None,  # a JPEG
        tokens: int = 300,
        patience: float = 120,
    ) -> dict[str, Any]:
        """Ask once, for at most `patience` seconds; the answer is an object that `schema` allows. Raises NoAnswer."""
        end = time.monotonic() + patience
        self.ready()
        body = {
            "messages": [{"role": "user", "content": _content(prompt, picture)}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
            "max_tokens": tokens,
            "temperature": 0,
            "seed": _SEED,
            "cache_prompt": False,  # llama.cpp: reusing an earlier prompt changes even a greedy answer
        }
        if self.model:
            body["model"] = self.model
        return _answer(self._until_accepted(body, end), schema)

    def _until_accepted(self, body: dict[str, Any], end: float) -> str:
        """The text of a good reply; optional parameters that the server refuses by name are left out one by one."""
        while True:
            status, text = self._until_ready(body, end)
            if status == 200:
                return text
            refused = next((key for key in _OPTIONAL if key in body and key in text and status in (400, 422, 500)), "")
            if not refused:
                raise NoAnswer(f"the server answers with status {status}: {_reason(text)}", gone=status in (401, 403))
            if refused == "response_format":
                body = {
                    **body,
                    "messages": [*body["messages"], _as_message(body[refused]["json_schema"]["schema"])],
                }
            body = {key: value for key, value in body.items() if key != refused}

    def _until_ready(self, body: dict[str, Any], end: float) -> tuple[int, str]:
        """The first reply that is not "busy" or "loading"; at `end`, whatever the last one was."""
        reply = self._post(body, end)
        while reply[0] in _SOON and time.monotonic() + 0.25 < end:
            time.sleep(0.25)
            try:
                reply = self._post(body, end)
            except NoAnswer as error:
                if error.gone or time.monotonic() < end - _LATE:
                    raise
        return reply

    def _post(self, body: dict[str, Any], end: float) -> tuple[int, str]:
        began = time.monotonic()
        left = max(end - began, 0.1)

        def ask() -> tuple[int, str]:
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
                return response.status_code, read_text(response, end)

        try:
            return within(left, ask)
        except (requests.RequestException, OSError) as error:
            late = isinstance(error, requests.Timeout) or time.monotonic() >= end - _LATE
            reason = f"no answer within {time.monotonic() - began:.0f} s" if late else "the server broke the connection"
        for _ in range(1 if late else _LOOKS):
            time.sleep(0.1)  # that a server has just died takes a moment to be seen
            self.ready()  # raises with a better reason if it has
        raise NoAnswer(reason, gone=not self._answers())

    def _answers(self) -> bool:
        """Whether the server still replies at all."""

        def ask() -> None:
            with session(self.url) as connection:
                connection.get(
                    f"{self.url}/v1/models", auth=self.auth, timeout=_ALIVE, allow_redirects=False, stream=True
                )

        try:
            within(2 * _ALIVE, ask)
        except (requests.RequestException, OSError):
            return False
        return True


def in_background(work: Callable[[], T]) -> Future[T]:
    """Run in a daemon thread, so that an interrupted program does not wait for a silent server."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def within(seconds: float, ask: Callable[[], T]) -> T:
    """The answer to a request that takes so long at most. Raises requests.Timeout, also for a server that sends a byte
    now and then, with which each single wait is short."""
    try:
        return in_background(ask).result(seconds)
    except TimeoutError:
        raise requests.Timeout from None


def session(url: str) -> requests.Session:
    """An HTTP session; proxies from the environment are used for other machines only."""
    new = requests.Session()
    new.trust_env = urlsplit(url).hostname not in ("localhost", "127.0.0.1", "::1")
    return new


def read_text(response: requests.Response, end: float) -> str:
    """A reply's text, limited in size and time: a reply that arrives too slowly is a timeout."""
    parts = bytearray()
    for part in response.iter_content(1 << 16):
        parts += part
        if len(parts) > _LARGEST_REPLY:
            raise NoAnswer("the server's reply is too long")
        if time.monotonic() > end:
            raise requests.Timeout
    return parts.decode(errors="replace")


def _content(prompt: str, picture: bytes | None) -> str | list[dict[str, Any]]:
    if picture is None:
        return prompt
    url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
    return [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": prompt}]


def _as_message(schema: dict[str, Any]) -> dict[str, Any]:
    words = "Answer with one JSON object and nothing else. It follows this JSON Schema: "
    return {"role": "user", "content": words + json.dumps(schema, ensure_ascii=False)}


def _answer(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    from jsonschema import Draft202012Validator  # slow to import, and most analyses ask nothing
    from jsonschema.exceptions import best_match

    try:
        choice = json.loads(text)["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        said = next(filter(None, _said(message)), "")
        content = said or next((str(message[key]) for key in _THOUGHTS if message.get(key)), "")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise NoAnswer(f"the server's reply is not a chat completion: {_short(text)}") from None
    if not _is_ended(content) and (finish == "length" or not said):
        why = "was cut off, it was too long" if finish == "length" else "is missing, the model only thought"
        raise NoAnswer(f"the answer {why}: {_short(content)}")
    objects, rules = [_known(each, schema) for each in _objects(content)], Draft202012Validator(schema)
    if not objects:
        cut = " (cut off, it was too long)" if finish == "length" else ""
        raise NoAnswer(f"the answer is not a JSON object{cut}: {_short(content)}")
    error = best_match(rules.iter_errors(objects[0]))
    fitting = [answer for answer in objects if rules.is_valid(answer)]
    if error is not None and not fitting:
        where = ".".join(str(step) for step in error.absolute_path)
        raise NoAnswer(f"the answer does not follow its schema: {where}{': ' if where else ''}{_short(error.message)}")
    return fitting[-1]  # the ones before it are a model thinking aloud


_THOUGHTS = ("reasoning_content", "reasoning", "thinking")  # some servers put the answer there too


def _said(message: dict[str, Any]) -> Iterator[str]:
    """Where in a message the answer may be, likeliest first: its text, or its parts that are text; what it calls a tool
    with, by which some models are taught to answer in JSON."""
    said = message.get("content") or ""
    if isinstance(said, list):
        said = "".join(str(part.get("text") or "") for part in said if part.get("type") in ("text", "output_text"))
    yield _without_thinking(str(said))
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    for call in [*calls, *filter(None, [message.get("function_call")])]:
        given = call["arguments"]
        yield given if isinstance(given, str) else json.dumps(given)


def _known(answer: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """An answer without the keys that its schema does not know, where it takes no others: models that think put their
    thoughts beside what was asked for."""
    if schema.get("additionalProperties") is not False:
        return answer
    return {key: value for key, value in answer.items() if key in schema.get("properties", {})}


_THOUGHT = r"(?:[a-z]+[:_])?(?:think(?:ing)?|thoughts?|reasoning|reflection|analysis|scratchpad)"
_BEGINS = re.compile(
    rf"<{_THOUGHT}\s*>|\[THINK\]|◁think▷|<\|(?:begin_of|start)_{_THOUGHT}\|>|<unused94>|<\|channel>thought"
    r"|<\|channel\|>(?:analysis|commentary)",
    re.IGNORECASE,
)
_ENDS = re.compile(
    rf"</{_THOUGHT}\s*>|\[/THINK\]|◁/think▷|<\|end_(?:of_)?{_THOUGHT}\|>|<unused95>|<channel\|>"
    r"|<\|channel\|>final[^{]*?<\|message\|>",
    re.IGNORECASE,
)
_THINKING = re.compile(f"(?:{_BEGINS.pattern}).*?(?:{_ENDS.pattern})", re.IGNORECASE | re.DOTALL)


def _without_thinking(content: str) -> str:
    """The answer itself, between the marks that models put around their thinking: some end it only, some never do."""
    return _BEGINS.split(_ENDS.split(_THINKING.sub("", content))[-1])[0].strip()


def _is_ended(content: str) -> bool:
    """Whether an object stands at its end, as an answer does; a model that was cut off thinks of some in between."""
    return "{" not in content or content.rstrip("`*.$\\ \n").removesuffix("</answer>").rstrip().endswith("}")


def _objects(content: str) -> list[dict[str, Any]]:
    """The JSON objects in an answer, also if a model wraps them in words or a code fence, or writes them as Python
    does."""
    decoder, objects, end = json.JSONDecoder(), list[dict[str, Any]](), 0
    for brace in itertools.islice(re.finditer("{", content), 20):
        if brace.start() < end:
            continue
        try:
            value, end = decoder.raw_decode(content, brace.start())
        except (ValueError, RecursionError):
            value, end = _literal(content, brace.start())
        objects += [value] if isinstance(value, dict) else []
    return objects


def _literal(content: str, start: int) -> tuple[Any, int]:
    """What stands from a brace on in Python's notation ({'line': 7, 'sure': True}), and where it ends; None, and the
    place of the brace, where it is none."""
    for brace in itertools.islice(re.finditer("}", content[start : start + _LONGEST_LITERAL]), 20):
        end = start + brace.end()
        with contextlib.suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            value = ast.literal_eval(content[start:end])
            json.dumps(value)  # sets and bytes are nothing that JSON knows
            return value, end
    return None, start


_LONGEST_LITERAL = 20_000  # characters


def printable(text: str) -> str:
    """Foreign text on one line, without control characters and lone surrogates, which YAML and HTML cannot hold."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _reason(text: str) -> str:
    """The message of an error reply: OpenAI's {"error": {"message": …}}, else its whole text."""
    try:
        reply = json.loads(text)
        error = reply.get("error", reply)
        return _short(str(error.get("message", error)))
    except (ValueError, AttributeError, RecursionError):
        return _short(text)


def _short(text: str) -> str:
    """At most 160 characters on one line, none of which controls a terminal."""
    line = printable(text)
    return (line[:157] + " …" if len(line) > 160 else line) or "nothing"
