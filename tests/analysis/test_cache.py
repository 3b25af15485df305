"""The cache of the stages: by content, never in the way; its keys are derived."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import msgpack
import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits

from cinecut.analysis import stage
from cinecut.analysis.cache import Cache, packed, sealed, unpacked
from cinecut.analysis.film.shots import SHOTS
from cinecut.analysis.stage import Stage, StageRunner, code_of
from cinecut.analysis.story.arc import Zone
from cinecut.diagnostics import Stop
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


def _count(cache: Cache, options: object = None, by: str = "") -> int:
    """How often the stage had to be worked out."""
    calls = 0

    def work(options: object) -> Sample:
        nonlocal calls
        calls += 1
        return SAMPLE

    found = StageRunner(cache, lambda stage, done: None).run(Stage("sample", Sample, work, by), options)
    assert found.names == SAMPLE.names
    return calls


def test_a_value_comes_back_as_it_was() -> None:
    back = unpacked(Sample, packed(SAMPLE))
    assert isinstance(back, Sample)
    assert (back.at, back.zone, back.names, back.by_index, back.rest, back.maybe) == (
        SAMPLE.at, SAMPLE.zone, SAMPLE.names, SAMPLE.by_index, SAMPLE.rest, None,
    )  # fmt: skip
    assert back.values.dtype == np.float32
    assert np.array_equal(back.values, SAMPLE.values)


def test_a_stage_runs_once_for_each_film_input_and_plug_in(tmp_path: Path) -> None:
    cache = Cache("film", tmp_path)
    assert _count(cache) == 1
    assert _count(cache) == 0
    assert _count(cache, options="other") == 1
    assert _count(cache, by="crisp 1.0") == 1
    assert _count(Cache("another film", tmp_path)) == 1


def test_a_file_counts_by_its_content(tmp_path: Path) -> None:
    cache, file = Cache("film", tmp_path), tmp_path / "song.ogg"
    file.write_bytes(b"one")
    assert (_count(cache, file), _count(cache, file)) == (1, 0)
    file.write_bytes(b"two")
    assert _count(cache, file) == 1


@pytest.fixture
def _fresh_digests() -> Iterator[None]:
    yield
    code_of.cache_clear()


@pytest.mark.usefixtures("_fresh_digests")
@pytest.mark.parametrize("module", ["analysis.film.shots", "analysis.film.cuts", "media.open"])
def test_other_code_is_another_stage(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the module of its work, and of those that this is made of."""
    before = SHOTS.key([1])
    real = stage.source_of
    monkeypatch.setattr(stage, "source_of", lambda name: real(name) + ("# more" if name == module else ""))
    code_of.cache_clear()
    assert SHOTS.key([1]) != before
    monkeypatch.setattr(stage, "source_of", lambda name: real(name) + ("# more" if name == "analysis.to_spec" else ""))
    code_of.cache_clear()
    assert SHOTS.key([1]) == before, "what it is not made of"


VALUES: list[object] = [None, "abc", 5, [], {}, [None] * 7, ["a"] * 7]
VALUES += [[[msgpack.ExtType(1, b"1/0")]] + [None] * 6]
FOREIGN = [msgpack.packb(value) for value in VALUES]


@pytest.mark.parametrize("damage", [b"", b"\x00", b"not msgpack at all", b"\x93\x01\x02", *FOREIGN])
def test_a_damaged_or_foreign_file_is_a_miss(tmp_path: Path, damage: bytes) -> None:
    cache = Cache("film", tmp_path)
    assert _count(cache) == 1
    (file,) = cache.folder.glob("*.msgpack")
    for content in (damage, sealed(damage), file.read_bytes()[:-3], file.read_bytes()[:48] + damage):
        file.write_bytes(content)
        assert _count(cache) == 1
        assert _count(cache) == 0


def test_a_folder_that_cannot_be_made_costs_only_the_keeping(tmp_path: Path) -> None:
    (tmp_path / "analysis").write_text("a file stands here", encoding="utf-8")
    assert _count(Cache("film", tmp_path)) == 1


def _threads() -> dict[str, int]:
    """The most threads that a library's matrix products ("blas") and its other work ("openmp") may take."""
    libraries = sorted(threadpool_info(), key=lambda library: library["num_threads"])
    return {library["user_api"]: library["num_threads"] for library in libraries}


def test_matrix_products_of_a_stage_have_one_thread_and_models_keep_theirs(tmp_path: Path) -> None:
    line = StageRunner(Cache("film", tmp_path), lambda stage, done: None)
    with threadpool_limits(3):
        before = _threads()
        within = line.run(Stage("threads", dict[str, int], _threads))
        after = _threads()
    assert before["blas"] == 3
    assert (within, after) == ({**before, "blas": 1}, before)


@pytest.mark.parametrize("fails", [False, True])
def test_a_file_that_is_changed_while_it_is_read_is_cached_as_none(fails: bool, tmp_path: Path) -> None:
    (file := tmp_path / "film").write_text("old")

    def work(path: Path) -> int:
        if path.read_text() == "old":
            path.write_text("new")
            if fails:
                raise Stop("unreadable", "this is no film")
        return len(path.read_text())

    def line() -> StageRunner:
        return StageRunner(Cache("film", tmp_path), lambda stage, done: None)

    changed = "film was changed while it was read"
    with pytest.raises(Stop, match=changed):
        line().run(Stage("reading", int, work), file)
    (running := line()).run(Stage("reading", int, work), file)
    file.write_text("other")
    with pytest.raises(Stop, match=changed):
        running.run(Stage("more", int, work), file)
    assert line().run(Stage("reading", int, work), file) == len("other")
