"""Recordings put one behind the other by their bytes: where libraries read the first alone, this is said."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from oracle import BUNDLED

from cinecut.diagnostics import Stop
from cinecut.media.probe import film_facts, song_facts

FILMS = {
    "flv": "-c:v flv -c:a libmp3lame -ar 44100", "wmv": "-c:v wmv2 -c:a wmav2", "mp4": "-c:v mpeg4 -c:a aac",
    "m4v": "-c:v mpeg4 -an -f mp4 -movflags faststart",
    "mov": "-c:v mjpeg -c:a pcm_s16le", "wtv": "-c:v mpeg4 -c:a mp2",
    "mxf": "-c:v mpeg2video -c:a pcm_s16le -ar 48000", "swf": "-c:v flv -an", "apng": "-an -f apng", "y4m": "-an",
    "ivf": "-c:v libvpx -deadline realtime -an",
}  # fmt: skip
SONGS = {
    "wav": "", "w64": "", "rf64": "-f wav -rf64 always", "aiff": "", "caf": "-c:a pcm_s16le", "m4a": "-c:a aac",
    "wma": "-c:a wmav2", "tta": "", "voc": "",
}  # fmt: skip
INPUTS = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1")


def made(path: Path, options: str, inputs: tuple[str, ...] = INPUTS) -> bytes:
    subprocess.run([BUNDLED, "-v", "error", *inputs, *options.split(), path], check=True)
    return path.read_bytes()


@pytest.mark.parametrize("kind", [*FILMS, *SONGS])
def test_the_second_one_is_mentioned_with_what_divides_them(kind: str, tmp_path: Path) -> None:
    film = kind in FILMS
    one = made(tmp_path / f"one.{kind}", (FILMS | SONGS)[kind], INPUTS if film else INPUTS[4:])
    (tmp_path / f"both.{kind}").write_bytes(one + one)
    with pytest.raises(Stop, match="several recordings one behind the other") as stop:
        (film_facts if film else song_facts)(tmp_path / f"both.{kind}")
    commands = stop.value.diagnostics[0].hints[0].partition(": ")[2].replace("FILE", f"both.{kind}")
    subprocess.run(["sh", "-c", commands], check=True, cwd=tmp_path)
    assert [(tmp_path / f"{n}.{kind}").read_bytes() for n in (1, 2)] == [one, one]


@pytest.mark.parametrize("kind", ["flv", "mp4", "mov", "wmv", "mxf", "wav", "m4a"])
@pytest.mark.parametrize("more", [b"\0" * 5000, b"\0\0\1\0free" + b"ftyp" * 62, b"TAG" + b" " * 125])
def test_what_is_no_recording_is_not_mentioned(kind: str, more: bytes, tmp_path: Path) -> None:
    """Padding, free space and tags."""
    film = kind in FILMS
    one = made(tmp_path / f"one.{kind}", (FILMS | SONGS)[kind], INPUTS if film else INPUTS[4:])
    (tmp_path / f"more.{kind}").write_bytes(one + more)
    measure = film_facts if film else song_facts
    assert measure(tmp_path / f"more.{kind}").duration == measure(tmp_path / f"one.{kind}").duration
