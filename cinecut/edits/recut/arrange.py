"""The timeline of a new cut: the slots of the new analysis, some of them taken by the entries that the user edited.

A touched entry stays in its act and at about its share of it, in the order in which the hand left it. It takes the slot
of an entry of its own kind, one that shows the same of the film before others, and of as many shots beside it as it is
longer. What the hand took out, and what it shows, is shown by no other entry: an alternative takes that place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from cinecut.edits.recut.items import Item
from cinecut.edits.recut.touched import Touched
from cinecut.known.record import key_of
from cinecut.language.document.layout import print_value
from cinecut.language.events import Alternative, Cue, Shot
from cinecut.language.fill import make
from cinecut.language.grid import Grid
from cinecut.language.spec import Spec
from cinecut.language.timebase import FilmRange
from cinecut.language.write import numbering_of, value_tree

_SHARED = Fraction(1, 10)  # seconds that two shots may show of the same


@dataclass(slots=True, eq=False)
class NewEntry:
    """An entry of the new timeline. `was`: what analyze had written for the user's entry. `instead`: the new analysis's
    entry whose slot it took."""

    item: Item
    by_hand: bool = False
    was: Item | None = None
    instead: Item | None = None

    @property
    def cue(self) -> Cue | None:
        """The cue that it gets: the slot's, unless the user changed the cue."""
        before = self.was.cue if self.was is not None else None
        return self.instead.cue if self.instead is not None and self.item.cue == before else self.item.cue

    def owns(self, key: str) -> bool:
        """Whether the user wrote this key of the entry."""
        if not self.by_hand:
            return False
        name = {"from": "from_"}.get(key, key)
        if self.was is None or self.was is self.item:
            return True
        return bool(getattr(self.was.entry, name, None) != getattr(self.item.entry, name, None))


@dataclass(slots=True, eq=False)
class Arrangement:
    """`theirs` with the edited entries of `ours`; `elsewhere`: film that the rest of the trailer shows."""

    ours: Sequence[Item]
    theirs: Sequence[Item]
    touched: Touched
    grids: tuple[Grid | None, Grid | None]
    elsewhere: Sequence[FilmRange] = ()
    spec: Spec | None = None  # how its films are called and numbered
    places: list[NewEntry] = field(default_factory=list)
    left_out: list[Item] = field(default_factory=list)  # since the user removed it
    brought_back: list[Item] = field(default_factory=list)  # though the user removed it

    def make(self) -> None:
        self._leave_out()
        self.places = [NewEntry(item) for item in self.theirs]
        last = -1
        for number, was in self.touched.entries.items():
            item = self.ours[number]
            last = self._marker(item, was, last) if item.marker else self._put(item, was, last)
        self._without_repeats()

    # What a hand took out

    def _leave_out(self) -> None:
        """Leave out the acts that the user removed, with their entries if those went too; and as many silences, cards
        and stills of an act as the user removed there. Where the music ends, an entry stays; and all of them where the
        user left less than half of the acts."""
        with_cue = {item.act for item in self.theirs if item.cue is not None}
        acts = {item.act for item in self.touched.gone if item.marker}
        if 2 * len(acts) > len({item.act for item in self.theirs if item.marker}):
            return
        gone = Counter((item.kind, item.act) for item in self.touched.gone if item.kind != "shot" and not item.marker)
        kept = list[Item]()
        for item in self.theirs:
            of_act = item.act in (acts if item.marker else self.touched.emptied) - with_cue
            alone = gone[item.kind, item.act] > 0
            gone[item.kind, item.act] -= 1
            if not of_act and not alone:
                kept.append(item)
            elif item.cue is None:
                self.left_out.append(item)
            else:
                kept.append(item)
                self.brought_back.append(item)
        self.theirs = kept

    # The places of what a hand touched

    def _marker(self, item: Item, was: Item | None, last: int) -> int:
        """An act that the user renamed or commented on."""
        name = was.act if was is not None else item.act
        for at, place in enumerate(self.places):
            if place.item.marker and not place.by_hand and place.item.act == name:
                self.places[at] = NewEntry(item, True, was, place.item)
                return last
        return self._insert(item, was, last)

    def _put(self, item: Item, was: Item | None, last: int) -> int:
        if was is None and item.kind != "shot":
            return self._insert(item, was, last)  # a card or a silence that a hand put in
        name, target = self._act(item), self._target(item)
        free = [
            at
            for at, place in enumerate(self.places)
            if at > last and not place.by_hand and place.item.kind == item.kind and name in (None, place.item.act)
        ]
        if not free:
            return self._insert(item, was, last)
        at = min(free, key=lambda at: (not _shares(self.places[at].item.film, item.film),
                                       abs(self.places[at].item.middle - target)))  # fmt: skip
        slot = self.places[at].item
        self.places[at] = NewEntry(item, True, was, slot)
        return self._make_room(at, self._seconds(item) - slot.seconds)

    def _insert(self, item: Item, was: Item | None, last: int) -> int:
        """Insert an entry between the slots, at its time."""
        name, target = self._act(item), self._target(item)
        inside = [at for at, place in enumerate(self.places) if place.item.act == name] if name is not None else []
        low = max(last + 1, inside[0] + 1 if inside else 0)
        high = max(low, inside[-1] + 1 if inside else len(self.places))
        before = (at for at in range(low, min(high, len(self.places))) if self.places[at].item.middle >= target
                  and not self.places[at].by_hand)  # fmt: skip
        at = next(before, high)
        self.places.insert(at, NewEntry(item, True, was))
        return at

    def _make_room(self, at: int, longer: Fraction) -> int:
        """Remove shots next to an entry that is longer than its slot; returns the entry's new index."""
        act = self.places[at].item.act
        for step in (1, -1):
            while 0 <= at + step < len(self.places) and longer > 0:
                place = self.places[at + step]
                if place.by_hand or place.item.act != act or not _spare(place.item) or place.item.seconds > 2 * longer:
                    break
                longer -= place.item.seconds
                del self.places[at + step]
                at += min(step, 0)
        return at

    def _named(self, act: str) -> str:
        """An act's name as analyze wrote it."""
        return self.touched.acts.get(act, act)

    def _act(self, item: Item) -> str | None:
        """The act of an entry; None where the new cut has no such act."""
        name = self._named(item.act)
        return name if any(each.act == name for each in self.theirs) else None

    def _target(self, item: Item) -> Fraction:
        """The time in the new cut at the same share of the act, or of the whole, as the entry's now."""
        name = self._act(item)
        mine, new = ([each for each in items if each.placed is not None and name in (None, self._named(each.act))]
                     for items in (self.ours, self.theirs))  # fmt: skip
        (begin, end), (start, stop) = _span(mine), _span(new)
        middle = item.middle
        if item.placed is None:
            after = self.ours[list(self.ours).index(item) + 1 :]
            middle = next((each.placed.start for each in after if each.placed is not None), end)
        return start + (middle - begin) / (end - begin) * (stop - start) if end > begin else start

    def _seconds(self, item: Item) -> Fraction:
        """The length of an entry in seconds on the new beat grid."""
        mine, new = self.grids
        length = getattr(item.entry, "for_", None) or getattr(item.entry, "black", None)
        length = item.entry.shot.for_ if isinstance(item.entry, Shot) else length
        if length is None or length.unit not in ("beats", "bars") or mine is None or new is None or item.placed is None:
            return item.seconds
        beats = mine.beat_at(item.placed.end) - mine.beat_at(item.placed.start)
        return new.after(Fraction(0), beats)

    # What is shown once

    def _without_repeats(self) -> None:
        taken = [self._shown(place.item) for place in self.places if place.by_hand]
        taken += [*(item.film for item in self.touched.gone), *self.elsewhere]
        for place in list(self.places):
            if place.by_hand or not any(_shares(place.item.film, film) for film in taken):
                continue
            shown = [*taken, *(each.item.film for each in self.places if each is not place)]
            if (other := self._alternative(place.item, shown)) is not None:
                place.item = other
            elif _spare(place.item):
                self.places.remove(place)
            elif (other := self._alternative(place.item, shown, self._offered(place.item))) is not None:
                place.item = other

    def _shown(self, item: Item) -> FilmRange | None:
        """The stretch of film that an entry shows, its length taken from the new beat grid."""
        if item.film is None or not isinstance(item.entry, Shot):
            return None
        return replace(item.film, end=item.film.start + self._seconds(item) * item.entry.speed)

    def _offered(self, item: Item) -> list[Alternative]:
        """What both analyses showed or offer for entries at least as long, of the same film."""
        offered = list[Alternative]()
        for each in (*self.theirs, *self.ours):
            shot, film = each.entry, each.film
            if isinstance(shot, Shot) and film is not None and item.film is not None:
                own = make(
                    Alternative, film=shot.shot.film, in_=film.start, score=shot.score, why=shot.why, place=shot.place
                )
                fits = each.seconds >= item.seconds and film.film == item.film.film
                offered += [*shot.alternatives, own] if fits else []
        return offered

    def _alternative(
        self, item: Item, shown: Sequence[FilmRange | None], offered: Sequence[Alternative] | None = None
    ) -> Item | None:
        """The entry with its first alternative, or the first one offered, that is not shown elsewhere yet."""
        if not isinstance(item.entry, Shot) or item.film is None:
            return None
        for other in item.entry.alternatives if offered is None else offered:
            name = item.film.film if other.film is None or self.spec is None else self.spec.key_of(other.film)
            film = FilmRange(other.in_, other.in_ + item.film.duration, name)
            if not any(_shares(film, each) for each in shown):
                entry = _showing(item.entry, other, self.spec.name_of("") if self.spec is not None else None)
                rows = print_value(value_tree(entry, numbering_of(self.spec) if self.spec is not None else {}), "", "-")
                placed = replace(item.placed, event=entry, film=film)  # type: ignore[type-var]  # it is a shot's
                return replace(item, entry=entry, key=key_of(entry), rows=rows, placed=placed)
        return None


def _showing(shot: Shot, other: Alternative, first: str | None) -> Shot:
    """A shot that shows an alternative; notes about the former picture are dropped. `first`: the first film's name."""
    before = shot.shot.film or first
    rest = tuple(each for each in shot.alternatives if each is not other)
    if other.film not in (None, before):
        rest = tuple(replace(each, film=each.film or before) for each in rest)
    clip = replace(shot.shot, in_=other.in_, film=other.film or shot.shot.film)
    return replace(shot, shot=clip, score=other.score, why=other.why, alternatives=rest, sync=None, line=None,
                   scene=None, mute=False, sound_in=None, sound_lead=None, sound_trail=None, gain=Fraction(0),
                   duck=None, zone=None, beat_type=None)  # fmt: skip


def _spare(item: Item) -> bool:
    """Whether the entry may be left out."""
    return isinstance(item.entry, Shot) and item.entry.cue is None and not item.entry.voice


def _shares(one: FilmRange | None, other: FilmRange | None) -> bool:
    return one is not None and other is not None and one.shared(other) > _SHARED


def _span(items: Sequence[Item]) -> tuple[Fraction, Fraction]:
    """Trailer seconds from the first to the last of the entries."""
    placed = [item.placed for item in items if item.placed is not None]
    return (placed[0].start, placed[-1].end) if placed else (Fraction(0), Fraction(0))
