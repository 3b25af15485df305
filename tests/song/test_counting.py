"""Songs by recipe of every kind: tempo, phase and bars are right, and the octave is the one that a vibe wants."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from footage import song

from bench.song_analysis.music import judged
from bench.song_analysis.songs import KINDS, Recipe, make, measured
from cinecut.analysis.song.beats import Beats, analyse_music, beats_in, counted

WIDE, DRAMA, ACTION = (60.0, 200.0), (60.0, 110.0), (100.0, 160.0)


def recipe(kind: str) -> Recipe:
    """A song of 24 seconds of a kind, none of those that the weights were fitted to."""
    plain = Recipe(kind, 5004, 112.0, int(kind) if kind.isdigit() else 4, seconds=24.0)
    return replace(plain, swing=0.62, sixteenths=True) if kind == "swung" else plain


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_song(kind: str) -> None:
    truth, sound = measured(make(recipe(kind)))
    whole = counted(sound)
    for tempo_range, likely in ((WIDE, 120.0), (DRAMA, 80.0)):
        result = judged(truth, beats_in(whole, tempo_range, likely), tempo_range)
        assert result.tempo, result
        assert result.beats >= 0.95, result
        assert result.bars, result
        assert result.placed, result


def beats_of(folder: Path, tempo: float, tempo_range: tuple[float, float], metre: int = 4) -> Beats:
    times = 0.4 + np.arange(0, 30, 60 / tempo)
    return analyse_music(song(folder / "song.wav", times, metre), tempo_range, sum(tempo_range) / 2)[0]


def test_a_song_that_fits_no_octave_of_the_range_keeps_its_tempo(tmp_path: Path) -> None:
    beats = beats_of(tmp_path, 88, ACTION)
    assert beats.tempo == 88
    assert beats.metre == 4


@pytest.mark.parametrize(
    ("tempo", "metre", "tempo_range", "counted_at", "bar"),
    [(140, 4, DRAMA, 70, 2), (150, 6, DRAMA, 75, 3), (64, 4, ACTION, 128, 8), (150, 3, DRAMA, 75, 3)],
)
def test_a_bar_is_as_long_in_any_octave(
    tmp_path: Path, tempo: int, metre: int, tempo_range: tuple[float, float], counted_at: int, bar: int
) -> None:
    """Only an odd bar of half as many beats is two bars."""
    beats = beats_of(tmp_path, tempo, tempo_range, metre)
    assert beats.tempo == counted_at
    assert beats.metre == bar
    lines = (np.array([float(time) for time in beats.downbeats]) - 0.4) / (metre * 60 / tempo)
    assert np.abs(lines - np.round(lines)).max() < 0.02


def test_a_player_s_beats_never_change_their_octave() -> None:
    """A drummer at 85 beats a minute whose tempo drifts, and who misses every beat."""
    _, sound = measured(make(replace(recipe("drift"), tempo=85.0, seconds=40.0)))
    beats = beats_in(counted(sound), (60, 180), 110)
    gaps = np.diff([float(time) for time in beats.times])
    assert beats.tempo is None
    assert gaps.max() / gaps.min() < 1.5


def test_what_has_no_pulse_has_no_confidence(tmp_path: Path) -> None:
    """Strokes at random: there is nothing to count."""
    dice = np.random.default_rng(4)
    times = 0.4 + np.cumsum(dice.uniform(0.15, 1.2, 50))
    beats, _ = analyse_music(song(tmp_path / "song.wav", times, 50), WIDE, 120)
    assert beats.confidence < 0.5
