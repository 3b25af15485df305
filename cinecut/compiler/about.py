"""What a trailer's file tells players and libraries: its title, and its acts as chapters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.deliveries import Delivery
from cinecut.compiler.layout.timeline import Timeline
from cinecut.compiler.names import on_one_line

_BEFORE = "opening"  # what comes before the first act, a rating card too: in mp4 the first chapter starts at 0


@dataclass(frozen=True, slots=True)
class About:
    """A title (may be empty), and chapters: for each its frames [start, end) and its name."""

    title: str
    chapters: tuple[tuple[int, int, str], ...]


def about_file(name: str, file: Delivery) -> str | None:
    """The file's name in the working folder; None if there is neither title nor chapter."""
    return f"{name or 'trailer'}.about" if file.title or file.chapters else None


def about_of(timeline: Timeline, file: Delivery, opening: int) -> About:
    """The title and chapters of a file. `opening`: frames before the timeline's first."""
    starts = [*(_chapters(timeline, opening) if file.chapters else ())]
    ends = [*(start for start, _ in starts[1:]), timeline.frames + opening]
    chapters = [(start, end, on_one_line(act)) for (start, act), end in zip(starts, ends, strict=False)]
    return About(on_one_line(file.title or ""), tuple(chapters))


def about_text(about: About, rate: Fraction) -> bytes:
    """The same as an FFmpeg metadata file."""
    rows = [";FFMETADATA1", *([f"title={_escaped(about.title)}"] if about.title else [])]
    for start, end, act in about.chapters:
        frame = f"TIMEBASE={rate.denominator}/{rate.numerator}"
        rows += ["[CHAPTER]", frame, f"START={start}", f"END={end}", f"title={_escaped(act)}"]
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


def _escaped(line: str) -> str:
    """The line with the characters escaped that would end the value or start another."""
    return re.sub(r"([\\=;#])", r"\\\1", line)
