"""Matching the parts of two cuts, and finding which of them kept their order."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from difflib import SequenceMatcher
from fractions import Fraction


def matched(
    before: Sequence[Hashable],
    after: Sequence[Hashable],
    shared: Callable[[int, int], Fraction],
    fits: Callable[[int, int], bool],
) -> list[int | None]:
    """For each part in `after` the index of the same part in `before`; None for a new part.

    First those that are the very same in the same order, then the very same elsewhere, then those that share some
    (`shared` of two numbers is more than 0, the more the sooner), then those that stand after the same neighbour and
    fit into its place. The parts themselves need only be equal where they are the very same.
    """
    partners: list[int | None] = [None] * len(after)
    for block in SequenceMatcher(a=before, b=after, autojunk=False).get_matching_blocks():
        for k in range(block.size):
            partners[block.b + k] = block.a + k
    free = dict.fromkeys(sorted(set(range(len(before))) - {at for at in partners if at is not None}))
    same = defaultdict[Hashable, list[int]](list)
    for at in reversed(free):
        same[before[at]].append(at)
    for number, part in enumerate(after):
        if partners[number] is None and same.get(part):
            partners[number] = same[part].pop()
            del free[partners[number]]  # type: ignore[arg-type]  # it was just set
    open_ = [number for number, was in enumerate(partners) if was is None]
    pairs = sorted(
        (-much, abs(at - number), number, at) for number in open_ for at in free if (much := shared(at, number)) > 0
    )
    for _, _, number, at in pairs:
        if partners[number] is None and at in free:
            partners[number] = at
            del free[at]
    for number in open_:
        above = partners[number - 1] if number else -1
        if partners[number] is None and above is not None and above + 1 in free and fits(above + 1, number):
            partners[number] = above + 1
            del free[above + 1]
    return partners


def standing(order: Sequence[int]) -> set[int]:
    """The longest ascending part of a sequence: the numbers that need not move.

    >>> sorted(standing([1, 2, 3, 0, 4]))
    [1, 2, 3, 4]
    """
    ends: list[int] = []  # by the length of an ascending sequence the lowest number that ends one
    before: dict[int, int | None] = {}
    for number in order:
        at = bisect_left(ends, number)
        before[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    kept: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        kept.add(last)
        last = before[last]
    return kept
