"""Two values of specs compared, key by key, as they would be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from cinecut.changes import words
from cinecut.changes.words import Said
from cinecut.language.document.layout import print_flow
from cinecut.language.events import Transition
from cinecut.language.timebase import FilmTime, Length, clock
from cinecut.language.write import exact_text, length_text, transition_text, value_tree

_LONGEST = 80  # signs of a value that is shown
_DECIBELS = ("gain", "duck", "film", "music", "effects", "voice")  # of these keys numbers are dB


def value_changes(was: Any, now: Any, path: str = "") -> Iterator[Said]:
    """What differs between two values of one key, which may be records, mappings, lists or plain."""
    if was == now:
        return
    if _is_record(was) and type(was) is type(now):
        for item in fields(was):
            if item.name == "facts" and getattr(was, item.name) != getattr(now, item.name):
                yield Said("changed", "measured anew")
            elif item.name != "place":
                key = item.name.rstrip("_")
                yield from value_changes(getattr(was, item.name), getattr(now, item.name), _below(path, key))
    elif isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*was, *now]):
            yield from value_changes(was.get(key), now.get(key), _below(path, str(key)))
    elif _alike(was, now):
        for number, (old, new) in enumerate(zip(was, now, strict=True), 1):
            yield from value_changes(old, new, f"{path}[{number}]")
    else:
        yield words.turned(path, as_written(was), as_written(now), _unit(path, was, now))


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _is_record(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, FilmTime | Length | Transition)


def _alike(was: Any, now: Any) -> bool:
    """Two lists of as many records."""
    return isinstance(was, tuple) and isinstance(now, tuple) and len(was) == len(now) and all(map(_is_record, was))


def _unit(path: str, was: Any, now: Any) -> str:
    named = path.rpartition(".")[2] in _DECIBELS
    return "dB" if named and not any(isinstance(each, str | bool) or each is None for each in (was, now)) else ""


def as_written(value: Any) -> str:
    """A value as a person would write it in the spec, on one line."""
    match value:
        case None | ():
            return "none"
        case FilmTime():
            return clock(value.seconds)
        case Length():
            return length_text(value)
        case Transition():
            return transition_text(value)
        case bool():
            return "yes" if value else "no"
        case (int(width), int(height)):
            return f"{width}x{height}"
        case str():
            return _short(value)
        case tuple():
            return _short(", ".join(map(as_written, value)))
        case _ if hasattr(value, "numerator"):
            return exact_text(value)
        case _:
            return _short(print_flow(value_tree(value)))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST * 2 // 3]} … {text[-_LONGEST // 4 :]}"
