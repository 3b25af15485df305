"""The contact sheet has a cell for each event that is seen, and the poster is the strongest shot."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from commandline import cinecut, names
from oracle import Film, Luma, number_of

COLUMNS, WIDTH, GAP, WORDS = 6, 320, 8, 24  # pixels of the sheet


@pytest.fixture(scope="module")
def film(films: Callable[[Film], Film]) -> Film:
    return films(Film(Path("a.mp4"), Fraction(24), 240, (320, 180), gop=24))


def rendered(film: Film, folder: Path, events: str, head: str = "", *options: str) -> str:
    """What the command said; the files are called out."""
    text = f"cinecut: 1\nfilm: {film.path}\n{head}timeline:\n{events}"
    if "output:" not in head and "deliverables:" not in head:
        text = text.replace("timeline:", "output: {preset: ultrafast}\ntimeline:")
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    done = cinecut("render", "spec.yaml", "-o", "out.mp4", "--sheet", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def cells(sheet: Path, height: int = 180) -> list[Luma]:
    """The pictures of a sheet, those that are there."""
    page = cv2.imread(str(sheet), cv2.IMREAD_GRAYSCALE)
    assert page is not None
    wide, high = WIDTH + GAP, height + WORDS + GAP
    columns, rows = (page.shape[1] - GAP) // wide, (page.shape[0] - GAP) // high
    assert page.shape == (rows * high + GAP, columns * wide + GAP)
    places = [(GAP + row * high, GAP + column * wide) for row in range(rows) for column in range(columns)]
    found = [np.asarray(page[top : top + height, left : left + WIDTH], np.uint8) for top, left in places]
    captions = [page[top + height : top + height + WORDS, left : left + WIDTH] for top, left in places]
    return [picture for picture, caption in zip(found, captions, strict=True) if caption.max() > 100]


def numbers(pictures: list[Luma]) -> list[int | None]:
    """The film's frame in each; None: something else that can be seen."""
    found = [number_of(picture) for picture in pictures]
    assert all(isinstance(number, int) or picture.max() > 160 for number, picture in zip(found, pictures, strict=True))
    return [number if isinstance(number, int) else None for number in found]


def poster_of(path: Path) -> Luma:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return np.asarray(image, np.uint8)


SHOTS = """
  - {shot: {in: 1s, for: 12f}, score: 0.4}
  - {black: 6f}
  - {shot: {in: 3s, for: 13f}, score: 0.8, titles: [Words over it]}
  - {card: A CARD, for: 8f}
  - act: last
  - {shot: {in: 5s, for: 10f}, score: 0.7, from: dip to black 2f}
  - {shot: {in: 7s, for: 30f}, score: 0.2}
"""
MIDDLES = [24 + 6, 72 + 6, None, 120 + 5, 168 + 15]  # of each event that is seen: its middle frame


def test_a_cell_for_each_event_and_the_strongest_for_the_poster(film: Film, tmp_path: Path) -> None:
    said = rendered(film, tmp_path, SHOTS)
    found = cells(tmp_path / "out.sheet.jpg")
    assert numbers(found) == MIDDLES
    poster = poster_of(tmp_path / "out.poster.jpg")
    assert poster.shape == (180, 320)
    assert number_of(poster) == 120 + 5  # no title lies over it
    assert names(tmp_path) == ["out.mp4", "out.poster.jpg", "out.sheet.jpg", "spec.yaml"]
    assert re.search(r"out\.sheet\.jpg, out\.poster\.jpg", said)


def test_after_a_rating_card_they_are_the_same(film: Film, bundled: Path, tmp_path: Path) -> None:
    card = f"color=gray:s=64x36:d=0.04,format=rgb24 -frames:v 1 {tmp_path / 'card.png'}"
    subprocess.run([bundled, "-v", "error", "-f", "lavfi", "-i", *card.split()], check=True)
    rendered(film, tmp_path, SHOTS, "rating: {still: card.png, for: 31f}\n")
    assert numbers(cells(tmp_path / "out.sheet.jpg")) == MIDDLES
    poster = poster_of(tmp_path / "out.poster.jpg")
    assert number_of(poster) == 120 + 5


def test_without_scores_the_longest_is_the_poster_and_rows_have_six(film: Film, tmp_path: Path) -> None:
    lengths = [8, 10, 24, 6, 7, 8, 9, 10]
    events = "".join(f"  - {{shot: {{in: {k}s, for: {n}f}}}}\n" for k, n in enumerate(lengths))
    rendered(film, tmp_path, events)
    found = cells(tmp_path / "out.sheet.jpg")
    assert numbers(found) == [24 * k + n // 2 for k, n in enumerate(lengths)]
    poster = poster_of(tmp_path / "out.poster.jpg")
    assert number_of(poster) == 48 + 12


def test_each_deliverable_has_its_own(film: Film, tmp_path: Path) -> None:
    """In its own shape; and asked for again, they are replaced as the trailer is."""
    head = "deliverables:\n  - {name: wide, preset: ultrafast}\n  - {name: square, size: 160x160, preset: ultrafast}\n"
    for _ in range(2):
        rendered(film, tmp_path, SHOTS, head, "--force")
        kinds = [f"out_{name}.{kind}" for name in ("square", "wide") for kind in ("mp4", "poster.jpg", "sheet.jpg")]
        assert names(tmp_path) == [*kinds, "spec.yaml"]
    square = cells(tmp_path / "out_square.sheet.jpg", 320)
    assert numbers(square) == MIDDLES
    assert poster_of(tmp_path / "out_square.poster.jpg").shape == (160, 160)


def test_a_sheet_of_ones_own_is_not_replaced_unasked(film: Film, tmp_path: Path) -> None:
    (tmp_path / "out.poster.jpg").write_text("mine", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(f"cinecut: 1\nfilm: {film.path}\ntimeline:\n  - black: 6f\n", encoding="utf-8")
    done = cinecut("render", "spec.yaml", "-o", "out.mp4", "--sheet", cwd=tmp_path)
    assert done.returncode == 1
    assert "out.poster.jpg is there already" in done.stderr
    assert names(tmp_path) == ["out.poster.jpg", "spec.yaml"]


def test_a_trailer_of_black_alone_has_a_sheet_and_no_poster(film: Film, tmp_path: Path) -> None:
    rendered(film, tmp_path, "  - black: 6f\n")
    assert names(tmp_path) == ["out.mp4", "out.sheet.jpg", "spec.yaml"]
