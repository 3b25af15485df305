"""Select and arrange: every slot of the blueprint gets the best shot for it, and the best part of that shot.

Zone first, then score. An act follows the order of the film: the shots of its zone are divided among its slots in
order, and each slot gets the best shot of its share that is long enough, unlike its neighbour and not used yet. The
shown part is inside one shot of the film, with room for its transitions; it has a line of dialogue whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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

_ALIKE = 0.72  # greatest likeness of neighbouring shots
_MET = 0.9  # share of the wanted beats; if fewer are filled, alike neighbours are allowed
_BEFORE_LINE, _AFTER_LINE = Fraction(1, 5), Fraction(3, 10)  # seconds of pause around a line
_MUTED_TRIES = 12  # takes that may be skipped because they need muting, the best ones first
_SPOKEN_WELL = 0.5  # least value of a line that stands alone
_OTHERS, _LOOKED_AT = 5, 12  # alternatives of a slot, and how many are kept until it is known which are used elsewhere


_HEAD = FilmTime(Fraction(0))


@dataclass(frozen=True, slots=True, eq=False)
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

    @property
    def score(self) -> float:
        return self.signals.score


@dataclass(frozen=True, slots=True, eq=False)
class Other:
    """A part of another take that would fill a slot as well."""

    take: Take
    in_: FilmTime
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One event of the trailer: a slot and the part of a take that fills it; `others` would too, the best first."""

    slot: Slot
    take: Take | None = None
    in_: FilmTime = _HEAD
    enters: str = "cut"  # as the spec writes it
    mute: bool = False
    line: Line | None = None
    sync: FilmTime | None = None
    why: str = ""
    grade: Mapping[str, Fraction] = field(default_factory=dict)  # in place of the vibe's, to match light
    others: tuple[Other, ...] = ()


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


@dataclass(frozen=True, slots=True)
class _Gap:
    """The place of a shot: its slot, the transition into it, and in seconds its length and the handle after it."""

    slot: Slot
    enters: str
    length: Fraction
    tail: Fraction


@dataclass(slots=True)
class _State:
    """The takes, and those already used."""

    takes: Sequence[Take]
    vibe: Vibe
    tempo: Tempo
    used: set[tuple[int, Fraction]] = field(default_factory=set)
    spoken: set[int] = field(default_factory=set)
    last: Take | None = None
    beat: int = 0
    alike: float = _ALIKE  # greatest likeness of neighbours


def arrange(slots: Sequence[Slot], takes: Sequence[Take], vibe: Vibe, tempo: Tempo) -> list[Cut]:
    """Fill the slots. A slot for which nothing is long enough is split in two; empty ones are left out.

    In a film of one look, neighbours cannot differ; then alike ones are allowed.
    """
    cuts = _filled(slots, _State(takes, vibe, tempo))
    wanted, met = (sum(slot.beats for slot in each) for each in (slots, [cut.slot for cut in cuts]))
    if met < _MET * wanted:
        cuts = _filled(slots, _State(takes, vibe, tempo, alike=1.0))
    used = {cut.take for cut in cuts}
    unused = [tuple(other for other in cut.others if other.take not in used)[:_OTHERS] for cut in cuts]
    return [replace(cut, others=others) for cut, others in zip(cuts, unused, strict=True)]


def _filled(slots: Sequence[Slot], state: _State) -> list[Cut]:
    cuts: list[Cut] = []
    groups = [list(group) for _, group in groupby(slots, key=lambda slot: (slot.act, slot.zones))]
    for before, group, after in zip([None, *groups], groups, [*groups[1:], None], strict=False):
        opens = before is None or before[-1].act != group[0].act
        follows = after[0] if after else None
        cuts += _fill(group, follows, state, opens)
    return cuts


def _pool(takes: Sequence[Take], slot: Slot) -> list[Take]:
    """The takes of a slot's zones in the film's order; later zones are used only if the first ones have few takes."""
    pool: list[Take] = []
    for zone in slot.zones:
        if len(pool) < 12:
            pool += [take for take in takes if take.zone is zone]
    return sorted(pool, key=lambda take: take.range.start)


def _fill(group: list[Slot], follows: Slot | None, state: _State, opens: bool) -> list[Cut]:
    """The cuts of slots of the same act and zones; `follows` is the slot after them, `opens`: the act begins here."""
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
            todo[:0] = [replace(slot, beats=slot.beats - half), replace(slot, beats=half, want=Want.SHOT)]
            continue
        place += 1
        if cut is None:
            continue
        assert cut.take is not None
        cuts.append(replace(cut, others=_others(gap, cut.take, pool, state)))
        state.used.add((cut.take.shot, cut.take.range.start.seconds))
        state.last, state.beat = cut.take, state.beat + slot.beats
        if cut.line is not None:
            state.spoken.add(cut.line.index)
    return cuts


def _gap(slot: Slot, follows: Slot | None, enters: str, state: _State) -> _Gap:
    """The place of a slot. It has a handle if a crossfade may follow: not before black and cards or in the montage."""
    faded = follows is not None and follows.want not in (Want.BLACK, Want.CARD) and slot.act != "act 3"
    length = state.tempo.frames(state.beat, slot.beats) / state.tempo.rate
    return _Gap(slot, enters, length, state.tempo.handle if faded else Fraction(0))


def _transition(slot: Slot, opens_act: bool, state: _State) -> str:
    vibe, tempo = state.vibe, state.tempo
    if state.beat == 0:
        return "fade in 1s" if tempo.frames(0, slot.beats) >= 2 * tempo.rate else "fade in 1/2 beat"
    if state.last is None:
        return "cut"  # after black, the cut is the hit
    if opens_act:
        return "cut" if vibe.acts == "cut" else f"{vibe.acts} 1 beat"
    return "crossfade 1 beat" if vibe.usual == "crossfade" and slot.beats >= 4 and slot.act != "act 3" else "cut"


def _shared(pool: list[Take], share: tuple[float, float]) -> list[Take]:
    """A slot's share of its act's takes, which are divided in the film's order."""
    return pool[int(share[0] * len(pool)) : max(int(share[0] * len(pool)) + 1, ceil(share[1] * len(pool)))]


def _choose(gap: _Gap, own: list[Take], pool: list[Take], state: _State) -> Cut | None:
    """The best cut for a slot, from its own share, else from its zones, else from the whole film."""
    want = gap.slot.want
    if want is Want.STRONG:
        own = pool
    reaches: list[Sequence[Take]] = [own, pool, state.takes]
    tries = [(reach, True) for reach in reaches[:2] if want is Want.LINE] + [(reach, False) for reach in reaches]
    cuts = (_best(gap, reach, state, spoken) for reach, spoken in tries)
    return next((cut for cut in cuts if cut is not None), None)


def _best(gap: _Gap, candidates: Sequence[Take], state: _State, spoken: bool) -> Cut | None:
    shots = {shot for shot, _ in state.used}

    def rank(take: Take) -> tuple[bool, float, FilmTime]:
        """Unused shots first, then by worth."""
        return (take.shot in shots, -_worth(take, gap.slot, spoken, state.vibe.taste), take.range.start)

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
        if len(muted) == _MUTED_TRIES:
            break
    return muted[0] if muted else None


def _others(gap: _Gap, chosen: Take, pool: Sequence[Take], state: _State) -> tuple[Other, ...]:
    """Unmuted parts of other shots of the slot's zones, each of another shot."""
    ranked = sorted(pool, key=lambda take: (-_worth(take, gap.slot, False, state.vibe.taste), take.range.start))
    others: dict[int, Other] = {}
    for take in ranked:
        known = take.shot in others or take.shot == chosen.shot or (take.shot, take.range.start.seconds) in state.used
        if known or (state.last is not None and likeness(take.look, state.last.look) > state.alike):
            continue
        cut = _silent_cut(gap, take, state)
        if cut is not None and not cut.mute and cut.enters == gap.enters:
            others[take.shot] = Other(take, cut.in_, _reason(take, False))
        if len(others) == _LOOKED_AT:
            break
    return tuple(others.values())


def _worth(take: Take, slot: Slot, spoken: bool, taste: Mapping[str, Fraction]) -> float:
    """A take's score, weighted for its slot and the genre's taste."""
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
    """A part of the take with a whole line that stands alone, which chops no other line."""
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
    """The part of the take around its moment of action, else its middle, or another part if that would chop a line;
    muted if every part would."""
    slot, length, tempo = gap.slot, gap.length, state.tempo
    wishes = [take.range.start + (take.range.duration - length) / 2, take.range.start, take.range.end - length]
    hit = None
    if take.peak is not None and slot.beats >= 2:
        # The moment is placed on the beat nearest the middle of the slot.
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
    """The used part of a take: `shown`, entered by `enters`; `sounding` also includes the handles."""

    shown: FilmRange
    enters: str
    sounding: FilmRange

    def chops(self, lines: Sequence[Line]) -> bool:
        """Whether it begins, ends or fades inside a line."""
        edges = (self.sounding.start, self.shown.start, self.shown.end, self.sounding.end)
        return any(line.range.start < edge < line.range.end for line in lines for edge in edges)


def _part(gap: _Gap, take: Take, tempo: Tempo, wishes: Sequence[FilmTime]) -> _Part | None:
    """The part at the first of the wished in points at which the slot and its handles are inside the take. A crossfade
    without room becomes a cut."""
    kinds = [gap.enters, "cut"] if gap.enters.startswith("crossfade") else [gap.enters]
    for kind in kinds:
        head = tempo.handle if kind.startswith("crossfade") else Fraction(0)
        for wish in wishes:
            in_ = _on_frame(wish, tempo)
            shown = FilmRange(in_, in_ + gap.length)
            sounding = FilmRange(shown.start - head, shown.end + gap.tail)
            if sounding.start >= take.range.start and sounding.end <= take.range.end:
                return _Part(shown, kind, sounding)
    return None


def _on_frame(time: FilmTime, tempo: Tempo) -> FilmTime:
    return FilmTime(Fraction(nearest(time.seconds * tempo.film_rate)) / tempo.film_rate)


def _reason(take: Take, hit: bool) -> str:
    """The two strongest signals, in words."""
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
    reasons = [words[name] for name in strongest if getattr(take.signals, name) > 0.6]
    return ", ".join(reasons + (["its moment of action on the beat"] if hit else [])) or "calm"
