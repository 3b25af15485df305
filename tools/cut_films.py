"""Films whose every cut is known, because they are put together here from pieces of other films.

    pieces of footage ─ look_alikes, blend, flashes ─► CutFilm ─ encode ─► a file ─ find_shots, score ─► Score

The kinds are those that a search without a full decode overlooks: set-ups that look alike, with a few black pictures
between them or none; gradual cuts into fog, from dark to bright, under fast movement; wipes; flashes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.shots import ShotList

WIDTH, HEIGHT = 320, 180
Frames: TypeAlias = NDArray[np.uint8]  # [n, 180, 320, 3] RGB
Stretch: TypeAlias = tuple[int, int]  # picture numbers, half-open

ENCODERS = {
    "x264": "-c:v libx264 -pix_fmt yuv420p",
    "x264 fixed": "-c:v libx264 -pix_fmt yuv420p -g 48 -keyint_min 48 -sc_threshold 0",
    "x265": "-c:v libx265 -preset fast -pix_fmt yuv420p -x265-params log-level=none",
    "x265 fixed": "-c:v libx265 -preset fast -pix_fmt yuv420p -x265-params "
    "log-level=none:keyint=48:min-keyint=48:scenecut=0",
    "mpeg4": "-c:v mpeg4 -q:v 4 -g 240",
    "mpeg4 fixed": "-c:v mpeg4 -q:v 4 -g 48 -sc_threshold 1000000000",
}
WIPES = ("wipe", "wipe up", "corner", "iris", "iris closing", "doors", "soft wipe")
PUSHES = ("push", "push back", "push up", "push eased")
GRADUAL = ("mix", "fog", "dark to bright", "fast", "wipe", "dip to black", "dip to white", *WIPES[1:])


@dataclass(frozen=True, slots=True, eq=False)
class CutFilm:
    """Pictures and what is true of them.

    cuts : the first pictures after a hard cut, black stretches' two edges among them
    blends : stretches in which two shots are mixed; no picture of them belongs in a shot
    black : stretches of black pictures
    """

    name: str
    frames: Frames
    cuts: tuple[int, ...] = ()
    blends: tuple[Stretch, ...] = ()
    black: tuple[Stretch, ...] = ()


@dataclass(slots=True)
class Score:
    """What was found of the cuts and blends of some films; added up with `+=`."""

    cuts: int = 0
    cuts_found: int = 0
    extra: int = 0  # edges of shots where there is no cut and no blend
    blends: int = 0
    blends_found: int = 0
    left_over: list[int] = field(default_factory=list)  # pictures of each blend inside shots
    black_inside: int = 0  # black pictures inside usable shots

    def __iadd__(self, other: Score) -> Score:
        for name in ("cuts", "cuts_found", "extra", "blends", "blends_found", "black_inside"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.left_over += other.left_over
        return self

    @property
    def recall(self) -> float:
        return self.cuts_found / max(1, self.cuts)

    @property
    def blends_recall(self) -> float:
        return self.blends_found / max(1, self.blends)


def footage(film: Path, start: Fraction, count: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Frames:
    """`count` pictures of a film from `start` seconds on, cropped to the shape of `size` and reduced to it."""
    width, height = size
    scale = f"scale={width}:{height}:force_original_aspect_ratio=increase:flags=area,crop={width}:{height}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-ss", str(float(start)), "-i", str(film)]
    command += ["-frames:v", str(count), "-vf", scale, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)
    if len(frames) < count:
        raise ValueError(f"{film} has only {len(frames)} of {count} pictures after {float(start)} s")
    return frames


def encode(path: Path, frames: Frames, options: str, rate: Fraction = Fraction(24)) -> Path:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{frames.shape[2]}x{frames.shape[1]}", "-r", str(rate), "-i", "-", *options.split(), str(path)]
    subprocess.run(command, input=frames.tobytes(), check=True)
    return path


# --- recipes --------------------------------------------------------------------------------------------------------


def plain(count: int, level: int = 0) -> Frames:
    return np.full((count, HEIGHT, WIDTH, 3), level, np.uint8)


def look_alikes(name: str, pieces: Sequence[Frames], black: int) -> CutFilm:
    """Pieces of one set-up one after the other, with so many black pictures between each two."""
    parts: list[Frames] = [pieces[0]]
    cuts: list[int] = []
    stretches: list[Stretch] = []
    at = len(pieces[0])
    for piece in pieces[1:]:
        cuts.append(at)
        if black:
            stretches.append((at, at + black))
            cuts.append(at + black)
            parts.append(plain(black))
        parts.append(piece)
        at += black + len(piece)
    return CutFilm(name, np.concatenate(parts), tuple(cuts), (), tuple(stretches))


def gradual(name: str, one: Frames, other: Frames, kind: str, length: int) -> CutFilm:
    """One piece, a gradual cut of `length` pictures, and the other; of both, `length` pictures are inside the blend."""
    one, other = _shaded(one, other, kind)
    head, tail = one[:-length], other[length:]
    out, into = one[-length:], other[:length]
    steps = (np.arange(length) + 1) / (length + 1)
    share = steps[:, None, None, None]
    if kind.startswith("dip"):
        ground = 0 if kind.endswith("black") else 235
        strength = np.abs(2 * share - 1)
        middle = np.where(share < 0.5, out, into) * strength + ground * (1 - strength)
    elif kind in PUSHES:
        eased = steps**2 * (3 - 2 * steps) if kind == "push eased" else steps
        middle = np.stack([_pushed(*each, kind) for each in zip(out, into, eased, strict=True)])
    elif kind in WIPES:
        soft = 0.2 if kind == "soft wipe" else 0.001
        done = np.clip((share * (1 + soft) - _reached(kind)[..., None]) / soft, 0, 1)
        middle = out * (1 - done) + into * done
    else:
        middle = out * (1 - share) + into * share
    frames = np.concatenate([head, middle.astype(np.uint8), tail])
    return CutFilm(name, frames, (), ((len(head), len(head) + length),))


def _pushed(one: Frames, other: Frames, share: float, kind: str) -> Frames:
    """A picture of a push: both shots side by side, or one below the other, a share of the way on."""
    down = kind == "push up"
    pair = (other, one) if kind == "push back" else (one, other)
    share = 1 - share if kind == "push back" else share
    seam = round(share * (HEIGHT if down else WIDTH))
    both = np.concatenate(pair, 0 if down else 1)
    return both[seam : seam + HEIGHT] if down else both[:, seam : seam + WIDTH]


def whip(name: str, one: Frames, other: Frames, widths: int, length: int) -> CutFilm:
    """One piece, and then a camera that whips by one or two widths of the picture in `length` pictures: no cut at all.

    Between the two is a mix of their mirror images, so that the picture goes on at all edges. By one width the camera
    stops there, by two at the other piece.
    """
    mix = np.linspace(0, 1, WIDTH)[:, None]
    between = (one[-1, :, ::-1] * (1 - mix) + other[0, :, ::-1] * mix).astype(np.uint8)
    wide = np.concatenate([one[-1], between, other[0]], 1)
    at = ((np.arange(length) + 1) / (length + 1) * widths * WIDTH).astype(int)
    moving = [wide[:, x : x + WIDTH] for x in at]
    rest = other if widths == 2 else np.stack([between] * len(other))
    return CutFilm(name, np.concatenate([one, np.stack(moving), rest]))


def _reached(kind: str) -> NDArray[np.float64]:
    """[180 x 320] the share of a wipe at which its edge reaches each pixel."""
    y, x = (np.mgrid[:HEIGHT, :WIDTH] + 0.5) / np.array([HEIGHT, WIDTH])[:, None, None]
    from_middle = np.hypot(WIDTH * (x - 0.5), HEIGHT * (y - 0.5)) / np.hypot(WIDTH / 2, HEIGHT / 2)
    shapes = {"wipe up": 1 - y, "corner": (x + y) / 2, "doors": abs(2 * x - 1)}
    shapes |= {"iris": from_middle, "iris closing": 1 - from_middle}
    return np.asarray(shapes.get(kind, x))


def _shaded(one: Frames, other: Frames, kind: str) -> tuple[Frames, Frames]:
    if kind == "fog":
        return one, np.asarray(other * 0.3 + 150, np.uint8)
    if kind == "dark to bright":
        return np.asarray(one * 0.2, np.uint8), np.asarray(255 - (255 - other.astype(np.int16)) * 0.6, np.uint8)
    if kind == "fast":
        return _panned(one, 6), _panned(other, -6)
    return one, other


def _panned(frames: Frames, speed: int) -> Frames:
    """The pictures under a camera that pans by `speed` pixels a picture, over the picture and its mirror image."""
    return np.stack(
        [np.roll(np.concatenate([f, f[:, ::-1]], 1), speed * i, 1)[:, :WIDTH] for i, f in enumerate(frames)]
    )


def flashes(name: str, piece: Frames, places: Sequence[int], length: int, level: int = 250) -> CutFilm:
    """One piece with `length` plain bright pictures at some places: no cut at all."""
    frames = piece.copy()
    for place in places:
        frames[place : place + length] = level
    return CutFilm(name, frames)


# --- judging --------------------------------------------------------------------------------------------------------


def score(found: ShotList, film: CutFilm, rate: Fraction = Fraction(24)) -> Score:
    """Compare the shots found with what is true; an edge may be one picture off."""
    spans = [(round(s.range.start.seconds * rate), round(s.range.end.seconds * rate), s.usable) for s in found.shots]
    edges = {edge for start, end, _ in spans for edge in (start, end)} - {0, len(film.frames)}
    inside = np.zeros(len(film.frames), bool)
    for start, end, usable in spans:
        inside[start:end] |= usable
    result = Score(cuts=len(film.cuts), blends=len(film.blends))
    result.cuts_found = sum(any(abs(cut - edge) <= 1 for edge in edges) for cut in film.cuts)
    near = [edge for edge in edges if any(first - 2 <= edge <= last + 2 for first, last in film.blends)]
    result.extra = sum(all(abs(cut - edge) > 1 for cut in film.cuts) for edge in edges - set(near))
    for first, last in film.blends:
        result.left_over.append(int(inside[first:last].sum()))
        result.blends_found += any(first - 2 <= edge <= last + 2 for edge in near)
    result.black_inside = sum(int(inside[first:last].sum()) for first, last in film.black)
    return result
