"""`python -m bench [--runs N] [TABLE ...]`: print the tables and their figures; exit 1 if a bound is missed."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys

from bench import figures
from bench.film import FFMPEG, film

ROOMS = {
    "rendering": ("render", "segments", "watch", "memory", "compile", "bytes", "sound", "picture", "kits"),
    "film_analysis": ("shots", "transnet", "analyze", "models", "cut", "find", "cluster"),
    "speech": ("speech",),
    "song_analysis": ("music",),
    "proving": ("proof", "conform", "kinds", "agents"),
}
TABLES = {name: f"bench.{room}.{name}" for room, names in ROOMS.items() for name in names}
"""Each is a module with `table(film, runs) -> list[Figure]`, which prints its rows and returns its bounds."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"{', '.join(TABLES)} (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="rounds of the interleaved renders (default: 3)")
    arguments = parser.parse_args()
    if unknown := set(arguments.tables) - set(TABLES):
        parser.error(f"no table {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    subject = film()
    print(f"{platform.machine()}, {os.cpu_count()} cores; film {subject.path}; FFmpeg {FFMPEG}")
    missed = 0
    for name in arguments.tables or TABLES:
        print(f"\n== {name} ==\n")
        bounds = importlib.import_module(TABLES[name]).table(subject, arguments.runs)
        figures.print_figures(bounds)
        missed += sum(bound.missed for bound in bounds)
    print(f"{missed} missed" if missed else "every bound is kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
