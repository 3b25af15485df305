"""How a song is counted: which octave or fraction of its pulse is the beat, where beats begin, how many make a bar.

Every way to count is a hypothesis: a period, an offset, a metre and a downbeat. Each is described by what musicians go
by: bass and accents on beats and downbeats, a change of harmony at a bar line, a snare after it, bars that are alike. A
log-linear model weighs these; by how far the best way leads, and what else speaks for it, `certainty` says how probable
it is. The weights were fitted to songs by recipe and to tracker modules by `bench/song_analysis/fit_beats.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.song.bars import BeatSound, Timbre, alikeness, beat_sound, change
from cinecut.analysis.song.certainty import Change, certainty, change_of_metre, in_the_bar, lead, odds
from cinecut.analysis.song.onsets import FINE_FPS, FPS
from cinecut.analysis.song.pulse import Pulse
from cinecut.analysis.song.tempogram import Envelopes, tempo_scores

Array = NDArray[np.float64]

PLACES = 48  # places of a turn at which onsets are compared
_PERIODS = (24, 32, 36, 48, 64, 72, 96)  # places of a beat: octaves and thirds of the pulse
_METRES = (2, 3, 4, 5, 6, 7)
_SLOWEST, _FASTEST = 45.0, 240.0  # beats a minute
_USUAL = 115.0
_OFFSETS = 6  # the strongest places of a period where a beat could begin
_LEAST = 8  # beats
_BLUR = 0.018  # seconds (standard deviation) by which onsets miss their places without being missed
_SOFT = 0.05  # against the mean strength of a song: onsets below it do not differ
_AUDIBLE = 1e-3  # power, against a loud moment's, at which a song begins
_NEAR = 0.03  # seconds (standard deviation) around a beat within which the song's begin lies on it
_LAGS = (1, 2, 3, 4, 1 / 3, 2 / 3, 3 / 2)  # beats at which the onsets are compared with themselves
_APART = 14  # beats at most between two that are compared
_IN_PART = 0.45  # of a song's certainty, where its metre changes
_ALIGNED = 3  # places: two ways that are no further apart have the same beats


@dataclass(frozen=True, slots=True)
class Counting:
    """One way to count. `beats` in seconds; the first downbeat is beat number `downbeat`."""

    period: int  # in places
    offset: int
    metre: int
    downbeat: int
    beats: Array

    @property
    def bar(self) -> int:
        """In places."""
        return self.period * self.metre


@dataclass(frozen=True, slots=True)
class Places:
    """Seconds of every place [n], the strength of the onsets there by band group [n], with a mean of 1; and the number
    of the place where the song begins to sound."""

    seconds: Array
    onsets: dict[str, Array]
    begin: float


@dataclass(frozen=True, slots=True)
class Counted:
    """The likeliest way to count, the evidence for it by kind, and its likeliest way in other octaves (-1: half as many
    beats), where the song has one."""

    way: Counting
    evidence: dict[str, float]
    octaves: dict[int, Counting]
    change: Change | None  # of the metre: then its bars are right in a part of the song alone

    @property
    def probability(self) -> float:
        """That its beats and bars are right, 0..1."""
        return certainty(self.evidence) * (1 if self.change is None else _IN_PART)


def count(env: Envelopes, timbre: Timbre, pulse: Pulse) -> Counted | None:
    """How a song is counted; None for a song of too few beats."""
    places = places_of(env, timbre, pulse)
    ways, features = hypotheses(places, timbre, pulse)
    if not ways:
        return None
    score = features @ np.array(list(_WEIGHTS.values()))
    order = [ways[index] for index in np.argsort(-score)]
    best = order[0]
    octaves = {}
    for octave in (-2, -1, 1, 2):
        others = [way for way in order if way.period * 2.0**octave == best.period and _same_bars(best, way)]
        whole = [way for bars in (1, 2) for way in others if way.bar == bars * best.bar]
        if whole:
            octaves[octave] = whole[0]
    return Counted(best, _evidence(places, ways, features, score), octaves, _change(places, timbre, best))


def _evidence(places: Places, ways: list[Counting], features: Array, score: Array) -> dict[str, float]:
    """What speaks for the way of the highest score, by kind."""
    index = int(score.argmax())
    best = ways[index]
    same = np.array([_same_bars(best, way) for way in ways])
    other_bars = np.array([_same_beats(best, way) and way.bar != best.bar for way in ways]) & ~same
    return {
        "odds": odds(score, same),
        "lead over other metres": lead(score, other_bars),
        **in_the_bar(places.onsets, best.offset + best.downbeat * best.period, best.period, best.metre),
        **dict(zip(NAMES, features[index].tolist(), strict=True)),
    }


def _change(places: Places, timbre: Timbre, way: Counting) -> Change | None:
    index = np.arange(way.offset, places.seconds.size - 1, way.period)
    beat, half = _sounds(timbre, way.beats)

    def bars_of(stretch: slice) -> list[tuple[int, int, list[float]]]:
        halves = slice(2 * stretch.start, 2 * stretch.stop)
        return _of_bars(places, index[stretch], beat.of(stretch), half.of(halves))

    return change_of_metre(index.size, (way.metre, way.downbeat), bars_of, list(_WEIGHTS.values()))


def _sounds(timbre: Timbre, beats: Array) -> tuple[BeatSound, BeatSound]:
    """The sound of the beats, and of their halves."""
    ends = np.append(beats, 2 * beats[-1] - beats[-2])
    halves = np.interp(np.arange(2 * ends.size - 1) / 2, np.arange(ends.size), ends)
    return beat_sound(timbre, ends), beat_sound(timbre, halves)


def hypotheses(places: Places, timbre: Timbre, pulse: Pulse) -> tuple[list[Counting], Array]:
    """Every way to count, and its features [ways, NAMES]."""
    rate = 60 / (float(np.median(np.diff(places.seconds))) * PLACES)
    ways: list[Counting] = []
    rows: list[list[float]] = []
    for period in _PERIODS:
        tempo = rate * PLACES / period
        if not _SLOWEST <= tempo <= _FASTEST:
            continue
        pace = _pace(pulse, tempo)
        for offset in _offsets(places, period):
            index = np.arange(offset, places.seconds.size - 1, period)
            if index.size < _LEAST:
                continue
            beats = places.seconds[index]
            beat, half = _sounds(timbre, beats)
            shared = _of_beats(places, index, period) + pace
            for metre, downbeat, row in _of_bars(places, index, beat, half):
                ways.append(Counting(period, offset, metre, downbeat, beats))
                rows.append(shared + row)
    return ways, np.array(rows)


def places_of(env: Envelopes, timbre: Timbre, pulse: Pulse) -> Places:
    """The onsets of a song at the places of its pulse."""
    frames = np.arange(env.all.size)
    numbers = np.arange(np.ceil(pulse.turns[0] * PLACES), np.floor(pulse.turns[-1] * PLACES) + 1)
    seconds = np.interp(numbers / PLACES, pulse.turns, frames / FPS)
    reach = int(4 * _BLUR * FPS)
    blur = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (_BLUR * FPS)) ** 2)
    onsets = {}
    for name in ("all", "low", "mid", "high"):
        smooth = np.convolve(getattr(env, name), blur, "same")
        at_places = np.interp(seconds, frames / FPS, smooth)
        onsets[name] = at_places / (at_places.mean() + 1e-9)
    step = FINE_FPS // 200
    power = np.diff(timbre.power[::step, 0])
    begin = float(np.argmax(power > _AUDIBLE * np.percentile(power, 95))) * step / FINE_FPS
    return Places(seconds, onsets, float(np.interp(begin, seconds, np.arange(seconds.size))))


def _offsets(places: Places, period: int) -> NDArray[np.int_]:
    """The places of a period where onsets peak, of which low ones weigh most."""
    strength = places.onsets["all"] + 1.5 * places.onsets["low"]
    folded = strength[: strength.size // period * period].reshape(-1, period).mean(axis=0)
    peaks = np.flatnonzero((folded >= np.roll(folded, 1)) & (folded > np.roll(folded, -1)))
    return peaks[np.argsort(-folded[peaks])][:_OFFSETS]


def _pace(pulse: Pulse, tempo: float) -> list[float]:
    """How much speaks for a tempo, wherever its beats begin: its line, its lags, and how usual it is."""
    hertz, scores = tempo_scores(pulse.gram)
    mean = scores.mean(axis=0)
    line = float(np.log(np.interp(tempo / 60, hertz, mean) / (mean.max() + 1e-9) + 0.02))
    lags = [float(np.interp(60 / tempo * FPS * lag, np.arange(pulse.alike.size), pulse.alike)) for lag in _LAGS]
    usual = float(np.log2(tempo / _USUAL))
    return [line, *lags, usual, usual**2]


def _of_beats(places: Places, index: NDArray[np.int_], period: int) -> list[float]:
    """What falls on the beats, between them, and on their quarters and thirds."""
    last = places.seconds.size - 1

    def strength(name: str, *parts: float) -> float:
        where = [np.minimum(index + round(part * period), last) for part in parts]
        return float(np.log(places.onsets[name][np.concatenate(where)].mean() + _SOFT))

    groups = ("low", "mid", "high")
    return [
        *(strength(name, 0) for name in groups),
        *(strength(name, 0.5) for name in groups),
        strength("low", 0.25, 0.75),
        strength("all", 0.25, 0.75),
        strength("low", 1 / 3, 2 / 3),
        strength("all", 1 / 3, 2 / 3),
        strength("all", 0.5) - strength("all", 0),
        _begins(places, int(index[0]), period),
    ]


def _begins(places: Places, first: int, step: int) -> float:
    """Whether the song begins on one of the places `first`, `first + step` …, 0..1: most songs begin with a bar."""
    apart = (places.begin - first + step / 2) % step - step / 2
    return float(np.exp(-0.5 * (apart * (places.seconds[1] - places.seconds[0]) / _NEAR) ** 2))


def _of_bars(
    places: Places, index: NDArray[np.int_], beat: BeatSound, half: BeatSound
) -> list[tuple[int, int, list[float]]]:
    """Every metre and downbeat, with what speaks for them."""
    onsets = np.array([places.onsets[name][index] for name in ("low", "mid", "high", "all")])
    mean = onsets.mean(axis=1, keepdims=True)
    turns = np.array(
        [
            change(half.chroma, 2)[::2],  # of the harmony, within a beat and over two
            change(beat.chroma, 2),
            change(beat.bands, 1),  # of the sound, at once and from one bar to the next
            change(beat.bands, 4),
        ]
    )
    turns = (turns - turns.mean(axis=1, keepdims=True)) / (turns.std(axis=1, keepdims=True) + 1e-9)
    reach = range(1, min(_APART, index.size // 2) + 1)
    alike = [{k: alikeness(part, k) for k in reach} for part in (beat.pattern, beat.chroma)]
    rows = []
    for metre in _METRES:
        if index.size < 3 * metre:
            continue
        clear = [_clearness(alike[0], metre), _clearness(alike[1], metre), *_own_length(alike[0], metre)]
        which = [float(metre == other) for other in _METRES if other != 4]
        bars = onsets[:, : index.size // metre * metre].reshape(4, -1, metre)
        accent = np.log((bars.mean(axis=1) + _SOFT) / (mean + _SOFT))
        weakest = float(accent[3].min())
        sure = _significance(bars)
        place = np.arange(index.size) % metre
        turn = np.array([[row[place == down].mean() for down in range(metre)] for row in turns])
        for down in range(metre):
            after = (down + 1) % metre
            accents = [accent[0, down], accent[2, down], accent[0, after], accent[1, after]]
            start = _begins(places, int(index[down]), metre * int(index[1] - index[0]))
            row = [start, weakest, *accents, sure[0, down], sure[3, down], *turn[:, down], *clear, *which]
            rows.append((metre, down, [float(value) for value in row]))
    return rows


def _significance(bars: Array) -> Array:
    """How surely each place of the bar is stronger than the strongest other place [groups, metre], -1..1.

    A small accent that every bar has counts as much as a large one: the difference is measured in standard errors.
    """
    mean, spread = bars.mean(axis=1), bars.var(axis=1) / bars.shape[1]
    others = np.array([np.delete(mean, place, axis=1).max(axis=1) for place in range(bars.shape[2])]).T
    error = np.sqrt(spread + spread.mean(axis=1, keepdims=True)) + 0.02
    return np.asarray(np.tanh((mean - others) / error / 4))


def _clearness(alike: dict[int, float], metre: int) -> float:
    """How much more alike beats whole bars apart are than others."""
    whole = [alike[k] for k in alike if k % metre == 0]
    other = [alike[k] for k in alike if k % metre]
    return float(np.mean(whole) - np.mean(other)) if whole and other else 0.0


def _own_length(alike: dict[int, float], metre: int) -> tuple[float, float]:
    """By how much bars are more alike than any shorter stretches, and than pairs of bars are."""
    shorter = [alike[k] for k in alike if k < metre]
    own = alike.get(metre, 0.0)
    return own - max(shorter, default=0.0), own - alike.get(2 * metre, own)


def _same_bars(one: Counting, other: Counting) -> bool:
    """Whether two ways have the same beats and the same bar lines, or those of another octave."""
    short, long = sorted((one.bar, other.bar))
    apart = (one.offset + one.downbeat * one.period - other.offset - other.downbeat * other.period) % short
    return _same_beats(one, other) and long % short == 0 and min(apart, short - apart) <= _ALIGNED


def _same_beats(one: Counting, other: Counting) -> bool:
    """Whether two ways have the same beats, or those of another octave."""
    short, long = sorted((one.period, other.period))
    apart = (one.offset - other.offset) % short
    return long % short == 0 and long // short in (1, 2, 4) and min(apart, short - apart) <= _ALIGNED


_WEIGHTS = {  # in the order of the features of a way to count
    "beat low": 1.02,
    "beat mid": 1.13,
    "beat high": -0.116,
    "half low": -0.306,
    "half mid": 0.379,
    "half high": 0.444,
    "quarters low": -0.148,
    "quarters all": -0.311,
    "thirds low": -0.317,
    "thirds all": -0.0903,
    "half against beat": -0.285,
    "begins on a beat": 1.56,
    "line": 1.29,
    "lag 1.00": 1.33,
    "lag 2.00": 3.11,
    "lag 3.00": 4.79,
    "lag 4.00": 1.94,
    "lag 0.33": -1.94,
    "lag 0.67": -2.43,
    "lag 1.50": -1.16,
    "fast": 0.3,
    "unusual": -1.74,
    "begins with a bar": 2.01,
    "weakest beat": 0.573,
    "downbeat low": 0.48,
    "downbeat high": 0.951,
    "second low": -0.355,
    "second mid": 0.11,
    "surely low": 3.14,
    "surely all": -0.991,
    "turn harmony 1": 2.13,
    "turn harmony 2": 0.826,
    "turn sound 1": -0.855,
    "turn sound 4": 1.06,
    "bars alike pattern": 3.53,
    "bars alike harmony": -1.39,
    "bars alike unlike shorter": 1.7,
    "bars alike unlike longer": 1.45,
    "metre 2": -8.24,
    "metre 3": -4.04,
    "metre 5": -1.93,
    "metre 6": -2.77,
    "metre 7": -1.62,
}
NAMES = tuple(_WEIGHTS)
