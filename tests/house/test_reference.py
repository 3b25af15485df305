"""The reference says what the schemas and the commands say."""

from __future__ import annotations

from tools.reference import FOLDER, pages


def test_no_page_is_stale() -> None:
    stale = [name for name, text in pages().items() if (FOLDER / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run: python -m tools.reference"
