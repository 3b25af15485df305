"""The lines that a table ends with: figure, measured, must reach, ok or MISSED."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".bench"
"""Everything that the benchmarks write; git does not see it."""


class NotMeasuredError(Exception):
    """A figure cannot be had on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number and its bound. Without a number, `reason` says why there is none."""

    name: str
    measured: float | None
    limit: float
    unit: str = ""
    at_least: bool = False  # the bound is a lower one
    reason: str = ""
    needed: bool = True  # a missing number is a miss, not just a gap

    @property
    def missed(self) -> bool:
        if self.measured is None:
            return self.needed
        return self.measured < self.limit if self.at_least else self.measured > self.limit

    def row(self) -> tuple[str, str, str, str]:
        bound = f"{'≥' if self.at_least else '≤'} {number(self.limit)}{self.unit}"
        if self.measured is None:
            return self.name, "", bound, "MISSED" if self.needed else "not measured"
        return self.name, number(self.measured) + self.unit, bound, "MISSED" if self.missed else "ok"


def number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def work_folder() -> Path:
    """The folder for everything that a benchmark makes, with a note for git in it."""
    WORK.mkdir(exist_ok=True)
    (WORK / ".gitignore").write_text("*\n")
    return WORK


def print_rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell, the first one to the left."""
    table = [list(head), *map(list, rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    table.insert(1, ["-" * width for width in widths])
    for row in table:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *cells]).rstrip(), flush=True)


def print_figures(figures: Sequence[Figure]) -> None:
    """The table, and below it why something could not be measured."""
    print()
    print_rows(("figure", "measured", "must reach", ""), [figure.row() for figure in figures])
    for reason in dict.fromkeys(figure.reason for figure in figures if figure.measured is None and figure.reason):
        print(f"not measured: {reason}")
    print()
