"""Every film of the recipes is cut into a trailer and compared with a plain decode; docs/media.md has the results."""

from __future__ import annotations

from pathlib import Path

import pytest
import table
from effort import mostly_slow
from trial import try_film

MOST_REFUSED = 0.05  # of the films that FFmpeg plays
# Tried on every run, one of each way in which a film can be read wrongly; `make test-slow` tries all.
USUAL = (
    "mkv hevc + aac, open groups, cut without encoding",  # pictures that need what was cut off
    "mp4 hevc + aac, open groups, cut without encoding",  # key frames before an edit list's start
    "ts mpeg2 + ac3, stamps that run over",
    "ts mpeg2 + mp2, 48 kHz becomes 44.1",
    "vob mpeg2 + ac3, two recordings joined",
    "vob mpeg2 + ac3, begins between key frames",
    "mpg h264 + mp2, begins between key frames",  # the first pictures have no stamp
    "avi mpeg4 + mp3, packed B pictures",  # what repeats a picture is marked as a key frame
    "mxf mpeg2 + pcm_s16le, broken off",  # an index that was lost
    "mxf h264 + pcm_s16le",  # stamps of decoding alone
    "mpg h264 + mp2",  # stamps on few packets
    "m1v mpeg1",  # made up stamps
    "mkv gif + flac",  # no key frame is marked
    "mov rpza + pcm_s16le",  # all are marked, though some are false
    "mkv rgb + flac",  # what no reel holds as it is
    "mp4 h264 + aac, 7.1",
    "mkv h264 + g726",
)


@pytest.mark.parametrize("name", mostly_slow(table.FILMS, USUAL))
def test_a_film_is_read_exactly_or_refused_in_time(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    outcome = try_film(table.FILMS[name], tmp_path)
    assert not outcome.faults
    if request.config.getoption("--update-goldens"):
        table.record(name, outcome.text)
    assert table.read().get(name) == outcome.text, "docs/media.md says otherwise; --update-goldens writes it anew"


def test_the_page_is_complete() -> None:
    results = table.read()
    assert set(USUAL) <= set(table.FILMS)
    assert set(results) == set(table.FILMS)
    assert table.DOC.read_text(encoding="utf-8") == table.text(results)
    refused = [name for name, result in results.items() if result.startswith("refused")]
    assert len(refused) <= MOST_REFUSED * len(results), refused
