"""Comparing two layouts: how a trailer differs from an earlier one, event by event and part by part.

before ─┐
        ├─ which event is which ─► of each pair what differs ─► what is gone, new, moved ─► the parts around them
after ──┘
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from fractions import Fraction
from typing import Any

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.diagnostics import excerpt
from cinecut.edits.changes import words
from cinecut.edits.changes.events import event_changes, value_changes
from cinecut.edits.changes.matching import matched, standing
from cinecut.edits.changes.words import Said
from cinecut.known.record import known_of
from cinecut.language.document import Document
from cinecut.language.document.comments import comments_of
from cinecut.language.events import ActMarker, Card
from cinecut.language.spec import Spec
from cinecut.language.timebase import clock


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes of an event or of another part: its name, the event's numbers before and after (None: it was added,
    or removed), and the changes in words."""

    what: str
    said: tuple[Said, ...]
    was: int | None = None
    now: int | None = None

    @property
    def text(self) -> str:
        first = self.said[0]
        if first.kind in ("added", "removed"):
            return f"{self.what} {first.text}"
        moved = self.was is not None and self.was != self.now
        return words.of(f"{self.what} (now {self.now})" if moved else self.what, list(self.said))

    def as_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {"what": self.what, "text": self.text, "kinds": list(dict.fromkeys(self.kinds))}
        if self.was is not None or self.now is not None:
            record |= {"was": self.was, "now": self.now}
        return record

    @property
    def kinds(self) -> Iterator[str]:
        yield from (said.kind for said in self.said)


def differences(before: Layout, after: Layout) -> list[Difference]:
    """What is different in `after`: the trailer as a whole, its parts, then the events in order. Removed events are
    listed at their former place."""
    return [*_whole(before, after), *_parts(before, after), *_acts(before, after), *_events(before, after)]


def comments_gone(before: Document, after: Document, spec: Spec) -> list[Difference]:
    """The user's comments that went with what a change took out of a spec, which are in no layout."""
    ends = [Counter(line[line.index("#") :].rstrip() for line in each.lines if "#" in line) for each in (before, after)]
    if not ends[0] - ends[1]:  # whatever in them is a comment
        return []
    was, now = (Counter(comments_of(each)) for each in (before, after))
    lost = list((was - now).elements())
    wrote = written_by_analysis(spec, before) if lost else ""
    lost = [text for text in lost if text not in wrote]
    what = "comment" if len(lost) == 1 else "comments"
    return [Difference(what, (Said("removed", f"gone with it: {', '.join(map(excerpt, lost))}"),))] if lost else []


def written_by_analysis(spec: Spec, document: Document) -> str:
    """A spec as analyze wrote it; empty where that is not known."""
    known = known_of(spec, document.text, document.path)
    return known.wrote if known is not None else ""


def _whole(before: Layout, after: Layout) -> Iterator[Difference]:
    was, now = ((layout.timeline.frames, layout.timeline.frames / layout.timeline.rate) for layout in (before, after))
    if was != now:
        text = f"{was[0]} → {now[0]} frames ({clock(was[1])} → {clock(now[1])})"
        yield Difference("trailer", (Said("changed", text),))


def _parts(before: Layout, after: Layout) -> Iterator[Difference]:
    """The film, the music, the mix, the outputs …: everything but the events."""
    was, now = before.trailer.spec, after.trailer.spec
    for item in fields(was):
        if item.name not in ("place", "timeline", "cinecut"):
            said = tuple(value_changes(getattr(was, item.name), getattr(now, item.name), "", now.place.of(item.name)))
            if said:
                yield Difference(item.name, said)


def _acts(before: Layout, after: Layout) -> Iterator[Difference]:
    was, now = _names_of_acts(before), _names_of_acts(after)
    if was != now:
        yield Difference("acts", (Said("changed", f"{', '.join(was) or 'none'} → {', '.join(now) or 'none'}"),))


def _names_of_acts(layout: Layout) -> list[str]:
    return [entry.act for entry in layout.trailer.spec.timeline if isinstance(entry, ActMarker)]


def _events(before: Layout, after: Layout) -> Iterator[Difference]:
    old, new = before.timeline.events, after.timeline.events
    were = events_matched(old, new)
    still = standing([at for at in were if at is not None])
    gone = sorted(set(range(len(old))) - {at for at in were if at is not None})
    renamed = _renamed_acts(before, after)
    for placed, was in zip(new, were, strict=True):
        if was is None:
            yield Difference(placed.name, (Said("added", f"is new: {described(placed)}"),), None, placed.number)
            continue
        while gone and was in still and gone[0] < was:
            yield _gone(old[gone.pop(0)])
        said = event_changes(old[was], placed, renamed)
        if was not in still:
            said.insert(0, Said("moved", "moved"))
        if said:
            yield Difference(old[was].name, tuple(said), old[was].number, placed.number)
    yield from (_gone(old[at]) for at in gone)


def _gone(placed: Placed) -> Difference:
    return Difference(placed.name, (Said("removed", f"is gone: {described(placed)}"),), placed.number, None)


def _renamed_acts(before: Layout, after: Layout) -> dict[str | None, str | None]:
    """The new name of each act by its old name; empty where the number of acts has changed."""
    was, now = _names_of_acts(before), _names_of_acts(after)
    return dict(zip(was, now, strict=True)) if len(was) == len(now) else {}


def events_matched(before: Sequence[Placed], after: Sequence[Placed]) -> list[int | None]:
    """For each event in `after` the index of the same event in `before`, None for a new one. They are matched by id, by
    equal content, by shared film or words, or by their neighbours."""
    ids = {placed.event.id: at for at, placed in enumerate(before) if placed.event.id is not None}
    own = {number: ids[placed.event.id] for number, placed in enumerate(after) if placed.event.id in ids}
    left = [at for at in range(len(before)) if at not in set(own.values())]
    right = [number for number in range(len(after)) if number not in own]

    def shared(at: int, number: int) -> Fraction:
        return _shared(before[left[at]], after[right[number]])

    def fits(at: int, number: int) -> bool:
        return type(before[left[at]].event) is type(after[right[number]].event)

    rest = matched([before[at].label for at in left], [after[number].label for number in right], shared, fits)
    partners: list[int | None] = [own.get(number) for number in range(len(after))]
    for number, was in zip(right, rest, strict=True):
        partners[number] = left[was] if was is not None else None
    return partners


def _shared(one: Placed, other: Placed) -> Fraction:
    """How much two events have in common: seconds of film, or the likeness of their texts."""
    if isinstance(one, PlacedShot) and isinstance(other, PlacedShot):
        return one.film.shared(other.film)
    if isinstance(one.event, Card) and isinstance(other.event, Card):
        likeness = SequenceMatcher(a=one.event.card.lower(), b=other.event.card.lower()).ratio()
        return Fraction(likeness).limit_denominator(1000) if likeness > 0.6 else Fraction(0)
    stills = [getattr(placed.event, "still", None) for placed in (one, other)]
    return Fraction(bool(stills[0] and stills[1] and stills[0].file == stills[1].file))


def described(placed: Placed) -> str:
    """An event in a few words: its content, and its length in frames."""
    frames = f"{placed.range.length} frames"
    if isinstance(placed, PlacedShot):
        times = f"{clock(placed.film.start.seconds)} – {clock(placed.film.end.seconds)}"
        return f"{placed.event.shot.film or ''} {times}, {frames}".lstrip()
    event = placed.event
    shown = event.card if isinstance(event, Card) else getattr(getattr(event, "still", None), "file", "")
    return ", ".join(filter(None, [repr(shown) if shown else "", frames]))
