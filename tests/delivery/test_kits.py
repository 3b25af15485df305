"""Delivery kits: what they ask for, Leq(m) against the standard's table, and files measured against them."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commandline import cinecut, names
from oracle import Film, Sound, make_film

from cinecut.delivery.judge import judged
from cinecut.delivery.meters import Measured, PictureFigures, SoundFigures, measure
from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.ffmpeg.meter import Level
from cinecut.kits import load_kit, read_kit
from cinecut.kits import names as kit_names
from cinecut.media.sound.leq import leq_m, m_weight

# ITU-R BS.468: frequency in Hz, response in dB, and what an instrument may be off. M is 5.6 dB less.
BS_468 = [
    (31.5, -29.9, 2.0), (63, -23.9, 1.4), (100, -19.8, 1.0), (200, -13.8, 0.85), (400, -7.8, 0.7), (800, -1.9, 0.55),
    (1000, 0.0, 0.5), (2000, 5.6, 0.5), (3150, 9.0, 0.5), (4000, 10.5, 0.5), (5000, 11.7, 0.5), (6300, 12.2, 0.01),
    (7100, 12.0, 0.2), (8000, 11.4, 0.4), (9000, 10.1, 0.6), (10000, 8.1, 0.8), (12500, 0.0, 1.2), (14000, -5.3, 1.4),
    (16000, -11.7, 1.6), (20000, -22.2, 2.0),
]  # fmt: skip


@pytest.mark.parametrize(("hertz", "response", "within"), BS_468)
def test_the_weighting_is_the_standards(hertz: float, response: float, within: float) -> None:
    assert float(m_weight(np.array([hertz]))[0]) == pytest.approx(response - 5.6, abs=max(within, 0.05))


def sine(hertz: float, seconds: float, channels: int = 1, level: float = 0.0) -> np.ndarray:
    wave = 10 ** (level / 20) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * 48000)) / 48000)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def test_a_full_sine_at_two_kilohertz_is_at_105() -> None:
    assert leq_m([sine(2000, 5)], 48000) == pytest.approx(105, abs=0.1)
    assert leq_m([sine(2000, 5, level=-20)], 48000) == pytest.approx(85, abs=0.1)
    assert leq_m([sine(1000, 5)], 48000) == pytest.approx(99.4, abs=0.1)
    assert leq_m([sine(2000, 5, channels=2)], 48000) == pytest.approx(108.01, abs=0.1)


def test_it_is_the_mean_over_the_whole_and_blocks_do_not_matter() -> None:
    whole = np.concatenate([sine(2000, 3), np.zeros((3 * 48000, 1), np.float32)])
    found = leq_m([whole], 48000)
    assert found == pytest.approx(105 - 3.01, abs=0.1)
    assert leq_m(np.array_split(whole, 37), 48000) == pytest.approx(found, abs=1e-6)
    assert leq_m([sine(2000, 0.1)], 48000) == pytest.approx(105, abs=0.3)
    assert leq_m([np.zeros((48000, 2), np.float32)], 48000) is None
    assert leq_m([], 48000) is None


def test_every_kit_is_as_its_schema_asks() -> None:
    assert {"netflix-product-trailer", "cinema", "broadcast-r128-s1", "broadcast-atsc", "festival", "social"} <= set(
        kit_names()
    )
    for name in kit_names():
        assert load_kit(name).about
    r128 = load_kit("broadcast-r128-s1")
    assert (r128.loudness, r128.peak, r128.short_term) == ((-23, 0.5), -1, -18)
    assert load_kit("cinema").rates == (Fraction(24),)


def test_a_kit_of_ones_own_and_its_mistakes(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("kit: 1\nabout: my channel\nsound: {peak: -3}\npicture: {rates: [25]}\n")
    assert read_kit(tmp_path / "mine.yaml").peak == -3
    (tmp_path / "bad.yaml").write_text(
        "kit: 1\nabout: x\nsound: {peek: -3, loudness: {target: -23}}\npicture: {sizes: [big]}\n"
    )
    with pytest.raises(Stop) as stop:
        read_kit(tmp_path / "bad.yaml")
    assert {found.code for found in stop.value.diagnostics} == {"unknown-key", "missing-key", "wrong-value"}
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(Stop, match="empty"):
        read_kit(tmp_path / "empty.yaml")
    with pytest.raises(Stop, match="there is no kit 'cinma'") as stop:
        load_kit("cinma")
    assert "did you mean cinema?" in stop.value.diagnostics[0].hints[0]


PICTURE = PictureFigures(Fraction(24), (1920, 1080), "prores")
SOUND = SoundFigures(48000, 2, Level(-23.4, -1.02, -18.0, -14.0, 84.9))


def good(change: dict[str, object]) -> Measured:
    """A file that is as most kits ask, but for what is changed of it."""
    own: list[dict[str, Any]] = [{}, {}, {}]
    for key, value in change.items():
        place = next(number for number, part in enumerate((PICTURE, SOUND, SOUND.level)) if hasattr(part, key))
        own[place][key] = value
    sound = replace(SOUND, level=replace(SOUND.level, **own[2]), **own[1])
    return Measured(Fraction(100), replace(PICTURE, **own[0]), sound)


@pytest.mark.parametrize(
    ("kit", "change", "missed"),
    [
        ("cinema", {}, set()),
        ("cinema", {"leq_m": 85.2}, {"Leq(m), dB"}),
        ("cinema", {"rate": Fraction(24000, 1001), "codec": "h264"}, {"frames a second", "codec"}),
        ("broadcast-r128-s1", {}, set()),
        ("broadcast-r128-s1", {"loudness": -22.4, "short_term": -17.8}, {"loudness, LUFS", "short-term maximum, LUFS"}),
        ("broadcast-r128-s1", {"loudness": None}, {"loudness, LUFS"}),
        ("broadcast-atsc", {"loudness": -25.9, "peak": -1.9}, {"true peak, dBTP"}),
        ("social", {"loudness": -14.0, "codec": "h264"}, set()),
        ("social", {"loudness": -14.0, "codec": "h264", "channels": 6}, {"channels"}),
    ],
)
def test_each_figure_is_judged_by_itself(kit: str, change: dict[str, object], missed: set[str]) -> None:
    found = list(judged(load_kit(kit), good(change)))
    assert {verdict.figure for verdict in found if not verdict.kept} == missed


def test_a_file_is_measured(tmp_path: Path) -> None:
    film = make_film(
        Film(tmp_path / "f.mov", Fraction(24), 120, (160, 96), codec="prores_ks", sound=Sound(codec="pcm_s16le"))
    )
    found = measure(film.path, find_ffmpeg())
    assert found.picture == PictureFigures(Fraction(24), (160, 96), "prores")
    assert found.seconds == 5
    assert found.sound is not None
    assert (found.sound.channels, found.sound.rate) == (2, 48000)
    heard, level = film.heard(), found.sound.level
    assert level.leq_m == pytest.approx(leq_m([heard], 48000), abs=0.02)
    assert level.peak >= 20 * np.log10(np.abs(heard).max()) - 0.1
    assert None not in (level.loudness, level.short_term, level.momentary)
    assert level.momentary >= level.short_term >= level.loudness - 1  # type: ignore[operator]
    silent = make_film(Film(tmp_path / "s.mov", Fraction(24), 48, (160, 96)))
    assert measure(silent.path, find_ffmpeg()).sound is None


def test_the_command_lists_shows_and_judges(tmp_path: Path) -> None:
    assert json.loads(cinecut("kits", "--json", cwd=tmp_path).stdout).keys() == set(kit_names())
    assert "leq_m\t85.0" in cinecut("kits", "cinema", cwd=tmp_path).stdout
    make_film(Film(tmp_path / "f.mov", Fraction(24), 48, (160, 96), codec="prores_ks"))
    done = cinecut("kits", "cinema", "f.mov", "--json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    missed = [verdict["figure"] for verdict in json.loads(done.stdout) if not verdict["kept"]]
    assert missed == ["sample rate", "channels"]
    (tmp_path / "mine.yaml").write_text(
        "kit: 1\nabout: me\npicture: {rates: [24], codecs: [prores], sizes: [160x96]}\n"
    )
    assert cinecut("kits", "mine.yaml", "f.mov", cwd=tmp_path).returncode == 0
    assert cinecut("kits", "cinema", "nowhere.mov", cwd=tmp_path).returncode == 1
    assert names(tmp_path) == ["f.mov", "mine.yaml"]
