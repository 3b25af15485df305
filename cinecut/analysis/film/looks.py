"""The appearance of a film's shots: the pictures at their moments, measured by two threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from pathlib import Path
from threading import Event

from cinecut.analysis.film.faces import by
from cinecut.analysis.film.pictures import Moment, key_pictures
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import Appearance, combined, observe
from cinecut.analysis.stage import Stage
from cinecut.language.facts import FilmFacts


def appearances(
    film: Path,
    facts: FilmFacts,
    shots: Sequence[FilmShot],
    moments: Sequence[Moment],
    progress: Callable[[float], None],
) -> dict[int, Appearance]:
    """The appearance of each shot by its index, from the pictures at its moments; half of the film in each thread."""
    middle = len(moments) // 2
    halves = [half for half in (moments[:middle], moments[middle:]) if half]
    done, stopped = [0.0] * len(halves), Event()

    def observed(number: int) -> list[Appearance]:
        def report(share: float) -> None:
            if stopped.is_set():
                raise CancelledError
            done[number] = share
            progress(sum(done) / len(done))

        return [observe(p) for p in key_pictures(film, facts, shots, halves[number], report)]

    looks: dict[int, list[Appearance]] = {}
    with ThreadPoolExecutor(2) as pool:
        try:
            for look in chain.from_iterable(pool.map(observed, range(len(halves)))):
                looks.setdefault(look.shot, []).append(look)
        except BaseException:  # such as an interrupt, which must not wait for the threads to finish
            stopped.set()
            raise
    return {index: combined(look) for index, look in looks.items()}


LOOKS = Stage("looks", dict[int, Appearance], appearances)


def looks_stage() -> Stage[dict[int, Appearance]]:
    """The stage that measures the shots' pictures, with the faces found by the best detector there is."""
    return replace(LOOKS, by=by())
