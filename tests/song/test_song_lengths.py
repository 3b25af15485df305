"""A song is as long as what is heard of it, to the sample, whatever its container and its encoder add or say."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from oracle import BUNDLED, Film
from rendering import render_text, spec_text

from cinecut.diagnostics import Stop
from cinecut.media.probe import song_facts

Films = Callable[[Film], Film]
RATE, SAMPLES = 44100, 44100 * 2 + 123


def made(path: Path, *options: str, rate: int = RATE) -> Path:
    """Noise, encoded; it is loud to its last sample."""
    wave = path.with_name(f"{rate}.wav")
    sound = np.random.default_rng(1).uniform(-0.3, 0.3, (SAMPLES * rate // RATE, 2))
    soundfile.write(wave, sound, rate, subtype="PCM_16")
    subprocess.run([BUNDLED, "-v", "error", "-y", "-i", wave, *options, path], check=True, capture_output=True)
    return path


def decoded(song: Path) -> int:
    """The samples that FFmpeg plays."""
    command: list[str | Path] = [BUNDLED, "-v", "error", "-i", song, "-map", "0:a", "-f", "f32le", "-"]
    return len(subprocess.run(command, capture_output=True, check=False).stdout) // 8


KINDS = [
    *[("mp3", "-c:a libmp3lame", rate) for rate in (8000, 22050, 44100, 48000)],
    ("mp3", "-c:a libmp3lame -q:a 2 -write_xing 0", RATE),  # of a variable rate, and nothing says so
    *[("opus", "-c:a libopus", rate) for rate in (8000, 48000)],
    ("webm", "-c:a libopus", 48000),
    ("mkv", "-c:a aac", RATE),
    ("mka", "-c:a flac", RATE),
    ("webm", "-c:a libvorbis", RATE),
    ("ogg", "-c:a libvorbis", RATE),
    ("m4a", "-c:a aac", RATE),
    ("aac", "-c:a aac", RATE),
    ("wma", "-c:a wmav2", RATE),
    ("ts", "-c:a aac", RATE),
    ("avi", "-c:a pcm_s16le", RATE),
    ("mlp", "-c:a mlp -strict -2", 48000),
    ("thd", "-c:a truehd -strict -2", 48000),
    ("wv", "-c:a wavpack", RATE),
]


@pytest.mark.parametrize(("suffix", "options", "rate"), KINDS)
def test_a_song_is_as_long_as_what_ffmpeg_plays(suffix: str, options: str, rate: int, tmp_path: Path) -> None:
    song = made(tmp_path / f"song.{suffix}", *options.split(), rate=rate)
    facts = song_facts(song)
    assert facts.duration * facts.rate == decoded(song)


def with_count(song: Path, frames: int) -> None:
    data = bytearray(song.read_bytes())
    at = data.find(b"Xing") if b"Xing" in data else data.find(b"Info")
    data[at + 8 : at + 12] = struct.pack(">I", frames)
    song.write_bytes(data)


def broken_off(song: Path) -> None:
    song.write_bytes(song.read_bytes()[: song.stat().st_size * 2 // 3])


ODD: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "says more": ("mp3", "libmp3lame", lambda song: with_count(song, 5000)),
    "says less": ("mp3", "libmp3lame", lambda song: with_count(song, 20)),
    "a tag behind": ("mp3", "libmp3lame", lambda song: song.write_bytes(song.read_bytes() + b"TAG" + bytes(125))),
    "three in one": ("mp3", "libmp3lame", lambda song: song.write_bytes(3 * song.read_bytes())),
    "a chain": ("ogg", "libvorbis", lambda song: song.write_bytes(2 * song.read_bytes())),
    "a chain of Opus": ("opus", "libopus", lambda song: song.write_bytes(3 * song.read_bytes())),
    "a part of MP3": ("mp3", "libmp3lame", broken_off),
    "a part of FLAC": ("flac", "flac", broken_off),
    "a part of Vorbis": ("ogg", "libvorbis", broken_off),
}


@pytest.mark.parametrize("name", ODD)
def test_so_it_is_where_the_file_lies_breaks_off_or_goes_on(name: str, tmp_path: Path) -> None:
    suffix, codec, change = ODD[name]
    change(song := made(tmp_path / f"song.{suffix}", "-c:a", codec, rate=48000 if codec == "libopus" else RATE))
    facts = song_facts(song)
    assert facts.duration * facts.rate == decoded(song) > 0


@pytest.mark.parametrize(("suffix", "codec"), [("wav", "adpcm_ima_wav"), ("wav", "adpcm_ms"), ("mp4", "libopus")])
def test_what_pads_the_last_block_is_left_out_where_the_container_tells(
    suffix: str, codec: str, tmp_path: Path
) -> None:
    song = made(tmp_path / f"song.{suffix}", "-c:a", codec, rate=48000 if codec == "libopus" else RATE)
    facts = song_facts(song)
    assert facts.duration * facts.rate == SAMPLES * facts.rate // RATE < decoded(song)


def test_recordings_of_two_kinds_in_one_file_are_not_taken_for_the_first(tmp_path: Path) -> None:
    first, second = (made(tmp_path / f"{rate}.ogg", "-c:a", "libvorbis", rate=rate) for rate in (RATE, 48000))
    first.write_bytes(first.read_bytes() + second.read_bytes())
    with pytest.raises(Stop, match="several recordings one behind the other"):
        song_facts(first)


@pytest.mark.parametrize(("suffix", "codec"), [("mp3", "libmp3lame"), ("webm", "libopus"), ("wma", "wmav2")])
def test_a_song_that_starts_again_leaves_no_silence(suffix: str, codec: str, films: Films, tmp_path: Path) -> None:
    film = films(Film(tmp_path / "a.mkv", Fraction(24), 48, (64, 36), gop=24))
    song = made(tmp_path / f"song.{suffix}", "-c:a", codec)
    music = f"music: {{file: {song.name}, loop: true, join: 0s}}"
    head = f"effects: none\noutput: {{loudness: as mixed, codec: ffv1}}\n{music}"
    text = spec_text(film, ["{black: 7s}"], head)
    trailer = render_text(text, tmp_path, BUNDLED).path
    command: list[str | Path] = [BUNDLED, "-v", "error", "-i", trailer, "-map", "0:a", "-ac", "1", "-f", "f32le", "-"]
    heard = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)
    quarters = np.abs(heard[: 6 * 48000].reshape(-1, 120)).max(1)  # of 2.5 ms
    assert quarters.min() > 0.02
