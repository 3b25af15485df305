"""Any value of a spec by its path: `mix.music`, `3.gain`, `bird.titles[1].text`, `timeline[4].speed`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Report, Stop, excerpt
from cinecut.edits.verbs.entries import Entries
from cinecut.language.document import ListNode, MapNode, Node, NodePath, Scalar, parse_document
from cinecut.language.document.edit import Edits
from cinecut.language.events import EVENTS, ActMarker, Clip
from cinecut.language.formats import properties_of, resolved
from cinecut.language.spec import Part, Spec
from cinecut.language.timebase import split_span
from cinecut.language.write import record_hints, record_of, value_tree

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def read_value(text: str) -> Node:
    """A value read as YAML; plain text if that fails."""
    report = Report()
    tree = parse_document(Path("value"), f"{text}\n", report).root
    if not report.ok or tree is None:
        return Scalar(text)
    return tree


def set_value(on: Entries, path: str, value: Node | None, text: str | None = None) -> None:
    """Set the key at a path, and create missing mappings above it; None removes it. For a key that takes text, `text`
    is the value as typed. Raises Stop if the path leads nowhere."""
    steps = _steps(on, path)
    node, cls = _walk(on, steps[:-1], path)
    key = steps[-1]
    if text is not None and isinstance(key, str) and cls is not None and _takes_words(cls, key):
        value = Scalar(text)
    if isinstance(key, int):
        _check(isinstance(node, ListNode) and 0 <= key < len(node.items), path)
        if value is None:
            on.edits.take_out(tuple(steps[:-1]), key)
        else:
            on.edits.set_item(tuple(steps), value)
        return
    if value is None:
        _check(isinstance(node, MapNode) and key in node.entries, path)
        on.edits.remove(tuple(steps))
    elif isinstance(node, Scalar):
        _lengthen(on, tuple(steps[:-1]), node, cls, {key: value})
    elif node is None:
        _make(on, steps, value, path)
    else:
        _check(isinstance(node, MapNode), path)
        on.edits.set(tuple(steps), value)


def set_title(edits: Edits, titles: NodePath, which: int, text: str) -> None:
    """Change the text of one of an event's titles, in any of the ways to write titles."""
    node = edits.node(titles)
    path = (*titles, which) if isinstance(node, ListNode) else titles
    if isinstance(node.items[which] if isinstance(node, ListNode) else node, MapNode):
        edits.set((*path, "text"), value_tree(text))
    elif isinstance(node, ListNode):
        edits.set_item(path, value_tree(text))
    else:
        edits.set(path, value_tree(text))


def _takes_words(cls: Any, key: str) -> bool:
    part = resolved(properties_of(cls).get(key, {}))
    return part.get("type") == "string" and part.get("format") in (None, "shown-text", "file-name")


def _steps(on: Entries, path: str) -> list[str | int]:
    """The steps from the root; an event at the start of the path stands for its place in the timeline."""
    if not path.strip():
        raise Stop("option", "`path` is empty")
    head, dot, rest = path.partition(".")
    steps: list[str | int] = []
    if dot and head.partition("[")[0] not in _ROOT:
        steps, path = ["timeline", on.index(head)], rest
    for match in _STEP.finditer(path):
        steps.append(match[1] if match[1] is not None else int(match[2]) - 1)
    if _STEP.sub("", path).strip(".") or path.startswith(".") or path.endswith(".") or ".." in path:
        raise Stop("option", f"{excerpt(path)} is no path", "write mix.music, 3.gain, 3.titles[1].text")
    return steps


_ROOT = {name for name in Spec.__dataclass_fields__ if name != "place"}


def _walk(on: Entries, steps: list[str | int], path: str) -> tuple[Node | None, Any]:
    """The node at a path (None if it does not exist yet), and the class of its record."""
    node: Node | None = on.edits.document.root
    cls: Any = Spec
    for number, step in enumerate(steps):
        if isinstance(step, int):
            if not isinstance(node, ListNode) and step == 0 and node is not None:
                del steps[number]  # one thing that stands for a list
                return _walk(on, steps, path)
            _check(isinstance(node, ListNode) and 0 <= step < len(node.items), path)
            node = node.items[step]  # type: ignore[union-attr]  # it was just checked
            if number == 1 and steps[0] == "timeline":
                kinds = [kind for kind in EVENTS if isinstance(node, MapNode) and kind in node.entries]
                cls = EVENTS[kinds[0]] if kinds else ActMarker
            continue
        if number == 1 and steps[0] == "films":  # a name of one's own
            node = node.get(step) if isinstance(node, MapNode) else None
            continue
        hints = record_hints(cls) if cls is not None else {}
        if cls is not None and step not in hints:
            raise Stop("unknown-key", f"`{step}` in {path} is not known", f"known there: {', '.join(hints)}")
        cls = record_of(hints[step]) if step in hints else None
        node = node.get(step) if isinstance(node, MapNode) else None
    return node, cls


def _lengthen(on: Entries, path: NodePath, node: Scalar, cls: Any, values: dict[str, Node]) -> None:
    """Write a value in its long form, with more keys."""
    if cls in (Clip, Part):
        film, times = split_span(str(node.value))
        parts = {**({"film": film} if film else {}), **dict(zip(("in", "out"), times, strict=True))}
        entries: dict[str, Node] = {key: Scalar(part) for key, part in parts.items()}
        on.edits.set(path, MapNode.of({**entries, **values}))
    elif isinstance(path[-1], int):
        on.edits.set_item(path, MapNode.of({cls.short: Scalar(node.value), **values}))
    else:
        _check(cls is not None and hasattr(cls, "short"), str(path[-1]))
        on.edits.fill(path, cls.short, values)


def _make(on: Entries, steps: list[str | int], value: Node, path: str) -> None:
    """Create the missing mappings on the path, and set the value in the last one."""
    while True:
        above, _ = _walk(on, steps[:-1], path)
        if isinstance(above, MapNode):
            on.edits.set(tuple(steps), value)
            return
        key = steps.pop()
        _check(above is None and isinstance(key, str) and bool(steps), path)
        value = MapNode.of({str(key): value})


def _check(right: bool, path: str) -> None:
    if not right:
        raise Stop("option", f"there is nothing at {path}")
