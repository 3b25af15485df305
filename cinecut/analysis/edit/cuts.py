"""The elements of the edit: takes of the film, and the cuts of the trailer, which show parts of takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.dialogue.lines import Line
from cinecut.analysis.dialogue.pauses import Pauses, stretches
from cinecut.analysis.edit.blueprint import DARKEST, READ, Slot, Want
from cinecut.analysis.film.movement.activity import Activity
from cinecut.analysis.film.movement.course import MOVE
from cinecut.analysis.film.signals import Appearance, Signals
from cinecut.analysis.story.arc import BeatType, Zone
from cinecut.language.grid import Grid
from cinecut.language.timebase import FilmRange, FilmTime, nearest

FACE = 0.02  # of the picture: a face from which a shot is a close one
_HEAD = FilmTime(Fraction(0))
LAST = Fraction(1, 25)  # seconds before its end at which the last picture of a part is: what follows is not seen


@dataclass(frozen=True, eq=False)
class Take:
    """A part of a usable shot with the measurements of the shot. Only `range` may be shown."""

    shot: int
    range: FilmRange
    signals: Signals
    look: Appearance
    zone: Zone
    beat_type: BeatType
    lines: tuple[Line, ...]  # those that overlap it
    peak: FilmTime | None  # its moment of action
    activity: Activity | None = None  # from `begin` on; None if it is unknown
    since: Zone | None = None  # the part of the film where it is, whatever its description says; None: its zone
    meaning: Mapping[str, float] = field(default_factory=dict)  # rank of its description for each want, 0 to 1
    begin: FilmTime | None = None  # of its activity, whose steps are the shot's; None: with its range
    pauses: Pauses | None = None  # of the whole film; None if they are unknown

    @property
    def score(self) -> float:
        return self.signals.score

    @cached_property
    def speech(self) -> list[FilmRange]:
        """The times at which somebody speaks, in order."""
        return stretches([line.range for line in self.lines])

    @property
    def moves(self) -> NDArray[np.float32]:
        """The motion in each MOVE; empty if it is unknown."""
        return self.activity.curve if self.activity else np.zeros(0, np.float32)

    def motion(self, start: FilmTime, length: Fraction) -> float:
        """The motion in a part of it, in the unit of `moves`; the rank of the shot's if it is unknown."""
        if not len(self.moves):
            return self.signals.motion
        begin = float((start - self._first) / MOVE)
        return float(self._moved(np.array([begin]), float(length / MOVE))[0])

    def _moved(self, begin: NDArray[np.float64], steps: float) -> NDArray[np.float64]:
        """The motion in parts of so many steps that begin at these ones."""
        count = len(self.moves)
        begin = np.clip(begin, 0.0, count - 0.01)
        end = np.minimum(begin + max(0.01, steps - float(LAST / MOVE)), count)
        sums = np.interp(np.array([begin, end]), np.arange(count + 1), self._sums)
        return np.asarray((sums[1] - sums[0]) / (end - begin))

    @cached_property
    def _sums(self) -> NDArray[np.float64]:
        return np.concatenate([[0.0], np.cumsum(self.moves, dtype=np.float64)])

    def liveliest(self, length: Fraction, lively: int) -> FilmTime:
        """The start of its part of a length that moves most, or least where `lively` is -1."""
        if (length, lively) not in self._liveliest:
            count = int((self.range.duration - length) / MOVE) + 1
            begin = np.arange(count, dtype=np.float64)
            begin += float((self.range.start - self._first) / MOVE)
            moves = self._moved(begin, float(length / MOVE))
            self._liveliest[length, lively] = self.range.start + MOVE * int(np.argmax(lively * np.round(moves, 9)))
        return self._liveliest[length, lively]

    @cached_property
    def _liveliest(self) -> dict[tuple[Fraction, int], FilmTime]:
        return {}

    def sight(self, time: FilmTime) -> tuple[float, float, float]:
        """The light and the place of the eye at a time: light, from the left, from the top, all 0 to 1."""
        if self.activity is None or not len(self.activity.light):
            return float(self.look.light.mean()), *self.look.eye
        at = min(self._step(time), len(self.activity.light) - 1)
        across, down = self.activity.eye[at]
        return float(self.activity.light[at]), float(across), float(down)

    def _step(self, time: FilmTime) -> int:
        return max(0, int((time - self._first) / MOVE))

    @property
    def _first(self) -> FilmTime:
        return self.range.start if self.begin is None else self.begin


@dataclass(frozen=True, slots=True, eq=False)
class OtherTake:
    """A part of another take that would fill the slot as well."""

    take: Take
    in_: FilmTime
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """An event of the trailer: a slot and the part of a take that fills it; `others` are alternatives, the best
    first.

    A part that begins or ends inside a phrase is `mute`; or its sound begins earlier and ends later than its picture,
    over its neighbours' (`lead` and `trail`, seconds); or another moment's is heard in its place (`tone`)."""

    slot: Slot
    take: Take | None = None
    in_: FilmTime = _HEAD
    enters: str = "cut"  # as the spec writes it
    mute: bool = False
    lead: Fraction = Fraction(0)
    trail: Fraction = Fraction(0)
    tone: FilmTime | None = None
    line: Line | None = None
    sync: FilmTime | None = None
    why: str = ""
    motion: float = 0.5  # rank of the shown part's movement within the film, 0 to 1
    grade: Mapping[str, Fraction] = field(default_factory=dict)  # in place of the vibe's, to match light
    others: tuple[OtherTake, ...] = ()

    @property
    def own_sound(self) -> bool:
        """Whether its own sound is heard."""
        return not self.mute and self.tone is None

    def heard(self, length: Fraction) -> FilmRange | None:
        """What is heard of the film if it lasts so many seconds, over its neighbours too; None if it is mute."""
        if self.mute or self.take is None:
            return None
        start = self.in_ if self.tone is None else self.tone
        return FilmRange(start - self.lead, start + length + self.trail)

    @property
    def silenced(self) -> bool:
        """Whether somebody speaks in vain: it is mute, or a face is large enough for lips that move without a voice."""
        return self.mute or (self.tone is not None and self.take is not None and self.take.look.face >= FACE)


@dataclass(frozen=True, slots=True)
class Tempo:
    """The trailer's clock: its grid, with beat 0 at its start, and its frame rates."""

    grid: Grid
    rate: Fraction  # frames a second
    film_rate: Fraction
    handle: Fraction  # seconds of film that a crossfade needs on either side; 0 if the vibe has no crossfades

    def frames(self, start: int, beats: int) -> int:
        """The number of frames of `beats` beats from beat `start` on, both ends rounded."""
        return self.frame(start + beats) - self.frame(start)

    def frame(self, beat: int) -> int:
        return nearest(self.grid.seconds_at(Fraction(beat)) * self.rate)


_LEAST_OF_LAST = Fraction(2, 3)  # of its slot, if that is a beat: half of it fades out


def last_length(cuts: Sequence[Cut], tempo: Tempo, length: Fraction, voices_end: Fraction) -> Fraction | None:
    """The seconds of the last cut with which the trailer lasts `length` seconds, to the frame. None if it would be
    longer than its slot, or a beat shorter, or chop a line; its voices need it until `voices_end`."""
    *before, last = cuts
    first = sum(cut.slot.beats for cut in before)
    start, slot = tempo.grid.seconds_at(Fraction(first)), tempo.grid.seconds_at(Fraction(first + last.slot.beats))
    beat = slot - tempo.grid.seconds_at(Fraction(first + last.slot.beats - 1))
    seconds = nearest(length * tempo.rate) / tempo.rate - start
    seconds = Fraction(nearest(seconds * 1000), 1000)  # as the spec says; no frame is so short
    least = max(voices_end, min(beat, (slot - start) * _LEAST_OF_LAST))
    if not slot - start - beat < seconds <= slot - start or seconds < least:
        return None
    end = last.in_ + seconds
    lines = last.take.lines if last.take is not None and not last.mute else ()
    return None if any(line.range.start < end < line.range.end for line in lines) else seconds


def lit(slots: Sequence[Slot], wanted: Sequence[Slot], tempo: Tempo) -> list[Slot]:
    """The slots that are left of `wanted`; if that is less, with less black and shorter cards, so that no more of the
    trailer is dark than may be, or was to be. A card that lasts no longer than it must is left out if that brings the
    trailer nearer to this; its text stands over a shot, of the same act if there is one."""
    lit, most = list(slots), max(DARKEST, _dark(wanted))
    if sum(slot.beats for slot in slots) >= sum(slot.beats for slot in wanted):
        return lit
    while any(slot.want.shows for slot in lit) and (share := _dark(lit)) > most:
        dark = [n for n, slot in enumerate(lit) if not slot.want.shows]
        number = max(dark, key=lambda n: (*_spare(lit[n], tempo), n))
        slot = lit[number]
        if _spare(slot, tempo)[0] and slot.beats > 1:
            lit[number] = replace(slot, beats=slot.beats - 1)
            continue
        rest = [*lit[:number], *lit[number + 1 :]]
        if most - _dark(rest) >= share - most:
            break
        if slot.text and slot.act != "button":  # credits stand over no picture
            over = _over(rest, number, slot.act, tempo)
            rest[over] = replace(rest[over], text="\n".join(filter(None, (slot.text, rest[over].text))))
        lit = rest
    return lit


def _dark(slots: Sequence[Slot]) -> Fraction:
    """The share of black and cards."""
    dark = sum(slot.beats for slot in slots if not slot.want.shows)
    return Fraction(dark, max(1, sum(slot.beats for slot in slots)))


def _spare(slot: Slot, tempo: Tempo) -> tuple[int, int, bool]:
    """How well a black or a card can get shorter: black better than a card, which must last until it is read, longer
    ones better than shorter ones; of those that must go, the title goes last."""
    spare = 2 if slot.want is Want.BLACK else int(tempo.frames(0, slot.beats - 1) >= READ * tempo.rate)
    return spare, slot.beats if spare else 0, slot.act != "title card"


def _over(slots: Sequence[Slot], place: int, act: str, tempo: Tempo) -> int:
    """The shot for a text whose card stood at a place: the nearest that lasts long enough to read it, else the longest;
    of the act if one is, and before the place rather than after it."""
    near = [n for n in (*reversed(range(place)), *range(place, len(slots))) if slots[n].want.shows]
    near = [n for n in near if slots[n].act == act] or near
    over: int = max(near, key=lambda n: min(tempo.frames(0, slots[n].beats), READ * tempo.rate))
    return over
