"""The trailer's beat grid in frames: lengths in beats and bars, snap, sync, listed beats, the music's own start."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from oracle import Film
from rendering import render_text, spec_text

Films = Callable[[Film], Film]
RATE = Fraction(24)


@pytest.fixture
def film(films: Films) -> Film:
    return films(Film(Path("a.mp4"), RATE, 192, (160, 90), gop=24))


def numbers(film: Film, music: str, events: list[str], folder: Path, ffmpeg: Path) -> list[object]:
    return list(
        render_text(spec_text(film, events, f"music: {music}\noutput: {{codec: ffv1}}"), folder, ffmpeg).numbers
    )


def frame(seconds: Fraction | str) -> int:
    """The nearest frame of the trailer."""
    return floor(Fraction(seconds) * RATE + Fraction(1, 2))


def runs(shown: list[object]) -> list[int]:
    """Where a new piece of the film begins: where a number does not follow the one before."""
    return [k for k, number in enumerate(shown) if isinstance(number, int) and (k == 0 or shown[k - 1] != number - 1)]


TEMPO = "{beats: {tempo: 95, first: 0.48, metre: 3}}"
BEAT = Fraction(60, 95)


def test_lengths_in_beats_and_bars_do_not_drift(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    shots = [
        f"{{shot: {{in: {1 + k / 2}s, for: {length}}}}}"
        for k, length in enumerate(("1 beat", "1/2 beat", "1 bar", "1 beat", "2 beats"))
    ]
    shown = numbers(film, TEMPO, shots, tmp_path, ffmpeg)
    cuts = [Fraction(0)]
    for beats in (Fraction(1), Fraction(1, 2), 3, 1, 2):
        cuts.append(cuts[-1] + beats * BEAT)
    assert runs(shown) == [frame(cut) for cut in cuts[:-1]]
    assert len(shown) == frame(cuts[-1])


@pytest.mark.parametrize(("snap", "line"), [("beat", 2), ("bar", 3)])
def test_snap_moves_the_end_to_the_nearest_line(film: Film, ffmpeg: Path, tmp_path: Path, snap: str, line: int) -> None:
    events = [f"{{shot: {{in: 1s, for: 1.7s}}, snap: {snap}}}", "{shot: {in: 5s, for: 6f}}"]
    shown = numbers(film, TEMPO, events, tmp_path, ffmpeg)
    assert runs(shown) == [0, frame(Fraction("0.48") + line * BEAT)]


@pytest.mark.parametrize(("to", "beats"), [("beat", 2), ("bar", 3)])
def test_sync_lands_a_moment_on_a_line(film: Film, ffmpeg: Path, tmp_path: Path, to: str, beats: int) -> None:
    event = f"{{shot: {{in: 1s, for: 3s}}, sync: {{at: 2.8s, to: {to}}}}}"
    shown = numbers(film, TEMPO, [event], tmp_path, ffmpeg)
    moment = floor(Fraction("2.8") * RATE)
    assert len(shown) == 72
    assert shown.index(moment) == frame(Fraction("0.48") + beats * BEAT)
    assert runs(shown) == [0]


def test_sync_at_half_speed(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    event = "{shot: {in: 1s, for: 3s}, speed: 0.5, sync: {at: 1.8s}}"
    shown = numbers(film, TEMPO, [event], tmp_path, ffmpeg)
    at = Fraction("1.6")  # where the moment would be without: the nearest beat is the second
    assert abs(at - Fraction("0.48") - 2 * BEAT) < BEAT / 2
    assert shown.index(floor(Fraction("1.8") * RATE)) == frame(Fraction("0.48") + 2 * BEAT)


def test_listed_beats(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    music = "{beats: {times: [0, 0.5, 1.1, 1.8, 2.6], metre: 2}}"
    events = [
        "{shot: {in: 1s, for: 1 beat}}",
        "{shot: {in: 3s, for: 2 beats}}",
        "{shot: {in: 5s, for: 0.5s}, snap: bar}",
    ]
    shown = numbers(film, music, events, tmp_path, ffmpeg)
    assert runs(shown) == [0, frame("0.5"), frame("1.8")]
    assert len(shown) == frame("2.6")


def test_the_grid_moves_with_the_musics_start(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", np.zeros((5 * 8000, 1), np.float32), 8000)
    music = "{file: song.wav, start: 1.4s, beats: {tempo: 120, first: 0.5}}"
    events = ["{shot: {in: 1s, for: 0.2s}, snap: beat}", "{shot: {in: 3s, for: 1 beat}}", "{black: 1 bar}"]
    shown = numbers(film, music, events, tmp_path, ffmpeg)
    assert runs(shown) == [0, frame("0.1")]  # the song's 1.5 s is a beat
    assert len(shown) == frame("2.6")
