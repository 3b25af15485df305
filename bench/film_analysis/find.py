"""`find` over a made catalogue of 100,000 shots: how long a query takes, and how many of the ten best it misses.

Texts are mixtures of sentences that MiniLM has read, looks are made of a few colours and a soft layout. What is missed
is judged by comparing every one in 64 bits.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure, print_rows, work_folder
from bench.film import Film
from cinecut.catalogue.build import IndexWriter, arrays, create, finish
from cinecut.catalogue.find import Index
from cinecut.catalogue.look import FilmContents as Result
from cinecut.catalogue.look import FilmText
from cinecut.catalogue.store import CatalogueEntry
from cinecut.catalogue.words import MEASURES
from cinecut.inference import minilm
from cinecut.inference.models import minilm_engine
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime

FILMS, SHOTS = 100, 1000
_WHO = ("a man", "a woman", "two children", "an old dog", "a soldier", "a crowd", "a dancer", "a robot", "nobody")
_DOES = ("runs from a fire", "waits in the rain", "laughs", "sleeps", "fights", "sings to a friend", "opens a door")
_WHERE = ("in a dark street", "on a mountain", "in a kitchen", "at the harbour", "in a spaceship", "under a bridge")
QUERIES = (
    "somebody gets wet", "a burning house", "a lullaby", "people at work by the water", "a quarrel", "a lesson",
    "far from the earth", "snow", "loneliness", "a joke", "a pet", "machines that think", "a door that creaks",
    "ships", "hunger", "a chase", "friends", "a concert", "morning", "fear of the dark",
)  # fmt: skip
Exact = NDArray[np.float32]


def table(film: Film, runs: int) -> list[Figure]:
    if minilm_engine() is None:
        return [Figure("the slowest kind of query", None, 0.2, " s", reason="MiniLM is not here", needed=False)]
    with TemporaryDirectory(dir=work_folder()) as place:
        folder = Path(place)
        began = time.perf_counter()
        looks = made(folder)
        built = time.perf_counter() - began
        began = time.perf_counter()
        index = Index.of(folder)
        opened = time.perf_counter() - began
        minilm.encode(["start"])
        kinds: dict[str, list[tuple[list[str], Exact | None]]] = {
            "measured words": [(["dark", "still"], None)] * 5,
            "a sentence": [([query], None) for query in QUERIES],
            "close-up, night, and a sentence": [(["close-up", "night", query], None) for query in QUERIES],
            "a look": [([], look) for look in alike(looks)],
        }
        taken = {name: [timed(index, *query) for query in queries] for name, queries in kinds.items()}
        halfway = {
            name: [statistics.median(column) for column in zip(*each, strict=True)] for name, each in taken.items()
        }
        rows = [("made", f"{built:.3f}", ""), ("opened", f"{opened:.3f}", "")]
        rows += [(name, f"{wall:.3f}", f"{own:.3f}") for name, (wall, own) in halfway.items()]
        print_rows(("of 100,000 shots and texts", "seconds", "of a processor"), rows)
        slowest = max(wall for wall, _ in halfway.values())
        return [
            Figure("the slowest kind of query", slowest, 0.2, " s"),
            Figure("recall@10 of looks", recall(index, looks), 0.98, at_least=True),
        ]


def timed(index: Index, terms: list[str], look: Exact | None) -> tuple[float, float]:
    """Seconds of a query by the clock, and of a processor: a busy machine lengthens the first."""
    began, own = time.perf_counter(), time.process_time()
    index.find(terms, look, [], 10)
    return time.perf_counter() - began, time.process_time() - own


def recall(index: Index, looks: Exact) -> float:
    """The share of the ten nearest looks, every one compared in 64 bits, that are among the ten hits."""
    shares = []
    for look in alike(looks):
        best = set(np.argsort(-(looks.astype(np.float64) @ look))[:10].tolist())
        hits = index.find([], look, [], 10)
        shares.append(len(best & {SHOTS * int(hit.film.stem) + hit.place for hit in hits}) / 10)
    return statistics.mean(shares)


def alike(looks: Exact) -> Exact:
    """Twenty looks, each like a shot's but for some noise."""
    dice = np.random.default_rng(3)
    some = looks[dice.integers(0, len(looks), 20)] + dice.normal(0, 0.01, (20, looks.shape[1]))
    return np.asarray(some / np.linalg.norm(some, axis=1, keepdims=True), np.float32)


def made(folder: Path) -> Exact:
    """Write an index of made films; returns the looks of all shots."""
    sentences = [" ".join(parts) for parts in product(_WHO, _DOES, _WHERE)]
    known = minilm.encode(sentences)
    looks = list[Exact]()
    with closing(create(folder)) as rows:
        writer = IndexWriter(rows, arrays(folder, FILMS * SHOTS, FILMS * SHOTS))
        for number, film in enumerate(films(sentences, known)):
            writer.add(CatalogueEntry(f"/films/{number}.mkv", key=str(number), title=f"FILM {number}"), film)
            looks.append(film.looks)
        finish(rows)
    return np.concatenate(looks)


def films(sentences: list[str], known: Exact) -> Iterator[Result]:
    facts = FilmFacts("1-0", (1920, 1080), Fraction(24), Fraction(2 * SHOTS))
    ranges = tuple(FilmRange(FilmTime(Fraction(2 * k)), FilmTime(Fraction(2 * k + 2))) for k in range(SHOTS))
    for seed in range(FILMS):
        dice = np.random.default_rng(seed)
        picks = dice.integers(0, len(known), (SHOTS, 2))
        meaning = known[picks[:, 0]] + dice.uniform(0, 0.8, (SHOTS, 1)).astype(np.float32) * known[picks[:, 1]]
        meaning = np.asarray(meaning / np.linalg.norm(meaning, axis=1, keepdims=True), np.float32)
        look = _looks(dice)
        texts = tuple(FilmText(k, "scene", f"{sentences[a]}, {sentences[b]}") for k, (a, b) in enumerate(picks))
        measures = dice.uniform(0, 1, (SHOTS, len(MEASURES))).astype(np.float32)
        numbers = tuple(range(1, SHOTS + 1))
        yield Result(facts, numbers, ranges, (0.5,) * SHOTS, measures, look, texts, meaning, "made", ())


def _looks(dice: np.random.Generator) -> Exact:
    """[SHOTS x 656]: a film's shots share a palette, a few bins of it each; layouts are soft."""
    palette = dice.integers(0, 512, 60)
    colors = np.zeros((SHOTS, 512))
    for row in colors:
        row[dice.choice(palette, 12)] = dice.exponential(1, 12)
    colors /= colors.sum(axis=1, keepdims=True)
    coarse = dice.normal(0, 1, (SHOTS, 3, 4))
    layout = np.repeat(np.repeat(coarse, 3, axis=1), 4, axis=2).reshape(SHOTS, -1) + dice.normal(0, 0.3, (SHOTS, 144))
    layout /= np.linalg.norm(layout, axis=1, keepdims=True)
    return np.asarray(np.concatenate([np.sqrt(colors), layout], axis=1) / 2**0.5, np.float32)
