"""Films with a stream for each channel, as studios and broadcasters deliver them: which streams make one sound."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from oracle import BUNDLED

from cinecut.diagnostics import Report
from cinecut.media.probe import film_facts
from cinecut.media.sound.film_samples import film_sounds, stretch
from cinecut.render.check import examine

RATE = 48000


def tone(number: int) -> int:
    """The frequency of a stream in Hz."""
    return 200 + 100 * number


def delivered(path: Path, channels: list[str]) -> Path:
    """A second of a film; an empty name is a channel that is not labelled."""
    sources, maps = "-f lavfi -i color=black:s=64x36:r=25:d=1", "-map 0:v"
    for number, channel in enumerate(channels):
        sources += f" -f lavfi -i sine={tone(number)}:r={RATE}:d=1"
        maps += f" -map {number + 1}:a"
        maps += f" -filter:a:{number} pan={channel}|c0=c0" if channel else ""
    command = f"{BUNDLED} -v error -y {sources} {maps} -c:v mpeg2video -c:a pcm_s16le".split()
    subprocess.run([*command, path], check=True, capture_output=True)
    return path


@pytest.mark.parametrize(
    ("channels", "sounds"),
    [
        ("FL FR FC LFE SL SR DL DR", [("5.1(side)", 6), ("stereo", 2)]),
        ("FL FR FC LFE BL BR SL SR", [("7.1", 8)]),
        ("FL FR FC LFE BL BR FL FR", [("5.1", 6), ("stereo", 2)]),
        ("FL FC FR SL SR LFE", [("FL+FC+FR+SL+SR+LFE", 6)]),
        ("DL DR FL FR", [("stereo", 2)] * 2),
        ("FC FC FC FC", [("stereo", 2)] * 2),  # what editing systems without labels write
    ],
)
def test_labelled_channels_make_the_sounds_that_they_are_of(
    channels: str, sounds: list[tuple[str, int]], tmp_path: Path
) -> None:
    film = delivered(tmp_path / "film.mov", channels.split())
    facts = film_facts(film)
    assert [(sound.layout, sound.channels) for sound in facts.audio] == sounds
    number = 0
    for index, sound in enumerate(facts.audio):
        with film_sounds(film, facts, index) as streams:
            parts = stretch(streams, sound, facts.start, facts.start + Fraction(1, 2))
            samples = np.concatenate([*parts], 1).astype(float)
        for channel in samples:  # each stream is one of them, in the file's order
            assert np.abs(np.fft.rfft(channel)).argmax() * RATE / len(channel) == pytest.approx(tone(number), abs=2)
            number += 1


@pytest.mark.parametrize(("count", "sounds"), [(6, ["5.1"]), (8, ["stereo"] * 4), (3, ["stereo", "mono"])])
def test_without_labels_they_are_pairs_or_six(count: int, sounds: list[str], tmp_path: Path) -> None:
    film = delivered(tmp_path / "film.mxf", [""] * count)
    assert [sound.layout for sound in film_facts(film).audio] == sounds


def programme(path: Path, kind: str) -> Path:
    """Six seconds of eight streams without labels that sound as a film does in `kind`."""
    dice = np.random.default_rng(3)
    size = 6 * RATE
    voice, left, right, ls, rs, lb, rb = (0.1 * dice.standard_normal(size) for _ in range(7))
    low = 0.2 * np.sin(2 * np.pi * 45 * np.arange(size) / RATE)
    six = [left, right, voice, 0 * low if "without effects" in kind else low, 0.3 * ls, 0.3 * rs]
    mix = [0.7 * (side + 0.7 * voice + 0.2 * back) for side, back in ((left, ls), (right, rs))]
    pairs = [left + voice, right + voice, left, right, ls + voice, rs + voice, ls, rs]
    rest = {"5.1": [channel + 0.02 * lb for channel in mix], "7.1": [0.3 * lb, 0.3 * rb]}
    streams = [*six, *rest[kind[:3]]] if kind[:3] in rest else pairs if kind == "pairs" else [0 * low] * 8
    sources, maps = "-f lavfi -i color=black:s=64x36:r=25:d=6", "-map 0:v"
    for number, samples in enumerate(streams):
        raw = path.with_name(f"{number}.raw")
        raw.write_bytes((samples * 8000).astype("<i2").tobytes())
        sources += f" -f s16le -ar {RATE} -ch_layout mono -i {raw}"
        maps += f" -map {number + 1}:a"
    command = f"{BUNDLED} -v error -y {sources} {maps} -c:v mpeg2video -c:a pcm_s16le".split()
    subprocess.run([*command, path], check=True, capture_output=True)
    return path


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("kind", "sounds"),
    [
        ("pairs", ["stereo"] * 4),
        ("5.1 and its mix", ["5.1", "stereo"]),
        ("5.1 and its mix, without effects", ["5.1", "stereo"]),
        ("7.1", ["FL+FR+FC+LFE+SL+SR+BL+BR"]),
        ("7.1 without effects", ["FL+FR+FC+LFE+SL+SR+BL+BR"]),
        ("silence", ["stereo"] * 4),
    ],
)
@pytest.mark.parametrize("suffix", ["mxf", "mov"])
def test_eight_without_labels_are_what_they_sound_like(
    kind: str, sounds: list[str], suffix: str, tmp_path: Path
) -> None:
    assert [sound.layout for sound in film_facts(programme(tmp_path / f"film.{suffix}", kind)).audio] == sounds


@pytest.mark.parametrize("suffix", ["mkv", "avi", "ts"])
@pytest.mark.parametrize(
    ("more", "said"), [("", True), (", audio: 1", False), (", audio: 2", False)], ids=["", "the first", "the second"]
)
def test_elsewhere_alike_ones_are_mentioned(suffix: str, more: str, said: bool, tmp_path: Path) -> None:
    """They may be the channels of one sound, or two languages."""
    silent = "-f lavfi -i color=black:s=64x36:r=25:d=1 -f lavfi -i sine=d=1:r=48000 -map 0:v"
    for name, maps in {"two": "-map 1:a -map 1:a", "one": "-map 1:a"}.items():
        command = f"{BUNDLED} -v error {silent} {maps} -c:v mpeg2video -c:a mp2".split()
        subprocess.run([*command, tmp_path / f"{name}.{suffix}"], check=True)
        (spec := tmp_path / "a.yaml").write_text(
            f"cinecut: 1\nfilm: {{file: {name}.{suffix}{more}}}\ntimeline: [shot: 0s - 0.5s]\n", encoding="utf-8"
        )
        report = Report()
        examine(spec, report, files=True, link=True)
        found = [each.message for each in report if each.code == "film"]
        assert found == ([f"two.{suffix} has 2 sounds of one channel each: only the first is heard"] if said else [])
        said = False
