"""What can be done to a spec: each action is one edit of its text that leaves every other byte as it is.

The page of `watch`, `cinecut edit`, programs and models all do these, and no others. An action is its verb and its
values by name; they are somebody's, so each is checked when it is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Stop, excerpt
from cinecut.edits.changes.compare import written_by_analysis
from cinecut.edits.verbs.entries import Entries
from cinecut.edits.verbs.takes import TAKES
from cinecut.edits.verbs.values import read_value, set_title, set_value
from cinecut.language.document import Document, ListNode, MapNode, Scalar
from cinecut.language.document.edit import Edits
from cinecut.language.events import EVENTS, Alternative, Black, Card, Clip, Entry, Shot, Still, Sync
from cinecut.language.formats import parse_shift
from cinecut.language.read import make
from cinecut.language.timebase import BadTimeError, FilmTime, Length, parse_length, parse_seconds, split_span
from cinecut.language.write import length_text, set_clip, value_tree

STEMS = ("film", "music", "effects", "voice")
LONGEST = 500  # characters of a text, and of what names a place
_PLACES = ("event", "entry", "to", "number", "title", "path")


@dataclass(frozen=True, slots=True)
class Action:
    """The values of an action, and the timeline that it changes."""

    on: Entries
    values: Mapping[str, Any]

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def number(self, name: str, least: int, most: int, of: str = "") -> int:
        """`of` names what is counted, for the message."""
        value = self.values.get(name)
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            why = f"this event has {most} {of}{'' if most == 1 else 's'}: " if of else ""
            span = str(least) if least == most else f"a whole number, {least} to {most}"
            raise Stop("option", f"{why}`{name}` takes {span}")
        return value

    def text(self, name: str, such_as: str = "") -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
            example = f", such as {such_as}" * bool(such_as)
            raise Stop("option", f"`{name}` takes a text of at most {LONGEST} characters{example}")
        return value

    def index(self, name: str = "event", index: str = "entry") -> int:
        """The index of an entry: from `event` as people name it, or from `entry`, an index in the timeline."""
        if not self.has(name) and self.has(index):
            return self.number(index, 0, len(self.on.spec.timeline) - 1)
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise Stop("option", f"`{name}` takes a number, an id, or act 2/3")
        return self.on.index(value)

    def event(self) -> tuple[int, Entry]:
        index = self.index()
        return index, self.on.entry(index)

    def shot(self) -> tuple[int, Shot]:
        index, entry = self.event()
        if not isinstance(entry, Shot):
            raise Stop("option", "this event is no shot")
        return index, entry

    def moment(self, name: str, film: str | None) -> FilmTime:
        """A time of a film, or a frame number of it."""
        value, facts = self.values.get(name), self.on.facts(film)
        if isinstance(value, str):
            return self.time(name, value, film)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Stop("option", f"`{name}` takes a time, such as '0:16.5', or the number of a frame of the film")
        return FilmTime(self.number(name, 0, int(facts.duration * facts.rate)) / facts.rate)

    def time(self, name: str, text: str, film: str | None) -> FilmTime:
        return FilmTime(self.parsed(name, text, lambda text: parse_seconds(text, self.on.numbering.get(film or ""))))

    def length(self, name: str) -> Length:
        length: Length = self.parsed(name, self.text(name, "1.5s or 4 beats"), parse_length)
        return length

    def parsed(self, name: str, text: str, parse: Callable[[str], Any]) -> Any:
        try:
            return parse(text)
        except BadTimeError as error:
            raise Stop("option", f"`{name}`: {error}") from None


def edited(document: Document, layout: Layout, values: Mapping[str, Any]) -> str:
    """The text of a spec after an action. Raises Stop on an action that cannot be done."""
    name = _verb(values)
    edits = Edits(document)
    action = Action(Entries(edits, layout), values)
    try:
        for place in _PLACES:
            if len(str(values.get(place, ""))) > LONGEST:
                raise Stop("option", f"`{place}` takes at most {LONGEST} characters")
        VERBS[name](action)
    except RecursionError:
        raise Stop("option", "the action's values are nested too deeply") from None
    if name not in _WHOLE:
        _keep_id(action)
    return edits.text()


def _verb(values: Mapping[str, Any]) -> str:
    """The verb of an action. Raises Stop where there is none, or where it would pass over a value."""
    verb = values.get("do")
    if not isinstance(verb, str) or verb not in VERBS:
        raise Stop("option", f"there is no verb {excerpt(verb)}", f"one of: {', '.join(VERBS)}")
    for name, value in values.items():
        if value is not None and name not in (*TAKES[verb], "do", "entry"):
            raise Stop("option", f"{verb} takes no {excerpt(name)}", f"it takes {', '.join(TAKES[verb])}")
    return verb


def _keep_id(action: Action) -> None:
    """Write down the id by which an event was named: it is made of the content, so the edit would change it."""
    name = action.values.get("event")
    placed = action.on.events[action.index()] if isinstance(name, str) else None
    if placed is not None and placed.label == name and placed.event.id is None:
        action.on.edits.set(("timeline", action.index(), "id"), value_tree(name))


def _trim(action: Action) -> None:
    """Change an event's ends: `in`, `out`, `for`. Ends that are not given stay as written."""
    index, entry = action.event()
    if isinstance(entry, Shot):
        set_clip(action.on.edits, ("timeline", index, "shot"), _clip(action, entry), action.on.numbering)
    elif isinstance(entry, Black | Card | Still) and action.has("for"):
        key = "black" if isinstance(entry, Black) else "for"
        action.on.edits.set(("timeline", index, key), value_tree(length_text(action.length("for"))))
    else:
        raise Stop("option", "this event has no film to trim: give it a length (`for`)")


def _clip(action: Action, shot: Shot) -> Clip:
    clip = shot.shot
    if not any(map(action.has, ("in", "out", "for"))):
        raise Stop("option", "give `in`, `out` or `for`", "cinecut edit SPEC trim EVENT --out 0:19.5")
    if all(map(action.has, ("in", "out", "for"))):
        raise Stop("option", "`in`, `out` and `for` are one too many", "give two of them: the third follows from these")
    if action.has("in"):
        clip = replace(clip, in_=action.moment("in", clip.film))
    if action.has("out"):
        both = clip.in_ is not None and not action.has("for")
        clip = replace(clip, out=action.moment("out", clip.film), for_=None if both else clip.for_)
    if action.has("for"):
        kept = clip.out if clip.in_ is None or (action.has("out") and not action.has("in")) else None
        clip = replace(clip, in_=clip.in_ if kept is None else None, out=kept, for_=action.length("for"))
    if clip.in_ is not None and clip.out is not None and clip.out <= clip.in_:
        raise Stop("option", "the out point must be after the in point")
    return clip


def _slip(action: Action) -> None:
    """Show an earlier or later part of the film, equally long: `by` 1.5s, -12f (frames of the film)."""
    index, shot = action.shot()
    shift: Length = action.parsed("by", action.text("by", "1.5s or -12f"), parse_shift)
    if shift.unit not in ("s", "f"):
        raise Stop("option", "`by` takes seconds or frames of the film: 1.5s, -12f")
    by = shift.amount if shift.unit == "s" else shift.amount / action.on.facts(shot.shot.film).rate
    start = action.on.film_range(index).start + by
    if start.seconds < 0:
        raise Stop("option", f"the film begins {-start.seconds} s after that", "slip it by less")
    _show(action, index, shot, start, shot.shot.film)
    if shot.sync is not None:  # it would pull the shot back
        action.on.edits.remove(("timeline", index, "sync"))


def _show(action: Action, index: int, shot: Shot, start: FilmTime, film: str | None) -> None:
    """Show another part of a film in a shot, equally long and written in the same way."""
    clip, length = replace(shot.shot, film=film), action.on.film_range(index).duration
    if clip.in_ is None:
        clip = replace(clip, out=start + length)
    else:
        clip = replace(clip, in_=start, out=start + length if clip.out is not None else None)
    set_clip(action.on.edits, ("timeline", index, "shot"), clip, action.on.numbering)


_OF_THE_SHOT = ("line", "scene", "zone", "beat_type", "sync", "mute", "sound_in", "sound_lead", "sound_trail")
"""What is said of a shot, and goes with it."""


def _replace(action: Action) -> None:
    """Show other film in a shot: `with` 0:40 (equally long) or 0:40 - 0:42; of another film with its name: making-of
    0:40."""
    index, shot = action.shot()
    value = action.values.get("with")
    named, ends = split_span(value) if isinstance(value, str) else (None, [])
    if named is not None and named not in (action.on.spec.films or {}):
        names = ", ".join(action.on.spec.films or {})
        raise Stop(
            "option", f"there is no film {named}", f"there are {names}" if names else "there is one, without name"
        )
    film = named or shot.shot.film
    if len(ends) == 2:
        start, end = (action.time("with", each, film) for each in ends)
        if end <= start:
            raise Stop("option", "the out point must be after the in point")
        clip = replace(shot.shot, film=film, in_=start, out=end, for_=None)
        set_clip(action.on.edits, ("timeline", index, "shot"), clip, action.on.numbering)
    else:
        at = action.time("with", ends[0], film) if ends else action.moment("with", film)
        _show(action, index, shot, at, film)
    reason = action.on.edits.comment(("timeline", index, "shot"))
    if reason and reason in written_by_analysis(action.on.spec, action.on.edits.document):
        action.on.edits.drop_comment(("timeline", index, "shot"))
    _note(action, index, dict.fromkeys((*_OF_THE_SHOT, "score", "why")) | {"by": "user"})
    _name_alternatives(action, index, shot, film)


def _swap(action: Action) -> None:
    """Show one of the shot's alternatives; the shot becomes an alternative itself. Comments beside both go along."""
    index, shot = action.shot()
    if not shot.alternatives:
        hint = "cinecut sheet SPEC shows every shot of the film; cinecut edit SPEC replace EVENT TIME takes one"
        raise Stop("option", "this shot has no alternatives", hint)
    count = len(shot.alternatives)
    which = (action.number("number", 1, count, "alternative") if action.has("number") else 1) - 1
    other, path, edits = shot.alternatives[which], ("timeline", index), action.on.edits
    film, spec = other.film or shot.shot.film, action.on.spec
    same = spec.key_of(film) == spec.key_of(shot.shot.film)
    name = None if same else shot.shot.film or spec.name_of("")
    start = action.on.film_range(index).start
    former = make(Alternative, film=name, in_=start, score=shot.score, why=shot.why, place=other.place)
    _show(action, index, shot, other.in_, shot.shot.film if same else film)
    tree, key = value_tree(former, action.on.numbering), "alternatives"
    if isinstance(edits.node((*path, key)), ListNode):
        edits.set_item((*path, key, which), tree)
        edits.exchange_comments((*path, "shot"), (*path, key, which))
    else:
        edits.set((*path, key), tree)
        edits.exchange_comments((*path, "shot"), (*path, key))
    _note(action, index, dict.fromkeys(_OF_THE_SHOT) | {"score": other.score, "why": other.why, "by": "user"})
    _name_alternatives(action, index, shot, film, but=which)


def _name_alternatives(action: Action, index: int, shot: Shot, film: str | None, but: int | None = None) -> None:
    """When a shot changes its film, write the former film's name into the alternatives that left it out."""
    path, spec = ("timeline", index, "alternatives"), action.on.spec
    if spec.key_of(film) == spec.key_of(shot.shot.film):
        return
    for number, other in enumerate(shot.alternatives):
        if other.film is None and number != but:
            several = isinstance(action.on.edits.node(path), ListNode)
            where = (*path, number, "film") if several else (*path, "film")
            action.on.edits.set(where, value_tree(shot.shot.film or spec.name_of("")))


def _note(action: Action, index: int, notes: Mapping[str, Any]) -> None:
    """Write notes of an event; None removes a note."""
    node = action.on.edits.node(("timeline", index))
    assert isinstance(node, MapNode)
    for key, value in notes.items():
        if value is not None:
            action.on.edits.set(("timeline", index, key), value_tree(value))
        elif key in node.entries:
            action.on.edits.remove(("timeline", index, key))


def _move(action: Action) -> None:
    """Move an event to the place that another has now: `to`."""
    action.on.edits.move(("timeline",), action.index(), action.index("to", "to"))


def _insert(action: Action) -> None:
    """Insert a new event before the named one, or at the `end`: `what` is written as in a spec, shot: 0:16 - 0:20; or
    with several keys and no braces: card: SOON, for: 1s."""
    value = read_value(action.text("what"))
    if isinstance(value, Scalar):
        value = read_value(f"{{{action.text('what')}}}")
    if not isinstance(value, MapNode) or not ({*EVENTS, "act"} & set(value.entries)):
        raise Stop("option", f"{excerpt(action.text('what'))} is no event", "write shot: 0:16 - 0:20, or card: THE END")
    end = len(action.on.spec.timeline)
    index = end if action.values.get("event") == "end" else action.index()
    action.on.edits.insert(("timeline",), index, value)


def _remove(action: Action) -> None:
    action.on.edits.take_out(("timeline",), action.index())


def _duplicate(action: Action) -> None:
    index, entry = action.event()
    if getattr(entry, "id", None) is not None:
        raise Stop("option", "an event with an id is there once", "insert one of the same times")
    action.on.edits.copy(("timeline",), index)


def _retitle(action: Action) -> None:
    """Change the text of a card, or of an event's title."""
    index, entry = action.event()
    text, edits = action.text("text"), action.on.edits
    if isinstance(entry, Card):
        edits.set(("timeline", index, "card"), value_tree(text))
        return
    titles = getattr(entry, "titles", ())
    if not titles:
        raise Stop("option", "this event has no title", "set EVENT.titles '[A title]' gives it one")
    which = action.number("title", 1, len(titles), "title") - 1 if action.has("title") or len(titles) > 1 else 0
    set_title(edits, ("timeline", index, "titles"), which, text)


def _retime(action: Action) -> None:
    """Change a shot's speed: 0.5 is slow motion, 2 twice as fast."""
    index, _ = action.shot()
    value = read_value(str(action.values.get("speed", "")))
    action.on.edits.set(("timeline", index, "speed"), value)


def _sync(action: Action) -> None:
    """Place a moment of the film on a beat."""
    index, shot = action.shot()
    at = action.moment("at", shot.shot.film)
    sync = replace(shot.sync, at=at) if shot.sync is not None else Sync(at=at, to="beat", place=shot.place)
    own = {"": action.on.numbering.get(shot.shot.film or "")}
    action.on.edits.set(("timeline", index, "sync"), value_tree(sync, own))


def _set(action: Action) -> None:
    """Set any key of the spec by its `path`: mix.music, 3.gain. Without a `value` the key is removed."""
    value = action.values.get("value")
    tree = read_value(value) if isinstance(value, str) else None if value is None else value_tree(_plain(value))
    set_value(action.on, action.text("path"), tree, value if isinstance(value, str) else None)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        if not math.isfinite(value):  # which JSON can say
            raise Stop("option", f"`value` takes no {value}")
        return Fraction(str(value))
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    return value


_WHOLE = ("move", "insert", "remove", "duplicate", "set")  # say nothing else of an event than it says, or its path
VERBS: dict[str, Callable[[Action], None]] = {
    "swap": _swap,
    "replace": _replace,
    "trim": _trim,
    "slip": _slip,
    "move": _move,
    "insert": _insert,
    "remove": _remove,
    "duplicate": _duplicate,
    "retitle": _retitle,
    "retime": _retime,
    "sync": _sync,
    "set": _set,
}
