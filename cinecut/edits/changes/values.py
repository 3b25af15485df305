"""Comparing two values of specs, key by key, as they would be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from cinecut.diagnostics import Span
from cinecut.edits.changes import words
from cinecut.edits.changes.words import Said
from cinecut.language.events import NOWHERE, Transition
from cinecut.language.timebase import FilmTime, Length
from cinecut.language.write import value_text

_LONGEST = 80  # signs of a value that is shown
_DECIBELS = ("gain", "duck", "film", "music", "effects", "voice")  # of these keys numbers are dB


def value_changes(was: Any, now: Any, path: str = "", span: Span | None = None) -> Iterator[Said]:
    """The differences between two values of one key: records, mappings, lists or plain values. `span` is the key's
    place in the newer spec."""
    if was == now:
        return
    if _is_record(was) and type(was) is type(now):
        yield from _record_changes(was, now, path, span)
    elif isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*was, *now]):
            yield from value_changes(was.get(key), now.get(key), _below(path, str(key)), span)
    elif _alike(was, now):
        for number, (old, new) in enumerate(zip(was, now, strict=True), 1):
            yield from value_changes(old, new, f"{path}[{number}]", span)
    else:
        text = words.turned(path, _short(value_text(was)), _short(value_text(now)), _unit(path, was, now))
        yield replace(text, span=span)


def _record_changes(was: Any, now: Any, path: str, span: Span | None) -> Iterator[Said]:
    place = getattr(now, "place", NOWHERE)
    for item in fields(was):
        key, old, new = item.name.rstrip("_"), getattr(was, item.name), getattr(now, item.name)
        if key == "facts" and old != new:
            replaced = old is not None and new is not None and was.file == now.file
            text = f"{now.file} is another file" if replaced else "measured again"
            yield Said("changed", text, _below(path, key), place.of("file"))
        elif key != "place":
            yield from value_changes(old, new, _below(path, key), span if place is NOWHERE else place.of(key))


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _is_record(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, FilmTime | Length | Transition)


def _alike(was: Any, now: Any) -> bool:
    """Whether both are lists of the same number of records."""
    return isinstance(was, tuple) and isinstance(now, tuple) and len(was) == len(now) and all(map(_is_record, was))


def _unit(path: str, was: Any, now: Any) -> str:
    named = path.rpartition(".")[2] in _DECIBELS
    return "dB" if named and not any(isinstance(each, str | bool) or each is None for each in (was, now)) else ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST * 2 // 3]} … {text[-_LONGEST // 4 :]}"
