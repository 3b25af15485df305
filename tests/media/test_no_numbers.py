"""Sound stored as floating point may hold what is no number: one such sample would drown seconds of a mix."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from oracle import BUNDLED

from cinecut.diagnostics import Stop
from cinecut.media.probe import film_facts, song_facts
from cinecut.media.sound.film_samples import film_sounds, stretch

RATE = 48000
BAD = slice(RATE, RATE + 50)


def sound(path: Path, value: float) -> np.ndarray:
    """Two seconds of noise with one wrong value for a millisecond, stored as floating point."""
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (2 * RATE, 2)).astype(np.float32)
    noise[BAD] = value
    soundfile.write(path, noise, RATE, subtype="FLOAT")
    return noise


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_song_with_them_is_refused_where_they_are(value: float, tmp_path: Path) -> None:
    sound(song := tmp_path / "song.wav", value)
    with pytest.raises(Stop, match=r"samples at 0:0(0.9|1.0)\d+ that are no numbers"):
        song_facts(song)


@pytest.mark.parametrize("value", [1.0, -4.0])
def test_what_is_only_too_loud_is_sound(value: float, tmp_path: Path) -> None:
    sound(song := tmp_path / "song.wav", value)
    assert song_facts(song).duration == 2


@pytest.mark.parametrize(("suffix", "codec"), [("mov", "pcm_f32le"), ("mkv", "pcm_f64le"), ("mkv", "wavpack")])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_of_a_film_they_are_silent_and_the_rest_is_as_it_was(
    value: float, suffix: str, codec: str, tmp_path: Path
) -> None:
    wanted, film = sound(tmp_path / "a.wav", value), tmp_path / f"film.{suffix}"
    source = f"-f lavfi -i color=black:s=64x36:r=25:d=2 -i {tmp_path / 'a.wav'} -c:v mpeg4 -c:a {codec}".split()
    subprocess.run([BUNDLED, "-v", "error", *source, film], check=True, capture_output=True)
    facts = film_facts(film)
    with film_sounds(film, facts, 0) as streams:
        found = np.concatenate([*stretch(streams, facts.audio[0], facts.start, facts.start + Fraction(2))], 1).T
    wanted[BAD] = 0
    np.testing.assert_allclose(found[: len(wanted)], wanted, atol=1e-6)
