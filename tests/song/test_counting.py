"""Songs by recipe of every kind: tempo, phase and bars are right, and the octave is the one that a vibe wants."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from effort import mostly_slow
from footage import song

from bench.song_analysis.music import judged
from bench.song_analysis.songs import KINDS, Recipe, make, measured
from bench.song_analysis.songs import recipe as by_number
from bench.song_analysis.styles import style_song
from cinecut.analysis.song.beats import Beats, analyse_music, beats_in, counted
from cinecut.analysis.song.certainty import LOWERS, MOST, RAISES, certainty, in_the_bar

WIDE, DRAMA, ACTION = (60.0, 200.0), (60.0, 110.0), (100.0, 160.0)


def recipe(kind: str) -> Recipe:
    """A song of 24 seconds of a kind, none of those that the weights were fitted to."""
    plain = Recipe(kind, 5004, 112.0, int(kind) if kind.isdigit() else 4, seconds=24.0)
    return replace(plain, swing=0.62, sixteenths=True) if kind == "swung" else plain


@pytest.mark.matrix(7)
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


@pytest.mark.parametrize("number", [13, 39])
def test_a_song_that_is_counted_wrong_is_not_sure_of_itself(number: int) -> None:
    """A player's drums that say the same two beats later, a march's that say it half a beat later."""
    truth, sound = measured(make(by_number(number)))
    found = beats_in(counted(sound), WIDE, 120.0)
    assert not judged(truth, found, WIDE).right
    assert found.confidence < 0.5


@pytest.mark.parametrize("number", mostly_slow([86, 106], [106]))
def test_a_shuffle_is_counted_in_beats_of_three(number: int) -> None:
    """All three parts of each beat are played, so that two thirds of a beat could be one."""
    truth = style_song(number)
    assert truth.recipe.kind == "shuffle"
    assert judged(truth, beats_in(counted(measured(truth)[1]), WIDE, 120.0), WIDE).right


@pytest.mark.parametrize("number", mostly_slow([34, 94], [94]))
def test_a_player_who_takes_every_freedom_is_followed_with_doubt(number: int) -> None:
    truth = style_song(number)
    assert truth.recipe.kind == "rubato"
    assert 0 < counted(measured(truth)[1]).confidence < 0.5


@pytest.mark.parametrize("kind", ["straight", "live", "3"])
def test_a_clear_song_is_sure_of_itself(kind: str) -> None:
    assert counted(measured(make(recipe(kind)))[1]).confidence >= 0.6


def test_evidence_moves_the_confidence_its_own_way() -> None:
    evidence = dict.fromkeys((*RAISES, *LOWERS), 1.0)
    for name in RAISES:
        assert certainty(evidence | {name: 2.0}) > certainty(evidence)
    for name in LOWERS:
        assert certainty(evidence | {name: 2.0}) < certainty(evidence)
    assert certainty(evidence | {"odds": np.inf}) == certainty(evidence | {"odds": MOST})


def test_what_falls_beside_the_downbeat_and_between_the_beats() -> None:
    """A bar of four: a snare on the second and fourth beat; hats on every half beat, then on a single one."""
    bar = np.zeros(4 * 48)
    snare, even, uneven = bar.copy(), bar.copy(), bar.copy()
    snare[[0, 48, 144]] = 1, 3, 3
    even[::24] = 1
    uneven[[0, 48, 96, 144, 24]] = 1
    with_even = in_the_bar({"mid": np.tile(snare, 5), "high": np.tile(even, 5)}, 0, 48, 4)
    with_uneven = in_the_bar({"mid": np.tile(snare, 5), "high": np.tile(uneven, 5)}, 0, 48, 4)
    assert with_even["another place in the middle"] == pytest.approx(np.log(3.05 / 1.05))
    assert with_even["uneven treble between beats"] == 0
    assert with_uneven["uneven treble between beats"] > 3


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.25, 0.35])
def test_channels_that_cancel_each_other_beneath_what_they_share(tmp_path: Path, noise: float) -> None:
    """Drums, on the right turned over, and noise that is alike in both: mixed, the noise alone is left."""
    drums, rate = soundfile.read(song(tmp_path / "drums.wav", np.array([0.4 + n / 2 for n in range(40)])))
    shared = noise * drums.std() * np.random.default_rng(3).standard_normal(drums.size)
    soundfile.write(tmp_path / "song.wav", 0.5 * np.stack([shared + drums, shared - drums], 1), rate)
    beats, _ = analyse_music(tmp_path / "song.wav", WIDE, 120)
    assert beats.tempo == 120
    assert beats.metre == 4
    assert beats.confidence > 0.5
