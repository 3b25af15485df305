"""The film of the benchmarks: Big Buck Bunny at 720p and 24 frames/s, or the one that CINECUT_FILM names."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg

from bench.figures import ROOT, work_folder
from cinecut.language.timebase import seconds_text
from tools.demo_film import fetch_tutorial_film

FFMPEG = os.environ.get("CINECUT_FFMPEG") or imageio_ffmpeg.get_ffmpeg_exe()
"""One build for the hand-written graph and for cinecut, so that the two differ in nothing but their graphs."""


@dataclass(frozen=True, slots=True)
class Film:
    path: Path
    rate: Fraction  # frames per second, constant
    frames: int
    size: tuple[int, int]  # pixels


def film() -> Film:
    """The film of CINECUT_FILM, or the one that the figures are stated for, fetched once into media/."""
    named = os.environ.get("CINECUT_FILM")
    path = Path(named) if named else fetch_tutorial_film(ROOT / "media")
    return measure(path.resolve())


def measure(path: Path) -> Film:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = stream.average_rate
        assert rate is not None
        return Film(path, Fraction(rate), stream.frames, (stream.width, stream.height))


def long_film(short: Film, repeats: int = 12) -> Film:
    """The film many times over by stream copy, made once: two hours of the ten-minute one.

    The list states each part's length, or the sound's last packet would put every part off the grid of frames.
    """
    path = work_folder() / f"{short.path.stem}_x{repeats}{short.path.suffix}"
    if not path.exists():
        playlist = path.with_suffix(".ffconcat")
        name = str(short.path).replace("'", r"'\''")
        part = f"file '{name}'\nduration {seconds_text(short.frames / short.rate)}\n"
        playlist.write_text("ffconcat version 1.0\n" + part * repeats)
        argv = [FFMPEG, "-nostdin", "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", str(playlist)]
        half_made = path.with_stem(path.stem + ".part")
        subprocess.run([*argv, "-map", "0:v:0", "-map", "0:a:0", "-c", "copy", str(half_made)], check=True)
        half_made.replace(path)
    return measure(path)
