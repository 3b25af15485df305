"""`link` says when the beats in a spec are not those of a song that it measures for the first time."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut
from footage import song
from oracle import Film
from rendering import spec_text

Films = Callable[[Film], Film]


@pytest.fixture
def film(films: Films) -> Film:
    return films(Film(Path("a.mp4"), Fraction(24), 192, (160, 90), gop=24))


@pytest.mark.parametrize(
    ("beats", "differ"),
    [
        pytest.param("{tempo: 95, first: 0.4s}", False, marks=pytest.mark.slow),
        ("{tempo: 47.5, first: 0.4s}", False),  # the same in another octave
        pytest.param("{tempo: 135, first: 0.4s}", True, marks=pytest.mark.slow),
        ("{tempo: 95, first: 0.7s}", True),  # off-beats
        ("{times: [0.4, 1.0, 1.6, 2.2]}", True),
    ],
)
def test_beats_that_are_not_the_songs_are_said_once(film: Film, tmp_path: Path, beats: str, differ: bool) -> None:
    song(tmp_path / "song.wav", 0.4 + np.arange(0, 30, 60 / 95))
    head = f"music: {{file: song.wav, beats: {beats}}}"
    spec = tmp_path / "a.yaml"
    spec.write_text(spec_text(film, ["{shot: {in: 1s, for: 1s}}"], head), encoding="utf-8")
    first = cinecut("link", spec, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert ("not the beats in the spec" in first.stderr) == differ
    assert ("95 beats a minute" in first.stderr) == differ
    assert cinecut("link", spec, cwd=tmp_path).stderr.count("warning") == 0
    assert "facts" in spec.read_text(encoding="utf-8")
