"""Tempo, beats, downbeats and phrases of a song, for cuts that fall on the music.

    song ─ listen ─ envelopes ─► pulse ─► counting ─► beats and bars ─ the vibe's octave ─► phrases ─► Beats

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
from cinecut.analysis.song.counting import PLACES, Counting, count
from cinecut.analysis.song.onsets import SongSound, listen
from cinecut.analysis.song.pulse import Pulse, find_pulse
from cinecut.analysis.stage import Advance, Stage
from cinecut.diagnostics import Diagnostic
from cinecut.language.timebase import clock, nearest

Array = NDArray[np.float64]

_SHORTEST = 2  # seconds of a song that can have a pulse
_SNAP = 0.015  # seconds over the whole song: a tempo this near to a whole number is that number
_AT_START = 0.005  # seconds that a beat may lie before the song's first sample
_USUAL = 75  # beats a minute: songs are usually counted in the octave above it
_NEAR = 1.04  # factor by which a song may be faster or slower than the tempo that a person names for it
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

    confidence  0..1: the probability that beats and bar lines are right, times how far the pulse stands above noise;
                0 without a pulse, where `tempo` is only what was expected
    octaves     other tempi that the song could be counted in, with their evidence relative to `tempo`'s
    energy      loudness of every bar from `first` on, up to the last that is not silent: 1 the loudest, 0 thirty dB
                under it
    """

    tempo: Fraction | None  # beats per minute of a constant grid, at most 3 decimals; None where the tempo changes
    first: Fraction  # the downbeat of the first bar that is not silent, >= 0
    metre: int  # beats per bar: 2 to 7; twice as many where a slow song is counted in halves of its beats
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
class BeatTimes:
    """Beats in seconds, their metre, the number of the first downbeat, and the rate in Hz; None where it changes."""

    times: Array
    metre: int
    down: int
    hertz: float | None

    @property
    def rate(self) -> float:
        """Hz, of a changing tempo the usual one."""
        return self.hertz or 1 / float(np.median(np.diff(self.times)))


@dataclass(frozen=True, slots=True)
class CountedSong:
    """A song with its grids by octave (-1: half as many beats), of which 0 is always there; without a pulse there are
    none, and no confidence."""

    timbre: bars.Timbre
    duration: Fraction
    grids: dict[int, BeatTimes]
    confidence: float
    gram: tempogram.Tempogram | None
    change: tuple[Fraction, int] | None = None  # a second after which bars seem to have so many beats, not the metre's


def octave_of(tempo: Fraction) -> tuple[tuple[float, float], float]:
    """The range and the likely tempo by which a song is counted in the octave of a known tempo."""
    return (float(tempo) / _NEAR, float(tempo) * _NEAR), float(tempo)


def analyse_music(
    song: Path, tempo_range: tuple[float, float], likely: float, progress: Advance | None = None
) -> tuple[Beats, list[Diagnostic]]:
    """The beats of a song; the octave of its tempo is settled by `tempo_range` and `likely` (beats per minute).

    Raises Stop: missing-file, unreadable, no-audio. Everything else that is wrong with a song is a warning.
    """
    sound = listen(song, progress)
    song_counted = counted(sound)
    beats = beats_in(song_counted, tempo_range, likely)
    doubts = _doubts(beats, tempo_range) if song_counted.grids else [_no_pulse(sound, likely)]
    return beats, [*sound.warnings, *doubts, *_other_bars(song_counted)]


def counted(sound: SongSound) -> CountedSong:
    """The beats of a song as it is counted by itself, whatever a vibe expects."""
    env, timbre = tempogram.envelopes(sound), bars.timbre(sound)
    pulse = find_pulse(env) if sound.duration >= _SHORTEST else None
    way = count(env, timbre, pulse) if pulse else None
    if pulse is None or way is None:
        return CountedSong(timbre, sound.duration, {}, 0.0, None)
    ways = {0: way.way, **way.octaves}
    grids = {octave: _placed(sound, env, pulse, one) for octave, one in ways.items()}
    change = None if way.change is None else (_millis(way.way.beats[way.change.beat]), way.change.metre)
    return CountedSong(timbre, sound.duration, grids, pulse.standing * way.probability, pulse.gram, change)


def beats_in(song: CountedSong, tempo_range: tuple[float, float], likely: float) -> Beats:
    """The beats of a song in the octave that a vibe expects; beats of the likely tempo for a song without a pulse."""
    if song.gram is None:
        times = np.arange(0.0, max(float(song.duration), 90 / likely), 60 / likely)
        return _beats(song.timbre, BeatTimes(times, 4, 0, likely / 60), 0.0, ())
    grid = _in_range(song.grids, tempo_range, likely)
    return _beats(song.timbre, grid, song.confidence, _octaves(song.gram, grid.rate))


def _placed(sound: SongSound, env: tempogram.Envelopes, pulse: Pulse, way: Counting) -> BeatTimes:
    """The beats of a way to count at their attacks: as a constant grid at the tempo that will be written, or a list."""
    span = float(sound.duration)
    misses, struck = tempogram.misses(env, way.beats)
    late = tempogram.attack_offset(sound, (way.beats + misses)[struck])
    if pulse.hertz is None:
        times = way.beats + misses + late
        ahead = np.arange(times[-1] + np.diff(times)[-1], span, np.diff(times)[-1])
        return BeatTimes(np.concatenate([times, ahead]), way.metre, way.downbeat, None)
    hertz = _written(pulse.hertz * PLACES / way.period, span)
    late += float(misses[struck].mean()) if struck.any() else 0.0
    middle = len(way.beats) // 2  # a rounded tempo is off by least at both ends if it is right in the middle
    first = (way.beats[middle] + late) % (1 / hertz)
    if first > 1 / hertz - _AT_START:
        first = 0.0
    down = way.downbeat + round((way.beats[0] + late - first) * hertz)
    return BeatTimes(np.arange(first, span, 1 / hertz), way.metre, down % way.metre, hertz)


def _written(hertz: float, span: float) -> float:
    """The tempo as it is written, in Hz: rounded, and whole where the fit allows it."""
    whole = round(hertz * 60)
    drift = abs(hertz * 60 / whole - 1) * span
    return (whole if drift < _SNAP else round(hertz * 60, 3)) / 60


def _in_range(grids: dict[int, BeatTimes], tempo_range: tuple[float, float], likely: float) -> BeatTimes:
    """The grid in the octave that lies inside the range and nearest to the likely tempo; if none does, the one in which
    songs are usually counted."""
    low, high = tempo_range
    tempo = 60 * grids[0].rate
    inside = [k for k in range(-3, 4) if low * 0.995 <= tempo * 2.0**k <= high * 1.005]
    usual = int(np.ceil(np.log2(_USUAL / tempo)))
    octave = min(inside, key=lambda k: abs(np.log2(tempo * 2.0**k / likely)), default=usual)
    nearest = min(grids, key=lambda k: abs(k - octave))
    grid = grids[nearest]
    for _ in range(octave - nearest):
        grid = _doubled(grid)
    for _ in range(nearest - octave):
        grid = _halved(grid)
    return grid


def _doubled(grid: BeatTimes) -> BeatTimes:
    """Twice as many beats; a bar stays as long, so that it has twice the metre."""
    halves = np.interp(np.arange(2 * grid.times.size - 1) / 2, np.arange(grid.times.size), grid.times)
    last = halves[-1] + (halves[-1] - halves[-2])
    return BeatTimes(np.append(halves, last), 2 * grid.metre, 2 * grid.down, grid.hertz and 2 * grid.hertz)


def _halved(grid: BeatTimes) -> BeatTimes:
    """Half as many beats; a bar stays as long, but of an odd bar or one of two beats, two are one."""
    metre = grid.metre // 2 if grid.metre % 2 == 0 and grid.metre > 2 else grid.metre
    start = grid.down % 2
    return BeatTimes(grid.times[start::2], metre, (grid.down - start) // 2 % metre, grid.hertz and grid.hertz / 2)


def _beats(
    timbre: bars.Timbre, grid: BeatTimes, confidence: float, octaves: tuple[tuple[Fraction, float], ...]
) -> Beats:
    """Bars, phrases and energies over a grid, from the first bar that is not silent to the last."""
    times = tuple(_millis(moment) for moment in grid.times)
    after = grid.times[grid.down :]
    ends = np.append(after, 2 * after[-1] - after[-2] if after.size > 1 else after[-1] + 1)
    sounding = bars.sounding(bars.beat_sound(timbre, ends).power, grid.metre)
    down = grid.down + grid.metre * sounding.start
    whole = bars.beat_sound(timbre, ends[grid.metre * sounding.start : grid.metre * sounding.stop + 1])
    energy = bars.bar_energy(whole.power, grid.metre)
    phrases = tuple(
        Phrase(times[down + grid.metre * s.bar], s.bar, s.bars, round(s.strength, 3), round(s.energy, 3))
        for s in bars.sections(whole, grid.metre, energy)
    )
    return Beats(
        None if grid.hertz is None else Fraction(round(grid.hertz * 60_000), 1000),
        times[down],
        grid.metre,
        times,
        round(confidence, 3),
        octaves,
        phrases,
        tuple(round(float(value), 3) for value in energy),
    )


def _octaves(gram: tempogram.Tempogram, hertz: float) -> tuple[tuple[Fraction, float], ...]:
    """The other ways to count, most evident first; only those with a tenth of the chosen tempo's evidence."""
    tempi, scores = tempogram.tempo_scores(gram)
    mean = scores.mean(axis=0)
    chosen = float(np.interp(hertz, tempi, mean)) + 1e-9
    others = [(Fraction(round(hertz * 60_000), 1000) * factor, float(factor) * hertz) for factor in _FACTORS]
    octaves = [
        (Fraction(nearest(tempo * 1000), 1000), round(float(np.interp(other, tempi, mean)) / chosen, 3))
        for tempo, other in others
        if tempi[0] <= other <= tempi[-1]
    ]
    return tuple(sorted((o for o in octaves if o[1] >= 0.1), key=lambda o: -o[1]))


def _doubts(beats: Beats, tempo_range: tuple[float, float]) -> list[Diagnostic]:
    doubts = []
    low, high = tempo_range
    if beats.tempo is None:
        doubts.append(Diagnostic("music", "the song's tempo changes, or it was cut, so its beats are kept as a list"))
    elif not low * 0.995 <= beats.tempo <= high * 1.005:
        message = f"the song has {float(beats.tempo):g} beats a minute, outside the expected {low:.4g} to {high:.4g}"
        doubts.append(Diagnostic("music", message, None, ("another song, vibe or --tempo may suit better",)))
    for tempo, evidence in beats.octaves:
        if beats.tempo is not None and low <= tempo <= high and evidence > _RIVAL:
            message = f"the song is counted at {float(beats.tempo):g} beats a minute; {float(tempo):g} is possible too"
            doubts.append(Diagnostic("music", message, None, _AUDITION))
    if len(beats.times) < 2 * _SHORT:
        message = f"the song is so short that its tempo is uncertain ({len(beats.times)} beats)"
        doubts.append(Diagnostic("music", message, None, _AUDITION))
    return doubts


def _other_bars(song: CountedSong) -> list[Diagnostic]:
    if song.change is None:
        return []
    at, metre = song.change
    message = f"the song does not keep one metre: after {clock(at)} its bars seem to have {metre} beats"
    return [Diagnostic("music", message, None, ("there cuts fall on beats, but not on the first ones of bars",))]


def _no_pulse(sound: SongSound, likely: float) -> Diagnostic:
    silent = float(sound.level.max(initial=0.0)) < 1e-8
    why = "is silent" if silent else "is too short for a tempo" if sound.duration < 2 else "has no steady pulse"
    hint = "write `beats: {tempo: …, first: …}` under `music:` in the spec where you know them"
    return Diagnostic("music", f"the song {why}; cuts follow {likely:g} beats a minute instead", None, (hint,))


def _millis(seconds: float) -> Fraction:
    return Fraction(max(0, nearest(Fraction(float(seconds)) * 1000)), 1000)


BEATS = Stage("beats", tuple[Beats, list[Diagnostic]], analyse_music)
