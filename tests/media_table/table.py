"""docs/media.md: what became of every film of the recipes, written from the tests' results and read back.

Films of one kind with one result stand in one row, so that a person can read the page.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from making import Recipe
from oddities import odd
from recipes import ordinary

DOC = Path(__file__).parents[2] / "docs" / "media.md"
FILMS = {recipe.name: recipe for recipe in [*ordinary(), *odd()]}

_INTRODUCTION = """# What is read

Films of these kinds were made by recipe with the bundled FFmpeg, of numbered pictures and known noise. A trailer of
each was cut: from its head, at a key frame, between key frames, from the middle, around what is odd about it, from its
tail. Then every picture and every block of sound was compared with a plain decode of the whole film. `make test-slow`
does it again and compares the results with this page.

- **exact**: every picture is the film's picture on screen at that moment, every sample is in its place.
- **exact; …**: so it is, and `cinecut link` or `cinecut render` says what one should know about the film.
- **refused: …**: `cinecut link` reads no such film and says why. Nothing is rendered.

Another FFmpeg (`--ffmpeg`, `CINECUT_FFMPEG`) may lack a decoder, as one of 2022 does for VVC: `cinecut link` and
`cinecut analyze` name it.

"""


def text(results: Mapping[str, str]) -> str:
    """The whole page. `results`: by a film's name, what became of it."""
    known = {name: results[name] for name in FILMS if name in results}
    refused = sum(result.startswith("refused") for result in known.values())
    told = sum(result.startswith("exact;") for result in known.values())
    exact = len(known) - refused - told
    counts = f"{len(known)} films: {exact} exact, {told} exact with a word, {refused} refused.\n\n"
    plain = {name: result for name, result in known.items() if not FILMS[name].oddity}
    others = {name: result for name, result in known.items() if FILMS[name].oddity}
    rows = ["## Ordinary films\n", "| container | picture and sound | result |", "|---|---|---|"]
    rows += _rows(plain, lambda film: film.container, lambda film: film.codecs)
    rows += ["\n## Odd films\n", "| what is odd | films | result |", "|---|---|---|"]
    rows += _rows(others, lambda film: film.oddity, lambda film: f"{film.container} {film.codecs}")
    return _INTRODUCTION + counts + "\n".join(rows) + "\n"


def _rows(results: Mapping[str, str], kind: Callable[[Recipe], str], part: Callable[[Recipe], str]) -> list[str]:
    rows: dict[tuple[str, str], list[str]] = {}
    for name, result in results.items():
        rows.setdefault((kind(FILMS[name]), result), []).append(part(FILMS[name]))
    return [f"| {what} | {', '.join(films)} | {result} |" for (what, result), films in rows.items()]


def read() -> dict[str, str]:
    """What the page says became of each film."""
    results = {}
    odd_ones = False
    for line in DOC.read_text(encoding="utf-8").splitlines() if DOC.exists() else ():
        odd_ones = odd_ones or line == "## Odd films"
        row = re.fullmatch(r"\| (.+) \| (.+) \| ((?:exact|refused).*) \|", line)
        if row is None:
            continue
        for part in row[2].split(", "):
            results[f"{part}, {row[1]}" if odd_ones else f"{row[1]} {part}"] = row[3]
    return results


def record(name: str, result: str) -> None:
    """Put one film's result into the page; several workers may do so at once."""
    DOC.touch()
    with DOC.open("r+", encoding="utf-8") as page:
        fcntl.flock(page, fcntl.LOCK_EX)
        whole = text({**read(), name: result})
        page.seek(0)
        page.write(whole)
        page.truncate()
