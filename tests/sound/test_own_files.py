"""Narrators and sounds from files of the user's own: at their sample, ducked under, measured by link, checked."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from compiling import read_text
from correlation import sound_offset
from oracle import BUNDLED, Film, Samples, Sound, read_sound
from rendering import spec_text, stems_of

from cinecut.diagnostics import Report
from cinecut.known.record import key_of
from cinecut.language.read import load_spec
from cinecut.media.link import relink
from cinecut.render.check import check_spec, layout_of

RATE = 48_000
SOFT = 480
FACTS = "{fingerprint: 4-0, duration: 3, rate: 48000, channels: 1, layout: mono}"


@pytest.fixture
def film(films: Callable[[Film], Film]) -> Film:
    return films(Film(Path("a.mov"), Fraction(24), 240, (160, 90), gop=24, sound=Sound(codec="pcm_s16le")))


@pytest.fixture
def told(tmp_path: Path) -> Samples:
    """Three seconds of a file that tells its own sample number."""
    told = (np.arange(3 * RATE) / (3 * RATE) * 0.5 + 0.1).astype(np.float32)
    soundfile.write(tmp_path / "narrator.wav", told, RATE, subtype="FLOAT")
    return told


def stems(film: Film, events: list[str], folder: Path, ffmpeg: Path, head: str = "") -> dict[str, Samples]:
    return stems_of(spec_text(film, events, f"output: {{codec: ffv1, rate: 24}}\n{head}"), folder, ffmpeg)


@pytest.mark.parametrize(("key", "stem"), [("voice", "voice"), ("sound", "effects")])
@pytest.mark.parametrize(
    ("more", "at", "begin", "length"),
    [
        ("", 1.0, 0.0, 3.0),
        (", at: 0.5s, gain: -6", 1.5, 0.0, 3.0),
        (", at: -0.25s, start: 0.5, for: 1s", 0.75, 0.5, 1.0),
        (", for: 12f", 1.0, 0.0, 0.5),
    ],
)
def test_a_file_is_heard_at_its_exact_place(
    film: Film, told: Samples, bundled: Path, tmp_path: Path, key: str, stem: str, more: str, at: float, begin: float,
    length: float,
) -> None:  # fmt: skip
    events = ["{black: 1s}", f"{{black: 4s, {key}: {{file: narrator.wav{more}}}}}"]
    found = stems(film, events, tmp_path, bundled)[stem]
    start, samples = round(at * RATE), round(length * RATE)
    gain = 10 ** (-6 / 20) if "gain" in more else 1.0
    wanted = told[round(begin * RATE) :][:samples, None] * gain
    inside = slice(SOFT, samples - SOFT)
    assert np.abs(found[start : start + samples][inside] - wanted[inside]).max() < 2e-3
    assert not found[:start].any()
    assert not found[start + samples :].any()


@pytest.mark.parametrize("options", ["a.mka aac", "a.mka libmp3lame", "a.mka ac3", "a.flac flac -sample_fmt s32"])
def test_every_ffmpeg_plays_a_file_as_it_was_measured(film: Film, ffmpeg: Path, tmp_path: Path, options: str) -> None:
    name, *codec = options.split()
    noise = np.random.default_rng(1).normal(0, 0.1, (3 * RATE, 1)).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", noise, RATE)
    encode = ["-v", "error", "-i", str(tmp_path / "noise.wav"), "-c:a", *codec, "-b:a", "192k", "-strict", "-2"]
    subprocess.run([BUNDLED, *encode, tmp_path / name], check=True)
    found = stems(film, [f"{{black: 4s, voice: {{file: {name}}}}}"], tmp_path, ffmpeg)["voice"]
    song = read_sound(tmp_path / name)
    assert abs(sound_offset(found, song, RATE) - RATE) < 0.6
    assert abs(sound_offset(found, song, 2 * RATE) - 2 * RATE) < 0.6


def test_the_film_and_the_music_go_down_under_a_narrator(
    film: Film, told: Samples, bundled: Path, tmp_path: Path
) -> None:
    del told
    music = "music: {pulse: steady, beats: {tempo: 120}, duck: 12}\n"
    events = ["{shot: {in: 0s, for: 5s}}"]
    plain = stems(film, events, tmp_path, bundled, music)
    spoken = stems(film, [events[0][:-1] + ", voice: {file: narrator.wav, at: 1s}}"], tmp_path, bundled, music)
    inside, before = slice(2 * RATE, 3 * RATE), slice(0, RATE // 2)
    for stem, least in (("film", 8), ("music", 11)):
        was, now = (float(np.sqrt(np.mean(each[stem][inside] ** 2))) for each in (plain, spoken))
        assert 20 * np.log10(was / now) > least, stem
        assert np.abs(plain[stem][before] - spoken[stem][before]).max() < 1e-3


def test_link_measures_them_wherever_they_are_written(film: Film, told: Samples, tmp_path: Path) -> None:
    del told
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"cinecut: 1\nfilm: {film.path}\ntimeline:\n"
        "  - black: 4s   # mine\n    voice: {file: narrator.wav}\n"
        "  - black: 4s\n    sound:\n      - whoosh\n      - file: narrator.wav   # the same again\n        gain: -3\n"
        "  - {card: THE END, for: 4s, sound: [{file: narrator.wav}, punch]}\n"
    )
    assert [file.name for file in relink(path, None)] == [film.path.name, "narrator.wav"]
    text = path.read_text()
    assert "# mine" in text
    assert "# the same again" in text
    spec = load_spec(path, Report())[1]
    assert spec is not None
    found = [each.facts for entry in spec.timeline for each in (*entry.voice, *entry.sound) if each.file]  # type: ignore[union-attr]
    assert [facts is not None and facts.duration for facts in found] == [3, 3, 3]
    assert list(check_spec(path)) == []
    (tmp_path / "narrator.wav").write_bytes(b"other")
    assert {each.code for each in check_spec(path)} == {"other-file"}
    (tmp_path / "narrator.wav").unlink()
    assert [each.code for each in check_spec(path)] == ["missing-file"] * 3


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("voice: {gain: 3}", "under-determined"),
        ("voice: {file: a.wav, take: 0:01 - 0:02}", "over-determined"),
        ("voice: {take: 0:01 - 0:02, for: 1s}", "over-determined"),
        ("sound: {file: a.wav, effect: punch}", "over-determined"),
        ("sound: {file: a.wav, to_hz: 100}", "over-determined"),
        (f"voice: {{file: a.wav, facts: {FACTS}, start: 0:04}}", "past-end"),
        (f"voice: {{file: a.wav, facts: {FACTS}, at: 3s}}", "sound-outside"),
        (f"sound: {{file: a.wav, facts: {FACTS}, at: -1s}}", "sound-outside"),
        ("voice: {file: a.wav, for: 2 beats}", "no-grid"),
    ],
)
def test_what_cannot_be_is_said(event: str, code: str) -> None:
    head = "cinecut: 1\nfilm: {file: f.mp4, facts: {fingerprint: 4-0, size: 64x64, rate: 24, duration: 60}}\n"
    report = Report()
    layout_of(read_text(f"{head}timeline:\n  - black: 5s\n    {event}\n"), report)
    assert code in [each.code for each in report]


def test_a_hit_rings_until_the_trailer_ends() -> None:
    head = "cinecut: 1\nfilm: {file: f.mp4, facts: {fingerprint: 4-0, size: 64x64, rate: 24, duration: 60}}\n"
    report = Report()
    text = f"{head}timeline:\n  - black: 5s\n    sound: {{file: a.wav, facts: {FACTS}, at: 4s}}\n"
    [recording] = layout_of(read_text(text), report).track.recordings
    assert report.ok
    assert (recording.song.place.start, recording.song.place.end) == (4 * RATE, 5 * RATE)


def test_measured_facts_are_no_edit() -> None:
    head = "cinecut: 1\nfilm: f.mp4\ntimeline:\n  - black: 5s\n    voice: {file: a.wav%s}\n"
    before, after = (read_text(head % facts).timeline[0] for facts in ("", f", facts: {FACTS}"))
    assert key_of(before) == key_of(after)
