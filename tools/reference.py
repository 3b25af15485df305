"""python -m tools.reference: writes docs/reference from the schemas and the commands, and the list of commands that
`cinecut --help` shows; `--check` says what is stale."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import typer

from cinecut.cli import command_line
from cinecut.interchange.fidelity import ROWS, TARGETS
from cinecut.language.schema import read_schema

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
_NOTE = "<!-- Made by `python -m tools.reference`. Edit the schema or the command instead. -->"
_TRAILER, _VIBE, _KIT, _SKELETON = "trailer-1", "vibe-1", "kit-1", "skeleton-1"


def pages() -> dict[str, str]:
    """Every page by its file's name."""
    return {
        "language.md": language(),
        "vibes.md": vibes(),
        "kits.md": kits(),
        "skeletons.md": skeletons(),
        "commands.md": commands(),
        "../handoff.md": handoff(),
        "../../cinecut/cli/commands.json": listing(),
    }


def language() -> str:
    """The trailer's language: every key, what it takes, its default, what it means."""
    schema = read_schema(_TRAILER)
    rows = [_NOTE, "# The language of a trailer", "", schema["description"], "", "## At the top", ""]
    rows += _table(schema, _TRAILER)
    for name, part in schema["$defs"].items():
        if "properties" in part:
            rows += ["", f"## {name.replace('_', ' ')}", ""]
            rows += [*([part["description"], ""] if "description" in part else []), *_table(part, _TRAILER)]
    return "\n".join(rows) + "\n"


def vibes() -> str:
    """The language of a vibe of one's own."""
    schema = read_schema(_VIBE)
    rows = [_NOTE, "# The language of a vibe", "", schema["description"], "", *_table(schema, _VIBE)]
    for name, part in schema["$defs"].items():
        if "properties" in part:
            rows += ["", f"## {name}", "", *_table(part, _VIBE)]
    return "\n".join(rows) + "\n"


def kits() -> str:
    """The language of a kit of one's own."""
    schema = read_schema(_KIT)
    rows = [_NOTE, "# The language of a delivery kit", "", schema["description"], "", *_table(schema, _KIT)]
    return "\n".join(rows) + "\n"


def skeletons() -> str:
    """The language of a skeleton of one's own."""
    schema = read_schema(_SKELETON)
    rows = [_NOTE, "# The language of a skeleton", "", schema["description"], "", *_table(schema, _SKELETON)]
    for name, part in schema["$defs"].items():
        if "properties" in part:
            rows += ["", f"## {name}", "", *_table(part, _SKELETON)]
    return "\n".join(rows) + "\n"


def handoff() -> str:
    """What of a trailer each editing program shows."""
    notes: dict[str, int] = {}
    rows = [
        _NOTE.replace("the schema or the command", "cinecut/interchange/fidelity.py"),
        "# Into an editing program",
        "",
    ]
    rows += [_HANDOFF, "", f"| | {' | '.join(TARGETS)} |", f"|---|{'---|' * len(TARGETS)}"]
    for row, cells in ROWS.items():
        shown = [f"[{notes.setdefault(cells[t], len(notes) + 1)}]" if t in cells else "kept" for t in TARGETS]
        rows.append(f"| {row} | {' | '.join(shown)} |")
    rows += ["", "What is shown instead:", ""]
    return "\n".join([*rows, *(f"{number}. {note}" for note, number in notes.items())]) + "\n"


_HANDOFF = """\
`cinecut export SPEC --to TARGET` writes a project in which a person cuts on. The film need not be there: media are
named by absolute URLs, which `--media-root` moves to another machine. What a program cannot show is printed by event,
and with `--json` it is the list `unsupported`; nothing is left out unsaid. `cinecut import SPEC FILE`
brings what is changed there back into the spec (`--dry-run` only says it). What is switched off there is neither seen
nor heard, and what a spec has no word for (effects, wipes, a clip that runs backwards, a sequence in another) is
listed, for a hand to do. This is what each target keeps:"""


def _table(part: dict[str, Any], schema: str) -> list[str]:
    rows = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    for path, item in _properties(part, schema):
        cells = (f"`{path}`", _takes(item), _default(item), item.get("description", ""))
        rows.append("| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |")
    return rows


def _properties(part: dict[str, Any], schema: str, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The keys of a mapping, those of nameless mappings inside it by their whole path."""
    for key, item in part.get("properties", {}).items():
        found = _resolved(item, schema)
        yield f"{path}{key}", found
        if "$ref" not in item and "properties" in item:
            yield from _properties(item, schema, f"{path}{key}.")


def _resolved(item: dict[str, Any], schema: str) -> dict[str, Any]:
    if "$ref" not in item:
        return item
    file, _, pointer = item["$ref"].partition("#/")
    found: Any = read_schema(file.removesuffix(".schema.json") or schema)
    for step in pointer.split("/"):
        found = found[step]
    name = pointer.rsplit("/", 1)[1].replace("_", " ")
    linked = {"x-takes": f"[{name}](#{name.replace(' ', '-')})"} if not file and "properties" in found else {}
    return {**found, **linked, **item}


_WORDS = {
    "film-time": "a time of the film", "film-span": "a span of the film",
    "song-span": "a span of the song", "trailer-length": "a length",
    "trailer-offset": "a length, or 0", "trailer-shift": "a length, also below 0", "transition-from": "a transition",
    "transition-to": "a transition", "positive": "a number above 0", "exact": "an exact number",
    "size": "width x height", "frame-size": "width x height", "frame-rate": "a rate", "file-name": "a file",
}  # fmt: skip


_KINDS = {"object": "a mapping", "array": "a list", "string": "a text", "boolean": "`true` or `false`"}


def _takes(item: dict[str, Any]) -> str:
    if "x-takes" in item:
        kinds = item.get("type", "object")
        short = "a short form, or " if isinstance(kinds, list) and "string" in kinds else ""
        return short + str(item["x-takes"])
    if "enum" in item:
        return ", ".join(f"`{value}`" for value in item["enum"])
    if "const" in item:
        return f"`{item['const']}`"
    if item.get("format") in _WORDS:
        return _WORDS[item["format"]]
    kinds = item.get("type", "any")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    words = {"object": "a mapping", "array": "a list", "string": "a text", "boolean": "`true` or `false`"}.get(
        words, words
    )
    least, most = item.get("minimum", item.get("exclusiveMinimum")), item.get("maximum", item.get("exclusiveMaximum"))
    if least is not None and most is not None:
        return f"{words}, {_number(least)} to {_number(most)}"
    return words if least is None else f"{words}, from {_number(least)}"


def _number(exact: Fraction) -> float:
    """As JSON writes it: whole numbers without a point."""
    return int(exact) if exact == int(exact) else float(exact)


def _default(item: dict[str, Any]) -> str:
    return f"`{json.dumps(item['default'], ensure_ascii=False, default=_number)}`" if "default" in item else ""


def commands() -> str:
    """The command line: every command with its options."""
    root = typer.main.get_command(command_line())
    rows = [_NOTE, "# The commands", "", "`-h` or `--help` after any of them says the same.", ""]
    for words, command in _commands(root, "cinecut"):
        rows += [f"## {words}", "", _prose(command.help or ""), ""]
        rows += _parameters(command)
    return "\n".join(rows).rstrip() + "\n"


def _commands(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None or not words.count(" "):
        if inner is None:
            yield words, command
    elif command.help:
        yield words, command
    for name, each in sorted((inner or {}).items()):
        yield from _commands(each, f"{words} {name}")


def listing() -> str:
    """The commands in the order of `cinecut --help`, each with the first paragraph of its help."""
    group: Any = typer.main.get_command(command_line())
    lines = {name: " ".join(each.help.partition("\n\n")[0].split()) for name, each in group.commands.items()}
    return json.dumps(lines, ensure_ascii=False, indent=2) + "\n"


def _prose(text: str) -> str:
    """A command's words; its examples as code."""
    blocks = []
    for block in text.strip().split("\n\n"):
        head, *lines = block.split("\n")
        if head in ("Example:", "Examples:"):
            blocks.append("\n".join(f"    {example.strip()}" for example in lines))
        else:
            blocks.append("\n".join(f"    {line}" for line in (head, *lines)) if lines else head)
    return "\n\n".join(blocks)


def _parameters(command: Any) -> list[str]:
    rows = []
    for item in command.params:
        if item.name == "help":
            continue
        if item.param_type_name == "argument":
            name = f"`{item.metavar or (item.name or '').upper()}`"
        else:
            metavar = f" {item.metavar}" if getattr(item, "metavar", None) else ""
            name = ", ".join(f"`{option}{metavar}`" for option in item.opts)
        words = " ".join((getattr(item, "help", "") or "").split()).replace("|", "\\|")
        rows.append(f"| {name.replace('|', chr(92) + '|')} | {words} |")
    return ["| | |", "|---|---|", *rows, ""] if rows else []


def main() -> int:
    stale = {name: text for name, text in pages().items() if _kept(name) != text}
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/reference/{name} is stale: python -m tools.reference")
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in stale.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


def _kept(name: str) -> str:
    file = FOLDER / name
    return file.read_text(encoding="utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
