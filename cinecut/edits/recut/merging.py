"""Merging a new analysis with the user's edits of a spec: no edit is lost, and the rest follows the new analysis, on
the beats of the new song.

    base, ours, theirs ─ settings ─ touched ─ arrange ─► rows ─► text ─ cues, beats, joints ─ checked ─► Recut
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Report, Stop, excerpt
from cinecut.edits.recut.arrange import Arrangement, NewEntry
from cinecut.edits.recut.fit import Fitted, fitted, parsed
from cinecut.edits.recut.items import Item, in_rows, items_of, with_items, written_out
from cinecut.edits.recut.settings import Versions, merged, with_settings
from cinecut.edits.recut.touched import Touched, touched
from cinecut.known.record import timeline_digest
from cinecut.language.document import Document
from cinecut.language.document.comments import anchors_of
from cinecut.language.document.layout import scalar_text
from cinecut.language.events import Card
from cinecut.language.read import fill_spec
from cinecut.language.spec import Spec
from cinecut.language.timebase import clock
from cinecut.render.check import layout_of


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a spec."""

    document: Document
    layout: Layout
    items: Sequence[Item]

    @property
    def spec(self) -> Spec:
        return self.layout.trailer.spec

    @classmethod
    def of(cls, document: Document, whole: bool = True) -> Version:
        """Raises Stop if the text is not a spec; if it is to be `whole`, also if it has any mistake."""
        document, report = in_rows(document), Report()
        spec = fill_spec(document, report)
        if whole or spec is None:
            report.stop_on_error()
        assert spec is not None
        layout = layout_of(spec, report)
        if whole:
            report.stop_on_error()
        return cls(document, layout, items_of(document, layout))


@dataclass(frozen=True, slots=True)
class RecutOptions:
    """What a recut was asked: the act (None: all), the paths to change, whether only `keep: true` is kept; and the
    digest of the timeline that the previous analysis made."""

    act: str | None = None
    asked: Collection[tuple[str, ...]] = ()
    only_kept: bool = False
    before: str = ""


@dataclass(slots=True)
class Recut:
    """The new text of a spec; the same without the user's edits, so that the next recut can find them; its layout; what
    was kept, and what conflicts, in words."""

    text: str
    wrote: str
    layout: Layout
    kept: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def recut(base: Version | None, ours: Version, theirs: Version, wish: RecutOptions) -> Recut:
    """Raises Stop if the act does not exist, or the result would have mistakes."""
    if anchors_of(ours.document):
        with contextlib.suppress(Stop):
            return _recut(base, ours, theirs, wish)
        ours = Version.of(written_out(ours.document))  # an alias may have lost what it repeats
    return _recut(base, ours, theirs, wish)


def _recut(base: Version | None, ours: Version, theirs: Version, wish: RecutOptions) -> Recut:
    hand = touched(base.items if base is not None else None, ours.items, wish.only_kept)
    settings, conflicts = merged(base.spec if base is not None else None, ours.spec, theirs.spec, wish.asked)
    if wish.act is not None:
        settings = [each for each in settings if each.path in wish.asked]
    versions = Versions(base.document if base is not None else None, ours.document, theirs.document)
    text = with_settings(versions, ours.spec, theirs.spec, settings)
    made = _arranged(ours, theirs, hand, wish)
    places, own = made.places, {id(item) for item in ours.items}
    standing = {item.key: item for n, item in enumerate(ours.items) if n not in hand.entries}
    rows = [
        (place.item if id(place.item) in own else standing.get(place.item.key, place.item)).rows for place in places
    ]
    document = parsed(ours.document, text)
    if rows != [item.rows for item in ours.items]:
        document = parsed(document, with_items(document, _spaced(rows, places)))
    fit = fitted(document, places)
    document, layout = fit.document, fit.layout
    hands = {id(ours.items[number]): was for number, was in hand.entries.items()}
    plain = written_out(document) if anchors_of(document) else document
    wrote = _without_hand(theirs, items_of(plain, layout), places, hands, hand.gone)
    result = Recut(document.mark + document.text, wrote, layout)
    result.conflicts = [*map(str, conflicts), *_contested(places), *_taken(fit, places), *_brought_back(made)]
    result.kept = [*_kept([place for place in places if id(place.item) in hands], places), *_left_out(made)]
    return result


def _without_hand(
    theirs: Version,
    items: Sequence[Item],
    places: Sequence[NewEntry],
    hands: dict[int, Item | None],
    gone: Sequence[Item],
) -> str:
    """The new analysis's text with the new timeline, but without the user's edits: there it has what analyze wrote. An
    entry that the user moved stands at the other end, those that the user removed stand last, in their acts: so the
    next recut finds them moved and removed."""
    rows = list[str]()
    moved: tuple[list[str], list[str]] = ([], [])
    for number, (item, place) in enumerate(zip(items, places, strict=True)):
        there = (place.instead or hands[id(place.item)]) if id(place.item) in hands else item
        if there is None:
            continue
        unseen = there is not item and there.key == place.item.key and set(place.item.comments) <= set(there.comments)
        (moved[2 * number < len(places)] if unseen else rows).append(there.rows)
    for act, left in groupby(gone, lambda item: item.act):
        removed = list(left)
        rows += [] if removed[0].marker or not act else [f"- act: {scalar_text(act)}"]
        rows += [item.rows for item in removed]
    rows = [*moved[0], *rows, *moved[1]]
    return with_items(theirs.document, rows or [item.rows for item in theirs.items])


def _arranged(ours: Version, theirs: Version, hand: Touched, wish: RecutOptions) -> Arrangement:
    """The new timeline; if one act is recut, all others stay as they are."""
    grids = (ours.layout.timeline.grid, theirs.layout.timeline.grid)
    if wish.act is not None:
        return _act_arranged(ours, theirs, hand, wish.act)
    made = Arrangement(ours.items, theirs.items, hand, grids, spec=ours.spec)
    if wish.before == timeline_digest(theirs.spec.timeline) and not wish.only_kept:
        # The new analysis changes nothing of the timeline.
        made.places = [NewEntry(item, n in hand.entries, hand.entries.get(n)) for n, item in enumerate(ours.items)]
    else:
        made.make()
    return made


def _act_arranged(ours: Version, theirs: Version, hand: Touched, name: str) -> Arrangement:
    """`name`: of the act to recut, as it is now or as it was before the user renamed it."""
    former = {was: now for now, was in hand.acts.items()}
    act = name if any(item.act == name for item in ours.items) else former.get(name, name)
    numbers = [n for n, item in enumerate(ours.items) if item.act == act]
    new = [item for item in theirs.items if item.act == hand.acts.get(act, act)]
    for there, whose in ((numbers, ours), (new, theirs)):
        if not there:
            acts = ", ".join(dict.fromkeys(item.act for item in whose.items if item.act))
            what = "the spec" if whose is ours else "the new analysis"
            raise Stop("option", f"{what} has no act {name!r}", f"it has {acts or 'none'}")
    first, last = numbers[0], numbers[-1]
    if len(numbers) <= last - first:
        raise Stop("option", f"act {name!r} stands in several places", "give each of them a name of its own")
    own = Touched({n - first: was for n, was in hand.entries.items() if first <= n <= last}, hand.gone, hand.acts)
    elsewhere = [item.film for n, item in enumerate(ours.items) if not first <= n <= last and item.film is not None]
    grids = (ours.layout.timeline.grid, theirs.layout.timeline.grid)
    made = Arrangement(ours.items[first : last + 1], new, own, grids, elsewhere, ours.spec)
    made.make()
    made.places = [*_as_they_are(ours.items[:first]), *made.places, *_as_they_are(ours.items[last + 1 :])]
    return made


def _as_they_are(items: Sequence[Item]) -> list[NewEntry]:
    return [NewEntry(item, True, item) for item in items]


def _spaced(rows: Sequence[str], places: Sequence[NewEntry]) -> list[str]:
    """Insert an empty row before each act."""
    opens = [number > 0 and place.item.marker for number, place in enumerate(places)]
    return [f"\n{row}" if act else row for act, row in zip(opens, rows, strict=True)]


# Words


def _name(item: Item) -> str:
    """An entry's name in messages: `shot 12 (0:20.880, 4 beats)`."""
    if item.placed is None:
        return f"act {excerpt(item.act)}"
    if item.film is not None:
        return f"{item.placed.name} ({clock(item.film.start.seconds)} for {float(item.seconds):.2f} s)"
    words = f"{excerpt(item.entry.card, 40)}, " if isinstance(item.entry, Card) else ""
    return f"{item.placed.name} ({words}{float(item.seconds):.2f} s)"


def _kept(by_hand: Sequence[NewEntry], places: Sequence[NewEntry]) -> list[str]:
    number, words = 0, list[str]()
    for place in places:
        number += not place.item.marker
        if place in by_hand:
            where = "" if place.item.placed is None or place.item.placed.number == number else f", now event {number}"
            words.append(f"{_name(place.item)} is kept{where}")
    return words


def _taken(fit: Fitted, places: Sequence[NewEntry]) -> list[str]:
    """The keys that had to be removed from the user's entries, in words."""
    return [
        f"{_name(places[number].item)}: its `{key}` cannot be where it stands now: it is taken out"
        for number, key in fit.taken
        if places[number].by_hand
    ]


def _left_out(made: Arrangement) -> list[str]:
    """What stays out since the user removed it, in words; a whole act at once."""
    acts = [item.act for item in made.left_out if item.marker]
    alone = [item for item in made.left_out if item.marker or item.act not in acts]
    return [f"{_name(item)} of the new analysis stays out, since you removed it" for item in alone]


def _brought_back(made: Arrangement) -> list[str]:
    return [f"{_name(item)}: you removed it, but there the music changes: it is back" for item in made.brought_back]


def _contested(places: Sequence[NewEntry]) -> list[str]:
    """The slots for which the user and the new analysis chose different film, in words."""
    return [
        f"{_name(place.item)}: the new analysis has {_name(place.instead)} there: yours stays"
        for place in places
        if place.instead is not None and place.was is not None and place.instead.key != place.was.key
        and not place.item.marker
    ]  # fmt: skip
