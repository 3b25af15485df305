"""How long one waits for the commands that render nothing: help, check, compile, export."""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import Film
from bench.measure import MB, Command, Meter, median_of, run
from bench.rendering.cutlist import CINECUT, SEED, Shot, write_spec

RUNS = 5
EXTRAS = """\
  - act: act {number}
  - black: 12f
  - card: Card {number}
    for: 1.5s
"""


def table(film: Film, runs: int) -> list[Figure]:
    """Whole processes, from the command's start to its end; median of five after one that warms the disk's cache.

    Seconds differ threefold between machines, so the processor's time is also given as a multiple of what Python needs
    to do nothing, in the same run.
    """
    nothing = median_of(Command((sys.executable, "-c", "pass")), 5 * RUNS)
    meters: dict[str, Meter] = {}
    figures: list[Figure] = []
    commands: list[tuple[str, Callable[[Film], Command], float, float]] = [
        ("cinecut --help", _help, 0.3, 3.5),
        ("cinecut check, 60 events", _check, 0.5, 4),
        ("cinecut compile, 1,000 shots", _compile, 1.0, 14),
        ("cinecut edit, 1,000 events", _edit, 0.5, 16),
        ("cinecut export, 1,000 shots", _export, 1.0, 14),
    ]
    for name, command, bound, times in commands:
        try:
            meters[name] = median_of(command(film), RUNS)
            figures.append(Figure(name, meters[name].wall, bound, " s"))
            figures.append(Figure(f"{name}: CPU against Python alone", meters[name].cpu / nothing.cpu, times, " ×"))
        except NotMeasuredError as error:
            figures.append(Figure(name, None, bound, " s", reason=str(error)))
    rows = [(name, f"{m.wall:.3f}", f"{m.cpu:.3f}", f"{m.peak / MB:.0f}") for name, m in meters.items()]
    print_rows(("command", "wall s", "CPU s", "peak MB"), rows)
    return [*figures, _edit_alone()]


def _edit_alone() -> Figure:
    """What an edit of 1,000 events takes in a process that runs already, as a server's: read, edit, check, compare,
    write. The median of five, of the processor's time."""
    import cinecut

    spec, seconds = _thousand(), []
    for number in range(RUNS + 1):
        began = time.process_time()
        cinecut.edit(spec, "trim", 502, for_=f"{number + 1}s")
        seconds.append(time.process_time() - began)
    return Figure("an edit of 1,000 events, CPU", statistics.median(seconds[1:]), 0.3, " s")


def _edit(film: Film) -> Command:
    return Command((CINECUT, "edit", str(_thousand()), "trim", "502", "--for", "1s"))


def _thousand() -> Path:
    """A spec of 1,000 events with acts, cards, blacks, titles and alternatives; the film need not exist."""
    dice, rows = random.Random(SEED), [_HEAD]
    for number in range(1000):
        rows.append(f"  - act: part {number // 100 + 1}\n" if number % 100 == 0 else "")
        start, kind = dice.randrange(5990), number % 10
        if kind == 9:
            rows.append(f"  - black: 12f   # breath {number}\n")
        elif kind == 8:
            rows.append(f"  - {{card: WORDS {number}, for: 1s}}\n")
        else:
            rows.append(f"  - shot: {{in: {start // 60}:{start % 60:02d}.5, for: 1.5s}}   # shot {number}\n")
            rows.append(_KEYS.get(kind, ""))
    spec = work_folder() / "thousand_events.yaml"
    spec.write_text("".join(rows), encoding="utf-8")
    return spec


_HEAD = """\
cinecut: 1   # a large one
film:
  file: film.mkv
  facts:
    {fingerprint: 4-0, size: 1280x720, rate: 24, duration: 6000, audio: [{rate: 48000, channels: 2, layout: stereo}]}
timeline:
"""
_KEYS = {
    3: "    gain: -3\n",
    5: "    titles: [Some words]\n",
    6: "    alternatives: [{in: 0:20, score: 0.5, why: near}]\n",
}


def _help(film: Film) -> Command:
    return Command((CINECUT, "--help"))


def _check(film: Film) -> Command:
    """48 shots and four times an act marker, black and a card."""
    spec = write_spec(film, _shots(film, 48), work_folder() / "sixty.yaml")
    spec.write_text(spec.read_text() + "".join(EXTRAS.format(number=number) for number in range(1, 5)))
    cache = {"CINECUT_CACHE_DIR": str(work_folder() / "nothing_known")}  # no analysis of the film to be compared with
    return Command((CINECUT, "check", _linked(spec)), environment=cache)


def _compile(film: Film) -> Command:
    spec = write_spec(film, _shots(film, 1000), work_folder() / "thousand.yaml")
    folder = work_folder() / "thousand"
    return Command((CINECUT, "compile", _linked(spec), "-o", str(folder)))


def _export(film: Film) -> Command:
    spec = write_spec(film, _shots(film, 1000), work_folder() / "thousand.yaml")
    return Command((CINECUT, "export", _linked(spec), "--to", "premiere", "-f", "-o", str(work_folder() / "cut.xml")))


def _shots(film: Film, count: int) -> list[Shot]:
    dice = random.Random(SEED)
    return [Shot(dice.randrange(1, film.frames - 61), dice.choice((24, 36, 48, 60))) for _ in range(count)]


def _linked(spec: Path) -> str:
    run(Command((CINECUT, "link", str(spec))))
    return str(spec)
