"""How long the search for shots takes, and what it finds, against PySceneDetect's adaptive detector.

Two films: as it is (key frames on most cuts) and encoded again with a key frame every 48 frames and nowhere else. The
truth for Big Buck Bunny was decided by eye, on contact sheets of every place where two detectors or a frame-by-frame
difference disagreed; fades, dissolves and the iris at the end are transitions and no cuts. Any other film is judged by
the rival's cuts alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import FFMPEG, Film, long_film, measure
from bench.film_analysis import recipes
from bench.measure import MB, Command, measured

RIVALS = Path(__file__).resolve().parents[1] / "rivals"
SCENEDETECT = ("scenedetect==0.7.*", "opencv-python-headless")
TRUTH_FRAMES = 14315  # of the film whose cuts these are
# fmt: off
TRUTH = [
    285, 378, 553, 1145, 1346, 1456, 1531, 1666, 1711, 1763, 1813, 1919, 2154, 2194, 2394, 2494, 2704, 2831, 2901,
    2963, 3045, 3513, 3578, 3744, 3860, 3895, 3919, 3989, 4032, 4069, 4227, 4266, 4332, 4463, 4544, 4612, 4672,
    4697, 4726, 4796, 4900, 4942, 4979, 5013, 5079, 5131, 5292, 5307, 5371, 5430, 5518, 5579, 5809, 5844, 6018,
    6048, 6088, 6128, 6168, 6208, 6228, 6268, 6308, 6348, 6388, 6488, 6623, 6670, 6713, 6753, 6833, 7013, 7093,
    7131, 7325, 7400, 7500, 7546, 7613, 7661, 7732, 7769, 8024, 8085, 8154, 8945, 9009, 9080, 9148, 9379, 9420,
    9468, 9507, 9575, 9584, 9593, 9719, 9795, 9850, 9891, 9987, 10016, 10081, 10097, 10125, 10184, 10234, 10260,
    10303, 10339, 10409, 10453, 10468, 10574, 10613, 10637, 10842, 10999, 11312, 11349, 11524, 11560, 11612, 11671,
    13942, 14314,
]
# fmt: on


def table(film: Film, runs: int) -> list[Figure]:
    """Wall time, and cuts found within one frame, on both films; wall and memory on one of two hours."""
    figures: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    for name, each, bound in (("as it is", film, 0.20), ("fixed GOPs", _fixed_gops(film), 0.60)):
        figures += _against_rival(name, each, runs, bound, rows)
    print_rows(("film", "finder", "wall s", "CPU s", "peak MB", "cuts", "recall", "precision"), rows)
    if film.frames == TRUTH_FRAMES:
        figures += recipes.table(film)
    return figures + _two_hours(film)


def _against_rival(name: str, film: Film, runs: int, bound: float, rows: list[tuple[str, ...]]) -> list[Figure]:
    wall = f"shots, {name}: wall against PySceneDetect"
    outputs = {finder: work_folder() / f"shots_{finder}.json" for finder in ("cinecut", "scenedetect")}
    try:
        commands = {"cinecut": _ours(film, outputs["cinecut"]), "scenedetect": _rival(film, outputs["scenedetect"])}
        meters = measured(commands, runs)
    except NotMeasuredError as error:
        return [Figure(wall, None, bound, reason=str(error), needed=False)]
    found = {finder: json.loads(output.read_text()) for finder, output in outputs.items()}
    truth = TRUTH if film.frames == TRUTH_FRAMES else found["scenedetect"]
    for finder, meter in meters.items():
        recall, precision = _agreement(found[finder], truth)
        cells = (f"{meter.wall:.2f}", f"{meter.cpu:.2f}", f"{meter.peak / MB:.0f}", str(len(found[finder])))
        rows.append((name, finder, *cells, f"{recall:.3f}", f"{precision:.3f}"))
    recall, precision = _agreement(found["cinecut"], truth)
    return [
        Figure(wall, meters["cinecut"].wall / meters["scenedetect"].wall, bound),
        Figure(f"shots, {name}: recall", recall, 0.97, at_least=True),
        Figure(f"shots, {name}: precision", precision, 0.95, at_least=True),
    ]


def _two_hours(film: Film) -> list[Figure]:
    """The film twelve times over, against nothing but decoding it: as many times as long as decoding it once."""
    long = long_film(film)
    output = work_folder() / "shots_long.json"
    decode = Command((FFMPEG, "-nostdin", "-v", "error", "-i", str(film.path), "-map", "0:v:0", "-f", "null", "-"))
    meters = measured({"cinecut": _ours(long, output), "a decode of a twelfth": decode}, 1)
    print()
    cells = [(name, f"{m.wall:.1f}", f"{m.cpu:.1f}", f"{m.peak / MB:.0f}") for name, m in meters.items()]
    print_rows(("two hours", "wall s", "CPU s", "peak MB"), cells)
    whole = meters["a decode of a twelfth"].wall * long.frames / film.frames
    return [
        Figure("shots, two hours: wall against a full decode", meters["cinecut"].wall / whole, 1.0),
        Figure("shots, two hours: peak memory", meters["cinecut"].peak / MB, 1500, " MB"),
    ]


def _agreement(found: Sequence[int], truth: Sequence[int]) -> tuple[float, float]:
    """(recall, precision) of first frames, at most one frame off."""

    def share(these: Sequence[int], those: Sequence[int]) -> float:
        return sum(any(abs(this - that) <= 1 for that in those) for this in these) / max(1, len(these))

    return share(truth, found), share(found, truth)


def _ours(film: Film, output: Path) -> Command:
    """As a command of cinecut runs, which tells NumPy to use one thread."""
    argv = (sys.executable, "-m", "bench.film_analysis.our_shots", str(film.path), str(output))
    return Command(argv, output, {"OPENBLAS_NUM_THREADS": "1"})


def _rival(film: Film, output: Path) -> Command:
    """PySceneDetect in an environment of its own, made on the first use."""
    python = work_folder() / "scenedetect" / "bin" / "python"
    if not _runs(str(python), "-c", "import scenedetect"):
        made = _runs(sys.executable, "-m", "venv", "--clear", str(python.parent.parent))
        if not made or not _runs(str(python), "-m", "pip", "install", "-q", *SCENEDETECT):
            raise NotMeasuredError("PySceneDetect is not installed: pip cannot get it")
    return Command((str(python), str(RIVALS / "scenedetect_shots.py"), str(film.path), str(output)), output)


def _runs(*argv: str) -> bool:
    try:
        return subprocess.run(argv, capture_output=True).returncode == 0
    except OSError:
        return False


def _fixed_gops(film: Film) -> Film:
    """The film with a key frame every 48 frames and on no cut, made once."""
    path = work_folder() / f"{film.path.stem}_gop48.mp4"
    if not path.exists():
        part = path.with_stem(path.stem + ".part")
        argv = [FFMPEG, "-nostdin", "-v", "error", "-y", "-i", str(film.path), "-map", "0:v:0", "-c:v", "libx264"]
        argv += ["-preset", "veryfast", "-crf", "21", "-g", "48", "-keyint_min", "48", "-sc_threshold", "0", str(part)]
        subprocess.run(argv, check=True)
        part.replace(path)
    return measure(path)
