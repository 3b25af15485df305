"""Which entries of a spec the user has edited: those that differ from what analyze wrote, or were moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from cinecut.edits.recut.items import Item
from cinecut.language.events import Shot
from cinecut.language.timebase import FilmTime


@dataclass(frozen=True, slots=True, eq=False)
class Touched:
    """The entries that the user edited, by number, with what analyze had written there (None: the user added it); the
    entries that the user removed; for each act that the user renamed its former name; and the acts that the user
    removed with all of their entries."""

    entries: dict[int, Item | None]
    gone: tuple[Item, ...]
    acts: dict[str, str] = field(default_factory=dict)
    emptied: frozenset[str] = frozenset()


def touched(base: Sequence[Item] | None, ours: Sequence[Item], only_kept: bool = False) -> Touched:
    """Without `base`, which analyze wrote, every entry counts as edited. `only_kept`: only entries with `keep:
    true`."""
    kept = {n: None for n, item in enumerate(ours) if getattr(item.entry, "keep", False)}
    if only_kept:
        return Touched(dict(kept), ())
    if base is None:
        return Touched(dict.fromkeys(range(len(ours))), ())
    entries: dict[int, Item | None] = dict(kept)
    left, loose = list[Item](), list[int]()
    matcher = SequenceMatcher(a=[item.key for item in base], b=[item.key for item in ours], autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            same = zip(range(a, b), range(c, d), strict=True)
            entries.update({n: base[m] for m, n in same if not _as_written(ours[n], base[m])})
            continue
        pairs = dict(_paired(base, range(a, b), ours, range(c, d)))
        entries.update({n: base[m] for n, m in pairs.items()})
        loose += [n for n in range(c, d) if n not in pairs]
        left += [base[m] for m in range(a, b) if m not in pairs.values()]
    for number in loose:  # moved, or put in by the hand
        moved = next((item for item in left if item.key == ours[number].key), None)
        left = [item for item in left if item is not moved]
        entries[number] = moved
    acts = {ours[n].act: was.act for n, was in entries.items() if ours[n].marker and was is not None}
    standing = {acts.get(item.act, item.act) for item in ours if item.marker}
    gone = tuple(item for item in left if not item.marker or item.act not in standing)
    emptied = {item.act for item in gone if item.marker} - {item.act for item in base if item not in gone}
    return Touched(dict(sorted(entries.items())), gone, acts, frozenset(emptied))


def _as_written(ours: Item, base: Item) -> bool:
    """Whether an entry of the same content has no comments and alternatives but those that analyze wrote."""
    return set(ours.comments) <= set(base.comments) and _alternatives(ours) <= _alternatives(base)


def _alternatives(item: Item) -> set[tuple[FilmTime, str | None]]:
    offered = item.entry.alternatives if isinstance(item.entry, Shot) else ()
    return {(each.in_, each.why) for each in offered}


def _paired(
    base: Sequence[Item], were: Sequence[int], ours: Sequence[Item], now: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Pairs of an entry of ours and the base entry that it was: of one kind, at the same place, preferably showing the
    same film. An entry found elsewhere exactly as analyze wrote it was moved, and is not paired here."""
    written, standing = {item.key for item in base}, {item.key for item in ours}
    free = [m for m in were if base[m].key not in standing]
    waiting = [n for n in now if ours[n].key not in written]
    for alike in (True, False):
        for number in list(waiting):
            item = ours[number]
            near = (m for m in free if base[m].kind == item.kind and (_overlaps(base[m], item) or not alike))
            other = next(near, None)
            if other is not None:
                free.remove(other)
                waiting.remove(number)
                yield number, other


def _overlaps(one: Item, other: Item) -> bool:
    if one.film is None or other.film is None:
        return one.film is other.film
    return one.film.shared(other.film) > 0
