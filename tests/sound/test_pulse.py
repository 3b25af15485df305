"""The synthesized pulse as it is heard: on the beat for a whole minute, growing from act to act, and ending."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import Film, Samples
from rendering import nearest_sample, spec_text, stems_of

from cinecut.analysis.song.levels import PULSE_STAGES
from cinecut.compiler.sound.pulse import stage_of

Films = Callable[[Film], Film]
RATE = 48_000
Wave = NDArray[np.float64]  # [shape=(samples,)]


@pytest.fixture
def film(films: Films) -> Film:
    return films(Film(Path("a.mp4"), Fraction(24), 120, (160, 90), gop=24))


def pulse(
    film: Film,
    style: str,
    beats: str,
    events: Sequence[str],
    folder: Path,
    ffmpeg: Path,
    rate: str = "24",
    more: str = "",
) -> Samples:
    head = f"music: {{pulse: {style}, beats: {{{beats}}}{more}}}\noutput: {{codec: ffv1, rate: {rate}}}"
    return stems_of(spec_text(film, events, head), folder, ffmpeg)["music"]


def band(sound: Samples, low: float, high: float) -> Wave:
    """What of a sound lies between two frequencies in Hz, no phase changed."""
    spectrum = np.fft.rfft(sound[:, 0].astype(np.float64))
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    return np.asarray(np.fft.irfft(spectrum, len(sound)), np.float64)


def kick() -> Samples:
    """A thump that falls from 110 to 45 Hz, as it is described."""
    t = np.arange(RATE // 4) / RATE
    wave = np.sin(2 * np.pi * (45 * t + 65 / 30 * (1 - np.exp(-30 * t)))) * np.exp(-9 * t)
    return np.stack([wave, wave], axis=1).astype(np.float32)


def kicks(sound: Samples) -> list[int]:
    """The first samples of the kicks: where the sound is most like one, of the strongest to half as strong."""
    shape = band(np.pad(kick(), ((RATE, RATE), (0, 0))), 150, 2500)[RATE - 480 : RATE + 4800]
    heard = band(sound, 150, 2500)
    size = 1 << (len(heard) + len(shape)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(shape, size)), size)[: len(heard)]
    found: list[int] = []
    least = likeness.max() / 2
    while (best := int(np.argmax(likeness))) >= 0 and likeness[best] > least:
        found.append(best + 480)
        likeness[max(0, best - 6000) : best + 6000] = 0
    return sorted(found)


def on_frame(seconds: Fraction, rate: Fraction) -> int:
    """The first sample of the frame nearest to a moment."""
    return nearest_sample(floor(seconds * rate + Fraction(1, 2)) / rate)


@pytest.mark.parametrize(("rate", "style", "beats_a_kick"), [("24", "soft", 4), ("30000/1001", "steady", 1)])
def test_every_kick_is_on_the_frame_of_its_beat(
    film: Film, ffmpeg: Path, tmp_path: Path, rate: str, style: str, beats_a_kick: int
) -> None:
    """Over a quarter of a minute, within a millisecond."""
    clock, first, period = Fraction(rate), Fraction("0.37"), Fraction(60, 97)
    frames = floor(15 * clock)
    events = [f"{{card: A, for: {frames}f}}"]
    stem = pulse(film, style, "tempo: 97, first: 0.37", events, tmp_path, ffmpeg, rate, ", fade_out: 1f")
    found = kicks(stem)
    step = period * beats_a_kick
    wanted = [on_frame(first + k * step, clock) for k in range(int((15 - first) / step) + 1)]
    wanted = [sample for sample in wanted if sample < len(stem) - RATE // 4]
    found = [sample for sample in found if sample <= wanted[-1] + RATE // 10]
    assert len(wanted) == {1: 24, 4: 6}[beats_a_kick]
    assert len(found) == len(wanted)
    assert np.abs(np.array(found) - np.array(wanted)).max() <= RATE // 1000


def ticks(sound: Samples) -> NDArray[np.intp]:
    """The first samples of the noise: the drone and the kick are far too low to bend so sharply."""
    bend = np.abs(np.diff(sound[:, 0], 2, prepend=0))
    loud = np.flatnonzero(bend > bend.max() / 10)
    return loud[np.diff(loud, prepend=-RATE) > RATE // 20]


@pytest.mark.parametrize(("style", "ticks_a_beat"), [("steady", 1), ("driving", 2)])
def test_ticks_come_on_the_beat_or_twice_in_it(
    film: Film, ffmpeg: Path, tmp_path: Path, style: str, ticks_a_beat: int
) -> None:
    stem = pulse(film, style, "tempo: 100", ["{card: A, for: 10s}"], tmp_path, ffmpeg)
    found = ticks(stem[: round(8.9 * RATE)])
    wanted = [on_frame(Fraction(60, 100) * k / ticks_a_beat, Fraction(24)) for k in range(15 * ticks_a_beat)]
    assert len(found) == len(wanted)
    assert np.abs(found - np.array(wanted)).max() <= RATE // 1000


ACTS = [
    event
    for act in ("one", "two", "three")
    for event in (f"{{act: {act}}}", "{card: A, for: 4s}", "{card: B, for: 4s}")
]


def power(sound: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def test_it_grows_from_act_to_act_and_from_style_to_style(film: Film, bundled: Path, tmp_path: Path) -> None:
    """As the analysis expects it."""
    whole = []
    for style, stages in (("soft", (0, 1, 2)), ("steady", (1, 2, 3)), ("driving", (2, 3, 3))):
        stem = pulse(film, style, "tempo: 120", ACTS, tmp_path, bundled, more=", fade_out: 1f")
        found = [power(stem[k * 8 * RATE : (k + 1) * 8 * RATE]) for k in range(3)]
        levels = [20 * np.log10(each) + 6 for each in found]  # 6 dB louder with a gain of 0
        assert levels == pytest.approx([PULSE_STAGES[stage] for stage in stages], abs=1.5)
        assert [stage_of(act, 3, style) for act in range(3)] == [*stages]
        assert found[0] * 1.1 < found[1]
        assert found[1] * 1.1 < found[2] or style == "driving"
        assert np.abs(stem).max() < 1
        whole.append(power(stem))
    assert whole[0] * 1.1 < whole[1] < whole[2]


def test_it_never_clicks_and_never_stops(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    """The kicks fall silent in the black, over which the drone goes on."""
    events = ["{act: one}", "{card: A, for: 3.3s}", "{black: 2s}", "{act: two}", "{card: B, for: 3.1s}"]
    stem = pulse(film, "steady", "tempo: 132", events, tmp_path, ffmpeg)
    low = band(stem, 0, 3000)
    assert np.abs(np.diff(low)).max() < 0.05
    black = stem[round(3.4 * RATE) : round(5.2 * RATE)]
    assert power(black) > 0.01
    quiet = np.abs(black.reshape(-1, 2 * RATE // 10)).max(axis=1)
    assert quiet.min() > 0.01
    assert len(kicks(stem)) == 6  # those of the second act, the louder ones
    assert not [at for at in kicks(stem) if 3.35 * RATE < at < 5.25 * RATE]


def test_it_ends_with_the_trailer(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    stem = pulse(film, "driving", "tempo: 120", ["{card: A, for: 6s}"], tmp_path, ffmpeg, more=", fade_out: 2s")
    assert len(stem) == 6 * RATE
    assert power(stem[4 * RATE : 5 * RATE]) > 2 * power(stem[5 * RATE :])
    assert np.abs(stem[-48:]).max() < 1e-3


def test_it_ends_at_a_stop(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    events = ["{card: A, for: 4s}", "{card: B, for: 2s, cue: stop}"]
    stem = pulse(film, "driving", "tempo: 120", events, tmp_path, ffmpeg)
    assert power(stem[3 * RATE : 4 * RATE]) > 0.05
    assert not stem[4 * RATE + 24_000 :].any()


def test_its_level(film: Film, bundled: Path, tmp_path: Path) -> None:
    usual = pulse(film, "steady", "tempo: 120", ["{card: A, for: 4s}"], tmp_path, bundled)
    soft = pulse(film, "steady", "tempo: 120", ["{card: A, for: 4s}"], tmp_path, bundled, more=", gain: -12")
    assert np.abs(soft - usual * 10 ** (-6 / 20)).max() < 1e-6  # -6 is what it is without one


def test_the_same_spec_has_the_same_samples(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    first, again = (pulse(film, "driving", "tempo: 120", ACTS[:3], tmp_path, ffmpeg) for _ in range(2))
    assert np.array_equal(first, again)
