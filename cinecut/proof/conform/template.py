"""A trailer's rhythm as a skeleton for `analyze --structure`: its runs of shots between black and cards, in shares.

pieces ─► runs of shots, black, cards ─ by their places ─► acts ─► the skeleton's text
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import mean, median

from cinecut.proof.conform.places.placing import Piece

_SHORT_BLACK, _SHORT_CARD = 4, 12  # frames: less is no part of its own
_LAST = 0.7  # of the trailer: a card after it may be the title's
_OPENING = 0.15  # of the trailer: a first run that is shorter is a cold open
_SLOWER, _FASTER = 1.2, 0.8  # a run's usual shot beside the trailer's
_QUICKENING = 0.75  # the second half's shots beside the first's
_BEGIN, _CLIMAX = 0.4, 0.75  # of the film
_MOST_PARTS = 40
_MOST_BLACK, _LEAST_SHARE = 0.1, 0.001
_AFTER_TITLE = ("title", "release", "credits")


@dataclass
class _Part:
    """`kind` is shots, black or card; `pieces` what it is made of; `act` is found last."""

    kind: str
    pieces: list[Piece] = field(default_factory=list)
    act: str = ""
    text: str = ""

    @property
    def start(self) -> int:
        return self.pieces[0].start

    @property
    def frames(self) -> int:
        return self.pieces[-1].end - self.start


def template(name: str, pieces: Sequence[Piece], cards: Sequence[Piece], lengths: Sequence[int]) -> str:
    """The text of a skeleton. `cards` are those of the pieces that show a text on a plain ground; `lengths` the frames
    of each film."""
    total = pieces[-1].end
    parts, least = _parts(pieces, set(cards), 1), 1
    while len(parts) > _MOST_PARTS:
        least *= 2
        parts = _parts(pieces, set(cards), least)
    _name_acts(parts, total)
    usual = median(p.end - p.start for part in parts if part.kind == "shots" for p in part.pieces)
    rows = [f"  - {{{', '.join(_entry(part, total, usual, lengths))}}}" for part in parts]
    about = f"The rhythm of {name}.".replace("\\", "/").replace('"', "'")[:200]
    order = _order([p for part in parts for p in part.pieces])
    return "\n".join(["skeleton: 1", f'about: "{about}"', f"order: {order:.2g}", "parts:", *rows]) + "\n"


def _parts(pieces: Sequence[Piece], cards: set[Piece], least: int) -> list[_Part]:
    """The parts; black and cards count from so many times their least length on. One run of shots alone is three."""
    parts = list[_Part]()
    for piece in pieces:
        long = piece.end - piece.start
        black, card = piece.black and long >= least * _SHORT_BLACK, piece in cards and long >= least * _SHORT_CARD
        kind = "black" if black else "card" if card else "shots"
        if not parts or parts[-1].kind != kind or kind == "card":
            parts.append(_Part(kind))
        parts[-1].pieces.append(piece)
    while parts[-1].kind == "black":  # the end of a trailer is no part of it
        parts.pop()
    return _thirds(parts[0].pieces) if len(parts) == 1 else parts


def _thirds(run: Sequence[Piece]) -> list[_Part]:
    """A run of shots in three parts of about the same length; of fewer shots each is cut in three."""
    if len(run) < 3:
        run = [replace(p, start=p.start + n * (p.end - p.start) // 3, end=p.start + (n + 1) * (p.end - p.start) // 3)
               for p in run for n in range(3)]  # fmt: skip
    ends = [round(n * len(run) / 3) for n in range(4)]
    return [_Part("shots", list(run[first:last])) for first, last in pairwise(ends)]


def _name_acts(parts: Sequence[_Part], total: int) -> None:
    """Acts by their order: the last card but for those right after it is the title's, what follows is the button."""
    late = [n for n, part in enumerate(parts) if part.kind == "card" and part.start > _LAST * total]
    title = late[0] if late else len(parts)
    runs = [part for part in parts[:title] if part.kind == "shots"]
    opening = runs[:1] if len(runs) > 2 and runs[0].frames < _OPENING * total else []
    for part in opening:
        part.act = "cold open"
    acts = runs[len(opening) :]
    names = {1: ["act 1"], 2: ["act 1", "act 3"]}.get(len(acts), ["act 1", "act 2", "act 3"])
    whole, done = sum(part.frames for part in acts), 0
    for number, part in enumerate(acts):
        own = number if len(acts) == len(names) else int((done + part.frames / 2) * len(names) / whole)
        part.act, done = names[own], done + part.frames
    words = iter(_AFTER_TITLE)
    for part in parts[title:]:
        part.act = "button" if part.kind == "shots" else "title card"
        part.text = next(words, "credits") if part.kind == "card" else ""
    for part, after in reversed(list(pairwise(parts))):
        part.act, part.text = part.act or after.act, part.text or "tagline"


def _entry(part: _Part, total: int, usual: float, lengths: Sequence[int]) -> Iterator[str]:
    share = max(_LEAST_SHARE, round(part.frames / total, 3))
    yield f"act: {part.act}"
    if part.kind == "black":
        yield f"black: {min(share, _MOST_BLACK):g}"
        return
    if part.kind == "card":
        yield f"card: {part.text}"
        yield f"share: {share:g}"
        return
    yield f"share: {share:g}"
    long = [piece.end - piece.start for piece in part.pieces]
    pace = median(long) / usual
    yield f"pace: act_{1 if pace > _SLOWER else 3 if pace < _FASTER else 2}"
    half = len(long) // 2
    quick = len(long) > 3 and mean(long[half:]) < _QUICKENING * mean(long[:half])
    yield f"shape: {'one' if len(long) == 1 else 'quickening' if quick else 'even'}"
    zones = Counter(_zone(float(p.first) / lengths[p.film]) for p in part.pieces if p.film is not None)
    if zones:
        yield f"zones: [{', '.join(zone for zone, _ in zones.most_common(3))}]"


def _zone(place: float) -> str:
    return "begin" if place < _BEGIN else "escalation" if place < _CLIMAX else "climax"


def _order(pieces: Sequence[Piece]) -> float:
    """How many shots come after the one before in the film too, from half of them (no order, 0) to all (1)."""
    placed = [piece for piece in pieces if piece.film is not None]
    ways = [after.first > before.first for before, after in pairwise(placed) if before.film == after.film]
    return max(0.0, 2 * sum(ways) / len(ways) - 1) if ways else 0.5
