"""A small trailer that is watched, and waiting for what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from effort import GIVE_UP
from oracle import Film, Sound

Films = Callable[[Film], Film]
SMALL = Film(Path("a.mp4"), Fraction(24), 240, size=(160, 90), gop=24, sound=Sound())
TEXT = """\
# A trailer.
cinecut: 1
film: {film}
music: {{beats: {{tempo: 120}}}}   # the beat
timeline:
  # the opening
  - act: one
  - shot: 0:01 - 0:02   # the hole
    titles: [{{text: Spring}}, Summer]
  - shot:
      in: 3s   # a note
      for: 1 bar
  - black: 12f
  - card: The End   # at last
    for: 1 bar
  - shot: {{in: 5s, for: 2 beats}}
    line: It was you.
    alternatives:
      - {{in: 6s, score: 0.5, why: a face}}   # the other one
      - {{in: 7s}}
"""


def written(folder: Path, film: Path) -> Path:
    spec = folder / "a.yaml"
    spec.write_text(TEXT.format(film=film))
    return spec


def wait_for(wanted: Callable[[], object]) -> None:
    for _ in range(10 * GIVE_UP):
        if wanted():
            return
        time.sleep(0.1)
    raise AssertionError("it never came")
