"""Select and arrange: every slot of the blueprint gets the shot, and the part of it, that serves it best.

Zone first, then score. An act walks through its part of the film: its slots share the zone's shots out in order, and
each takes the best of its share that is long enough, unlike its neighbour and not used yet. The part that is shown lies
inside one shot of the film, with room for its transitions; it holds a line of dialogue whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from math import ceil

from cinecut.analysis.dialogue.lines import Line
from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.film.signals import Appearance, Signals, likeness
from cinecut.analysis.story.arc import BeatType, Zone
from cinecut.language.grid import Grid
from cinecut.language.timebase import FilmRange, FilmTime, nearest
from cinecut.vibes import Vibe

_ALIKE = 0.72  # likeness from which two shots are not put side by side
_MET = 0.9  # of the beats asked for: with less, the neighbours' likeness no longer counts
_BEFORE_LINE, _AFTER_LINE = Fraction(1, 5), Fraction(3, 10)  # seconds of breath around a line
_UNHEARD = 12  # of the worthiest takes that may be passed over for one that needs no muting
_SPOKEN_WELL = 0.5  # how far a line must stand alone


_HEAD = FilmTime(Fraction(0))


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A piece of a usable shot with all that is known of it. `range` is what of it may be shown."""

    shot: int
    range: FilmRange
    signals: Signals
    look: Appearance
    zone: Zone
    beat_type: BeatType
    lines: tuple[Line, ...]  # that sound anywhere in it
    peak: FilmTime | None  # its moment of action

    @property
    def score(self) -> float:
        return self.signals.score


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One event of the trailer: a slot, and of a shot what fills it."""

    slot: Slot
    take: Take | None = None
    in_: FilmTime = _HEAD
    enters: str = "cut"  # as the spec writes it
    mute: bool = False
    line: Line | None = None
    sync: FilmTime | None = None
    why: str = ""
    grade: Mapping[str, Fraction] = field(default_factory=dict)  # instead of the vibe's: light that matches


@dataclass(frozen=True, slots=True)
class Tempo:
    """The trailer's clock while it is laid out: its grid, from beat 0 at its start on, and frames."""

    grid: Grid
    rate: Fraction  # frames a second
    film_rate: Fraction
    handle: Fraction  # seconds of material that a crossfade takes on either side; 0 where the vibe has none

    def frames(self, start: int, beats: int) -> int:
        """Frames of so many beats from a beat on, both ends rounded."""
        return self.frame(start + beats) - self.frame(start)

    def frame(self, beat: int) -> int:
        return nearest(self.grid.seconds_at(Fraction(beat)) * self.rate)


@dataclass(frozen=True, slots=True)
class _Gap:
    """Where a shot goes: its slot, what leads into it, its length and the handle that may follow it, in seconds."""

    slot: Slot
    enters: str
    length: Fraction
    tail: Fraction


@dataclass(slots=True)
class _State:
    """What there is, and what is used up so far."""

    takes: Sequence[Take]
    vibe: Vibe
    tempo: Tempo
    used: set[tuple[int, Fraction]] = field(default_factory=set)
    spoken: set[int] = field(default_factory=set)
    last: Take | None = None
    beat: int = 0
    alike: float = _ALIKE  # likeness that neighbours may have

    @property
    def taste(self) -> Mapping[str, Fraction]:
        """What the genre is fond of: a weight for each signal."""
        return self.vibe.taste


def arrange(slots: Sequence[Slot], takes: Sequence[Take], vibe: Vibe, tempo: Tempo) -> list[Cut]:
    """Fill the slots. A slot for which nothing is long enough is split in two; what stays empty is left out.

    A film that looks the same all along cannot have neighbours that differ; then its own pieces follow each other.
    """
    cuts = _filled(slots, _State(takes, vibe, tempo))
    wanted, met = (sum(slot.beats for slot in each) for each in (slots, [cut.slot for cut in cuts]))
    if met < _MET * wanted:
        cuts = _filled(slots, _State(takes, vibe, tempo, alike=1.0))
    return cuts


def _filled(slots: Sequence[Slot], state: _State) -> list[Cut]:
    cuts: list[Cut] = []
    groups = [list(group) for _, group in groupby(slots, key=lambda slot: (slot.act, slot.zones))]
    for before, group, after in zip([None, *groups], groups, [*groups[1:], None], strict=False):
        opens = before is None or before[-1].act != group[0].act
        follows = after[0] if after else None
        cuts += _fill(group, follows, state, opens)
    return cuts


def _pool(takes: Sequence[Take], slot: Slot) -> list[Take]:
    """The takes of a slot's zones in the film's order: of its first zone, and more of the next where that has few."""
    pool: list[Take] = []
    for zone in slot.zones:
        if len(pool) < 12:
            pool += [take for take in takes if take.zone is zone]
    return sorted(pool, key=_start)


def _start(take: Take) -> FilmTime:
    return take.range.start


def _fill(group: list[Slot], follows: Slot | None, state: _State, opens: bool) -> list[Cut]:
    """The cuts of slots that share act and zones; `follows` is the slot after them, `opens` whether the act begins."""
    pool = _pool(state.takes, group[0])
    cuts: list[Cut] = []
    todo = list(group)
    place = 0
    while todo:
        slot = todo.pop(0)
        if slot.want in (Want.BLACK, Want.CARD):
            cuts.append(Cut(slot))
            state.beat += slot.beats
            state.last = None
            continue
        share = (place / max(1, len(group)), (place + 1) / max(1, len(group)))
        enters = _transition(slot, opens and not cuts, state)
        gap = _gap(slot, todo[0] if todo else follows, enters, state)
        cut = _choose(gap, _shared(pool, share), pool, state)
        if cut is None and slot.beats > 1:
            half = slot.beats // 2
            todo[:0] = [
                Slot(slot.act, slot.beats - half, slot.want, slot.zones),
                Slot(slot.act, half, Want.SHOT, slot.zones),
            ]
            continue
        place += 1
        if cut is None:
            continue
        assert cut.take is not None
        cuts.append(cut)
        state.used.add((cut.take.shot, cut.take.range.start.seconds))
        state.last, state.beat = cut.take, state.beat + slot.beats
        if cut.line is not None:
            state.spoken.add(cut.line.index)
    return cuts


def _gap(slot: Slot, follows: Slot | None, enters: str, state: _State) -> _Gap:
    """A handle is kept where a crossfade may follow: neither into black and cards, nor within the montage."""
    faded = follows is not None and follows.want not in (Want.BLACK, Want.CARD) and slot.act != "act 3"
    length = state.tempo.frames(state.beat, slot.beats) / state.tempo.rate
    return _Gap(slot, enters, length, state.tempo.handle if faded else Fraction(0))


def _transition(slot: Slot, opens_act: bool, state: _State) -> str:
    vibe, tempo = state.vibe, state.tempo
    if state.beat == 0:
        return "fade in 1s" if tempo.frames(0, slot.beats) >= 2 * tempo.rate else "fade in 1/2 beat"
    if state.last is None:
        return "cut"  # out of black: the cut is the hit
    if opens_act:
        return "cut" if vibe.acts == "cut" else f"{vibe.acts} 1 beat"
    return "crossfade 1 beat" if vibe.usual == "crossfade" and slot.beats >= 4 and slot.act != "act 3" else "cut"


def _shared(pool: list[Take], share: tuple[float, float]) -> list[Take]:
    """An act's slots share its takes out in the film's order."""
    return pool[int(share[0] * len(pool)) : max(int(share[0] * len(pool)) + 1, ceil(share[1] * len(pool)))]


def _choose(gap: _Gap, own: list[Take], pool: list[Take], state: _State) -> Cut | None:
    """The best cut for a slot: of its own share first, then of its zones, then of the whole film."""
    want = gap.slot.want
    if want is Want.STRONG:
        own = pool
    reaches: list[Sequence[Take]] = [own, pool, state.takes]
    tries = [(reach, True) for reach in reaches[:2] if want is Want.LINE] + [(reach, False) for reach in reaches]
    found = (_best(gap, reach, state, spoken) for reach, spoken in tries)
    return next((cut for cut in found if cut is not None), None)


def _best(gap: _Gap, candidates: Sequence[Take], state: _State, spoken: bool) -> Cut | None:
    shots = {shot for shot, _ in state.used}

    def rank(take: Take) -> tuple[bool, float, FilmTime]:
        """Shots that were not seen yet first, then the worthiest."""
        return (take.shot in shots, -_worth(take, gap.slot, spoken, state.taste), take.range.start)

    muted: list[Cut] = []
    for take in sorted(candidates, key=rank):
        if (take.shot, take.range.start.seconds) in state.used:
            continue
        if state.last is not None and likeness(take.look, state.last.look) > state.alike:
            continue
        cut = _spoken_cut(gap, take, state) if spoken else _silent_cut(gap, take, state)
        if cut is not None and not cut.mute:
            return cut
        muted += [cut] if cut is not None else []
        if len(muted) == _UNHEARD:
            break
    return muted[0] if muted else None


def _worth(take: Take, slot: Slot, spoken: bool, taste: Mapping[str, Fraction]) -> float:
    """A take's score, with what its slot wants and what the genre is fond of."""
    if spoken:
        return max((line.standalone * (0.5 + line.strength) for line in take.lines), default=0.0)
    worth = take.score + 0.1 * (take.signals.sharpness - 0.5)
    worth += sum(float(weight) * (float(getattr(take.signals, name)) - 0.5) for name, weight in taste.items())
    if slot.want is Want.CALM:
        return (
            0.5 * take.signals.face
            + 0.5 * (1 - take.signals.motion)
            + (0.2 if take.beat_type is BeatType.BREATH else 0)
        )
    if slot.act == "act 3":
        worth += 0.2 * take.signals.motion + 0.1 * take.signals.rise
    return worth


def _spoken_cut(gap: _Gap, take: Take, state: _State) -> Cut | None:
    """A part of the take in which a line that stands alone is said whole, and no other is chopped."""
    for line in sorted(take.lines, key=lambda line: (-line.standalone * (0.5 + line.strength), line.index)):
        if line.standalone < _SPOKEN_WELL or line.index in state.spoken:
            continue
        spare = gap.length - line.range.duration - _BEFORE_LINE - _AFTER_LINE
        if spare < 0:
            continue
        first = line.range.start - _BEFORE_LINE
        part = _part(gap, take, state.tempo, [first - spare / 3, first, first - spare])
        if part is not None and not part.chops(take.lines):
            return Cut(gap.slot, take, part.shown.start, part.enters, False, line, None, "the line stands alone")
    return None


def _silent_cut(gap: _Gap, take: Take, state: _State) -> Cut | None:
    """The part of the take around its moment of action, else its middle, or beside these where it would chop a line;
    mute where every part would."""
    slot, length, tempo = gap.slot, gap.length, state.tempo
    wishes = [take.range.start + (take.range.duration - length) / 2, take.range.start, take.range.end - length]
    hit = None
    if take.peak is not None and slot.beats >= 2:
        # The moment lands on the beat nearest the middle of the slot.
        beat = state.beat + slot.beats // 2
        hit = _on_frame(take.peak - Fraction(tempo.frame(beat) - tempo.frame(state.beat)) / tempo.rate, tempo)
        wishes.insert(0, hit)
    edge = tempo.handle + 1 / tempo.film_rate
    outer = [time for line in take.lines for time in (line.range.start - edge, line.range.end + edge)]
    aside = [*outer, *(time - length for time in outer)]
    wishes += sorted(aside, key=lambda time: abs(time - wishes[0]))
    parts = [part for wish in wishes if (part := _part(gap, take, tempo, [wish])) is not None]
    if not parts:
        return None
    part = next((part for part in parts if not part.chops(take.lines)), parts[0])
    sync = take.peak if part.shown.start == hit else None
    mute = part.chops(take.lines)
    return Cut(slot, take, part.shown.start, part.enters, mute, None, sync, _reason(take, sync is not None))


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a take is used: `shown`, entered by `enters`; `heard` is what may sound, with the handles."""

    shown: FilmRange
    enters: str
    heard: FilmRange

    def chops(self, lines: Sequence[Line]) -> bool:
        """Whether it would begin or end inside a line, or fade inside one."""
        edges = (self.heard.start, self.shown.start, self.shown.end, self.heard.end)
        return any(line.range.start < edge < line.range.end for line in lines for edge in edges)


def _part(gap: _Gap, take: Take, tempo: Tempo, wishes: Sequence[FilmTime]) -> _Part | None:
    """The first of the wished in points at which the slot, with the handles of its transitions, lies inside the take.
    A crossfade for which there is no room becomes a cut."""
    kinds = [gap.enters, "cut"] if gap.enters.startswith("crossfade") else [gap.enters]
    for kind in kinds:
        head = tempo.handle if kind.startswith("crossfade") else Fraction(0)
        for wish in wishes:
            in_ = _on_frame(wish, tempo)
            shown = FilmRange(in_, in_ + gap.length)
            heard = FilmRange(shown.start - head, shown.end + gap.tail)
            if heard.start >= take.range.start and heard.end <= take.range.end:
                return _Part(shown, kind, heard)
    return None


def _on_frame(time: FilmTime, tempo: Tempo) -> FilmTime:
    return FilmTime(Fraction(nearest(time.seconds * tempo.film_rate)) / tempo.film_rate)


def _reason(take: Take, hit: bool) -> str:
    """The two strongest signals in words."""
    words = {
        "motion": "much moves",
        "emotion": "a strong line",
        "contrast": "rich in contrast",
        "uniqueness": "like no other shot",
        "face": "a face",
        "saturation": "strong colours",
        "rise": "the sound swells",
    }
    strongest = sorted(words, key=lambda name: -float(getattr(take.signals, name)))[:2]
    said = [words[name] for name in strongest if getattr(take.signals, name) > 0.6]
    return ", ".join(said + (["its moment of action on the beat"] if hit else [])) or "calm"
