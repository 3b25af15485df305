"""The part of a take that fills a slot: a whole line, or the moment of action on a beat; no line is cut off."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from cinecut.analysis.dialogue.lines import Line
from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.edit.cuts import Cut, Take, Tempo
from cinecut.language.timebase import FilmRange, FilmTime, nearest
from cinecut.vibes import Vibe

_BEFORE_LINE, _AFTER_LINE = Fraction(1, 5), Fraction(3, 10)  # seconds of pause around a line
_LIKED = 2  # weight of the genre's liking for what a line expresses
_LEAD = 0.3  # worth of a line that the protagonist says: as much as a third of a good line
_INTRODUCES = 1.0  # the same in act 1, where the trailer says whose story it is
_OVER = Fraction(6, 5)  # seconds at most that a shot's sound is heard over a neighbour's picture
SPOKEN_WELL = 0.5  # least value of a line that stands alone


@dataclass(frozen=True, slots=True)
class Gap:
    """The place of a shot: its slot, the beat at which it begins, the transition into it, and in seconds its length and
    the handle after it. `opens`: it is the first shot of its act."""

    slot: Slot
    beat: int
    enters: str
    length: Fraction
    tail: Fraction
    opens: bool
    middle: int  # frames from its start to the beat nearest its middle
    begin: int = 0  # beats by which it begins later than its slot, and ends later: what its neighbours of the act lose
    end: int = 0
    beside: tuple[int, int] = (0, 0)  # beats of the shots directly before and after it, by a cut
    room: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))  # seconds that its sound may reach over these

    @property
    def form(self) -> tuple[object, ...]:
        """The values that decide which part of a take fits."""
        return self.enters, self.length, self.tail, self.middle, self.slot.beats >= 2, self.lively, self.room

    @property
    def moved(self) -> bool:
        """Whether it has another beginning or end than its slot."""
        return bool(self.begin or self.end)

    @property
    def lively(self) -> int:
        """1 for the liveliest part of a take, -1 for the calmest, 0 for the middle."""
        if self.slot.act == "act 3" or self.slot.want in (Want.STRONG, Want.THREAT):
            return 1
        return -1 if self.slot.want is Want.CALM or self.slot.act == "act 2" else 0


def gaps_of(slots: Sequence[Slot], vibe: Vibe, tempo: Tempo) -> list[Gap]:
    """The places of all slots, including black and cards."""
    gaps: list[Gap] = []
    beat = 0
    for number, slot in enumerate(slots):
        before = slots[number - 1] if number else None
        follows = slots[number + 1] if number + 1 < len(slots) else None
        leaves = _transition(follows, slot, vibe, tempo) if follows is not None else "cut"
        opens = before is None or before.act != slot.act or not before.want.shows
        enters = _transition(slot, before, vibe, tempo)
        length = tempo.frames(beat, slot.beats) / tempo.rate
        tail = tempo.handle if leaves.startswith("crossfade") else Fraction(0)
        middle = tempo.frames(beat, slot.beats // 2)
        beside = (_beats(before, enters), _beats(follows, leaves))
        gap = Gap(slot, beat, enters, length, tail, opens, middle, beside=beside)
        gaps.append(_with_room(gap, tempo))
        beat += slot.beats
    return gaps


def _beats(beside: Slot | None, joint: str) -> int:
    return beside.beats if beside is not None and beside.want.shows and joint == "cut" else 0


def _with_room(gap: Gap, tempo: Tempo) -> Gap:
    """The gap, with what its sound may reach over: a frame less than its neighbours, whose lengths are rounded."""
    before, after = (min(_OVER, max(0, tempo.frames(0, beats) - 1) / tempo.rate) for beats in gap.beside)
    return replace(gap, room=(before, after))


def movable(gaps: Sequence[Gap], tempo: Tempo) -> list[list[Gap]]:
    """Each gap as it is, and then with each of its ends a beat earlier or later, where a shot of the same act is on the
    other side: so a shot can end where a phrase does. The first one of act 3 gets no longer."""
    meet = [a.slot.act == b.slot.act and a.slot.want.shows and b.slot.want.shows for a, b in pairwise(gaps)]
    runs = []
    for gap, before, after in zip(gaps, [False, *meet], [*meet, False], strict=True):
        begins = (0, -1, 1) if before else (0,)
        ends = (0,) if not after else (0, -1) if gap.opens and gap.slot.act == "act 3" else (0, -1, 1)
        moved = (_moved(gap, begin, end, tempo) for begin in begins for end in ends if begin or end)
        runs.append([gap, *(each for each in moved if each is not None)])
    return runs


def _moved(gap: Gap, begin: int, end: int, tempo: Tempo) -> Gap | None:
    """The gap with its ends moved by so many beats, longer or shorter by one at most; None if too little is left."""
    beats, beat = gap.slot.beats + end - begin, gap.beat + begin
    if abs(end - begin) > 1 or beats < 1 or (beats < 2 and (gap.enters != "cut" or gap.tail)):
        return None
    slot, length = replace(gap.slot, beats=beats), tempo.frames(beat, beats) / tempo.rate
    middle = tempo.frames(beat, beats // 2)
    beside = (gap.beside[0] and gap.beside[0] + begin, gap.beside[1] and gap.beside[1] - end)
    moved = replace(gap, slot=slot, beat=beat, length=length, middle=middle, begin=begin, end=end, beside=beside)
    return _with_room(moved, tempo)


def _transition(slot: Slot, before: Slot | None, vibe: Vibe, tempo: Tempo) -> str:
    if before is None:
        return "fade in 1s" if tempo.frames(0, slot.beats) >= 2 * tempo.rate else "fade in 1/2 beat"
    if not before.want.shows or not slot.want.shows:
        return "cut"  # after black, the cut is the hit
    if min(before.beats, slot.beats) < 2:
        return "cut"  # nothing but transitions would be left of an event of one beat
    if before.act != slot.act:
        return "cut" if vibe.acts == "cut" else f"{vibe.acts} 1 beat"
    return "crossfade 1 beat" if vibe.usual == "crossfade" and slot.beats >= 4 and slot.act != "act 3" else "cut"


def line_worth(line: Line, vibe: Vibe, act: str = "") -> float:
    """How good a line is on its own, 0 to 1.5, how much the genre likes what it expresses, -2 to 2, and whose it is,
    which matters most in act 1."""
    liked = _LIKED * float(vibe.lines.get(line.emotion, 0)) * line.strength
    lead = 0.0 if not line.lead else _INTRODUCES if act == "act 1" else _LEAD
    return line.standalone * (0.5 + line.strength) + liked + lead


def spoken_part(gap: Gap, take: Take, tempo: Tempo, vibe: Vibe) -> Cut | None:
    """The best part of the take with a whole line that stands alone and cuts off no other line."""
    for line in sorted(take.lines, key=lambda line: (-line_worth(line, vibe, gap.slot.act), line.index)):
        if line.standalone < SPOKEN_WELL:
            continue
        spare = gap.length - line.range.duration - _BEFORE_LINE - _AFTER_LINE
        if spare < 0:
            continue
        first = line.range.start - _BEFORE_LINE
        part = _part(gap, take, tempo, [first - spare / 3, first, first - spare])
        if part is not None and not part.chops(take.speech):
            return Cut(gap.slot, take, part.shown.start, part.enters, line=line, why=_why(line))
    return None


def _why(line: Line) -> str:
    if not line.said_by:
        return "the line stands alone"
    return f"a line of {line.said_by}{', the protagonist,' if line.lead else ''} that stands alone"


def silent_parts(gap: Gap, take: Take, tempo: Tempo) -> list[Cut]:
    """The part of the take around its moment of action, else its middle, or another part if that would cut off a line.
    A crossfade becomes a cut if only the fade would cut one off.

    If every part would, the sound of one begins earlier or ends later than its picture, so that the line is whole, or
    room tone is heard in its place: one cut for each that is possible. If neither is, the part is muted."""
    cuts = _silent_parts(gap, take, tempo)
    if not cuts or cuts[0].own_sound or not cuts[0].enters.startswith("crossfade"):
        return cuts
    others = _silent_parts(replace(gap, enters="cut"), take, tempo)
    return others if others and others[0].own_sound else cuts


def _silent_parts(gap: Gap, take: Take, tempo: Tempo) -> list[Cut]:
    hit = _hit(gap, take, tempo)
    tried = list[_Part]()
    for wish in _wishes(gap, take, tempo, hit):
        part = _part(gap, take, tempo, [wish])
        if part is not None and not part.chops(take.speech):
            return [_cut(gap, part, take, hit)]
        tried += [part] if part is not None else []
    if not tried:
        return []
    split = next(filter(None, (_split(gap, part, take, tempo, hit) for part in tried)), None)
    first, cut = tried[0], _cut(gap, tried[0], take, hit)
    tone = take.pauses.tone(first.sounding, first.sounding.duration) if take.pauses is not None else None
    if tone is None:
        return [split or replace(cut, mute=True)]
    instead = replace(cut, tone=tone + (first.shown.start - first.sounding.start))
    return [split, instead] if split else [instead]


def _cut(gap: Gap, part: _Part, take: Take, hit: FilmTime | None) -> Cut:
    sync = take.peak if part.shown.start == hit else None
    return Cut(gap.slot, take, part.shown.start, part.enters, sync=sync)


def _split(gap: Gap, part: _Part, take: Take, tempo: Tempo, hit: FilmTime | None) -> Cut | None:
    """The part with its sound over the neighbours', as far as its phrases reach; None if that is not possible."""
    whole = take.pauses.whole(part.shown) if take.pauses is not None else None
    if whole is None or part.sounding != part.shown:
        return None
    lead, trail = (
        Fraction(int(over * tempo.rate)) / tempo.rate
        for over in (part.shown.start - whole.start, whole.end - part.shown.end)
    )
    fits = lead <= gap.room[0] and trail <= gap.room[1]
    return replace(_cut(gap, part, take, hit), lead=lead, trail=trail) if fits else None


def _hit(gap: Gap, take: Take, tempo: Tempo) -> FilmTime | None:
    """The in point at which the moment of action is on the beat nearest the middle of the slot."""
    if take.peak is None or gap.slot.beats < 2 or gap.length > take.range.duration:
        return None
    return _on_frame(take.peak - Fraction(gap.middle) / tempo.rate, tempo)


def _wishes(gap: Gap, take: Take, tempo: Tempo, hit: FilmTime | None) -> Iterator[FilmTime]:
    """The in points that are tried, the most wanted first."""
    length = gap.length
    if length > take.range.duration:
        return
    lively = take.liveliest(length, gap.lively) if gap.lively and len(take.moves) else None
    middle = take.range.start + (take.range.duration - length) / 2
    first, *others = (wish for wish in (hit, lively, middle) if wish is not None)
    yield first
    yield from (*others, take.range.start, take.range.end - length)
    edges = [1 / tempo.film_rate, tempo.handle + 1 / tempo.film_rate]
    outer = [time for stretch in take.speech for edge in edges for time in (stretch.start - edge, stretch.end + edge)]
    begin, end = take.range.start - edges[0], take.range.end - length + edges[0]  # half of which never fit
    aside = [time for time in (*outer, *(time - length for time in outer)) if begin <= time <= end]
    yield from sorted(aside, key=lambda time: abs(time - first))


@dataclass(frozen=True, slots=True)
class _Part:
    """The used part of a take: `shown`, entered by `enters`; `sounding` also includes the handles."""

    shown: FilmRange
    enters: str
    sounding: FilmRange

    def chops(self, speech: Sequence[FilmRange]) -> bool:
        """Whether it begins, ends or fades inside one of the stretches."""
        for edge in (self.sounding.start, self.shown.start, self.shown.end, self.sounding.end):
            last = bisect_left(speech, edge, key=lambda stretch: stretch.start) - 1
            if last >= 0 and edge < speech[last].end:
                return True
        return False


def _part(gap: Gap, take: Take, tempo: Tempo, wishes: Sequence[FilmTime]) -> _Part | None:
    """The part at the first of the wished in points at which the slot and its handles are inside the take. A crossfade
    without room becomes a cut."""
    kinds = [gap.enters, "cut"] if gap.enters.startswith("crossfade") else [gap.enters]
    for kind in kinds:
        head = tempo.handle if kind.startswith("crossfade") else Fraction(0)
        for wish in wishes:
            in_ = _on_frame(wish, tempo)
            shown = FilmRange(in_, in_ + gap.length)
            sounding = FilmRange(in_ - head, shown.end + gap.tail) if head or gap.tail else shown
            if sounding.start >= take.range.start and sounding.end <= take.range.end:
                return _Part(shown, kind, sounding)
    return None


def _on_frame(time: FilmTime, tempo: Tempo) -> FilmTime:
    return FilmTime(Fraction(nearest(time.seconds * tempo.film_rate)) / tempo.film_rate)
