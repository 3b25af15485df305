"""A render's segments by a scheduler's two workers: the bytes of one machine, also when one of them dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import pytest
from clusters import Cluster, cluster_in
from effort import GIVE_UP
from oracle import Film, Sound
from rendering import Piece, spec_text

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.ffmpeg.run import Running
from cinecut.machine.cluster import Where, client_of
from cinecut.render.job import SILENT, Watch, prepare
from cinecut.render.segments.elsewhere import OnCluster
from cinecut.render.trailer import Effort, render

pytestmark = pytest.mark.skipif(find_spec("distributed") is None, reason="no Dask")
RATE = Fraction(24)
PIECES = tuple(Piece(Fraction(n, 2), 50 + n % 5) for n in range(12))


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(tmp_path / "runtime"))
    with cluster_in(tmp_path) as made:
        yield made


@pytest.mark.slow
def test_two_workers_make_the_same_bytes_and_so_does_the_one_that_is_left(
    cluster: Cluster, films: Callable[[Film], Film], tmp_path: Path
) -> None:
    film = films(Film(Path("a.mp4"), RATE, 240, (160, 90), gop=12, sound=Sound(codec="flac")))
    text = spec_text(film, [piece.event for piece in PIECES], "output: {preset: veryslow, loudness: web}")
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    job, build = prepare(tmp_path / "spec.yaml"), find_ffmpeg()
    wanted = render(job, tmp_path / "here.mp4", build, SILENT, effort=Effort(store=False)).files[""].read_bytes()
    told = list[str]()
    with client_of(Where(cluster.address), told.append) as client:
        client.wait_for_workers(2, timeout=GIVE_UP)
        shared = Effort(OnCluster(client).places, store=False, elsewhere=OnCluster(client))
        assert shared.jobs == 2
        done = render(job, tmp_path / "shared.mp4", build, SILENT, effort=shared)
        assert done.files[""].read_bytes() == wanted

        def kill(stage: str, done: int, total: int, speed: float | None) -> None:
            if stage == "render" and 0 < done < total and cluster.workers[0].poll() is None:
                os.kill(cluster.workers[0].pid, signal.SIGKILL)
                cluster.workers[0].wait()

        watch = Watch(kill, lambda holder: None)
        done = render(job, tmp_path / "killed.mp4", build, watch, effort=shared)
        assert cluster.workers[0].poll() == -signal.SIGKILL
        assert done.files[""].read_bytes() == wanted
        with pytest.raises(Stop, match="does not see"):
            OnCluster(client)([build.path, "-version"], build, tmp_path / "elsewhere", Running())
    assert "dashboard" in told[0]


def test_a_scheduler_that_is_none_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cinecut.machine.cluster._PATIENCE", 1)
    for where in (Where("tcp://127.0.0.1:1"), Where("nowhere at all"), Where("tcp://127.0.0.1:1", workers=2)):
        with pytest.raises(Stop, match=r"--scheduler|for a local cluster"), client_of(where, print):
            pass
