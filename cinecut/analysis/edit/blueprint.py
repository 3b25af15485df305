"""The blueprint: a trailer's slots in whole beats, made from a skeleton before any shot is chosen.

    skeleton ─ parts with text ─ blocks of whole bars ─ beats of black and cards ─ slots of shots, by the vibe's pace

A block is a part of shots and what follows it up to the next one, so that every part of shots begins on a bar line, and
so does the title card. The trailer ends on the first beat at or after the wanted length, where its last part can be so
long or so short; else where that part does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from cinecut.analysis.story.arc import Zone
from cinecut.vibes import Vibe
from cinecut.vibes.skeleton import TEASER, Skeleton, SkeletonPart, load_skeleton

LEAST = 3  # seconds of the shortest trailer of all
SHORTEST = 15  # seconds, without a requested length
LONGEST = 120
_SHARE = Fraction(15, 100)  # of the film: a short film gets a short trailer
_USED = Fraction(60, 100)  # of what can be shown of it, at most
DARK = Fraction(11, 100)  # of the trailer at most: black and cards
DARKEST = Fraction(12, 100)  # the same, if only so the last card ends where it should
READ = Fraction(12, 10)  # seconds that a card needs to be read
_QUICKER = 0.25  # of a shot: from here on act 1 gets one more, rather than longer ones
_END = Fraction(1)  # seconds of the shot that ends a trailer, at least


class Want(StrEnum):
    """The purpose of a slot."""

    SHOT = "shot"
    LINE = "line"  # a shot in which a line stands alone
    STRONG = "strong"  # one of the strongest shots
    INTRODUCE = "introduce"  # a face, a new person
    QUESTION = "question"  # something unclear
    THREAT = "threat"
    RELEASE = "release"  # a wide or bright picture
    CALM = "calm"
    STING = "sting"  # a last dark picture that frightens
    GAG = "gag"  # a last joke
    BLACK = "black"
    CARD = "card"

    @property
    def shows(self) -> bool:
        """Whether the slot shows a shot of the film."""
        return self not in (Want.BLACK, Want.CARD)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the trailer: its act, its length in beats, its purpose, and the zones of the film that its shot may
    come from."""

    act: str
    beats: int
    want: Want
    zones: tuple[Zone, ...] = ()
    text: str = ""  # of a card, or over the picture of a shot
    silent: bool = False
    level: int = 0  # dB of the film's own sound
    best: bool = False  # gets one of the film's strongest shots
    ends: bool = False  # ends the trailer, with a strong one
    shots: range | None = None  # the shots that it may show, by their index; None: any


@dataclass(frozen=True, slots=True)
class Plan:
    """The inputs of a blueprint: about `length` seconds at `tempo` beats a minute. `texts` are those of the cards;
    `talks`: the film has lines that stand alone."""

    skeleton: Skeleton
    vibe: Vibe
    length: Fraction
    tempo: Fraction
    metre: int
    talks: bool
    texts: Mapping[str, str]

    @property
    def bars(self) -> int:
        return max(2, round(self.length * self.tempo / 60 / self.metre))


def trailer_length(film: Fraction, material: Fraction) -> Fraction:
    """Seconds of a trailer if no length is requested: about two minutes, less for a short film, and so much less than
    the seconds of its `material` that shots can be chosen."""
    wanted = min(Fraction(LONGEST), max(Fraction(SHORTEST), film * _SHARE))
    return max(Fraction(LEAST), min(wanted, material * _USED))


def draw(plan: Plan) -> list[Slot]:
    """The slots of a trailer; the teaser's if the acts would be too short."""
    half = 30 * plan.metre / plan.tempo  # seconds of half a bar: its whole bars may be one less or one more
    drawn = [_any_drawn(replace(plan, length=plan.length + late)) for late in (Fraction(0), -half, half)]
    ended = (_ended(slots, plan) for slots in drawn)
    return _with_best(next((slots for slots in ended if slots is not None), drawn[0]))


def _any_drawn(plan: Plan) -> list[Slot]:
    slots = _drawn(plan, _worded(plan.skeleton.parts, plan.texts))
    if slots is None:
        slots = _drawn(plan, _worded(load_skeleton(TEASER).parts, plan.texts), least=1)
    assert slots is not None
    return slots


def _ended(slots: Sequence[Slot], plan: Plan) -> list[Slot] | None:
    """The slots, ending on the first beat at or after the wanted length, for which the last one gets longer, or the
    longest of the cards at the end shorter; None if a card would be too short to be read, a shot too short to end on,
    or the trailer too dark."""
    wanted = int(-(-plan.length * plan.tempo // 60))
    ended, missing = list(slots), wanted - sum(slot.beats for slot in slots)
    closing = [len(slots) - 1]
    while closing[0] and not slots[closing[0]].want.shows and slots[closing[0] - 1].want is Want.CARD:
        closing.insert(0, closing[0] - 1)
    for _ in range(abs(missing)):
        number = closing[-1] if missing > 0 else max(closing, key=lambda n: (ended[n].beats, n))
        ended[number] = replace(ended[number], beats=ended[number].beats + (1 if missing > 0 else -1))
    late = wanted - plan.length * plan.tempo / 60  # beats by which the last slot is cut
    for number in closing:
        least = (_END if ended[number].want.shows else READ) * plan.tempo / 60
        left = ended[number].beats - (late if number == closing[-1] else 0)
        if ended[number].beats < 1 or left < min(least, Fraction(slots[number].beats)):
            return None
    dark = sum(slot.beats for slot in ended if not slot.want.shows)
    return ended if missing <= 0 or slots[-1].want.shows or dark <= DARKEST * wanted else None


def _worded(parts: Sequence[SkeletonPart], texts: Mapping[str, str]) -> list[SkeletonPart]:
    """The parts with the texts of their cards; cards without a text are left out."""
    count = sum(part.text == "tagline" for part in parts)
    tagline = iter(_divided(texts.get("tagline", ""), count))
    words = {id(p): next(tagline, "") if p.text == "tagline" else texts.get(p.text, "") for p in parts}
    return [replace(p, words=words[id(p)]) for p in parts if p.kind != "card" or words[id(p)]]


def _divided(text: str, count: int) -> list[str]:
    """A text split into this many pieces at the ends of sentences or lines; not split if it has fewer."""
    pieces = [piece.strip() for piece in re.split(r"(?<=[.!?…])\s+|\n+", text.strip()) if piece.strip()]
    if count < 2 or len(pieces) < 2:
        return [" ".join(pieces)] if pieces else []
    at = [round(k * len(pieces) / min(count, len(pieces))) for k in range(min(count, len(pieces)) + 1)]
    return [" ".join(pieces[a:b]) for a, b in pairwise(at)]


_SHORT_ACT = 4  # beats; a trailer with a shorter act 1, 2 or 3 is a teaser


def _drawn(plan: Plan, parts: Sequence[SkeletonPart], least: int = _SHORT_ACT) -> list[Slot] | None:
    """The slots of these parts; None if an act gets less than `least` beats of shots."""
    blocks = _blocks(parts)
    dark, over = _dark(plan, parts)
    bars = _bars(plan, blocks, dark)
    if bars is None:
        return None
    pace = scaled_pace(plan, parts, plan.bars * plan.metre - sum(dark.values()))
    slots: list[Slot] = []
    for block, count in zip(blocks, bars, strict=True):
        left = count * plan.metre - sum(dark[id(part)] for part in block if id(part) in dark)
        shown = [part for part in block if part.kind == "shots"]
        beats = left // len(shown) if shown else 0
        short = least if any(part.act.startswith("act ") for part in shown) else 1
        if shown and beats < short:
            return None
        for part in block:
            if part.kind == "shots":
                slots += shots_of(plan, part, left if part is shown[-1] else beats, pace)
                left -= beats
            elif dark[id(part)]:
                slots.append(_dark_slot(part, dark[id(part)]))
    return _with_texts(slots, over)


def _blocks(parts: Sequence[SkeletonPart]) -> list[list[SkeletonPart]]:
    """The parts in groups that last whole bars: each part of shots with the black and cards after it; the title card,
    and all after it, are one."""
    blocks: list[list[SkeletonPart]] = []
    for part in parts:
        closing = bool(blocks) and blocks[-1][0].act == "title card"
        opens = part.kind == "shots" or (part.act == "title card" and part.kind == "card")
        if not blocks or (opens and not closing):
            blocks.append([])
        blocks[-1].append(part)
    return blocks


def _bars(plan: Plan, blocks: Sequence[Sequence[SkeletonPart]], dark: Mapping[int, int]) -> list[int] | None:
    """The bars of each block: what the closing one needs, the others by their shares so that the length is met. None if
    there are too few."""
    whole = sum((part.share for block in blocks for part in block), Fraction(0))
    fixed: dict[int, int] = {}
    last = Fraction(0)
    for number, block in enumerate(blocks):
        if block[0].kind != "shots":
            shown = sum((part.share for part in block if part.kind == "shots"), Fraction(0))
            button = max(plan.metre, round(plan.bars * plan.metre * shown / whole)) if shown else 0
            beats = button + sum(dark.get(id(part), 0) for part in block)
            fixed[number] = -(-beats // plan.metre)
            last += fixed[number] * plan.metre if shown else beats
    shares = [sum((part.share for part in block), Fraction(0)) for n, block in enumerate(blocks) if n not in fixed]
    counts = shared(round((plan.length * plan.tempo / 60 - last) / plan.metre), shares)
    rest = iter(counts or ())
    return None if counts is None else [fixed[n] if n in fixed else next(rest) for n in range(len(blocks))]


def shared(bars: int, shares: Sequence[Fraction]) -> list[int] | None:
    """Whole bars by shares, at least one each; None if there are too few. The largest remainders are rounded up."""
    if bars < len(shares) and len(shares) > 1:
        return None
    bars = max(1, bars)
    whole = sum(shares)
    exact = [max(Fraction(1), bars * share / whole) for share in shares]
    counts = [int(each) for each in exact]
    rest = sorted(range(len(shares)), key=lambda number: (counts[number] - exact[number], number))
    for number in (rest * bars)[: max(0, bars - sum(counts))]:
        counts[number] += 1
    while sum(counts) > bars:
        counts[max(range(len(counts)), key=lambda number: (counts[number], -number))] -= 1
    return counts


def _dark(plan: Plan, parts: Sequence[SkeletonPart]) -> tuple[dict[int, int], dict[str, str]]:
    """The beats of each black and card, by the part's id, within the limit for all. Cards over a picture, or without
    room, get no beats; their texts are returned by act."""
    total = plan.bars * plan.metre
    whole = sum((part.share for part in parts), Fraction(0))
    dark = [part for part in parts if part.kind != "shots"]
    read = max(2, -(-READ * plan.tempo // 60))
    beats = {id(part): max(1, round(total * part.share / whole)) for part in dark}
    beats |= {id(part): max(read, beats[id(part)]) for part in dark if part.kind == "card"}
    title = {id(part) for part in dark if part.text == "title"}
    over = {part.act: part.words for part in dark if part.over}
    beats |= {id(part): 0 for part in dark if part.over}
    while sum(beats.values()) > max(DARK * total, 2 if title else 0):
        spare = [p for p in dark if beats[id(p)] > (read if p.kind == "card" else 1)]
        gone = [p for p in dark if beats[id(p)] and id(p) not in title]
        if spare:
            beats[max((id(p) for p in spare), key=lambda each: beats[each])] -= 1
        elif gone:
            black = next((p for p in gone if not p.silent), gone[0])  # silence is what a genre holds its breath with
            last = next((p for p in reversed(gone) if p.kind == "card"), black)
            beats[id(last)] = 0
            over |= {last.act: last.words} if last.text in ("tagline", "release") else {}
        else:
            break
    return beats, over


def _dark_slot(part: SkeletonPart, beats: int) -> Slot:
    if part.kind == "black":
        return Slot(part.act, beats, Want.BLACK, silent=part.silent)
    return Slot(part.act, beats, Want.CARD, text=part.words)


def _with_texts(slots: list[Slot], over: Mapping[str, str]) -> list[Slot]:
    """The slots; each text stands over the first shot of its act. One of an act without shots joins the title; without
    a title it stands over the last shot."""
    for act, text in over.items():
        shown = [n for n, slot in enumerate(slots) if slot.want.shows and slot.act == act]
        cards = [n for n, slot in enumerate(slots) if slot.want is Want.CARD and slot.act == "title card"]
        if shown:
            slots[shown[0]] = replace(slots[shown[0]], text=text)
        elif cards:
            slots[cards[0]] = replace(slots[cards[0]], text=f"{slots[cards[0]].text}\n{text}")
        else:
            last = max(n for n, slot in enumerate(slots) if slot.want.shows)
            slots[last] = replace(slots[last], text=text)
    return slots


def _with_best(slots: list[Slot]) -> list[Slot]:
    """The slots, where the first shot of the drop and the last before the title get the strongest shots, and the very
    last a strong one."""
    end = next((n for n, slot in enumerate(slots) if slot.act == "title card"), len(slots))
    shown = [n for n, slot in enumerate(slots) if slot.want.shows]
    drop = [n for n in shown if slots[n].act == "beat drop"]
    best = {*drop[:1], *[n for n in shown if n < end][-1:]}
    ends = {*shown[-1:]} - best
    return [replace(slot, best=n in best, ends=n in ends) for n, slot in enumerate(slots)]


def scaled_pace(plan: Plan, parts: Sequence[SkeletonPart], beats: int) -> tuple[int, int, int]:
    """The vibe's pace, changed if the number of shots would leave the vibe's limits, but act 1 no slower. Each act is
    faster than the one before."""
    vibe = plan.vibe
    least, most = (count * plan.length / 90 for count in vibe.shots)
    first, second, third = vibe.pace
    shown = [part for part in parts if part.kind == "shots" and part.shape != "one"]
    whole = sum((part.share for part in shown), Fraction(0))
    expected = beats * sum(part.share / whole / vibe.pace[part.pace] for part in shown)
    factor = expected / most if expected > most else expected / least if expected < least else Fraction(1)
    # Halfway between the two: the pace is felt, the number of shots only results from it.
    factor = (1 + factor) / 2
    return (
        max(2, round(first * min(Fraction(1), factor))),
        max(2, round(second * factor)),
        max(1, round(third * factor)),
    )


def shots_of(plan: Plan, part: SkeletonPart, beats: int, paces: tuple[int, int, int]) -> list[Slot]:
    """The slots of a part with shots that lasts this many beats."""
    pace = paces[part.pace]
    lengths = {
        "one": lambda: [beats],
        "even": lambda: _even(beats, max(1, round(beats / pace + (_QUICKER if part.pace == 0 else 0))), pace),
        "quickening": lambda: _quickening(beats, pace, max(pace, min(2 * pace, paces[1] - 1))),
    }[part.shape]()
    zones = tuple(Zone(name) for name in part.zones)
    wants = [Want(part.wants[n * len(part.wants) // len(lengths)]) for n in range(len(lengths))]
    if part.shape == "even" and len(part.wants) > 1:  # taken in turns: no act is all faces and then all views
        first = -len(lengths) if part.act == "button" else 0  # a button ends on what it is for
        wants = [Want(part.wants[(first + n) % len(part.wants)]) for n in range(len(lengths))]
    if not plan.talks:
        wants = [Want.SHOT if want is Want.LINE else want for want in wants]
    spoken = _spoken(len(lengths), plan.vibe.dialogue * part.lines if plan.talks else Fraction(0))
    return [
        Slot(part.act, length, Want.LINE if n in spoken else want, zones, level=part.level)
        for n, (length, want) in enumerate(zip(lengths, wants, strict=True))
    ]


def _even(beats: int, count: int, pace: int) -> list[int]:
    """So many slots of about the same length, the longer ones first; from a pace of 4 on, in even numbers if
    possible."""
    step = 2 if pace >= 4 else 1
    shortest = max(1, beats // count // step * step)
    lengths = [shortest] * count
    for i in range((beats - sum(lengths)) // step):
        lengths[i % count] += step
    lengths[-1] += beats - sum(lengths)
    return sorted(lengths, reverse=True)


def _quickening(beats: int, pace: int, first: int) -> list[int]:
    """A montage: its shots last `first` beats at its start, then the act's pace, and half of that at its end, at least
    a beat each; the last shot, the best one, is longer."""
    last = pace if beats > 3 * pace else 0
    lengths: list[int] = []
    left = beats - last
    while left > 0:
        done = 1 - left / (beats - last)
        wanted = first if done < 0.25 else pace if done < 0.8 else max(1, pace // 2)
        lengths.append(min(wanted, left))
        left -= lengths[-1]
    return [*lengths, last] if last else lengths


def _spoken(count: int, share: Fraction) -> set[int]:
    """The slots of an act that have a line: a share of them, evenly distributed."""
    wanted = round(count * share)
    return {int((k + Fraction(1, 2)) * count / wanted) for k in range(wanted)} if wanted else set()
