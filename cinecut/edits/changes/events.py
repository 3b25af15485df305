"""Comparing two states of one event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from itertools import zip_longest

from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.edits.changes import words
from cinecut.edits.changes.values import value_changes
from cinecut.edits.changes.words import Said, Times
from cinecut.language.events import Card, Notes, Shot, Title
from cinecut.language.write import value_text

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
