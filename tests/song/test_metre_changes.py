"""A song that changes its metre is counted in one: then that is said, and it is not sure of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from footage import song

from bench.song_analysis.songs import make, measured
from bench.song_analysis.songs import recipe as by_number
from bench.song_analysis.styles import style_song
from cinecut.analysis.song.beats import analyse_music, counted

FIRST, EARLY = 0.4, 0.02  # seconds at which the first beat is, and by which a part begins before its own


def joined(folder: Path, tempo: int, parts: list[tuple[int, int]]) -> Path:
    """Bars of several metres, one after another: of each its metre, and how many."""
    period, sounds, rate = 60 / tempo, [], 0
    for number, (metre, bars) in enumerate(parts):
        part = song(folder / f"{number}.wav", np.array([FIRST + n * period for n in range(metre * bars + 1)]), metre)
        sound, rate = soundfile.read(part)
        begin = 0 if number == 0 else round((FIRST - EARLY) * rate)
        sounds.append(sound[begin : round((FIRST - EARLY + metre * bars * period) * rate)])
    soundfile.write(folder / "song.wav", np.concatenate(sounds), rate)
    return folder / "song.wav"


@pytest.mark.parametrize(
    ("tempo", "parts"),
    [
        (120, [(4, 16), (3, 16)]), (120, [(4, 10), (3, 20)]), (120, [(3, 16), (4, 16)]), (140, [(4, 20), (7, 10)]),
        (120, [(4, 16), (5, 12)]), (100, [(4, 12), (3, 12), (4, 12)]),
    ],
)  # fmt: skip
def test_it_is_said_and_doubted(tempo: int, parts: list[tuple[int, int]], tmp_path: Path) -> None:
    beats, warnings = analyse_music(joined(tmp_path, tempo, parts), (60, 200), 120)
    assert beats.confidence < 0.5
    assert any("does not keep one metre" in warning.message for warning in warnings)


@pytest.mark.parametrize("parts", [[(4, 30)], [(3, 30)], [(4, 10), (4, 12)], [(4, 16), (2, 16)]])
def test_bars_that_fit_are_no_change(parts: list[tuple[int, int]], tmp_path: Path) -> None:
    beats, warnings = analyse_music(joined(tmp_path, 120, parts), (60, 200), 120)
    assert beats.confidence > 0.5
    assert not any("metre" in warning.message for warning in warnings)


@pytest.mark.matrix(3)
@pytest.mark.parametrize("number", [0, 3, 8, 13, 47, 54])
@pytest.mark.parametrize("style", [False, True])
def test_players_and_intros_are_no_change(number: int, style: bool) -> None:
    made = style_song(number) if style else make(by_number(number))
    assert counted(measured(made)[1]).change is None
