"""Tempo, beats, downbeats and phrases of a song, for cuts that fall on the music.

    song ─ listen ─ envelopes ─ tempogram ─► tempo ─ grid or list ─► beats ─ metre, downbeat, phrases ─► Beats

A steady song gets one constant grid, which cannot drift; a song whose tempo moves keeps a list of its beats; sound
without a pulse (speech, silence, an ambience) gets the tempo that was expected, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.song import bars, tempogram
from cinecut.analysis.song.onsets import Progress, SongSound, listen
from cinecut.analysis.stage import Stage
from cinecut.diagnostics import Diagnostic
from cinecut.language.timebase import nearest

Array = NDArray[np.float64]

_PULSE = 2.0  # times the median of the tempogram: songs reach 3 and more, noise and speech stay under 1.8
_WANDERS = 0.015  # a window's tempo that is this far from the grid's is another tempo
_WANDERING_SHARE = 0.05  # of the windows, off the grid in tempo and phase: from there on the tempo is not constant
_STRAYING_SHARE = 0.15  # of the windows that have the tempo but not the phase: a rest of odd length in the middle
_HELD = 0.75  # coherence that a constant grid must reach
_SNAP = 0.015  # seconds over the whole song: a tempo this near to a whole number is that number
_AT_START = 0.005  # seconds that a beat may lie before the song's first sample
_SHORT = 8  # beats under which a song says little about its tempo
_RIVAL = 0.85  # evidence, relative to the chosen tempo's, that makes another one inside the range worth a word
_AUDITION = ("audition it with `cinecut beats SONG --click out.wav`",)
_FACTORS = (Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(3, 2), Fraction(2), Fraction(3))


@dataclass(frozen=True, slots=True)
class Phrase:
    """Bars that belong together; `strength` (0..1) is how clearly the sound turns at its start."""

    start: Fraction  # seconds in the song
    bar: int  # its first bar; bar 0 begins at `Beats.first`
    bars: int
    strength: float
    energy: float  # mean of its bars, 0..1


@dataclass(frozen=True, slots=True)
class Beats:
    """The beat grid of a song. Times are exact seconds from its first decoded sample.

    confidence  0..1: how far the pulse stands above noise, times how well one tempo (or one smooth path of tempi)
                explains it. Under 0.25 there is no usable pulse and `tempo` is only what was expected.
    octaves     other tempi that the song could be counted in, with their evidence relative to `tempo`'s
    energy      loudness of every bar from `first` on: 1 the loudest, 0 thirty dB under it
    """

    tempo: Fraction | None  # beats per minute of a constant grid, at most 3 decimals; None where the tempo changes
    first: Fraction  # the earliest downbeat, >= 0
    metre: int  # beats per bar: 3 to 7
    times: tuple[Fraction, ...]  # every beat of what was listened to, to the millisecond, from the song's start on
    confidence: float
    octaves: tuple[tuple[Fraction, float], ...]
    phrases: tuple[Phrase, ...]
    energy: tuple[float, ...]

    @property
    def downbeats(self) -> tuple[Fraction, ...]:
        """The first beat of every bar."""
        return self.times[self.times.index(self.first) :: self.metre] if self.first in self.times else ()


@dataclass(frozen=True, slots=True)
class _Pulse:
    """Beats in seconds [n], the constant tempo behind them in Hz (None where it changes), and the confidence."""

    beats: Array
    hertz: float | None
    confidence: float


def analyse_music(
    song: Path, tempo_range: tuple[float, float], likely: float, progress: Progress | None = None
) -> tuple[Beats, list[Diagnostic]]:
    """The beats of a song; the octave of its tempo is settled by `tempo_range` and `likely` (beats per minute).

    Raises Stop: missing-file, unreadable, no-audio. Everything else that is wrong with a song is a warning.
    """
    sound = listen(song, progress)
    found = list(sound.warnings)
    env = tempogram.envelopes(sound)
    gram = tempogram.tempogram(env.all)
    tracked = _track(sound, env, gram, tempo_range, likely)
    if tracked is None:
        found.append(_no_pulse(song, sound, likely))
        tracked = _Pulse(np.arange(0.0, max(float(sound.duration), 90 / likely), 60 / likely), likely / 60, 0.0)
    beats = _counted(sound, env, gram, tracked)
    if tracked.confidence > 0:
        found += _doubts(song, beats, tempo_range)
    return beats, found


def _track(
    sound: SongSound,
    env: tempogram.Envelopes,
    gram: tempogram.Tempogram,
    tempo_range: tuple[float, float],
    likely: float,
) -> _Pulse | None:
    """The pulse as a constant grid where one holds over the whole song, else as tracked beats; None without a pulse."""
    hertz, scores = tempogram.tempo_scores(gram)
    floor = float(np.median(scores))
    if floor <= 0 or sound.duration < 2:
        return None
    expected = tempogram.prior(hertz, tempo_range, likely)
    path = tempogram.tempo_path(hertz, scores * expected)
    along = np.array([np.interp(tempo, hertz, row) for tempo, row in zip(path, scores, strict=True)]) / floor
    strength = float(np.median(along))
    if strength < _PULSE:
        return None
    clear = along > _PULSE
    standing = float(np.clip((strength - 1.5) / 1.5, 0.0, 1.0))
    grid = tempogram.constant_grid(env, float(hertz[np.argmax(scores.mean(axis=0) * expected)]))
    agreement = np.interp(gram.centers, grid.centers, grid.agreement)
    astray = agreement[clear] < 0.5  # a window may count in three against two and still be on the grid
    wandering = astray & (np.abs(path[clear] / grid.hertz - 1) > _WANDERS)
    if grid.coherence >= _HELD and wandering.mean() <= _WANDERING_SHARE and astray.mean() <= _STRAYING_SHARE:
        return _Pulse(*_steady(sound, env, grid.hertz), standing * grid.coherence)
    beats = tempogram.changing_beats(env, gram, path)
    if beats.size < _SHORT:
        return None
    return _Pulse(beats + tempogram.attack_offset(sound, beats), None, standing * _evenness(beats))


def _steady(sound: SongSound, env: tempogram.Envelopes, hertz: float) -> tuple[Array, float]:
    """Beats of the constant grid at the tempo that will be written: rounded, and whole where the fit allows it."""
    span = float(sound.duration)
    whole = round(hertz * 60)
    drift = abs(hertz * 60 / whole - 1) * span
    hertz = (whole if drift < _SNAP else round(hertz * 60, 3)) / 60
    phase = tempogram.grid_phase(env, hertz)
    beats = np.arange(phase, span, 1 / hertz)
    first = (phase + tempogram.attack_offset(sound, beats)) % (1 / hertz)
    if first > 1 / hertz - _AT_START:
        first = 0.0
    return np.arange(first, span, 1 / hertz), hertz


def _evenness(beats: Array) -> float:
    """How much of the tracked beats keeps the pace of its neighbours to a tenth, 0..1."""
    gaps = np.diff(beats)
    return float(np.mean(np.abs(gaps[1:] / gaps[:-1] - 1) < 0.1))


def _counted(sound: SongSound, env: tempogram.Envelopes, gram: tempogram.Tempogram, tracked: _Pulse) -> Beats:
    """Bars, phrases and energies over the pulse; a beat that turns out to be an off-beat gives way to its neighbour."""
    ends = np.append(tracked.beats, min(2 * tracked.beats[-1] - tracked.beats[-2], float(sound.duration)))
    halves = np.interp(np.arange(2 * ends.size - 1) / 2, np.arange(ends.size), ends)
    if tracked.hertz is not None and halves[0] >= 0.5 / tracked.hertz:
        halves = np.concatenate([[halves[0] - 0.5 / tracked.hertz], halves])
    half = bars.beat_sound(sound, env.low, halves)
    metre = bars.metre(bars.beats_of(half, 0))
    down = bars.downbeat(half, metre) if tracked.confidence > 0 else 0
    times = tuple(_millis(moment) for moment in halves[down % 2 : -1 : 2])
    whole = bars.beats_of(half, down)
    energy = bars.bar_energy(whole.power, metre)
    first = times[down // 2]
    phrases = tuple(
        Phrase(times[down // 2 + metre * s.bar], s.bar, s.bars, round(s.strength, 3), round(s.energy, 3))
        for s in bars.sections(whole, metre, energy)
    )
    tempo = None if tracked.hertz is None else Fraction(round(tracked.hertz * 60_000), 1000)
    mean_hertz = tracked.hertz or 1 / float(np.median(np.diff(tracked.beats)))
    return Beats(
        tempo,
        first,
        metre,
        times,
        round(tracked.confidence, 3),
        _octaves(gram, mean_hertz) if tracked.confidence > 0 else (),
        phrases,
        tuple(round(float(value), 3) for value in energy),
    )


def _octaves(gram: tempogram.Tempogram, hertz: float) -> tuple[tuple[Fraction, float], ...]:
    """The other ways to count, most evident first; only those with a tenth of the chosen tempo's evidence."""
    tempi, scores = tempogram.tempo_scores(gram)
    mean = scores.mean(axis=0)
    chosen = float(np.interp(hertz, tempi, mean)) + 1e-9
    others = [(Fraction(round(hertz * 60_000), 1000) * factor, float(factor) * hertz) for factor in _FACTORS]
    found = [
        (Fraction(nearest(tempo * 1000), 1000), round(float(np.interp(other, tempi, mean)) / chosen, 3))
        for tempo, other in others
        if tempi[0] <= other <= tempi[-1]
    ]
    return tuple(sorted((o for o in found if o[1] >= 0.1), key=lambda o: -o[1]))


def _doubts(song: Path, beats: Beats, tempo_range: tuple[float, float]) -> list[Diagnostic]:
    found = []
    low, high = tempo_range
    if beats.tempo is None:
        found.append(Diagnostic("music", f"{song.name}: its tempo changes, so its beats are kept as a list"))
    elif not low * 0.995 <= beats.tempo <= high * 1.005:
        message = f"{song.name} has {float(beats.tempo):g} beats a minute, outside the {low:g} to {high:g} of the vibe"
        found.append(Diagnostic("music", message, None, ("another song or another vibe may suit better",)))
    for tempo, evidence in beats.octaves:
        if beats.tempo is not None and low <= tempo <= high and evidence > _RIVAL:
            message = (
                f"{song.name} is counted at {float(beats.tempo):g} beats a minute; {float(tempo):g} is possible too"
            )
            found.append(Diagnostic("music", message, None, _AUDITION))
    if len(beats.times) < 2 * _SHORT:
        message = f"{song.name} is so short that its tempo is uncertain ({len(beats.times)} beats)"
        found.append(Diagnostic("music", message, None, _AUDITION))
    return found


def _no_pulse(song: Path, sound: SongSound, likely: float) -> Diagnostic:
    silent = float(sound.level.max(initial=0.0)) < 1e-8
    why = "is silent" if silent else "is too short for a tempo" if sound.duration < 2 else "has no steady pulse"
    hint = "write `beats: {tempo: …, first: …}` under `music:` in the spec where you know them"
    return Diagnostic("music", f"{song.name} {why}; cuts follow {likely:g} beats a minute instead", None, (hint,))


def _millis(seconds: float) -> Fraction:
    return Fraction(max(0, nearest(Fraction(float(seconds)) * 1000)), 1000)


BEATS = Stage("beats", tuple[Beats, list[Diagnostic]], analyse_music)
