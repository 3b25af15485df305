"""`cinecut mcp`, asked by the protocol's own client: ten editing tasks, the fence, ended work."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from editing import SPEC, TASKS
from effort import GIVE_UP
from oracle import Film

import cinecut
from cinecut.agents.fence import Fence

if TYPE_CHECKING:  # half a second in every worker, and one needs it
    from mcp.client.client import Client

pytestmark = pytest.mark.skipif(find_spec("mcp") is None, reason="needs mcp")
Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def folder(tmp_path: Path, films: Callable[[Film], Film]) -> Path:
    """A folder with a film and a spec of it."""
    film = films(Film(Path("film.mkv"), rate=Fraction(24), frames=240)).path
    (tmp_path / "specs").mkdir()
    spec = tmp_path / "specs" / "film.yaml"
    spec.write_text(f"cinecut: 1\nfilm: {film}\ntimeline: [shot: 0:00 - 0:01]\n")
    from cinecut.media.link import relink

    relink(spec, None)
    facts = spec.read_text().partition("facts:\n")[2].partition("timeline")[0]
    rows = "".join(f"\n  {row}" for row in facts.rstrip().splitlines())
    spec.write_text(SPEC.format(film=film, facts=rows.rstrip()))
    cinecut.load(spec)
    return tmp_path


def talk(target: Any, with_: Callable[[Client], Awaitable[None]]) -> None:
    """Talk to a server: one of this process, or over the pipes of another."""
    from mcp.client.client import Client

    async def run() -> None:
        with anyio.fail_after(GIVE_UP):
            async with Client(target) as client:
                await with_(client)

    anyio.run(run)


def started(folder: Path, *options: str) -> Any:
    """The pipes of `cinecut mcp` on the folder's specs, a process of its own."""
    from mcp.client.stdio import StdioServerParameters, stdio_client

    words = ["-m", "cinecut", "mcp", str(folder / "specs"), *options]
    return stdio_client(StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ), cwd=folder))


def served(*paths: Path, allow_edits: bool) -> Any:
    """A server of this process."""
    from cinecut.agents.server import server

    return server(Fence.around(list(paths)), allow_edits=allow_edits)


def most() -> int:
    """The characters of an answer, at most."""
    from cinecut.agents.answers import MOST

    return MOST


def text_of(result: Any) -> str:
    return "\n".join(part.text for part in result.content if part.type == "text")


def images(result: Any) -> int:
    return sum(part.type == "image" for part in result.content)


def test_ten_tasks_are_done_and_no_file_is_damaged(folder: Path) -> None:
    spec = folder / "specs" / "film.yaml"
    before = spec.read_text()

    async def with_(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert len(tools) <= 10
        for task, values, old, new in TASKS:
            assert before.count(old) == 1, task
            done = await client.call_tool("edit_spec", {"spec": "film", **values})
            assert not done.is_error, (task, text_of(done))
            assert spec.read_text() == before.replace(old, new), task
            assert "check: no mistakes" in text_of(done)
            assert len(text_of(done)) <= most()
            assert images(done) >= 1 or values["verb"] == "set", task
            undone = await client.call_tool("undo_edit", {})
            assert not undone.is_error, (task, text_of(undone))
            assert spec.read_text() == before, task

    talk(started(folder, "--allow-edits"), with_)


def test_one_spec_has_not_to_be_named(folder: Path) -> None:
    """Where there is but one, no tool takes a name: small models write something into it."""
    spec = folder / "specs" / "film.yaml"
    before = spec.read_text()

    async def with_(client: Client) -> None:
        for tool in (await client.list_tools()).tools:
            assert "spec" not in tool.input_schema["properties"], tool.name
        done = await client.call_tool("edit_spec", {"verb": "remove", "event": 3})
        assert not done.is_error, text_of(done)
        assert spec.read_text() == before.replace("  - black: 1s\n", "")

    talk(served(spec, allow_edits=True), with_)


def test_without_leave_nothing_can_be_edited(folder: Path) -> None:
    async def with_(client: Client) -> None:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert "timeline" in names
        assert not {"edit_spec", "undo_edit"} & names
        refused = await client.call_tool("edit_spec", {"verb": "remove", "event": 1})
        assert refused.is_error
        shown = text_of(await client.call_tool("timeline", {"last": 2}))
        assert "1 shot id=shot_0m00s" in shown
        assert "5 shot" not in shown
        assert images(await client.call_tool("stills", {"event": 2})) == 2
        for tool, values in (
            ("values", {"below": "mix"}),
            ("language", {"part": "shot"}),
            ("language", {}),
            ("check", {}),
        ):
            answer = await client.call_tool(tool, values)
            assert not answer.is_error
            assert 0 < len(text_of(answer)) <= most()

    talk(served(folder / "specs", allow_edits=False), with_)


def test_nothing_outside_the_fence_is_reached(folder: Path) -> None:
    outside = folder / "other.yaml"
    outside.write_text((folder / "specs" / "film.yaml").read_text())
    (folder / "specs" / "link.yaml").symlink_to(outside)
    (folder / "secret.png").write_bytes(b"secret")
    before, other = (folder / "specs" / "film.yaml").read_bytes(), outside.read_bytes()

    async def with_(client: Client) -> None:
        for name in ("../other.yaml", str(outside), "link.yaml", "link", "/etc/passwd", "film.yaml/../../other.yaml"):
            for tool, values in (("timeline", {}), ("edit_spec", {"verb": "remove", "event": 1})):
                refused = await client.call_tool(tool, {"spec": name, **values})
                assert refused.is_error, name
        for path, value in (
            ("film.file", str(folder / "secret.png")),
            ("vibe", "../other.yaml"),
            ("lut", "/etc/passwd"),
            ("languages.fr", "../other.yaml"),
            ("deliverables", "[{kit: ../other.yaml}]"),
            ("music", "/etc/passwd"),
        ):
            refused = await client.call_tool("edit_spec", {"spec": "film", "verb": "set", "path": path, "value": value})
            assert refused.is_error, path
            assert path == "vibe" or "outside" in text_of(refused), text_of(refused)
        card = "still: {file: ../secret.png, facts: {fingerprint: 6-0, size: 8x8}}"
        refused = await client.call_tool(
            "edit_spec", {"spec": "film", "verb": "insert", "event": 1, "what": f"{{{card}, for: 1s}}"}
        )
        assert refused.is_error
        assert "outside" in text_of(refused)
        assert text_of(await client.call_tool("specs", {})) == "film.yaml"

    talk(served(folder / "specs", allow_edits=True), with_)
    assert ((folder / "specs" / "film.yaml").read_bytes(), outside.read_bytes()) == (before, other)


def test_a_wrong_edit_is_answered_by_what_would_be_wrong(folder: Path) -> None:
    spec = folder / "specs" / "film.yaml"
    before = spec.read_bytes()

    async def with_(client: Client) -> None:
        for values, words in (
            ({"verb": "trim", "event": 1, "out_point": "9:00"}, "past-end"),
            ({"verb": "retime", "event": 1, "speed": "fast"}, "must be a number"),
            ({"verb": "trim", "event": 77, "out_point": "0:01"}, "1 to 6"),
            ({"verb": "remove", "event": 1, "revision": "0" * 16}, "it is revision "),
        ):
            answer = await client.call_tool("edit_spec", values)
            assert answer.is_error
            assert words in text_of(answer)
        dry = await client.call_tool("edit_spec", {"verb": "remove", "event": 1, "dry_run": True})
        assert "would be changed" in text_of(dry)

    talk(served(folder / "specs", allow_edits=True), with_)
    assert spec.read_bytes() == before


def test_a_draft_tells_how_far_it_is_and_can_be_ended(folder: Path) -> None:
    drafts = Path(os.environ["CINECUT_CACHE_DIR"]) / "drafts"

    async def with_(client: Client) -> None:
        assert "edit_spec" not in {tool.name for tool in (await client.list_tools()).tools}
        told: list[str] = []

        async def progress(progress: float, total: float | None, message: str | None) -> None:
            told.append(message or "")

        with anyio.move_on_after(0.6) as scope:
            await client.call_tool("render_draft", {})
        assert scope.cancelled_caught or list(drafts.glob("film-*.mp4"))
        done = await client.call_tool("render_draft", {}, progress_callback=progress)
        assert not done.is_error, text_of(done)
        assert Path(text_of(done).rpartition(":")[0]).is_file()
        assert told

    talk(started(folder), with_)
    assert not list(drafts.glob(".*.part"))
