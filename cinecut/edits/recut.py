"""A new analysis merged with what a hand did to a spec: nothing that the hand touched is lost, and what it did not
touch is as the new analysis has it, on the new song's beats.

    base, ours, theirs ─ settings ─ touched ─ arrange ─► rows ─► text ─ cues, beats, joints ─ checked ─► Recut
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Diagnostic, Report, Stop, as_text, excerpt
from cinecut.edits.arrange import Arrangement, Place
from cinecut.edits.items import Item, items_of, key_of, timeline_digest, with_items
from cinecut.edits.settings import Versions, merged, with_settings
from cinecut.edits.touched import Touched, touched
from cinecut.language.document import Document, parse_document
from cinecut.language.document.edit import Edits
from cinecut.language.events import Black, Card, Cue, Event, Shot, Still
from cinecut.language.read import fill_spec
from cinecut.language.rules import check_rules
from cinecut.language.spec import Spec
from cinecut.language.timebase import Length, clock
from cinecut.language.write import length_text, set_clip, value_tree

LayOut = Callable[[Spec, Report], Layout]
_ROUNDS = 60  # of corrections
_EXACT = Fraction(1, 10_000)  # seconds


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
    def of(cls, document: Document, lay_out: LayOut) -> Version:
        """Raises Stop where the text is no spec without mistakes."""
        report = Report()
        layout = _laid_out(document, report, lay_out)
        report.stop_on_error()
        assert layout is not None  # or there was an error
        return cls(document, layout, items_of(document, layout))


def _laid_out(document: Document, report: Report, lay_out: LayOut) -> Layout | None:
    spec = fill_spec(document, report)
    if spec is None:
        return None
    check_rules(spec, report)
    return lay_out(spec, report)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a recut was asked: which act (None: all), the paths that it is to change, whether only what says
    `keep: true` is kept; and the digest of the timeline that the analysis before made."""

    act: str | None = None
    asked: Collection[tuple[str, ...]] = ()
    only_kept: bool = False
    before: str = ""


@dataclass(slots=True)
class Recut:
    """The new text of a spec; the same without what the hand did, by which the next recut knows that; where all of it
    falls; and in words what was kept, and what conflicts."""

    text: str
    wrote: str
    layout: Layout
    kept: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def recut(base: Version | None, ours: Version, theirs: Version, wish: Wish, lay_out: LayOut) -> Recut:
    """Raises Stop where the act is not there, or the result would have mistakes."""
    hand = touched(base.items if base is not None else None, ours.items, wish.only_kept)
    settings, conflicts = merged(base.spec if base is not None else None, ours.spec, theirs.spec, wish.asked)
    if wish.act is not None:
        settings = [each for each in settings if each.path in wish.asked]
    versions = Versions(base.document if base is not None else None, ours.document, theirs.document)
    text = with_settings(versions, ours.spec, theirs.spec, settings)
    places = _places(ours, theirs, hand, wish)
    if wish.before == timeline_digest(theirs.spec.timeline) and wish.act is None and not wish.only_kept:
        places = _as_they_are(ours.items)  # the new analysis changes nothing of the timeline
    standing = {item.key: item for n, item in enumerate(ours.items) if n not in hand.entries}
    rows = [_row(place, standing) for place in places]
    document = _parsed(ours.document, text)
    if rows != [item.rows for item in ours.items]:
        document = _parsed(document, with_items(document, _spaced(rows, places)))
    document, layout = _corrected(document, places, lay_out)
    _check_kept(places, layout)
    hands = {id(ours.items[number]): was for number, was in hand.entries.items()}
    wrote = _without_hand(theirs, items_of(document, layout), places, hands, hand.gone)
    result = Recut(document.mark + document.text, wrote, layout)
    result.conflicts = [*map(str, conflicts), *_contested(places)]
    result.kept = _kept([place for place in places if id(place.item) in hands], places)
    return result


def _without_hand(
    theirs: Version, items: Sequence[Item], places: Sequence[Place], hands: dict[int, Item | None], gone: Sequence[Item]
) -> str:
    """The text of the new analysis with the timeline as it is now, but for what the hand put in, changed or took out:
    there what the analyses had."""
    rows = list[str]()
    for item, place in zip(items, places, strict=True):
        there = (place.instead or hands[id(place.item)]) if id(place.item) in hands else item
        rows += [there.rows] if there is not None else []
    rows += [item.rows for item in gone]
    return with_items(theirs.document, rows or [item.rows for item in theirs.items])


def _keys(items: Sequence[Item]) -> list[str]:
    return [item.key for item in items]


def _places(ours: Version, theirs: Version, hand: Touched, wish: Wish) -> list[Place]:
    """The new timeline; of one act, all others stay as they are."""
    grids = (ours.layout.timeline.grid, theirs.layout.timeline.grid)
    facts = ours.layout.trailer.film
    timecodes = None if facts.variable else facts.timecodes
    if wish.act is None:
        return Arrangement(ours.items, theirs.items, hand, grids, timecodes=timecodes).made()
    numbers = [n for n, item in enumerate(ours.items) if item.act == wish.act]
    new = [item for item in theirs.items if item.act == wish.act]
    for there, whose in ((numbers, ours), (new, theirs)):
        if not there:
            acts = ", ".join(dict.fromkeys(item.act for item in whose.items if item.act))
            what = "the spec" if whose is ours else "the new analysis"
            raise Stop("option", f"{what} has no act {wish.act!r}", f"it has {acts or 'none'}")
    first, last = numbers[0], numbers[-1]
    own = Touched({n - first: was for n, was in hand.entries.items() if first <= n <= last}, hand.gone)
    elsewhere = [item.film for n, item in enumerate(ours.items) if not first <= n <= last and item.film is not None]
    made = Arrangement(ours.items[first : last + 1], new, own, grids, elsewhere, timecodes)
    return [*_as_they_are(ours.items[:first]), *made.made(), *_as_they_are(ours.items[last + 1 :])]


def _as_they_are(items: Sequence[Item]) -> list[Place]:
    return [Place(item, True, item) for item in items]


def _row(place: Place, standing: dict[str, Item]) -> str:
    """What is the same as before stands as it stood."""
    return place.item.rows if place.by_hand else standing.get(place.item.key, place.item).rows


def _spaced(rows: Sequence[str], places: Sequence[Place]) -> list[str]:
    """With a row left empty before each act."""
    opens = [number > 0 and place.item.marker for number, place in enumerate(places)]
    return [f"\n{row}" if act else row for act, row in zip(opens, rows, strict=True)]


def _parsed(document: Document, text: str) -> Document:
    report = Report()
    found = parse_document(document.path, text, report)
    if not report.ok:
        hint = "an entry that is repeated by * may be gone: write it out, and try again"
        raise Stop("yaml", "the new timeline would be no YAML: nothing was written", hint)
    return found


# Corrections of the whole


def _corrected(document: Document, places: Sequence[Place], lay_out: LayOut) -> tuple[Document, Layout]:
    """With each cue at its place, what is not a hand's on the beats, and no joint where none can be."""
    document = _with_cues(document, places)
    for _ in range(_ROUNDS):
        report = Report()
        layout = _laid_out(document, report, lay_out)
        if layout is None or not report.ok:
            found = [finding for finding in report if finding.severity == "error"]
            mended = None if layout is None else _without_joint(document, layout, places, found)
            if mended is None:
                raise Stop("option", "the new cut would have mistakes: nothing was written", *_texts(found, document))
            document = mended
            continue
        off = _off_beat(layout, places)
        if not off:
            return document, layout
        document = _snapped(document, layout, off)
    raise Stop("option", "the new cut does not come to lie on the beats: nothing was written")


def _texts(found: Sequence[Diagnostic], document: Document) -> list[str]:
    return [as_text(replace(each, span=None), None) for each in found[:5]]


def _with_cues(document: Document, places: Sequence[Place]) -> Document:
    edits, changed = Edits(document), False
    for number, place in enumerate(places):
        own: Cue | None = getattr(place.item.entry, "cue", None)
        if place.by_hand and place.cue != own:
            changed = True
            path = ("timeline", number, "cue")
            if place.cue is None:
                edits.remove(path)
            else:
                edits.set(path, value_tree(place.cue))
    return _parsed(document, edits.text()) if changed else document


_JOINTS = {"transition": ("from", "to"), "no-handle": ("from",), "sync": ("sync",), "past-end": ("sync",),
           "sound-outside": ("sound", "sound_trail", "sound_lead")}  # fmt: skip


def _without_joint(
    document: Document, layout: Layout, places: Sequence[Place], found: Sequence[Diagnostic]
) -> Document | None:
    """Take out what does not fit an entry's new neighbours; what a hand wrote stays. None: nothing helps."""
    for finding in found:
        for number, entry in enumerate(layout.trailer.spec.timeline):
            span = entry.place.span
            if finding.span is None or not (span.line <= finding.span.line <= span.end_line):
                continue
            for key in _JOINTS.get(finding.code, ()):
                if key in entry.place.given and not _own(places[number], key):
                    edits = Edits(document)
                    edits.remove(("timeline", number, key))
                    return _parsed(document, edits.text())
    return None


def _own(place: Place, key: str) -> bool:
    """Whether a hand wrote a key of an entry."""
    if not place.by_hand:
        return False
    name = {"from": "from_"}.get(key, key)
    return place.was is None or getattr(place.was.entry, name, None) != getattr(place.item.entry, name, None)


def _off_beat(layout: Layout, places: Sequence[Place]) -> list[int]:
    """The entries after a hand's that begin and end off the beats, since that took no whole number of them."""
    grid, off = layout.timeline.grid, list[int]()
    if grid is None:
        return off
    events = [number for number, place in enumerate(places) if not place.item.marker]
    for before, number, placed in zip(events, events[1:], layout.timeline.events[1:], strict=False):
        away = [abs(grid.nearest_line(at, "beat") - at) for at in (placed.start, placed.end)]
        follows = places[before].by_hand and not places[number].by_hand
        if follows and min(away) > _EXACT and placed.event.snap is None:
            off.append(number)
    return off


def _snapped(document: Document, layout: Layout, off: Sequence[int]) -> Document:
    """These entries end on a beat, at most as late as they did: the film may have no more of a shot."""
    edits, timecodes = Edits(document), layout.trailer.film.timecodes
    numbered = None if layout.trailer.film.variable else timecodes
    for number in off:
        entry = layout.trailer.spec.timeline[number]
        assert isinstance(entry, Shot | Black | Card | Still)
        length = _shorter(entry)
        if isinstance(entry, Shot):
            set_clip(edits, ("timeline", number, "shot"), replace(entry.shot, for_=length, out=None), numbered)
        elif length is not None:
            key = "black" if isinstance(entry, Black) else "for"
            edits.set(("timeline", number, key), value_tree(length_text(length)))
        edits.set(("timeline", number, "snap"), value_tree("beat"))
    return _parsed(document, edits.text())


def _shorter(event: Event) -> Length | None:
    """A beat less than its length; half of a single one."""
    length = event.black if isinstance(event, Black) else event.shot.for_ if isinstance(event, Shot) else event.for_
    if length is None or length.unit != "beats":
        return length
    return Length(length.amount - 1 if length.amount > 1 else length.amount / 2, "beats")


def _check_kept(places: Sequence[Place], layout: Layout) -> None:
    """What a hand touched is there, all of it, but for a cue of the old song."""
    wanted = Counter(_without_cue(place.item.entry) for place in places if place.by_hand and not place.item.marker)
    there = Counter(_without_cue(entry) for entry in layout.trailer.spec.timeline)
    missing = wanted - there
    if missing:
        what = excerpt(next(iter(missing)))
        raise Stop("option", f"an entry that a hand touched would be changed: nothing was written ({what})")


def _without_cue(entry: object) -> str:
    bare = replace(entry, cue=None) if isinstance(entry, Shot | Black | Card | Still) else entry
    return key_of(bare)  # type: ignore[arg-type]  # an act marker has no cue


# Words


def _name(item: Item) -> str:
    """`shot 12 (0:20.880, 4 beats)`: as the trailer knows it."""
    if item.placed is None:
        return f"act {excerpt(item.act)}"
    if item.film is not None:
        return f"{item.placed.name} ({clock(item.film.start.seconds)} for {float(item.seconds):.2f} s)"
    words = f"{excerpt(item.entry.card, 40)}, " if isinstance(item.entry, Card) else ""
    return f"{item.placed.name} ({words}{float(item.seconds):.2f} s)"


def _kept(by_hand: Sequence[Place], places: Sequence[Place]) -> list[str]:
    number, words = 0, list[str]()
    for place in places:
        number += not place.item.marker
        if place in by_hand:
            where = "" if place.item.placed is None or place.item.placed.number == number else f", now event {number}"
            words.append(f"{_name(place.item)} is kept{where}")
    return words


def _contested(places: Sequence[Place]) -> list[str]:
    """The slots that the new analysis fills otherwise than the hand."""
    return [
        f"{_name(place.item)}: the new analysis has {_name(place.instead)} there: yours stays"
        for place in places
        if place.instead is not None and place.was is not None and place.instead.key != place.was.key
        and not place.item.marker
    ]  # fmt: skip
