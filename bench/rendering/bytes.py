"""Two renders of one spec give the same bytes."""

from __future__ import annotations

import hashlib

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import Film
from bench.measure import run
from bench.rendering.cutlist import cinecut_render, cut_list

NAME = "different files from two renders of one spec"


def table(film: Film, runs: int) -> list[Figure]:
    """Render the cut list twice and compare the whole files."""
    output = work_folder() / "bytes.mp4"
    digests: list[tuple[str, str, str]] = []
    try:
        command = cinecut_render(film, cut_list(film), output)
        for name in ("first", "second"):
            run(command)
            digest = hashlib.sha256(output.read_bytes()).hexdigest()
            digests.append((name, str(output.stat().st_size), digest[:16]))
    except NotMeasuredError as error:
        return [Figure(NAME, None, 0, reason=str(error))]
    print_rows(("render", "bytes", "sha256"), digests)
    return [Figure(NAME, float(digests[0][1:] != digests[1][1:]), 0)]
