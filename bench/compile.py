"""How long one waits for the commands that render nothing: help, check, compile."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

from bench.cutlist import CINECUT, SEED, Shot, write_spec
from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import Film
from bench.measure import MB, Command, Meter, median_of, run

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
    return figures


def _help(film: Film) -> Command:
    return Command((CINECUT, "--help"))


def _check(film: Film) -> Command:
    """48 shots and four times an act marker, black and a card."""
    spec = write_spec(film, _shots(film, 48), work_folder() / "sixty.yaml")
    spec.write_text(spec.read_text() + "".join(EXTRAS.format(number=number) for number in range(1, 5)))
    return Command((CINECUT, "check", _linked(spec)))


def _compile(film: Film) -> Command:
    spec = write_spec(film, _shots(film, 1000), work_folder() / "thousand.yaml")
    folder = work_folder() / "thousand"
    return Command((CINECUT, "compile", _linked(spec), "-o", str(folder)))


def _shots(film: Film, count: int) -> list[Shot]:
    dice = random.Random(SEED)
    return [Shot(dice.randrange(1, film.frames - 61), dice.choice((24, 36, 48, 60))) for _ in range(count)]


def _linked(spec: Path) -> str:
    run(Command((CINECUT, "link", str(spec))))
    return str(spec)
