"""The balance of levels: the film's dialogue is the anchor, music and effects are set relative to it.

All levels are in dB below full scale, of a mono mix of the rendered sound, for film and song alike. `gated` leaves out
pauses, as EBU R 128 does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.song.onsets import LIMIT, in_blocks
from cinecut.analysis.stage import Advance, Stage
from cinecut.graph.channels import downmix
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.sound.samples import counted, mono, song_frames, without_offset
from cinecut.vibes import Vibe

Levels = NDArray[np.float32]

STEP = Fraction(1, 100)  # seconds between two levels of a song
_RATE = 8000
_BLOCK = 10  # seconds that are measured at once
_FLOOR = -70.0
_GATE = 10.0  # dB below the mean of all that is not silent
_QUIETEST_ANCHOR = -36  # dB; raising a quieter film would mostly raise its noise
_LOUDEST_ANCHOR = -20  # dB; a louder film is turned down, so that nothing clips before the master
_USUAL_ANCHOR = -24  # dB, for a film without sound
_GAINS = (-30, 18)  # dB, lowest and highest gain of the music


@dataclass(frozen=True, slots=True, eq=False)
class SongLevels:
    """`levels` [shape=(n,), dB below full scale] of a song, one for each STEP from its first sample on."""

    levels: Levels

    def between(self, start: Fraction, end: Fraction) -> Levels:
        """The levels from `start` to `end` seconds; outside the song it is silent."""
        low, high = round(start / STEP), round(end / STEP)
        inside = slice(min(max(0, low), len(self.levels)), min(max(0, high), len(self.levels)))
        window = np.full(max(0, high - low), _FLOOR, np.float32)
        window[inside.start - low : inside.stop - low] = self.levels[inside]
        return window

    def loudness(self, start: Fraction, end: Fraction) -> Levels:
        """The levels of tenths of a second, like the film's."""
        return _tenths(self.between(start, end))

    @property
    def loudest(self) -> float:
        """The level that only a twentieth of the song exceeds."""
        tenths = _tenths(self.levels)
        return float(np.percentile(tenths, 95)) if tenths.size else _FLOOR


def _tenths(levels: Levels) -> Levels:
    power = np.power(10.0, levels[: len(levels) // 10 * 10].astype(np.float64) / 10).reshape(-1, 10).mean(axis=1)
    return np.asarray(10 * np.log10(power), np.float32)


def measure_song(song: Path, progress: Advance) -> SongLevels:
    """The levels of a song's first 20 minutes. Raises Stop as `analyse_music` does."""
    powers, step = [np.zeros(0, np.float32)], int(_RATE * STEP)
    samples = mono(counted(song_frames(song, [])), _RATE, lambda layout: 10 ** (rendered(layout) / 20))
    for done, block in enumerate(in_blocks(samples, _BLOCK * _RATE), 1):
        padded = np.pad(without_offset(block), (0, -block.size % step))
        powers.append(np.asarray(np.square(padded).reshape(-1, step).mean(axis=1), np.float32))
        progress(min(1.0, done * _BLOCK / LIMIT))
        if done * _BLOCK >= LIMIT:
            break
    levels = 10 * np.log10(np.maximum(np.concatenate(powers), 10 ** (_FLOOR / 10)))
    return SongLevels(levels.astype(np.float32))


def rendered(layout: str) -> float:
    """dB by which a sound is louder in the trailer than in FFmpeg's own mix to mono: more for one channel, which has
    two speakers; less for many channels, whose sum must not clip."""
    if layout in ("mono", "1 channels"):
        return 3.0
    _, scaled, terms = downmix(layout).split("|")[1].partition("<")
    shares = [float(term.split("*")[0]) if "*" in term else 1.0 for term in terms.split("+")] if scaled else [1.0]
    return -20 * math.log10(sum(shares))


def as_rendered(film: LoudnessCurve, layout: str) -> LoudnessCurve:
    """A film's levels in the trailer."""
    levels = np.where(film.levels > _FLOOR + 1, film.levels + np.float32(rendered(layout)), np.float32(_FLOOR))
    return LoudnessCurve(levels.astype(np.float32))


def gated(levels: Levels) -> float | None:
    """The mean level, without silence and pauses; None if all is silent."""
    sounding = levels[levels > _FLOOR + 1]
    if not sounding.size:
        return None
    return _mean(sounding[sounding >= _mean(sounding) - _GATE])


def _mean(levels: Levels) -> float:
    return float(10 * np.log10(np.mean(np.power(10.0, levels.astype(np.float64) / 10))))


def level_within(film: LoudnessCurve, ranges: Iterable[FilmRange]) -> float | None:
    """The gated level of several parts of a film together; None if all is silent."""
    pieces = [film.within(piece) for piece in ranges]
    return gated(np.concatenate(pieces)) if pieces else None


@dataclass(frozen=True, slots=True)
class Balance:
    """The mix in whole dB: `film`, `music` and `effects` are the levels of their stems; `gain` brings the song or the
    pulse to the `anchor`. `spoken`: the anchor is the level of the dialogue, else of all sound of the film. Of a silent
    film it is a usual one, and not `measured`."""

    anchor: int
    spoken: bool
    gain: int
    film: int
    music: int
    effects: int
    measured: bool = True


# Measured levels of stems at a gain of 0 dB: of the synthesized pulse as it grows, from the stage with which each style
# begins, and of the effects' hits.
PULSE_STAGES = (-22, -19, -16, -15)
PULSE = dict(zip(("soft", "steady", "driving"), PULSE_STAGES, strict=False))
_EFFECTS = -15


def balance(
    film: LoudnessCurve, lines: Sequence[FilmRange], shown: Sequence[FilmRange], vibe: Vibe, song: float | None
) -> Balance:
    """The mix of a trailer. `lines` are its audible lines, `shown` the parts of the film whose sound is used, `song` is
    the level of its song, None if it has the pulse. Genres with much dialogue have quiet music; without any dialogue a
    song is louder than the film, but a pulse is not."""
    level = level_within(film, lines)
    spoken = level is not None
    if level is None:
        level = level_within(film, shown)
    anchor = max(_QUIETEST_ANCHOR, round(level)) if level is not None else _USUAL_ANCHOR
    turned = min(0, _LOUDEST_ANCHOR - anchor)
    music = round(5 - 10 * float(vibe.dialogue)) if spoken else _LEADS
    music -= 0 if song is not None else _PULSE_BELOW
    source = song if song is not None else PULSE[vibe.pulse]
    gain = min(max(round(anchor + turned - source), _GAINS[0]), _GAINS[1])
    effects = anchor + turned + music - _BELOW_MUSIC - _EFFECTS
    return Balance(anchor, spoken, gain, turned, music, effects, level is not None)


_LEADS = 1  # dB of a song above a film in which nobody speaks
_PULSE_BELOW = 3  # dB of a pulse below the level of a song
_BELOW_MUSIC = 3  # dB of the effects below the music


def line_gain(film: LoudnessCurve, pieces: Sequence[FilmRange], anchor: int, most: int) -> int:
    """The gain in whole dB, at most `most`, that brings parts of a film to the level of the dialogue."""
    level = level_within(film, pieces)
    return 0 if level is None else min(max(round(anchor - level), -most), most)


_QUIET_FROM, _QUIETEST = 6, 12  # dB: effects get softer in scenes this far below the film's level; at most by


def effect_gain(film: LoudnessCurve, at: FilmTime, usual: float | None) -> int:
    """The gain of an effect at this moment of the film, 0 to -12 whole dB: softer by half of what the scene is quieter
    than `usual`."""
    if film.silent or usual is None:
        return 0
    scene = _mean(film.within(FilmRange(at, at + Fraction(1))))
    return -min(_QUIETEST, max(0, round((usual - scene - _QUIET_FROM) / 2)))


LEVELS = Stage("levels", SongLevels, measure_song)
