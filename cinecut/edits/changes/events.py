"""Comparing two states of one event, and two values of any key, as they would be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import zip_longest
from numbers import Number
from typing import Any

from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.diagnostics import Span
from cinecut.edits.changes import words
from cinecut.edits.changes.words import Said, Times
from cinecut.language.events import NOWHERE, Card, Notes, Shot, Title, Transition
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
    return "dB" if named and all(isinstance(each, Number) and not isinstance(each, bool) for each in (was, now)) else ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST * 2 // 3]} … {text[-_LONGEST // 4 :]}"


_NOTES = {item.name for item in fields(Notes)} - {"place", "act", "id"} | {"scene", "alternatives"}
_TIMES = {"shot", "speed", "black", "for_"}
_OWN_WORDS = _NOTES | _TIMES | {"place", "id", "act", "card", "titles", "mute", "from_", "to", "gain"}


def event_changes(was: Placed, now: Placed, acts: Mapping[str | None, str | None]) -> list[Said]:
    """How an event has changed. `acts` holds the new name of each act that was renamed."""
    if was.event is now.event:  # nothing was said otherwise; what it takes may still be other, as by another tempo
        return [*_times(was, now), *_act(was, now, acts)]
    if type(was.event) is not type(now.event):
        kinds = (type(placed.event).__name__.lower() for placed in (was, now))
        return [words.turned("kind", *kinds)]
    return [*_times(was, now), *_texts(was, now), *_joints(was, now), *_sound(was, now), *_rest(was, now, acts)]


def _times(was: Placed, now: Placed) -> Iterator[Said]:
    if isinstance(was, PlacedShot) and isinstance(now, PlacedShot):
        if was.film.film != now.film.film:
            yield words.turned("film", *(placed.event.shot.film or "the first one" for placed in (was, now)))
        place = now.event.shot.place
        end = place.of("in" if was.film.start != now.film.start else "out" if "out" in place.given else "for")
        for said in words.retimed(_of(was), _of(now)):
            yield replace(said, span=now.event.place.of("speed") if said.kind == "retimed" else end)
    elif was.range.length != now.range.length:
        yield words.relengthened(was.range.length, now.range.length)


def _of(placed: PlacedShot) -> Times:
    return Times(placed.film.start, placed.film.end, placed.range.length, placed.event.speed)


def _texts(was: Placed, now: Placed) -> Iterator[Said]:
    if isinstance(was.event, Card) and isinstance(now.event, Card) and was.event.card != now.event.card:
        yield replace(words.reworded(was.event.card, now.event.card), span=now.event.place.of("card"))
    titles: list[tuple[Title, ...]] = [getattr(placed.event, "titles", ()) for placed in (was, now)]
    for old, new in zip_longest(*titles):
        if old is None:
            yield replace(words.title_new(new.text), span=new.place.span)
        elif new is None:
            yield words.title_gone(old.text)
        else:
            if old.text != new.text:
                yield replace(words.reworded(old.text, new.text), span=new.place.of("text"))
            for key in ("at", "for_", "fade", "position"):
                name = key.rstrip("_")
                for said in value_changes(getattr(old, key), getattr(new, key), name, new.place.of(name)):
                    yield replace(said, kind="retitled", text=f"the title {new.text!r}: {said.text}")


def _joints(was: Placed, now: Placed) -> Iterator[Said]:
    for key, words_of_it in (("from", "enters by"), ("to", "ends by")):
        old, new = (getattr(placed.event, {"from": "from_"}.get(key, key)) for placed in (was, now))
        if old != new:
            said = words.turned(words_of_it, value_text(old), value_text(new))
            yield replace(said, key=key, span=now.event.place.of(key))


def _sound(was: Placed, now: Placed) -> Iterator[Said]:
    if isinstance(was.event, Shot) and isinstance(now.event, Shot):
        if was.event.mute != now.event.mute:
            yield replace(words.silenced(now.event.mute), span=now.event.place.of("mute"))
        yield from value_changes(was.event.gain, now.event.gain, "gain", now.event.place.of("gain"))


def _act(was: Placed, now: Placed, acts: Mapping[str | None, str | None]) -> Iterator[Said]:
    if acts.get(was.act, was.act) != now.act:
        yield words.turned("act", value_text(was.act), value_text(now.act))


def _rest(was: Placed, now: Placed, acts: Mapping[str | None, str | None]) -> Iterator[Said]:
    for item in fields(was.event):
        if item.name not in _OWN_WORDS:
            old, new = (getattr(placed.event, item.name) for placed in (was, now))
            yield from value_changes(old, new, item.name, now.event.place.of(item.name))
    yield from _act(was, now, acts)
    noted = [key for key in sorted(_NOTES) if getattr(was.event, key, None) != getattr(now.event, key, None)]
    if noted:
        yield Said("noted", f"other notes ({', '.join(noted)})")
