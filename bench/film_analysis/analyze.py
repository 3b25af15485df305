"""`cinecut analyze`: a film of two hours with 1,500 lines of subtitles against a full decode of it, the second run, and
what came out of the trailer that it wrote, measured again from the rendered file.
"""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import FFMPEG, Film, long_film
from bench.film_analysis.shots import TRUTH, TRUTH_FRAMES
from bench.measure import Command, Meter, run
from bench.rendering.cutlist import CINECUT
from cinecut.analysis.film.shots import find_shots
from cinecut.compiler.layout.timeline import Placed, PlacedShot, Timeline
from cinecut.diagnostics import Report
from cinecut.language.read import load_spec
from cinecut.media.probe import film_facts
from cinecut.render.check import layout_of

GB = 1_000_000_000
LINES = 1500


def table(film: Film, runs: int) -> list[Figure]:
    try:
        return _two_hours(long_film(film)) + _trailer(film)
    except NotMeasuredError as error:
        return [Figure("analyze", None, 1.0, reason=str(error))]


def _two_hours(film: Film) -> list[Figure]:
    """First run, full decode, second run, one after another."""
    folder = work_folder() / "analyze"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subtitles = folder / "long.srt"
    subtitles.write_text(_subtitles(film.frames / film.rate))
    spec = folder / "long.yaml"
    words = (CINECUT, "analyze", str(film.path), "--subtitles", str(subtitles), "--vibe", "drama", "-o", str(spec))
    analyze = Command(words, spec, {"CINECUT_CACHE_DIR": str(folder / "cache")})
    decode = Command((FFMPEG, "-nostdin", "-v", "error", "-i", str(film.path), "-map", "0:v:0", "-f", "null", "-"))
    meters: dict[str, Meter] = {"analyze": run(analyze), "full decode": run(decode), "analyze again": run(analyze)}
    rows = [(name, f"{m.wall:.2f}", f"{m.cpu:.1f}", f"{m.peak / 1e6:.0f}") for name, m in meters.items()]
    print_rows((f"{float(film.frames / film.rate) / 3600:.2f} h, {LINES} lines", "wall s", "CPU s", "peak MB"), rows)
    return [
        Figure("two hours: wall against a full decode", meters["analyze"].wall / meters["full decode"].wall, 1.0),
        Figure("two hours: peak memory", meters["analyze"].peak / GB, 1.5, " GB"),
        Figure("two hours: second run", meters["analyze again"].wall, 2.0, " s"),
    ]


def _subtitles(seconds: Fraction) -> str:
    step = float(seconds) / LINES
    cues = []
    for number in range(LINES):
        start = number * step + 0.4
        words = f"Nobody told me number {number} would be like this."
        cues.append(f"{number + 1}\n{_stamp(start)} --> {_stamp(start + 2.2)}\n{words}\n")
    return "\n".join(cues)


def _stamp(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{int(seconds * 1000) % 1000:03d}"


def _trailer(film: Film) -> list[Figure]:
    """Write and render a trailer of the film; find its cuts again in the file."""
    folder = work_folder() / "analyze"
    spec, output = folder / "trailer.yaml", folder / "trailer.mp4"
    cache = {"CINECUT_CACHE_DIR": str(folder / "cache")}
    run(Command((CINECUT, "analyze", str(film.path), "--vibe", "animation", "-o", str(spec)), spec, cache))
    run(Command((CINECUT, "render", str(spec), "-o", str(output)), output, {"CINECUT_FFMPEG": FFMPEG}))
    timeline = _timeline(spec)
    found = [round(s.range.start.seconds * timeline.rate) for s in find_shots(output, film_facts(output), _quiet).shots]
    hard = [placed for placed in timeline.events if placed.head.kind == "cut" and placed.range.start.index > 0]
    seen = [placed for placed in hard if any(abs(placed.range.start.index - cut) <= 1 for cut in found)]
    off = max(_off_beat(placed, timeline, found) for placed in seen)
    cuts = [cut / film.rate for cut in TRUTH] if film.frames == TRUTH_FRAMES else []
    crossing = sum(_crosses(placed, cuts) for placed in timeline.events)
    print(f"\nthe trailer: {len(timeline.events)} events, {len(hard)} hard cuts, {len(seen)} of them seen in the file")
    return [
        Figure("trailer: hard cuts seen in the file", len(seen) / len(hard), 0.9, at_least=True),
        Figure("trailer: cuts seen, farthest from their beat, frames", off, 0.5),
        Figure("trailer: shots that cross a cut of the film", crossing, 0),
    ]


def _quiet(done: float) -> None:
    pass


def _timeline(spec: Path) -> Timeline:
    report = Report()
    _, loaded = load_spec(spec, report)
    assert loaded is not None
    return layout_of(loaded, report).timeline


def _off_beat(placed: Placed, timeline: Timeline, found: list[int]) -> float:
    """Frames between a cut as it is found in the file and the beat that the spec puts it on."""
    frame = min(found, key=lambda cut: abs(cut - placed.range.start.index))
    assert timeline.grid is not None
    beat = timeline.grid.nearest_line(placed.start, "beat")
    return abs(float(frame - beat * timeline.rate))


def _crosses(placed: Placed, cuts: list[Fraction]) -> bool:
    """Whether the part of the film that an event shows, handles included, holds a cut of the film."""
    if not isinstance(placed, PlacedShot):
        return False
    rate = Fraction(placed.range.length) / placed.film.duration
    first, last = placed.film.start.seconds - placed.lead / rate, placed.film.end.seconds + placed.lag / rate
    return any(first < cut < last for cut in cuts)
