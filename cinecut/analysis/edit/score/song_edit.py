"""The song's edit: the bars that are used, so that its turns match the trailer's and it ends on a hit.

    start ─ acts 1 and 2 ─┬─ act 3 ─ HIT on the title card, ringing out ─ silence under the button
       a turn at the drop  └ the joint, where there is one, is in the silence of the breath

The beats and bars stay regular across a joint: it lies on a bar line, or at the same place of two bars. Which bars are
used, `song_path` decides.
"""

from __future__ import annotations

import bisect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np

from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.edit.score.song_path import HIT, SongBars, TrailerBars, best_path, straight
from cinecut.analysis.song.beats import Beats
from cinecut.analysis.song.levels import STEP, SongLevels
from cinecut.language.grid import SongPart
from cinecut.language.timebase import nearest, rounded

_MOST_PARTS = 200
_SHOTS = frozenset(want for want in Want if want.shows)


@dataclass(frozen=True, slots=True)
class SongEdit:
    """`parts` in seconds of the song, or none if all of it is used from `start` on. `ending`, on the title card: a hit
    of the song itself; a hit from elsewhere in the song, at `cue` seconds; or the music just stops."""

    start: Fraction = Fraction(0)
    parts: tuple[SongPart, ...] = ()
    ending: Literal["hit", "cue", "stop"] = "stop"
    cue: Fraction = Fraction(0)


def first_bar(beats: Beats, slots: Sequence[Slot]) -> Fraction:
    """The bar line at which the trailer begins in a song of changing tempo, so that the song turns where the trailer
    does, and act 3 is loud. A song that is too short begins at its first bar."""
    return _beat_time(
        beats, beats.metre * straight(_song_bars(beats, {}, len(beats.energy)), _bars(slots, beats.metre))
    )


def edit_song(beats: Beats, slots: Sequence[Slot], levels: SongLevels, end: Fraction, start: Fraction) -> SongEdit:
    """The edit of a song of `end` seconds for the slots of a trailer. A song of changing tempo is used from `start` on,
    since the trailer was cut to these beats. For other songs `start` is ignored: any bar line can be used."""
    card = beat_of(slots, "title card", {Want.CARD})
    hit_at = _best_hit(beats, levels)
    if beats.tempo is None or card is None or card % beats.metre:
        return _with_hit(SongEdit(start if beats.tempo is None else first_bar(beats, slots)), hit_at)
    bars = _whole_bars(beats, end)
    if bars < 2:
        return _with_hit(SongEdit(_beat_time(beats, 0)), hit_at)
    song = _song_bars(beats, bar_hits(beats, levels), bars)
    path = best_path(song, _bars(slots, beats.metre))
    edit = _of_pieces(beats, _pieces(path, slots, beats, end), end)
    return SongEdit(edit.start, edit.parts, "hit") if song.hits[path[-1]] >= HIT else _with_hit(edit, hit_at)


def _song_bars(beats: Beats, hits: Mapping[int, float], bars: int) -> SongBars:
    """The first `bars` bars of a song."""
    strength, starts = np.zeros(bars), np.zeros(bars, bool)
    for phrase in beats.phrases:
        if phrase.bar < bars:
            strength[phrase.bar], starts[phrase.bar] = phrase.strength, True
    strikes = np.array([hits.get(bar, 0.0) for bar in range(bars + 1)])
    return SongBars(np.array(beats.energy[:bars]), strength, starts, strikes)


def _bars(slots: Sequence[Slot], metre: int) -> TrailerBars:
    """A trailer in bars. Its drop and act 3 begin with their first shot, whatever card is before it."""
    whole = sum(slot.beats for slot in slots)
    card = beat_of(slots, "title card", {Want.CARD})
    drop, third = ((beat_of(slots, act, _SHOTS) or 0) // metre for act in ("beat drop", "act 3"))
    begin, end = _breath(slots)
    breath = range(begin // metre, -(-end // metre))
    hidden = all(slot.silent for slot in slots if slot.act == "breath")
    return TrailerBars(drop, breath, hidden, third, max(1, (whole if card is None else card) // metre))


def _breath(slots: Sequence[Slot]) -> tuple[int, int]:
    """The beats between which the breath lies; of a trailer without one, none."""
    at = [0]
    for slot in slots:
        at.append(at[-1] + slot.beats)
    inside = [number for number, slot in enumerate(slots) if slot.act == "breath"]
    return (at[inside[0]], at[inside[-1] + 1]) if inside else (0, 0)


def _pieces(path: Sequence[int], slots: Sequence[Slot], beats: Beats, end: Fraction) -> list[tuple[int, int]]:
    """The pieces of a song in beats from its first downbeat, (first, end), of which the last one rings to the card's
    end. A joint for the breath is where the breath begins, also inside a bar."""
    metre, breath = beats.metre, _breath(slots)[0]
    rings = sum(slot.beats for slot in slots if slot.want is Want.CARD)
    pieces, begin = [], path[0] * metre
    for bar, (before, after) in enumerate(pairwise(path), 1):
        if after == before + 1:
            continue
        late = breath % metre if bar == breath // metre else 0
        if _beat_time(beats, (before + 1) * metre + late) > end:
            late = 0
        pieces.append((begin, (before + 1) * metre + late))
        begin = after * metre + late
    return [*pieces, (begin, path[-1] * metre + -(-rings // metre) * metre)]


def _of_pieces(beats: Beats, pieces: Sequence[tuple[int, int]], end: Fraction) -> SongEdit:
    start = _beat_time(beats, pieces[0][0])
    if len(pieces) == 1 or len(pieces) > _MOST_PARTS:
        return SongEdit(start)
    last = Fraction(int(end * 1_000_000), 1_000_000)  # the hit may ring until the song is over
    times = ((_beat_time(beats, first), min(last, _beat_time(beats, until))) for first, until in pieces)
    return SongEdit(start, tuple(part for part in times if part[0] < part[1]))


def _with_hit(edit: SongEdit, hit_at: Fraction | None) -> SongEdit:
    return edit if hit_at is None else SongEdit(edit.start, edit.parts, "cue", hit_at)


# Hits


def bar_hits(beats: Beats, levels: SongLevels) -> dict[int, float]:
    """The strength of each downbeat as a final hit, 0 to 1, by its bar."""
    return {bar: _strike(levels, _beat_time(beats, bar * beats.metre)) for bar in range(len(beats.energy) + 1)}


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
    or the lead-in to one after it, and decaying: much quieter two seconds later."""

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


def beat_of(slots: Sequence[Slot], act: str, wants: Collection[Want]) -> int | None:
    """The beat at which the first slot of an act for one of these purposes begins; None without one."""
    beat = 0
    for slot in slots:
        if slot.act == act and slot.want in wants:
            return beat
        beat += slot.beats
    return None


def _whole_bars(beats: Beats, end: Fraction) -> int:
    """The number of complete bars in the song."""
    lines = [_beat_time(beats, bar * beats.metre) for bar in range(len(beats.energy) + 1)]
    return max(0, bisect.bisect_right(lines, end) - 1)


def _beat_time(beats: Beats, beat: int) -> Fraction:
    """Seconds in the song of a beat after its first downbeat, rounded as in the spec; of a changing tempo, of the bar
    in which it lies."""
    if beats.tempo is not None:
        return rounded(beats.first + beat * 60 / beats.tempo)
    downs = beats.downbeats
    return downs[min(beat // beats.metre, len(downs) - 1)] if downs else beats.first
