"""The blueprint: a trailer's acts as slots of whole beats, before any shot is chosen.

    cold open ─ act 1 ─ (2 beats of black) ─ beat drop ─ act 2 ─ breath ─ act 3 montage ─ title card ─ button

Every act except the breath starts on a bar line. Slots get shorter within each act, and from act to act by the vibe's
pace.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from cinecut.analysis.story.arc import Zone
from cinecut.vibes import Vibe

LEAST = 3  # seconds of the shortest trailer of all
SHORTEST = 15  # seconds, without a requested length
LONGEST = 120
_SHARE = Fraction(15, 100)  # of the film: a short film gets a short trailer


class Want(StrEnum):
    """The content that a slot needs."""

    SHOT = "shot"
    LINE = "line"  # a shot in which a line stands alone
    STRONG = "strong"  # one of the strongest shots
    CALM = "calm"
    BLACK = "black"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the trailer: its act, its length in beats, its content, and the zones that it may come from."""

    act: str
    beats: int
    want: Want
    zones: tuple[Zone, ...] = ()


def trailer_length(film: Fraction) -> Fraction:
    """Seconds of a trailer without a requested length: about two minutes, less for a short film."""
    return min(Fraction(LONGEST), max(Fraction(SHORTEST), film * _SHARE), film)


def draw(vibe: Vibe, length: Fraction, tempo: Fraction, metre: int, talks: bool) -> list[Slot]:
    """The slots of a trailer of about `length` seconds at `tempo` beats a minute."""
    bars = max(2, round(length * tempo / 60 / metre))
    pace = _scaled_pace(vibe, bars * metre, length)
    title, button = 2 if bars >= 20 else 1, 1
    opening = max(1, round(bars * Fraction(8, 100)))
    drop = 1 if bars < 24 else 2
    rest = bars - opening - drop - title - button
    act_1, act_3 = round(rest * Fraction(38, 100)), round(rest * Fraction(26, 100))
    act_2 = rest - act_1 - act_3
    breath = _breath(tempo, metre)
    if min(act_1 * metre - 2, act_2 * metre - breath, act_3 * metre) < 4:
        return _teaser(bars, metre, pace)
    share = vibe.dialogue if talks else Fraction(0)
    begin, middle, late = (Zone.BEGIN,), (Zone.ESCALATION,), (Zone.CLIMAX, Zone.ESCALATION)
    return [
        *_filled("cold open", opening * metre, pace[0], Want.STRONG, begin),
        *_spoken(_filled("act 1", act_1 * metre - 2, pace[0], Want.SHOT, begin), share),
        Slot("beat drop", 2, Want.BLACK),
        *_filled("beat drop", drop * metre, max(pace[1], metre), Want.STRONG, (Zone.ESCALATION, Zone.CLIMAX)),
        *_spoken(_filled("act 2", act_2 * metre - breath, pace[1], Want.SHOT, middle), share),
        Slot("breath", breath, Want.BLACK),
        *_rising("act 3", act_3 * metre, pace[2], late),
        Slot("title card", title * metre, Want.CARD),
        Slot("button", button * metre, Want.CALM, (Zone.BEGIN, Zone.ESCALATION)),
    ]


def _scaled_pace(vibe: Vibe, beats: int, length: Fraction) -> tuple[int, int, int]:
    """The vibe's pace, changed if it would give fewer or more shots than the vibe allows."""
    least, most = (count * length / 90 for count in vibe.shots)
    first, second, third = vibe.pace
    expected = beats * (Fraction(40, 100) / first + Fraction(30, 100) / second + Fraction(20, 100) / third)
    factor = expected / most if expected > most else expected / least if expected < least else Fraction(1)
    # Halfway between the two: the pace is felt, the number of shots only results from it.
    factor = (1 + factor) / 2
    return max(2, round(first * factor)), max(2, round(second * factor)), max(1, round(third * factor))


def _teaser(bars: int, metre: int, pace: tuple[int, int, int]) -> list[Slot]:
    """The slots of a trailer that is too short for acts: one montage and the title."""
    zones = (Zone.BEGIN, Zone.ESCALATION, Zone.CLIMAX)
    title = metre if bars < 6 else 2 * metre
    return [*_rising("act 1", bars * metre - title, pace[1], zones), Slot("title card", title, Want.CARD)]


def _breath(tempo: Fraction, metre: int) -> int:
    """Beats of the silence before act 3: three to five seconds, in whole bars if possible."""
    beat = 60 / tempo
    whole = [bars * metre for bars in (1, 2, 3) if 3 <= bars * metre * beat <= 5]
    return min(whole, key=lambda beats: abs(beats * beat - 4)) if whole else max(1, round(4 / beat))


def _filled(act: str, beats: int, pace: int, want: Want, zones: tuple[Zone, ...]) -> list[Slot]:
    """An act of about `pace` beats a slot, the longer ones first; from a pace of 4 on, in even numbers if possible."""
    count = max(1, round(beats / pace))
    step = 2 if pace >= 4 else 1
    shortest = max(1, beats // count // step * step)
    lengths = [shortest] * count
    for i in range((beats - sum(lengths)) // step):
        lengths[i % count] += step
    lengths[0] += beats - sum(lengths)
    return [Slot(act, length, want, zones) for length in sorted(lengths, reverse=True)]


def _rising(act: str, beats: int, pace: int, zones: tuple[Zone, ...]) -> list[Slot]:
    """A montage: it starts at half the act's speed and ends at twice of it, but with at least a beat a slot."""
    lengths: list[int] = []
    left = beats
    while left > 0:
        done = 1 - left / beats
        wanted = pace * 2 if done < 0.25 else pace if done < 0.8 else max(1, pace // 2)
        lengths.append(min(wanted, left))
        left -= lengths[-1]
    return [Slot(act, length, Want.SHOT, zones) for length in lengths]


def _spoken(slots: list[Slot], share: Fraction) -> list[Slot]:
    """Turn a share of an act's slots, evenly distributed, into slots for a line."""
    wanted = round(len(slots) * share)
    chosen = {int((k + Fraction(1, 2)) * len(slots) / wanted) for k in range(wanted)} if wanted else set()
    return [Slot(s.act, s.beats, Want.LINE if i in chosen else s.want, s.zones) for i, s in enumerate(slots)]
