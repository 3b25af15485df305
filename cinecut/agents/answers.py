"""The answers to a client: short texts, for models with a small context."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.diagnostics import Diagnostic, as_text, harmless
from cinecut.edits.revise import Edit
from cinecut.edits.verbs.entries import id_of
from cinecut.language.events import Card, Shot
from cinecut.language.formats import resolved
from cinecut.language.schema import TRAILER, read_schema
from cinecut.language.timebase import clock
from cinecut.review.explain import settings

MOST = 5000  # characters of an answer: below 2,000 tokens also where most of it is figures


def short(text: str, more: str) -> str:
    """A text of at most MOST characters, cut at a line's end; `more` says how to get the rest."""
    text = harmless(text)
    if len(text) <= MOST:
        return text
    room = text[: MOST - len(more) - 20]
    return f"{room[: room.rfind(chr(10))]}\n… {more}"


def timeline(layout: Layout, first: int, last: int) -> str:
    """The events from one number to another: number, id, kind, act, film, trailer, and their notes."""
    events = layout.timeline.events
    head = f"{len(events)} events, {layout.timeline.frames} frames at {float(layout.timeline.rate):g}/s"
    rows = [_row(placed, layout) for placed in events if first <= placed.number <= last]
    return short("\n".join([head, *rows]), "ask for fewer events: first, last")


def _row(placed: Placed, layout: Layout) -> str:
    event, rate = placed.event, layout.timeline.rate
    parts = [f"{placed.number} {type(event).__name__.lower()} id={id_of(placed)}"]
    if placed.act is not None:
        parts.append(f"act={placed.act}")
    if isinstance(placed, PlacedShot):
        film = f"film {placed.event.shot.film}" if placed.event.shot.film else "film"
        parts.append(f"{film} {clock(placed.film.start.seconds)}-{clock(placed.film.end.seconds)}")
    start, end = (clock(frame.index / rate) for frame in (placed.range.start, placed.range.end))
    parts.append(f"trailer {start}-{end}")
    if isinstance(event, Card):
        parts.append(f"text {event.card!r}")
    parts += [f"title {title.text!r}" for title in getattr(event, "titles", ())]
    if isinstance(event, Shot) and event.alternatives:
        parts.append(f"{len(event.alternatives)} alternatives")
    parts += [f"{key} {value!r}" for key in ("scene", "line", "why") if (value := getattr(event, key, None))]
    return "; ".join(parts)[:400]


def values(layout: Layout, below: str) -> str:
    """The settings whose paths start with `below`, and who set each."""
    rows = [
        f"{each.path} = {each.value} ({each.by})" for each in settings(layout.trailer) if each.path.startswith(below)
    ]
    rows = [row for row in rows if below or not row.startswith("timeline[")]
    return short("\n".join(rows) or f"nothing is set at {below!r}", "ask for a part: below")


def findings(mistakes: Iterable[Diagnostic]) -> str:
    return short("\n".join(as_text(each) for each in mistakes) or "no mistakes", "mend these first")


def edit_answer(done: Edit, mistakes: Sequence[Diagnostic], dry_run: bool) -> str:
    """The changes in words, the changed events as they are now, and the findings of `check`."""
    rows = ["would be changed:" if dry_run else "changed:", *(f"- {said}" for said in done.said)]
    if not done.said:
        rows = ["nothing that is seen or heard is other"]
    numbers = [each.now for each in done.differences if each.now is not None]
    events = done.after.layout.timeline.events
    rows += [_row(events[number - 1], done.after.layout) for number in numbers[:12]]
    rows += [f"check: {each}" for each in findings(mistakes).splitlines()[:20]]
    return short("\n".join([*rows, f"revision {done.after.revision}"]), "ask for the timeline")


def about(path: str) -> str:
    """The schema's description of a key: `shot.speed`, `music`, `output`."""
    schema = read_schema(TRAILER)
    name, _, key = path.partition(".")
    part: Any = schema["$defs"].get(name) or schema["properties"].get(name)
    if part is None:
        known = [*schema["properties"], *(each for each in schema["$defs"] if each not in schema["properties"])]
        return short(f"parts: {', '.join(known)}", "name one of them")
    part = resolved(part)
    keys: dict[str, Any] = part.get("properties", {})
    if key in keys:
        return short(f"{path}: {_words(keys[key])}", "")
    return short(
        "\n".join([_words(part), *(f"{each}: {_words(value)[:160]}" for each, value in keys.items())]),
        "ask for one key",
    )


def _words(part: dict[str, Any]) -> str:
    part = resolved(part)
    words = [str(part.get("description", ""))]
    for word in ("enum", "default", "minimum", "maximum", "examples"):
        if word in part:
            words.append(f"{word} {json.dumps(part[word], default=str, ensure_ascii=False)}")
    return " ".join(filter(None, words))
