"""How loud the finished file is, as FFmpeg's meter hears it; and that the stems are the mix."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from oracle import Film, Samples, Sound
from rendering import Rendered, render_text, spec_text, stems_of

from cinecut import vibes

Films = Callable[[Film], Film]
RATE = 48_000
SECONDS = 5
PROFILES = {"web": (-14, -1), "r128": (-23, -1), "atsc": (-24, -2), "streaming": (-27, -2)}


def loud() -> Samples:
    """Pressed against full scale, as records are."""
    sound = np.random.default_rng(0).standard_normal((SECONDS * RATE, 2))
    return np.asarray(np.tanh(3 * sound) * 0.98, np.float32)


def dynamic() -> Samples:
    """Soft, with short hits 30 dB above it."""
    sound = 0.02 * np.random.default_rng(1).standard_normal((SECONDS * RATE, 2))
    t = np.arange(RATE // 8) / RATE
    hit = 0.9 * np.sin(2 * np.pi * 90 * t) * np.exp(-20 * t)
    for second in range(0, SECONDS, 2):
        sound[second * RATE : second * RATE + len(t)] += hit[:, np.newaxis]
    return np.asarray(np.clip(sound, -1, 1), np.float32)


def quiet() -> Samples:
    return np.asarray(0.001 * np.random.default_rng(2).standard_normal((SECONDS * RATE, 2)), np.float32)


def silent() -> Samples:
    return np.zeros((SECONDS * RATE, 2), np.float32)


MIXES = {"loud": loud, "dynamic": dynamic, "quiet": quiet}


@pytest.fixture
def film(films: Films) -> Film:
    return films(Film(Path("a.mp4"), Fraction(24), 48, (160, 90), gop=24))


def render(film: Film, mix: Samples, output: str, folder: Path, ffmpeg: Path, vibe: str = "") -> Rendered:
    soundfile.write(folder / "song.wav", mix, RATE, subtype="FLOAT")
    head = f"{vibe}effects: none\nmusic: {{file: song.wav, gain: 0, fade_out: 1f}}\n"
    head += f"output: {{preset: ultrafast, {output}}}"
    return render_text(spec_text(film, [f"{{black: {SECONDS}s}}"], head), folder, ffmpeg)


def measured(file: Path, ffmpeg: Path) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP of a file's sound."""
    command: list[str | Path] = [
        ffmpeg,
        "-hide_banner",
        "-nostats",
        "-i",
        file,
        "-vn",
        "-af",
        "ebur128=peak=true",
        "-f",
        "null",
        "-",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    summary = said[said.rindex("Summary:") :]
    loudness, peak = re.search(r"I:\s+(\S+) LUFS", summary), re.search(r"Peak:\s+(\S+) dBFS", summary)
    assert loudness is not None
    assert peak is not None
    return float(loudness[1]), float(peak[1])


def is_at(file: Path, ffmpeg: Path, target: float, ceiling: float) -> None:
    """Within 0.3 LU of its loudness, and its peaks under the ceiling."""
    loudness, peak = measured(file, ffmpeg)
    assert abs(loudness - target) <= 0.3, f"{loudness} LUFS, not {target}"
    assert peak <= ceiling, f"{peak} dBTP, over {ceiling}"


PAIRS = [("web", "loud"), ("web", "dynamic"), ("r128", "dynamic"), ("atsc", "quiet"), ("streaming", "loud")]


@pytest.mark.matrix(3)
@pytest.mark.parametrize(("profile", "mix"), PAIRS)
def test_a_profile_is_met(film: Film, bundled: Path, ffmpeg: Path, tmp_path: Path, profile: str, mix: str) -> None:
    rendered = render(film, MIXES[mix](), f"loudness: {profile}", tmp_path, ffmpeg)
    is_at(rendered.path, bundled, *PROFILES[profile])


@pytest.mark.slow
@pytest.mark.parametrize("bitrate", ["96k", "320k"])
@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_met(film: Film, ffmpeg: Path, tmp_path: Path, profile: str, mix: str, bitrate: str) -> None:
    output = f"loudness: {profile}, audio_bitrate: {bitrate}"
    rendered = render(film, MIXES[mix](), output, tmp_path, ffmpeg)
    is_at(rendered.path, ffmpeg, *PROFILES[profile])


@pytest.mark.slow
@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("vibe", vibes.names())
def test_every_vibe_is_met(film: Film, bundled: Path, tmp_path: Path, vibe: str, mix: str) -> None:
    rendered = render(film, MIXES[mix](), "loudness: vibe", tmp_path, bundled, f"vibe: {vibe}\n")
    is_at(rendered.path, bundled, vibes.load_vibe(vibe).loudness, -1)


def test_the_vibes_loudness_is_the_default(film: Film, bundled: Path, tmp_path: Path) -> None:
    rendered = render(film, loud(), "crf: 30", tmp_path, bundled, "vibe: horror\n")
    is_at(rendered.path, bundled, vibes.load_vibe("horror").loudness, -1)


def test_silence_stays_silence(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    rendered = render(film, silent(), "loudness: web", tmp_path, ffmpeg)
    assert not rendered.sound.any()
    assert len(rendered.pictures) == SECONDS * 24


@pytest.mark.parametrize(("vibe", "output"), [("", "codec: ffv1"), ("vibe: war\n", "codec: ffv1, loudness: as mixed")])
def test_as_mixed_changes_nothing(film: Film, bundled: Path, tmp_path: Path, vibe: str, output: str) -> None:
    mix = dynamic()
    rendered = render(film, mix, output, tmp_path, bundled, vibe)
    assert np.abs(rendered.sound[: -RATE // 24] - mix[: -RATE // 24]).max() < 1e-6


def test_where_there_is_room_the_sound_is_only_made_louder(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    """No limiter touches what has no peaks: the mix times one factor."""
    mix = quiet()
    found = render(film, mix, "codec: ffv1, loudness: r128", tmp_path, ffmpeg).sound[: -RATE // 24]
    factor = float((found * mix[: len(found)]).sum() / (mix[: len(found)] ** 2).sum())
    assert factor > 2
    assert np.abs(found - factor * mix[: len(found)]).max() < 1e-5


def test_the_limiter_keeps_the_time(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    mix = dynamic()
    found = render(film, mix, "codec: ffv1, loudness: web", tmp_path, ffmpeg).sound
    assert len(found) == len(mix)
    soft = slice(RATE, 2 * RATE - RATE // 8)  # between the hits
    lag = np.fft.irfft(np.fft.rfft(found[soft, 0]) * np.conj(np.fft.rfft(mix[soft, 0])))
    assert int(np.argmax(lag)) == 0
    assert np.corrcoef(found[soft, 0], mix[soft, 0])[0, 1] > 0.95


def test_the_stems_are_the_mix(films: Films, ffmpeg: Path, tmp_path: Path) -> None:
    """Before the master: film, music, effects and voice, each at its level, add up to what is heard (here less than
    full scale, above which the file would clip)."""
    film = films(Film(Path("a.mov"), Fraction(24), 240, (160, 90), gop=24, sound=Sound(codec="pcm_s16le")))
    soundfile.write(tmp_path / "song.wav", dynamic(), RATE, subtype="FLOAT")
    head = "vibe: action\nmusic: song.wav\nmix: {film: -3, music: -8, effects: -5, voice: 2}\n"
    head += "output: {codec: ffv1, loudness: as mixed}"
    events = [
        "{shot: {in: 0s, for: 2s}, voice: {take: 6 - 7, at: 0.5s}}",
        "{shot: {in: 3s, for: 2s}, sound: whoosh, from: crossfade 6f}",
        "{black: 1s, silent: true}",
        "{shot: {in: 7s, for: 1s}, sound: [punch, {effect: riser, at: 1s, for: 0.5s}]}",
        "{black: 1s, cue: stop}",
    ]
    text = spec_text(film, events, head)
    stems = stems_of(text, tmp_path, ffmpeg)
    assert list(stems) == ["film", "music", "effects", "voice"]
    assert all(stem.any() for stem in stems.values())
    whole = np.sum(list(stems.values()), axis=0)
    assert np.abs(whole - render_text(text, tmp_path, ffmpeg).sound).max() < 1e-6


@pytest.mark.matrix(2)
@pytest.mark.parametrize("stem", ["film", "music", "effects", "voice"])
def test_the_level_of_each_stem(films: Films, bundled: Path, tmp_path: Path, stem: str) -> None:
    film = films(Film(Path("a.mov"), Fraction(24), 240, (160, 90), gop=24, sound=Sound(codec="pcm_s16le")))
    soundfile.write(tmp_path / "song.wav", dynamic(), RATE, subtype="FLOAT")
    events = ["{shot: {in: 0s, for: 2s}, voice: {take: 6 - 7, at: 0.5s}, sound: tick}"]
    usual, changed = (
        stems_of(spec_text(film, events, f"music: song.wav\nmix: {{{stem}: {gain}}}"), tmp_path, bundled)
        for gain in (0, -6)
    )
    for name, samples in usual.items():
        factor = 10 ** (-6 / 20) if name == stem else 1
        assert np.abs(changed[name] - samples * factor).max() < 1e-6
