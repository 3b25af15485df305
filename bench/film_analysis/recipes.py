"""What the search for shots finds in films put together from pieces of one: set-ups in pieces, gradual cuts, flashes.

The pieces are named by their first frames in Big Buck Bunny: half of them to choose thresholds by, half to judge by.
Of a jump cut only what shows can be found: the set-ups here change in more than a tenth of the picture.
"""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

import cinecut.fonts
from bench.figures import Figure, print_rows, work_folder
from bench.film import FFMPEG, Film
from cinecut.analysis.film.shots import find_shots
from cinecut.media.probe import film_facts
from tools.cut_films import (
    ENCODERS,
    GRADUAL,
    PUSHES,
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
_PUSHED = ("x264", "x264 fixed")  # the encoders of pushes and names: what tells these apart is in the pictures
_TAKES = (
    (570, 2200, 850, 2500, 1150, 3060, 1270, 3200, 1540, 4340, 2300, 3350, 2600, 5150),
    (6850, 8200, 7800, 9170, 8320, 10860, 7900, 11360, 8440, 9270, 8680, 11430, 8560, 8800),
)  # first frames of takes; every other one of these gets a name
_TAKE, _NAMED = 60, (8, 52)  # frames of such a take, and those with the name
_NAMES = ("Marta Lindqvist", "Ines de Almeida", "Tomasz Wrobel", "Ada Okonkwo", "Henrik Solberg", "Yuki Tanabe")
_FONTS = Path(cinecut.fonts.__file__).parent
_FACES = ("OpenSans-Semibold.ttf", "SourceSerifPro-Regular.ttf")
_LETTERS = (18, 24, 32)  # pixels of 720 rows
_KINDS = ("jump cuts", "black", "gradual", "fast or wipe", "pushes", "flashes")


def table(film: Film) -> list[Figure]:
    """Recall and what is left over, by half, encoder and kind; the figures are those of the half that judges."""
    scores: dict[tuple[str, str, str], Score] = defaultdict(Score)
    for half, name in enumerate(HALVES):
        for kind, made in films(film.path, half):
            for encoder in _PUSHED if kind == "pushes" else ENCODERS:
                path = encoded(made, half, encoder)
                scores[name, encoder, kind] += score(find_shots(path, film_facts(path), lambda share: None), made)
    names = {name: _names(film.path, half) for half, name in enumerate(HALVES)}
    print()
    print_rows(("half", "encoder", "kind", "recall", "extra", "left > 1", "black inside"), [*map(_row, scores.items())])
    print()
    rows = [(half, f"{found} of {named}", f"{wrong} of {bare}") for half, (found, named, wrong, bare) in names.items()]
    print_rows(("half", "names over moving pictures", "takes without one that are titles"), rows)
    judged = {kind: _sum(scores, kind) for kind in _KINDS}
    late = {kind: _late(judged[kind]) / judged[kind].blends for kind in ("gradual", "pushes")}
    found, named, wrong, _ = names["judge"]
    return [
        Figure("shots, black between pieces of one set-up: recall", judged["black"].recall, 0.97, at_least=True),
        Figure("shots, jump cuts of one set-up: recall", judged["jump cuts"].recall, 0.90, at_least=True),
        Figure("shots, black frames inside shots", judged["black"].black_inside, 0),
        Figure("shots, dissolves and dips: found", judged["gradual"].blends_recall, 0.95, at_least=True),
        Figure("shots, dissolves and dips: share with more than a frame left over", late["gradual"], 0.05),
        Figure("shots, wipes and fast movement: found", judged["fast or wipe"].blends_recall, 0.9, at_least=True),
        Figure("shots, pushes: found", judged["pushes"].blends_recall, 0.8, at_least=True),
        Figure("shots, pushes: share with more than a frame left over", late["pushes"], 0.2),
        Figure("shots, flashes taken for cuts", judged["flashes"].extra, 0),
        Figure("shots, names in small type: found", found / named, 0.75, at_least=True),
        Figure("shots, takes without type taken for titles", wrong, 0),
    ]


def _sum(scores: dict[tuple[str, str, str], Score], wanted: str) -> Score:
    total = Score()
    for (half, _, kind), each in scores.items():
        if half == HALVES[1] and kind == wanted:
            total += each
    return total


def _late(score: Score) -> int:
    """The gradual cuts of which shots hold more than a picture."""
    return sum(left > 1 for left in score.left_over)


def _row(entry: tuple[tuple[str, str, str], Score]) -> tuple[str, ...]:
    (half, encoder, kind), each = entry
    recall = each.blends_recall if each.blends else each.recall
    late = f"{_late(each)} of {each.blends}" if each.blends else ""
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
    pairs = [(_piece(path, one, 75), _piece(path, other, 75)) for one, other in _PAIRS[half]]
    starts = np.linspace(0, len(whole) - max(_PIECES), len(_PIECES)).astype(int)
    pieces = [whole[start : start + length] for start, length in zip(starts, _PIECES, strict=True)]
    for black in _BLACK:
        yield "black" if black else "jump cuts", look_alikes(f"set-up {black}", pieces, black)
    for number, kind in enumerate(kind for kind in (*GRADUAL, *PUSHES) for _ in pairs):
        length = _LENGTHS[number % len(_LENGTHS)]
        group = "pushes" if kind in PUSHES else "fast or wipe" if kind in _HARD else "gradual"
        yield group, gradual(f"{kind} {length} {number}", *pairs[number % len(pairs)], kind, length)
    for length in (1, 3):
        yield "flashes", flashes(f"flash {length}", whole[:100], (20, 61), length)


def _piece(path: Path, first: int, count: int) -> Frames:
    return footage(path, Fraction(first, 24) + Fraction(1, 100), count)


def _names(path: Path, half: int) -> tuple[int, int, int, int]:
    """Of a half's takes with names those that are titles, and how many there are; the same of those without."""
    titles: dict[bool, list[bool]] = {True: [], False: []}
    for encoder in _PUSHED:
        film = _named(path, half, encoder)
        shots = find_shots(film, film_facts(film), lambda share: None).shots
        for number in range(len(_TAKES[half])):
            middle = Fraction(number * _TAKE + _TAKE // 2, 24)
            reasons = [shot.why_not for shot in shots if shot.range.start.seconds <= middle < shot.range.end.seconds]
            titles[number % 2 == 0].append("title" in reasons)
    return sum(titles[True]), len(titles[True]), sum(titles[False]), len(titles[False])


def _named(path: Path, half: int, encoder: str) -> Path:
    """The file of a half's takes, over every other one of which a name is written; made once."""
    out = work_folder() / f"recipe_{half}_names_{encoder}.mp4".replace(" ", "_")
    if out.exists():
        return out
    cuts = [f"[{n}:v:0]scale=1280:720,setsar=1{_text(half, n)}[v{n}]" for n in range(len(_TAKES[half]))]
    joined = "".join(f"[v{n}]" for n in range(len(cuts))) + f"concat=n={len(cuts)}[v]"
    part = out.with_stem(out.stem + ".part")
    argv = [FFMPEG, "-nostdin", "-v", "error", "-y"]
    for first in _TAKES[half]:
        argv += ["-ss", f"{first / 24 + 0.01:.3f}", "-t", f"{_TAKE / 24:.3f}", "-i", str(path)]
    argv += ["-filter_complex", ";".join([*cuts, joined]), "-map", "[v]", *ENCODERS[encoder].split(), str(part)]
    subprocess.run(argv, check=True)
    part.replace(out)
    return out


def _text(half: int, number: int) -> str:
    """The filter that writes the name of a take, low or high, left or right, in one of some sizes."""
    if number % 2:
        return ""
    turn = number // 2
    at = f"x={'80' if turn % 2 else 'w-tw-80'}:y={'560' if turn % 3 else '120'}"
    shown = f"enable='between(n,{_NAMED[0]},{_NAMED[1]})'"
    size = _LETTERS[turn % len(_LETTERS)]
    name = _NAMES[turn % len(_NAMES)]
    return f",drawtext=fontfile={_FONTS / _FACES[half]}:text='{name}':fontsize={size}:fontcolor=white:{at}:{shown}"
