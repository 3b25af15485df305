"""Hebrew and Arabic lines with Latin letters, numbers and brackets are ordered as Unicode orders the whole line."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from oracle import Film, Luma
from rendering import render_text, spec_text

Films = Callable[[Film], Film]

_AS_IT_STANDS = "\u202d"  # each sign at the right of the one before, in any script


@pytest.fixture
def film(films: Films) -> Film:
    return films(Film(Path("a.mkv"), Fraction(24), 48, (320, 180), gop=12))


def cards(film: Film, texts: list[str], ffmpeg: Path, folder: Path) -> list[Luma]:
    """A picture of each card, in a face that has Hebrew letters."""
    events = [f"{{card: {json.dumps(text, ensure_ascii=False)}, for: 12f}}" for text in texts]
    pictures = render_text(spec_text(film, events, "vibe: family"), folder, ffmpeg).pictures
    return pictures[6::12]


@pytest.mark.matrix(4)
@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("שלום עולם!", "!םלוע םולש"),
        ("הסרט Blade (2049)", "Blade (2049) טרסה"),
        ("Part 2 של הסרט (2024)!", "Part 2 (2024) טרסה לש!"),
        ("(2024) שלום", "םולש (2024)"),
        ("סרט One [two (three)] סרט", "טרס One [two (three)] טרס"),
        ("סרט (2024", "2024) טרס"),
        ("50% של הסרט: One", "One :טרסה לש 50%"),
        # rows of one line that breaks
        ("הסרט הגדול של ספילברג: Blade Runner, רק בקולנוע", ":גרבליפס לש לודגה טרסה\nעונלוקב קר ,Blade Runner"),
    ],
)
def test_signs_of_both_directions(film: Film, text: str, seen: str, ffmpeg: Path, tmp_path: Path) -> None:
    as_seen = "\n".join(_AS_IT_STANDS + row for row in seen.split("\n"))
    one, other = cards(film, [text, as_seen], ffmpeg, tmp_path)
    assert one.max() > 200
    assert np.abs(one.astype(int) - other).sum() < 0.3 * other.sum()  # the two are kerned otherwise
