"""What the search for shots finds in films put together from pieces of one: set-ups in pieces, gradual cuts, flashes.

The pieces are named by their first frames in Big Buck Bunny: half of them to choose thresholds by, half to judge by.
Of a jump cut only what shows can be found: the set-ups here change in more than a tenth of the picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from bench.figures import Figure, print_rows, work_folder
from bench.film import Film
from cinecut.analysis.film.shots import find_shots
from cinecut.media.probe import film_facts
from tools.cut_films import (
    ENCODERS,
    GRADUAL,
    WIPES,
    CutFilm,
    Frames,
    Score,
    encode,
    flashes,
    footage,
    gradual,
    look_alikes,
    score,
)

HALVES = ("choose", "judge")
_SET_UPS = ((560, 1140), (8160, 8940))  # a shot of each half
_PAIRS = (((800, 1370), (2500, 3300), (5600, 5900)), ((1150, 2710), (9155, 10850), (11200, 12100)))
_LENGTHS = (8, 12, 16, 24, 36, 48)  # frames of a gradual cut
_PIECES = (26, 40, 33, 52, 29, 45, 36, 40)  # frames of a set-up
_BLACK = (0, 6, 12, 24, 48)  # frames between them
_HARD = ("fast", *WIPES)  # kinds that are told apart from the others


def table(film: Film) -> list[Figure]:
    """Recall and what is left over, by half, encoder and kind; the figures are those of the half that judges."""
    scores: dict[tuple[str, str, str], Score] = defaultdict(Score)
    for half, name in enumerate(HALVES):
        for kind, made in films(film.path, half):
            for encoder in ENCODERS:
                path = encoded(made, half, encoder)
                scores[name, encoder, kind] += score(find_shots(path, film_facts(path), lambda share: None), made)
    print()
    print_rows(("half", "encoder", "kind", "recall", "extra", "left > 1", "black inside"), [*map(_row, scores.items())])
    judged = {kind: _sum(scores, kind) for kind in ("jump cuts", "black", "gradual", "fast or wipe", "flashes")}
    late = sum(left > 1 for left in judged["gradual"].left_over)
    return [
        Figure("shots, black between pieces of one set-up: recall", judged["black"].recall, 0.97, at_least=True),
        Figure("shots, jump cuts of one set-up: recall", judged["jump cuts"].recall, 0.90, at_least=True),
        Figure("shots, black frames inside shots", judged["black"].black_inside, 0),
        Figure("shots, dissolves and dips: found", judged["gradual"].blends_recall, 0.95, at_least=True),
        Figure(
            "shots, dissolves and dips: share with more than a frame left over", late / judged["gradual"].blends, 0.05
        ),
        Figure("shots, wipes and fast movement: found", judged["fast or wipe"].blends_recall, 0.9, at_least=True),
        Figure("shots, flashes taken for cuts", judged["flashes"].extra, 0),
    ]


def _sum(scores: dict[tuple[str, str, str], Score], wanted: str) -> Score:
    total = Score()
    for (half, _, kind), each in scores.items():
        if half == HALVES[1] and kind == wanted:
            total += each
    return total


def _row(entry: tuple[tuple[str, str, str], Score]) -> tuple[str, ...]:
    (half, encoder, kind), each = entry
    recall = each.blends_recall if each.blends else each.recall
    late = f"{sum(left > 1 for left in each.left_over)} of {each.blends}" if each.blends else ""
    return (
        half,
        encoder,
        kind,
        f"{recall:.3f}" if each.cuts + each.blends else "",
        str(each.extra),
        late,
        str(each.black_inside),
    )


def encoded(made: CutFilm, half: int, encoder: str) -> Path:
    """The file of a film, made once."""
    end = "avi" if encoder.startswith("mpeg4") else "mp4"
    path = work_folder() / f"recipe_{half}_{made.name}_{encoder}.{end}".replace(" ", "_")
    return path if path.exists() else encode(path, made.frames, ENCODERS[encoder])


def films(path: Path, half: int) -> Iterator[tuple[str, CutFilm]]:
    """The kind and the pictures of each film of a half."""
    first, last = _SET_UPS[half]
    whole = _piece(path, first, last - first)
    starts = np.linspace(0, len(whole) - max(_PIECES), len(_PIECES)).astype(int)
    pieces = [whole[start : start + length] for start, length in zip(starts, _PIECES, strict=True)]
    for black in _BLACK:
        yield "black" if black else "jump cuts", look_alikes(f"set-up {black}", pieces, black)
    for number, kind in enumerate(kind for kind in GRADUAL for _ in range(3)):
        one, other = _PAIRS[half][number % 3]
        length = _LENGTHS[number % len(_LENGTHS)]
        film = gradual(f"{kind} {length} {number}", _piece(path, one, 75), _piece(path, other, 75), kind, length)
        yield "fast or wipe" if kind in _HARD else "gradual", film
    for length in (1, 3):
        yield "flashes", flashes(f"flash {length}", whole[:100], (20, 61), length)


def _piece(path: Path, first: int, count: int) -> Frames:
    return footage(path, Fraction(first, 24) + Fraction(1, 100), count)
