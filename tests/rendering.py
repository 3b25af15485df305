"""Rendering in tests: a spec's text becomes a trailer, and a list of pieces says frame by frame what it must show.

The expectation is the rule itself, in exact fractions, and shares no code with the compiler: trailer frame k of a piece
is the film frame on screen at in + k * speed / rate.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import floor
from pathlib import Path
from typing import Literal

import pytest
import soundfile
from correlation import sound_offsets
from oracle import (
    Film,
    Luma,
    Picture,
    Samples,
    Shown,
    blend_of,
    contrast_of,
    number_of,
    read_shown,
    read_sound,
    read_stamps,
)

from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.document.layout import scalar_text
from cinecut.render.job import SILENT, prepare
from cinecut.render.stems import render_stems
from cinecut.render.trailer import render

SAMPLE_RATE = 48000


@dataclass(frozen=True)
class Rendered:
    """A finished trailer, decoded when it is looked at."""

    path: Path

    @cached_property
    def _shown(self) -> list[tuple[Fraction, Luma]]:
        return list(read_shown(self.path))

    @property
    def pictures(self) -> list[Luma]:
        return [picture for _, picture in self._shown]

    @property
    def stamps(self) -> list[Fraction]:
        """Seconds from the container's zero to each picture."""
        return [stamp for stamp, _ in self._shown]

    @cached_property
    def numbers(self) -> list[Picture]:
        return [number_of(picture) for picture in self.pictures]

    @cached_property
    def sound(self) -> Samples:
        """[shape=(samples, 2)] at 48 kHz."""
        return read_sound(self.path)


def render_text(text: str, folder: Path, ffmpeg: Path, name: str = "trailer") -> Rendered:
    """Render a spec's text in a folder, with the lock in that folder too, so that tests do not wait for each other."""
    spec = folder / f"{name}.yaml"
    spec.write_text(text, encoding="utf-8")
    job = prepare(spec)
    out = folder / f"{name}{job.plan.suffix}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_RUNTIME_DIR", str(folder))
        render(job, out, find_ffmpeg(str(ffmpeg)), SILENT, force=True)
    return Rendered(out)


def stems_of(text: str, folder: Path, ffmpeg: Path, name: str = "stems") -> dict[str, Samples]:
    """The stems of a spec's text by their names, each [shape=(samples, 2)] at 48 kHz; nothing is drawn for them."""
    spec = folder / f"{name}.yaml"
    spec.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_RUNTIME_DIR", str(folder))
        files = render_stems(prepare(spec), folder / name, find_ffmpeg(str(ffmpeg)), SILENT, force=True)
    return {file.stem: soundfile.read(file, dtype="float32", always_2d=True)[0] for file in files}


def spec_text(film: Film, timeline: Sequence[str], head: str = "output: {codec: ffv1}") -> str:
    rows = ["cinecut: 1", f"film: {film.path}", head, "timeline:", *(f"  - {event}" for event in timeline)]
    return "\n".join(rows) + "\n"


def write_spec(folder: Path, *timeline: str, film: str, head: str = "") -> Path:
    """A spec whose film may have any name."""
    spec = folder / "spec.yaml"
    rows = "".join(f"  - {event}\n" for event in timeline)
    spec.write_text(f"cinecut: 1\nfilm: {scalar_text(film, flow=True)}\n{head}\ntimeline:\n{rows}", encoding="utf-8")
    return spec


Enter = Literal["cut", "crossfade", "dip to black", "dip to white", "fade in"]


@dataclass(frozen=True)
class Piece:
    """A shot of so many trailer frames. `over` is the transition's length and `leave` the fade out's, in frames."""

    in_: Fraction  # seconds of film, a decimal number
    frames: int
    speed: Fraction = Fraction(1)
    enter: Enter = "cut"
    over: int = 0
    leave: int = 0

    @property
    def event(self) -> str:
        parts = [f"shot: {{in: {decimal(self.in_)}s, for: {self.frames}f}}"]
        parts += [f"speed: {decimal(self.speed)}"] if self.speed != 1 else []
        parts += [f"from: {self.enter} {self.over}f"] if self.over else []
        parts += [f"to: fade out {self.leave}f"] if self.leave else []
        return "{" + ", ".join(parts) + "}"


def decimal(value: Fraction) -> str:
    """Seven decimals, which must hold the value."""
    text = f"{floor(value * 10**7) / 10**7:.7f}"
    assert Fraction(text) == value, f"{value} has more than seven decimals"
    return text


def up(position: Fraction) -> Fraction:
    """The least time of seven decimals at or after a position: it still shows the frame that begins there."""
    return Fraction(-floor(-position * 10**7), 10**7)


@dataclass(frozen=True)
class Look:
    """What a trailer frame must show: `weight` of frame `second` over `first`, at a share of its contrast."""

    first: int
    second: int
    weight: Fraction = Fraction(0)
    contrast: Fraction = Fraction(1)
    color: Shown = Shown.BLACK  # where nothing is left of the contrast


def shown_stamps(film: Film) -> list[Fraction]:
    """Seconds from the first picture to each: the exact grid of a constant rate, else what the container tells."""
    if not film.variable:
        return film.stamps
    stamps = read_stamps(film.path)
    return [stamp - stamps[0] for stamp in stamps]


def looks(film: Film, pieces: Sequence[Piece], rate: Fraction) -> list[Look]:
    """Every frame of the trailer of these pieces."""
    stamps = shown_stamps(film)

    def on_screen(piece: Piece, k: int) -> int:
        return max(0, bisect_right(stamps, piece.in_ + k * piece.speed / rate) - 1)

    cuts = [0, *itertools.accumulate(piece.frames for piece in pieces)]
    found = [
        Look(on_screen(piece, k), on_screen(piece, k), color=Shown.WHITE if "white" in piece.enter else Shown.BLACK)
        for piece in pieces
        for k in range(piece.frames)
    ]
    for index, piece in enumerate(pieces):
        cut, over, half = cuts[index], piece.over, piece.over // 2
        if piece.leave:
            end = cuts[index + 1]
            for j in range(piece.leave):
                look = found[end - piece.leave + j]
                found[end - piece.leave + j] = Look(look.first, look.second, contrast=1 - Fraction(j, piece.leave))
        for j in range(over if piece.enter != "cut" else 0):
            if piece.enter == "crossfade":
                at = cut - half + j
                before = pieces[index - 1]
                left, right = on_screen(before, before.frames - half + j), on_screen(piece, j - half)
                found[at] = Look(left, right, Fraction(j, over))
            elif piece.enter == "fade in":
                found[cut + j] = Look(found[cut + j].first, found[cut + j].first, contrast=Fraction(j, over))
            else:
                color = Shown.WHITE if "white" in piece.enter else Shown.BLACK
                at, share = cut - half + j, Fraction(j, over - half) if j < half else Fraction(j - half, over - half)
                contrast = 1 - Fraction(j, half) if j < half else share
                found[at] = Look(found[at].first, found[at].first, contrast=contrast, color=color)
    return found


def wrong_frames(rendered: Rendered, wanted: Sequence[Look]) -> list[str]:
    """What is wrong with every frame that is not as wanted, in words."""
    faults = [_fault(picture, look) for picture, look in zip(rendered.pictures, wanted, strict=False)]
    found = [f"frame {k}: {fault}" for k, fault in enumerate(faults) if fault]
    if len(rendered.pictures) != len(wanted):
        found.append(f"{len(rendered.pictures)} frames, not {len(wanted)}")
    return found


def _fault(picture: Luma, look: Look) -> str | None:
    number = number_of(picture)
    if look.contrast < Fraction(1, 5):
        levels = (int(picture.min()), int(picture.max()))
        fine = number in (look.first, look.color, None) and (look.contrast or number is look.color)
        return None if fine else f"{number} {levels}, wanted {look.color} over {look.first}"
    if look.first != look.second and look.weight:
        try:
            weight, residual = blend_of(picture, look.first, look.second)
        except LookupError as error:
            return f"{error}, wanted {look}"
        fine = abs(weight - look.weight) < 0.03 and residual < 0.08
        return None if fine else f"{number}, weight {weight:.3f} residual {residual:.3f}, wanted {look}"
    if number != look.first:
        return f"{number}, wanted {look.first}"
    contrast = contrast_of(picture)
    return None if abs(contrast - look.contrast) < 0.06 else f"contrast {contrast:.3f}, wanted {float(look.contrast)}"


def sound_errors(rendered: Rendered, film: Film, pieces: Sequence[Piece], rate: Fraction) -> list[float]:
    """Samples by which the film's sound is off at the head, the middle and the tail of every piece that plays at
    speed 1, in what no transition touches; positive: too late a part of the film."""
    assert film.sound
    heard, position = _heard(film), 0
    wanted: list[tuple[int, Fraction]] = []  # a place of the trailer, and the film's samples minus the trailer's there
    begins = nearest_sample(film.sound.start)
    for index, piece in enumerate(pieces):
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        head = piece.over if piece.over else 0
        tail = max(piece.leave, after.over if after and after.enter != "fade in" else 0)
        start = nearest_sample((position + head) / rate)
        end = nearest_sample((position + piece.frames - tail) / rate)
        exact = (piece.in_ - position / rate) * SAMPLE_RATE - begins  # film samples minus trailer samples
        position += piece.frames
        start, end = max(start, nearest_sample(0) - floor(exact)), min(end, len(heard) - floor(exact) - 1)
        if piece.speed != 1 or end - start < WINDOW:
            continue
        wanted += [(at, exact) for at in sorted({start, (start + end - WINDOW) // 2, end - WINDOW})]
    found = sound_offsets(rendered.sound, heard, [at for at, _ in wanted], WINDOW)
    return [offset - float(exact) - at for offset, (at, exact) in zip(found, wanted, strict=True)]


WINDOW = 4096


@lru_cache(maxsize=2)
def _heard(film: Film) -> Samples:
    return film.heard(SAMPLE_RATE)


def nearest_sample(seconds: Fraction | int) -> int:
    return floor(seconds * SAMPLE_RATE + Fraction(1, 2))
