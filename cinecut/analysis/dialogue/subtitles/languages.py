"""The languages of subtitles, from languages.yaml: their names, their letters, encodings and most frequent words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML


@dataclass(frozen=True, slots=True)
class Language:
    """`letters` beyond ASCII are a regex class; without them a text cannot be recognised as this language."""

    names: tuple[str, ...]
    letters: str
    encodings: tuple[str, ...]
    words: frozenset[str]


@cache
def languages() -> dict[str, Language]:
    """All languages by their ISO 639-1 codes."""
    table = YAML(typ="safe", pure=True).load(Path(__file__).with_name("languages.yaml").read_text("utf-8"))
    return {code: _language(**row) for code, row in table.items()}


def _language(names: str, letters: str = "", encodings: str = "", words: str = "") -> Language:
    return Language(tuple(names.split()), letters, tuple(encodings.split()), frozenset(words.split()))


@cache
def codes_by_name() -> dict[str, str]:
    """ISO 639-1 codes by every code and name of their languages."""
    return {name: code for code, language in languages().items() for name in (code, *language.names)}
