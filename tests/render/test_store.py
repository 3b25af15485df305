"""The store of what was rendered: what goes when it is full, and what never comes into it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from oracle import Film
from watching import SMALL, written

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.media.reels import Reels
from cinecut.render.folder import Materials
from cinecut.render.job import SILENT, prepare
from cinecut.render.store import Store, usual_store
from cinecut.render.trailer import render


def test_what_was_used_least_recently_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cinecut.render import store as module
    from cinecut.render.store import key_of

    store, file = Store(tmp_path / "store"), tmp_path / "file"
    for number in range(6):
        file.unlink(missing_ok=True)
        file.write_bytes(bytes([number]) * 100)
        store.keep(key_of(number), file)
        [entry] = (tmp_path / "store").glob(f"??/{key_of(number)}.*")
        os.utime(entry, (number, number))
    assert store.take(key_of(0), tmp_path / "taken")
    monkeypatch.setattr(module, "limit", lambda: 300)
    store.prune()
    left = [number for number in range(6) if store.take(key_of(number), tmp_path / f"left{number}")]
    assert left == [0, 4, 5]


@pytest.mark.parametrize("fails", [False, True])
def test_a_film_that_is_changed_while_it_is_read(
    fails: bool, films: Callable[[Film], Film], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(tmp_path / "runtime"))
    film = Path(shutil.copy(films(SMALL).path, tmp_path / "film.mp4"))
    job, write = prepare(written(tmp_path, film)), Reels.write

    def late(*asked: object) -> None:
        write(*asked)  # type: ignore[arg-type]
        film.write_bytes(film.read_bytes() + b"more")
        if fails:
            raise Stop("unreadable", "this is no film")

    monkeypatch.setattr(Reels, "write", late)
    with pytest.raises(Stop, match=r"film\.mp4 was changed while it was read"):
        render(job, tmp_path / "out.mp4", find_ffmpeg(None), SILENT)
    assert not (tmp_path / "out.mp4").exists()
    materials = Materials(job, tmp_path, SILENT, store := usual_store())
    reels = {reel.name: materials.keys[reel.name] for reel in materials.reels({*materials.keys})}
    assert (len(reels) > 2, store.take_all(reels, tmp_path)) == (True, set())
