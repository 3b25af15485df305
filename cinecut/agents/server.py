"""The server's tools. Each is a short function over the same verbs that a person has; answers are short texts.

Without `allow_edits` nothing of the user's is changed: the tools that edit are not there.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Awaitable, Callable
from inspect import getdoc, signature
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

import anyio
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from cinecut import __version__
from cinecut.agents import answers
from cinecut.agents.fence import Fence
from cinecut.diagnostics import Stop, as_text
from cinecut.edits.revise import Edit, EditOptions, edit, log, state_of, undo
from cinecut.edits.verbs.takes import TAKES
from cinecut.files import cache_folder
from cinecut.render.check import check_spec

INSTRUCTIONS = """cinecut cuts film trailers from specs: YAML files with a timeline of events (shots, blacks, cards,
stills). Ask `timeline` first: it numbers the events. Then `edit_spec` with one verb at a time; every answer says what
was changed and what is wrong. Film times: 0:16.5 or 1:02:11. Lengths in the trailer: 1.5s, 36f (frames), 4 beats. An
event is its number, its id, or "act 2/3" (the third event of act 2). `undo_edit` takes the last edit back."""

Verb = Literal[
    "trim", "slip", "replace", "swap", "move", "insert", "remove", "duplicate", "retitle", "retime", "sync", "set"
]
Spec = Annotated[str, Field(description="Leave it out if there is only one spec; else its name, as `specs` lists it")]
Event = Annotated[str | int | None, Field(description='Its number in the timeline, its id, or "act 2/3"')]

_READS, _WRITES = ToolAnnotations(read_only_hint=True), ToolAnnotations(read_only_hint=False, destructive_hint=False)

P = ParamSpec("P")
T = TypeVar("T")


def serve(places: list[Path], allow_edits: bool) -> None:
    """Serve on standard input and output until the client goes."""
    server(Fence.around(places), allow_edits).run("stdio")


def server(fence: Fence, allow_edits: bool) -> MCPServer[Any]:
    made: MCPServer[Any] = MCPServer("cinecut", version=__version__, instructions=INSTRUCTIONS, log_level="ERROR")
    _reading(made, fence)
    _rendering(made, fence)
    if allow_edits:
        _editing(made, fence)
    return made


def _said(tool: Callable[P, T]) -> Callable[P, T]:
    """A tool whose Stop is an answer, with all findings in it."""

    @functools.wraps(tool)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return tool(*args, **kwargs)
        except Stop as stop:
            raise ToolError(answers.short("\n".join(map(as_text, stop.diagnostics)), "mend these first")) from None

    return run


def _without_choice(tool: Callable[P, T], fence: Fence) -> Callable[P, T]:
    """A tool that does not take `spec` where there is but one: small models write something into it."""
    if fence.alone:
        taken = signature(tool, eval_str=True)
        left = [each for each in taken.parameters.values() if each.name != "spec"]
        tool.__signature__ = taken.replace(parameters=left)  # type: ignore[attr-defined]
    return tool


def _tool(made: MCPServer[Any], fence: Fence, annotations: ToolAnnotations, function: Callable[..., Any]) -> None:
    """Offer a function as a tool; its docstring tells the model what it does."""
    shown = _without_choice(_said(function), fence)
    made.tool(annotations=annotations, structured_output=False, description=getdoc(function))(shown)


def _reading(made: MCPServer[Any], fence: Fence) -> None:
    tool = functools.partial(_tool, made, fence, _READS)

    @tool
    def specs() -> str:
        """List the specs that can be read, by their names."""
        return answers.short("\n".join(map(fence.shown, fence.listed())) or "no specs", "name a folder below")

    @tool
    def timeline(spec: Spec = "", first: int = 1, last: int = 30) -> str:
        """The events of a spec, by number: what each shows of the film, where it falls in the trailer, its texts."""
        state = state_of(fence.spec(spec))
        return f"revision {state.revision}; {answers.timeline(state.layout, first, last)}"

    @tool
    def values(spec: Spec = "", below: str = "") -> str:
        """The values of a spec by their paths, and who set each; `below` is how the paths begin: music, mix."""
        return answers.values(state_of(fence.spec(spec)).layout, below)

    @tool
    def check(spec: Spec = "") -> str:
        """Everything that is wrong with a spec and the files that it names."""
        return answers.findings(check_spec(fence.spec(spec)))

    @tool
    def language(part: str = "") -> str:
        """What a key of the language means: shot, shot.speed, music, output; without a part the names of all."""
        return answers.about(part)

    @tool
    def history(spec: Spec = "") -> str:
        """The edits of a spec that `undo` can undo, the last one first."""
        rows = ["; ".join(entry.said) for entry in log(fence.spec(spec))[::-1]]
        return answers.short("\n".join(rows) or "no edit is kept", "")

    @tool
    def stills(spec: Spec = "", event: Event = 1) -> list[Any]:
        """Pictures of the cuts at both ends of an event: left the frame before the cut, right the one after it."""
        from cinecut.edits.verbs.entries import find_event

        path = fence.spec(spec)
        layout = state_of(path).layout
        placed = find_event(layout, 1 if event is None else event)
        return [placed.name, *_pictures(layout, path, [placed.number])]


def _pictures(layout: Any, spec: Path, numbers: list[int]) -> list[Any]:
    """Images of the cuts at these events; where the film is not there, a word about it."""
    from cinecut.agents.stills import cut_pictures, cuts_of

    try:
        return [Image(data=data, format="jpeg") for data in cut_pictures(layout, spec.parent, cuts_of(layout, numbers))]
    except Stop as stop:
        return [f"no pictures: {stop.diagnostics[0].message}"]


def _editing(made: MCPServer[Any], fence: Fence) -> None:
    tool = functools.partial(_tool, made, fence, _WRITES)

    @tool
    def edit_spec(
        verb: Verb,
        event: Event = None,
        in_point: Annotated[str, Field(description="trim only: where it begins in the film")] = "",
        out_point: Annotated[str, Field(description="trim only: where it ends in the film")] = "",
        length: Annotated[str, Field(description="trim only: how long it is seen, in place of one of its ends")] = "",
        by: Annotated[str, Field(description="slip only: how much later; earlier with a minus")] = "",
        film: Annotated[str, Field(description="replace only: the time in the film")] = "",
        to: Annotated[str | int, Field(description="move only: the event whose place it takes")] = "",
        what: Annotated[str, Field(description="insert only: the new event as YAML")] = "",
        text: Annotated[str, Field(description="retitle only: the new words")] = "",
        number: Annotated[int, Field(description="swap, retitle: which alternative or title, from 1")] = 0,
        speed: Annotated[str | float, Field(description="retime only: 1 is the film's own")] = "",
        at: Annotated[str, Field(description="sync only: a moment of the film")] = "",
        path: Annotated[str, Field(description="set only: mix.music, output.size, 3.gain, 3.titles")] = "",
        value: Annotated[
            str | int | float | bool | None, Field(description="set only: the new value; null takes it out")
        ] = None,
        revision: Annotated[str, Field(description="Refuse where the spec is another by now")] = "",
        dry_run: bool = False,
        spec: Spec = "",
    ) -> list[Any]:
        """Change one event, or one value, of a spec. Give the verb, and only what is named here with it:

        trim event 3, out_point 0:19.5 - it begins or ends elsewhere (in_point, out_point, length)
        slip event 3, by 1.5s - a later part of the film, just as long
        replace event 3, film 0:40 - another part of the film, just as long
        swap event 3, number 1 - takes one of its alternatives
        move event 3, to 5 - takes it to the place of event 5
        insert event 3, what "{card: SOON, for: 1s}" or "shot: 0:16 - 0:20" - puts it before event 3, or event "end"
        remove event 3; duplicate event 3
        retitle event 3, text "Run" - what its title, or the card, says
        retime event 3, speed 0.5 - slow motion
        sync event 3, at 0:17.2 - that moment of the film falls on a beat
        set path mix.music, value -3 - any other value; levels are in dB

        All else in the file stays; what would make the spec wrong is refused. Answers what was changed, with pictures
        of both sides of every changed cut.
        """
        place = fence.spec(spec)
        action: dict[str, Any] = {
            "event": event, "in": in_point, "out": out_point, "for": length, "by": by, "with": film, "to": to,
            "what": what, "text": text, "number": number or "", "title": number or "", "at": at, "path": path,
            "speed": str(speed),
        }  # fmt: skip
        given = {key: each if each != "" else None for key, each in action.items()} | {"value": value}
        given = {key: given[key] for key in TAKES[verb]}  # a small model writes something into all
        guard = functools.partial(fence.check_names, place)
        terms = EditOptions(revision or None, dry_run, guard)
        return _answer(edit(place, {"do": verb, **given}, terms), dry_run)

    @tool
    def undo_edit(spec: Spec = "", revision: str | None = None) -> list[Any]:
        """Take back the last edit of a spec; what a person changed elsewhere since then stays."""
        return _answer(undo(fence.spec(spec), EditOptions(revision)), False)


def _answer(done: Edit, dry_run: bool) -> list[Any]:
    mistakes = done.after.found if dry_run else tuple(check_spec(done.spec))
    numbers = [each.now for each in done.differences if each.now is not None]
    # The cut that something was taken out of is another one, too.
    numbers += [each.was for each in done.differences if each.now is None and each.was is not None]
    text = answers.edit_answer(done, mistakes, dry_run)
    return [text, *(_pictures(done.after.layout, done.spec, numbers) if numbers else [])]


def _rendering(made: MCPServer[Any], fence: Fence) -> None:
    async def render_draft(context: Context[Any, Any], spec: Spec = "") -> str:
        """Render a small draft into the cache and say where it lies. Takes a while; may be cancelled."""
        try:
            path = fence.spec(spec)
            target = cache_folder() / "drafts" / f"{path.stem}-{state_of(path).revision}.mp4"
        except Stop as stop:
            raise ToolError(answers.findings(stop.diagnostics)) from None
        target.parent.mkdir(parents=True, exist_ok=True)
        return await _draft(path, target, context.report_progress)

    made.tool(annotations=_READS, structured_output=False)(_without_choice(render_draft, fence))


async def _draft(spec: Path, target: Path, report: Callable[[float, float, str], Awaitable[None]]) -> str:
    """Run the draft's process to its end, or end it when the client no longer wants it."""
    command = [sys.executable, "-m", "cinecut.agents.draft", str(spec), str(target)]
    async with await anyio.open_process(command, stdin=None, stderr=None) as process:
        try:
            assert process.stdout is not None
            last: dict[str, Any] = {}
            rest = ""
            async for data in process.stdout:
                *lines, rest = (rest + data.decode("utf-8", "replace")).split("\n")
                for line in lines:
                    last = json.loads(line)
                    if "stage" in last:
                        await report(last["done"], max(1, last["total"]), last["stage"])
            await process.wait()
        except BaseException:
            process.terminate()
            with anyio.CancelScope(shield=True):
                await process.wait()
            raise
    if "file" not in last:
        raise ToolError(answers.short("\n".join(last.get("findings", ["the draft could not be rendered"])), ""))
    return f"{last['file']}: {last['frames']} frames"
