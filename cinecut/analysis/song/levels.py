"""How loud everything is beside everything else: the film's dialogue is the anchor, music and effects stand below it.

All levels are in dB below full scale, of a mono mix of what is rendered, for the film and for the song alike; `heard`
gates them as EBU R 128 does, so that pauses count for nothing.
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
from cinecut.analysis.song.onsets import LIMIT, Progress
from cinecut.analysis.stage import Stage
from cinecut.graph.sounds import downmix
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.samples import counted, mono, song_frames
from cinecut.vibes import Vibe

Levels = NDArray[np.float32]

STEP = Fraction(1, 100)  # seconds between two levels of a song
_RATE = 8000
_FLOOR = -70.0
_GATE = 10.0  # dB under the mean of what is not silent
_QUIETEST_ANCHOR = -36  # dB; what is quieter is not worth its noise
_LOUDEST_ANCHOR = -20  # dB; a louder film is turned down, so that nothing clips before the master
_USUAL_ANCHOR = -24  # of a film without any sound
_GAINS = (-30, 18)  # dB that music may be turned by


@dataclass(frozen=True, slots=True, eq=False)
class SongLevels:
    """`levels` [shape=(n,), dB below full scale] of a song, one for each STEP from its first sample on."""

    levels: Levels

    def between(self, start: Fraction, end: Fraction) -> Levels:
        """The levels of some seconds of the song; what lies outside is silent."""
        low, high = round(start / STEP), round(end / STEP)
        there = slice(min(max(0, low), len(self.levels)), min(max(0, high), len(self.levels)))
        found = np.full(max(0, high - low), _FLOOR, np.float32)
        found[there.start - low : there.stop - low] = self.levels[there]
        return found

    def loudness(self, start: Fraction, end: Fraction) -> Levels:
        """The levels of tenths of a second, as the film's are measured."""
        return _tenths(self.between(start, end))

    @property
    def loudest(self) -> float:
        """What only a twentieth of the song exceeds."""
        tenths = _tenths(self.levels)
        return float(np.percentile(tenths, 95)) if tenths.size else _FLOOR


def _tenths(levels: Levels) -> Levels:
    power = np.power(10.0, levels[: len(levels) // 10 * 10].astype(np.float64) / 10).reshape(-1, 10).mean(axis=1)
    return np.asarray(10 * np.log10(power), np.float32)


def measure_song(song: Path, progress: Progress) -> SongLevels:
    """The levels of a song's first 20 minutes. Raises Stop as `analyse_music` does."""
    powers: list[NDArray[np.float32]] = []
    held, size, count = list[Levels](), 0, 0
    for part in mono(counted(song_frames(song, [])), _RATE, lambda layout: 10 ** (rendered(layout) / 20)):
        held.append(part)
        size += part.size
        if size >= _RATE * 10:
            fresh = np.concatenate(held)
            whole = size // _BLOCK * _BLOCK
            powers.append(_powers(fresh[:whole]))
            held, size, count = [fresh[whole:]], size - whole, count + whole
            progress(min(1.0, count / (LIMIT * _RATE)))
            if count >= LIMIT * _RATE:
                break
    if size:
        rest = np.concatenate(held)
        powers.append(_powers(np.pad(rest, (0, -size % _BLOCK))))
    power = np.concatenate(powers) if powers else np.zeros(0, np.float32)
    return SongLevels((10 * np.log10(np.maximum(power, 10 ** (_FLOOR / 10)))).astype(np.float32))


_BLOCK = int(_RATE * STEP)


def _powers(samples: Levels) -> NDArray[np.float32]:
    return np.asarray(np.square(samples).reshape(-1, _BLOCK).mean(axis=1), np.float32)


def rendered(layout: str) -> float:
    """dB by which a sound is louder in the trailer than in FFmpeg's own mix to mono: two speakers for one channel, but
    less of many channels, of which the sum must not clip."""
    if layout in ("mono", "1 channels"):
        return 3.0
    _, scaled, terms = downmix(layout).split("|")[1].partition("<")
    shares = [float(term.split("*")[0]) if "*" in term else 1.0 for term in terms.split("+")] if scaled else [1.0]
    return -20 * math.log10(sum(shares))


def as_rendered(film: LoudnessCurve, layout: str) -> LoudnessCurve:
    """A film's levels as they are in the trailer."""
    levels = np.where(film.levels > _FLOOR + 1, film.levels + np.float32(rendered(layout)), np.float32(_FLOOR))
    return LoudnessCurve(levels.astype(np.float32))


def heard(levels: Levels) -> float | None:
    """The level of what is heard: the mean power above the gate. None: silence."""
    sounding = levels[levels > _FLOOR + 1]
    if not sounding.size:
        return None
    loud = sounding[sounding >= _mean(sounding) - _GATE]
    return _mean(loud)


def _mean(levels: Levels) -> float:
    return float(10 * np.log10(np.mean(np.power(10.0, levels.astype(np.float64) / 10))))


def level_within(film: LoudnessCurve, ranges: Iterable[FilmRange]) -> float | None:
    """The level of some pieces of a film together. None: silence."""
    pieces = [film.within(piece) for piece in ranges]
    return heard(np.concatenate(pieces)) if pieces else None


@dataclass(frozen=True, slots=True)
class Balance:
    """The mix in whole dB: `film`, `music` and `effects` as the levels of their stems, `gain` of the song or the pulse
    itself, which brings it to the `anchor`. `spoken`: the anchor is dialogue, else all that is shown of the film."""

    anchor: int
    spoken: bool
    gain: int
    film: int
    music: int
    effects: int


# Of the synthesized pulse by its style, and of the effects' hits, as they sound at 0 dB: their stems, measured.
PULSE = {"soft": -22, "steady": -19, "driving": -16}
_EFFECTS = -15


def balance(
    film: LoudnessCurve, lines: Sequence[FilmRange], shown: Sequence[FilmRange], vibe: Vibe, song: float | None
) -> Balance:
    """The mix of a trailer: `lines` are those heard in it, `shown` the pieces of the film whose sound is heard, and
    `song` is the level of its song; None: it has the pulse. Genres that talk have quiet music; where nobody talks, a
    song leads, but no pulse does."""
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
    return Balance(anchor, spoken, gain, turned, music, effects)


_LEADS = 1  # dB of a song over a film in which nobody speaks
_PULSE_BELOW = 3  # dB of a pulse under what a song would have: it is no more than a heartbeat
_BELOW_MUSIC = 3  # dB of the effects


def line_gain(film: LoudnessCurve, pieces: Sequence[FilmRange], anchor: int, most: int) -> int:
    """Whole dB, `most` at most, that bring what is said in some pieces of a film to the level of the dialogue."""
    level = level_within(film, pieces)
    return 0 if level is None else min(max(round(anchor - level), -most), most)


_QUIET_FROM, _QUIETEST = 6, 12  # dB under the film's level, from which effects get softer; and at most by so many


def effect_gain(film: LoudnessCurve, at: FilmTime, usual: float | None) -> int:
    """Whole dB, 0 to -12, by which an effect at this moment of the film is softer: half of what the scene is quieter
    than is `usual`."""
    if film.silent or usual is None:
        return 0
    scene = _mean(film.within(FilmRange(at, at + Fraction(1))))
    return -min(_QUIETEST, max(0, round((usual - scene - _QUIET_FROM) / 2)))


LEVELS = Stage("levels", SongLevels, measure_song)
