"""The memory of `cinecut render` must not grow with the length of the film that the shots come from, nor with their
number: of a film of 3840×2160 pixels at 10 bits, by two FFmpegs at a time.
"""

from __future__ import annotations

import random
import subprocess

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import FFMPEG, Film, long_film, measure
from bench.measure import MB, Command, Meter, interleaved, run
from bench.rendering.cutlist import CINECUT, DRESSED, SEED, Shot, cinecut_render, cut_list, write_song, write_spec

NAME = "peak memory, film twelve times as long"
MANY = "peak memory, 200 shots of UHD against 20"
_SHOT = 24  # frames of each of those
_SECONDS = 4


def table(film: Film, runs: int) -> list[Figure]:
    """45 shots of the film and of the film repeated twelve times; 20 and 200 shots of one in UHD; 500 shots."""
    return [*_of_long_films(film), *_of_many_shots(), *_of_a_long_trailer(film)]


def _of_long_films(film: Film) -> list[Figure]:
    films = {"the film": film, "twelve times": long_film(film)}
    meters: dict[str, Meter] = {}
    try:
        commands = {
            name: cinecut_render(each, cut_list(each), work_folder() / f"memory_{i}.mp4")
            for i, (name, each) in enumerate(films.items())
        }
        for name, result in interleaved(commands, 1).items():
            if isinstance(result, NotMeasuredError):
                raise result
            meters[name] = result
    except NotMeasuredError as error:
        return [Figure(NAME, None, 1.25, reason=str(error))]
    rows = []
    for name, each in films.items():
        minutes = f"{float(each.frames / each.rate) / 60:.1f}"
        rows.append((name, minutes, f"{meters[name].peak / MB:.0f}", f"{meters[name].wall:.2f}"))
    print_rows(("45 shots of", "minutes", "peak MB", "wall s"), rows)
    return [Figure(NAME, meters["twelve times"].peak / meters["the film"].peak, 1.25)]


def _of_many_shots() -> list[Figure]:
    try:
        film = _uhd()
        meters = {count: _rendered(film, count) for count in (20, 200)}
    except NotMeasuredError as error:
        return [Figure(MANY, None, 1.1, reason=str(error))]
    rows = [(str(count), f"{meter.peak / MB:.0f}", f"{meter.wall:.1f}") for count, meter in meters.items()]
    print_rows(("shots of UHD, 10 bits", "peak MB", "wall s"), rows)
    return [
        Figure(MANY, meters[200].peak / meters[20].peak, 1.1),
        Figure("peak memory of 200 shots of UHD, two FFmpegs", meters[200].peak / 1e9, 2, " GB"),
    ]


def _of_a_long_trailer(film: Film) -> list[Figure]:
    """500 shots in 20 minutes, with a grade, music and effects; small, since that is quick."""
    output, dice = work_folder() / "long_trailer.mp4", random.Random(SEED)
    name = "peak memory of 500 shots in 20 minutes"
    shots = [Shot(dice.randrange(1, film.frames - 61), dice.choice((55, 56, 58, 60, 61))) for _ in range(500)]
    write_song(output.parent)
    try:
        spec = write_spec(film, shots, output.with_suffix(".yaml"), DRESSED)
        run(Command((CINECUT, "link", str(spec))))
        environment = {"CINECUT_FFMPEG": FFMPEG, "CINECUT_STORE_GB": "0"}
        argv = (CINECUT, "render", str(spec), "-o", str(output), "--jobs", "2", "--draft")
        meter = run(Command(argv, output, environment))
    except NotMeasuredError as error:
        return [Figure(name, None, 2, " GB", reason=str(error))]
    print_rows(("500 shots of", "peak MB", "wall s"), [("the film", f"{meter.peak / MB:.0f}", f"{meter.wall:.1f}")])
    return [Figure(name, meter.peak / 1e9, 2, " GB")]


def _uhd() -> Film:
    """Moving patterns with sound, made once."""
    path = work_folder() / "uhd.mp4"
    if not path.exists():
        source = f"testsrc2=size=3840x2160:rate=24:duration={_SECONDS}"
        media = ["-f", "lavfi", "-i", source, "-f", "lavfi", "-i", f"sine=duration={_SECONDS}:sample_rate=48000"]
        encode = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-g", "12", "-c:a", "aac"]
        part = path.with_stem("uhd.part")
        subprocess.run([FFMPEG, "-v", "error", "-y", *media, *encode, str(part)], check=True, capture_output=True)
        part.replace(path)
    return measure(path)


def _rendered(film: Film, count: int) -> Meter:
    dice, output = random.Random(SEED), work_folder() / f"uhd_{count}.mp4"
    shots = [Shot(dice.randrange(1, film.frames - _SHOT - 1), _SHOT) for _ in range(count)]
    spec = write_spec(film, shots, output.with_suffix(".yaml"))
    spec.write_text(spec.read_text().replace("preset: veryfast", "preset: ultrafast"))
    run(Command((CINECUT, "link", str(spec))))
    environment = {"CINECUT_FFMPEG": FFMPEG, "CINECUT_STORE_GB": "0"}
    return run(Command((CINECUT, "render", str(spec), "-o", str(output), "--jobs", "2"), output, environment))
