"""The store of what was rendered: what goes when it is full."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cinecut.render.store import Store


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
