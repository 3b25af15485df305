"""Sound in six channels: the film's stay where they are, music and effects come from the front."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from oracle import Film, Samples
from rendering import render_text, spec_text
from test_loudness import is_at

from cinecut.graph import channels

Films = Callable[[Film], Film]
RATE = 48_000
TONES = (300, 400, 500, 60, 700, 800)  # Hz, one for each of FL FR FC LFE BL BR
SONG = 1_000  # Hz
EVENTS = [
    "{shot: {in: 0.5s, for: 24f}}",
    "{shot: {in: 2s, for: 24f}, from: crossfade 8f, sound_trail: 4f}",
    "{black: 12f, silent: true}",
    "{shot: {in: 1s, for: 24f}, voice: {take: 3s - 3.5s}, sound: whoosh, speed: 0.5}",
    "{shot: {in: 0.5s, for: 48f}}",
]


@pytest.fixture
def surround(films: Films, bundled: Path, tmp_path: Path) -> Film:
    """A film of 5.1, a tone in each channel."""
    plain = films(Film(Path("a.mkv"), Fraction(24), 120, (160, 90), gop=24))
    file = tmp_path / "surround.mkv"
    tones = "|".join(f"0.1*sin(2*PI*{hertz}*t)" for hertz in TONES)
    source = ["-f", "lavfi", "-i", f"aevalsrc=exprs={tones}:c=5.1:s={RATE}:d=5"]
    command: list[str | Path] = [
        bundled,
        "-v",
        "error",
        "-i",
        plain.path,
        *source,
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c:v",
        "copy",
    ]
    subprocess.run([*command, "-c:a", "flac", file], check=True)
    return Film(file, plain.rate, plain.frames)


def written(film: Film, folder: Path, output: str) -> str:
    t = np.arange(8 * RATE) / RATE
    soundfile.write(folder / "song.wav", 0.1 * np.sin(2 * np.pi * SONG * t), RATE, subtype="FLOAT")
    music = "music: {file: song.wav, gain: 0, duck: 0, fade_out: 1f}"
    return spec_text(film, EVENTS, f"effects: none\n{music}\n{output}")


def read(file: Path, ffmpeg: Path, channels: int) -> Samples:
    """[shape=(samples, channels)]"""
    command: list[str | Path] = [ffmpeg, "-v", "error", "-i", file, "-map", "0:a", "-f", "f32le", "-"]
    heard = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(heard, np.float32).reshape(-1, channels)


def amplitude(sound: Samples, hertz: int) -> float:
    t = np.arange(len(sound)) / RATE
    return float(2 * abs(np.mean(sound * np.exp(-2j * np.pi * hertz * t))))


def test_the_film_keeps_its_channels_and_music_comes_from_the_front(
    surround: Film, bundled: Path, ffmpeg: Path, tmp_path: Path
) -> None:
    text = written(surround, tmp_path, "output: {codec: ffv1, channels: 6, loudness: as mixed}")
    sound = read(render_text(text, tmp_path, ffmpeg).path, bundled, 6)
    last = sound[-RATE - RATE // 2 : -RATE // 2]  # a second of nothing but the film and the song
    for channel in range(6):
        found = [amplitude(last[:, channel], hertz) for hertz in TONES]
        assert found[channel] == pytest.approx(0.1 / 2.4142, rel=0.01)
        assert sum(found) - found[channel] < 0.001
        assert amplitude(last[:, channel], SONG) == pytest.approx(0.1 if channel < 2 else 0, abs=0.001)
    silence = sound[58 * 2000 : 60 * 2000]  # the last two frames of the silent black, 24 a second
    assert np.abs(silence).max() < 0.001


def test_a_stereo_file_is_the_same_beside_one_of_six_channels(
    surround: Film, bundled: Path, ffmpeg: Path, tmp_path: Path
) -> None:
    both = "[{name: stereo}, {name: surround, channels: 6}, {name: music, stem: music, channels: 6}]"
    output = "output: {preset: ultrafast, loudness: r128}"
    alone = render_text(written(surround, tmp_path, output), tmp_path, ffmpeg, "alone").path
    made = render_text(written(surround, tmp_path, f"{output}\ndeliverables: {both}"), tmp_path, ffmpeg, "all").path
    stereo, six = (made.with_name(f"all_{name}.mp4") for name in ("stereo", "surround"))
    assert np.array_equal(read(stereo, bundled, 2), read(alone, bundled, 2))
    is_at(six, bundled, -23, -1)
    music = read(made.with_name("all_music.wav"), bundled, 6)
    assert np.abs(music[:, :2]).max() > 0.05
    assert not music[:, 2:].any()


def test_every_layout_has_a_place_in_six_channels() -> None:
    for layout in ["mono", "stereo", "5.1(side)", "7.1", "22.2", "downmix", "hexadecagonal", "4 channels"]:
        terms = channels.surround(layout).split("|")
        assert terms[0] == "5.1"
        for number in range(len(channels.channels_of(layout))):
            assert any(f"c{number}" in term.partition("=")[2].replace("*", "+").split("+") for term in terms[1:])
    assert channels.surround("5.1(side)").split("|")[5] == "c4=0.4142*c4"


@pytest.mark.parametrize("name", ["film", "song"])
def test_channels_in_an_order_of_their_own(
    films: Films, bundled: Path, ffmpeg: Path, tmp_path: Path, name: str
) -> None:
    """QuickTime names each channel, in any order: what is said to be in the centre is heard in the centre."""
    plain = films(Film(Path("a.mkv"), Fraction(24), 120, (160, 90), gop=24))
    tones = "|".join(f"0.1*sin(2*PI*{hertz}*t)" for hertz in (300, 400, 500, 60))
    mixed = ["-f", "lavfi", "-i", f"aevalsrc=exprs={tones}:c=FC+FR+FL+LFE:s={RATE}:d=5"]
    inputs: list[str | Path] = [*mixed, "-i", plain.path, "-c:v", "copy", "-c:a", "pcm_s24le"]
    file = tmp_path / "named.mov"
    subprocess.run([bundled, "-v", "error", *inputs, file], check=True)
    output = "effects: none\noutput: {codec: ffv1, loudness: as mixed}"
    if name == "film":
        text = spec_text(Film(file, plain.rate, plain.frames), ["{shot: {in: 0.5s, for: 48f}}"], output)
    else:
        music = "music: {file: named.mov, gain: 0, duck: 0, fade_out: 1f}"
        text = spec_text(plain, ["{black: 48f}"], f"{output}\n{music}")
    sound = read(render_text(text, tmp_path, ffmpeg).path, bundled, 2)[RATE // 2 : RATE + RATE // 2]
    left, right = ([amplitude(sound[:, side], hertz) for hertz in (300, 400, 500, 60)] for side in (0, 1))
    scale = 0.1 / 1.7071
    assert left == pytest.approx([0.7071 * scale, 0, scale, 0], abs=0.0005)
    assert right == pytest.approx([0.7071 * scale, scale, 0, 0], abs=0.0005)
