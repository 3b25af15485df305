"""How well beats, bars and sections are found in songs by recipe, for the tempo range of every vibe.

    python -m bench music
    python bench/song_analysis/music.py SONG TEMPO [SONG TEMPO ...]

The recipes are split in two: the weights of `analysis/song/counting` were fitted to one half (and to tracker modules,
see `bench/song_analysis/fit_beats.py`), the other half judges. Of each kind:

tempo      share of songs and vibes whose tempo is the true one or an octave of it
F          mean F-measure of the beats against the truth in that octave (±70 ms); and the share of .95 and more
bars       share whose downbeats are right: every one found is true, or every true one is found from the first on
unsure     share of the wrong ones (tempo, beats or bars) whose confidence is below a half
sure       share of the right ones whose confidence is a half or more
range      share of the songs of which an octave lies in the range that get it; the others keep theirs (`tempo`)

The second form prints for real songs of known tempo: their tempo, its worst error in percent over the vibes that hold
it, the F of the beats against the constant grid of the known tempo, and librosa's tempo and F (told the tempo).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure, print_rows
from bench.film import Film
from bench.song_analysis import edits, sections
from bench.song_analysis.grooves import STYLES
from bench.song_analysis.songs import KINDS, MadeSong, make, measured, recipe
from bench.song_analysis.styles import style_numbers, style_song
from cinecut.analysis.song.beats import Beats, analyse_music, beats_in, counted
from cinecut.analysis.song.onsets import SongSound, listen
from cinecut.vibes import load_vibe, names

Array = NDArray[np.float64]
SONGS = 200
HALVES = ("choose", "judge")


@dataclass(frozen=True, slots=True)
class Result:
    """What came out for one song under one vibe."""

    kind: str
    tempo: bool
    beats: float
    bars: bool
    confidence: float
    fits: bool  # whether an octave of the tempo lies in the range
    placed: bool  # whether the tempo is in the range, or an octave of the song's own where none fits

    @property
    def right(self) -> bool:
        return self.tempo and self.beats >= 0.95 and self.bars


def table(film: Film, runs: int) -> list[Figure]:
    """Both halves by kind; the bounds hold for the half that judges."""
    halves = [[result for number in numbers(half) for result in results(made(number))] for half in HALVES]
    for half, found in zip(HALVES, halves, strict=True):
        print(f"\nthe half to {half} by\n")
        rows = [_row(kind, [one for one in found if kind in (one.kind, "all")]) for kind in (*KINDS, "all")]
        print_rows(["songs", "tempo", "F", "F ≥ .95", "bars", "wrong", "unsure", "sure", "range"], rows)
    judged, styled = halves[1], _styled()
    right, wrong = ([one for one in judged if one.right is kind] for kind in (True, False))
    return [
        Figure("tempo or an octave of it", _share(one.tempo for one in judged), 1.0, at_least=True),
        Figure("F ≥ .95", _share(one.beats >= 0.95 for one in judged), 0.95, at_least=True),
        Figure("downbeats right", _share(one.bars for one in judged), 0.9, at_least=True),
        Figure(
            "wrong with a confidence of a half or more",
            len([1 for w in wrong if w.confidence >= 0.5]) / len(judged),
            0.02,
        ),
        Figure(
            "right with a confidence of a half or more", _share(r.confidence >= 0.5 for r in right), 0.8, at_least=True
        ),
        Figure("tempo as the range wants it", _share(one.placed for one in judged), 0.99, at_least=True),
        Figure("songs in styles: right", _share(one.right for one in styled), 0.8, at_least=True),
        Figure(
            "songs in styles: wrong with a confidence of a half or more",
            _share(one.confidence >= 0.5 and not one.right for one in styled),
            0.02,
        ),
        *sections.figures(),
        *edits.figures(),
    ]


def _styled() -> list[Result]:
    """The results of a round of songs in styles, of the half that judges; prints each."""
    print("\na song of each style\n")
    rows, found = [], list[Result]()
    for number in style_numbers("judge")[: len(STYLES)]:
        song = measured(style_song(number))
        mine = list(results(song))
        found += mine
        cells = [_share(one.tempo for one in mine), _share(one.beats for one in mine), _share(one.bars for one in mine)]
        rows.append([song[0].recipe.name, *(f"{cell:.3f}" for cell in cells), f"{mine[0].confidence:.2f}"])
    print_rows(["song", "tempo", "F", "bars", "confidence"], rows)
    return found


def numbers(half: str, songs: int = SONGS) -> list[int]:
    """The recipes of one half: tens by turns, so that every kind is in both."""
    return [number for number in range(songs) if number // 10 % 2 == HALVES.index(half)]


def made(number: int) -> tuple[MadeSong, SongSound]:
    """A recipe's song, and how it measures."""
    return measured(make(recipe(number)))


def results(song: tuple[MadeSong, SongSound]) -> Iterator[Result]:
    """One result for each vibe."""
    truth, sound = song
    whole = counted(sound)
    for name in names():
        vibe = load_vibe(name)
        yield judged(truth, beats_in(whole, vibe.tempo, vibe.likely_tempo), vibe.tempo)


def judged(truth: MadeSong, found: Beats, tempo_range: tuple[float, float]) -> Result:
    times, downbeats = (np.array([float(time) for time in part]) for part in (found.times, found.downbeats))
    pace, own = 60 / float(np.median(np.diff(times))), 60 / float(np.median(np.diff(truth.beats)))
    low, high = tempo_range
    octave = np.log2(pace / own)
    fits = any(low <= own * 2.0**k <= high for k in range(-4, 5))
    tempo = bool(abs(octave - round(octave)) < 0.03)
    placed = bool(0.97 * low <= pace <= 1.03 * high) if fits else tempo
    beats = max(agreement(grid, times) for grid in in_octave(truth, round(octave)))
    return Result(
        truth.recipe.kind, tempo, beats, right_bars(truth.downbeats, downbeats), found.confidence, fits, placed
    )


def in_octave(song: MadeSong, octave: int) -> list[Array]:
    """The grids that a song's beats have in another octave: where an odd bar is halved, either half of the beats."""
    beats = song.beats
    if octave >= 0:
        step = 2.0**-octave
        return [np.interp(np.arange(0, beats.size - 1 + step / 2, step), np.arange(beats.size), beats)]
    skip = 2**-octave
    same = int(np.gcd(skip, song.recipe.metre))
    return [beats[start::skip] for start in range(skip) if (start - song.first) % same == 0]


def right_bars(truth: Array, found: Array, tolerance: float = 0.07) -> bool:
    """Whether downbeats are right. Of a doubled tempo, that half bars are counted as bars is no mistake, of a halved
    one, that two are."""
    found = found[(found > truth[0] - tolerance) & (found < truth[-1] + tolerance)]
    if not found.size:
        return False
    near = np.abs(truth[:, None] - found[None, :]) <= tolerance
    return bool(near.any(axis=0).mean() >= 0.9 or (near.any(axis=1).mean() >= 0.9 and near[:, 0].any()))


def agreement(grid: Array, beats: Array, tolerance: float = 0.07) -> float:
    """F-measure of `beats` against `grid`, over the stretch of the grid."""
    beats = beats[(beats > grid[0] - 0.1) & (beats < grid[-1] + 0.1)]
    if not beats.size:
        return 0.0
    distance = np.abs(grid[:, None] - beats[None, :])
    recall, precision = np.mean(distance.min(axis=1) <= tolerance), np.mean(distance.min(axis=0) <= tolerance)
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def _row(kind: str, found: list[Result]) -> list[str]:
    wrong = [one for one in found if not one.right]
    sure = [one.confidence >= 0.5 for one in found if one.right]
    held = [one.placed for one in found if one.fits]
    unsure = f"{_share(one.confidence < 0.5 for one in wrong):.2f}" if wrong else "none"
    return [
        kind,
        *(f"{_share(values):.3f}" for values in ([one.tempo for one in found], [one.beats for one in found])),
        *(f"{_share(values):.3f}" for values in ([one.beats >= 0.95 for one in found], [one.bars for one in found])),
        f"{len(wrong) / len(found):.3f}",
        unsure,
        f"{_share(sure):.2f}",
        f"{_share(held):.2f}",
    ]


def _share(values: Iterator[float] | list[float] | list[bool]) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else 0.0


# Real songs of known tempo


def main(songs: list[tuple[Path, float]]) -> None:
    """Print one row for each song: its file and its known tempo in beats per minute."""
    rows = []
    for song, tempo in songs:
        vibes = [vibe for vibe in map(load_vibe, names()) if vibe.tempo[0] <= tempo <= vibe.tempo[1]]
        whole = counted(listen(song))
        found = [beats_in(whole, vibe.tempo, vibe.likely_tempo) for vibe in vibes]
        off = max(abs(float(one.tempo) / tempo - 1) * 100 if one.tempo else 100.0 for one in found)
        beats, _ = analyse_music(song, vibes[0].tempo, vibes[0].likely_tempo)
        times = np.array([float(moment) for moment in beats.times])
        known = known_grid(times, tempo)
        theirs, theirs_f = librosa_beats(song, tempo, known)
        cells = [f"{float(beats.tempo or 0):g}", f"{off:.4f}", f"{agreement(known, times):.3f}", f"{beats.metre}"]
        rows.append([song.stem, *cells, f"{beats.confidence:.2f}", f"{theirs:.2f}", f"{theirs_f:.3f}"])
    print_rows(["song", "tempo", "off %", "F", "metre", "confidence", "librosa", "its F"], rows)


def known_grid(times: Array, tempo: float) -> Array:
    """The grid of a known tempo whose phase fits `times` best."""
    turns = np.exp(2j * np.pi * times * tempo / 60).mean()
    phase = float(np.angle(turns)) / (2 * np.pi) * 60 / tempo
    count = np.arange(np.round((times[0] - phase) * tempo / 60), np.round((times[-1] - phase) * tempo / 60) + 1)
    return np.asarray(phase + count * 60 / tempo)


def librosa_beats(song: Path, tempo: float, grid: Array) -> tuple[float, float]:
    """librosa's tempo as is, and the F-measure against `grid` of its beats when told `tempo`."""
    import librosa

    sound, rate = librosa.load(song, sr=22_050)
    onset = librosa.onset.onset_strength(y=sound, sr=rate)
    own = float(np.atleast_1d(librosa.beat.beat_track(onset_envelope=onset, sr=rate)[0])[0])
    frames = librosa.beat.beat_track(onset_envelope=onset, sr=rate, bpm=tempo)[1]
    return own, agreement(grid, librosa.frames_to_time(frames, sr=rate))


if __name__ == "__main__":
    main([(Path(song), float(tempo)) for song, tempo in zip(sys.argv[1::2], sys.argv[2::2], strict=True)])
