"""What an edit costs: a trailer rendered cold, one of its shots changed, one put at its head; and its memory."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, print_rows, work_folder
from bench.film import FFMPEG, Film
from bench.measure import MB, Command, Meter, run
from bench.rendering.cutlist import CINECUT, DRESSED, Shot, cut_list, hand_graph, write_song, write_spec

_CORES = os.cpu_count() or 1


def table(film: Film, runs: int) -> list[Figure]:
    """Medians of `runs` rounds; each round starts with an empty store."""
    shots, folder = cut_list(film), work_folder() / "segments"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write_song(folder)
    hand = hand_graph(film, shots, folder / "hand.mp4")
    edited = [dataclasses.replace(shot, start=shot.start + 24 * (n == 20)) for n, shot in enumerate(shots)]
    inserted = [Shot(1000, 36), *shots]
    meters: dict[str, list[Meter]] = {}
    for _ in range(runs):
        shutil.rmtree(folder / "cache", ignore_errors=True)
        meters.setdefault("hand graph", []).append(run(hand))
        for name, cut in (("cold", shots), ("one shot changed", edited), ("nothing changed", edited)):
            meters.setdefault(name, []).append(run(_render(film, cut, folder / "out.mp4")))
        meters.setdefault("dressed, cold", []).append(run(_render(film, shots, folder / "dressed.mp4", DRESSED)))
    median = {name: _median(each) for name, each in meters.items()}
    rows = [(name, f"{m.wall:.2f}", f"{m.cpu:.1f}", f"{m.peak / MB:.0f}") for name, m in median.items()]
    print_rows(("render", "wall s", "CPU s", "peak MB"), rows)
    by_hand, cold, dressed = median["hand graph"], median["cold"], median["dressed, cold"]
    return [
        Figure("wall against the hand graph's CPU on all cores", cold.wall / (by_hand.cpu / _CORES), 1.10),
        Figure("CPU against the hand graph's", cold.cpu / by_hand.cpu, 1.08),
        Figure("peak memory against the hand graph's", cold.peak / by_hand.peak, 1.0),
        Figure("grade, music, effects: wall against own CPU on all cores", dressed.wall / (dressed.cpu / _CORES), 1.10),
        Figure("grade, music, effects: CPU against the hand graph's", dressed.cpu / by_hand.cpu, 1.66),
        Figure("one shot changed, against the whole", median["one shot changed"].wall / cold.wall, 0.10),
        Figure("segments made for a shot at the head", _new(film, inserted, folder / "out.mp4"), 4),
    ]


def _render(film: Film, shots: Sequence[Shot], output: Path, head: Sequence[str] = ()) -> Command:
    spec = write_spec(film, shots, output.with_suffix(".yaml"), head)
    run(Command((CINECUT, "link", str(spec))))
    environment = {"CINECUT_FFMPEG": FFMPEG, "CINECUT_CACHE_DIR": str(output.parent / "cache")}
    return Command((CINECUT, "render", str(spec), "-o", str(output), "--json"), output, environment)


def _new(film: Film, shots: Sequence[Shot], output: Path) -> int:
    command = _render(film, shots, output)
    output.unlink(missing_ok=True)
    said = subprocess.run(command.argv, capture_output=True, check=True, env=os.environ | dict(command.environment))
    return len(json.loads(said.stdout)["new"])


def _median(meters: Sequence[Meter]) -> Meter:
    wall, cpu, peak = zip(*((meter.wall, meter.cpu, meter.peak) for meter in meters), strict=True)
    return Meter(statistics.median(wall), statistics.median(cpu), int(statistics.median(peak)))
