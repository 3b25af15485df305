"""Every film of the recipes is cut into a trailer and compared with a plain decode; docs/media.md has the results."""

from __future__ import annotations

from pathlib import Path

import pytest
import table
from trial import try_film

MOST_REFUSED = 0.05  # of the films that FFmpeg plays


@pytest.mark.slow
@pytest.mark.parametrize("name", table.FILMS)
def test_a_film_is_read_exactly_or_refused_in_time(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    outcome = try_film(table.FILMS[name], tmp_path)
    assert not outcome.faults
    if request.config.getoption("--update-goldens"):
        table.record(name, outcome.text)
    assert table.read().get(name) == outcome.text, "docs/media.md says otherwise; --update-goldens writes it anew"


@pytest.mark.slow
def test_the_page_is_complete() -> None:
    results = table.read()
    assert set(results) == set(table.FILMS)
    assert table.DOC.read_text(encoding="utf-8") == table.text(results)
    refused = [name for name, result in results.items() if result.startswith("refused")]
    assert len(refused) <= MOST_REFUSED * len(results), refused
