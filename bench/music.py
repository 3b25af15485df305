"""How well the beats of real songs are found, for every vibe whose tempo range holds the song's known tempo.

    python bench/music.py SONG TEMPO [SONG TEMPO ...]

off %       error of the tempo, the worst over the ranges; `ranges` counts those with the octave right and 0.1 % or less
beats F     beats against the constant grid of the known tempo, its phase fitted to them (±70 ms)
in phase    share of the song's ten-second windows whose own onsets agree in phase with the fitted grid
drift ms    the attacks' lag behind the grid in the last third of the song, less that in the first
librosa     its tempo as is, and the F of its beats (told the tempo) against the same grid, where it is installed
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.song import tempogram
from cinecut.analysis.song.beats import Beats, analyse_music
from cinecut.analysis.song.onsets import SongSound, listen

Array = NDArray[np.float64]

# tempo ranges (low, high, default) that genres of film ask for, in beats per minute
RANGES = {
    "action": (100, 160, 128), "adventure": (90, 140, 110), "animation": (80, 130, 100), "comedy": (75, 130, 95),
    "crime": (80, 140, 105), "documentary": (55, 110, 75), "drama": (60, 110, 80), "family": (75, 130, 95),
    "fantasy": (80, 140, 105), "history": (55, 110, 80), "horror": (60, 130, 90), "music": (90, 160, 120),
    "mystery": (65, 120, 88), "romance": (60, 110, 80), "sci-fi": (90, 150, 115), "thriller": (90, 150, 120),
    "war": (90, 150, 118), "western": (65, 125, 90),
}  # fmt: skip


def main(songs: list[tuple[Path, float]]) -> None:
    """Print one row for each song: its file and its known tempo in beats per minute."""
    heads = ("tempo", "off %", "ranges", "beats F", "in phase", "drift ms", "wall s", "librosa", "its F")
    print(f"{'song':24}" + "".join(f"{head:>10}" for head in heads))
    for song, tempo in songs:
        results: list[Beats] = []
        walls: list[float] = []
        for low, high, likely in RANGES.values():
            if low <= tempo <= high:
                start = time.perf_counter()
                results.append(analyse_music(song, (low, high), likely)[0])
                walls.append(time.perf_counter() - start)
        errors = [abs(float(r.tempo) / tempo - 1) * 100 if r.tempo else 100.0 for r in results]
        times = np.array([float(moment) for moment in results[0].times])
        known = known_grid(times, tempo)
        in_phase, drift = steadiness(listen(song), times, tempo)
        theirs, theirs_f = librosa_beats(song, tempo, known)
        found = float(results[0].tempo or 0)
        right = f"{sum(error <= 0.1 for error in errors)}/{len(errors)}"
        cells = (
            f"{found:10.3f}{max(errors):10.4f}{right:>10}{agreement(known, times):10.3f}{in_phase:10.2f}{drift:10.1f}"
        )
        print(f"{song.stem[:23]:24}{cells}{np.median(walls):10.2f}{theirs:10.2f}{theirs_f:10.3f}")


def known_grid(times: Array, tempo: float) -> Array:
    """The grid of a known tempo whose phase fits `times` best."""
    turns = np.exp(2j * np.pi * times * tempo / 60).mean()
    phase = float(np.angle(turns)) / (2 * np.pi) * 60 / tempo
    count = np.arange(np.round((times[0] - phase) * tempo / 60), np.round((times[-1] - phase) * tempo / 60) + 1)
    return np.asarray(phase + count * 60 / tempo)


def steadiness(sound: SongSound, times: Array, tempo: float) -> tuple[float, float]:
    """Share of windows in phase with the grid, and the drift of the attacks against it in milliseconds."""
    grid = tempogram.constant_grid(tempogram.envelopes(sound), tempo / 60)
    third = len(times) // 3
    drift = tempogram.attack_offset(sound, times[-third:]) - tempogram.attack_offset(sound, times[:third])
    return float(np.mean(grid.agreement > 0.5)), 1000 * drift


def agreement(grid: Array, beats: Array, tolerance: float = 0.07) -> float:
    """F-measure of `beats` against `grid`, over the stretch where both have some."""
    start, end = max(grid[0], beats[0]) - 0.2, min(grid[-1], beats[-1]) + 0.2
    grid, beats = grid[(grid > start) & (grid < end)], beats[(beats > start) & (beats < end)]
    distance = np.abs(grid[:, None] - beats[None, :])
    recall, precision = np.mean(distance.min(axis=1) <= tolerance), np.mean(distance.min(axis=0) <= tolerance)
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def librosa_beats(song: Path, tempo: float, grid: Array) -> tuple[float, float]:
    """librosa's tempo as is, and the F-measure against `grid` of its beats when told `tempo`; nan without librosa."""
    try:
        import librosa
    except ImportError:
        return float("nan"), float("nan")
    sound, rate = librosa.load(song, sr=22_050)
    onset = librosa.onset.onset_strength(y=sound, sr=rate)
    own = float(np.atleast_1d(librosa.beat.beat_track(onset_envelope=onset, sr=rate)[0])[0])
    frames = librosa.beat.beat_track(onset_envelope=onset, sr=rate, bpm=tempo)[1]
    return own, agreement(grid, librosa.frames_to_time(frames, sr=rate))


if __name__ == "__main__":
    main([(Path(song), float(tempo)) for song, tempo in zip(sys.argv[1::2], sys.argv[2::2], strict=True)])
