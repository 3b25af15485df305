"""The cache of the stages: by content, never in the way."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cinecut.analysis.cache import Cache, packed, unpacked
from cinecut.analysis.story.arc import Zone
from cinecut.language.timebase import FilmTime


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    at: FilmTime
    zone: Zone
    values: NDArray[np.float32]
    names: tuple[str, ...]
    by_index: dict[int, float]
    rest: tuple[int, str | None]
    maybe: Fraction | None = None


SAMPLE = Sample(
    FilmTime(Fraction(1, 3)), Zone.CLIMAX, np.arange(6, dtype=np.float32).reshape(2, 3), ("a", "ü"), {3: 0.5}, (1, None)
)


def _count(cache: Cache, options: object = None, version: int = 1) -> int:
    """How often the stage had to be worked out."""
    calls = 0

    def work() -> Sample:
        nonlocal calls
        calls += 1
        return SAMPLE

    cache.stage("sample", version, options, Sample, work)
    return calls


def test_a_value_comes_back_as_it_was() -> None:
    back = unpacked(Sample, packed(SAMPLE))
    assert isinstance(back, Sample)
    assert (back.at, back.zone, back.names, back.by_index, back.rest, back.maybe) == (
        SAMPLE.at, SAMPLE.zone, SAMPLE.names, SAMPLE.by_index, SAMPLE.rest, None,
    )  # fmt: skip
    assert back.values.dtype == np.float32
    assert np.array_equal(back.values, SAMPLE.values)


def test_a_stage_runs_once_for_each_film_version_and_options(tmp_path: Path) -> None:
    cache = Cache("film", tmp_path)
    assert _count(cache) == 1
    assert _count(cache) == 0
    assert _count(cache, options="other") == 1
    assert _count(cache, version=2) == 1
    assert _count(Cache("another film", tmp_path)) == 1


@pytest.mark.parametrize("damage", [b"", b"\x00", b"not msgpack at all", b"\x93\x01\x02"])
def test_a_damaged_file_is_a_miss(tmp_path: Path, damage: bytes) -> None:
    cache = Cache("film", tmp_path)
    assert _count(cache) == 1
    (file,) = cache.folder.glob("*.msgpack")
    file.write_bytes(damage)
    assert _count(cache) == 1
    assert _count(cache) == 0


def test_a_truncated_file_is_a_miss(tmp_path: Path) -> None:
    cache = Cache("film", tmp_path)
    _count(cache)
    (file,) = cache.folder.glob("*.msgpack")
    file.write_bytes(file.read_bytes()[:-3])
    assert _count(cache) == 1


def test_a_folder_that_cannot_be_made_costs_only_the_keeping(tmp_path: Path) -> None:
    (tmp_path / "analysis").write_text("a file stands here", encoding="utf-8")
    assert _count(Cache("film", tmp_path)) == 1
