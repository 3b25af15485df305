"""Two states of one event compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import zip_longest

from cinecut.changes import words
from cinecut.changes.values import as_written, value_changes
from cinecut.changes.words import Said, Times
from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.language.events import Card, Notes, Shot, Title
from cinecut.language.write import transition_text

_NOTES = {item.name for item in fields(Notes)} - {"place", "act", "id"} | {"scene", "alternatives"}
_TIMES = {"shot", "speed", "black", "for_"}
_OWN_WORDS = _NOTES | _TIMES | {"place", "id", "act", "card", "titles", "mute", "from_", "to", "gain"}


def event_changes(was: Placed, now: Placed, acts: Mapping[str | None, str | None]) -> list[Said]:
    """What became of an event; `acts` tells what an act is called now where its name is another."""
    if was.event is now.event:  # nothing was said otherwise; what it takes may still be other, as by another tempo
        return [*_times(was, now), *_act(was, now, acts)]
    if type(was.event) is not type(now.event):
        kinds = (type(placed.event).__name__.lower() for placed in (was, now))
        return [words.turned("kind", *kinds)]
    return [*_times(was, now), *_texts(was, now), *_joints(was, now), *_sound(was, now), *_rest(was, now, acts)]


def _times(was: Placed, now: Placed) -> Iterator[Said]:
    if isinstance(was, PlacedShot) and isinstance(now, PlacedShot):
        yield from words.retimed(_of(was), _of(now))
    elif was.range.length != now.range.length:
        yield words.relengthened(was.range.length, now.range.length)


def _of(placed: PlacedShot) -> Times:
    return Times(placed.film.start, placed.film.end, placed.range.length, placed.event.speed)


def _texts(was: Placed, now: Placed) -> Iterator[Said]:
    if isinstance(was.event, Card) and isinstance(now.event, Card) and was.event.card != now.event.card:
        yield words.reworded(was.event.card, now.event.card)
    titles: list[tuple[Title, ...]] = [getattr(placed.event, "titles", ()) for placed in (was, now)]
    for old, new in zip_longest(*titles):
        if old is None:
            yield words.title_new(new.text)
        elif new is None:
            yield words.title_gone(old.text)
        else:
            if old.text != new.text:
                yield words.reworded(old.text, new.text)
            for key in ("at", "for_", "fade", "position"):
                for said in value_changes(getattr(old, key), getattr(new, key), key.rstrip("_")):
                    yield Said("retitled", f"the title {new.text!r}: {said.text}")


def _joints(was: Placed, now: Placed) -> Iterator[Said]:
    for key, name in (("from_", "enters by"), ("to", "ends by")):
        old, new = (getattr(placed.event, key) for placed in (was, now))
        if old != new:
            yield words.turned(name, transition_text(old), transition_text(new))


def _sound(was: Placed, now: Placed) -> Iterator[Said]:
    if isinstance(was.event, Shot) and isinstance(now.event, Shot):
        if was.event.mute != now.event.mute:
            yield words.silenced(now.event.mute)
        if was.event.gain != now.event.gain:
            yield words.turned("gain", words.figure(was.event.gain), words.figure(now.event.gain), "dB")


def _act(was: Placed, now: Placed, acts: Mapping[str | None, str | None]) -> Iterator[Said]:
    if acts.get(was.act, was.act) != now.act:
        yield words.turned("act", as_written(was.act), as_written(now.act))


def _rest(was: Placed, now: Placed, acts: Mapping[str | None, str | None]) -> Iterator[Said]:
    for item in fields(was.event):
        if item.name not in _OWN_WORDS:
            yield from value_changes(getattr(was.event, item.name), getattr(now.event, item.name), item.name)
    yield from _act(was, now, acts)
    noted = [key for key in sorted(_NOTES) if getattr(was.event, key, None) != getattr(now.event, key, None)]
    if noted:
        yield Said("noted", f"other notes ({', '.join(noted)})")
