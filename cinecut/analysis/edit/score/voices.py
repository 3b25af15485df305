"""Voice-over: lines of the protagonist over other pictures, one in act 1 and two in act 2.

A line is cut at its subtitle's times, with handles into the pauses around it, and placed where the trailer has no other
speech: never over another line, never two at once, never one that is audible anyway, nor the same words twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

import numpy as np

from cinecut.analysis.dialogue.lines import Dialogue, Line
from cinecut.analysis.edit.blueprint import Want
from cinecut.analysis.edit.cuts import Cut, Tempo
from cinecut.analysis.film.loudness import STEP, LoudnessCurve
from cinecut.analysis.story.arc import Story, Zone
from cinecut.language.timebase import FilmRange, FilmTime, nearest

# The act, the share of it after which the line should begin, and the zone of the film it should come from.
_WANTED = (
    ("act 1", Fraction(3, 10), Zone.BEGIN),
    ("act 2", Fraction(2, 10), Zone.ESCALATION),
    ("act 2", Fraction(7, 10), Zone.ESCALATION),
)
_WORTH = 0.2  # least worth of a line
_ELSEWHERE = 0.6  # factor on the worth of a line from another zone
_LEAST = Fraction(8, 10)  # seconds of a voice
_BEFORE, _AFTER = (Fraction(1, 10), Fraction(4, 10)), (Fraction(15, 100), Fraction(6, 10))  # seconds of handle
_BREATH = Fraction(2, 10)  # seconds of picture before and after a voice


@dataclass(frozen=True, slots=True)
class VoiceOver:
    """A placed line: over the cut number `event`, beginning `at` seconds after its start."""

    event: int
    at: Fraction
    take: FilmRange
    line: Line
    why: str


@dataclass(frozen=True, slots=True)
class _Window:
    """Trailer seconds without speech, beginning `at` seconds after a shot's start."""

    event: int
    at: Fraction
    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True)
class SpokenSound:
    """The sound of a film: its loudness and its dialogue."""

    levels: LoudnessCurve
    dialogue: Dialogue
    end: FilmTime  # of the film
    until: FilmTime  # later lines would be spoilers


def choose_voices(cuts: Sequence[Cut], tempo: Tempo, sound: SpokenSound, story: Story) -> list[VoiceOver]:
    """Up to three voice-overs, in the trailer's order."""
    dialogue = sound.dialogue
    audible = set[int]().union(*audible_lines(cuts, tempo).values())
    pauses = _pauses(dialogue.lines, sound.end)
    usable = [line for line in dialogue.voice_overs() if _usable(line, sound, audible)]
    said = {line.words for line in dialogue.lines if line.index in audible and line.words}
    voices: list[VoiceOver] = []
    for act, share, zone in _WANTED:
        room = _Room.of(cuts, tempo, act, share)

        def worth(line: Line, zone: Zone = zone) -> float:
            return line.voice_over * (1 if story.zone(line.range.start) is zone else _ELSEWHERE)

        for line in sorted(usable, key=lambda line: (-worth(line), line.index)):
            take = _with_handles(line, pauses[line.index], sound.levels)
            if line.words in said or take is None:
                continue
            place = room.place(take.duration, voices)
            if place is not None:
                voices.append(
                    VoiceOver(place.event, place.at + _BREATH, take, line, _reason(line, dialogue.protagonist))
                )
                said.add(line.words)
                break
    return sorted(voices, key=lambda voice: voice.event)


def audible_lines(cuts: Sequence[Cut], tempo: Tempo) -> dict[int, set[int]]:
    """By cut, the indices of the lines that are audible in the film's own sound, completely or in part."""
    by_event: dict[int, set[int]] = {}
    for event, (cut, start, end) in enumerate(placed(cuts, tempo)):
        heard, edge = cut.heard(end - start), tempo.handle
        if cut.take is None or heard is None or cut.tone is not None:
            continue
        heard = FilmRange(heard.start - edge, heard.end + edge)
        lines = {line.index for line in cut.take.lines if line.range.start < heard.end and heard.start < line.range.end}
        if lines:
            by_event[event] = lines
    return by_event


def _usable(line: Line, sound: SpokenSound, audible: set[int]) -> bool:
    """Whether a line is good enough, by the protagonist if speakers are known, no spoiler, and not already audible."""
    hero, late = sound.dialogue.protagonist, line.range.end > sound.until
    stranger = hero is not None and line.speaker is not None and hero not in line.speaker
    return line.voice_over >= _WORTH and not stranger and not late and line.index not in audible


def _pauses(lines: Sequence[Line], end: FilmTime) -> dict[int, FilmRange]:
    """By each line's index, the range from the end of all earlier lines to the start of the next one."""
    ordered = sorted(lines, key=lambda line: (line.range.start, line.index))
    ends = accumulate((line.range.end for line in ordered), max, initial=FilmTime(Fraction(0)))
    starts = [*[line.range.start for line in ordered[1:]], end]
    return {line.index: FilmRange(a, b) for line, a, b in zip(ordered, ends, starts, strict=False)}


def _with_handles(line: Line, pause: FilmRange, film: LoudnessCurve) -> FilmRange | None:
    """The line with a little of the pauses around it, cut at the film's quietest moments; None if another line is
    spoken at the same time."""
    before, after = pause.start, pause.end
    if before > line.range.start or after < line.range.end:
        return None
    start = _quietest(film, max(before, line.range.start - _BEFORE[1]), max(before, line.range.start - _BEFORE[0]))
    until = _quietest(film, min(after, line.range.end + _AFTER[0]), min(after, line.range.end + _AFTER[1]))
    take = FilmRange(_millis(start), _millis(until))
    return take if take.duration >= _LEAST else None


def _quietest(film: LoudnessCurve, first: FilmTime, last: FilmTime) -> FilmTime:
    """The middle of the quietest tenth of a second that begins between two times, or the first one if it is unknown."""
    if last - first < STEP or not len(film.levels):
        return first
    levels = film.within(FilmRange(first, last))
    if not len(levels):
        return first
    quiet = int(np.argmin(levels))
    at = FilmTime((int(first.seconds / STEP) + quiet) * STEP + STEP / 2)
    return min(max(at, first), last)


def _millis(time: FilmTime) -> FilmTime:
    return FilmTime(Fraction(nearest(max(Fraction(0), time.seconds) * 1000), 1000))


def _reason(line: Line, hero: str | None) -> str:
    if hero is not None and line.speaker is not None:
        return f"{hero} says what it is about"
    if line.lead:
        return f"{line.said_by}, who speaks most, says what it is about"
    return f"a line{f' of {line.said_by}' if line.said_by else ''} that carries over other pictures"


# Places


@dataclass(frozen=True, slots=True)
class _Room:
    """Where in an act a voice can begin, and where it should; `starts` are those of all cuts, in trailer seconds."""

    windows: tuple[_Window, ...]
    wished: Fraction
    starts: tuple[Fraction, ...]

    @classmethod
    def of(cls, cuts: Sequence[Cut], tempo: Tempo, act: str, share: Fraction) -> _Room:
        spans = list(placed(cuts, tempo))
        inside = [(start, end) for cut, start, end in spans if cut.slot.act == act]
        wished = inside[0][0] + share * (inside[-1][1] - inside[0][0]) if inside else Fraction(0)
        return cls(tuple(_windows(spans, tempo, act)), wished, tuple(start for _, start, _ in spans))

    def place(self, length: Fraction, taken: Sequence[VoiceOver]) -> _Window | None:
        """The window nearest to the wished time in which a voice of that length fits between those `taken`."""
        begins = [self.starts[voice.event] + voice.at for voice in taken]
        busy = [(begin, begin + voice.take.duration) for begin, voice in zip(begins, taken, strict=True)]

        def fits(window: _Window) -> bool:
            start, end = window.start + _BREATH, window.start + _BREATH + length
            clear = all(end + 2 * _BREATH <= a or b + 2 * _BREATH <= start for a, b in busy)
            return end + _BREATH <= window.end and clear

        fitting = [window for window in self.windows if fits(window)]
        return min(fitting, key=lambda window: (abs(window.start - self.wished), window.event), default=None)


def _windows(spans: Sequence[tuple[Cut, Fraction, Fraction]], tempo: Tempo, act: str) -> Iterator[_Window]:
    """The windows of an act: from each of its shots, over all following shots without audible lines."""
    speaks = audible_lines([cut for cut, _, _ in spans], tempo)
    after = {event + 1 for event, (cut, _, _) in enumerate(spans) if cut.trail}
    under = after | {event - 1 for event, (cut, _, _) in enumerate(spans) if cut.lead}  # a neighbour's line
    free = [
        cut.slot.act == act
        and cut.slot.want not in (Want.BLACK, Want.CARD)
        and event not in speaks
        and event not in under
        for event, (cut, _, _) in enumerate(spans)
    ]
    for event, (_, start, end) in enumerate(spans):
        if not free[event]:
            continue
        last, until = event, end
        while last + 1 < len(spans) and free[last + 1]:
            last, until = last + 1, spans[last + 1][2]
        at = tempo.handle if event - 1 in speaks else Fraction(0)  # speech may go on during its crossfade
        yield _Window(event, at, start + at, until - tempo.handle if last + 1 in speaks else until)


def placed(cuts: Sequence[Cut], tempo: Tempo) -> Iterator[tuple[Cut, Fraction, Fraction]]:
    """Each cut with its start and end in trailer seconds, on frames."""
    beat = 0
    for cut in cuts:
        until = beat + cut.slot.beats
        yield cut, tempo.frame(beat) / tempo.rate, tempo.frame(until) / tempo.rate
        beat = until
