"""What two specs say differently: each value by its place in the newer one, events matched by what they show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from cinecut.compiler.names import labels_of
from cinecut.compiler.resolve import Trailer
from cinecut.diagnostics import Span, excerpt
from cinecut.language.document.layout import print_flow
from cinecut.language.events import NOWHERE, Event, Transition
from cinecut.language.spec import Spec
from cinecut.language.timebase import FilmTime, Length
from cinecut.language.write import length_text, seconds_text, transition_text, value_tree

_NOTES = {"place", "zone", "beat_type", "score", "why", "by", "scene", "alternatives", "protagonist"}
_SOUND = {"gain", "mute", "duck", "sound", "voice", "cue", "sound_lead", "sound_trail", "sound_fade"}
_SOUND |= {"music", "effects", "mix", "loudness", "audio", "audio_bitrate", "channels"}
_PICTURE = {"speed", "titles", "grade", "crop", "reframe", "from", "to", "lut", "size", "fit", "codec", "crf", "preset"}
_PICTURE |= {"card", "still", "black", "scale", "hardware", "subtitles"}


@dataclass(frozen=True, slots=True)
class Change:
    """One value that is another. `event` is the event's name in the newer spec (of one that is gone, where it was in
    the older); empty: it is of the whole trailer. `span` is None where the newer spec does not write it."""

    what: str
    was: str
    now: str
    event: str
    span: Span | None

    @property
    def words(self) -> str:
        where = f"{self.event}: " if self.event else ""
        if not self.was:
            return f"{where}{self.what} {self.now}".rstrip()
        return f"{where}{self.what} was {self.was}, is {self.now}"

    @property
    def concerns(self) -> tuple[bool, bool]:
        """Whether it can change pictures, and sound."""
        parts = set(self.what.replace("[", ".").split("."))
        sound, picture = bool(parts & _SOUND), bool(parts & _PICTURE)
        return picture or not sound, sound or not picture


def changes(old: Trailer, new: Trailer) -> list[Change]:
    """Everything of the newer trailer's spec that makes it another trailer than the older one."""
    found = list(_records("", old.spec, new.spec, ""))
    return [*found, *_events(old.events, new.events), *_files(old.spec, new.spec)]


def _records(path: str, old: Any, new: Any, event: str) -> Iterator[Change]:
    """The fields of two records of one kind; the timeline is compared by its events, facts by `_files`."""
    place = getattr(new, "place", NOWHERE)
    for item in fields(new):
        if item.name in _NOTES or (isinstance(new, Spec) and item.name in ("timeline", "anchors")):
            continue
        key = item.name.rstrip("_")
        if key == "facts":
            continue
        name, was, now = f"{path}.{key}".lstrip("."), getattr(old, item.name), getattr(new, item.name)
        span = place.of(key) if place is not NOWHERE else None
        yield from _values(name, was, now, event, span)


def _values(name: str, was: Any, now: Any, event: str, span: Span | None) -> Iterator[Change]:
    if was == now:
        return
    if type(was) is type(now) and is_dataclass(now) and not isinstance(now, FilmTime | Length | Transition):
        yield from _records(name, was, now, event)
    elif isinstance(now, tuple) and isinstance(was, tuple) and len(was) == len(now) and now and is_dataclass(now[0]):
        for number, (before, after) in enumerate(zip(was, now, strict=True), 1):
            place = getattr(after, "place", NOWHERE)
            yield from _values(f"{name}[{number}]", before, after, event, place.span if place is not NOWHERE else span)
    else:
        yield Change(name, said(was) or "none", said(now) or "none", event, span)


def said(value: Any) -> str:
    """A value as the spec writes it, shortened."""
    match value:
        case None | ():
            return ""
        case bool():
            return "true" if value else "false"
        case FilmTime():
            return seconds_text(value.seconds, always_clock=True)
        case Length():
            return length_text(value)
        case Transition():
            return transition_text(value)
        case tuple() if all(isinstance(each, int) for each in value):
            return "x".join(map(str, value))
        case tuple():
            return excerpt(", ".join(filter(None, map(said, value))))
        case Mapping():
            return excerpt(", ".join(f"{key}: {said(each)}" for key, each in value.items()))
        case _ if is_dataclass(value) and not isinstance(value, type):
            return excerpt(print_flow(value_tree(value)))
        case _:
            return excerpt(str(value))


Numbered = tuple[int, str | None, Event]


def _name(entry: Numbered) -> str:
    return f"{type(entry[2]).__name__.lower()} {entry[0]}"


def _events(old: Sequence[Numbered], new: Sequence[Numbered]) -> Iterator[Change]:
    """Events that are gone, new, moved, or say something else."""
    old_labels, new_labels = labels_of(e for _, _, e in old), labels_of(e for _, _, e in new)
    gone, fresh = list[int](), list[int]()
    for kind, a, b, c, d in SequenceMatcher(None, old_labels, new_labels, autojunk=False).get_opcodes():
        pairs = list(zip(range(a, b), range(c, d), strict=False))
        for before, after in pairs:
            if kind == "equal" or type(old[before][2]) is type(new[after][2]):
                yield from _event(old[before], new[after])
            else:
                gone, fresh = [*gone, before], [*fresh, after]
        gone += range(a + len(pairs), b)
        fresh += range(c + len(pairs), d)
    moved = {old_labels[at] for at in gone} & {new_labels[at] for at in fresh}
    for at in fresh:
        word = "stands elsewhere" if new_labels[at] in moved else "is new"
        yield Change(word, "", "", _name(new[at]), new[at][2].place.span)
    for at in gone:
        if old_labels[at] not in moved:
            yield Change(f"is gone (it was {_name(old[at])})", "", "", "", None)


def _event(was: Numbered, now: Numbered) -> Iterator[Change]:
    yield from _records("", replace(was[2], act=None), replace(now[2], act=None), _name(now))
    if was[1] != now[1]:
        yield Change("act", was[1] or "none", now[1] or "none", _name(now), now[2].place.span)


def _files(old: Spec, new: Spec) -> Iterator[Change]:
    """Media of one name that are other files."""
    before = {owner.file: owner for owner in _owners(old)}
    for name, owner in {owner.file: owner for owner in _owners(new)}.items():
        was = before.get(name)
        if was is not None and was.facts is not None and owner.facts is not None and was.facts != owner.facts:
            span = owner.place.of("file") if owner.place is not NOWHERE else None
            yield Change(f"{name} is another file", "", "", "", span)


def _owners(spec: Spec) -> Iterator[Any]:
    """Everything of a spec that names a file."""
    rating = spec.rating
    card = (rating.still, rating.clip) if rating is not None else ()
    for owner in (spec.film, spec.music, spec.lut, *card):
        if owner is not None and owner.file is not None:
            yield owner
    for entry in spec.timeline:
        for owner in (getattr(entry, "still", None), getattr(entry, "cue", None)):
            if owner is not None:
                yield owner
