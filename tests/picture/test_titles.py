"""Titles and cards are on exactly the frames and in the place that the spec says."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from oracle import Film, Luma
from rendering import Rendered, render_text, spec_text

Films = Callable[[Film], Film]


@pytest.fixture
def film(films: Films) -> Film:
    return films(Film(Path("a.mkv"), Fraction(24), 48, (320, 180), gop=12))


def titled(film: Film, titles: str, folder: Path, ffmpeg: Path, event: str = "shot: {in: 0s, for: 40f}") -> Rendered:
    return render_text(spec_text(film, [f"{{{event}, titles: [{titles}]}}"]), folder, ffmpeg)


def inked(picture: Luma, plain: Luma) -> int:
    """How many pixels a text has changed."""
    return int((np.abs(picture.astype(int) - plain) > 3).sum())


@pytest.mark.matrix(3)
@pytest.mark.parametrize(("at", "length"), [(0, 40), (0, 1), (7, 5), (39, 1), (11, 29)])
def test_a_title_is_seen_on_its_frames_and_no_other(
    film: Film, ffmpeg: Path, tmp_path: Path, at: int, length: int
) -> None:
    plain = titled(film, "", tmp_path, ffmpeg).pictures
    with_title = titled(film, f"{{text: A title, at: {at}f, for: {length}f}}", tmp_path, ffmpeg).pictures
    seen = [k for k, (a, b) in enumerate(zip(with_title, plain, strict=True)) if not np.array_equal(a, b)]
    assert seen == list(range(at, at + length))
    assert all(inked(with_title[k], plain[k]) > 60 for k in seen)


@pytest.mark.matrix(2)
@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "60000/1001"])
def test_many_titles_at_every_rate(film: Film, ffmpeg: Path, tmp_path: Path, rate: str) -> None:
    """Titles of one to three frames all along a minute: the text's clock of centiseconds crosses no frame's bound."""
    frames = round(20 * Fraction(rate))
    spans = [(k, 1 + k % 3) for k in range(0, frames - 4, 7)]
    events = []
    for first in range(0, len(spans), 20):  # an event has at most twenty titles
        start = spans[first][0]
        end = spans[first + 20][0] if first + 20 < len(spans) else frames
        own = [f"{{text: X, position: middle, at: {k - start}f, for: {n}f}}" for k, n in spans[first : first + 20]]
        events.append(f"{{black: {end - start}f, titles: [{', '.join(own)}]}}")
    text = spec_text(film, events, f"output: {{codec: ffv1, size: 160x90, rate: {rate}}}")
    pictures = render_text(text, tmp_path, ffmpeg).pictures
    seen = [k for k, picture in enumerate(pictures) if picture.max() > 100]
    assert seen == [k + j for k, n in spans for j in range(n)]


def test_a_title_fades(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    title = "{text: MMMM, at: 4f, for: 20f, fade: 8f, position: middle}"
    pictures = titled(film, title, tmp_path, ffmpeg, "black: 30f").pictures
    levels = np.array([int(picture.max()) for picture in pictures])
    assert levels[:4].max() <= 1
    assert levels[24:].max() <= 1
    assert np.all(np.diff(levels[4:12]) > 0)
    assert levels[12:16].tolist() == [levels[13]] * 4
    assert levels[13] > 230
    assert np.all(np.diff(levels[16:24]) < 0)
    assert levels[8] / levels[13] == pytest.approx(0.5, abs=0.1)
    assert levels[20] / levels[13] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("position", "low", "high"), [("upper", 0.08, 0.3), ("middle", 0.4, 0.6), ("lower", 0.7, 0.92)]
)
def test_where_a_title_stands(film: Film, ffmpeg: Path, tmp_path: Path, position: str, low: float, high: float) -> None:
    title = f"{{text: A title, position: {position}}}"
    picture = titled(film, title, tmp_path, ffmpeg, "black: 3f").pictures[1]
    rows, columns = np.nonzero(picture > 128)
    assert low * 180 <= rows.min() < rows.max() <= high * 180
    assert abs((columns.min() + columns.max()) / 2 - 160) <= 3


def test_a_title_moves_with_its_event(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    shot = "{black: 10f, titles: [{text: Here, at: 2f, for: 3f}]}"
    for before in (1, 9):
        events = [f"{{black: {before}f}}", shot]
        pictures = render_text(spec_text(film, events), tmp_path, ffmpeg).pictures
        assert [k for k, p in enumerate(pictures) if p.max() > 100] == [before + 2, before + 3, before + 4]


def test_a_card_and_its_transitions(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    shot = "{shot: {in: 0.5s, for: 10f}}"
    card = "{card: A CARD, for: 12f, from: dip to black 4f, to: fade out 4f}"
    rendered = render_text(spec_text(film, [shot, card, shot]), tmp_path, ffmpeg)
    assert len(rendered.pictures) == 32
    assert rendered.numbers[:9] == list(range(12, 21))
    assert rendered.numbers[22:] == list(range(12, 22))
    levels = [int(picture.max()) for picture in rendered.pictures[10:22]]
    assert levels[0] <= 120  # it fades in over two frames
    assert min(levels[2:8]) > 230
    assert levels[8:] == sorted(levels[8:], reverse=True)
    assert levels[11] < 120
    rows, columns = np.nonzero(rendered.pictures[15] > 128)
    assert abs((rows.min() + rows.max()) / 2 - 90) < 8
    assert abs((columns.min() + columns.max()) / 2 - 160) < 4


def test_a_card_breaks_its_lines_where_the_text_does(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    def heights(text: str) -> int:
        picture = render_text(spec_text(film, [f'{{card: "{text}", for: 2f}}']), tmp_path, ffmpeg).pictures[0]
        rows = np.nonzero((picture > 128).any(axis=1))[0]
        return int(rows.max() - rows.min())

    assert heights("ONE\\nTWO") > 2 * heights("ONE TWO")
