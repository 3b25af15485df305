"""How far a piece of a finished trailer goes on, from the place that was found for a part of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cinecut.proof.conform.places.matching import Matcher
from cinecut.proof.conform.places.placing import Piece


class Placed:
    """Frames up to 30 of the trailer are like the film's, and none later."""

    def step(self, piece: Piece) -> Fraction:
        return piece.speed

    def likes(self, piece: Piece) -> Any:
        return np.where(np.arange(piece.start, piece.end) < 30, 0.9, 0.1).astype(np.float32)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("first", "speed", "start"),
    [(5, 1, 10), (0, 1, 10), (-1, 1, 11), (-2, 1, 12), (Fraction(-1, 2), Fraction(1, 2), 11), (-3, 2, 12)],
)
def test_a_piece_begins_no_earlier_than_its_film_and_ends_where_it_is_unlike(
    first: Fraction, speed: Fraction, start: int
) -> None:
    """A frame that is shown twice at the film's very beginning puts the place of the first before it."""
    placer: Any = Placed()
    piece = Piece(10, 26, 0, Fraction(first), Fraction(speed))
    found = Matcher(placer)._stretched(piece, 10, 50)
    assert (found.start, found.end) == (start, 30)
    assert found.first == first + (start - 10) * speed
    assert 0 <= found.first < speed or found.first == first
