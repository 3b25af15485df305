"""Which way a line is written, where letters from the left and from the right stand in it (Unicode's Standard Annex 9).

libass orders each row by itself and knows no pairs of brackets. So each row gets invisible marks, by which it is
ordered as it is in its whole line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_MARKS = {"L": "\u200e", "R": "\u200f"}  # left-to-right, right-to-left
_SIDES = {"L": "L", "R": "R", "AL": "R"}  # of letters
_CLOSING = dict(zip("([{（［｛《「『【〈⟨", ")]}）］｝》」』】〉⟩", strict=True))


def runs_from_the_right(text: str) -> bool:
    """Whether any letter of it is written from the right to the left."""
    return any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in text)


def directed(line: str, rows: Sequence[str]) -> list[str]:
    """The rows of a line, in their order, with the marks that they need.

    >>> directed("abc", ["abc"])
    ['abc']
    """
    if not runs_from_the_right(line):
        return list(rows)
    base = next(side for sign in line if (side := _SIDES.get(unicodedata.bidirectional(sign))))
    sides, brackets = _sides(line, base)
    marked, at = list[str](), 0
    for row in rows:
        at = line.index(row, at)
        end = at + len(row)
        words = "".join(_marked(line[k], sides[k]) if k in brackets else line[k] for k in range(at, end))
        first, last = (_MARKS[sides[k]] if row else "" for k in (at, end - 1))
        marked.append(_MARKS[base] + first + words + last)
        at = end
    return marked


def _marked(sign: str, side: str) -> str:
    return _MARKS[side] + sign + _MARKS[side]


def _sides(line: str, base: str) -> tuple[list[str], set[int]]:
    """The direction of each sign of a line, and the places of its brackets that have one by what they hold."""
    sides, last = list[str | None](), base
    for sign in line:
        kind = unicodedata.bidirectional(sign)
        side = _SIDES.get(kind)
        last = side or last
        number = last if kind == "EN" else "R" if kind == "AN" else None  # 5 belongs to a letter before it, ٥ never
        combining = sides[-1] if kind == "NSM" and sides else None
        sides.append(side or number or combining)
    brackets = set[int]()
    for opening, closing in _pairs(line):
        inside = {side for side in sides[opening:closing] if side}
        before = next((side for side in reversed(sides[:opening]) if side), base)
        if inside:
            sides[opening] = sides[closing] = base if base in inside else before
            brackets |= {opening, closing}
    return _filled(sides, base), brackets


def _pairs(line: str) -> list[tuple[int, int]]:
    """The places of brackets that belong together, in the order of the opening ones."""
    open_ones, pairs = list[tuple[str, int]](), list[tuple[int, int]]()
    for place, sign in enumerate(line):
        if sign in _CLOSING:
            open_ones.append((_CLOSING[sign], place))
        elif any(sign == closing for closing, _ in open_ones):
            while open_ones:
                closing, opening = open_ones.pop()
                if closing == sign:
                    pairs.append((opening, place))
                    break
    return sorted(pairs)


def _filled(sides: Sequence[str | None], base: str) -> list[str]:
    """What is between two of one direction has it too; what is between two different ones, the line's."""
    before, behind = list[str](), list[str]()
    for found, order in ((before, sides), (behind, sides[::-1])):
        last = base
        for side in order:
            last = side or last
            found.append(last)
    return [one if one == other else base for one, other in zip(before, behind[::-1], strict=True)]
