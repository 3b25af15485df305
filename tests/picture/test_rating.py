"""A rating card stands before the trailer, silent; everything else comes later by exactly its frames."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av
import numpy as np
import pytest
from commandline import cinecut
from numpy.typing import NDArray
from oracle import Film, Luma, Samples, Sound, read_pictures, read_sound
from rendering import Piece, Rendered, looks, nearest_sample, render_text, sound_errors, wrong_frames

RATE = Fraction(24)
PIECES = (
    Piece(Fraction(1), 12),
    Piece(Fraction(2), 16, enter="crossfade", over=6),
    Piece(Fraction(3), 14, enter="dip to black", over=6, leave=4),
)
GREEN = (64, 160, 64)  # of the cards


@pytest.fixture(scope="module")
def film(films: Callable[[Film], Film]) -> Film:
    return films(Film(Path("a.mp4"), RATE, 120, (320, 180), gop=24, sound=Sound()))


@pytest.fixture(scope="module")
def cards(bundled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cards: plain green with a white frame; `stepped.mkv` gets lighter with each of its frames."""
    folder = tmp_path_factory.mktemp("cards")
    plain = "color=0x40A040:s={size}:r={rate}:d=1,format=rgb24,drawbox=0:0:iw:ih:white:8"
    tone = ("-f", "lavfi", "-i", "sine=1000:d=1")
    made: dict[str, tuple[str, ...]] = {
        "wide.png": ("-f", "lavfi", "-i", plain.format(size="400x100", rate=25), "-frames:v", "1"),
        "tall.png": ("-f", "lavfi", "-i", plain.format(size="100x300", rate=25), "-frames:v", "1"),
        "clip.mp4": ("-f", "lavfi", "-i", plain.format(size="160x120", rate=25), *tone, "-pix_fmt", "yuv420p"),
        "turned.mov": ("-f", "lavfi", "-i", plain.format(size="160x120", rate=25), "-pix_fmt", "yuv420p"),
        "stepped.mkv": (
            "-f",
            "lavfi",
            "-i",
            "nullsrc=s=320x180:r=12:d=1,geq=lum=40+N*12:cb=128:cr=128",
            "-c:v",
            "ffv1",
        ),
    }
    for name, arguments in made.items():
        subprocess.run([bundled, "-v", "error", *arguments, folder / name], check=True)
    upright: list[str | Path] = ["-display_rotation", "90", "-i", folder / "turned.mov", "-c", "copy"]
    subprocess.run([bundled, "-v", "error", *upright, folder / "upright.mov"], check=True)
    return folder


@dataclass(frozen=True)
class After(Rendered):
    """What follows the first so many frames of a trailer."""

    frames: int

    @cached_property
    def pictures(self) -> list[Luma]:
        return list(read_pictures(self.path))[self.frames :]

    @cached_property
    def sound(self) -> Samples:
        return read_sound(self.path)[nearest_sample(self.frames / RATE) :]


def text_of(film: Film, card: str, output: str = "codec: ffv1", title: str = "") -> str:
    events = [piece.event for piece in PIECES]
    if title:
        events[0] = f"{events[0][:-1]}, titles: [{title}]}}"
    rows = "".join(f"  - {event}\n" for event in events)
    return f"cinecut: 1\nfilm: {film.path}\n{card}output: {{{output}}}\ntimeline:\n{rows}"


def rgb(rendered: Rendered, frame: int) -> NDArray[np.int64]:
    with av.open(str(rendered.path)) as media:
        found = list(media.decode(video=0))[frame]
        return found.to_ndarray(format="rgb24", src_colorspace="ITU601").astype(np.int64)


def card_of(picture: NDArray[np.int64]) -> tuple[int, int, int, int]:
    """Where the card lies: left, top, right, bottom."""
    rows, columns = np.nonzero(picture.max(axis=2) > 40)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


CARDS = {  # how long it is seen by itself, in frames, and where
    "{still: wide.png, for: 30f}": (30, (0, 50, 320, 130)),
    "{still: tall.png}": (120, (130, 0, 190, 180)),
    "{clip: clip.mp4}": (24, (40, 0, 280, 180)),
    "{clip: clip.mp4, for: 40f}": (40, (40, 0, 280, 180)),
    "{clip: upright.mov, for: 10f}": (10, (92, 0, 228, 180)),
}


@pytest.mark.matrix(3)
@pytest.mark.parametrize("card", CARDS)
def test_a_card_is_seen_whole_and_everything_else_later(film: Film, cards: Path, ffmpeg: Path, card: str) -> None:
    frames, box = CARDS[card]
    rendered = render_text(text_of(film, f"rating: {card}\n"), cards, ffmpeg)
    for frame in (0, frames - 1):
        picture = rgb(rendered, frame)
        assert max(abs(a - b) for a, b in zip(card_of(picture), box, strict=True)) <= 2
        middle = picture[(box[1] + box[3]) // 2, (box[0] + box[2]) // 2]
        assert np.abs(middle - GREEN).max() <= 6
    after = After(rendered.path, frames)
    assert wrong_frames(after, looks(film, PIECES, RATE)) == []
    assert max(map(abs, sound_errors(after, film, PIECES, RATE))) <= 1
    assert not rendered.sound[: nearest_sample(frames / RATE)].any()
    assert len(rendered.sound) == nearest_sample((frames + sum(piece.frames for piece in PIECES)) / RATE)


def test_a_clip_of_another_rate_keeps_its_time(film: Film, cards: Path, ffmpeg: Path) -> None:
    """Twelve pictures a second: each is seen twice, and the last one for as long as the card stands."""
    pictures = render_text(text_of(film, "rating: {clip: stepped.mkv, for: 30f}\n"), cards, ffmpeg).pictures
    levels = [round((float(picture.mean()) * 219 / 255 + 16 - 40) / 12) for picture in pictures[:30]]
    assert levels == [k // 2 for k in range(24)] + [11] * 6


def test_titles_come_later_with_their_shots(film: Film, cards: Path, ffmpeg: Path) -> None:
    card, title = "rating: {still: wide.png, for: 10f}\n", "{text: HELLO, at: 2f, for: 3f}"
    plain = render_text(text_of(film, card), cards, ffmpeg, "plain").pictures
    titled = render_text(text_of(film, card, title=title), cards, ffmpeg, "titled").pictures
    assert [k for k, (a, b) in enumerate(zip(plain, titled, strict=True)) if np.any(a != b)] == [12, 13, 14]


def test_a_card_fits_any_shape_and_has_no_genres_look(film: Film, cards: Path, bundled: Path) -> None:
    """A grade is the film's: the card keeps its colours."""
    look = "rating: {still: wide.png, for: 4f}\nvibe: {base: western, loudness: -20}\neffects: none\n"
    rendered = render_text(text_of(film, look, "codec: ffv1, size: 180x320, fit: crop"), cards, bundled)
    picture = rgb(rendered, 0)
    assert max(abs(a - b) for a, b in zip(card_of(picture), (0, 137, 180, 183), strict=True)) <= 2
    assert np.abs(picture[160, 90] - GREEN).max() <= 6
    assert len(rendered.pictures) == 4 + sum(piece.frames for piece in PIECES)


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ("{}", "a rating card is a `still` or a `clip`"),
        ("{still: wide.png, clip: clip.mp4}", "a rating card is a `still` or a `clip`"),
        ("{still: nothing.png}", "nothing.png is not there"),
        ("{clip: wide.png, for: 0f}", "is no time at all"),
    ],
)
def test_what_is_no_card_is_refused(film: Film, cards: Path, card: str, said: str) -> None:
    (cards / "spec.yaml").write_text(text_of(film, f"rating: {card}\n"), encoding="utf-8")
    done = cinecut("render", "spec.yaml", "-o", "never.mp4", cwd=cards)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (cards / "never.mp4").exists()
