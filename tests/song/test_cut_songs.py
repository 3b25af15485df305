"""Songs out of which pieces were taken, and songs between silences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from footage import song
from numpy.typing import NDArray

from cinecut.analysis.song.beats import Beats, analyse_music
from cinecut.analysis.song.onsets import listen
from cinecut.analysis.song.sections import find_sections

Array = NDArray[np.float64]
TEMPO, FIRST = 104.0, 0.4
BEAT = 60 / TEMPO


def analysed(path: Path, sound: Array, rate: int) -> Beats:
    soundfile.write(path, sound, rate)
    return analyse_music(path, (90, 150), 120)[0]


def whole_song(path: Path, seconds: float) -> tuple[Array, int]:
    sound, rate = soundfile.read(song(path, np.arange(FIRST, seconds, BEAT)))
    return sound, rate


@pytest.mark.parametrize(
    "lost", [(8.3,), (9.4, 5.7), *(pytest.param((beats,), marks=pytest.mark.slow) for beats in (10.75, 6.5))]
)
def test_beats_go_on_at_their_own_places_where_a_piece_was_taken_out(tmp_path: Path, lost: tuple[float, ...]) -> None:
    """`lost`: beats, taken out at 25 s and at 50 s."""
    sound, rate = whole_song(tmp_path / "song.wav", 90)
    truth = np.arange(FIRST, 90, BEAT)
    for at, beats in zip((25.0, 50.0), lost, strict=False):
        end = at + beats * BEAT
        sound = np.concatenate([sound[: round(at * rate)], sound[round(end * rate) :]])
        truth = np.concatenate([truth[truth < at], truth[truth >= end] - beats * BEAT])
    found = analysed(tmp_path / "song.wav", sound, rate)
    times = np.array([float(time) for time in found.times])
    near = np.abs(truth[:, None] - times[None, :]).min(axis=1) < 0.03
    assert found.tempo is None
    assert near[np.abs(truth[:, None] - np.array([[25.0, 50.0]])).min(axis=1) > 1.5].mean() > 0.98
    assert found.confidence < 0.5  # bar lines need not meet where beats do


def test_a_song_keeps_its_grid_where_whole_bars_were_taken_out(tmp_path: Path) -> None:
    sound, rate = whole_song(tmp_path / "song.wav", 70)
    at, end = round((FIRST + 40 * BEAT) * rate), round((FIRST + 52 * BEAT) * rate)
    found = analysed(tmp_path / "song.wav", np.concatenate([sound[:at], sound[end:]]), rate)
    assert found.tempo == 104
    assert found.confidence > 0.5


def test_silence_around_a_song_is_neither_bars_nor_sections(tmp_path: Path) -> None:
    sound, rate = whole_song(tmp_path / "song.wav", 40)
    sound[: 20 * rate] *= 0.1
    alone = analysed(tmp_path / "song.wav", sound, rate)
    sections = find_sections(listen(tmp_path / "song.wav"), alone)
    silence = np.zeros(9 * rate)
    between = analysed(tmp_path / "between.wav", np.concatenate([silence, sound, silence]), rate)
    moved = find_sections(listen(tmp_path / "between.wav"), between)
    assert float(between.first - alone.first) == pytest.approx(9, abs=0.01)
    assert len(between.energy) == len(alone.energy)
    assert [(part.name, part.bar, part.bars) for part in moved] == [
        (part.name, part.bar, part.bars) for part in sections
    ]
