"""Shots of a catalogue by words and by look.

    query ─ terms ─┬─ a word of the table ─ measures ─────────┐
                   ├─ MiniLM ─ meanings of scenes and lines ──┼─ mean of all terms, for every shot ─► the best
                   └─ as written, in scenes and lines ────────┤
    like ─ look vector ─ looks ───────────────────────────────┘

Every shot is compared: at 100,000 shots that takes a tenth of a second, so no approximate index has to be kept.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinecut.catalogue.store import Catalogue, is_named
from cinecut.catalogue.words import WORDS, Strengths, columns_of, strongest
from cinecut.diagnostics import Stop, excerpt
from cinecut.files import content_of, json_of
from cinecut.inference import minilm
from cinecut.inference.models import WITHOUT_TORCH, minilm_engine
from cinecut.language.timebase import FilmRange, FilmTime

Look = NDArray[np.float32]  # [LOOK_WIDTH], of length 1

_UNRELATED, _SAME = 0.15, 0.65  # products of sentences that have nothing in common, and that say the same
_HEAD = 128  # bytes of an array's file before its numbers
_LEAST = 0.05  # the score of a hit
FAIR = 0.5  # of one that fits well


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a shot is a hit: a term, how well it fits (0 to 1), what found it, and the text in which it was found."""

    term: str
    score: float
    by: str  # signals, line, look, or the model that described the scene
    text: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A shot that was found. `place` counts the usable shots of its film from 0, `number` all its shots from 1."""

    film: Path
    title: str
    number: int
    place: int
    range: FilmRange
    score: float
    reasons: tuple[Reason, ...]
    looks: tuple[str, ...]  # the words that describe it best


_ARRAYS = {"looks": "f", "measures": "f", "film_of_shot": "i", "meanings": "f", "shot_of_text": "i"}  # of what numbers

_OURS = rb"\x93NUMPY\x01\0v\0\{'descr': '<%c4', 'fortran_order': False, 'shape': \(\d{1,12},( \d{1,5})?\), \} *\n"


def _array(file: Path) -> NDArray[Any]:
    """Raises ValueError where its head is none of ours: NumPy takes that for a text of Python's."""
    head = content_of(file, _HEAD + 1)
    if not re.match(_OURS % ord(_ARRAYS[file.stem]), head):
        raise ValueError(f"{file.name} is no array of ours")
    empty = len(head) <= _HEAD  # nothing cannot be mapped
    array: NDArray[Any] = np.load(file, mmap_mode=None if empty else "r", allow_pickle=False)
    return array


@contextmanager
def _damage(folder: Path) -> Iterator[None]:
    """Say that an index is damaged, whatever shows it."""
    try:
        yield
    except (OSError, ValueError, TypeError, LookupError, ArithmeticError, sqlite3.Error) as error:
        message = f"the index {folder} is damaged: {excerpt(str(error), 200)}"
        raise Stop("unreadable", message, "`cinecut index` makes it again") from None


@dataclass(slots=True)
class Index:
    """An open index. All arrays have a row per shot or per text."""

    folder: Path
    rows: sqlite3.Connection
    films: list[tuple[Path, str]]  # path and title
    looks: NDArray[np.float32]
    measures: NDArray[np.float32]
    film_of_shot: NDArray[np.int32]
    meanings: NDArray[np.float32]
    shot_of_text: NDArray[np.int32]

    @classmethod
    def open(cls, folder: Path) -> Index:
        """The index of a catalogue. Raises Stop if there is none, or a part of it is missing."""
        name = Catalogue.load(folder).index
        if not name:
            raise Stop(
                "no-material", f"{folder} has no films yet", "`cinecut index FOLDER --catalogue C` looks at them"
            )
        return cls.of(folder / name)

    @classmethod
    def of(cls, folder: Path) -> Index:
        with _damage(folder):
            content_of(folder / "rows.sqlite", 1)
            where = f"{(folder / 'rows.sqlite').absolute().as_uri()}?mode=ro&immutable=1"
            rows = sqlite3.connect(where, uri=True)
            listed = rows.execute("select path, title from films order by id").fetchall()
            films = [(Path(json_of(path)), str(title)) for path, title in listed]
            arrays = {name: _array(folder / f"{name}.npy") for name in _ARRAYS}
            return cls(folder, rows, films, **arrays)

    def find(self, terms: Sequence[str], look: Look | None, films: Sequence[str], most: int) -> list[Hit]:
        """The best shots, the best first. `look`: the vector of a picture. `films`: patterns of names; empty means
        all. Raises Stop where the index is damaged."""
        with _damage(self.folder):
            return self._found(terms, look, films, most)

    def _found(self, terms: Sequence[str], look: Look | None, films: Sequence[str], most: int) -> list[Hit]:
        scored = [self._of_term(term) for term in terms]
        if look is not None:
            likeness = np.clip(self.looks @ look, 0, 1)
            scored.append(_Found("look", likeness, by="look"))
        if not scored or not len(self.film_of_shot):
            return []
        total = np.mean([each.scores for each in scored], axis=0)
        if films:
            wanted = [place for place, (path, title) in enumerate(self.films) if is_named(path, films, title)]
            total = np.where(np.isin(self.film_of_shot, wanted), total, 0)
        best = np.argsort(-total, kind="stable")[:most] if most >= len(total) else _first(total, most)
        return [self._hit(int(row), float(total[row]), scored) for row in best if total[row] >= _LEAST]

    def lacks(self, terms: Sequence[str]) -> list[str]:
        """Hints on what would find more."""
        if all(term in WORDS for term in terms):
            return []
        if meant := [hint for term in terms if term not in WORDS for hint in _meant(term)]:
            return meant
        if not len(self.shot_of_text):
            words = "words that need none: close-up, wide, night, bright, still, moving, …"
            return ["these films have neither lines nor described scenes", words]
        return [] if minilm_engine() else ["without MiniLM only very words are found", WITHOUT_TORCH]

    def _of_term(self, term: str) -> _Found:
        """How well each shot fits a term."""
        if term in WORDS:
            return _Found(term, WORDS[term](columns_of(self.measures)))
        texts = self._as_written(term)
        if minilm_engine() and len(self.shot_of_text):
            near = self.meanings @ minilm.encode([term])[0]
            texts = np.maximum(texts, np.clip((near - _UNRELATED) / (_SAME - _UNRELATED), 0, 1))
        scores = np.zeros(len(self.film_of_shot), np.float32)
        np.maximum.at(scores, self.shot_of_text, texts)
        return _Found(term, scores, texts)

    def _as_written(self, term: str) -> NDArray[np.float32]:
        """[texts] 1 where a text contains the exact term, else 0."""
        scores = np.zeros(len(self.shot_of_text), np.float32)
        escaped = re.sub(r"([\\%_])", r"\\\1", term)
        query = "select id, text from texts where text like ? escape '\\'"
        whole = re.compile(rf"(?<!\w){re.escape(term)}(?!\w)", re.I)
        for row, text in self.rows.execute(query, (f"%{escaped}%",)):
            scores[row] = whole.search(text) is not None
        return scores

    def _hit(self, row: int, score: float, scored: Sequence[_Found]) -> Hit:
        film, number, place, start, end = self.rows.execute(
            "select film, number, place, start, end from shots where id = ?", (row,)
        ).fetchone()
        path, title = self.films[film]
        span = FilmRange(FilmTime(Fraction(start)), FilmTime(Fraction(end)))
        reasons = tuple(self._reason(each, row) for each in scored)
        return Hit(
            path, title, number, place, span, round(score, 4), reasons, tuple(strongest(columns_of(self.measures), row))
        )

    def _reason(self, scored: _Found, row: int) -> Reason:
        score = round(float(scored.scores[row]), 3)
        strength = scored.texts
        if strength is None or not score:
            return Reason(scored.term, score, scored.by)
        said = self.rows.execute("select id, kind, by, text from texts where shot = ?", (row,)).fetchall()
        _, kind, by, text = max(said, key=lambda each: float(strength[each[0]]))
        return Reason(scored.term, score, by if kind == "scene" else "line", text)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A term's scores [shots], and, if texts decided, the scores of the texts [texts]."""

    term: str
    scores: Strengths
    texts: NDArray[np.float32] | None = None
    by: str = "signals"


def unmet(hits: Sequence[Hit]) -> list[str]:
    """The terms that none of these shots fits."""
    best = dict[str, float]()
    for reason in (reason for hit in hits for reason in hit.reasons):
        best[reason.term] = max(reason.score, best.get(reason.term, 0.0))
    return [term for term, score in best.items() if score < _LEAST]


def _meant(term: str) -> list[str]:
    """What may have been meant by a term that is no word of a measurement, but holds one, or is nearly one."""
    if any(word in WORDS for word in term.split()):
        return [f'commas part what is looked for: "{", ".join(term.split())}"']
    return [f"did you mean {close}?" for close in get_close_matches(term, WORDS, 1, 0.75)]


def _first(total: NDArray[np.float32], most: int) -> NDArray[np.intp]:
    """The rows of the largest numbers, the largest first; of equal ones the earlier."""
    least = np.partition(total, -most)[-most]
    rows = np.flatnonzero(total >= least)
    return rows[np.argsort(-total[rows], kind="stable")][:most]
