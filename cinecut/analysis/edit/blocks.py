"""The blueprint for a programme such as a festival's: a block for each film in their order, its title and then shots of
it.

tagline ─ title of the first film, its shots ─ title of the second, its shots ─ … ─ title of all, release, credits
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.analysis.edit.blueprint import DARK, READ, Plan, Slot, Want, scaled_pace, shared, shots_of
from cinecut.analysis.story.arc import Zone
from cinecut.diagnostics import Stop
from cinecut.vibes.skeleton import SkeletonPart

_LEAST = 2  # bars of a block
_ZONES = tuple(Zone)
_WANTS = ("introduce", "shot", "strong", "release")


@dataclass(frozen=True, slots=True)
class Block:
    """A film of the programme: the name of its act, the title on its card (empty: no card), its shots by index."""

    act: str
    title: str
    shots: range


def draw_blocks(plan: Plan, blocks: Sequence[Block]) -> list[Slot]:
    """The slots of a programme. Titles stand over the first shot of their film if title cards would make the trailer
    too black. Raises Stop if the trailer is too short for so many films."""
    read = int(max(2, -(-READ * plan.tempo // 60)))
    opening = _cards(plan, read, "opening", "tagline")
    closing = _cards(plan, read, "title card", "title", "release", "credits")
    cards = sum(slot.beats for slot in (*opening, *closing))
    bars = plan.bars - -(-cards // plan.metre)
    counts = shared(bars, [Fraction(1)] * len(blocks)) if bars >= _LEAST * len(blocks) else None
    if counts is None:
        least = (_LEAST * len(blocks) * plan.metre + cards) * 60 / plan.tempo
        message = (
            f"{len(blocks)} films in blocks need {-(-least // 1)} s, and the trailer takes {float(plan.length):.0f} s"
        )
        raise Stop("option", message, "take a longer trailer with --length, or fewer films")
    over = read * sum(bool(block.title) for block in blocks) > DARK * plan.bars * plan.metre
    parts = [_part(block) for block in blocks]
    pace = scaled_pace(plan, parts, plan.bars * plan.metre)
    slots = opening
    for block, part, count in zip(blocks, parts, counts, strict=True):
        card = read if block.title and not over else 0
        slots += [Slot(block.act, card, Want.CARD, text=block.title)] if card else []
        shown = [replace(slot, shots=block.shots) for slot in shots_of(plan, part, count * plan.metre - card, pace)]
        slots += [replace(shown[0], text=block.title), *shown[1:]] if over else shown
    return [*slots, *closing]


def _cards(plan: Plan, beats: int, act: str, *names: str) -> list[Slot]:
    texts = [plan.texts.get(name, "") for name in names]
    return [Slot(act, beats, Want.CARD, text=text) for text in texts if text]


def _part(block: Block) -> SkeletonPart:
    return SkeletonPart(block.act, Fraction(1), "shots", pace=1, wants=_WANTS, zones=_ZONES, lines=Fraction(1, 2))
