"""What a trailer's file says of itself to players and libraries: its title, and its acts as chapters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from cinecut.compiler.resolve import Delivery
from cinecut.compiler.timeline import Timeline

_BEFORE = "opening"  # what comes before the first act, a rating card too: in mp4 the first chapter starts at 0


def about_file(name: str, file: Delivery) -> str | None:
    """Where it lies in the working folder; None: there is nothing to say."""
    return f"{name or 'trailer'}.about" if file.title or file.chapters else None


def about_text(timeline: Timeline, file: Delivery, opening: int) -> bytes:
    """It as FFmpeg reads it. `opening` are the frames before the timeline's first."""
    rows = [";FFMETADATA1", *([f"title={_value(file.title)}"] if file.title else [])]
    starts = [*(_chapters(timeline, opening) if file.chapters else ())]
    ends = [*(start for start, _ in starts[1:]), timeline.frames + opening]
    frame = f"TIMEBASE={timeline.rate.denominator}/{timeline.rate.numerator}"
    for (start, act), end in zip(starts, ends, strict=False):
        rows += ["[CHAPTER]", frame, f"START={start}", f"END={end}", f"title={_value(act)}"]
    return ("\n".join(rows) + "\n").encode()


def _chapters(timeline: Timeline, opening: int) -> Iterator[tuple[int, str]]:
    """The frame at which each act begins, and its name."""
    before = None
    if opening or timeline.events[0].act is None:
        yield 0, _BEFORE
    for placed in timeline.events:
        if placed.act is not None and placed.act != before:
            yield placed.range.start.index + opening, placed.act
            before = placed.act


def _value(text: str) -> str:
    """A text on one line, in which nothing ends the value or begins another."""
    line = " ".join("".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text).split())
    return re.sub(r"([\\=;#])", r"\\\1", line)
