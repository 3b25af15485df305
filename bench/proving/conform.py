"""Whether `conform` finds each frame of a trailer in its film: trailers of random cuts, encoded again at half their
size and at another rate."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from bench.figures import Figure, print_rows, work_folder
from bench.film import FFMPEG, Film
from bench.measure import Command, run
from bench.rendering.cutlist import Shot
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.timebase import seconds_text
from cinecut.proof.conform.film import FilmPictures
from cinecut.proof.conform.matching import Piece
from cinecut.proof.conform.reading import conform
from cinecut.render.job import SILENT, prepare, render

TRAILERS, SHOTS = 20, 12


def table(film: Film, runs: int) -> list[Figure]:
    """All trailers once; `runs` changes nothing."""
    folder = work_folder() / "conform"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rows, right, frames, astray = list[tuple[str, ...]](), 0, 0, 0
    pictures = FilmPictures.open(film.path, lambda done: None)
    for seed in range(TRAILERS):
        shots, file = make(film, seed, folder)
        pieces = conform(file, [film.path], file.with_suffix(".yaml"), lambda stage, done: None).pieces
        good, far, count = judge(shots, pieces, pictures, rate_of(seed))
        right, astray, frames = right + good, astray + far, frames + count
        rows.append((file.name, str(count), str(good), str(far)))
    print_rows(("trailer", "frames", "within one", "elsewhere"), rows)
    decode = run(Command((FFMPEG, "-nostdin", "-v", "error", "-i", str(film.path), "-f", "null", "-")))
    cold = run(_command(film, folder, folder / "cold"))
    warm = run(_command(film, folder, folder / "cold"))
    return [
        Figure("frames within one of the film's, %", 100 * right / frames, 99, at_least=True),
        Figure("frames at a wrong place of the film", astray, 0),
        Figure("time against a decode of the film", cold.wall / decode.wall, 0.5),
        Figure("the same trailer again", warm.wall, 10, unit=" s"),
    ]


def rate_of(seed: int) -> Fraction:
    return Fraction(25 if seed % 2 else 30)


def make(film: Film, seed: int, folder: Path) -> tuple[list[Shot], Path]:
    """A trailer's shots, and its file, encoded again."""
    dice = random.Random(seed)
    shots = [Shot(dice.randrange(240, film.frames - 480), dice.choice((24, 36, 48, 60))) for _ in range(SHOTS)]
    spec, clean = folder / f"trailer{seed}.source.yaml", folder / f"trailer{seed}.source.mp4"
    rows = [f'  - shot: {{in: "{moment(s.start, film)}s", for: {s.frames}f}}' for s in shots]
    head = ["cinecut: 1", f'film: "{film.path}"', "output: {size: 640x360, preset: ultrafast}", "timeline:"]
    spec.write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")
    render(prepare(spec), clean, find_ffmpeg(FFMPEG), SILENT, force=True)
    file = folder / f"trailer{seed}.mp4"
    again = ["-vf", "scale=320:180", "-r", str(rate_of(seed)), "-crf", "26", "-preset", "veryfast", "-c:a", "copy"]
    subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", "-i", str(clean), *again, str(file)], check=True)
    return shots, file


def _same(film: FilmPictures, one: int, other: int) -> bool:
    """Whether two pictures of the film differ by less than half a level."""
    a, b = (film.luma_between(rank, rank + 1)[0].astype(np.int16) for rank in (one, other))
    return float(np.abs(a - b).mean()) < 0.5


def moment(frame: int, film: Film) -> str:
    """A time of which this is the frame on screen: a quarter of it after it begins."""
    return seconds_text((frame + Fraction(1, 4)) / film.rate)


def judge(shots: Sequence[Shot], pieces: Sequence[Piece], film: FilmPictures, rate: Fraction) -> tuple[int, int, int]:
    """Frames within one of the film's frame that they show, or of the very same picture where the film stands still;
    frames of another picture, more than a second away; and all."""
    film_rate = film.facts.rate
    starts, at = list[tuple[int, Shot]](), 0
    for shot in shots:
        starts.append((at, shot))
        at += shot.frames
    right, astray, count = 0, 0, 0
    for piece in pieces:
        for frame in range(piece.start, piece.end):
            moments = [int(frame * film_rate / rate) + step for step in (-1, 0, 1)]  # as programs round
            shown = [shot.start + k - a for k in moments for a, shot in starts if a <= k < a + shot.frames]
            count += 1
            if piece.film is not None and shown:
                own = piece.first + (frame - piece.start) * piece.speed * film_rate / rate
                away, nearest = min((abs(int(own) - each), each) for each in shown)
                same = away <= 1 or _same(film, int(own), nearest)
                right, astray = right + same, astray + (away > 24 and not same)
    return right, astray, count


def _command(film: Film, folder: Path, cache: Path) -> Command:
    trailer, spec = folder / "trailer0.mp4", folder / "cold.yaml"
    words = ("conform", str(trailer), str(film.path), "-f", "-o", str(spec))
    program = "from cinecut.cli import main; main()"
    return Command((sys.executable, "-c", program, *words), spec, {"CINECUT_CACHE_DIR": str(cache)})
