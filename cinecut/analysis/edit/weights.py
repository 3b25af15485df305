"""The weights by which a cut is chosen, from the data file beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Report
from cinecut.language.document import plain, read_document

Signal = str


@dataclass(frozen=True, slots=True)
class Weights:
    """See weights.yaml, whose keys these are."""

    worth: float
    taste: float
    described: float
    meaning: float
    drama: float
    zone: tuple[float, float]
    opening: float
    line: float
    mute: float
    tone: float
    again: float
    returns: float
    empty: float
    spoils: float
    blank: float
    rise: float
    still: float
    stranger: float
    row: float
    absent: float
    want: Mapping[str, Mapping[Signal, float]]
    act: Mapping[str, Mapping[Signal, float]]
    pair: Mapping[str, float]


@cache
def read_weights() -> Weights:
    data = plain(read_document(Path(__file__).with_suffix(".yaml"), Report()).root)
    numbers = {key: float(data[key]) for key in Weights.__dataclass_fields__ if not isinstance(data[key], dict | list)}
    first, others = data["zone"]
    tables = {key: {name: _floats(row) for name, row in data[key].items()} for key in ("want", "act")}
    pair = _floats(data["pair"])
    return Weights(**numbers, zone=(float(first), float(others)), want=tables["want"], act=tables["act"], pair=pair)


def _floats(row: Mapping[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in row.items()}
