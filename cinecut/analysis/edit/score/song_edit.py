"""The song's edit: the bars that are used, so that its turns match the trailer's and it ends on a hit.

    start ─ acts 1 and 2 ─┬─ act 3 ─ HIT on the title card, ringing out ─ silence under the button
       a turn at the drop  └ the joint is in the silence before act 3

Only whole bars are used, so that the beats stay regular across a joint; a song that is too short repeats whole phrases.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.song.beats import Beats
from cinecut.analysis.song.levels import STEP, SongLevels
from cinecut.language.grid import SongPart
from cinecut.language.timebase import nearest

HIT = 0.4  # least strength of a downbeat that can end a trailer as a hit
_PLAIN = 0.15  # bonus for a song without a joint
_MOST_PARTS = 200
_AT_ONCE, _JUMP = 4, 0.2  # bars around the drop, and the rise in energy between them (6 dB) that makes a turn a drop


@dataclass(frozen=True, slots=True)
class SongEdit:
    """`parts` in seconds of the song, or none if all of it is used from `start` on. `ending`, on the title card: a hit
    of the song itself; a hit from elsewhere in the song, at `cue` seconds; or the music just stops."""

    start: Fraction = Fraction(0)
    parts: tuple[SongPart, ...] = ()
    ending: Literal["hit", "cue", "stop"] = "stop"
    cue: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A trailer in bars: the starts of its drop, its act 3 and its title card, and the end of the card."""

    drop: int
    third: int
    card: int
    end: int


def first_bar(beats: Beats, slots: Sequence[Slot]) -> Fraction:
    """The bar line at which the trailer begins in a song of changing tempo, so that the song turns at the beat drop and
    at act 3, and act 3 is loud; the earliest of equals. A song that is too short begins at its first bar."""
    bars = sum(slot.beats for slot in slots) // beats.metre
    turns = [(beat_of(slots, act) or 0) // beats.metre for act in ("beat drop", "act 3")]
    strength = _strengths(beats)

    def worth(bar: int) -> float:
        return sum(strength.get(bar + turn, 0.0) for turn in turns) + _energy(beats, bar + turns[1], bar + bars)

    choices = range(max(1, len(beats.energy) - bars + 1))
    best = max(choices, key=lambda bar: (round(worth(bar), 3), -bar))
    return _bar_time(beats, best)


def edit_song(beats: Beats, slots: Sequence[Slot], levels: SongLevels, end: Fraction, start: Fraction) -> SongEdit:
    """The edit of a song of `end` seconds for the slots of a trailer. A song of changing tempo is used from `start` on,
    since the trailer was cut to these beats. For other songs `start` is ignored: any bar line can be used."""
    card = beat_of(slots, "title card", Want.CARD)
    hit_at = _best_hit(beats, levels)
    if beats.tempo is None or card is None or card % beats.metre:
        if beats.tempo is not None:
            start = _choose_start(beats, _plan(slots, beats.metre))
        return _with_hit(SongEdit(start), hit_at)
    plan = _plan(slots, beats.metre)
    bars = _whole_bars(beats, end)
    if bars < 2:
        return _with_hit(SongEdit(_bar_time(beats, 0)), hit_at)
    return _edited(beats, plan, bars, bar_hits(beats, levels), hit_at, end)


def _edited(
    beats: Beats, plan: _Plan, bars: int, hits: Mapping[int, float], hit_at: Fraction | None, end: Fraction
) -> SongEdit:
    strength, lasts = _strengths(beats), plan.card - plan.third

    def late(hit: int) -> float:
        """The worth of a bar for the title card, with the bars before it for act 3."""
        turn = strength.get(hit - lasts, 0.0) / 2
        strikes = hits.get(hit, 0.0)
        return turn + _energy(beats, hit - lasts, hit) + (1.5 * strikes if strikes >= HIT else 0.0)

    starts = range(bars - plan.third + 1) if plan.third <= bars else range(1)
    ends = range(lasts, bars + 1) if lasts <= bars else range(0)
    best = max(starts, key=lambda bar: (round(_early(beats, plan, bar), 3), -bar))
    if not ends:
        return _with_hit(_of_bars(beats, _walk(beats, best, plan.card, bars), end), hit_at)
    hit = max(ends, key=lambda bar: (round(late(bar), 3), -bar))
    straight = [bar for bar in starts if bar + plan.card in ends]
    if straight:
        plain = max(straight, key=lambda bar: (round(_early(beats, plan, bar) + late(bar + plan.card), 3), -bar))
        edited = _early(beats, plan, best) + late(hit)
        if _early(beats, plan, plain) + late(plain + plan.card) + _PLAIN >= edited:
            best, hit = plain, plain + plan.card
    pieces = [*_walk(beats, best, plan.third, bars), (hit - lasts, hit + plan.end - plan.card)]
    edit = _of_bars(beats, pieces, end)
    if hits.get(hit, 0.0) >= HIT:
        return SongEdit(edit.start, edit.parts, "hit")
    return _with_hit(edit, hit_at)


def _early(beats: Beats, plan: _Plan, bar: int) -> float:
    """The worth of a bar for the trailer's start: the song should turn, and get louder, at the beat drop."""
    if not plan.drop:
        return 0.0
    drop = bar + plan.drop
    rise = _energy(beats, drop, bar + plan.third) - _energy(beats, bar, drop)
    jump = _energy(beats, drop, drop + _AT_ONCE) - _energy(beats, max(bar, drop - _AT_ONCE), drop)
    return _strengths(beats).get(drop, 0.0) * min(1.0, max(0.0, jump / _JUMP)) + rise / 2


def _choose_start(beats: Beats, plan: _Plan) -> Fraction:
    choices = range(max(1, len(beats.energy) - plan.card + 1))
    best = max(choices, key=lambda bar: (round(_early(beats, plan, bar), 3), -bar))
    return _bar_time(beats, best)


def _walk(beats: Beats, bar: int, count: int, bars: int) -> list[tuple[int, int]]:
    """`count` bars from bar `bar` on, as (first, end); at the song's end it continues with an early phrase."""
    turns = sorted({phrase.bar for phrase in beats.phrases if 0 < phrase.bar < bars})
    last = turns[-1] if turns and beats.phrases[-1].energy < 0.5 else bars  # a fading last phrase is left out
    loud = [phrase.bar for phrase in beats.phrases if phrase.energy >= 0.5 and phrase.bar < last]
    back = loud[0] if loud else 0
    pieces, left = [], count
    while left > 0:
        end = last if bar < last else bars
        step = min(left, end - bar)
        pieces.append((bar, bar + step))
        bar, left = back, left - step
    return pieces


def _of_bars(beats: Beats, pieces: Sequence[tuple[int, int]], end: Fraction) -> SongEdit:
    """The edit of pieces of whole bars, (first, end); consecutive pieces are joined."""
    joined: list[tuple[int, int]] = []
    for first, until in pieces:
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], until)
        elif first < until:
            joined.append((first, until))
    start = _bar_time(beats, joined[0][0])
    if len(joined) == 1 or len(joined) > _MOST_PARTS:
        return SongEdit(start)
    last = Fraction(int(end * 1_000_000), 1_000_000)  # the hit may ring until the song is over
    times = ((_bar_time(beats, first), min(last, _bar_time(beats, until))) for first, until in joined)
    return SongEdit(start, tuple(times))


def _with_hit(edit: SongEdit, hit_at: Fraction | None) -> SongEdit:
    return edit if hit_at is None else SongEdit(edit.start, edit.parts, "cue", hit_at)


# Hits


def bar_hits(beats: Beats, levels: SongLevels) -> dict[int, float]:
    """The strength of each downbeat as a final hit, 0 to 1, by its bar."""
    return {bar: _strike(levels, _bar_time(beats, bar)) for bar in range(len(beats.energy) + 1)}


def _best_hit(beats: Beats, levels: SongLevels) -> Fraction | None:
    """The time of the song's best hit on any beat, just before its attack; None if it has none."""
    if beats.confidence == 0 or not beats.times:
        return None
    strikes = {time: _strike(levels, time) for time in beats.times}
    best = max(strikes, key=lambda time: (strikes[time], time))
    if strikes[best] < HIT:
        return None
    near = levels.between(best - _NEAR, best + _NEAR)
    attack = best - _NEAR + STEP * int(np.argmax(np.diff(near)))
    return max(Fraction(0), Fraction(nearest(attack * 1000), 1000))


_NEAR = Fraction(6, 100)  # seconds around a beat in which its attack is searched


def _strike(levels: SongLevels, at: Fraction) -> float:
    """The strength of a hit, 0 to 1: about as loud as the loudest of the song, not the echo of a louder one before it
    or the lead to one after it, and decaying: two seconds later all is far quieter."""

    def loudest(first: int, end: int) -> float:
        """The level of the loudest tenth of a second from `first` to `end` tenths after the moment."""
        return float(levels.loudness(at + Fraction(first, 10), at + Fraction(end, 10)).max())

    attack, before = loudest(0, 3), loudest(-5, 0)
    held, dying, after = loudest(4, 12), loudest(12, 20), loudest(20, 40)
    if attack < max(before - _ECHO, held + _DYING / 2, dying + _DYING):
        return 0.0
    loud = float(np.clip(1 + (attack - levels.loudest) / _LOUD, 0, 1))
    return round(loud * float(np.clip((attack - after) / _DEAD, 0, 1)), 3)


_LOUD, _DEAD, _ECHO, _DYING = 16.0, 15.0, 1.5, 2.0  # dB


# Bars


def beat_of(slots: Sequence[Slot], act: str, want: Want | None = None) -> int | None:
    """The beat at which an act begins after its black, or at which its first slot with `want` begins; None without."""
    beat = 0
    for slot in slots:
        if slot.act == act and (slot.want is want if want is not None else slot.want is not Want.BLACK):
            return beat
        beat += slot.beats
    return None


def _plan(slots: Sequence[Slot], metre: int) -> _Plan:
    card = beat_of(slots, "title card", Want.CARD)
    drop, third = beat_of(slots, "beat drop"), beat_of(slots, "act 3")
    whole = sum(slot.beats for slot in slots)
    card = whole if card is None else card
    lasts = sum(slot.beats for slot in slots if slot.want is Want.CARD)
    return _Plan((drop or 0) // metre, (third or 0) // metre, card // metre, -(-(card + lasts) // metre))


def _whole_bars(beats: Beats, end: Fraction) -> int:
    """The number of complete bars in the song."""
    lines = [_bar_time(beats, bar) for bar in range(len(beats.energy) + 1)]
    return max(0, bisect.bisect_right(lines, end) - 1)


def _bar_time(beats: Beats, bar: int) -> Fraction:
    """Seconds in the song of a bar line, rounded as in the spec."""
    if beats.tempo is not None:
        exact = beats.first + bar * beats.metre * 60 / beats.tempo
        return Fraction(nearest(exact * 1_000_000), 1_000_000)
    downs = beats.downbeats
    return downs[min(bar, len(downs) - 1)] if downs else beats.first


def _strengths(beats: Beats) -> dict[int, float]:
    return {phrase.bar: phrase.strength for phrase in beats.phrases}


def _energy(beats: Beats, first: int, end: int) -> float:
    inside = beats.energy[max(0, first) : max(0, end)]
    return sum(inside) / len(inside) if inside else 0.0
