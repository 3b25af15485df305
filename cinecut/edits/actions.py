"""What one can do to a spec: each action is one edit of the spec's text that leaves every other byte as it is."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Stop
from cinecut.language.document import Document, Mapping
from cinecut.language.document import Sequence as Items
from cinecut.language.document.edit import Edits
from cinecut.language.document.layout import Path
from cinecut.language.events import ActMarker, Black, Card, Entry, Shot, Still, Sync
from cinecut.language.timebase import FilmRange, FilmTime, Length
from cinecut.language.write import length_text, set_clip, value_tree

STEMS = ("film", "music", "effects", "voice")
LONGEST = 500  # characters of a text


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody asked for. Its values are somebody's, so each is checked when it is taken."""

    values: Map[str, Any]

    def number(self, name: str, least: int, most: int) -> int:
        value = self.values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Stop("option", f"`{name}` takes a whole number, {least} to {most}")
        return value

    def optional(self, name: str, most: int) -> int | None:
        return None if self.values.get(name) is None else self.number(name, 0, most)

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
            raise Stop("option", f"`{name}` takes a text of at most {LONGEST} characters")
        return value


def entries_of(layout: Layout) -> list[int]:
    """Where each event stands in the spec's timeline, which holds act markers too: indices, from 0."""
    return [place for place, entry in enumerate(layout.trailer.spec.timeline) if not isinstance(entry, ActMarker)]


class _Timeline:
    """The timeline of a document, its entries by their index."""

    def __init__(self, edits: Edits, layout: Layout) -> None:
        self.edits, self.spec, self.film = edits, layout.trailer.spec, layout.trailer.film
        entries = entries_of(layout)
        self._placed = {entries[placed.number - 1]: placed for placed in layout.timeline.shots}
        root = edits.document.root
        film = root.get("film") if isinstance(root, Mapping) else None
        # A timecode can be read only where the file holds the film's facts.
        linked = isinstance(film, Mapping) and "facts" in film.entries
        self.timecodes = self.film.timecodes if linked and not self.film.variable else None

    def entry(self, action: Action, name: str = "entry") -> tuple[int, Entry]:
        number = action.number(name, 0, len(self.spec.timeline) - 1)
        return number, self.spec.timeline[number]

    def shot(self, action: Action) -> tuple[int, Shot]:
        number, entry = self.entry(action)
        if not isinstance(entry, Shot):
            raise Stop("option", "this event is no shot")
        return number, entry

    def film_range(self, number: int) -> FilmRange:
        """What the shot that is this entry shows of the film."""
        return self._placed[number].film

    def moment(self, frame: int) -> FilmTime:
        return FilmTime(frame / self.film.rate)

    @property
    def last(self) -> int:
        """The number of the film's frames, nearly."""
        return int(self.film.duration * self.film.rate)


def edited(document: Document, layout: Layout, values: Map[str, Any]) -> str:
    """The text of a spec after an action. Raises Stop on an action that cannot be done."""
    name = values.get("do")
    if not isinstance(name, str) or name not in _ACTIONS:
        raise Stop("option", "there is no such action")
    edits = Edits(document)
    _ACTIONS[name](_Timeline(edits, layout), Action(values))
    return edits.text()


def _mark(timeline: _Timeline, action: Action) -> None:
    """Give a shot another in point, another out point, or both: numbers of the film's frames."""
    number, shot = timeline.shot(action)
    first, end = action.optional("in", timeline.last), action.optional("out", timeline.last)
    clip = shot.shot
    if first is not None:
        clip = replace(clip, in_=timeline.moment(first))
    if end is not None:
        clip = replace(clip, out=timeline.moment(end), for_=None)
    if clip.in_ is not None and clip.out is not None and clip.out <= clip.in_:
        raise Stop("option", "the out point lies after the in point")
    set_clip(timeline.edits, ("timeline", number, "shot"), clip, timeline.timecodes)


_UNITS = {"beats": "beats", "bars": "bars", "frames": "f"}


def _length(timeline: _Timeline, action: Action) -> None:
    """Give an event another length, in beats, bars or frames."""
    number, entry = timeline.entry(action)
    unit = action.text("unit")
    if unit not in _UNITS:
        raise Stop("option", f"`unit` is one of {', '.join(_UNITS)}")
    length = Length(Fraction(action.number("amount", 1, 100_000)), _UNITS[unit])  # type: ignore[arg-type]
    path: Path = ("timeline", number)
    if isinstance(entry, Shot):
        set_clip(
            timeline.edits, ("timeline", number, "shot"), replace(entry.shot, out=None, for_=length), timeline.timecodes
        )
    elif isinstance(entry, Black | Card | Still):
        key = "black" if isinstance(entry, Black) else "for"
        timeline.edits.set((*path, key), value_tree(length_text(length)))
    else:
        raise Stop("option", "an act has no length of its own")


def _move(timeline: _Timeline, action: Action) -> None:
    number, _ = timeline.entry(action)
    to, _ = timeline.entry(action, "to")
    timeline.edits.move(("timeline",), number, to)


def _delete(timeline: _Timeline, action: Action) -> None:
    timeline.edits.take_out(("timeline",), timeline.entry(action)[0])


def _duplicate(timeline: _Timeline, action: Action) -> None:
    timeline.edits.copy(("timeline",), timeline.entry(action)[0])


def _title(timeline: _Timeline, action: Action) -> None:
    """Give a card, or a title of an event, another text."""
    number, entry = timeline.entry(action)
    path: Path = ("timeline", number)
    text = value_tree(action.text("text"))
    if isinstance(entry, Card):
        timeline.edits.set((*path, "card"), text)
        return
    titles = getattr(entry, "titles", ())
    if not titles:
        raise Stop("option", "this event has no title")
    which = action.number("title", 0, len(titles) - 1)
    path = (*path, "titles")
    node = timeline.edits.node(path)
    if isinstance(node, Items):
        path = (*path, which)
        node = node.items[which]
    if isinstance(node, Mapping):
        timeline.edits.set((*path, "text"), text)
    elif len(path) == 3:
        timeline.edits.set(path, text)
    else:
        timeline.edits.set_item(path, text)


def _hit(timeline: _Timeline, action: Action) -> None:
    """Have a moment of the film fall on a beat."""
    number, shot = timeline.shot(action)
    at = timeline.moment(action.number("frame", 0, timeline.last))
    to = shot.sync.to if shot.sync is not None else "beat"
    sync = replace(shot.sync, at=at) if shot.sync is not None else Sync(at=at, to=to, place=shot.place)
    timeline.edits.set(("timeline", number, "sync"), value_tree(sync, timeline.timecodes))


_OF_THE_SHOT = ("line", "scene", "zone", "beat_type", "sync", "mute")  # what is said of a shot, and goes with it


def _swap(timeline: _Timeline, action: Action) -> None:
    """Put one of its alternatives into the place of a shot, which becomes an alternative itself."""
    number, shot = timeline.shot(action)
    if not shot.alternatives:
        raise Stop("option", "this shot has no alternatives")
    which = action.number("number", 1, len(shot.alternatives)) - 1
    other, path = shot.alternatives[which], ("timeline", number)
    shown = timeline.film_range(number)
    if shot.shot.out is not None and shot.shot.in_ is not None:
        clip = replace(shot.shot, in_=other.in_, out=other.in_ + shown.duration)
    else:
        clip = replace(shot.shot, in_=other.in_, out=None)
    set_clip(timeline.edits, ("timeline", number, "shot"), clip, timeline.timecodes)
    former = value_tree(replace(other, in_=shown.start, score=shot.score, why=shot.why), timeline.timecodes)
    edits, key = timeline.edits, "alternatives"
    if isinstance(edits.node((*path, key)), Items):
        edits.set_item((*path, key, which), former)
    else:
        edits.set((*path, key), former)
    said = dict.fromkeys(_OF_THE_SHOT) | {"score": other.score, "why": other.why, "by": "user"}
    node = edits.node(path)
    assert isinstance(node, Mapping)
    for key, value in said.items():
        if value is not None:
            edits.set((*path, key), value_tree(value))
        elif key in node.entries:
            edits.remove((*path, key))


def _gain(timeline: _Timeline, action: Action) -> None:
    """Give a stem another level, in whole dB."""
    stem = action.text("stem")
    if stem not in STEMS:
        raise Stop("option", f"`stem` is one of {', '.join(STEMS)}")
    level = value_tree(action.number("db", -60, 20))
    root = timeline.edits.document.root
    assert isinstance(root, Mapping)
    if isinstance(root.get("mix"), Mapping):
        timeline.edits.set(("mix", stem), level)
    else:
        timeline.edits.set(("mix",), Mapping({stem: level}, {stem: root.span}, root.span, True))


_ACTIONS: dict[str, Callable[[_Timeline, Action], None]] = {
    "mark": _mark,
    "length": _length,
    "move": _move,
    "delete": _delete,
    "duplicate": _duplicate,
    "title": _title,
    "hit": _hit,
    "swap": _swap,
    "gain": _gain,
}
