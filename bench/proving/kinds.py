"""Whether `conform` finds the shots of a trailer whatever was done to it: one trailer for each kind of transfer, edit
and damage, all of the same cuts of the film."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from bench.figures import Figure, print_rows, work_folder
from bench.film import FFMPEG, Film
from bench.proving.conform import ALIKE, apart
from cinecut.language.timebase import seconds_text
from cinecut.media.probe import film_facts
from cinecut.proof.conform.places.film import FilmPictures
from cinecut.proof.conform.places.placing import Piece
from cinecut.proof.conform.reading import conform

SHOTS, SEED = 10, 2024
_NEAR = Fraction(1, 12)  # seconds of the film beside the true place: two frames
_APART = Fraction(1, 2)  # beside it and not yet at another place
_SIZE = "scale=640:360,setsar=1"


@dataclass(frozen=True, slots=True)
class Cut:
    """Film frames from `first` on for `frames` frames of the trailer, at a speed; `more` is what is done to this shot
    alone, FFmpeg's filters at the film's size; `blend` frames of it are a dissolve from the one before. Without a
    `film` it is of another one."""

    first: int
    frames: int
    speed: Fraction = Fraction(1)
    more: str = "null"
    blend: int = 0
    film: bool = True

    @property
    def flipped(self) -> bool:
        return "hflip" in self.more


@dataclass(frozen=True, slots=True)
class Kind:
    """`look` is done to each picture, `whole` to the trailer; `cut` changes the cut of a number; a film frame lasts
    `pace` of its length."""

    look: str = _SIZE
    whole: str = "null"
    cut: Callable[[int, Cut], Cut] = lambda number, cut: cut
    rate: Fraction = Fraction(24)
    pace: Fraction = Fraction(1)
    coding: str = "-crf 23"


def _each(**values: object) -> Callable[[int, Cut], Cut]:
    """Each shot with these values; of a list, each with the next one."""

    def change(number: int, cut: Cut) -> Cut:
        own = {key: each[number % len(each)] if isinstance(each, list) else each for key, each in values.items()}
        return replace(cut, **own)  # type: ignore[arg-type]  # the fields of a cut

    return change


def _half(text: str) -> Callable[[int, Cut], Cut]:
    return _each(more=[text, "null"])


_SPEEDS = [Fraction(1, 2), Fraction(3, 2), Fraction(2), Fraction(1), Fraction(4, 5), Fraction(5, 4)]


def _box(x: float, y: float, w: float, h: float, color: str, when: str = "1") -> str:
    """A box over the picture, in shares of it."""
    return f"drawbox=x=iw*{x}:y=ih*{y}:w=iw*{w}:h=ih*{h}:c={color}:t=fill:enable='{when}'"


_TITLE = f"{_box(0.25, 0.4, 0.5, 0.03, 'white')},{_box(0.3, 0.46, 0.4, 0.1, 'white')}"
_SUBTITLE = _box(0.2, 0.84, 0.6, 0.06, "yellow")
_DIGITS = [_box(0.36 + 0.07 * n, 0.03, 0.03, 0.05, "white", f"mod(floor(n/{2**n}),2)") for n in range(4)]
_CODE = ",".join([_box(0.35, 0.02, 0.3, 0.07, "black"), *_DIGITS])
_REFRAMES = [f"crop=iw*{z}:ih*{z}:(iw-ow)*{x}:(ih-oh)*{y},scale=1280:720" for z, x, y in
             ((0.9, 0.2, 0.8), (0.85, 1, 0.5), (0.75, 0.5, 0.3), (0.9, 0.5, 0.5), (0.7, 0.1, 0.6))]  # fmt: skip
_PUSH = "zoompan=z='1+0.002*on':x='iw/2-(iw/zoom/2)':y='ih/2-(ih/zoom/2)':d=1:s=1280x720:fps=24"
_FADES = ["fade=in:0:10", "fade=out:20:12", "fade=in:0:8:color=white", "fade=out:24:8:color=white"]

KINDS: Mapping[str, Kind] = {
    "as it is": Kind(),
    "letterbox of 2.39": Kind("crop=iw:iw/2.39,scale=640:268,setsar=1", "pad=640:360:0:46"),
    "pan and scan, 4:3": Kind("crop=ih*4/3:ih:(iw-ow)*0.6:0,scale=480:360,setsar=1"),
    "stretched to 4:3": Kind("scale=480:360,setsar=1"),
    "pillarbox": Kind("scale=480:270,setsar=1", "pad=640:270:80:0"),
    "window boxed": Kind("scale=480:270,setsar=1", "pad=640:360:80:45"),
    "upright": Kind("crop=ih*9/16:ih,scale=270:480,setsar=1"),
    "graded": Kind(f"{_SIZE},eq=gamma=1.5:contrast=1.25:saturation=0.5,colorbalance=rs=0.2:bs=-0.2"),
    "black and white": Kind(f"{_SIZE},hue=s=0,eq=contrast=1.4"),
    "grain": Kind(f"{_SIZE},noise=alls=28:allf=t"),
    "soft and small": Kind("scale=192:108,setsar=1,gblur=1", coding="-crf 34"),
    "very dark": Kind(f"{_SIZE},eq=brightness=-0.25:contrast=0.45"),
    "washed out": Kind(f"{_SIZE},eq=brightness=0.2:contrast=0.4"),
    "logo and time code": Kind(f"{_SIZE},{_CODE}", "drawbox=560:20:60:30:white@0.7:fill"),
    "speeds": Kind(cut=_each(speed=_SPEEDS)),
    "dissolves": Kind(cut=_each(blend=[0, 16, 10, 24], frames=[60, 72, 64])),
    "fades": Kind(cut=_each(more=_FADES)),
    "flash frames": Kind(cut=_half("drawbox=t=fill:c=white:enable='lt(n,2)'")),
    "mirrored": Kind(cut=_half("hflip")),
    "titles": Kind(cut=_half(_TITLE)),
    "subtitles": Kind(cut=_half(_SUBTITLE)),
    "reframed": Kind(cut=_each(more=_REFRAMES)),
    "pushed in": Kind(cut=_half(_PUSH)),
    "quick cuts": Kind(cut=_each(frames=[4, 5, 6, 7, 8])),
    "of another film": Kind(cut=_each(film=[True, False])),
    "25 a second, faster": Kind(rate=Fraction(25), pace=Fraction(24, 25)),
    "30 a second": Kind(rate=Fraction(30)),
    "pulled down": Kind(whole="telecine=pattern=23", rate=Fraction(24)),
    "50 fields": Kind(whole="fps=50,tinterlace=interleave_top", rate=Fraction(24), coding="-crf 20 -flags +ilme+ildct"),
    "all at once": Kind(
        "crop=iw*0.95:ih*0.9,scale=640:340,setsar=1,eq=gamma=0.8:saturation=0.6,noise=alls=10:allf=t",
        "pad=640:360:0:10", _each(more=["hflip", _TITLE, "null"], speed=[1, Fraction(1, 2), 1, Fraction(3, 2), 1],
                                  blend=[0, 0, 0, 10]), Fraction(25)),
}  # fmt: skip


def table(film: Film, runs: int) -> list[Figure]:
    """All kinds once; `runs` changes nothing."""
    folder = work_folder() / "kinds"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    sums = [0] * 5
    rows = list[tuple[str, ...]]()
    with FilmPictures.open(film.path, lambda done: None) as pictures:
        for name, kind in KINDS.items():
            counts = judged(film, name, kind, folder, pictures, SEED)
            sums = [a + b for a, b in zip(sums, counts, strict=True)]
            rows.append((name, *map(str, counts)))
    print_rows(("kind", "shots", "right", "near", "not found", "wrong"), rows)
    shots, right, near, _, wrong = sums
    return [
        Figure(f"shots at their place, of {shots}", right + near, 0.9 * shots, at_least=True),
        Figure("shots at a wrong place", wrong, 0),
    ]


def judged(
    film: Film, name: str, kind: Kind, folder: Path, pictures: FilmPictures, seed: int
) -> tuple[int, int, int, int, int]:
    """How many shots a trailer of a kind has, and how many are found at their frame, near it, not, and elsewhere."""
    cuts, file = cuts_of(film, kind, seed), folder / f"{name.replace(' ', '_')}_{seed}.mp4"
    make(film, kind, cuts, file)
    pieces = conform(file, [film.path], file.with_suffix(".yaml"), lambda stage, done: None).pieces
    return (len(cuts), *judge(cuts, kind, pieces, film_facts(file).rate, pictures))


def cuts_of(film: Film, kind: Kind, seed: int) -> list[Cut]:
    dice = random.Random(seed)
    plain = [Cut(dice.randrange(300, film.frames - 1500), dice.choice((24, 32, 40, 48))) for _ in range(SHOTS)]
    return [replace(kind.cut(n, cut), blend=kind.cut(n, cut).blend if n else 0) for n, cut in enumerate(plain)]


def make(film: Film, kind: Kind, cuts: Sequence[Cut], file: Path) -> None:
    inputs, parts, joined, at = list[str](), list[str](), "", 0
    rate = kind.rate * kind.pace  # what is cut is cut at this rate, and then shown so much faster
    for number, cut in enumerate(cuts):
        start = seconds_text((cut.first - Fraction(1, 4)) / film.rate)
        other = ["-f", "lavfi", "-i", f"mandelbrot=size=640x360:rate=24:start_scale={2 / 2**number}"]
        length = seconds_text((cut.frames / rate + 1) * cut.speed)
        inputs += ["-t", length, *(["-ss", start, "-i", str(film.path)] if cut.film else other)]
        scale = "scale=1280:720,setsar=1"
        chain = f"[{number}:v]setpts=(PTS-STARTPTS)/{float(cut.speed)},fps={rate},{scale},{cut.more},{kind.look}"
        parts.append(f"{chain},trim=end_frame={cut.frames},setpts=PTS-STARTPTS,settb=1/{rate}[v{number}]")
        if number:
            offset = float(Fraction(at - cut.blend) / rate)
            fade = f"xfade=duration={float(cut.blend / rate)}:offset={offset}" if cut.blend else "concat"
            joined += (
                f"[{f'j{number - 1}' if number > 1 else 'v0'}][v{number}]{fade},settb=1/{rate},fps={rate}[j{number}];"
            )
        at += cut.frames - cut.blend
    last = f"[j{len(cuts) - 1}]setpts=PTS*{kind.pace},{kind.whole},format=yuv420p[out]"
    graph = ";".join(parts) + ";" + joined + last
    argv = [FFMPEG, "-nostdin", "-v", "error", "-y", *inputs, "-filter_complex", graph, "-map", "[out]"]
    subprocess.run([*argv, *kind.coding.split(), "-preset", "ultrafast", str(file)], check=True)


def judge(
    cuts: Sequence[Cut], kind: Kind, pieces: Sequence[Piece], rate: Fraction, film: FilmPictures
) -> tuple[int, int, int, int]:
    """Shots whose middle is shown right, nearly, not at all, at another place; `rate` is the trailer's."""
    counts, at = [0, 0, 0, 0], 0
    for cut in cuts:
        middle = (cut.frames + cut.blend) // 2
        row = min(pieces[-1].end - 1, int(Fraction(at - cut.blend + middle) / kind.rate * rate))
        piece = next(each for each in pieces if each.start <= row < each.end)
        shown = int(cut.first + middle * cut.speed * film.facts.rate / (kind.rate * kind.pace))
        counts[_verdict(cut, piece, row, shown, film, rate)] += 1
        at += cut.frames - cut.blend
    return counts[0], counts[1], counts[2], counts[3]


def _verdict(cut: Cut, piece: Piece, row: int, shown: int, film: FilmPictures, rate: Fraction) -> int:
    """0: right; or not certain, as the spec says, and nobody can tell its picture from the right one; 1: near; 2: not
    found; 3: elsewhere."""
    if piece.film is None:
        return 2 if cut.film else 0
    if not cut.film or piece.flipped != cut.flipped:
        return 3
    found = int(piece.first + (row - piece.start) * piece.speed * film.facts.rate / rate)
    away = abs(found - shown) / film.facts.rate
    if away <= _NEAR or (not piece.certain and apart(film, found, shown) < ALIKE):
        return 0
    return 1 if away <= _APART else 3
