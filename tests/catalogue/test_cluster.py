"""Films looked at by a scheduler and two workers as processes on this machine, one of which is killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from clusters import Cluster, cluster_in
from commandline import COMMAND
from effort import GIVE_UP
from footage import make_film
from many import indexed

from cinecut.catalogue.store import Catalogue
from cinecut.catalogue.task import Asked
from cinecut.catalogue.workers.cluster import Cluster as Looking
from cinecut.catalogue.workers.cluster import without_profile

pytestmark = pytest.mark.skipif(find_spec("distributed") is None, reason="no Dask")
_COUNT = 12


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with cluster_in(tmp_path) as made:
        yield made


def results(catalogue: Path) -> dict[str, bytes]:
    return {f"{file.parent.name}/{file.name}": file.read_bytes() for file in catalogue.glob("analysis/*/*.msgpack")}


@pytest.mark.slow
def test_one_of_two_workers_is_killed_and_nothing_else_is_lost(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The results are those of one process, and nothing is done twice but what the dead worker held."""
    (tmp_path / "films").mkdir()
    for number in range(_COUNT):
        make_film(tmp_path / "films" / f"film{number:02}.mkv", 3 + number // 2, bars=number % 2 * 8, spoken=False)
    command = [*COMMAND, "index", "films", "-C", "together", "--no-models", "--scheduler", cluster.address]
    running = subprocess.Popen(command, cwd=tmp_path, env=cluster.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while len(results(tmp_path / "together")) < 6:
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "together").glob("analysis/*/*.msgpack")}
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    printed, said = running.communicate(timeout=GIVE_UP)
    assert running.returncode == 0, said
    assert f"{_COUNT} films" in printed.decode()
    assert "dashboard" in said.decode()
    assert all(file.stat().st_mtime_ns == when for file, when in before.items())

    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path / "other_cache"))
    indexed(tmp_path / "films", tmp_path / "alone")
    assert results(tmp_path / "together") == results(tmp_path / "alone")
    alone, together = (Catalogue.load(tmp_path / name) for name in ("alone", "together"))
    assert together.index == alone.index
    index = [
        {file.name: file.read_bytes() for file in (each.folder / each.index).iterdir()} for each in (alone, together)
    ]
    assert index[0] == index[1]
    # What the killed worker had just done, and not yet told, is done: it costs nobody anything.
    assert sum(each.worked > 0 for each in together.whole) >= _COUNT - 1


@contextmanager
def one_worker(**options: Any) -> Iterator[Any]:
    """A client of a worker in this process."""
    from distributed import Client, LocalCluster

    options |= {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(processes=False, **options) as workers, Client(workers, set_as_default=False) as client:
        yield client


@pytest.mark.parametrize("tagged", [{}, {"GPU": 1}])
def test_models_are_asked_where_workers_have_a_gpu(tmp_path: Path, tagged: dict[str, int]) -> None:
    with one_worker(resources=tagged) as client:
        assert Looking(client, tmp_path, Asked(no_models=True)).resources() is None
        assert Looking(client, tmp_path, Asked()).resources() == (tagged or None)


def _profiled() -> list[bool]:
    """Whether Dask takes samples of the worker: before a film, while it is looked at, and after it."""
    from distributed import get_worker

    profile = get_worker().periodic_callbacks["profile"]
    found = [profile.is_running()]
    with without_profile():
        found.append(_becomes(profile, False))
    return [*found, _becomes(profile, True)]


def _becomes(profile: Any, running: bool) -> bool:
    end = time.monotonic() + GIVE_UP
    while profile.is_running() != running and time.monotonic() < end:
        time.sleep(0.01)
    return bool(profile.is_running())


def test_a_worker_is_not_profiled_while_it_looks_at_a_film() -> None:
    with one_worker() as client:
        assert client.submit(_profiled, pure=False).result(timeout=GIVE_UP) == [True, False, True]
