"""The sections of a song that is made of known ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from commandline import cinecut
from footage import song

from cinecut.analysis.song.beats import analyse_music
from cinecut.analysis.song.onsets import listen
from cinecut.analysis.song.sections import SongSection, find_sections

BEAT, BAR = 0.5, 2.0  # seconds


def shaped(path: Path, levels: Sequence[float], bars: int = 8) -> Path:
    """A song of so many bars at each level, and below half of it without its highs."""
    song(path, np.arange(0.0, len(levels) * bars * BAR + 1, BEAT))
    sound, rate = soundfile.read(path)
    size = round(bars * BAR * rate)
    for index, level in enumerate(levels):
        part = sound[index * size : (index + 1) * size]
        soft = np.convolve(part, np.ones(40) / 40, "same") if level < 0.5 else part
        sound[index * size : (index + 1) * size] = level * soft
    soundfile.write(path, sound[: len(levels) * size], rate)
    return path


def sections(path: Path) -> tuple[SongSection, ...]:
    return find_sections(listen(path), analyse_music(path, (90, 150), 120)[0])


def test_known_sections_are_found_and_named(tmp_path: Path) -> None:
    found = sections(shaped(tmp_path / "song.wav", [0.1, 1.0, 0.2, 1.0, 0.05]))
    assert [(part.name, part.bar) for part in found] == [
        ("intro", 0), ("drop", 8), ("break", 16), ("drop", 24), ("end", 32)
    ]  # fmt: skip
    assert found[3].repeats == 1
    assert found[1].energy > 0.9 > 0.7 > found[2].energy


@pytest.mark.parametrize("bars", [3, 8, 15, 40])
def test_sections_tile_the_bars(tmp_path: Path, bars: int) -> None:
    song(tmp_path / "song.wav", np.arange(0.0, bars * BAR + 1, BEAT))
    beats, _ = analyse_music(tmp_path / "song.wav", (90, 150), 120)
    found = find_sections(listen(tmp_path / "song.wav"), beats)
    assert [part.bar for part in found] == [0, *np.cumsum([part.bars for part in found])[:-1]]
    assert sum(part.bars for part in found) == len(beats.energy)
    assert all(part.start == beats.downbeats[part.bar] for part in found)


def test_silence_has_no_more_than_one_section(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", np.zeros(22_050 * 5), 22_050)
    assert len(sections(tmp_path / "song.wav")) <= 1


def test_programs_get_the_sections_and_the_second_time_from_the_cache(tmp_path: Path) -> None:
    shaped(tmp_path / "song.wav", [0.1, 1.0, 0.1])
    command, kept = ("beats", "song.wav", "--json"), {"CINECUT_CACHE_DIR": str(tmp_path / "cache")}
    first = cinecut(*command, cwd=tmp_path, **kept)
    second = cinecut(*command, cwd=tmp_path, **kept, PYTHONPROFILEIMPORTTIME="1")
    assert [part["name"] for part in json.loads(first.stdout)["sections"]] == ["intro", "drop", "end"]
    assert second.stdout == first.stdout
    assert "librosa" not in second.stderr
