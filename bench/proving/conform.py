"""Whether `conform` finds each frame of a trailer in its film: trailers of random cuts, encoded again at half their
size and at another rate. What it costs is measured with trailers of two minutes and a film of two hours. Where
CINECUT_FADES names a film of fades and cards on black, trailers of another render of it are judged, too."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from bench.figures import Figure, print_rows, work_folder
from bench.film import FFMPEG, Film, long_film, measure
from bench.measure import MB, Command, run
from bench.rendering.cutlist import Shot
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.timebase import seconds_text
from cinecut.proof.conform.places.film import FilmPictures
from cinecut.proof.conform.places.placing import Piece
from cinecut.proof.conform.reading import conform
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render

TRAILERS, RENDERS, SHOTS = 20, 3, 12
_LONG = 69  # shots of a trailer of two minutes
_SAME = 0.5  # mean levels: one picture of a film that stands still
ALIKE = 1.5  # mean levels: two pictures that nobody can tell apart

LOOK = "crop=iw*0.96:ih*0.96,scale=960:540,setsar=1,crop=960:402,eq=gamma=1.25:saturation=0.8:contrast=1.05"
TITLE = "drawbox=250:160:460:8:white:fill,drawbox=300:190:360:40:white:fill,drawbox=250:250:460:8:white:fill"
LOGO = "pad=960:540:0:69,drawbox=860:90:60:24:white@0.6:fill"


def table(film: Film, runs: int) -> list[Figure]:
    """All trailers once; `runs` changes nothing."""
    folder = work_folder() / "conform"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rows, right, frames, astray = list[tuple[str, ...]](), 0, 0, 0
    with FilmPictures.open(film.path, lambda done: None) as pictures:
        for seed in range(TRAILERS):
            shots, file = make(film, seed, folder)
            pieces = _conformed(film, file)
            good, far, count = judge(shots, pieces, pictures, rate_of(seed))
            right, astray, frames = right + good, astray + far, frames + count
            rows.append((file.name, str(count), str(good), str(far)))
    print_rows(("trailer", "frames", "within one", "elsewhere"), rows)
    lost, wrong, shown = _renders(film, range(RENDERS), folder)
    return [
        Figure(f"shots of another render not found, of {shown}", lost, 0),
        Figure("shots of another render at a wrong place", wrong, 0),
        *_of_fades(folder),
        Figure("frames within one of the film's, %", 100 * right / frames, 99, at_least=True),
        Figure("frames at a wrong place of the film", astray, 0),
        *_costs(film, folder),
    ]


def _renders(film: Film, seeds: Sequence[int], folder: Path) -> tuple[int, int, int]:
    """Shots that are not found, that are at a wrong place, and all, of trailers of another render."""
    lost, wrong, shown = 0, 0, 0
    for seed in seeds:
        takes, file = another_render(film, seed, folder)
        with FilmPictures.open(film.path, lambda done: None) as pictures:
            missing, elsewhere = judge_shots(takes, _conformed(film, file), pictures)
        lost, wrong, shown = lost + missing, wrong + elsewhere, shown + len(takes)
    return lost, wrong, shown


def _of_fades(folder: Path) -> list[Figure]:
    """The same of a film of fades, cards and logos on black, if there is one."""
    named = os.environ.get("CINECUT_FADES")
    if not named:
        return []
    own = folder / "fades"
    own.mkdir()
    lost, wrong, shown = _renders(measure(Path(named).resolve()), range(RENDERS), own)
    return [
        Figure(f"shots of a film of fades not found, of {shown}", lost, 0),
        Figure("shots of a film of fades at a wrong place", wrong, 0),
    ]


def _costs(film: Film, folder: Path) -> list[Figure]:
    """What the first trailer of a film costs, and a second one."""
    long, cache = long_film(film), folder / "cache"
    first, second = (make(film, TRAILERS + number, folder, _LONG)[1] for number in range(2))
    decode = run(Command((FFMPEG, "-nostdin", "-v", "error", "-i", str(long.path), "-f", "null", "-")))
    cold, warm = run(_command(long, first, cache)), run(_command(long, second, cache))
    rows = [(name, f"{m.wall:.1f}", f"{m.cpu:.1f}", f"{m.peak / MB:.0f}")
            for name, m in (("decode", decode), ("first trailer", cold), ("second trailer", warm))]  # fmt: skip
    print_rows(("two hours", "wall s", "CPU s", "peak MB"), rows)
    return [
        Figure("two hours, first trailer: time against a decode of the film", cold.wall / decode.wall, 0.5),
        Figure("two hours, first trailer: processor time against that", cold.cpu / decode.cpu, 0.5),
        Figure("two hours, first trailer: memory", cold.peak / MB, 1500, unit=" MB"),
        Figure("two hours, second trailer", warm.wall, 10, unit=" s"),
    ]


def rate_of(seed: int) -> Fraction:
    return Fraction(25 if seed % 2 else 30)


def make(film: Film, seed: int, folder: Path, count: int = SHOTS) -> tuple[list[Shot], Path]:
    """A trailer's shots, and its file, encoded again."""
    dice = random.Random(seed)
    shots = [Shot(dice.randrange(240, film.frames - 480), dice.choice((24, 36, 48, 60))) for _ in range(count)]
    spec, clean = folder / f"trailer{seed}.source.yaml", folder / f"trailer{seed}.source.mp4"
    rows = [f'  - shot: {{in: "{moment(s.start, film)}s", for: {s.frames}f}}' for s in shots]
    head = ["cinecut: 1", f'film: "{film.path}"', "output: {size: 640x360, preset: ultrafast}", "timeline:"]
    spec.write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")
    render(prepare(spec), clean, find_ffmpeg(FFMPEG), SILENT, force=True)
    file = folder / f"trailer{seed}.mp4"
    again = ["-vf", "scale=320:180", "-r", str(rate_of(seed)), "-crf", "26", "-preset", "veryfast", "-c:a", "copy"]
    subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", "-i", str(clean), *again, str(file)], check=True)
    return shots, file


@dataclass(frozen=True, slots=True)
class Take:
    """A shot of another render: film frames from `first` on, at a speed, perhaps mirrored or under a title; `blend`
    frames of it are a dissolve from the one before. It lasts `frames` of the trailer, from `start` on."""

    first: int
    start: int
    frames: int
    speed: Fraction
    flipped: bool
    title: bool
    blend: int


def another_render(film: Film, seed: int, folder: Path) -> tuple[list[Take], Path]:
    """A trailer of 25 frames a second, cut from a render that is cropped, letterboxed and graded, with a logo."""
    dice, takes, at = random.Random(1000 + seed), list[Take](), 0
    for number in range(SHOTS):
        speed = {3: Fraction(1, 2), 6: Fraction(2), 9: Fraction(3, 2)}.get(number, Fraction(1))
        first, frames = dice.randrange(300, film.frames - 600), dice.choice((25, 37, 50, 62))
        blend = 12 if number in (2, 7) else 0
        takes.append(Take(first, at - blend, frames, speed, number in (4, 10), number in (5, 8), blend))
        at += frames - blend
    inputs, parts, joined = list[str](), list[str](), "[v0]null[j0]"
    for number, take in enumerate(takes):
        length = seconds_text((Fraction(take.frames, 25) + 1) * take.speed)
        inputs += ["-ss", moment(take.first, film), "-t", length, "-i", str(film.path)]
        chain = [f"[{number}:v]setpts=(PTS-STARTPTS)/{float(take.speed)}", "fps=25", *(["hflip"] * take.flipped), LOOK]
        chain += [*([TITLE] * take.title), f"trim=end_frame={take.frames}", "setpts=PTS-STARTPTS", "settb=1/25"]
        parts.append(f"{','.join(chain)}[v{number}]")
        if number:
            fade = f"xfade=duration={take.blend / 25}:offset={take.start / 25}" if take.blend else "concat"
            joined += f";[j{number - 1}][v{number}]{fade},settb=1/25,fps=25[j{number}]"
    file = folder / f"render{seed}.mp4"
    graph = ";".join([*parts, f"{joined};[j{SHOTS - 1}]{LOGO},format=yuv420p[out]"])
    argv = [FFMPEG, "-nostdin", "-v", "error", "-y", *inputs, "-filter_complex", graph, "-map", "[out]"]
    subprocess.run([*argv, "-crf", "24", "-preset", "veryfast", str(file)], check=True)
    return takes, file


def judge_shots(takes: Sequence[Take], pieces: Sequence[Piece], film: FilmPictures) -> tuple[int, int]:
    """Shots of which the middle is not found, and those of which it is found at another place. One that the spec calls
    not certain is at no other place while nobody can tell its picture from the right one."""
    lost, wrong = 0, 0
    for take in takes:
        middle = take.start + (take.frames + take.blend) // 2
        piece = next(each for each in pieces if each.start <= middle < each.end)
        if piece.film is None:
            lost += 1
            continue
        shown = int(take.first + (middle - take.start) * take.speed * 24 / 25)
        found = int(piece.first + (middle - piece.start) * piece.speed * 24 / 25)
        same = abs(shown - found) <= 12 or (not piece.certain and apart(film, shown, found) < ALIKE)
        wrong += not same or piece.flipped != take.flipped
    return lost, wrong


def _conformed(film: Film, file: Path) -> list[Piece]:
    return conform(file, [film.path], file.with_suffix(".yaml"), lambda stage, done: None).pieces


def apart(film: FilmPictures, one: int, other: int) -> float:
    """Mean levels between two pictures of the film."""
    a, b = (film.luma_between(rank, rank + 1)[0].astype(np.int16) for rank in (one, other))
    return float(np.abs(a - b).mean())


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
                same = away <= 1 or apart(film, int(own), nearest) < _SAME
                right, astray = right + same, astray + (away > 24 and not same)
    return right, astray, count


def _command(film: Film, trailer: Path, cache: Path) -> Command:
    spec = trailer.with_suffix(".conformed.yaml")
    words = ("conform", str(trailer), str(film.path), "-f", "-o", str(spec))
    program = "from cinecut.cli import main; main()"
    return Command((sys.executable, "-c", program, *words), spec, {"CINECUT_CACHE_DIR": str(cache)})
