"""The memory of `cinecut render` must not grow with the length of the film that the shots come from."""

from __future__ import annotations

from bench.cutlist import cinecut_render, cut_list
from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import Film, long_film
from bench.measure import MB, Meter, interleaved

NAME = "peak memory, film twelve times as long"


def table(film: Film, runs: int) -> list[Figure]:
    """45 shots of the film and of the film repeated twelve times."""
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
