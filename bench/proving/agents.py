"""Ten editing tasks, told in words to a small text model that has nothing but the tools of `cinecut mcp`.

The model is a GGUF file that CINECUT_AGENT_MODEL names, run by llama.cpp's server on this machine, or that of a server
of its kind at CINECUT_AGENT_URL. It is given the tools and the timeline, as the server's instructions ask, and one
task; what it calls is called, on a copy of the spec. Right is what shows and sounds as the task's own edit does, at the
first edit that was tried.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import requests

from bench.figures import ROOT, Figure, print_rows, work_folder
from bench.film import Film
from cinecut.diagnostics import Report, Stop
from cinecut.edits.changes.compare import differences
from cinecut.inference import server as llama
from cinecut.inference.models import ModelFiles
from cinecut.language.document import parse_document
from cinecut.machine.gpu import gpu_lock
from cinecut.media.link import relink
from cinecut.render.check import laid_out

if TYPE_CHECKING:
    from mcp.client.client import Client

Task = tuple[str, dict[str, Any], str, str]
MODEL, URL = "CINECUT_AGENT_MODEL", "CINECUT_AGENT_URL"
_CALLS = 3  # of tools for one task: two looks and an edit
_THREADS = "1"
_PATIENCE = 1800  # seconds of one answer, on a busy machine
_WANTED = 5  # of ten


@dataclass(slots=True)
class Done:
    """What came of a task: how it ended in words, and the tokens of the tools' answers."""

    right: bool = False
    damaged: bool = False
    how: str = "no edit was tried"
    answers: tuple[int, ...] = ()


def table(film: Film, runs: int) -> list[Figure]:
    try:
        import anyio
        import mcp  # noqa: F401
    except ImportError:
        return [Figure("tasks right at the first try", None, _WANTED, reason="the extra mcp is not here", needed=False)]
    path = Path(os.environ.get(MODEL, ""))
    if not path.is_file() and URL not in os.environ:
        reason = f"{MODEL} names no GGUF file of a text model, and {URL} no server"
        return [Figure("tasks right at the first try", None, _WANTED, reason=reason, needed=False)]
    sys.path.append(str(ROOT / "tests" / "agents"))
    from editing import TASKS

    with TemporaryDirectory(dir=work_folder()) as place, _served(path) as model:
        found = anyio.run(_all, _spec_in(Path(place), film), TASKS, model)
    rows = [(task[0], "right" if done.right else "wrong", str(max(done.answers, default=0)), done.how[:90])
            for task, done in zip(TASKS, found, strict=True)]  # fmt: skip
    print_rows(("task", "at the first try", "tokens", "what it did"), rows)
    return [
        Figure("tasks right at the first try", sum(done.right for done in found), _WANTED, at_least=True),
        Figure("files damaged", sum(done.damaged for done in found), 0),
        Figure("tokens of the longest answer", max(count for done in found for count in (0, *done.answers)), 2000),
    ]


@contextmanager
def _served(weights: Path) -> Iterator[_Model]:
    """llama.cpp's server with the model; its prompts are kept, for all begin with the tools."""
    if URL in os.environ:
        with closing(requests.Session()) as session:
            yield _Model(os.environ[URL], session)
        return
    command = llama.find_server()
    if command is None:
        raise Stop("model", "there is no llama.cpp server here", "pip install 'cinecut[models]'")
    files = ModelFiles(weights.stem, weights, None)
    with gpu_lock(f"asking the model {files.name}", lambda holder: None) as lock, llama._free_port(8091) as port:
        options = ["--model", str(weights), "--port", str(port), "--ctx-size", "8192", "--threads", _THREADS]
        with llama._running([*command, *options], lock) as running:
            llama._await_health(running, url := f"http://127.0.0.1:{port}", files, _PATIENCE)
            with closing(requests.Session()) as session:
                yield _Model(url, session)


@dataclass(frozen=True, slots=True)
class _Model:
    url: str
    session: requests.Session

    def answer(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> dict[str, Any]:
        body = {"messages": messages, "tools": tools, "tool_choice": "required", "parallel_tool_calls": False,
                "temperature": 0, "seed": 1, "max_tokens": 150, "cache_prompt": True}  # fmt: skip
        reply = self.session.post(f"{self.url}/v1/chat/completions", json=body, timeout=_PATIENCE).json()
        message: dict[str, Any] = reply["choices"][0]["message"]
        return message

    def tokens(self, text: str) -> int:
        reply = self.session.post(f"{self.url}/tokenize", json={"content": text}, timeout=_PATIENCE).json()
        return len(reply["tokens"])


async def _all(spec: Path, tasks: Sequence[Task], model: _Model) -> list[Done]:
    """Give the model one task after another, each on the spec as it was, by one server of tools."""
    from mcp.client.client import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    before, found = spec.read_text(encoding="utf-8"), list[Done]()
    words = ["-m", "cinecut", "mcp", str(spec), "--allow-edits"]
    server = StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))
    async with Client(stdio_client(server)) as client:
        for task in tasks:
            spec.write_text(before, encoding="utf-8")
            done = _judged(await _done(client, task[0], model), spec, before.replace(task[2], task[3]))
            print(f"{'right' if done.right else 'wrong'}: {task[0]} {done.how}", file=sys.stderr, flush=True)
            found.append(done)
    return found


async def _done(client: Client, task: str, model: _Model) -> Done:
    """What the model does of one task, until its first edit."""
    tools: list[dict[str, Any]] = [
        {"type": "function", "function": {"name": tool.name, "description": tool.description,
         "parameters": _plain(tool.input_schema)}}
        for tool in (await client.list_tools()).tools
    ]  # fmt: skip
    timeline, done = _text(await client.call_tool("timeline", {})), Done()
    done.answers = (model.tokens(timeline),)
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": client.instructions or ""},
        {"role": "user", "content": f"The timeline of the spec:\n{timeline}\n\nThe task: {task}"},
    ]
    for _ in range(_CALLS):
        message = model.answer(messages, tools)
        name, given = _call(message)
        if name not in {tool["function"]["name"] for tool in tools}:
            done.how = f"said {' '.join(str(message.get('content')).split())[:100]!r}"
            break
        done.how = f"{name} {json.dumps(given, ensure_ascii=False)}"[:150]
        result = await client.call_tool(name, given)
        said = _text(result)
        done.answers += (model.tokens(said),)
        if name in ("edit_spec", "undo_edit"):
            done.how += f": {said.splitlines()[0][:80]}" if result.is_error else ""
            break
        messages += [
            {"role": "assistant", "content": json.dumps({"name": name, "arguments": given})},
            {"role": "user", "content": f"{name} answers:\n{said}"},
        ]
    return done


def _plain(schema: Any) -> Any:
    """A schema without what says nothing to a model: titles, and the values that stand for nothing."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _plain(value) for key, value in schema.items() if key not in ("title", "default") or key == "properties"
    }


def _call(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The call in a message: as the protocol has it, or written out as JSON, as small models do."""
    for call in message.get("tool_calls") or ():
        return call["function"]["name"], _object(call["function"]["arguments"])
    written = _object(str(message.get("content") or ""))
    given = written.get("arguments", {})
    return str(written.get("name", "")), given if isinstance(given, dict) else {}


def _object(text: str) -> dict[str, Any]:
    """The first JSON object in a text; an empty one where there is none."""
    for at, sign in enumerate(text):
        if sign == "{":
            with suppress(ValueError):
                found, _ = json.JSONDecoder().raw_decode(text, at)
                return found if isinstance(found, dict) else {}
    return {}


def _spec_in(folder: Path, film: Film) -> Path:
    from editing import SPEC

    path = folder / "film.yaml"
    path.write_text(f"cinecut: 1\nfilm: {film.path}\ntimeline: [shot: 0:00 - 0:01]\n", encoding="utf-8")
    relink(path, None)
    facts = path.read_text(encoding="utf-8").partition("facts:\n")[2].partition("timeline")[0]
    rows = "".join(f"\n  {row}" for row in facts.rstrip().splitlines())
    path.write_text(SPEC.format(film=film.path, facts=rows), encoding="utf-8")
    return path


def _text(result: Any) -> str:
    return "\n".join(part.text for part in result.content if part.type == "text")


def _judged(done: Done, spec: Path, wanted: str) -> Done:
    """Right: nothing that is seen or heard differs from what the task's own edit makes. Damaged: no spec any more, or
    without the comments of its author."""
    text = spec.read_text(encoding="utf-8")
    try:
        there, goal = (laid_out(parse_document(spec, each, Report())) for each in (text, wanted))
    except Stop:
        done.damaged = True
        return done
    done.damaged = "# ours" not in text or ("# the door" not in text and "shot: 0:00" in text)
    done.right = not done.damaged and not differences(goal, there)
    return done
